import numpy as np
import pytest

from smart_boiler_plugin.physics.cheapest import cheapest_heat, costs_to_go
from smart_boiler_plugin.physics.envelope import Steps, envelope, follow
from smart_boiler_plugin.physics.thermostat import thermostat, thermostat_within
from tests.unit.tanks import LinearProgramme


def lossless(inflow, most=1.0):
    """Steps without losses, with up to ``most`` kWh of heat each."""
    inflow = np.asarray(inflow, dtype=float)
    return Steps(
        np.ones_like(inflow), inflow, np.zeros_like(inflow), np.full_like(inflow, most), np.maximum(-inflow, 0)
    )


def test_a_floor_that_can_be_kept_stays_as_it_is():
    bounds = envelope(lossless([0, 0, -1]), 3.0, np.full(3, 2.0), np.full(3, 5.0))
    assert bounds.lowest_kwh.tolist() == [2, 2, 2]
    assert bounds.highest_kwh.tolist() == [5, 5, 5]


def test_below_the_floor_the_tank_is_heated_at_full_power():
    """From 0 by 1 kWh a step to 2.5 kWh: 1, 2, then 2.5."""
    bounds = envelope(lossless([0, 0, 0]), 0.0, np.full(3, 2.5), np.full(3, 5.0))
    assert bounds.lowest_kwh.tolist() == [1, 2, 2.5]


def test_above_the_ceiling_the_tank_waits():
    bounds = envelope(lossless([-1, -1, -1]), 7.0, np.full(3, 0.0), np.full(3, 5.0))
    assert bounds.highest_kwh.tolist() == [6, 5, 5]


def test_a_floor_beyond_a_large_draw_off_makes_the_tank_heat_before_it():
    """A draw-off of 3 kWh in the third step, floor 2: at 1 kWh a step it must be at 4 before, and at 3 before that."""
    bounds = envelope(lossless([0, 0, -3]), 2.0, np.full(3, 2.0), np.full(3, 9.0))
    assert bounds.need_kwh.tolist() == [3, 4, 2]


def test_a_ceiling_is_not_broken_for_a_floor():
    bounds = envelope(lossless([0, 0]), 2.0, np.array([4.0, 4.0]), np.array([2.5, 3.0]))
    assert bounds.lowest_kwh.tolist() == [2.5, 3.0]
    assert bounds.highest_kwh.tolist() == [2.5, 3.0]


def test_heat_that_is_not_there_cannot_be_drawn():
    """3 kWh are wanted of 1 kWh in the tank and 1 kWh of heat: 1 kWh is not served, and the next step begins at 0."""
    bounds = envelope(lossless([-3, 0]), 1.0, np.full(2, 0.0), np.full(2, 5.0))
    assert bounds.not_served_kwh.tolist() == [1, 0]
    assert bounds.lowest_kwh.tolist() == [0, 0]
    assert bounds.top_kwh.tolist() == [0, 1]


def test_a_target_that_cannot_be_reached_is_met_as_nearly_as_possible():
    bounds = envelope(lossless([0, 0]), 1.0, np.full(2, 0.0), np.full(2, 5.0), {1: 4.0})
    assert bounds.lowest_kwh.tolist() == [0, 3]
    assert bounds.highest_kwh.tolist() == [5, 3]


RANDOM = pytest.mark.parametrize(
    "cases", [pytest.param(100, id="100"), pytest.param(5000, id="5000", marks=pytest.mark.long)]
)


def random_problem(seed):
    """Any tank, any draw-offs, any wishes, any prices, whether they fit together or not.

    In every other one numbers are round, so that prices tie and bounds touch.
    """
    chance = np.random.default_rng(seed)

    def number(low, high, size=None):
        return np.round(chance.uniform(low, high, size), 1 if seed % 2 else 9)

    n = 24
    drawn = number(0, 1.5, n) * (chance.random(n) < chance.uniform())
    heat_max = np.full(n, number(0.1, 2))
    steps = Steps(np.full(n, number(0.9, 1)), 0.02 - drawn, np.zeros(n), heat_max, drawn)
    return steps, number(-0.5, 8), number(0, 6, n), number(2, 7, n), number(-0.2, 0.5, n)


