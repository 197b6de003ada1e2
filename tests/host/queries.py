"""Counts what is asked of the database."""

from contextlib import contextmanager

from flexmeasures.data import db
from sqlalchemy import event


@contextmanager
def counted_queries():
    """Yield a list to which each statement that goes to the database is added."""
    statements = []

    def note(_connection, _cursor, statement, *_):
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
