"""The tests' database: on the server that SQLALCHEMY_TEST_DATABASE_URI names, else on a PostgreSQL of our own."""

import os
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy import create_engine, text

from smart_boiler_plugin.embedded.postgres import Postgres

NOT_DURABLE = (
    "ALTER SYSTEM SET fsync = off",
    "ALTER SYSTEM SET synchronous_commit = off",
    "ALTER SYSTEM SET full_page_writes = off",
    "SELECT pg_reload_conf()",
)
"""What spares a server of our own the wait for a disk: nothing of it is to survive a power failure."""


@contextmanager
def open_folder():
    """Yield a new folder in which a PostgreSQL of our own can have its data; it is gone at the end.

    No ``tmp_path``: as root, PostgreSQL runs as another user, and each pytest that starts closes the folders of all
    others to other users.
    """
    with TemporaryDirectory(prefix="smart-boiler-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@contextmanager
def new_database(*, durable=False):
    """Yield the URI of a new, empty database, which is dropped at the end.

    Each caller gets one of its own, so that several processes can test at a time. With ``durable``, a server of our own
    writes as safely as in a business, for what is measured.
    """
    with ExitStack() as running:
        uri = os.environ.get("SQLALCHEMY_TEST_DATABASE_URI")
        ours = not uri
        if ours:
            postgres = Postgres(running.enter_context(open_folder()) / "postgres")
            running.callback(postgres.stop)
            uri = postgres.uri
        engine = create_engine(uri, isolation_level="AUTOCOMMIT")
        running.callback(engine.dispose)

        def run(*statements):
            with engine.connect() as connection:
                for statement in statements:
                    connection.execute(text(statement))

        if ours and not durable:
            run(*NOT_DURABLE)
        name = f"smart_boiler_{uuid4().hex}"
        run(f"CREATE DATABASE {name}")
        running.callback(run, f"DROP DATABASE {name} WITH (FORCE)")
        yield urlsplit(uri)._replace(path=f"/{name}").geturl()
