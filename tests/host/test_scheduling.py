"""BoilerScheduler: what a plan keeps, what it costs, and what it says of itself."""

import json
from datetime import timedelta

import numpy as np
import pytest
from flexmeasures.data import db
from flexmeasures.data.services.scheduling import make_schedule
from marshmallow import ValidationError

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.data import BoilerData
from tests.factories import store
from tests.host.boilers import (
    QUARTER,
    QUARTERS,
    START,
    change_data,
    measure,
    planned,
    prices,
    scheduler_of,
    start_of,
)
from tests.oracle import lowest_cost

# --- what it keeps


def test_a_tank_that_is_cold_is_heated_at_full_power_at_once(boiler):
    """20 K below the floor is 1.85 kWh: 1.5 kW for 5 quarters less a little, with the losses on top."""
    measure(boiler, [30.0])
    scheduler = scheduler_of(boiler, temperature_min="50 °C")
    power, _, _ = planned(scheduler)
    np.testing.assert_allclose(power[:5], [1.5, 1.5, 1.5, 1.5, 1.5], atol=0.11)
    (missed,) = scheduler.info["floors_not_met"]
    assert missed["from"] == "2025-10-29T00:00:00+01:00"
    assert missed["minutes"] in (60, 75)
    # after the first quarter 0.375 kWh of 1.85 are in: 4 K of 20
    assert missed["by"] in ("16.0 K", "16.1 K")


def test_a_tank_that_is_too_hot_waits(boiler):
    measure(boiler, [80.0])
    power, _, temperature = planned(scheduler_of(boiler, temperature_min="50 °C"))
    assert power[temperature > 65.5].max() == 0


def test_draw_offs_beyond_tank_and_element_are_cut_and_told(boiler):
    measure(boiler, [55.0])
    store(boiler.sensors["demand"], [3.0] * 4 + [0.0] * 92, START)
    scheduler = scheduler_of(boiler, temperature_min="50 °C")
    power, states, _ = planned(scheduler)
    np.testing.assert_allclose(power[:5], 1.5)
    assert states.min() >= -1e-6
    unserved = sum(float(span["heat"].split()[0]) for span in scheduler.info["draw_offs"]["not_served"])
    # 12 kWh wanted of 4.17 in the tank and 1.5 from the element, less losses
    assert unserved == pytest.approx(12 - 4.17 - 1.5, abs=0.06)


def test_a_programme_is_kept(boiler):
    boiler.change_comfort({"programme": [{"days": "wed", "from": "06:30", "until": "08:30", "temperature": "58 °C"}]})
    _, states, _ = planned(scheduler_of(boiler, temperature_at_start=50))
    warm = boiler.data.tank.temperature_c(states["2025-10-29T06:30+01:00":"2025-10-29T08:30+01:00"].to_numpy())
    assert warm.min() >= 58 - 1e-3
    _, without, _ = planned(scheduler_of(boiler, temperature_at_start=50, temperature_min=50))
    assert without["2025-10-29T06:30+01:00"] < 0.0926988 * 47


def test_away_takes_the_floor_off_and_the_water_is_warm_on_return(boiler):
    back = START + timedelta(hours=20)
    boiler.change_comfort({"away": {"from": START.isoformat(), "until": back.isoformat()}})
    power, states, _ = planned(scheduler_of(boiler, temperature_at_start=50, soc_usage=["0 kW"]))
    assert boiler.data.tank.temperature_c(states[back]) >= 50 - 1e-3
    # the night is dear: not heated, it cools by some 3 K
    assert power[: START + timedelta(hours=7)].sum() == 0
    assert boiler.data.tank.temperature_c(states[START + timedelta(hours=7)]) < 48


def test_a_boost_heats_now(boiler):
    boiler.change_comfort({"boost": {"until": (START + timedelta(hours=3)).isoformat()}})
    power, states, _ = planned(scheduler_of(boiler, temperature_at_start=50, soc_usage=["0 kW"]))
    np.testing.assert_allclose(power[:3], 1.5)
    assert boiler.data.tank.temperature_c(states[START + timedelta(hours=3)]) == pytest.approx(65, abs=1e-2)


