"""A real FlexMeasures app with this plugin on an empty PostgreSQL of its own, for benchmarks and simulations."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

from flexmeasures.app import create
from flexmeasures.data import db

from tests.databases import new_database
from tests.host.apps import SETTINGS


@contextmanager
def quiet():
    """Throw away what the host's solver prints: it writes past Python."""
    kept = os.dup(1)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)


@contextmanager
def app_context(**settings):
    """Run in the context of an app, with settings of a server's configuration; what it makes is gone at the end."""
    with tempfile.TemporaryDirectory(prefix="smart-boiler-") as name, new_database(durable=True) as uri:
        os.chdir(name)  # for the host's log
        config = Path(name) / "flexmeasures.cfg"
        values = {**SETTINGS, "LOGGING_LEVEL": "ERROR", "SQLALCHEMY_DATABASE_URI": uri, **settings}
        config.write_text("".join(f"{name} = {value!r}\n" for name, value in values.items()))
        app = create(env="production", path_to_config=str(config))
        with app.app_context():
            db.create_all()
            try:
                yield app
            finally:
                db.session.remove()
                db.engine.dispose()
                os.chdir("/")
