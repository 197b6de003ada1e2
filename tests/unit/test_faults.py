"""What is wrong with a boiler, by its facts. 1.5 kW warm 80 l by 4 K in a quarter."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from smart_boiler_plugin.facts.facts import STANDS_STILL
from smart_boiler_plugin.facts.faults import faults_of
from tests.unit.plans import DATA, QUARTER, START, facts

DAY_BEFORE = START - timedelta(days=1)
NOW = timedelta(0)


def found(known):
    return {fault.kind: fault.since for fault in faults_of(DATA, known)}


def test_a_boiler_that_is_well_and_one_that_was_never_seen_have_none():
    assert found(facts(temperature_c=(DAY_BEFORE, np.linspace(60, 50, 97)))) == {}
    assert found(facts()) == {}


@pytest.mark.parametrize(("hours", "silent"), [(2, False), (2.25, True)])
def test_a_boiler_that_sends_no_reading_for_two_hours_is_silent(hours, silent):
    last = START - timedelta(hours=hours)
    since = found(facts(temperature_c=(last - 7 * QUARTER, [55.0] * 8)))
    assert since == ({"silent": last + QUARTER} if silent else {})


def test_a_boiler_that_reports_changes_is_silent_after_half_a_day():
    known = facts(temperature_c=(START - timedelta(hours=11), [55.0]))
    assert faults_of(replace(DATA, reports_change_k=0.5), known) == []
    assert list(found(known)) == ["silent"]


def test_an_element_that_was_planned_and_did_not_heat_is_dead_case_20():
    known = facts(planned_kw=(DAY_BEFORE, [1.5] * 96), temperature_c=(DAY_BEFORE, np.linspace(45, 26, 96)))
    assert found(known) == {"dead element": DAY_BEFORE}


def test_an_element_that_heated_since_is_not_dead():
    temperature_c = np.concatenate([np.linspace(45, 30, 80), 30 + 4 * np.arange(1, 9), [62.0] * 8])
    known = facts(planned_kw=(DAY_BEFORE, [1.5] * 88), temperature_c=(DAY_BEFORE, temperature_c))
    assert found(known) == {}


def test_an_element_that_is_metered_to_heat_is_not_dead():
    known = facts(
        planned_kw=(DAY_BEFORE, [1.5] * 96),
        metered_kw=(DAY_BEFORE, [1.5] * 96),
        temperature_c=(DAY_BEFORE, np.linspace(45, 26, 96)),
    )
    assert found(known) == {}


def test_a_tank_that_gets_warmer_while_its_element_is_off_has_another_heater_case_21():
    temperature_c = np.concatenate([np.linspace(52, 48, 40), np.linspace(49.2, 60, 20), np.linspace(60, 55, 36)])
    known = facts(metered_kw=(DAY_BEFORE, [0.0] * 96), temperature_c=(DAY_BEFORE, temperature_c))
    assert found(known) == {"other heater": DAY_BEFORE + 40 * QUARTER}


def test_a_reading_that_does_not_move_while_it_heats_is_told():
    known = facts(temperature_c=(DAY_BEFORE, [52.0] * 40))
    since = {STANDS_STILL: START - timedelta(hours=14)}
    assert found(replace(known, sensor_faults=since)) == {"stuck": START - timedelta(hours=14)}
