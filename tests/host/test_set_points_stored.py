"""Set-points of a trigger with a start and a duration alone, through the real queue and database."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from flexmeasures import Source
from flexmeasures.data import db
from flexmeasures.data.services.sensors import delete_sensor

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.facts.store import Values
from smart_boiler_plugin.facts.store import store as store_values
from smart_boiler_plugin.learning.habits import habits
from smart_boiler_plugin.learning.side_by_side import boilers_of
from smart_boiler_plugin.physics.set_points import Ahead, set_points
from smart_boiler_plugin.plan.reading import known_for_plans, policy
from smart_boiler_plugin.plan.span import Span
from tests.factories import make_household_boiler, store
from tests.host.boilers import (
    KEPT_WARM,
    QUARTER,
    QUARTERS,
    START,
    change_data,
    measure,
    prices,
    scheduler_of,
    stored_plan,
    through_the_queue,
)
from tests.host.queries import counted_queries

DAY = timedelta(days=1)


def finished(job):
    assert job.is_finished, job.latest_result().exc_string
    return job.meta["scheduler_info"]


def plan_of(boiler, **options):
    """Plan through the queue; return the set-points [°C] that are stored, and what the plan says of itself."""
    db.session.commit()
    told = finished(through_the_queue(boiler.sensors["fill-rate"], **options))
    return stored_plan(boiler.sensors["set-point"], hours=options.get("hours", 24)), told


def info_of(boiler, **options):
    """Compute a plan; return what it says of itself."""
    scheduler = scheduler_of(boiler, **options)
    scheduler.compute()
    return scheduler.info


def by_programme(draw_offs, *, mean_price, floor_kwh=None, useful_c=40.0):
    """Return the set-points [°C] that the programme gives a usual boiler on prices of the tests."""
    boilers = boilers_of([BoilerData()])
    ahead = Ahead(
        price=prices()[:, None],
        sizes_kwh=draw_offs.sizes_kwh,
        probabilities=draw_offs.probabilities,
        useful_kwh=boilers.state_kwh(useful_c),
        unserved_price=np.array([6 * mean_price]),
        floor_kwh=floor_kwh,
    )
    return set_points(boilers, ahead).temperatures_c[:, 0]


@pytest.fixture
def taught(household):
    """The boiler, of which three days of draw-offs are known, with a price for the week before."""
    boiler, price = household
    store(price, np.full(7 * QUARTERS, 0.30), START - 7 * DAY)
    source = Source(name="learning", type="inferred")
    db.session.add(source)
    db.session.flush()
    begin = pd.Timestamp("2025-10-26", tz="Europe/Amsterdam")
    moments = pd.date_range(begin, START, freq=QUARTER, inclusive="left")
    drawn = np.where(moments.hour == 5, 0.4, 0.0)
    store_values([Values(boiler.sensors["demand"], moments, drawn)], source, START)
    measure(boiler, [48.0])
    db.session.commit()
    return boiler


# --- what is stored


def test_a_start_and_a_duration_store_the_set_points_of_the_programme_on_what_is_known(taught):
    stored, told = plan_of(taught)
    known = habits([taught], START + timedelta(hours=1))
    assert (told["draw_offs"]["days_learned"], told["draw_offs"]["weight_of_tapping_profile"]) == (3, 0.5)
    mean = (7 * 0.30 + prices().mean()) / 8
    assert told["unserved_heat_counts"] == pytest.approx(6 * mean, rel=1e-4)
    np.testing.assert_allclose(stored, by_programme(known.draw_offs, mean_price=mean), atol=1e-5)
    assert told["plan"] == told["solver"] == "set-points"
    # who draws at five is served then
    assert stored.loc["2025-10-29T05:00+01:00"] > 44


def test_beside_them_stand_the_power_and_the_temperature_that_are_to_be_expected(taught):
    _, told = plan_of(taught)
    power, temperature = (stored_plan(taught.sensors[role]) for role in ("fill-rate", "temperature"))
    assert prices() @ power / 4 == pytest.approx(told["expected_cost"], abs=1e-5)
    # 0.228 kWh in the first quarter, and less than 0.1 K lost: 2.5 K in the end, half of that on average
    assert temperature.iloc[0] == pytest.approx(48.0 + power.iloc[0] / 4 / 0.0927 / 2, abs=0.1)
    assert len(stored_plan(taught.sensors["state-of-charge"])) >= QUARTERS


def test_prices_of_more_than_28_days_ago_do_not_count_for_unserved_heat(household):
    boiler, price = household
    store(price, [99.0], START - 28 * DAY - QUARTER)
    assert info_of(boiler)["unserved_heat_counts"] == pytest.approx(6 * prices().mean(), rel=1e-5)
    store(price, [99.0], START - 28 * DAY)
    assert info_of(boiler)["unserved_heat_counts"] > 6


def test_a_plan_of_an_hour_is_the_begin_of_a_plan_of_a_day(taught):
    whole, _ = plan_of(taught)
    part, told = plan_of(taught, hours=1)
    np.testing.assert_allclose(part, whole.iloc[:4])
    assert len(part) == 4
    assert told["expected_cost"] == pytest.approx(
        prices()[:4] @ stored_plan(taught.sensors["fill-rate"])[:4] / 4, abs=1e-5
    )


# --- what changes them


def test_another_useful_temperature_changes_them(taught):
    before, _ = plan_of(taught)
    taught.change_comfort({"useful_temperature": "50 °C"})
    after, _ = plan_of(taught)
    known = habits([taught], START + timedelta(hours=1))
    expected = by_programme(known.draw_offs, mean_price=(7 * 0.30 + prices().mean()) / 8, useful_c=50.0)
    np.testing.assert_allclose(after, expected, atol=1e-5)
    assert after.mean() > before.mean()


def test_another_price_changes_them(taught):
    before, _ = plan_of(taught)
    night = [{"start": START.isoformat(), "end": (START + DAY).isoformat(), "value": "0.30 EUR/kWh"}]
    named, told = plan_of(taught, flex_context={"consumption-price": night})
    assert told["plan"] == "set-points"
    assert told["unserved_heat_counts"] == pytest.approx(1.8)
    assert not np.allclose(before, named)


def test_the_operators_weight_and_floor_change_them(app, taught, monkeypatch):
    usual, told = plan_of(taught)
    monkeypatch.setitem(app.config, "SMART_BOILER_COMFORT_WEIGHT", 3.0)
    careless, cheaper = plan_of(taught)
    assert cheaper["unserved_heat_counts"] == pytest.approx(told["unserved_heat_counts"] / 2)
    assert careless.mean() < usual.mean()
    monkeypatch.setitem(app.config, "SMART_BOILER_FLOOR", 45)
    floored, _ = plan_of(taught)
    assert floored.min() >= 45 - 1e-3


def test_a_weight_by_which_nothing_would_be_heated_is_refused_and_the_default_counts(app, taught, monkeypatch):
    usual, _ = plan_of(taught)
    monkeypatch.setitem(app.config, "SMART_BOILER_COMFORT_WEIGHT", 0.5)
    np.testing.assert_allclose(plan_of(taught)[0], usual)


def test_a_floor_that_was_asked_for_holds_in_every_quarter(household):
    boiler = change_data(household[0], KEPT_WARM)
    stored, _ = plan_of(boiler)
    assert stored.min() >= 50.0 - 1e-3


# --- what a trigger says


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"temperature-at-start": "48 °C"},
        {"soc-at-start": "3.5 kWh"},
        {"prefer-charging-sooner": False},
    ],
)
def test_a_trigger_that_says_nothing_of_what_is_wanted_gets_set_points(boiler, fields):
    told = info_of(boiler, **{name.replace("-", "_"): value for name, value in fields.items()})
    assert told["plan"] == "set-points"
    assert (told["start"]["from"] == "trigger") == any("start" in name for name in fields)


WISHED = [{"start": START.isoformat(), "end": (START + timedelta(hours=2)).isoformat(), "value": "50 °C"}]


@pytest.mark.parametrize(
    "fields",
    [
        {"soc-min": "1 kWh"},
        {"temperature-min": "40 °C"},
        {"temperature-minima": WISHED},
        {"temperature-max": "60 °C"},
        {"temperature-maxima": WISHED},
        {"temperature-targets": [{"datetime": (START + timedelta(hours=2)).isoformat(), "value": "50 °C"}]},
        {"power-capacity": "1 kW"},
        {"soc-usage": ["0.1 kW"]},
    ],
)
def test_a_trigger_that_says_more_gets_the_cheapest_powers(boiler, fields):
    scheduler = scheduler_of(boiler, **{name.replace("-", "_"): value for name, value in fields.items()})
    results = {result["name"] for result in scheduler.compute()}
    assert scheduler.info["plan"] == "cheapest"
    assert "set_point" not in results


@pytest.mark.parametrize("minutes", [5, 60])
def test_in_steps_that_are_no_quarters_powers_are_planned_that_keep_the_reserve(boiler, minutes):
    measure(boiler, [45.0])
    scheduler = scheduler_of(boiler)
    scheduler.resolution = timedelta(minutes=minutes)
    results = {result["name"]: result["data"] for result in scheduler.compute()}
    assert scheduler.info["plan"] == "cheapest"
    evening = boiler.data.tank.temperature_c(results["state_of_charge"].loc["2025-10-29T20:00+01:00"])
    assert evening > 45


def test_a_ceiling_alone_leaves_nobody_cold(boiler):
    """A plan of the cheapest powers would heat nothing for who says but how hot at most."""
    measure(boiler, [42.0])
    scheduler = scheduler_of(boiler, temperature_max="60 °C")
    results = {result["name"]: result["data"] for result in scheduler.compute()}
    assert boiler.data.tank.temperature_c(results["state_of_charge"].loc["2025-10-29T20:00+01:00"]) > 45


# --- what is missing


def test_a_former_customer_without_the_sensor_is_planned_all_the_same(taught):
    expected = plan_of(taught)[1]
    delete_sensor(taught.sensors["set-point"])
    db.session.commit()
    former = Boiler(taught.asset)
    told = finished(through_the_queue(former.sensors["fill-rate"]))
    assert (told["plan"], told["expected_cost"]) == ("set-points", expected["expected_cost"])


def test_without_any_price_a_thermostat_can_be_followed(boiler):
    measure(boiler, [54.0], before=QUARTER - 3 * DAY)
    db.session.commit()
    told = finished(through_the_queue(boiler.sensors["fill-rate"], start=START + 3 * DAY))
    assert told["plan"] == "thermostat, as no price is known"
    assert (stored_plan(boiler.sensors["set-point"], start=START + 3 * DAY) == 60.0).all()


def test_what_is_known_of_ten_boilers_takes_as_many_statements_as_of_two(taught):
    owner, span = taught.asset.owner, Span(START, START + DAY, QUARTER, START)
    boilers = [taught, *(make_household_boiler(owner, f"Boiler {number}") for number in range(9))]
    counts = []
    for many in (2, 10):
        db.session.expire_all()
        some = [Boiler(boiler.asset) for boiler in boilers[:many]]
        assert [boiler.data.volume_l for boiler in some] == [80.0] * many
        with counted_queries() as statements:
            known = known_for_plans(some, span, policy())
        assert len(known) == many
        counts.append(len(statements))
    assert counts[0] == counts[1]
