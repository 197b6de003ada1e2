"""The state of each boiler of a fleet: what is wrong with whom, since when and why."""

from dataclasses import asdict
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from flexmeasures.data import db

from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.facts.faults import faults_of
from smart_boiler_plugin.facts.read import read_facts
from smart_boiler_plugin.fleet.members import members, of_operator
from smart_boiler_plugin.fleet.overview import overview
from smart_boiler_plugin.fleet.state import completed, states_of
from smart_boiler_plugin.fleet.told import worst_first
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor
from tests.factories import make_account, store
from tests.host.queries import counted_queries
from tests.host.watched import QUARTER, course, make_member, plan, priced, read

NOW = pd.Timestamp("2025-10-29 17:04", tz="Europe/Amsterdam")
"""A time at which households draw: the tapping profile S has something at 18:00 and 18:15."""


@pytest.fixture
def operator(app):
    """An operator, with prices for all, in an app context."""
    with app.app_context():
        account = make_account("Warm Water Energy", roles=["Consultancy"])
        priced(NOW)
        yield account


def states(operator, moment=NOW):
    """Return completed states by the name of the customer."""
    prices = {get_or_create_consumption_price_sensor("NL").id: NOW + timedelta(hours=36)}
    found = completed(states_of(members(of_operator(operator)), moment, prices), moment)
    return {each.member.customer: each for each in found}


def test_a_boiler_that_is_warm_and_planned_is_well_and_says_what_it_heats_next(operator):
    make_member(
        operator, "Ash", NOW, temperature_c=course(), planned_c=[51.5] * 40 + [49.25] + [58.0] * 79, heats=(8, 12)
    )
    ash = states(operator)["Ash"]
    quarter = NOW.floor("15min")
    assert (ash.state, ash.message, ash.since, ash.also) == ("well", "", None, ())
    assert ash.seen.temperature_c == pytest.approx(course()[-1])
    assert ash.seen.measured_at == quarter - QUARTER
    assert ash.seen.heats_now is False
    assert (ash.seen.next_heating.begin, ash.seen.next_heating.end) == (quarter + 8 * QUARTER, quarter + 12 * QUARTER)
    assert (ash.seen.coldest_planned_c, ash.seen.coldest_planned_at) == (49.25, quarter + 40 * QUARTER)
    assert ash.seen.planned_until == quarter + timedelta(hours=30)


def test_what_it_heats_now_is_metered_and_else_planned(operator):
    planned = make_member(operator, "Ash", NOW, temperature_c=course(), heats=(0, 4))
    metered = make_member(operator, "Birch", NOW, temperature_c=course(), heats=(0, 4))
    read(metered, [0.0], NOW, "fill-rate", recorded_at=NOW)
    unplanned = make_member(operator, "Cedar", NOW, temperature_c=course(), hours=0)
    read(unplanned, [1.5], NOW, "fill-rate", recorded_at=NOW)
    trickle = make_member(operator, "Dogwood", NOW, temperature_c=course(), heats=(0, 4), power_kw=0.14)
    found = states(operator)
    assert {name: each.seen.heats_now for name, each in found.items()} == {
        "Ash": True,
        "Birch": False,
        "Cedar": True,
        "Dogwood": False,
    }
    assert found["Ash"].seen.heats_until == NOW.floor("15min") + 4 * QUARTER
    assert found["Birch"].seen.heats_until is None
    assert found["Ash"].seen.next_heating is None
    assert planned.asset.id != trickle.asset.id


