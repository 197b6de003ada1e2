"""Prices that hold for longer or shorter than a quarter of an hour, per quarter. Pure: pandas and NumPy."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smart_boiler_plugin.clock.coverage import MARKET_TIMEZONE
from smart_boiler_plugin.clock.quarter import HOUR, QUARTER

STEPS = (HOUR, 2 * QUARTER, QUARTER)
"""For how long prices of an exchange hold, the longest first."""

_MINUTE = timedelta(minutes=1)


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
    return _repeated(priced, np.full(len(priced), resolution // QUARTER))


def spread_over_quarters(prices: pd.Series) -> pd.Series:
    """Return a price for each quarter of an hour of prices that hold for a quarter, half an hour or an hour each.

    For how long, nobody says: it is read from the moments. They may change from one to the other at any of them.

    Parameters
    ----------
    prices
        By the start of the span for which they hold, a full quarter; ascending. A moment whose price is NaN has none,
        and yet tells for how long its neighbours hold.

    Returns
    -------
    pd.Series
        By the start of the quarters, in UTC. Nothing is made up: a hole stays a hole.

    """
    moments = pd.Series(pd.DatetimeIndex(prices.index).tz_convert("UTC"))
    gaps = moments.diff().shift(-1)
    days = moments.dt.tz_convert(MARKET_TIMEZONE).dt.normalize()
    # a gap tells where it comes twice in a row, or all moments of the market's day are as far apart; else it may be a
    # hole. The last one before a hole, or of all, holds for as long as those around it
    of_day = moments.dt.minute.groupby(days).transform(_coarsest)
    twice = gaps.eq(gaps.shift()) | gaps.eq(gaps.shift(-1))
    told = gaps.where(gaps.isin(STEPS) & (gaps.eq(of_day) | twice))
    steps = told.groupby(days).ffill().groupby(days).bfill().ffill().bfill().fillna(pd.Timedelta(QUARTER))
    steps = steps.mask(gaps < steps, pd.Timedelta(QUARTER))
    priced = pd.Series(prices.to_numpy(dtype=float), index=pd.DatetimeIndex(moments))
    return _repeated(priced, (steps // QUARTER).to_numpy(dtype=int)).dropna()


def _coarsest(minutes: pd.Series) -> pd.Timedelta:
    """Return the longest step that all moments of a day, given by their minute, are multiples of."""
    longest: pd.Timedelta = pd.Timedelta(next(step for step in STEPS if not (minutes % (step // _MINUTE)).any()))
    return longest


def _repeated(prices: pd.Series, times: NDArray[np.int_]) -> pd.Series:
    """Return prices once more for each of the quarters for which they hold."""
    number = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    quarters: pd.Series = pd.Series(
        prices.to_numpy().repeat(times), index=prices.index.repeat(times) + number * np.timedelta64(QUARTER)
    )
    return quarters