@RANDOM
def test_the_wishes_that_are_left_can_be_met_at_the_price_that_a_linear_programme_finds(cases):
    for seed in range(cases):
        steps, start, lowest, highest, price = random_problem(seed)
        bounds = envelope(steps, start, lowest, highest)
        steps = bounds.steps
        heat = cheapest_heat(bounds, price, start)
        states = follow(steps, start, heat)
        assert (heat >= -1e-9).all(), seed
        assert (heat <= steps.heat_max_kwh + 1e-9).all(), seed
        assert (states >= bounds.lowest_kwh - 1e-7).all(), seed
        assert (states <= bounds.highest_kwh + 1e-7).all(), seed

        expected = LinearProgramme(steps, price, start, bounds.highest_kwh).lowest_cost(bounds.lowest_kwh)
        assert price @ heat == pytest.approx(expected, abs=1e-6), seed
        assert costs_to_go(bounds, price)[0].at(start) == pytest.approx(expected, abs=1e-6), seed


def test_a_tank_without_a_ceiling_at_the_end_has_its_cheapest_plan_too():
    """3 kWh can be put in at the price of 0.1, and the ceiling of the first step leaves 2; the rest is dear."""
    bounds = envelope(lossless([0, 0, 0], 3.0), 1.0, np.array([0, 0, 4.0]), np.array([3.0, np.inf, np.inf]))
    price = np.array([0.1, 0.3, 0.2])
    assert cheapest_heat(bounds, price, 1.0).tolist() == [2, 0, 1]
    assert costs_to_go(bounds, price)[0].at(1.0) == pytest.approx(0.4)


@RANDOM
def test_a_thermostat_within_bounds_keeps_them(cases):
    for seed in range(cases):
        steps, start, lowest, highest, _ = random_problem(seed)
        bounds = envelope(steps, start, lowest, highest)
        heat = thermostat_within(bounds, start, restart_kwh=3.0, full_kwh=3.5)
        states = follow(bounds.steps, start, heat)
        assert (states >= bounds.lowest_kwh - 1e-7).all(), seed
        assert (states <= bounds.highest_kwh + 1e-7).all(), seed


def test_a_thermostat_heats_up_to_its_set_point_and_lets_the_tank_fall_before_it_heats_again():
    """By hand: from 3 at 1 kWh a step to 4.5, then 0.5 kWh a step drawn until 3."""
    inflow = [0, 0, -0.5, -0.5, -0.5, 0]
    heat, states = thermostat(3.0, retention=1.0, inflow_kwh=inflow, heat_max_kwh=1.0, restart_kwh=3.0, full_kwh=4.5)
    assert heat.tolist() == [1, 0.5, 0, 0, 0, 1]
    assert states.tolist() == [4, 4.5, 4, 3.5, 3, 4]


def test_many_thermostats_at_once_do_what_each_does_alone():
    inflow = np.random.default_rng(1).uniform(-0.5, 0.1, (40, 3))
    options = {"retention": 0.99, "heat_max_kwh": 0.4, "restart_kwh": 3.0, "full_kwh": 3.5}
    heat, _ = thermostat(np.array([3.0, 3.2, 3.4]), inflow_kwh=inflow, **options)
    for boiler, start in enumerate([3.0, 3.2, 3.4]):
        alone, _ = thermostat(start, inflow_kwh=inflow[:, boiler], **options)
        np.testing.assert_array_equal(heat[:, boiler], alone)


def test_a_ceiling_is_kept_where_some_heat_cannot_be_left_out():
    """1 kWh comes in each step whether wanted or not: 5 kWh at the end are 4 before, 3 before that."""
    steps = Steps(np.ones(3), np.zeros(3), np.ones(3), np.full(3, 2.0), np.zeros(3))
    bounds = envelope(steps, 0.0, np.full(3, -np.inf), np.array([9.0, 9.0, 5.0]))
    assert bounds.cap_kwh.tolist() == [3, 4, 5]
