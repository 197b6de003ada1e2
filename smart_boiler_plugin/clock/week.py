"""Parts of the week and of the year, in local time: "mon-fri, 07:00 to 23:00", "oct-mar".

Pure. As JSON: ``week_schema.py``. What counts during one: ``boiler/comfort.py`` (temperatures) and
``prices/contract.py`` (rates).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import time

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

EVERY_DAY = frozenset(range(len(DAYS)))

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

EVERY_MONTH = frozenset(range(len(MONTHS)))

MIDNIGHT = time(0)

DAY = pd.Timedelta(days=1)

SHOWN_LENGTH = 40
"""How much of a wrong text its refusal repeats."""


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

    def covers(
        self,
        moments: pd.DatetimeIndex,
        *,
        with_end: bool = False,
        begins_on: Callable[[pd.DatetimeIndex], NDArray[np.bool_]] | None = None,
    ) -> NDArray[np.bool_]:
        """Return which moments (local time) it covers, shape (n,).

        Parameters
        ----------
        moments
            In the time zone in which the window is meant.
        with_end
            Whether it covers the moment ``until``, too; a quarter of an hour that begins then is not in it.
        begins_on
            Returns for moments whether it begins on their days; None means on ``days``.

        """
        begins_on = begins_on or self.begins_on
        local = moments.tz_localize(None)
        clock = np.asarray(local.hour * 60 + local.minute)
        begin, until = (moment.hour * 60 + moment.minute for moment in (self.begin, self.until))
        before_end = clock <= until if with_end else clock < until
        today = begins_on(local)
        if begin < until:
            return today & (begin <= clock) & before_end
        return (today & (begin <= clock)) | (begins_on(local - DAY) & before_end)

    def begins_on(self, moments: pd.DatetimeIndex) -> NDArray[np.bool_]:
        """Return for moments (local time) whether the window begins on their days, shape (n,)."""
        return np.isin(np.asarray(moments.weekday), list(self.days))


def parse_days(text: str) -> frozenset[int]:
    """Return the days of the week that a text names, as 0 (Monday) to 6: "mon-fri", "sat,sun", "fri-mon", "daily".

    Raises
    ------
    ValueError
        If it is none of these.

    """
    if text.strip().lower() == "daily":
        return EVERY_DAY
    return _parse(text, DAYS, "days. Expected, for example, 'mon-fri', 'sat,sun' or 'daily'.")


def show_days(days: frozenset[int]) -> str:
    """Return days of the week as a text that ``parse_days`` reads."""
    return "daily" if days == EVERY_DAY else _show(days, DAYS)


def parse_months(text: str) -> frozenset[int]:
    """Return the months that a text names, as 0 (January) to 11: "oct-mar", "jan,jul".

    Raises
    ------
    ValueError
        If it is none of these.

    """
    return _parse(text, MONTHS, "months. Expected, for example, 'oct-mar' or 'jan,jul'.")


def show_months(months: frozenset[int]) -> str:
    """Return months as a text that ``parse_months`` reads."""
    return _show(months, MONTHS)


def _parse(text: str, names: Sequence[str], expected: str) -> frozenset[int]:
    """Return the numbers of names, and of ranges of them, which may go on beyond the last one."""
    found: set[int] = set()
    for part in text.lower().split(","):
        first, _, last = (name.strip() for name in part.partition("-"))
        if first not in names or (last and last not in names):
            raise ValueError(f"'{text[:SHOWN_LENGTH]}' names no {expected}")
        begin = names.index(first)
        length = (names.index(last or first) - begin) % len(names)
        found.update((begin + i) % len(names) for i in range(length + 1))
    return frozenset(found)


def _show(numbers: frozenset[int], names: Sequence[str]) -> str:
    return ",".join(names[number] for number in sorted(numbers))
