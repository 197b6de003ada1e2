"""The last time that the boilers of an operator were planned, and what came of it.

It stands with the operator's account, sealed as its jobs are: all of its users can write there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flexmeasures import Account
from flexmeasures.data import db

from smart_boiler_plugin import stored

ATTRIBUTE = "smart-boiler-run"
"""Attribute of an operator's account."""


@dataclass(frozen=True)
class Run:
    """What came of planning the boilers of an operator.

    Parameters
    ----------
    at
        When it was over (aware of the time zone).
    planned, told, failed
        How many boilers were planned and nothing was to be said; were planned, and something was; have no new plan.

    """

    at: datetime
    planned: int
    told: int
    failed: int


def note_run(account: Account, run: Run) -> None:
    """Note what came of planning an operator's boilers, in place of what came of it before. Does not commit."""
    sealed = stored.seal({**vars(run), "at": run.at.isoformat(), "account_id": account.id})
    stored.change(account, lambda _: sealed, ATTRIBUTE)


def last_run(account_id: int) -> Run | None:
    """Return what came of the last run with an operator's boilers; None where none is known. One SQL statement."""
    query = db.select(Account.attributes[ATTRIBUTE].astext).filter(Account.id == account_id)
    return _read(account_id, db.session.execute(query).scalar())


def _read(account_id: int, sealed: Any) -> Run | None:
    try:
        known = stored.unseal(sealed)
    except ValueError:
        return None
    if known.pop("account_id", None) != account_id:
        return None
    return Run(**{**known, "at": datetime.fromisoformat(known["at"])})
