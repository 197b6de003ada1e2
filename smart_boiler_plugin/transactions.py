"""One transaction for one change, the locks for what all share, and what holds when the database gives no answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from flask import g, has_request_context
from flask.sansio.app import App
from flexmeasures.data import db
from rq.timeouts import BaseTimeoutException
from sqlalchemy import event, exc, func
from sqlalchemy.engine import ExceptionContext

Thing = TypeVar("Thing")
Done = TypeVar("Done")

AWAY = (exc.OperationalError, exc.InterfaceError, exc.DisconnectionError, exc.PendingRollbackError, exc.TimeoutError)
"""What SQLAlchemy raises when the database cannot be reached, is full, or has ended a transaction: no fault of ours."""


def lock(key: int) -> None:
    """Wait until nobody else holds the advisory lock of a key, and hold it until the end of the transaction."""
    db.session.execute(db.select(func.pg_advisory_xact_lock(key)))


def try_lock(key: int, row: int) -> bool:
    """Hold the advisory lock of a key and a row until the end of the transaction; return False where others hold it.

    Nobody who reads or changes the row itself waits for it.
    """
    return bool(db.session.execute(db.select(func.pg_try_advisory_xact_lock(key, row))).scalar())


@contextmanager
def transaction(*, commit: bool = True) -> Iterator[None]:
    """Commit at the end, or roll everything back.

    Without ``commit``, whoever has opened it commits or rolls back what was done.
    """
    try:
        yield
        if commit:
            db.session.commit()
    except BaseException:
        db.session.rollback()
        raise


def by_halves(
    things: Sequence[Thing], do: Callable[[Sequence[Thing]], Done]
) -> Iterator[tuple[Sequence[Thing], Done | Exception]]:
    """Do something with many at once, and by halves where that fails, down to who is to blame, who stops no other.

    Each time in a savepoint: of what failed, nothing is stored.

    Parameters
    ----------
    things
        Some; their order is kept.
    do
        What is done with some of them.

    Yields
    ------
    sequence, Done or Exception
        Some of them, and what came of it; of one alone, what went wrong.

    Raises
    ------
    Exception
        What says that the database is away, or that a worker's time is over: it is nobody's fault.

    """
    try:
        with db.session.begin_nested():
            done = do(things)
    except Exception as error:
        if is_away(error) or isinstance(error, BaseTimeoutException):
            raise
        if len(things) == 1:
            yield things, error
            return
        half = len(things) // 2
        yield from by_halves(things[:half], do)
        yield from by_halves(things[half:], do)
        return
    yield things, done


def is_away(error: BaseException) -> bool:
    """Return whether an error says that the database is away for now: the same may work in a moment."""
    return isinstance(error, AWAY) or (isinstance(error, exc.DBAPIError) and error.connection_invalidated)


def told(error: BaseException) -> str:
    """Return what the database said, in one line: its further ones show the values of rows."""
    said = str(getattr(error, "orig", None) or error).strip()
    return said.splitlines()[0] if said else type(error).__name__


def watch(app: App) -> None:
    """Let errors of an app's database name no values of rows, and be known where others swallow them.

    The parameters of a statement are password hashes, names and addresses, and would go to terminals and logs.
    """
    if "sqlalchemy" not in app.extensions:
        return
    with app.app_context():  # type: ignore[attr-defined]  # a Flask, as all apps of the host
        for engine in db.engines.values():
            engine.hide_parameters = True
            event.listen(engine, "handle_error", _remember)


def _remember(context: ExceptionContext) -> None:
    error = context.sqlalchemy_exception or context.original_exception
    if has_request_context() and (context.is_disconnect or is_away(error)):
        g.smart_boiler_database_error = error


def swallowed_error() -> BaseException | None:
    """Return the error of the database that happened in this request, if any.

    Flask-Security takes a token for invalid when the database fails (``_request_loader``).
    """
    error: BaseException | None = g.get("smart_boiler_database_error")
    return error
