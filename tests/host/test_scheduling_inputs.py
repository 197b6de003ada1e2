"""BoilerScheduler: what a plan rests on: where and when it starts, the trigger's words and the boiler's own."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
import timely_beliefs as tb
from flexmeasures import Source
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from flexmeasures.data.services.scheduling import make_schedule
from flexmeasures.data.utils import save_to_db
from marshmallow import ValidationError

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.errors import SmartBoilerError
from tests.factories import store
from tests.host.boilers import (
    START,
    change_data,
    measure,
    planned,
    scheduler_of,
    start_of,
    stored_plan,
    through_the_queue,
)

HOUR = timedelta(hours=1)


# --- starting temperature


def test_the_plan_starts_from_the_last_reading(boiler):
    measure(boiler, [61.0, 58.5, 57.0], before=timedelta(minutes=45))
    temperature, said = start_of(boiler)
    assert temperature == pytest.approx(57.0, abs=1e-3)
    assert said["start"]["from"] == "reading"
    assert said["start"]["measured_at"] == "2025-10-28T23:45:00+01:00"


def test_a_reading_of_the_starting_quarter_counts_but_no_later_one(boiler):
    measure(boiler, [57.0, 63.0], before=timedelta(0))
    assert start_of(boiler)[0] == pytest.approx(57.0, abs=1e-3)


def test_an_old_reading_is_carried_forward_through_losses_and_draw_offs(boiler):
    """61 °C at 21:00; profile S draws 0.525 kWh at 21:30; 0.0927 kWh/K, some 1.0 W/K above 20 °C: 1.2 K in 2:45 h."""
    measure(boiler, [61.0], before=timedelta(hours=3))
    temperature, said = start_of(boiler)
    assert temperature == pytest.approx(61.0 - 0.525 / 0.0927 - 1.1, abs=0.1)
    assert said["start"]["from"] == "reading carried forward"


def test_an_old_reading_is_carried_forward_through_the_plan(boiler):
    """1.5 kW for an hour, and nothing drawn: 1.5 kWh are 16.2 K, less some losses."""
    measure(boiler, [45.0], before=timedelta(hours=3))
    store(boiler.sensors["demand"], [0.0] * 12, START - timedelta(hours=3))
    store(boiler.sensors["fill-rate"], [1.5] * 4, START - timedelta(hours=2), source_type="scheduler")
    assert start_of(boiler)[0] == pytest.approx(45.0 + 1.5 / 0.0927 - 1.0, abs=0.2)


def test_without_any_reading_the_tank_is_taken_to_be_as_warm_as_is_wanted_at_least(boiler):
    temperature, said = start_of(boiler)
    assert (temperature, said["start"]["from"]) == (pytest.approx(40.0, abs=1e-3), "useful temperature")
    boiler = change_data(boiler, BoilerData(temperature_min_c=50.0))
    temperature, said = start_of(boiler)
    assert (temperature, said["start"]["from"]) == (pytest.approx(50.0, abs=1e-3), "floor")


def test_a_reading_that_is_too_old_to_be_carried_forward_does_not_count(boiler):
    measure(boiler, [61.0], before=timedelta(days=3))
    assert start_of(boiler)[1]["start"]["from"] == "useful temperature"


def test_how_recent_is_a_setting(app, boiler, monkeypatch):
    monkeypatch.setitem(app.config, "SMART_BOILER_MAX_READING_AGE", timedelta(hours=4))
    measure(boiler, [61.0], before=timedelta(hours=3))
    assert start_of(boiler)[0] == pytest.approx(61.0, abs=1e-3)


def test_what_a_scheduler_said_is_no_reading(boiler):
    measure(boiler, [64.0], source_type="scheduler")
    assert start_of(boiler)[1]["start"]["from"] == "useful temperature"


@pytest.mark.parametrize("value", [-40.0, 400.0])
def test_a_reading_that_no_water_can_have_is_skipped_and_reported(boiler, value):
    measure(boiler, [57.0, value], before=timedelta(minutes=30))
    temperature, said = start_of(boiler)
    assert temperature == pytest.approx(57.0, abs=1e-3)
    assert said["readings_not_believed"] == [f"{value:g} °C at 2025-10-28T23:45:00+01:00: no temperature of water"]


def test_a_reading_that_is_no_number_is_skipped_and_reported(boiler):
    """The host's API drops NaN; what writes to the database itself, such as another plugin, may leave it there."""
    measure(boiler, [57.0], before=timedelta(minutes=30))
    source = Source(name="broken thermometer", type="market")
    at = START - timedelta(minutes=15)
    temperature = boiler.sensors["temperature"]
    db.session.add(TimedBelief(temperature, source, event_value=np.nan, event_start=at, belief_time=START))
    db.session.commit()
    temperature_c, said = start_of(boiler)
    assert temperature_c == pytest.approx(57.0, abs=1e-3)
    assert said["readings_not_believed"] == ["nan °C at 2025-10-28T23:45:00+01:00: no temperature of water"]


