"""What another useful temperature or ceiling would have cost: set-points that are followed in the same days."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.learning.learn import Habits, usual
from smart_boiler_plugin.learning.side_by_side import boilers_of
from smart_boiler_plugin.money.advice import Choice, choices_of, followed, outcomes_of
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


def test_set_points_are_made_when_prices_come_in_and_their_rises_followed_at_once():
    """Made at 20:00, with tomorrow in sight by then, it would be 2.298 EUR, at midnight 2.570, without rises 2.519."""
    assert come_to([65.0], [40.0])[3][0] == pytest.approx(2.430, abs=0.005)


def test_what_unserved_heat_counts_goes_by_the_mean_price():
    """One dear quarter on the last day, which the first day does not see, and as much less of r: the same first day."""
    boilers, habit = boilers_of([BoilerData()]), Habits(usual(["S"]), np.zeros(1, dtype=int))
    dear, useful = PRICE.copy(), boilers.state_kwh(np.array([40.0]))
    dear[-1] = 10.0
    first = [
        followed(boilers, habit, MOMENTS, price, DRAWN, useful, r)[0][: 14 * 4]
        for price, r in ((PRICE, 4.0), (dear, 4.0 * PRICE.mean() / dear.mean()))
    ]
    assert first[0] == pytest.approx(first[1], abs=1e-9)


def test_each_choice_is_followed_by_itself_and_counts_at_equal_heat_and_what_the_household_has():
    """A heat pump whose household wants 45 °C and draws twice its profile."""
    data, drawn = BoilerData(power_kw=0.5, cop=2.0), 2 * DRAWN
    habit = Habits(usual(["S"]), np.zeros(1, dtype=int))
    told = outcomes_of(data, 45.0, habit, MOMENTS, PRICE, drawn, 2.5)
    assert told[0].choice == Choice(45.0, 65.0)
    assert len({outcome.cost for outcome in told}) == len(told)
    states_of = {}
    for outcome in told:
        boilers = boilers_of([replace(data, temperature_max_c=outcome.choice.ceiling_c)])
        useful = boilers.state_kwh(np.array([outcome.choice.useful_c]))
        electricity, states = followed(boilers, habit, MOMENTS, PRICE, drawn, useful, 2.5)
        states_of[outcome] = states[-1, 0]
        # of each quarter, what is missing to 45 °C at its end, and no more than was drawn
        missing = [
            min(max(boilers.state_kwh(45.0)[0] - at, 0), kwh) for at, kwh in zip(states[:, 0], drawn, strict=True)
        ]
        assert outcome.unserved_kwh == pytest.approx(sum(missing), abs=1e-9)
        more_kwh = (states[-1, 0] - states_of[told[0]]) / 2.0
        assert outcome.cost == pytest.approx(PRICE @ electricity[:, 0] - more_kwh * PRICE.mean(), abs=1e-9)
    assert 0 < told[0].unserved_kwh < drawn.sum() / 2


def test_a_useful_temperature_above_the_ceiling_is_the_ceiling():
    habit = Habits(usual(["S"]), np.zeros(1, dtype=int))
    told = outcomes_of(BoilerData(temperature_max_c=45.0), 50.0, habit, MOMENTS, PRICE, DRAWN, 6.0)
    assert told[0].choice == Choice(45.0, 45.0)


def test_what_is_tried_is_one_change_each_that_makes_sense():
    assert choices_of(Choice(40.0, 65.0)) == [
        Choice(40.0, 65.0),
        *(Choice(45.0, 65.0), Choice(50.0, 65.0)),
        *(Choice(40.0, 60.0), Choice(40.0, 70.0), Choice(40.0, 75.0)),
    ]
    # no ceiling below what is wanted
    assert choices_of(Choice(45.0, 45.0))[1:3] == [Choice(40.0, 45.0), Choice(45.0, 60.0)]
    assert Choice(62.0, 60.0) not in choices_of(Choice(62.0, 65.0))
