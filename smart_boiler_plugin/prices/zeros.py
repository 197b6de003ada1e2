"""Prices of exactly zero that somebody published before they were known. Pure: pandas alone.

Prices that are zero for hours are real, too, on a sunny Sunday or in a windy night: what may be wrong is told, and what
cannot be known yet is left out.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd

from smart_boiler_plugin.clock.coverage import MARKET_TIMEZONE
from smart_boiler_plugin.clock.quarter import QUARTER

AUCTION_HOUR = 12
"""Hour of the day, in the market's time zone, at which the auction of the next day closes: no price is known before."""

LONG = timedelta(hours=4)
"""For so long, and until the end of the market's day, hardly any price is zero."""


def before_auction(prices: pd.Series, now: datetime) -> pd.Series:
    """Return which prices, by the start of their quarter, are zero and of a day whose auction has not closed."""
    moment = pd.Timestamp(now).tz_convert(MARKET_TIMEZONE)
    known_until = moment.normalize() + pd.DateOffset(days=2 if moment.hour >= AUCTION_HOUR else 1)
    early: pd.Series = prices.eq(0) & (prices.index >= known_until)
    return early


def in_doubt(prices: pd.Series, now: datetime) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """Return from when to when prices may be zero because they were not known yet, in the time zone of their index.

    Parameters
    ----------
    prices
        All that are known of some days, by the start of their quarter of an hour; ascending.
    now
        To know which auctions have closed.

    """
    zero = prices.eq(0)
    days = pd.DatetimeIndex(prices.index).tz_convert(MARKET_TIMEZONE).normalize()
    to_the_end = zero[::-1].groupby(days[::-1]).cummin()[::-1]
    long = to_the_end.groupby(days).transform("sum") >= LONG / QUARTER
    moments = prices.index[(to_the_end & long) | before_auction(prices, now)].to_series()
    spans = moments.groupby((moments.diff() != QUARTER).cumsum())
    return [(span.iloc[0], span.iloc[-1] + QUARTER) for _, span in spans]