def test_a_reading_from_the_future_is_skipped_and_reported(boiler):
    """The plan is made at 01:00; the boiler's clock is hours ahead."""
    measure(boiler, [57.0])
    measure(boiler, [70.0], before=-timedelta(hours=5), recorded_at=START)
    temperature, said = start_of(boiler)
    assert temperature == pytest.approx(57.0, abs=1e-3)
    assert said["readings_not_believed"] == ["70 °C at 2025-10-29T05:00:00+01:00: from the future"]


def test_a_state_of_charge_in_the_trigger_counts_more_than_a_reading(boiler):
    measure(boiler, [61.0])
    temperature, said = start_of(boiler, soc_at_start="4.0 kWh")
    assert temperature == pytest.approx(10 + 4.0 / 0.0926988, abs=1e-3)
    assert said["start"]["from"] == "trigger"


def test_a_trigger_that_names_our_state_of_charge_sensor_does_not_start_from_what_was_planned(boiler):
    measure(boiler, [57.0])
    states = boiler.sensors["state-of-charge"]
    planned_before = tb.BeliefsDataFrame(
        pd.Series([5.0], index=[START]), sensor=states, source=Source(name="us", type="scheduler"), belief_time=START
    )
    save_to_db(planned_before)
    db.session.commit()
    temperature, said = start_of(boiler, state_of_charge={"sensor": states.id})
    assert temperature == pytest.approx(57.0, abs=1e-3)
    assert said["start"]["from"] == "reading"


# --- what a trigger says, and what is the boiler's own


def test_what_the_trigger_says_of_a_kind_replaces_the_boilers_own(boiler):
    scheduler = scheduler_of(boiler, soc_min="1 kWh", soc_max="6 kWh", storage_efficiency="99.95%")
    scheduler.collect_flex_config()
    flex_model = scheduler.flex_model
    assert (flex_model["soc-min"], flex_model["soc-max"]) == ("1 kWh", "6 kWh")
    assert not {"soc-minima", "soc-gain"} & flex_model.keys()
    assert flex_model["production-capacity"] == "0 kW"


def test_what_the_trigger_does_not_say_is_the_boilers_own(boiler):
    scheduler = scheduler_of(boiler, soc_max="6 kWh")
    scheduler.collect_flex_config()
    own = dict(boiler.asset.flex_model)
    assert {name: scheduler.flex_model[name] for name in own} == {**own, "soc-max": "6 kWh"}


@pytest.mark.parametrize("field", ["soc_maxima", "temperature_maxima"])
def test_a_ceiling_for_some_hours_does_not_lift_the_limit_of_the_tank(boiler, field):
    """With power for less than nothing, all of it would go into the tank."""
    hour = {"start": "2025-10-29T06:00:00+01:00", "end": "2025-10-29T07:00:00+01:00"}
    value = {"soc_maxima": "4.4 kWh", "temperature_maxima": "57.46 °C"}[field]
    context = {"consumption-price": "-0.10 EUR/kWh"}
    scheduler = scheduler_of(boiler, temperature_at_start=55, context=context, **{field: [{**hour, "value": value}]})
    _, states, _ = planned(scheduler)
    assert boiler.data.tank.temperature_c(states.max()) == pytest.approx(65, abs=1e-2)
    assert states.loc["2025-10-29T06:00+01:00":"2025-10-29T07:00+01:00"].max() <= 4.4 + 1e-3


def test_a_floor_in_the_trigger_replaces_the_households_programme(boiler):
    boiler.change_comfort({"programme": [{"from": "06:00", "until": "09:00", "temperature": "60 °C"}]})
    _, own, _ = planned(scheduler_of(boiler, temperature_at_start=50))
    _, given, _ = planned(scheduler_of(boiler, temperature_at_start=50, temperature_min=40))
    six = "2025-10-29T06:00+01:00"
    assert boiler.data.tank.temperature_c(own[six]) >= 60 - 1e-3
    assert boiler.data.tank.temperature_c(given[six]) < 50


def test_our_own_field_in_a_trigger_is_refused_as_any_unknown_one(boiler):
    """With it, somebody could tell the worker that the household's floor was replaced."""
    with pytest.raises(ValidationError, match="given-by-trigger"):
        planned(scheduler_of(boiler, given_by_trigger=["soc-min"]))
    with pytest.raises(ValidationError, match="given-by-trigger"):
        through_the_queue(boiler.sensors["fill-rate"], flex_model={"given-by-trigger": []})


def test_a_price_in_the_trigger_replaces_both_prices_of_the_boiler_also_for_the_worker(boiler):
    context = {"consumption-price": "0.30 EUR/kWh"}
    scheduler = scheduler_of(boiler, context=context)
    for _ in range(2):
        scheduler.collect_flex_config()
        assert {name: value for name, value in scheduler.flex_context.items() if "price" in name} == context
    both = {**context, "production-price": "0.10 EUR/kWh"}
    scheduler = scheduler_of(boiler, context=both)
    scheduler.collect_flex_config()
    assert {name: value for name, value in scheduler.flex_context.items() if "price" in name} == both


