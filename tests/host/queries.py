"""Counts what is asked of the database."""

from contextlib import contextmanager, nullcontext

from flexmeasures.data import db
from sqlalchemy import event


@contextmanager
def counted_queries(app=None):
    """Yield a list to which each statement that goes to the database is added; without an app context, name the app."""
    statements = []
    with app.app_context() if app else nullcontext():
        engine = db.engine

    def note(_connection, _cursor, statement, *_):
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)
