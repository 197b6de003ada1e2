"""What belongs to every change of a customer: one transaction, what is taken already, and the audit log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

from flexmeasures import Account
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AuditLog
from flexmeasures.utils.time_utils import server_now
from sqlalchemy import func
from sqlalchemy.exc import IntegrityError

from smart_boiler_plugin.errors import ConflictError, SmartBoilerError
from smart_boiler_plugin.host import UNIQUE_NAMES, active_user, audit_text
from smart_boiler_plugin.transactions import lock, transaction

NAMES_LOCK = 0x626F696C
"""Key of the advisory lock under which names are given, one transaction after the other (the bytes of "boil").

Names and e-mails are unique in whatever case, which no constraint of the database says; and two long lists of the same
rows in other orders would wait for each other's rows for ever.
"""

FIELDS = {"account": "name", "username": "user_name", "email": "user_email"}
"""Which field of a new customer is which unique name of the host's."""


@contextmanager
def one_change(*, commit: bool = True) -> Iterator[None]:
    """Do it all in one transaction, or nothing. A uniqueness lost to somebody else becomes a ConflictError."""
    try:
        with transaction(commit=commit):
            yield
    except IntegrityError as error:
        raise conflict(error) from error


def conflict(error: IntegrityError) -> Exception:
    """Return the ConflictError for a uniqueness that was lost, or the error itself if it is none of these."""
    constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    field_name = FIELDS.get(UNIQUE_NAMES.get(constraint or "", ""))
    return ConflictError({field_name: ["Was taken by somebody else just now."]}) if field_name else error


def refuse_what_is_taken(
    column_and_value: Mapping[str, tuple[Any, str]], given: Mapping[str, set[str]] | None = None
) -> None:
    """Raise a ConflictError that names all fields whose value exists, in whatever case: logging in ignores the case.

    Holds the lock under which names are given, until the end of the transaction.

    Parameters
    ----------
    column_and_value
        By field: where it is, and what is to be given.
    given
        By field: what is taken beside that, in small letters.

    """
    lock(NAMES_LOCK)
    taken = {
        # the value is not repeated: what is told of a long list is kept for days
        name: ["This exists already on this server. Choose another."]
        for name, (column, value) in column_and_value.items()
        if value.lower() in (given or {}).get(name, ())
        or db.session.query(db.session.query(column).filter(func.lower(column) == func.lower(value)).exists()).scalar()
    }
    if taken:
        raise ConflictError(taken)


def check_day(first: date, today: date, *, changes_tariff: bool, changes_boiler: bool) -> None:
    """Refuse a day on which a change cannot begin to hold.

    Parameters
    ----------
    first, today
        The day, and the household's local one.
    changes_tariff, changes_boiler
        What of it is changed.

    Raises
    ------
    SmartBoilerError
        If the day is over, is to come and the boiler is changed, or if neither is changed.

    """
    if first < today:
        told = (
            f"{first} is over, and what held on a day stays. Give {today} or later. To correct days that are over: "
            "flexmeasures smart-boiler report --again"
        )
    elif not changes_tariff and not changes_boiler:
        told = "Says from when on another tariff holds. All else changes now: leave it out."
    elif changes_boiler and first > today:
        told = f"A boiler is changed from today on: give {today}, or leave it out. A tariff may be changed by itself."
    else:
        return
    raise SmartBoilerError({"from": [told]})


def log_change(account: Account, event: str) -> None:
    """Write to the host's audit log what is done to an account, and by whom."""
    user_id, user_name = active_user()
    db.session.add(
        AuditLog(
            event_datetime=server_now(),
            event=audit_text(event),
            active_user_id=user_id,
            active_user_name=user_name,
            affected_account_id=account.id,
        )
    )
