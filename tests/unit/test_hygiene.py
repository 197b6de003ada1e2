from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from smart_boiler_plugin.physics.envelope import envelope
from smart_boiler_plugin.physics.hygiene import last_done, place
from smart_boiler_plugin.physics.tank import Tank
from smart_boiler_plugin.physics.tapping_profiles import drawn_kwh
from tests.unit.tanks import LinearProgramme, steps_of

QUARTER = timedelta(minutes=15)
HALF_AN_HOUR = timedelta(minutes=30)
TANK = Tank(volume_l=80, standing_loss_kwh_per_day=1.1093)
HOT = TANK.state_of_charge_kwh(60.0)
START = pd.Timestamp("2026-02-04", tz="Europe/Amsterdam")


def readings(*values):
    return pd.Series(values, index=pd.date_range(START, periods=len(values), freq="15min"))


def done(series):
    return last_done(series, 60.0, HALF_AN_HOUR, QUARTER)


def test_hygiene_is_done_at_the_end_of_two_hot_quarters():
    assert done(readings(55, 60, 61, 55)) == START + timedelta(minutes=45)


def test_the_last_time_counts():
    assert done(readings(60, 61, 50, 60, 60.5, 62)) == START + timedelta(minutes=90)


def test_two_hot_quarters_with_a_break_between_are_not_enough():
    assert done(readings(60, 55, 60, 55)) is None
    assert done(readings(60, 60, 60).drop(START + QUARTER)) is None


START_KWH = TANK.state_of_charge_kwh(52.0)


@pytest.mark.parametrize("seed", range(50))
def test_hygiene_is_put_where_it_costs_least_of_all_positions(seed):
    chance = np.random.default_rng(seed)
    n = 24
    begin = START + timedelta(hours=int(chance.integers(0, 18)))
    moments = pd.date_range(begin, periods=n, freq="15min")
    steps = steps_of(TANK, chance.uniform(0.7, 1.5) * drawn_kwh("SM"[seed % 2], moments, 0.25), 2.0)
    price = chance.uniform(-0.1, 0.4) + chance.uniform(0, 0.3, n)
    ceiling = np.full(n, TANK.state_of_charge_kwh(65.0))
    bounds = envelope(steps, START_KWH, np.full(n, TANK.state_of_charge_kwh(45.0)), ceiling)
    deadline = int(chance.integers(12, n))
    placed = place(bounds, price, START_KWH, HOT, 2, deadline=deadline)

    programme = LinearProgramme(bounds.steps, price, START_KWH, bounds.highest_kwh)
    by_force = {}
    for first in range(deadline - 1):
        lowest = bounds.lowest_kwh.copy()
        lowest[first : first + 3] = HOT
        cost = programme.lowest_cost(lowest)
        if cost is not None:
            by_force[first] = cost
    without = programme.lowest_cost(bounds.lowest_kwh)
    assert placed.count == 3
    assert placed.extra_cost == pytest.approx(min(by_force.values()) - without, abs=1e-6)
    assert by_force[placed.first] == pytest.approx(min(by_force.values()), abs=1e-6)


def test_too_late_for_the_deadline_hygiene_is_done_as_soon_as_possible():
    """From 10 °C at 2 kW, 60 °C take 10 quarters: it can be hot at the end of the tenth, and not before."""
    n = 20
    steps = steps_of(TANK, np.zeros(n), 2.0)
    bounds = envelope(steps, 0.0, np.zeros(n), np.full(n, TANK.state_of_charge_kwh(65.0)))
    placed = place(bounds, np.linspace(0.3, 0.1, n), 0.0, HOT, 2, deadline=3)
    assert (placed.first, placed.last) == (9, 11)


def test_what_cannot_be_reached_is_not_placed():
    steps = steps_of(TANK, np.zeros(8), 1.0)
    bounds = envelope(steps, 0.0, np.zeros(8), np.full(8, TANK.state_of_charge_kwh(65.0)))
    assert place(bounds, np.ones(8), 0.0, HOT, 2, deadline=7) is None


def test_a_tank_that_is_hot_already_stays_hot_where_that_is_cheapest():
    start = TANK.state_of_charge_kwh(60.5)
    bounds = envelope(steps_of(TANK, np.zeros(12), 2.0), start, np.zeros(12), np.full(12, 6.0))
    placed = place(bounds, np.full(12, 0.3), start, HOT, 2, deadline=11)
    assert placed.first == -1
    assert placed.extra_cost == pytest.approx(0, abs=1e-6)
