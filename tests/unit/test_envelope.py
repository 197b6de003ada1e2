import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from smart_boiler_plugin.cheapest import cheapest_heat, costs_to_go
from smart_boiler_plugin.envelope import Steps, envelope, follow
from smart_boiler_plugin.thermostat import thermostat, thermostat_within

HALF_HOURS = 24


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


@st.composite
def problems(draw):
    """Any tank, any draw-offs, any wishes, any prices."""
    n = HALF_HOURS
    series = lambda low, high: np.array(draw(st.lists(st.floats(low, high), min_size=n, max_size=n)))  # noqa: E731
    drawn = series(0, 1.5)
    steps = Steps(
        np.full(n, draw(st.floats(0.9, 1))), 0.02 - drawn, np.zeros(n), np.full(n, draw(st.floats(0.1, 2))), drawn
    )
    return steps, draw(st.floats(-0.5, 8)), series(0, 6), series(2, 7), series(-0.2, 0.5)


@given(problems())
@settings(max_examples=60, deadline=None)
def test_the_wishes_that_are_left_can_be_met_at_the_price_that_a_linear_programme_finds(problem):
    steps, start, lowest, highest, price = problem
    bounds = envelope(steps, start, lowest, highest)
    steps = bounds.steps
    heat = cheapest_heat(bounds, price, start)
    states = follow(steps, start, heat)
    assert (heat >= -1e-9).all()
    assert (heat <= steps.heat_max_kwh + 1e-9).all()
    assert (states >= bounds.lowest_kwh - 1e-7).all()
    assert (states <= bounds.highest_kwh + 1e-7).all()

    n = len(price)
    reach = np.tril(steps.retention[0] ** (np.arange(n)[:, None] - np.arange(n)).clip(0))
    idle = follow(steps, start, np.zeros(n))
    solved = linprog(
        price,
        A_ub=np.vstack([reach, -reach]),
        b_ub=np.concatenate([bounds.highest_kwh + 1e-9 - idle, idle - bounds.lowest_kwh + 1e-9]),
        bounds=list(zip(np.zeros(n), steps.heat_max_kwh, strict=True)),
    )
    assert solved.success, solved.message
    assert price @ heat == pytest.approx(solved.fun, abs=1e-6)
    assert costs_to_go(bounds, price)[0](start) == pytest.approx(solved.fun, abs=1e-6)


@given(problems())
@settings(max_examples=30, deadline=None)
def test_a_thermostat_within_bounds_keeps_them(problem):
    steps, start, lowest, highest, _ = problem
    bounds = envelope(steps, start, lowest, highest)
    heat = thermostat_within(bounds, start, restart_kwh=3.0, full_kwh=3.5)
    states = follow(bounds.steps, start, heat)
    assert (states >= bounds.lowest_kwh - 1e-7).all()
    assert (states <= bounds.highest_kwh + 1e-7).all()


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
