"""Where a plan starts. By hand: 80 l hold 0.0926988 kWh/K; 59.2 W are lost at 45 K above 20 °C... see each test."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from smart_boiler_plugin.boiler.comfort import Comfort
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.plan.draw_offs import draw_offs
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.plan.start import carried_forward_c, start_kwh
from tests.unit.plans import DATA, QUARTER, START, facts

LOSSLESS = BoilerData(standing_loss_kwh_per_day=0.0)
C = 80 * 0.997 * 4.184 / 3600


def start_c(known, data=DATA, rules=None, start=START):
    state, said = start_kwh(data, Comfort(), known, rules or Policy(), start)
    return data.tank.temperature_c(state), said["from"]


def test_a_reading_of_the_starting_quarter_counts_and_a_later_one_does_not():
    known = facts(temperature_c=(START - QUARTER, [58.0, 57.0, 63.0]))
    assert start_c(known) == (pytest.approx(57.0), "reading")


def test_a_reading_counts_as_it_is_up_to_the_age_that_the_settings_say():
    """At 22:00 it is two hours old; a quarter earlier it is carried forward."""
    assert start_c(facts(temperature_c=(START - 8 * QUARTER, [58.0])))[1] == "reading"
    assert start_c(facts(temperature_c=(START - 9 * QUARTER, [58.0])))[1] == "reading carried forward"


def test_a_reading_that_is_older_than_two_days_does_not_count():
    at_limit = START - timedelta(days=2)
    assert start_c(facts(temperature_c=(at_limit, [58.0])))[1] == "reading carried forward"
    assert start_c(facts(temperature_c=(at_limit - QUARTER, [58.0]))) == (pytest.approx(50.0), "floor")


def test_with_an_age_of_nothing_an_older_reading_is_carried_forward_from_its_end():
    """57 °C in the quarter before the start: nothing lies between."""
    rules = Policy(max_reading_age=timedelta(0))
    nothing_drawn = np.zeros(4)
    known = facts(temperature_c=(START - QUARTER, [57.0]), demand_kwh=(START - QUARTER, nothing_drawn))
    assert start_c(known, rules=rules) == (pytest.approx(57.0), "reading carried forward")


def test_a_reading_is_carried_through_power_and_draw_offs_of_the_quarters_after_it():
    """A lossless tank: 1.5 kW for two quarters less 0.3 kWh drawn are 0.45 kWh, from the quarter after the reading."""
    at = START - 4 * QUARTER
    known = facts(
        temperature_c=(at, [50.0]), metered_kw=(at, [9.9, 1.5, 1.5, 0.0]), demand_kwh=(at, [9.9, 0.1, 0.2, 0.0])
    )
    assert carried_forward_c(LOSSLESS, known, 50.0, at + QUARTER, START) == pytest.approx(50 + 0.45 / C)


def test_a_heat_pumps_power_counts_as_often_as_its_cop_says():
    """0.5 kW at a cop of 3 for a quarter are 0.375 kWh of heat."""
    at = START - 2 * QUARTER
    known = facts(temperature_c=(at, [50.0]), metered_kw=(at, [0.0, 0.5]), demand_kwh=(at, [0.0, 0.0]))
    heat_pump = replace(LOSSLESS, cop=3.0)
    assert carried_forward_c(heat_pump, known, 50.0, at + QUARTER, START) == pytest.approx(50 + 0.375 / C)


def test_metered_power_counts_more_than_planned_power():
    at = START - 2 * QUARTER
    known = facts(metered_kw=(at, [0.4]), planned_kw=(at, [1.5, 1.5]), demand_kwh=(at, [0.0, 0.0]))
    assert carried_forward_c(LOSSLESS, known, 50.0, at, START) == pytest.approx(50 + (0.1 + 0.375) / C)


def test_no_tank_is_carried_above_its_ceiling_or_below_its_cold_water():
    at = START - 8 * QUARTER
    heated = facts(planned_kw=(at, [1.5] * 8), demand_kwh=(at, [0.0] * 8))
    assert carried_forward_c(LOSSLESS, heated, 60.0, at, START) == pytest.approx(65.0)
    emptied = facts(demand_kwh=(at, [2.0] * 8))
    assert carried_forward_c(LOSSLESS, emptied, 60.0, at, START) == pytest.approx(10.0)


def test_measured_draw_offs_count_more_than_expected_ones_and_these_more_than_the_profile():
    """Profile S draws 0.105 kWh at 07:00 and 07:30."""
    seven = START + timedelta(hours=7)
    known = facts(demand_kwh=(seven, [0.7]), expected_kwh=(seven, [0.2, 0.3]))
    drawn = draw_offs(DATA, known).kwh[known.span(seven, seven + 4 * QUARTER)]
    assert drawn.tolist() == [0.7, 0.3, 0.105, 0.0]
    assumed_nothing = draw_offs(DATA, known, assume=False).kwh[known.span(seven, seven + 4 * QUARTER)]
    assert assumed_nothing.tolist() == [0.7, 0.3, 0.0, 0.0]


# --- forecasts


def test_a_forecast_counts_less_than_what_somebody_expects_and_more_than_the_profile():
    known = facts(forecast_kwh=(START, np.full(96, 0.03)), expected_kwh=(START, [0.5]))
    drawn = draw_offs(DATA, known)
    assert drawn.kwh[known.span(START, START + 3 * QUARTER)].tolist() == [0.5, 0.03, 0.03]
    assert drawn.forecasts_not_believed == ()


def test_a_forecast_of_less_than_half_of_the_usual_day_is_not_believed_and_told():
    """Profile S draws 2.1 kWh a day: 96 x 0.0105 = 1.008 kWh are too little, 96 x 0.011 = 1.056 kWh are not."""
    low = draw_offs(DATA, facts(forecast_kwh=(START, np.full(96, 0.0105))))
    assert low.forecasts_not_believed == ("2025-10-29: a forecast of 1.01 kWh, where 2.10 kWh are usual",)
    assert not low.told.any()
    enough = draw_offs(DATA, facts(forecast_kwh=(START, np.full(96, 0.011))))
    assert enough.forecasts_not_believed == ()
    assert enough.told.sum() == 96


def test_what_is_usual_is_what_was_measured_where_that_is_known():
    """A household that has drawn a third of its profile for two days: 0.7 kWh a day; 0.4 kWh are more than half."""
    measured = np.zeros(2 * 96)
    measured[[30, 126]] = 0.7
    known = facts(demand_kwh=(START - timedelta(days=2), measured), forecast_kwh=(START, np.full(96, 0.4 / 96)))
    assert draw_offs(DATA, known).forecasts_not_believed == ()


def test_a_forecast_of_a_part_of_the_day_is_held_against_that_part():
    """Until 06:00 profile S draws nothing, so a forecast of nothing is believed."""
    night = facts(forecast_kwh=(START, np.zeros(24)))
    assert draw_offs(DATA, night).forecasts_not_believed == ()