def test_each_boiler_is_in_its_worst_state_and_says_since_when_and_why(operator):
    """The limit is 40 °C, as draw-offs are expected at 18:00; a plan in kW is compared with the last reading."""
    quarter = NOW.floor("15min")
    falls = np.linspace(56, 38, 96)
    make_member(operator, "cold", NOW, temperature_c=falls, heats=(4, 8))
    make_member(operator, "cold soon", NOW, temperature_c=course(), planned_c=[50.0] * 56 + [38.0] * 64)
    make_member(operator, "no plan", NOW, temperature_c=course(), hours=0)
    ends = make_member(operator, "plan ends", NOW, temperature_c=course(), hours=0)
    plan(ends, NOW, hours=1)
    lasts = make_member(operator, "plan lasts", NOW, temperature_c=course(), hours=0)
    plan(lasts, NOW, hours=2)
    silent = make_member(operator, "silent", NOW)
    read(silent, course()[:-12], NOW - timedelta(hours=3))
    make_member(operator, "never seen", NOW)
    for_days = make_member(operator, "for days", NOW)
    read(for_days, course(), NOW - timedelta(days=2), recorded_at=NOW - timedelta(days=4))
    for name, planned_c in (("off plan", 54.0), ("on plan", 52.0)):
        each = make_member(operator, name, NOW, temperature_c=[*course()[:-1], 50.5], set_points=False)
        store(
            each.sensors["temperature"],
            [planned_c],
            quarter - QUARTER,
            "scheduler",
            recorded_at=NOW - timedelta(hours=5),
        )
    found = states(operator)
    assert {name: each.state for name, each in found.items()} == {
        "cold": "cold",
        "cold soon": "cold_soon",
        "no plan": "no_plan",
        "plan ends": "no_plan",
        "plan lasts": "well",
        "silent": "silent",
        "never seen": "silent",
        "for days": "silent",
        "off plan": "off_plan",
        "on plan": "well",
    }
    # 38 + 18 * n / 95 °C, n quarters before the last, is 40 from n = 10.6 on
    assert found["cold"].since == quarter - 11 * QUARTER
    assert found["cold"].message == (
        "38.0 °C, below the 40 °C that are wanted, since 2025-10-29 14:15. It heats next at 2025-10-29 18:00."
    )
    # at 07:00 the profile draws from 06:30 on, at 05:00 it is more than 0.05 kWh within two hours
    assert found["cold soon"].message == ("38.0 °C are planned for 2025-10-30 07:00, below the 40 °C wanted then.")
    assert found["no plan"].message == (
        "It has no plan, and its prices are known until 2025-10-31 05:04: it can be planned."
    )
    assert found["plan ends"].message.startswith("Its plan ends at 2025-10-29 18:00, and")
    assert found["silent"].since == quarter - 12 * QUARTER
    assert (
        found["silent"].message == f"No reading is believed since 2025-10-29 14:00; the last was {course()[83]:.1f} °C."
    )
    assert found["never seen"].message == "It has never sent a reading."
    assert found["for days"].since == quarter - timedelta(days=2)
    assert found["for days"].seen.temperature_c is None
    assert found["off plan"].message == "3.5 K colder than planned at 2025-10-29 16:45."
    order = [each.member.customer for each in worst_first(found.values())]
    assert order[:2] == ["cold", "cold soon"]
    assert order[4:6] == ["for days", "silent"]
    assert order[-3:] == ["off plan", "on plan", "plan lasts"]


def test_a_second_state_stands_beside_the_worst(operator):
    make_member(operator, "Ash", NOW, temperature_c=np.linspace(56, 38, 96), hours=0)
    ash = states(operator)["Ash"]
    assert (ash.state, ash.also) == ("cold", ("no_plan",))
    assert ash.message.startswith(
        "38.0 °C, below the 40 °C that are wanted, since 2025-10-29 14:15. No heating is planned. "
    )
    assert "No plan, too: It has no plan" in ash.message


def test_a_floor_in_force_counts_whoever_draws(operator):
    night = NOW.normalize() + timedelta(hours=23, minutes=50)
    make_member(
        operator, "floor", night, temperature_c=np.linspace(56, 49, 96), data=BoilerData(temperature_min_c=50.0)
    )
    make_member(operator, "none", night, temperature_c=np.linspace(56, 38, 96))
    found = states(operator, night)
    assert (found["floor"].state, found["none"].state) == ("cold", "well")
    assert "below the 50 °C" in found["floor"].message


def test_a_boiler_that_reports_changes_alone_is_not_silent_for_half_a_day(operator):
    said = make_member(operator, "said", NOW, data=BoilerData(reports_change_k=0.5))
    told = make_member(operator, "told", NOW)
    for boiler in (said, told):
        # the first falls are draw-offs; then half a kelvin each few hours
        for hours, value in (
            (23, 58.0),
            (22.5, 57.5),
            (21, 57.0),
            (18, 56.5),
            (15.75, 56.0),
            (13, 55.5),
            (10, 55.0),
            (7, 54.5),
            (4, 54.0),
        ):
            at = (NOW - timedelta(hours=hours)).floor("15min")
            store(boiler.sensors["temperature"], [value], at, "gateway", recorded_at=at)
    found = states(operator)
    assert {name: each.state for name, each in found.items()} == {"said": "well", "told": "well"}
    assert states(operator, NOW + timedelta(hours=9))["said"].state == "silent"


# --- faults: those of a boiler's whole day, though its day is read of those alone that show something odd


