"""The test database: SQLALCHEMY_TEST_DATABASE_URI where it is set, else a PostgreSQL of our own."""

import os
from contextlib import contextmanager

from sqlalchemy import create_engine, text

from smart_boiler_plugin.embedded.postgres import Postgres


@contextmanager
def test_database(folder):
    """Yield the URI of an empty database. Whatever stood in it is gone."""
    uri = os.environ.get("SQLALCHEMY_TEST_DATABASE_URI")
    postgres = None if uri else Postgres(folder / "postgres")
    uri = uri or postgres.uri
    engine = create_engine(uri, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        yield uri
    finally:
        engine.dispose()
        if postgres:
            postgres.stop()
