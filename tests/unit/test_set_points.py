"""The programme of set-points: against an independent answer, against enumeration, and worked out by hand."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_boiler_plugin.physics.boilers import AT_ONCE, Boilers
from smart_boiler_plugin.physics.expected import expected, set_points_and_expected
from smart_boiler_plugin.physics.set_points import STATES, Ahead, price_of_unserved, set_points
from smart_boiler_plugin.physics.states import DrawOffs, Grid, Places
from smart_boiler_plugin.physics.tank import Tank
from tests.unit.set_point_cases import ahead_of, boilers_of, expected_by_enumeration, random_case

ROOT = Path(__file__).parents[2]
REFERENCE = json.loads((ROOT / "tests" / "data" / "set-point-reference.json").read_text())
PRICES = ROOT / "smart_boiler_plugin" / "demo" / "data" / "day-ahead-prices-BE-2025-10-29.csv"


@pytest.fixture(scope="module")
def reference_draw_offs():
    """Sizes [kWh] and probabilities of the reference by quarter of day."""
    sizes, probabilities = np.zeros((96, 3)), np.zeros((96, 3))
    for quarter, drawn in REFERENCE["draw_offs_kwh_and_probability_by_quarter_of_day"].items():
        for number, (size, probability) in enumerate(drawn, start=1):
            sizes[int(quarter), number], probabilities[int(quarter), number] = size, probability
    probabilities[:, 0] = 1 - probabilities.sum(axis=1)
    return sizes, probabilities


@pytest.fixture(scope="module")
def reference_price():
    """Price per quarter [EUR/kWh]."""
    return pd.read_csv(PRICES)["eur_per_mwh"].to_numpy() / 1000


@pytest.mark.parametrize("r", [2.5, 6.0])
@pytest.mark.parametrize(("states", "within_k", "cost_within"), [(2561, 0.0051, 2e-4), (160, 1.5, 0.01)])
def test_set_points_and_cost_are_those_of_an_independent_answer(
    r, states, within_k, cost_within, reference_draw_offs, reference_price
):
    boilers = boilers_of(80)
    found = set_points(boilers, ahead_of(boilers, reference_price, *reference_draw_offs, r=r), states=states)
    expected = REFERENCE["results"][f"r={r:g}"]
    np.testing.assert_allclose(found.temperatures_c[:, 0], expected["set_point_c"], rtol=0, atol=within_k)
    cost = found.expected_cost(boilers.state_kwh(50.0))[0]
    assert cost == pytest.approx(expected["expected_cost_from_50_c_eur"], rel=cost_within)


@pytest.mark.parametrize("seed", range(12))
def test_expected_cost_is_that_of_following_the_set_points_on_every_path_of_draw_offs(seed):
    chance = np.random.default_rng(seed)
    boilers, ahead = random_case(chance)
    if seed % 3 == 0:
        floor = np.repeat(boilers.state_kwh(45.0)[None], len(ahead.price), axis=0)
        ahead = replace(ahead, floor_kwh=floor * chance.integers(0, 2, floor.shape))
    start = boilers.state_kwh(chance.uniform(15, 65))
    found = set_points(boilers, ahead, states=20001)
    cost, unserved = expected_by_enumeration(boilers, ahead, float(start[0]), found.states_kwh[:, 0].tolist())
    assert found.expected_cost(start)[0] == pytest.approx(cost, abs=2e-4)
    seen = expected(boilers, ahead, found.states_kwh, start, states=20001)
    assert seen.unserved_kwh.sum() == pytest.approx(unserved, abs=2e-4)


def least_cost_of_all_powers(boilers, ahead, states, start_kwh):
    """Return the least expected cost [EUR] where any state within reach may be chosen, from each state anew."""
    grid = Grid(boilers, boilers.ceiling_kwh, states)
    heat_price = grid.step_kwh / (boilers.late * boilers.cop)
    values = -np.quantile(ahead.price, 0.25, axis=0)[:, None] * heat_price * grid.all
    low, high = grid.idle[0], grid.heated(np.array([float(states)]))[0]
    for step in reversed(range(len(ahead.price))):
        price = float(ahead.price[step, 0] * heat_price[0])
        draw_offs = grid.draw_offs(ahead.sizes_kwh[step], ahead.probabilities[step])
        unserved = draw_offs.unserved(ahead.useful_kwh / grid.step_kwh)
        before = draw_offs.before(values) + ahead.unserved_price * grid.step_kwh * unserved
        # all states of the grid within reach, and both ends of the reach; between them W is linear
        options = [np.clip(np.floor(low) + number, low, high) for number in range(int((high - low).max()) + 3)]
        costs = [price * (aim - low) + Places(aim[None], states).of(before)[0] for aim in options]
        values = np.min(costs, axis=0)[None]
    return float(Places((start_kwh / grid.step_kwh)[:, None], states).of(values)[0, 0])


@pytest.mark.parametrize("r", [2.5, 4.0, 6.0])
@pytest.mark.parametrize("household", ["reference", "spread"])
def test_a_programme_over_all_powers_is_at_most_six_per_cent_cheaper(
    r, household, reference_draw_offs, reference_price
):
    boilers = boilers_of(80)
    sizes, probabilities = reference_draw_offs
    if household == "spread":
        quarter, chance = np.arange(96), np.random.default_rng(1)
        often = 0.15 * np.exp(-(((quarter - 29) / 4) ** 2)) + 0.2 * np.exp(-(((quarter - 82) / 6) ** 2))
        sizes = np.stack([0 * quarter, chance.uniform(0.1, 0.5, 96), chance.uniform(0.5, 1.6, 96)], axis=1)
        probabilities = np.stack([1 - often, often * 0.7, often * 0.3], axis=1)
    ahead = ahead_of(boilers, reference_price, sizes, probabilities, r=r)
    start = boilers.state_kwh(50.0)
    worth = float(np.quantile(reference_price, 0.25) * start[0] / boilers.late[0])
    cost = float(set_points(boilers, ahead).expected_cost(start)[0]) + worth
    least = least_cost_of_all_powers(boilers, ahead, STATES, start) + worth
    assert 0.94 * cost <= least <= cost + 1e-9


def test_many_boilers_at_once_get_what_each_gets_alone():
    chance = np.random.default_rng(3)
    cases = [random_case(chance, n=12, sizes=4) for _ in range(AT_ONCE + 3)]
    together = Boilers(**{name: np.concatenate([getattr(b, name) for b, _ in cases]) for name in vars(cases[0][0])})
    joined = {
        name: np.concatenate([getattr(a, name) for _, a in cases], axis=axis)
        for name, axis in (
            ("price", 1), ("sizes_kwh", 1), ("probabilities", 1), ("useful_kwh", 0), ("unserved_price", 0)
        )
    }  # fmt: skip
    ahead = Ahead(**joined)
    found = set_points(together, ahead)
    start = together.state_kwh(45.0)
    seen = expected(together, ahead, found.states_kwh, start)
    for number in (0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 2):
        alone = set_points(*cases[number])
        np.testing.assert_allclose(found.states_kwh[:, number], alone.states_kwh[:, 0], atol=1e-9)
        np.testing.assert_allclose(found.cost_by_state[number], alone.cost_by_state[0], atol=1e-9)
        seen_alone = expected(*cases[number], alone.states_kwh, start[number : number + 1])
        np.testing.assert_allclose(seen.unserved_kwh[:, number], seen_alone.unserved_kwh[:, 0], atol=1e-9)
        np.testing.assert_allclose(seen.power_kw[:, number], seen_alone.power_kw[:, 0], atol=1e-9)


@pytest.mark.parametrize("above_k", [-10.0, 20.0])
def test_both_at_once_are_the_same_as_one_after_the_other_above_the_ceiling_too(above_k):
    chance = np.random.default_rng(4)
    boilers, ahead = random_case(chance, n=12, sizes=4)
    start = boilers.ceiling_kwh + above_k * boilers.heat_capacity_kwh_per_k
    found, seen = set_points_and_expected(boilers, ahead, start)
    first = set_points(boilers, ahead)
    then = expected(boilers, ahead, first.states_kwh, start)
    for both, each in ((found, first), (seen, then)):
        for name, values in vars(each).items():
            np.testing.assert_array_equal(getattr(both, name), values)
    assert seen.state_kwh.any()


@pytest.fixture
def lossless():
    """A tank of 80 l that keeps its heat."""
    return Boilers.of([Tank(80, 0.0)], power_kw=[1.5], cop=[1.0], temperature_max_c=[65.0], step_h=0.25)


def test_a_draw_off_that_is_certain_is_heated_for_in_time_and_not_more(lossless):
    # 1 kWh is drawn in the second quarter: 2.7811 kWh (40 °C) + 1 kWh before it, of which 1.5 kW / 4 can come in that
    # quarter itself; all prices are equal, so that more would gain nothing
    ahead = ahead_of(lossless, [0.2, 0.2], [[0.0], [1.0]], [[1.0], [1.0]])
    found = set_points(lossless, ahead, states=5501)
    np.testing.assert_allclose(found.states_kwh[:, 0], [3.7811 - 0.375, 3.7811], atol=0.002)
    # from there: 0.375 kWh of power, nothing unserved, and 2.7811 kWh left at 0.2 EUR/kWh
    assert found.expected_cost(np.array([3.4061]))[0] == pytest.approx(0.2 * (0.375 - 2.7811), abs=1e-3)
    # from cold water: 0.75 kWh are all that can be had, 1 kWh is unserved at 6 times 0.2 EUR/kWh; the tank ends empty
    assert found.expected_cost(np.array([0.0]))[0] == pytest.approx(0.2 * 0.75 + 1.2, abs=1e-3)


def test_heat_is_made_where_it_costs_less_than_it_is_worth_in_the_end(lossless):
    # the 25 % quantile of 0.1, 0.3, 0.3, 0.3 and -0.1 is 0.1: the quarter at -0.1 heats up to the ceiling, that at 0.1
    # would win nothing
    ahead = ahead_of(lossless, [0.3, 0.3, -0.1, 0.1, 0.3], np.zeros((5, 1)), np.ones((5, 1)))
    found = set_points(lossless, ahead)
    np.testing.assert_allclose(found.temperatures_c[:, 0], [10, 10, 65, 10, 10])


def test_a_hard_floor_holds_after_the_draw_off_and_nowhere_else(lossless):
    nothing = np.zeros((6, 1))
    drawn = nothing.copy()
    drawn[3] = 0.2
    floors = [10.0, 10.0, 60.5, 60.5, 10.0, 10.0]
    ahead = ahead_of(lossless, [0.2] * 6, drawn, nothing + 1, floor_c=floors)
    found = set_points(lossless, ahead, states=5501)
    state_c = 60.5 + 0.2 / lossless.heat_capacity_kwh_per_k[0]
    assert found.temperatures_c[3, 0] == pytest.approx(state_c, abs=0.02)
    assert found.temperatures_c[2, 0] == pytest.approx(60.5, abs=0.02)
    assert (found.temperatures_c[4:, 0] < 40.1).all()


@pytest.mark.parametrize("r", [1.99, 0.0, -1.0, float("nan")])
def test_unserved_heat_that_counts_too_little_is_refused(r):
    with pytest.raises(ValueError, match="at least 2 times"):
        price_of_unserved(r, np.array([0.2]))


def test_unserved_heat_has_a_price_where_power_is_for_free():
    np.testing.assert_allclose(price_of_unserved(6.0, np.array([0.25, 0.0, -0.1])), [1.5, 0.12, 0.12])


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    level=st.sampled_from(["negative", "equal", "ordinary", "free"]),
    most_kwh=st.sampled_from([0.0, 0.5, 4.0, 50.0]),
    floor_c=st.sampled_from([None, 50.0, 90.0]),
)
def test_set_points_lie_between_cold_water_and_the_ceiling_whatever_comes(seed, level, most_kwh, floor_c):
    chance = np.random.default_rng(seed)
    n, ceiling = 8, chance.uniform(45, 85)
    boilers = boilers_of(chance.uniform(5, 300), power_kw=chance.uniform(0.5, 6), temperature_max_c=ceiling)
    price = {"negative": chance.uniform(-0.139, 0.0, n), "equal": np.full(n, 0.2), "free": np.zeros(n)}.get(
        level, chance.uniform(-0.1, 0.5, n)
    )
    sizes = np.append(np.zeros((n, 1)), chance.uniform(0, 1, (n, 2)) * most_kwh, axis=1)
    floors = None if floor_c is None else np.full(n, floor_c)
    ahead = ahead_of(boilers, price, sizes, chance.dirichlet(np.ones(3), n), floor_c=floors)
    start = boilers.state_kwh(chance.uniform(5, 95))
    found = set_points(boilers, ahead)
    assert np.isfinite(found.cost_by_state).all()
    assert (found.states_kwh >= 0).all()
    assert (found.states_kwh <= boilers.ceiling_kwh + 1e-9).all()
    seen = expected(boilers, ahead, found.states_kwh, start)
    assert (seen.state_kwh <= np.maximum(start, boilers.ceiling_kwh) + 1e-9).all()
    assert ((seen.power_kw >= -1e-9) & (seen.power_kw <= boilers.power_kw + 1e-9)).all()
    drawn = (sizes * ahead.probabilities[:, 0]).sum(axis=1)[:, None]
    assert ((seen.unserved_kwh >= -1e-9) & (seen.unserved_kwh <= drawn + 1e-9)).all()
    if level == "equal" and most_kwh == 0 and floor_c is None:
        assert (found.states_kwh == 0).all()


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.floats(0, 30), min_size=1, max_size=6),
    useful=st.floats(0, 25),
    seed=st.integers(0, 2**31),
)
def test_unserved_heat_is_what_a_draw_off_leaves_below_the_useful_state(sizes, useful, seed):
    chances = np.random.default_rng(seed).dirichlet(np.ones(len(sizes)))
    found = DrawOffs(np.array([sizes]), chances[None], 21).unserved(np.array([useful]))[0]
    for state in range(21):
        each = [min(max(useful - max(state - size, 0.0), 0.0), size) for size in sizes]
        assert found[state] == pytest.approx(float(chances @ each), abs=1e-9)
