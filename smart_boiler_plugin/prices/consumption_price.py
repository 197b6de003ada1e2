"""What the customer pays for one kWh, made of the spot price.

Pure: pandas and NumPy. As JSON: ``tariff_schema.py``. Where the prices come from and go to: ``reporter.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time, timedelta

import numpy as np
import pandas as pd

from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.clock.week import EVERY_DAY, MIDNIGHT, Window


@dataclass(frozen=True)
class Fee(Window):
    """What is paid per kWh on top of the spot price, always or in a part of the week.

    Parameters
    ----------
    days, begin, until
        When it is paid, ``until`` not included; by default always.
    per_kwh
        How much, negative for a discount [currency/kWh].
    currency
        As a code of ISO 4217, such as EUR.

    """

    days: frozenset[int] = EVERY_DAY
    begin: time = MIDNIGHT
    until: time = MIDNIGHT
    per_kwh: float = 0.0
    currency: str = "EUR"


def consumption_price(spot: pd.Series, *, factor: float, fees: Iterable[Fee], vat: float) -> pd.Series:
    """Return (spot * factor + fees) * (1 + VAT) [currency/kWh]; NaN where the spot price is.

    Parameters
    ----------
    spot
        Spot prices [currency/kWh] by the start of their quarter of an hour, in the local time of the fees.
    factor
        What the spot price is multiplied with [-].
    fees
        Those that hold at the same time add up.
    vat
        Value-added tax, as a share: 0.21 for 21 % [-].

    """
    moments = pd.DatetimeIndex(spot.index)
    price = spot * factor
    for fee in fees:
        price = price + fee.per_kwh * fee.covers(moments)
    taxed: pd.Series = price * (1 + vat)
    return taxed


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
