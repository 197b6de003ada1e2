"""What another useful temperature or ceiling would have cost: set-points that are followed in the same days."""

import numpy as np
import pandas as pd
import pytest

from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.learning.learn import Habits, usual
from smart_boiler_plugin.learning.side_by_side import boilers_of
from smart_boiler_plugin.money.advice import Choice, choices_of, followed
from smart_boiler_plugin.physics.tapping_profiles import drawn_kwh

MOMENTS = pd.date_range("2025-10-20", periods=4 * 96, freq="15min", tz="Europe/Amsterdam")
PRICE = np.where(MOMENTS.hour < 6, 0.10, 0.40)
DRAWN = drawn_kwh("S", MOMENTS, 0.25)


def come_to(ceilings_c, useful_c, r=6.0):
    data = [BoilerData(temperature_max_c=ceiling_c) for ceiling_c in ceilings_c]
    boilers = boilers_of(data)
    habit = Habits(usual(["S"]), np.zeros(1, dtype=int))
    useful = boilers.state_kwh(np.array(useful_c, dtype=float))
    electricity, states = followed(boilers, habit, MOMENTS, PRICE, DRAWN, useful, r)
    cost = PRICE @ electricity - (states[-1] - states[-1, 0]) * PRICE.mean()
    unserved = np.clip(boilers.state_kwh(40.0) - states, 0, DRAWN[:, None]).sum(axis=0)
    return boilers, electricity, states, cost, unserved


def test_a_hotter_ceiling_costs_less_and_a_warmer_useful_temperature_more():
    _, _, _, cost, _ = come_to([65.0, 75.0, 65.0], [40.0, 40.0, 50.0])
    assert cost[1] < cost[0] < cost[2]


def test_what_is_heated_is_drawn_or_lost_or_left():
    boilers, electricity, states, _, _ = come_to([65.0], [40.0])
    before = np.vstack([boilers.state_kwh(40.0)[None], states[:-1]])
    change = states - boilers.idle_kwh(before) + DRAWN[:, None] * boilers.late
    assert change == pytest.approx(boilers.heat_kwh(electricity), abs=1e-9)
    assert boilers.temperature_c(states).max() <= 65 + 1e-6
    assert electricity.max() <= 1.5 / 4 + 1e-9


def test_unserved_heat_is_less_where_it_counts_more():
    assert come_to([65.0], [40.0], r=12.0)[4][0] <= come_to([65.0], [40.0], r=2.0)[4][0]


def test_what_is_tried_is_one_change_each_that_makes_sense():
    assert choices_of(Choice(40.0, 65.0)) == [
        Choice(40.0, 65.0),
        *(Choice(45.0, 65.0), Choice(50.0, 65.0)),
        *(Choice(40.0, 60.0), Choice(40.0, 70.0), Choice(40.0, 75.0)),
    ]
    # no ceiling below what is wanted
    assert choices_of(Choice(45.0, 45.0))[1:3] == [Choice(40.0, 45.0), Choice(45.0, 60.0)]
