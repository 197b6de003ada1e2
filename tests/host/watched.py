"""Makes boilers of a fleet that is looked at: with readings and plans around a moment. Call inside an app context."""

from datetime import timedelta

import numpy as np
import pandas as pd

from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor
from tests.factories import make_account, make_household_boiler, store

QUARTER = timedelta(minutes=15)
MADE = timedelta(hours=4)
"""How long before now plans were made."""


def now():
    """Return now, a few minutes into a quarter."""
    return pd.Timestamp.now("Europe/Amsterdam").floor("15min") + timedelta(minutes=4)


def course(count=96, *, low_c=50.0, high_c=62.0, warm_at=72):
    """Return a day of a tank that is heated for two hours, up to ``warm_at``, and cools else [°C]."""
    step = (np.arange(count) - warm_at) % 96
    up = low_c + (high_c - low_c) * (step - 87) / 8
    down = high_c - (high_c - low_c) * step / 88
    return np.where(step > 87, up, down)


def make_member(operator, name, moment, *, temperature_c=None, planned_c=None, hours=30, data=None, **options):
    """Make a boiler with a reading each quarter of the last day, and a plan.

    ``temperature_c`` is of the last 96 quarters that are over, None: nothing was read. ``planned_c`` is of the quarters
    from now on, None: like a tank that is well; with ``hours=0`` there is no plan. ``set_points=False``: one in kW.
    """
    owner = make_account(name, roles=[CUSTOMER_ROLE], consultancy=operator)
    boiler = make_household_boiler(owner, f"Boiler {name}", data)
    if temperature_c is not None:
        read(boiler, temperature_c, moment)
    if hours:
        plan(boiler, moment, planned_c, hours=hours, **options)
    return boiler


def read(boiler, temperature_c, moment, role="temperature", **options):
    """Store values of the quarters that are over."""
    store(
        boiler.sensors[role],
        temperature_c,
        moment.floor("15min") - len(temperature_c) * QUARTER,
        **{"source_type": "gateway", "recorded_at": moment - timedelta(days=2), **options},
    )


def plan(boiler, moment, planned_c=None, *, hours=30, heats=(96, 104), set_points=True, since=0, power_kw=None):
    """Store a plan from some quarters before now on; ``heats`` counts quarters from now."""
    power_kw = boiler.data.power_kw if power_kw is None else power_kw
    quarters = np.arange(-since, round(hours * 4))
    start = moment.floor("15min") - since * QUARTER
    made = {"source_type": "scheduler", "recorded_at": moment - MADE}
    planned_c = np.full(len(quarters), 55.0) if planned_c is None else np.asarray(planned_c)[: len(quarters)]
    store(boiler.sensors["temperature"], planned_c, start, **made)
    heating = (quarters >= heats[0]) & (quarters < heats[1])
    store(boiler.sensors["fill-rate"], np.where(heating, power_kw, 0.0), start, **made)
    if set_points:
        store(boiler.sensors["set-point"], np.where(heating, 60.0, 10.0), start, **made)


def priced(moment, hours=36):
    """Store prices from the day before a moment on, until some hours after."""
    begin = moment.floor("15min") - timedelta(days=1)
    count = (24 + hours) * 4
    store(get_or_create_consumption_price_sensor("NL"), np.linspace(0.2, 0.3, count), begin)
