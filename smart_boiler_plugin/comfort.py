"""How warm a household wants its water, and when: the lowest allowed temperature over time.

Pure. As JSON: ``comfort_schema.py``. Where hygiene is put: ``hygiene.py``; what a plan makes of it: ``scheduling.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Period:
    """A part of some days of the week in which the water is to be warmer.

    Parameters
    ----------
    days
        Days on which it begins, as 0 (Monday) to 6.
    begin, until
        Local times, both included. Where ``until`` is not later than ``begin``, it ends on the next day. In an hour
        that the clock repeats it counts both times, and in one that the clock skips not at all.
    temperature_c
        Lowest allowed temperature [°C].

    """

    days: frozenset[int]
    begin: time
    until: time
    temperature_c: float

    def covers(self, moments: pd.DatetimeIndex) -> NDArray[np.bool_]:
        """Return which moments (local time) it covers, shape (n,)."""
        clock = np.asarray(moments.hour * 60 + moments.minute)
        weekday = np.asarray(moments.weekday)
        begin, until = (moment.hour * 60 + moment.minute for moment in (self.begin, self.until))
        today = np.isin(weekday, list(self.days))
        if begin < until:
            return today & (begin <= clock) & (clock <= until)
        yesterday = np.isin((weekday - 1) % 7, list(self.days))
        return (today & (begin <= clock)) | (yesterday & (clock <= until))


@dataclass(frozen=True)
class Away:
    """Nobody is at home: no floor from ``begin`` on, warm again at ``until`` (aware of their time zone)."""

    begin: datetime
    until: datetime


@dataclass(frozen=True)
class Hygiene:
    """How a boiler is kept free of legionella; None means what the server's settings say.

    Parameters
    ----------
    temperature_c
        How hot it must become [°C].
    duration
        For how long.
    interval
        How often, at least.
    off_because
        Why this boiler has no hygiene; None means that it has.

    """

    temperature_c: float | None = None
    duration: timedelta | None = None
    interval: timedelta | None = None
    off_because: str | None = None


@dataclass(frozen=True)
class Comfort:
    """What a household wants, beside the floor that holds always.

    Parameters
    ----------
    programme
        Parts of the week with a higher floor; where some overlap, the highest counts.
    away
        Or None. A boost counts more.
    boost_until
        Hot now, until then; or None.
    hygiene
        What keeps the water clean.

    """

    programme: tuple[Period, ...] = ()
    away: Away | None = None
    boost_until: datetime | None = None
    hygiene: Hygiene = field(default_factory=Hygiene)

    def lowest_allowed_c(
        self, moments: pd.DatetimeIndex, *, temperature_min_c: float, temperature_max_c: float
    ) -> NDArray[np.float64]:
        """Return the lowest allowed temperature [°C] at moments, shape (n,); -inf where there is no floor.

        Parameters
        ----------
        moments
            In the household's time zone.
        temperature_min_c, temperature_max_c
            Floor that holds always, and ceiling [°C]. No wish goes beyond the ceiling.

        """
        floor = np.full(len(moments), temperature_min_c, dtype=float)
        for period in self.programme:
            floor = np.where(period.covers(moments), np.maximum(floor, period.temperature_c), floor)
        if self.away:
            begin, until = pd.Timestamp(self.away.begin), pd.Timestamp(self.away.until)
            floor[(moments >= begin) & (moments < until)] = -np.inf
        if self.boost_until:
            floor[moments <= pd.Timestamp(self.boost_until)] = temperature_max_c
        lowest: NDArray[np.float64] = np.minimum(floor, temperature_max_c)
        return lowest


def parse_days(text: str) -> frozenset[int]:
    """Return the days of the week that a text names: "mon-fri", "sat,sun", "fri-mon", "daily".

    Raises
    ------
    ValueError
        If it is none of these.

    """
    if text.strip().lower() == "daily":
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.lower().split(","):
        first, _, last = (name.strip() for name in part.partition("-"))
        if first not in DAYS or (last and last not in DAYS):
            raise ValueError(f"'{text}' names no days. Right is: 'mon-fri', 'sat,sun' or 'daily'.")
        begin = DAYS.index(first)
        length = (DAYS.index(last or first) - begin) % 7
        days.update((begin + i) % 7 for i in range(length + 1))
    return frozenset(days)


def show_days(days: frozenset[int]) -> str:
    """Return days of the week as a text that ``parse_days`` reads."""
    return "daily" if len(days) == len(DAYS) else ",".join(DAYS[day] for day in sorted(days))
