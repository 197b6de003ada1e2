"""Makes boilers and their schedulers for host tests. Call inside an app context."""

from dataclasses import asdict
from datetime import timedelta

import numpy as np
import pandas as pd
from flexmeasures.data import db

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.plan.scheduler import BoilerScheduler
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor
from smart_boiler_plugin.stored import ATTRIBUTE
from tests.factories import make_account, make_household_boiler, store

START = pd.Timestamp("2025-10-29", tz="Europe/Amsterdam")
QUARTER = timedelta(minutes=15)
QUARTERS = 96


def make_household(data=None):
    """Make a boiler of a customer, and the price sensor that it is planned with."""
    boiler = make_household_boiler(make_account("Client 1"), "Boiler Client 1", data)
    return boiler, get_or_create_consumption_price_sensor("NL")


def change_data(boiler, data, comfort=None):
    """Make a boiler asset another boiler; return it."""
    attribute = {**asdict(data), "comfort": comfort or {}}
    boiler.asset.attributes = {**boiler.asset.attributes, ATTRIBUTE: attribute}
    boiler.asset.flex_model = data.flex_model
    db.session.commit()
    return Boiler(boiler.asset)


def scheduler_of(
    boiler,
    scheduler=BoilerScheduler,
    *,
    start=START,
    hours=24,
    known_after=timedelta(hours=1),
    context=None,
    **flex_model,
):
    """Return a scheduler for some hours; fields of the flex-model with underscores for hyphens."""
    return scheduler(
        asset_or_sensor=boiler.sensors["fill-rate"],
        start=start,
        end=start + timedelta(hours=hours),
        resolution=QUARTER,
        belief_time=start + known_after,
        flex_model={name.replace("_", "-"): value for name, value in flex_model.items()},
        flex_context=context or {},
        return_multiple=True,
    )


def planned(scheduler):
    """Compute a plan; return its power [kW], state of charge [kWh] and temperature [°C] as series, by name."""
    results = {result["name"]: result["data"] for result in scheduler.compute()}
    return results["storage_schedule"], results.get("state_of_charge"), results.get("temperature")


def prices():
    """Prices [EUR/kWh] of a day: two valleys and a peak, no two alike."""
    quarter = np.arange(QUARTERS)
    return 0.10 + 0.05 * np.sin(quarter / 8) + 0.0001 * quarter


def measure(boiler, values, before=QUARTER, **options):
    """Store readings [°C] that begin some time before the plan."""
    store(boiler.sensors["temperature"], values, START - before, **options)


def start_of(boiler, **flex_model):
    """Return the starting temperature [°C] that a plan rests on, and what it says of it."""
    scheduler = scheduler_of(boiler, **flex_model)
    scheduler.deserialize_config()
    plan = scheduler._plans[boiler.asset.id]
    return boiler.data.tank.temperature_c(1000 * scheduler.flex_model["soc_at_start"]), plan.account
