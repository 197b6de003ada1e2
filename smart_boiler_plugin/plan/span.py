"""When a plan is for. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd


@dataclass(frozen=True)
class Span:
    """When a plan is for: from start to end (aware of the time zone), in steps; and what was recorded by its moment."""

    start: datetime
    end: datetime
    step: timedelta
    moment: datetime

    @property
    def steps(self) -> int:
        """How many there are."""
        return round((self.end - self.start) / self.step)

    @property
    def window(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """Start and end in UTC, as the host asks for series."""
        return pd.Timestamp(self.start).tz_convert("UTC"), pd.Timestamp(self.end).tz_convert("UTC")
