"""One transaction for one change, and the locks under which what all share is made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flexmeasures.data import db
from sqlalchemy import func


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