def test_comfort_that_is_wrong_changes_nothing(boiler):
    boiler.change_comfort({"boost": {"until": START.isoformat()}})
    with pytest.raises(ValidationError, match="until"):
        boiler.change_comfort({"boost": {"until": "tomorrow"}})
    assert boiler.comfort.boost_until == START
    boiler.change_comfort({"boost": None})
    assert boiler.comfort.boost_until is None


# --- draw-offs


def test_draw_offs_are_from_the_sensor_where_it_has_values_and_from_the_profile_elsewhere(boiler):
    """12 hours of 0.1 kWh a quarter on the sensor; profile S draws 1.155 kWh from noon on."""
    store(boiler.sensors["demand"], [0.1] * 48, START)
    scheduler = scheduler_of(boiler, temperature_at_start=50, temperature_min=50)
    power, states, _ = planned(scheduler)
    tank = boiler.data.tank
    lost = sum(tank.heat_loss_coefficient_kw_per_k * (tank.temperature_c(states.to_numpy()) - 20)[:-1]) / 4
    drawn = power.sum() / 4 - lost - (states.iloc[-1] - states.iloc[0])
    assert drawn == pytest.approx(4.8 + 0.315 + 0.105 + 0.105 + 0.420 + 0.525, abs=0.02)
    assert scheduler.info["draw_offs"] == {
        "steps_from_sensor": 48, "steps_from_tapping_profile": 48, "tapping_profile": "S"
    }  # fmt: skip


def test_a_trigger_that_describes_the_storage_itself_gets_no_assumed_draw_offs(boiler):
    scheduler = scheduler_of(boiler, soc_at_start="4.8 kWh", soc_min="3 kWh", storage_efficiency="100 %")
    power, states, _ = planned(scheduler)
    assert power.sum() == 0
    assert states.iloc[-1] == pytest.approx(4.8)


# --- prices


def test_the_plan_costs_what_an_independent_linear_programme_says(boiler):
    """The same tank, prices and draw-offs, by scipy's linprog."""
    demand = np.where(np.arange(QUARTERS) % 12 == 0, 0.2, 0.0)
    store(boiler.sensors["demand"], demand, START)
    measure(boiler, [60.0])
    power, _, _ = planned(scheduler_of(boiler, temperature_min="50 °C"))
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
    assert prices() @ power / 4 == pytest.approx(expected, rel=1e-5)


def test_a_heat_pump_needs_as_much_less_power_as_its_cop_says(boiler):
    by_cop = {}
    for cop in (1.0, 3.0):
        changed = change_data(boiler, BoilerData(cop=cop, power_kw=1.5 / cop))
        by_cop[cop], _, _ = planned(scheduler_of(changed, temperature_at_start=50, temperature_min=50))
    np.testing.assert_allclose(by_cop[1.0], 3 * by_cop[3.0], atol=1e-4)


def test_unknown_prices_are_taken_to_be_those_of_the_same_time_of_day(household):
    """The next day is known until noon. The day before was known, so its afternoon is what is assumed."""
    boiler, price = household
    store(price, prices()[:48], START + timedelta(days=1))
    store(boiler.sensors["demand"], np.full(192, 0.02), START)
    scheduler = scheduler_of(boiler, start=START + timedelta(days=1), temperature_at_start=55)
    power, _, _ = planned(scheduler)
    assert scheduler.info["assumed_prices"] == [
        {"from": "2025-10-30T12:00:00+01:00", "until": "2025-10-31T00:00:00+01:00", "minutes": 720}
    ]
    store(price, prices()[48:], START + timedelta(days=1, hours=12), recorded_at=START)
    known = scheduler_of(boiler, start=START + timedelta(days=1), temperature_at_start=55)
    np.testing.assert_allclose(planned(known)[0], power, atol=1e-5)
    assert known.info["assumed_prices"] == []