def with_fault(operator, kind):
    """Make a boiler that has a fault."""
    boiler = make_member(operator, kind, NOW, hours=0)
    readings = course()
    heats = (96, 104)
    if kind == "dead element":
        readings, heats = np.linspace(58, 46, 96), (-12, -4)
    elif kind == "stuck":
        readings = np.concatenate([readings[:88], np.full(8, readings[87])])
        read(boiler, [0.0] * 88 + [1.5] * 8, NOW, "fill-rate", recorded_at=NOW)
        heats = (-8, 0)
    elif kind == "other heater":
        readings = np.concatenate([np.linspace(58, 50, 88), 50 + np.arange(1, 9) * 1.5])
        read(boiler, [0.0] * 96, NOW, "fill-rate", recorded_at=NOW)
    elif kind == "jumping":
        readings = readings + np.where(np.arange(96) % 9 == 0, 25.0, 0.0)
        readings[-1] += 25.0
    elif kind == "doubled sensor":
        read(boiler, readings - 20, NOW, source_type="second gateway")
    read(boiler, readings, NOW)
    plan(boiler, NOW, [55.0] * 216, heats=heats, since=96)
    return boiler


KINDS = ["dead element", "stuck", "other heater", "jumping", "doubled sensor"]


def test_every_fault_of_a_day_is_seen_at_one_look(operator):
    made = {kind: with_fault(operator, kind) for kind in KINDS}
    make_member(operator, "none", NOW, temperature_c=course(), since=96, planned_c=[55.0] * 216, heats=(-24, -16))
    found = states(operator)
    for kind, boiler in made.items():
        (facts,) = read_facts([boiler], NOW, NOW - timedelta(days=1), NOW)
        expected = faults_of(boiler.data, facts)
        assert kind in {fault.kind for fault in expected}
        assert [fault.as_json() for fault in found[kind].seen.faults] == [fault.as_json() for fault in expected]
        assert found[kind].state == "fault" or kind == "doubled sensor"
        assert expected[0].message in found[kind].message
    assert found["none"].state == "well"
    # the colder of two counts, and is cold
    assert found["doubled sensor"].state == "cold"
    assert found["doubled sensor"].also[0] == "fault"


# --- many


def test_the_number_of_statements_does_not_grow_with_the_fleet(operator):
    def fleet(names):
        for name in names:
            make_member(operator, f"{name} well", NOW, temperature_c=course())
            make_member(operator, f"{name} cold", NOW, temperature_c=np.linspace(56, 38, 96))
            with_fault(operator, "stuck").asset.owner.name = f"{name} stuck"
            make_member(operator, f"{name} silent", NOW)
            make_member(operator, f"{name} in kW", NOW, temperature_c=course(), set_points=False)
            db.session.commit()

    def statements():
        db.session.expire_all()
        with counted_queries() as queries:
            shown = overview(of_operator(operator), NOW)
            completed(shown.states, NOW)
        return len(queries), len(shown.states)

    fleet("A")
    few, five = statements()
    fleet("BC")
    many, all_of_them = statements()
    assert (five, all_of_them) == (5, 15)
    assert many == few <= 30


def test_a_boiler_whose_data_are_broken_is_listed_as_a_fault_and_spoils_nothing(operator):
    make_member(operator, "Ash", NOW, temperature_c=course())
    before = states(operator)["Ash"]
    broken = {
        "a text": {"smart-boiler": "warm"},
        "volume a word": {"smart-boiler": {"volume_l": "much"}},
        "comfort a word": {"smart-boiler": {**asdict(BoilerData()), "comfort": "warm"}},
    }
    for name, attributes in broken.items():
        boiler = make_member(operator, name, NOW, temperature_c=np.linspace(56, 38, 96))
        boiler.asset.attributes = attributes
    gone = make_member(operator, "no sensor", NOW, hours=0)
    for sensor in list(gone.asset.sensors):
        db.session.delete(sensor)
    other = make_member(operator, "in kg", NOW, temperature_c=course())
    other.sensors["temperature"].unit = "kg"
    nowhere = make_member(operator, "no time zone", NOW, temperature_c=course())
    for sensor in nowhere.asset.sensors:
        sensor.timezone = "Mars/Olympus"
    db.session.commit()
    db.session.expire_all()
    found = states(operator)
    assert found["Ash"] == before
    assert {name for name, each in found.items() if each.state == "fault"} == {*broken, "no sensor", "in kg"}
    assert "What is stored of boiler" in found["a text"].message
    assert "Sensor 'temperature' was deleted or renamed." in found["no sensor"].message
    assert "it is in kg per 0:15:00" in found["in kg"].message
    assert found["no time zone"].state == "well"
