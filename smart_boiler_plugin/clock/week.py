"""Parts of the week, in local time: "mon-fri, 07:00 to 23:00".

Pure. As JSON: ``week_schema.py``. What counts during one: ``boiler/comfort.py`` (temperatures) and
``prices/consumption_price.py`` (fees).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

EVERY_DAY = frozenset(range(len(DAYS)))

MIDNIGHT = time(0)


@dataclass(frozen=True)
class Window:
    """A part of some days of the week.

    Parameters
    ----------
    days
        Days on which it begins, as 0 (Monday) to 6.
    begin, until
        Local times. Where ``until`` is not later than ``begin``, it ends on the next day. In an hour that the clock
        repeats it counts both times, and in one that the clock skips not at all.

    """

    days: frozenset[int]
    begin: time
    until: time

    def covers(self, moments: pd.DatetimeIndex, *, with_end: bool = False) -> NDArray[np.bool_]:
        """Return which moments (local time) it covers, shape (n,).

        Parameters
        ----------
        moments
            In the time zone in which the window is meant.
        with_end
            Whether it covers the moment ``until``, too; a quarter of an hour that begins then is not in it.

        """
        clock = np.asarray(moments.hour * 60 + moments.minute)
        weekday = np.asarray(moments.weekday)
        begin, until = (moment.hour * 60 + moment.minute for moment in (self.begin, self.until))
        before_end = clock <= until if with_end else clock < until
        today = np.isin(weekday, list(self.days))
        if begin < until:
            return today & (begin <= clock) & before_end
        yesterday = np.isin((weekday - 1) % 7, list(self.days))
        return (today & (begin <= clock)) | (yesterday & before_end)


def parse_days(text: str) -> frozenset[int]:
    """Return the days of the week that a text names: "mon-fri", "sat,sun", "fri-mon", "daily".

    Raises
    ------
    ValueError
        If it is none of these.

    """
    if text.strip().lower() == "daily":
        return EVERY_DAY
    days: set[int] = set()
    for part in text.lower().split(","):
        first, _, last = (name.strip() for name in part.partition("-"))
        if first not in DAYS or (last and last not in DAYS):
            raise ValueError(f"'{text}' names no days. Expected, for example, 'mon-fri', 'sat,sun' or 'daily'.")
        begin = DAYS.index(first)
        length = (DAYS.index(last or first) - begin) % 7
        days.update((begin + i) % 7 for i in range(length + 1))
    return frozenset(days)


def show_days(days: frozenset[int]) -> str:
    """Return days of the week as a text that ``parse_days`` reads."""
    return "daily" if days == EVERY_DAY else ",".join(DAYS[day] for day in sorted(days))