def test_a_price_sensor_of_which_only_some_sources_count_may_have_gaps_too(household):
    """From noon on, half a day is known; three days later nothing is."""
    boiler, price = household
    field = {"consumption-price": {"sensor": price.id, "source-types": ["market"]}}
    some = scheduler_of(boiler, start=START + timedelta(hours=12), temperature_at_start=55, context=dict(field))
    none = scheduler_of(boiler, start=START + timedelta(days=3), temperature_at_start=55, context=dict(field))
    planned(some)
    planned(none)
    assert [span["minutes"] for span in some.info["assumed_prices"]] == [720]
    assert none.info["plan"] == "thermostat, as no price is known"


def test_without_any_price_the_plan_is_that_of_a_thermostat(household):
    boiler, _ = household
    scheduler = scheduler_of(boiler, start=START + timedelta(days=3), temperature_at_start=54, soc_usage=["0 kW"])
    power, states, temperature = planned(scheduler)
    assert scheduler.info["plan"] == "thermostat, as no price is known"
    # below 55 °C: at once, at full power, up to 60 °C, and then not before it has fallen to 55 °C
    assert power.iloc[0] == pytest.approx(1.5)
    assert temperature.max() == pytest.approx(60, abs=0.1)
    begins_c = boiler.data.tank.temperature_c(states.to_numpy()[:-1])
    on = power.to_numpy() > 0
    restarts = on[1:] & ~on[:-1]
    assert restarts.any()
    assert begins_c[1:][restarts] == pytest.approx(55, abs=0.3)


# --- what is stored


def test_planned_state_of_charge_and_temperature_are_stored_beside_the_measured(household):
    boiler, _ = household
    measure(boiler, [57.0])
    make_schedule(
        asset_or_sensor={"class": "Sensor", "id": boiler.sensors["fill-rate"].id},
        start=START,
        end=START + timedelta(hours=24),
        resolution=QUARTER,
        belief_time=START + timedelta(hours=1),
        flex_model={},
        flex_context={},
    )
    for role, at_start in (("temperature", 57.0), ("state-of-charge", 47 * 0.0926988)):
        stored = boiler.sensors[role].search_beliefs(
            event_starts_after=START, source_types=["scheduler"], most_recent_beliefs_only=True
        )
        assert stored["event_value"].iloc[0] == pytest.approx(at_start, rel=0.15)
        assert len(stored) in (96, 97)
        assert {source.model for source in stored.index.get_level_values("source")} == {"BoilerScheduler"}
    # and the next plan still starts from what was measured
    assert start_of(Boiler(boiler.asset))[0] == pytest.approx(57.0, abs=1e-3)


def test_what_a_plan_says_of_itself_can_be_sent_as_json(in_service):
    scheduler = scheduler_of(in_service)
    planned(scheduler)
    assert json.loads(json.dumps(scheduler.info)) == scheduler.info
    assert scheduler.info.keys() >= {"scheduler", "start", "floors_not_met", "assumed_prices", "hygiene", "draw_offs"}


@pytest.mark.parametrize("names_the_sensor", [True, False])
def test_a_trigger_on_the_asset_plans_the_boiler_too(household, names_the_sensor):
    boiler, _ = household
    measure(boiler, [30.0])
    boiler.change_comfort({"boost": {"until": (START + timedelta(hours=3)).isoformat()}})
    db.session.commit()
    make_schedule(
        asset_or_sensor={"class": "Asset", "id": boiler.asset.id},
        start=START,
        end=START + timedelta(hours=24),
        resolution=QUARTER,
        belief_time=START + timedelta(hours=1),
        flex_model=[{"sensor": boiler.sensors["fill-rate"].id}] if names_the_sensor else {},
        flex_context={},
    )
    db.session.expire_all()
    power = boiler.sensors["fill-rate"].search_beliefs(event_starts_after=START, source_types=["scheduler"])
    np.testing.assert_allclose(power["event_value"].to_numpy()[:4], 1.5, atol=1e-6)
