"""The quarter of an hour: in it, boilers are measured and planned, and power is bought."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

QUARTER = timedelta(minutes=15)

HOUR = timedelta(hours=1)

QUARTER_H = QUARTER / HOUR
"""Length of a quarter [h]."""


def whole_quarters(start: datetime, end: datetime) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the begin and the end of all quarters of an hour that a span touches, in its time zones."""
    # in UTC: pandas rounds local times, and knows no answer in the hour that the clock repeats
    begin = pd.Timestamp(start).tz_convert("UTC").floor(QUARTER).tz_convert(start.tzinfo)
    return begin, pd.Timestamp(end).tz_convert("UTC").ceil(QUARTER).tz_convert(end.tzinfo)


def mean_per_step(by_quarter: NDArray[np.float64], begin: float, length: float, steps: int) -> NDArray[np.float64]:
    """Return the means over steps, shape (steps,), of values that hold for a quarter each.

    Parameters
    ----------
    by_quarter
        The values, shape (quarters,).
    begin
        Where the first step begins [quarters].
    length, steps
        Length of the steps [quarters], and how many.

    """
    sums = np.concatenate([[0.0], np.cumsum(by_quarter)])
    edges = begin + length * np.arange(steps + 1)
    return np.diff(np.interp(edges, np.arange(len(sums)), sums)) / length
