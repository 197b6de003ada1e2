"""Fixed fees of boilers' days: what is paid whether anything is heated or not. They change no plan."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.physics.thermostat import Floats
from smart_boiler_plugin.prices.tariffs import fixed_fees_of


def fees_of(boilers: Sequence[Boiler], days: Sequence[date]) -> Floats:
    """Return the fixed fees with VAT, each in the currency of the boiler's price, shape (days, boilers).

    Not a number where what is stored of a tariff is wrong; 0 where there is none. What is asked of the database grows
    with the number of tariffs, and not with that of boilers.

    Parameters
    ----------
    boilers
        As they were on these days (``Boiler.on``).
    days
        Local ones.

    """
    local = pd.DatetimeIndex(list(days))
    known: dict[int | None, Floats] = {}
    fees = np.zeros((len(days), len(boilers)))
    for column, boiler in enumerate(boilers):
        price_id = boiler.price_id
        if price_id not in known:
            known[price_id] = _fees(boiler, local)
        fees[:, column] = known[price_id]
    return fees


def _fees(boiler: Boiler, days: pd.DatetimeIndex) -> Floats:
    try:
        price = boiler.price
    except SmartBoilerError:
        return np.zeros(len(days))
    try:
        return fixed_fees_of(price, days)
    except SmartBoilerError:
        return np.full(len(days), np.nan)
