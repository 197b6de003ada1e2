"""How boilers follow set-points, and what is to be expected of them, worked out by hand."""

import numpy as np
import pytest

from smart_boiler_plugin.physics.boilers import Boilers
from smart_boiler_plugin.physics.expected import expected
from smart_boiler_plugin.physics.following import alone, need, relay
from smart_boiler_plugin.physics.set_points import set_points
from smart_boiler_plugin.physics.tank import Tank
from tests.unit.set_point_cases import ahead_of, boilers_of, random_case


@pytest.fixture(scope="module")
def five():
    """Five tanks of 100 l that keep their heat: 0.115878 kWh/K, and 0.375 kWh or 3.236 K in a quarter."""
    return Boilers.of(
        [Tank(100, 0.0)] * 5, power_kw=[1.5] * 5, cop=[1.0] * 5, temperature_max_c=[65.0] * 5, step_h=0.25
    )


def test_power_is_what_brings_a_tank_to_its_set_point_within_a_quarter(five):
    state_c = np.array([50.0, 48.382, 46.0, 52.0, 50.0])
    set_point_c = np.array([50.0, 50.0, 50.0, 50.0, 10.0])
    share = need(five, five.state_kwh(state_c), five.state_kwh(set_point_c))
    np.testing.assert_allclose(share, [0.0, 0.5, 1.0, 0.0, 0.0], atol=1e-4)


def test_losses_until_the_end_of_the_quarter_are_made_up_for():
    # 80 l of class C lose 1.1093 kWh in 24 h at 45 K; at 65 °C, around 20 °C, 11.555 Wh in a quarter: 3.1 % of 1.5 kW
    boilers = boilers_of(80)
    at = boilers.state_kwh(65.0)
    assert need(boilers, at, at)[0] == pytest.approx(0.0308, abs=1e-4)


def test_a_relay_is_on_where_more_than_half_of_the_quarter_is_needed(five):
    # half of a quarter is 1.618 K
    state_c = np.array([50.0, 48.4, 48.3, 30.0, 60.0])
    on = relay(five, five.state_kwh(state_c), five.state_kwh(np.full(5, 50.0)))
    assert on.tolist() == [False, False, True, True, False]


def follows(boilers, state_c, set_point_c, before_c, *, heating, **more):
    shares, on = alone(
        boilers,
        boilers.state_kwh(np.array(state_c)),
        boilers.state_kwh(np.array(set_point_c)),
        before_kwh=boilers.state_kwh(np.array(before_c)),
        heating=np.full(5, heating),
        **more,
    )
    return shares.tolist(), on.tolist()


def test_a_device_alone_goes_on_two_kelvin_below_or_where_the_set_point_rose_above_the_temperature(five):
    shares, on = follows(
        five, [49.1, 48.1, 47.9, 48.9, 48.9], [50.0] * 5, [48.0, 50.0, 50.0, 48.0, 49.5], heating=False
    )
    # the fourth is asked for 1.1 K that it was not before, which is noticed: 0.34 of a quarter; the first for 0.9 K,
    # which is not; the fifth has been below already
    assert shares == pytest.approx([0.0, 0.0, 2.1 / 3.236, 1.1 / 3.236, 0.0], abs=1e-3)
    assert on == [False] * 5


def test_another_hysteresis_is_that_of_the_boiler(five):
    shares, _ = follows(
        five,
        [45.1, 44.9, 47.6, 47.4, 49.0],
        [50.0] * 5,
        [50.0, 50.0, 45.0, 45.0, 50.0],
        heating=False,
        hysteresis_k=np.array([5.0, 5.0, 5.0, 5.0, 0.5]),
    )
    assert [share > 0 for share in shares] == [False, True, False, True, True]


def test_a_device_that_heats_goes_on_until_its_set_point_and_not_beyond(five):
    shares, on = follows(five, [49.0, 45.0, 50.0, 51.0, 40.0], [50.0, 50.0, 50.0, 50.0, 10.0], [50.0] * 5, heating=True)
    assert shares == pytest.approx([1 / 3.236, 1.0, 0.0, 0.0, 0.0], abs=1e-3)
    assert on == [False, True, False, False, False]


def test_what_is_expected_is_the_mean_of_both_that_can_happen(five):
    boilers = five[:1]
    # 50 °C, of which 10 K or nothing are drawn at even odds; then heated for a quarter, if needed: up to 50 °C
    drawn = 10 * float(boilers.heat_capacity_kwh_per_k[0])
    ahead = ahead_of(boilers, [0.2, 0.2], [[0.0, drawn], [0.0, 0.0]], [[0.5, 0.5], [1.0, 0.0]], useful_c=45.0)
    at = boilers.state_kwh(50.0)
    seen = expected(boilers, ahead, np.stack([at, at]), at, states=5501)
    np.testing.assert_allclose(seen.temperature_c[:, 0], [45.0, 45.0 + 3.236 / 2], atol=0.02)
    np.testing.assert_allclose(seen.power_kw[:, 0], [0.0, 0.75], atol=0.002)
    # where 10 K were drawn, the tank ends at 40 °C, 5 K too cold: half of 5 K
    np.testing.assert_allclose(seen.unserved_kwh[:, 0], [drawn / 4, 0.0], atol=0.002)


def test_a_tank_that_is_hotter_than_its_ceiling_is_expected_to_cool(five):
    boilers = five[:1]
    ahead = ahead_of(boilers, [0.2] * 2, np.zeros((2, 1)), np.ones((2, 1)))
    seen = expected(boilers, ahead, np.zeros((2, 1)), boilers.state_kwh(np.array([80.0])))
    np.testing.assert_allclose(seen.temperature_c[:, 0], [80.0, 80.0])


@pytest.mark.parametrize("seed", range(5))
def test_the_expected_cost_is_that_of_expected_power_and_unserved_heat(seed):
    boilers, ahead = random_case(np.random.default_rng(seed), n=30, sizes=5)
    start = boilers.state_kwh(47.3)
    found = set_points(boilers, ahead)
    seen = expected(boilers, ahead, found.states_kwh, start)
    end = np.quantile(ahead.price, 0.25) * seen.state_kwh[-1] / boilers.late / boilers.cop
    cost = (ahead.price * seen.power_kw / 4 + ahead.unserved_price * seen.unserved_kwh).sum(axis=0) - end
    np.testing.assert_allclose(found.expected_cost(start), cost, rtol=1e-9)
