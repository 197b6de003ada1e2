"""Prices that hold for longer or shorter than a quarter of an hour, per quarter. Pure: pandas and NumPy."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from smart_boiler_plugin.clock.quarter import QUARTER


def in_quarters(prices: pd.Series, resolution: timedelta) -> pd.Series:
    """Return prices per quarter of an hour: longer ones hold for each of theirs, of shorter ones it is the mean.

    Parameters
    ----------
    prices
        By the start of the span for which they hold.
    resolution
        How long each holds: quarters of an hour, or a part of one.

    Returns
    -------
    pd.Series
        By the start of the quarters, in UTC. Nothing is made up: no price, no quarter; neither where a part of one is
        missing.

    """
    priced = prices.dropna().tz_convert("UTC")
    if resolution <= QUARTER:
        by_quarter = priced.groupby(pd.DatetimeIndex(priced.index).floor(QUARTER))
        means: pd.Series = by_quarter.mean()[by_quarter.count() == QUARTER / resolution]
        return means
    starts = np.arange(resolution // QUARTER) * np.timedelta64(QUARTER)
    begins = priced.index.repeat(len(starts)) + np.tile(starts, len(priced))
    quarters: pd.Series = pd.Series(priced.repeat(len(starts)).to_numpy(), index=begins)
    return quarters
