"""The FlexMeasures app with this plugin, on a real PostgreSQL and Redis: the host can be made once in a process."""

import gc
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from flexmeasures.api.common.rate_limiting import limiter
from flexmeasures.app import create
from flexmeasures.data import db

from smart_boiler_plugin.embedded.redis import Redis
from tests.databases import new_database

SETTINGS = {
    "FLEXMEASURES_PLUGINS": ["smart_boiler_plugin"],
    "FLEXMEASURES_TIMEZONE": "Europe/Amsterdam",
    "LOGGING_LEVEL": "WARNING",
    "SECRET_KEY": "for tests alone",
    "SECURITY_TOTP_SECRETS": {"1": "for tests alone"},
    "SECURITY_PASSWORD_CHECK_BREACHED": None,
    # each hash would cost 0.1 s, hundreds of times; tests/system hashes for real
    "SECURITY_PASSWORD_HASH": "plaintext",
    "SECURITY_HASHING_SCHEMES": ["hex_md5"],
    "SECURITY_DEPRECATED_HASHING_SCHEMES": [],
    # the mails are looked at, and not sent; tests/system has a real mail server
    "MAIL_SUPPRESS_SEND": True,
}


RESTART = """
    SELECT setval(oid::regclass, 1, false) FROM pg_class
    WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
"""


def _empty_database():
    """Delete all rows, and count ids from 1 again; in half of the time of a TRUNCATE, which makes new files."""
    deletions = [str(table.delete()) for table in reversed(db.metadata.sorted_tables)]
    # in one go: the ways to and fro take most of the time
    db.session.connection().exec_driver_sql("; ".join([*deletions, RESTART]))
    db.session.commit()


class Running(NamedTuple):
    """An app, and the folder with its log."""

    app: Any
    folder: Path


@contextmanager
def running(folder):
    """Yield an app whose log is in a folder."""
    with new_database() as uri, ExitStack() as services:
        redis = Redis(folder)
        services.callback(redis.stop)
        config = folder / "flexmeasures.cfg"
        settings = {**SETTINGS, **redis.settings, "SQLALCHEMY_DATABASE_URI": uri}
        config.write_text("".join(f"{name} = {value!r}\n" for name, value in settings.items()))
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)  # for the host's log
            app = create(env="production", path_to_config=str(config))
        with app.app_context():
            db.create_all()
        # half a million objects that live to the end are not to be searched for garbage again and again
        gc.freeze()
        yield Running(app, folder)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def empty(app):
    """Take all rows out of the database, and all that Redis holds."""
    with app.app_context():
        _empty_database()
        limiter.reset()
        app.redis_connection.flushdb()
