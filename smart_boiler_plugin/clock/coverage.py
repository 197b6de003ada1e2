"""Which quarters of an hour of a day have a value, and which have none. Pure: pandas alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd

from smart_boiler_plugin.clock.days import days_between, midnights
from smart_boiler_plugin.clock.quarter import QUARTER

DUE_HOUR = 15
"""Hour of the day, local time, from which the next day's prices should be there: they are published around 13:00."""


MARKET_TIMEZONE = "Europe/Brussels"
"""Europe's day-ahead prices are published for days of Central European Time, whatever a country's own time zone is."""

PUBLISHED_HOUR = 14
"""Hour of the day, in the market's time zone, by which those of the next day are published: an hour late at most."""


def published_until(moment: pd.Timestamp) -> pd.Timestamp:
    """Return the midnight until which day-ahead prices are published at a moment, in the market's time zone."""
    until: pd.Timestamp = moment.normalize() + pd.DateOffset(days=2 if moment.hour >= PUBLISHED_HOUR else 1)
    return until


@dataclass(frozen=True)
class DayCoverage:
    """A local day, and which of its quarters have a value.

    Parameters
    ----------
    begin, end
        Midnight and the next, local time.
    there
        Start of the quarters that have a value.

    """

    begin: pd.Timestamp
    end: pd.Timestamp
    there: pd.DatetimeIndex

    @property
    def date(self) -> date:
        """Which day it is."""
        return self.begin.date()

    @property
    def expected(self) -> int:
        """How many quarters it has: 96, or 92 or 100 when the clock changes."""
        return int((self.end - self.begin) / QUARTER)

    @property
    def complete(self) -> bool:
        """Whether all its quarters have a value."""
        return len(self.there) == self.expected

    def is_due(self, now: datetime) -> bool:
        """Return whether it should be complete: from 15:00 local time of the day before on."""
        return bool(pd.Timestamp(now) >= (self.begin - pd.DateOffset(days=1)).replace(hour=DUE_HOUR))

    def is_overdue(self, now: datetime, market: str) -> bool:
        """Return whether something is missing that is due, and that belongs to a day that the market has published.

        Parameters
        ----------
        now
            To know what is due.
        market
            The market's time zone (IANA name). In Portugal, the last hour of a day belongs to its next day.

        """
        published = published_until(pd.Timestamp(now).tz_convert(market))
        return self.is_due(now) and any(begin < published for begin, _ in self.gaps)

    @property
    def gaps(self) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
        """From when to when nothing is there."""
        quarters = pd.date_range(self.begin, self.end, freq=QUARTER, inclusive="left")
        missing = quarters.difference(self.there).to_series()
        number = (missing.diff() != QUARTER).cumsum()
        return [(gap.iloc[0], gap.iloc[-1] + QUARTER) for _, gap in missing.groupby(number)]

    def __str__(self) -> str:
        """Return the day for people: "2025-10-26  97 of 100 quarters, missing 23:15 to 24:00 CET"."""
        counted = f"{self.date}  {len(self.there)} of {self.expected} quarters"
        if self.there.empty or self.complete:
            return counted
        return f"{counted}, missing {', '.join(self._shown(*gap) for gap in self.gaps)}"

    def _shown(self, begin: pd.Timestamp, end: pd.Timestamp) -> str:
        clock_changes = self.begin.utcoffset() != self.end.utcoffset()
        until = "24:00" if end == self.end else f"{end:%H:%M}"
        if clock_changes:  # 02:15 may be twice
            return f"{begin:%H:%M %Z} to {until} {end:%Z}"
        return f"{begin:%H:%M} to {until}"


def by_day(moments: pd.DatetimeIndex, first: date, last: date, timezone: str) -> list[DayCoverage]:
    """Return the days of a span, with which of their quarters are there.

    Parameters
    ----------
    moments
        Start of the quarters that have a value.
    first, last
        The days, both included.
    timezone
        Whose days (IANA name).

    """
    local = moments.tz_convert(timezone)
    spans = [midnights(day, timezone) for day in days_between(first, last)]
    return [DayCoverage(begin, end, local[(local >= begin) & (local < end)]) for begin, end in spans]
