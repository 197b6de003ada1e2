"""When local days begin and end. Pure: pandas and NumPy alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DAY = timedelta(days=1)
"""Twenty-four hours; a local day has 23 or 25 where the clock changes (``midnights``)."""


def midnight(day: date, timezone: str) -> pd.Timestamp:
    """Return when a local day begins: with the first of two midnights, or after the hour that the clock skips.

    Some clocks change at midnight, as those of the Azores do.
    """
    begin: pd.Timestamp = pd.Timestamp(day).tz_localize(timezone, ambiguous=True, nonexistent="shift_forward")
    return begin


def midnights(day: date, timezone: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return when a local day begins and ends: after 23, 24 or 25 hours."""
    return midnight(day, timezone), midnight(day + DAY, timezone)


def day_of(moment: datetime, timezone: str) -> date:
    """Return the local day in which a moment falls."""
    day: date = pd.Timestamp(moment).tz_convert(timezone).date()
    return day


def days_between(first: date, last: date) -> list[date]:
    """Return the days from the first to the last, both included."""
    return [first + number * DAY for number in range((last - first).days + 1)]


def local_days(moments: pd.DatetimeIndex) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where the local days of ascending moments begin among these, and in which day each falls, by number."""
    _, begins, day = np.unique(moments.tz_localize(None).normalize(), return_index=True, return_inverse=True)
    return begins, day


@dataclass(frozen=True)
class Span:
    """Local days from the first to the last, both included; None means that there is no such end."""

    first: date | None = None
    last: date | None = None

    def covers(self, moments: pd.DatetimeIndex) -> NDArray[np.bool_]:
        """Return which moments (local time) are on one of the days, shape (n,)."""
        dates = moments.tz_localize(None).to_numpy().astype("datetime64[D]")
        held = np.ones(len(dates), dtype=bool)
        if self.first:
            held &= dates >= np.datetime64(self.first)
        if self.last:
            held &= dates <= np.datetime64(self.last)
        return held
