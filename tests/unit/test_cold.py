"""Which tanks are cold, by the clock and by what a household usually draws."""

from datetime import time

import numpy as np
import pandas as pd
import pytest

from smart_boiler_plugin.boiler.comfort import Away, Comfort, Period
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.fleet.cold import expected_soon_kwh, wanted_c
from smart_boiler_plugin.learning.learn import DrawOffsOfDay, Habits, usual
from smart_boiler_plugin.plan.policy import Policy

SEVEN = Habits(DrawOffsOfDay(np.zeros((96, 1, 2)), np.zeros((96, 1, 2))), np.array([28]))
SEVEN.draw_offs.probabilities[:, 0, 0] = 1.0
SEVEN.draw_offs.sizes_kwh[28:30, 0, 1] = 0.3
SEVEN.draw_offs.probabilities[28:30] = [0.6, 0.4]
"""Who draws 0.3 kWh in the quarters from 07:00 and from 07:15, each with a probability of 0.4."""


def at(clock):
    return pd.Timestamp(f"2025-10-29 {clock}", tz="Europe/Amsterdam")


def cold(temperature_c, clock, *, data=None, comfort=None, rules=None, habit=SEVEN):
    moments = pd.DatetimeIndex([at(clock)])
    wanted = wanted_c(data or BoilerData(), comfort or Comfort(), rules or Policy(), habit, moments)
    return bool(temperature_c < wanted[0])


def soon(comfort, habit, moment):
    return expected_soon_kwh(comfort, habit, pd.DatetimeIndex([moment]))[0]


def test_the_heat_that_is_expected_is_that_of_two_hours():
    """0.12 kWh are drawn on average in each of two quarters; from 05:15 on, only the first lies within."""
    clocks = ("05:00", "05:15", "05:30", "07:14", "07:16", "07:30")
    found = [soon(Comfort(), SEVEN, at(clock)) for clock in clocks]
    np.testing.assert_allclose(found, [0.0, 0.12, 0.24, 0.24, 0.12, 0.0], atol=1e-12)


@pytest.mark.parametrize(
    ("temperature_c", "clock", "expected"),
    [
        (39.9, "05:30", True),
        (40.0, "05:30", False),
        (39.9, "05:15", True),
        (39.9, "05:14", False),
        (12.0, "23:00", False),
        (39.9, "07:14", True),
    ],
)
def test_it_is_cold_below_the_useful_temperature_where_draw_offs_are_expected(temperature_c, clock, expected):
    assert cold(temperature_c, clock) is expected


def test_what_is_useful_is_what_the_household_says_and_never_above_the_ceiling():
    assert cold(44.9, "06:00", comfort=Comfort(useful_temperature_c=45.0))
    assert not cold(38.0, "06:00", data=BoilerData(temperature_max_c=38.0))


def test_it_is_cold_below_a_floor_that_is_in_force_whoever_draws():
    warm = Comfort(programme=(Period(frozenset({2}), time(22), time(23), 55.0),))
    assert cold(54.9, "22:30", comfort=warm)
    assert not cold(54.9, "21:30", comfort=warm)
    assert cold(49.9, "23:30", data=BoilerData(temperature_min_c=50.0))
    assert cold(49.9, "23:30", rules=Policy(floor_c=50.0))


def test_an_empty_house_is_never_cold_until_its_people_return():
    away = Comfort(away=Away(at("00:00"), at("07:15")))
    assert not cold(12.0, "04:00", comfort=away, data=BoilerData(temperature_min_c=50.0))
    assert soon(away, SEVEN, at("06:00")) == pytest.approx(0.12)


def test_drops_are_no_draw_offs():
    drops = Habits(DrawOffsOfDay(np.full((96, 1, 1), 0.006), np.ones((96, 1, 1))), np.array([28]))
    assert not cold(12.0, "07:00", habit=drops)


def test_by_the_profile_alone_mornings_and_evenings_count_and_nights_do_not():
    usually = Habits(usual(["S"]), np.zeros(1))
    assert [cold(30.0, clock, habit=usually) for clock in ("02:00", "06:30", "19:30")] == [False, True, True]


def test_two_hours_are_two_hours_where_the_clock_repeats_one():
    """Who draws at 03:00: in an hour from the second 02:07 on, in two from the first one on."""
    three = Habits(DrawOffsOfDay(np.zeros((96, 1, 1)), np.ones((96, 1, 1))), np.array([28]))
    three.draw_offs.sizes_kwh[12] = 0.3
    moments = [pd.Timestamp(f"2025-10-26T02:07:00{offset}").tz_convert("Europe/Amsterdam") for offset in OFFSETS]
    assert [soon(Comfort(), three, moment) for moment in moments] == [0.0, pytest.approx(0.3)]


OFFSETS = ("+02:00", "+01:00")
