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


AS_IN_A_BUSINESS = (
    "ALTER SYSTEM SET shared_buffers = '2GB'",
    "ALTER SYSTEM SET max_wal_size = '8GB'",
)
"""What docs/operating.md asks for: with the 128 MB of a new server, each page comes from the system again and again."""


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
    writes as safely as in a business, and has as much memory, for what is measured.
    """
    with ExitStack() as running:
        uri = os.environ.get("SQLALCHEMY_TEST_DATABASE_URI")
        ours = not uri
        if ours:
            folder = running.enter_context(open_folder()) / "postgres"
            postgres = Postgres(folder)
            running.callback(postgres.stop)
            uri = postgres.uri
            if durable:
                _run(uri, *AS_IN_A_BUSINESS)
                postgres.stop()
                uri = Postgres(folder).uri
        if ours and not durable:
            _run(uri, *NOT_DURABLE)
        name = f"smart_boiler_{uuid4().hex}"
        _run(uri, f"CREATE DATABASE {name}")
        running.callback(_run, uri, f"DROP DATABASE {name} WITH (FORCE)")
        yield urlsplit(uri)._replace(path=f"/{name}").geturl()


def _run(uri, *statements):
    engine = create_engine(uri, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
