"""What it takes to heat a tank to its ceiling from now on: how long, how much, and what that costs. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.quarter import HOUR, QUARTER
from smart_boiler_plugin.physics.thermostat import Floats

LONGEST = timedelta(hours=24)
"""A tank that is not full by then does not get full: its losses are as large as its power."""


@dataclass(frozen=True)
class Warming:
    """Heating from now on, at full power, up to the ceiling.

    Parameters
    ----------
    until
        When the tank is full, in the time zone of the prices.
    electricity_kwh
        What that takes [kWh].
    cost
        What that costs, in the currency of the prices; None where not all of them are known.

    """

    until: datetime
    electricity_kwh: float
    cost: float | None

    def more_than(self, price: float) -> float | None:
        """Return how much more that costs than the same electricity at another price per kWh; negative if it is less.

        None where that is not known. What is heated later need not be heated as much; this is the difference for the
        same heat.
        """
        return None if self.cost is None or np.isnan(price) else self.cost - price * self.electricity_kwh


def warming(data: BoilerData, temperature_c: float, now: datetime, prices: pd.Series[float]) -> Warming | None:
    """Return what it takes to heat a tank to its ceiling from now on, at the prices that are known.

    Nobody draws meanwhile. None where the tank is at its ceiling, or never gets there.

    Parameters
    ----------
    data
        The boiler.
    temperature_c
        Of its water now [°C].
    now
        Aware of the time zone.
    prices
        Per kWh, of quarters of an hour by their begin, local; NaN where one is not known.

    """
    tank, heat_kw = data.tank, data.cop * data.power_kw
    state, full = (tank.state_of_charge_kwh(each) for each in (temperature_c, data.temperature_max_c))
    zone = pd.DatetimeIndex(prices.index).tz
    begin = pd.Timestamp(now).tz_convert(zone)
    end, taken_h, quarters = begin, list[float](), list[pd.Timestamp]()
    while state < full:
        # in UTC: pandas rounds local times, and knows no answer in the hour that the clock repeats
        quarter = end.tz_convert("UTC").floor(QUARTER)
        step_h = float((quarter + QUARTER - end) / HOUR)
        after = tank.after(state, step_h, heat_kw, 0.0)
        if end - begin > LONGEST or after <= state:
            return None
        share = min((full - state) / (after - state), 1.0)
        taken_h.append(share * step_h)
        quarters.append(quarter)
        state = after
        end = quarter + QUARTER if share == 1.0 else end + timedelta(hours=share * step_h)
    if not taken_h:
        return None
    kwh: Floats = np.array(taken_h) * data.power_kw
    each = prices.reindex(pd.DatetimeIndex(quarters).tz_convert(zone)).to_numpy(dtype=float)
    cost = None if np.isnan(each).any() else float(each @ kwh)
    return Warming(end.tz_convert(zone).to_pydatetime(warn=False), float(kwh.sum()), cost)