@pytest.mark.parametrize("fields", [{}, {"temperature_min": 45}, {"soc_max": "6 kWh", "storage_efficiency": "99.9%"}])
def test_the_worker_plans_what_was_asked_for(boiler, fields):
    """The host collects the flex-config when a plan is asked for, and the worker collects it again from the result."""
    measure(boiler, [57.0])
    boiler.change_comfort({"programme": [{"from": "06:00", "until": "09:00", "temperature": "60 °C"}]})
    db.session.commit()
    directly, _, _ = planned(scheduler_of(boiler, **fields))
    asked = {name.replace("_", "-"): value for name, value in fields.items()}
    job = through_the_queue(boiler.sensors["fill-rate"], flex_model=asked)
    assert job.is_finished
    np.testing.assert_allclose(stored_plan(boiler.sensors["fill-rate"]), directly, atol=1e-9)


def test_the_worker_finds_out_itself_which_prices_are_known(boiler):
    job = through_the_queue(boiler.sensors["fill-rate"], start=START + timedelta(days=3))
    assert job.meta["scheduler_info"]["plan"] == "thermostat, as no price is known"


def test_a_limit_of_the_site_is_kept_also_where_the_tank_is_cold(boiler):
    measure(boiler, [30.0])
    power, _, _ = planned(scheduler_of(boiler, temperature_min="50 °C", context={"site-power-capacity": "1 kW"}))
    np.testing.assert_allclose(power[:5], 1.0, atol=1e-5)


def test_an_asset_that_this_plugin_did_not_make_is_told_apart(boiler):
    boiler.asset.attributes = {}
    with pytest.raises(SmartBoilerError, match="is no boiler"):
        Boiler(boiler.asset)
    with pytest.raises(SmartBoilerError, match="is no boiler"):
        planned(scheduler_of(boiler))


# --- when


def test_a_start_between_two_quarters_plans_from_the_quarter_that_has_begun(boiler):
    """The host finds no prices for steps that begin between the quarters."""
    measure(boiler, [57.0])
    sharp = scheduler_of(boiler)
    between = scheduler_of(boiler, start=START + timedelta(minutes=7, seconds=3), hours=23.8)
    np.testing.assert_array_equal(planned(between)[0], planned(sharp)[0])
    assert between.info["plan"] == "set-points"


@pytest.mark.parametrize("start", ["2025-10-26T02:07+02:00", "2025-10-26T02:07+01:00"])
def test_a_start_in_the_hour_that_the_clock_repeats_is_planned_too(boiler, start):
    start = pd.Timestamp(start).tz_convert("Europe/Amsterdam")
    measure(boiler, [57.0], before=START - start + 3 * HOUR)
    scheduler = scheduler_of(boiler, start=start)
    power, _, _ = planned(scheduler)
    assert power.index[0] == start - timedelta(minutes=7)
    assert scheduler.info["start"]["from"] == "reading carried forward"


def test_a_plan_in_hours_serves_the_draw_offs_of_quarters(boiler):
    store(boiler.sensors["demand"], [0.1] * 96, START)
    scheduler = scheduler_of(boiler, temperature_at_start=50)
    scheduler.resolution = timedelta(hours=1)
    power, states, _ = planned(scheduler)
    tank = boiler.data.tank
    state = states.iloc[0]
    for kw, expected in zip(power, states.iloc[1:], strict=True):
        state = tank.after(state, 1.0, kw, 0.4)
        assert state == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("minutes", [5, 60])
def test_a_plan_in_other_steps_is_stored_as_the_means_of_quarters(boiler, minutes):
    """As the host does: an hour's power holds for its four quarters, that of five minutes is averaged."""
    measure(boiler, [30.0])
    step = timedelta(minutes=minutes)
    scheduler = scheduler_of(boiler)
    scheduler.resolution = step
    power, states, _ = planned(scheduler)
    make_schedule(
        asset_or_sensor={"class": "Sensor", "id": boiler.sensors["fill-rate"].id},
        start=START,
        end=START + timedelta(hours=24),
        resolution=step,
        belief_time=START + HOUR,
        flex_model={},
        flex_context={},
    )
    per_quarter = np.repeat(power.to_numpy(), 4) if minutes == 60 else power.to_numpy().reshape(-1, 3).mean(axis=1)
    np.testing.assert_allclose(stored_plan(boiler.sensors["fill-rate"]), per_quarter, atol=1e-6)
    instants = stored_plan(boiler.sensors["state-of-charge"])
    assert len(instants) >= len(power)
    assert instants.iloc[:5].to_numpy() == pytest.approx(states.to_numpy()[:5], abs=1e-6)
