"""Makes boilers and their schedulers for host tests. Call inside an app context."""

from dataclasses import asdict
from datetime import timedelta

import numpy as np
import pandas as pd
from flask import current_app
from flexmeasures.data import db
from flexmeasures.data.services.scheduling import create_scheduling_job
from rq import SimpleWorker
from rq.job import Job

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.plan.scheduler import BoilerScheduler
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor
from smart_boiler_plugin.stored import ATTRIBUTE
from tests.factories import make_account, make_household_boiler, store

START = pd.Timestamp("2025-10-29", tz="Europe/Amsterdam")
QUARTER = timedelta(minutes=15)
QUARTERS = 96
KEPT_WARM = BoilerData(temperature_min_c=50.0)
"""A usual boiler with a hard floor."""


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
    """Return the starting temperature [°C] of a plan, and what it says of itself."""
    scheduler = scheduler_of(boiler, **flex_model)
    _, states, _ = planned(scheduler)
    return boiler.data.tank.temperature_c(states.iloc[0]), scheduler.info


def through_the_queue(asset_or_sensor, *, start=START, hours=24, flex_model=None, flex_context=None):
    """Plan as the host's API and a worker do, at once; return the job, as it is then."""
    job = create_scheduling_job(
        asset_or_sensor=asset_or_sensor,
        start=start,
        end=start + timedelta(hours=hours),
        resolution=QUARTER,
        belief_time=start + timedelta(hours=1),
        flex_model=flex_model if flex_model is not None else {},
        flex_context=flex_context or {},
        force_new_job_creation=True,
    )
    db.session.commit()
    SimpleWorker([current_app.queues["scheduling"]], connection=current_app.redis_connection).work(burst=True)
    db.session.expire_all()
    return Job.fetch(job.id, connection=current_app.redis_connection)


def stored_plan(sensor, *, start=START, hours=24):
    """Return what a plan has stored on a sensor, as a series."""
    found = sensor.search_beliefs(
        event_starts_after=start,
        event_ends_before=start + timedelta(hours=hours),
        source_types=["scheduler"],
        most_recent_beliefs_only=True,
    )
    return pd.Series(found["event_value"].to_numpy(), index=found.index.get_level_values("event_start"))
