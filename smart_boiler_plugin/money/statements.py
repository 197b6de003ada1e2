"""A customer's statement: what days cost, what a thermostat would have cost, and what was saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.money.accounting import Day, DayAccount, Total, last_day, read_days, sum_of, total_of

LONGEST = timedelta(days=366)
"""Most that one statement covers."""

USUAL = timedelta(days=30)
"""What a statement covers when nobody says how long."""


@dataclass(frozen=True)
class UnknownDay:
    """A day of which it is not known what it came to, and a message that says why; fixed fees are paid all the same."""

    day: date
    message: str
    fixed_fees: float | None


@dataclass(frozen=True)
class Statement:
    """What days came to.

    Parameters
    ----------
    boiler
        Which.
    first, last
        The days, both included.
    days
        What each day came to, or why that is not known.
    total
        Of the days that are known, with the fixed fees of all days; None where none is known.
    not_believed
        What was read in these days and not believed, and why.

    """

    boiler: Boiler
    first: date
    last: date
    days: Sequence[DayAccount | UnknownDay]
    total: Total | None
    not_believed: Sequence[str] = ()

    @property
    def currency(self) -> str:
        """Of all money here."""
        return self.boiler.currency

    @property
    def fixed_fees(self) -> float | None:
        """Of all days, with VAT; None where what is stored of a tariff is wrong."""
        return sum_of(day.fixed_fees for day in self.days)

    @property
    def coverage(self) -> float:
        """Share of the span that rests on measurements; a day that is not known has none [-]."""
        return self.total.coverage * self.total.days / len(self.days) if self.total else 0.0


def statement_of(boiler: Boiler, first: date | None = None, last: date | None = None) -> Statement:
    """Return the statement of days, worked out from what is known now.

    Parameters
    ----------
    boiler
        Which.
    first, last
        The days, both included; by default the ``USUAL`` ones up to yesterday.

    Raises
    ------
    SmartBoilerError
        If the last day is not over, or the span is empty or too long.

    """
    yesterday = last_day(boiler.timezone)
    last = last or yesterday
    first = first or last - USUAL + timedelta(days=1)
    _check(first, last, yesterday)
    read = list(read_days([boiler], first, last))
    days = [_account(day) for day in read]
    known = [account for account in days if isinstance(account, DayAccount)]
    total = replace(total_of(known), fixed_fees=sum_of(day.fixed_fees for day in days)) if known else None
    # of days that were read together, each says the same
    not_believed = dict.fromkeys(told for day in read for told in day.not_believed[0])
    return Statement(boiler, first, last, days, total, tuple(not_believed))


def month_so_far(boiler: Boiler) -> Statement:
    """Return the statement of the month in which the last day that is over lies, up to that day.

    Raises
    ------
    SmartBoilerError
        If what is stored of the boiler is wrong.

    """
    last = last_day(boiler.timezone)
    return statement_of(boiler, last.replace(day=1), last)


def _account(day: Day) -> DayAccount | UnknownDay:
    (account,) = day.accounts()
    if isinstance(account, DayAccount):
        return account
    taken_on = day.boilers[0].history.taken_on
    before = taken_on is not None and day.date < taken_on
    return UnknownDay(day.date, str(account), 0.0 if before else day.fixed_fees[0])


def _check(first: date, last: date, yesterday: date) -> None:
    """Refuse days that are not over, and spans that are empty or too long."""
    if last > yesterday:
        raise SmartBoilerError(f"until: {last} is not over yet. The last day of a statement is {yesterday}.")
    if first > last:
        raise SmartBoilerError(f"from: {first} is after the last day, {last}.")
    if last - first >= LONGEST:
        raise SmartBoilerError(f"from: {first} is too early. A statement covers {LONGEST.days} days at most.")
