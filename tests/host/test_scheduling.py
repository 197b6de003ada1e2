"""BoilerScheduler: where a plan starts, and that it costs what the best plan costs."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from smart_boiler_plugin.boiler import Boiler
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.prices import get_or_create_consumption_price_sensor
from smart_boiler_plugin.scheduling import BoilerScheduler
from tests.factories import make_account, make_household_boiler, store
from tests.oracle import lowest_cost

START = pd.Timestamp("2025-10-29", tz="Europe/Amsterdam")
QUARTERS = 96


@pytest.fixture
def boiler(app):
    """A household boiler with prices for a day, in an app context."""
    with app.app_context():
        made = make_household_boiler(make_account("Client 1"), "Boiler Client 1")
        price = get_or_create_consumption_price_sensor("NL")
        store(price, prices(), START)
        yield made


def prices():
    """Prices [EUR/kWh] of a day: two valleys and a peak, no two alike."""
    quarter = np.arange(QUARTERS)
    return 0.10 + 0.05 * np.sin(quarter / 8) + 0.0001 * quarter


def scheduler_of(boiler, **flex_model):
    """Return a scheduler for a day."""
    return BoilerScheduler(
        asset_or_sensor=boiler.sensors["fill-rate"],
        start=START,
        end=START + timedelta(hours=24),
        resolution=timedelta(minutes=15),
        belief_time=START + timedelta(hours=1),
        flex_model=flex_model,
    )


def plan(boiler):
    """Return the planned fill rate [kW] per quarter."""
    return scheduler_of(boiler).compute().to_numpy()


def start_of(boiler, **flex_model):
    """Return the starting temperature [°C] that a plan rests on."""
    scheduler = scheduler_of(boiler, **flex_model)
    scheduler.deserialize_config()
    return boiler.data.tank.temperature_c(1000 * scheduler.flex_model["soc_at_start"])


def test_the_plan_starts_from_the_last_reading(boiler):
    store(boiler.sensors["temperature"], [61.0, 58.5, 57.0], START - timedelta(minutes=45))
    assert start_of(boiler) == pytest.approx(57.0, abs=1e-3)


def test_a_reading_of_the_starting_quarter_counts_but_no_later_one(boiler):
    store(boiler.sensors["temperature"], [57.0, 63.0], START)
    assert start_of(boiler) == pytest.approx(57.0, abs=1e-3)


def test_without_a_recent_reading_the_tank_is_taken_to_be_at_its_floor(boiler):
    store(boiler.sensors["temperature"], [61.0], START - timedelta(hours=3))
    assert start_of(boiler) == pytest.approx(50.0, abs=1e-3)


def test_how_recent_is_a_setting(app, boiler, monkeypatch):
    monkeypatch.setitem(app.config, "SMART_BOILER_MAX_READING_AGE", timedelta(hours=4))
    store(boiler.sensors["temperature"], [61.0], START - timedelta(hours=3))
    assert start_of(boiler) == pytest.approx(61.0, abs=1e-3)


def test_what_a_scheduler_said_is_no_reading(boiler):
    store(boiler.sensors["temperature"], [64.0], START - timedelta(minutes=15), source_type="scheduler")
    assert start_of(boiler) == pytest.approx(50.0, abs=1e-3)


def test_a_state_of_charge_in_the_trigger_counts_more_than_a_reading(boiler):
    store(boiler.sensors["temperature"], [61.0], START - timedelta(minutes=15))
    assert start_of(boiler, **{"soc-at-start": "4.0 kWh"}) == pytest.approx(10 + 4.0 / 0.0926988, abs=1e-3)


def test_a_tank_that_is_cold_is_heated_at_full_power_at_once(boiler):
    store(boiler.sensors["temperature"], [30.0], START - timedelta(minutes=15))
    # 20 K below the floor is 1.85 kWh: five quarters at 1.5 kW, less a little
    np.testing.assert_allclose(plan(boiler)[:5], [1.5, 1.5, 1.5, 1.5, 1.5], atol=0.11)


def test_the_plan_costs_what_an_independent_linear_programme_says(boiler):
    """The same tank, prices and draw-offs, by scipy's linprog."""
    demand = np.where(np.arange(QUARTERS) % 12 == 0, 0.2, 0.0)
    store(boiler.sensors["demand"], demand, START)
    store(boiler.sensors["temperature"], [60.0], START - timedelta(minutes=15))
    planned = plan(boiler)
    tank = boiler.data.tank
    expected = lowest_cost(
        prices(),
        tank.state_of_charge_kwh(60.0),
        lowest=tank.state_of_charge_kwh(50.0),
        highest=tank.state_of_charge_kwh(65.0),
        power_kw=1.5,
        efficiency=tank.storage_efficiency(0.25),
        inflow_kwh=tank.ambient_gain_kw / 4 - demand,
    )
    assert prices() @ planned / 4 == pytest.approx(expected, rel=1e-5)


def test_what_the_trigger_says_of_a_kind_replaces_the_boilers_own(boiler):
    scheduler = scheduler_of(boiler, **{"soc-min": "1 kWh", "soc-max": "6 kWh", "storage-efficiency": "99.95%"})
    scheduler.collect_flex_config()
    flex_model = scheduler.flex_model
    assert (flex_model["soc-min"], flex_model["soc-max"]) == ("1 kWh", "6 kWh")
    assert not {"soc-minima", "soc-gain"} & flex_model.keys()
    assert flex_model["production-capacity"] == "0 kW"
    assert flex_model["soc-usage"] == [{"sensor": boiler.sensors["demand"].id}]


def test_what_the_trigger_does_not_say_is_the_boilers_own(boiler):
    scheduler = scheduler_of(boiler, **{"soc-max": "6 kWh"})
    scheduler.collect_flex_config()
    own = dict(boiler.asset.flex_model)
    assert {name: scheduler.flex_model[name] for name in own} == {**own, "soc-max": "6 kWh"}


def test_an_asset_that_this_plugin_did_not_make_is_told_apart(boiler):
    boiler.asset.attributes = {}
    with pytest.raises(SmartBoilerError, match="is no boiler"):
        Boiler(boiler.asset)
