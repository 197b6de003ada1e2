"""Which tanks are cold, by the clock and by what a household usually draws."""

from datetime import time
from itertools import product

import numpy as np
import pandas as pd
import pytest

from smart_boiler_plugin.boiler.comfort import Away, Comfort, Period
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.fleet.cold import EXPECTED_KWH, cold_ahead, expected_soon_kwh, wanted_c
from smart_boiler_plugin.learning.learn import DrawOffsOfDay, Habits, quarter_of_day, usual
from smart_boiler_plugin.learning.side_by_side import boilers_of
from smart_boiler_plugin.physics.expected import set_points_and_expected
from smart_boiler_plugin.physics.following import after, need
from smart_boiler_plugin.physics.set_points import Ahead, price_of_unserved
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


# --- within a day, by the plan


def ahead(planned_c, *, since="05:00", comfort=None, data=None, habit=SEVEN):
    moments = pd.date_range(at(since), periods=len(planned_c), freq="15min")
    return cold_ahead(data or BoilerData(), comfort or Comfort(), Policy(), habit, moments, np.array(planned_c))


@pytest.mark.parametrize(
    ("heated_by", "cold_at"),
    [("07:00", None), ("07:15", "05:15"), ("07:30", "05:15"), ("23:00", "05:15")],
)
def test_who_heats_in_time_for_what_is_drawn_will_not_be_cold(heated_by, cold_at):
    """Of 0.24 kWh from 07:00 to 07:30, 0.12 are drawn of a cold tank where it is warm at 07:15."""
    quarters = pd.date_range(at("05:00"), at("09:00"), freq="15min")
    found = ahead(np.where(quarters < at(heated_by), 38.0, 55.0))
    assert (found and found.at) == (cold_at and at(cold_at))
    if found:
        assert (found.temperature_c, found.wanted_c) == (38.0, 40.0)


def test_by_its_plan_a_tank_is_cold_below_what_is_useful_by_half_a_degree_and_not_where_nothing_is_planned():
    assert ahead([39.49] * 16).at == at("05:15")
    assert ahead([39.51] * 16) is None
    assert ahead([np.nan] * 16) is None
    assert ahead([30.0] * 16, comfort=Comfort(useful_temperature_c=30.0)) is None
    assert ahead([37.0] * 16, data=BoilerData(temperature_max_c=37.0)) is None
    assert ahead([38.0] * 16, comfort=Comfort(away=Away(at("00:00"), at("09:00")))) is None


def test_by_its_plan_a_tank_is_cold_below_a_floor_whoever_draws():
    warm = Comfort(programme=(Period(frozenset({2}), time(6), time(8), 55.0),))
    found = ahead([52.0] * 16, comfort=warm)
    assert (found.at, found.wanted_c) == (at("06:00"), 55.0)
    assert ahead([54.6] * 16, comfort=warm) is None


PROFILES = {"XS": (30.0, 1.2), "S": (80.0, 1.5), "M": (80.0, 2.0)}


def test_households_of_which_it_is_told_lack_hot_water_and_the_others_lack_none():
    """Followers of set-points over a day, each begun at 30 °C, and beside it at 50 °C, with the same draw-offs."""
    chance = np.random.default_rng(1)
    lacking = {True: [], False: []}
    for profile, (volume_l, power_kw) in PROFILES.items():
        data = BoilerData(volume_l=volume_l, power_kw=power_kw, tapping_profile=profile)
        for hour, phase in product((4, 20), (0.0, 4.0)):
            moments = pd.date_range(at(f"{hour:02}:00"), periods=136, freq="15min")
            price = 0.2 + 0.1 * np.sin(np.arange(136) / 10 + phase)
            usually = usual([profile])
            told, unserved_kwh = followed(data, usually, moments, price, chance.random((96, 40)))
            lacking[told].append(unserved_kwh[0] - unserved_kwh[1])
    # kWh a day more than where it begins warm: what beginning cold costs the household
    assert max(lacking[False]) < EXPECTED_KWH
    assert np.mean(lacking[True]) > 4 * EXPECTED_KWH
    assert len(lacking[True]) > 2
    assert len(lacking[False]) > 2


def followed(data, usually, moments, price, luck):
    """Return whether it is told that a tank begun at 30 °C will be cold, and unserved heat begun at 30 and 50 °C [kWh].

    Means of a day over as many households as ``luck`` has columns, which say how probable a smaller draw-off was.
    """
    quarters = quarter_of_day(moments)
    sizes, probabilities = usually.sizes_kwh[quarters], usually.probabilities[quarters]
    boilers = boilers_of([data])
    useful = boilers.state_kwh(np.array([40.0]))
    known = Ahead(price[:, None], sizes, probabilities, useful, price_of_unserved(6.0, np.array([price.mean()])))
    unserved_kwh = []
    for start_c in (50.0, 30.0):
        start = boilers.state_kwh(np.array([start_c]))
        found, seen = set_points_and_expected(boilers, known, start)
        states = np.concatenate([start[None], seen.state_kwh])
        planned_c = boilers.temperature_c((states[:-1] + states[1:]) / 2)[:96, 0]
        many = boilers_of([data] * luck.shape[1])
        state, missed = np.full(luck.shape[1], start[0]), 0.0
        for step in range(96):
            which = (luck[step][:, None] > np.cumsum(probabilities[step, 0])).sum(axis=1)
            drawn = sizes[step, 0][np.minimum(which, sizes.shape[2] - 1)]
            share = need(many, state, np.full(len(state), found.states_kwh[step, 0]))
            _, state = after(many, state, share, drawn)
            missed += np.minimum(np.maximum(useful - state, 0.0), drawn).mean()
        unserved_kwh.insert(0, missed)
    told = cold_ahead(data, Comfort(), Policy(), Habits(usually, np.zeros(1)), moments[:96], planned_c)
    return told is not None, unserved_kwh
