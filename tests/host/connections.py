"""Connections to the database, watched before each statement, and cut; and a Redis that is away."""

from flexmeasures.data import db
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import event, text

from smart_boiler_plugin.embedded.processes import free_port


def redis_that_is_away():
    """Return a connection to where no Redis is, which says so at once: redis-py itself tries for seconds."""
    return Redis(port=free_port(), retry=Retry(NoBackoff(), 0))


class BeforeEachStatement:
    """What is called before each statement on an app's database within a ``with``; subclasses say what it does."""

    def __init__(self, app):
        self.app = app

    def __call__(self, connection, cursor, statement, *_):  # noqa: D102
        raise NotImplementedError

    def cut(self, connection):
        """End a connection, as a restart of the server does."""
        pid = connection.connection.dbapi_connection.info.backend_pid
        with self.app.app_context(), db.engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    def __enter__(self):
        with self.app.app_context():
            self.engine = db.engine
        event.listen(self.engine, "before_cursor_execute", self)
        return self

    def __exit__(self, *_):
        event.remove(self.engine, "before_cursor_execute", self)
