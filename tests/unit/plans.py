"""Facts, devices and problems by hand, for the tests of the pure parts of a plan."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd

from smart_boiler_plugin.boiler.comfort import Comfort
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.facts.facts import Facts
from smart_boiler_plugin.plan.device import Device
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.plan.prices import StepPrices
from smart_boiler_plugin.plan.problem import make_problem

START = pd.Timestamp("2025-10-29", tz="Europe/Amsterdam")
QUARTER = timedelta(minutes=15)
BEFORE = timedelta(days=9)
DATA = BoilerData(temperature_min_c=50.0)


def facts(**series):
    """Facts of nine days before and two after START; a series is ``temperature_c=(first moment, values)``."""
    quarters = pd.date_range(START - BEFORE, START + timedelta(days=2), freq=QUARTER, inclusive="left")
    unknown = {
        name: np.full(len(quarters), np.nan)
        for name in ("temperature_c", "metered_kw", "planned_kw", "demand_kwh", "expected_kwh", "forecast_kwh", "price")
    }
    made = Facts(asset_id=1, moment=START, quarters=quarters, **unknown)
    for name, (moment, values) in series.items():
        begin = quarters.get_loc(moment)
        getattr(made, name)[begin : begin + len(values)] = values
    seen = ~np.isnan(made.temperature_c)
    return replace(made, first_reading=quarters[seen][0] if seen.any() else None)


def device(data=DATA, *, hours=24, step=QUARTER, start_c=55.0, **changes):
    """The boiler alone, as a trigger with a start and a duration makes it."""
    count, step_h = round(timedelta(hours=hours) / step), step / timedelta(hours=1)
    tank, of_all = data.tank, np.ones(round(timedelta(hours=hours) / step))
    made = Device(
        moments=pd.date_range(START, periods=count, freq=step),
        step=step,
        retention=of_all * tank.storage_efficiency(step_h),
        inflow_kw=of_all * tank.ambient_gain_kw,
        power_min_kw=of_all * 0.0,
        power_max_kw=of_all * data.power_kw,
        heat_per_power=of_all * data.cop,
        start_kwh=tank.state_of_charge_kwh(start_c),
        lowest_kwh=of_all * -np.inf,
        highest_kwh=of_all * tank.state_of_charge_kwh(data.temperature_max_c),
        start_from={"from": "reading"},
    )
    return replace(made, **changes)


def prices(values):
    """Known prices per step."""
    values = np.asarray(values, dtype=float)
    return StepPrices(values, np.zeros(len(values), dtype=bool))


def problem(data=DATA, *, comfort=None, known=None, made=None, price=None, rules=None):
    """A problem; without more, of a usual boiler at a constant price that was never seen and draws profile S."""
    made = made or device(data)
    price = prices(np.full(len(made.moments), 0.25)) if price is None else price
    return make_problem(data, comfort or Comfort(), known or facts(), rules or Policy(), made, price)
