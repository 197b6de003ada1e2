"""A boiler of which nobody has said what is wanted: its outlook, its set-points, its reserve. No database, no host."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from smart_boiler_plugin.boiler.comfort import Away, Comfort, Hygiene, Period
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.learning.learn import DrawOffsOfDay, Habits, usual
from smart_boiler_plugin.learning.side_by_side import boilers_of
from smart_boiler_plugin.physics.set_points import Ahead, set_points
from smart_boiler_plugin.plan.ahead import looks_ahead, problem_ahead, problem_with_reserve
from smart_boiler_plugin.plan.outlook import outlook, reserve_kwh
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.plan.prices import of_facts
from smart_boiler_plugin.plan.set_points import solve_by_set_points
from smart_boiler_plugin.plan.solve import solve
from smart_boiler_plugin.plan.span import Span
from tests.unit.plans import QUARTER, START, device, facts, prices

BOILER = BoilerData()
QUARTERS = 96
WAVE = 0.20 + 0.10 * np.sin(np.arange(2 * QUARTERS) / 8) + 0.0001 * np.arange(2 * QUARTERS)
KNOWN = {"price": (START, WAVE), "temperature_c": (START - QUARTER, [52.0])}


def habit(profile="S", days=0):
    return Habits(usual([profile]), np.array([days]))


PROFILE_S = habit()
NO_HYGIENE = Comfort(hygiene=Hygiene(off_because="test"))


def span(hours=24):
    return Span(START, START + timedelta(hours=hours), QUARTER, START)


def problem(data=BOILER, *, comfort=NO_HYGIENE, rules=None, known=None, habit=PROFILE_S, hours=24, **more):
    known = facts(**{**KNOWN, **(known or {})}) if not hasattr(known, "quarters") else known
    return problem_ahead(data, comfort, known, rules or Policy(), habit=habit, span=span(hours), **more)


def answer(*given, hours=24, **more):
    (found,) = solve_by_set_points([problem(*given, hours=hours, **more)], 4 * hours)
    return found


def at(clock):
    """Return the quarter of the plan that begins at a time of day."""
    hour, minute = map(int, clock.split(":"))
    return hour * 4 + minute // 15


# --- set-points


def test_set_points_are_those_of_the_programme_on_the_same_facts():
    """All by hand: the profile's distribution, lambda = 6 * the mean price, 40 °C are 2.78096 kWh, no floor."""
    found = answer()
    draw_offs = usual(["S"])
    ahead = Ahead(
        price=WAVE[:QUARTERS, None],
        sizes_kwh=draw_offs.sizes_kwh,
        probabilities=draw_offs.probabilities,
        useful_kwh=np.array([80 * 0.997 * 4.184 / 3600 * 30]),
        unserved_price=np.array([6 * WAVE[:QUARTERS].mean()]),
    )
    expected = set_points(boilers_of([BOILER]), ahead)
    np.testing.assert_allclose(found.set_points_c, expected.temperatures_c[:, 0], atol=1e-9)
    assert found.account["plan"] == "set-points"


def test_the_account_tells_what_the_plan_rests_on_and_what_is_to_be_expected():
    known = replace(facts(**KNOWN), mean_price=0.3)
    found = answer(known=known, habit=habit(days=9))
    assert found.account["draw_offs"] == {
        "days_learned": 9,
        "tapping_profile": "S",
        "weight_of_tapping_profile": 0.25,
        "steps_from_sensor": 0,
        "steps_expected": 96,
    }
    assert found.account["unserved_heat_counts"] == pytest.approx(1.8)
    assert found.account["expected_cost"] == pytest.approx(WAVE[:QUARTERS] @ found.power_kw / 4, abs=1e-6)
    assert 0 <= float(found.account["expected_unserved"].split()[0]) < 0.1
    assert found.account["start"]["from"] == "reading"


def test_heat_is_expected_to_be_conserved():
    """What is heated is what is drawn on average, lost and left; the little that an empty tank cannot give aside."""
    found, tank = answer(), BOILER.tank
    lost = tank.heat_loss_coefficient_kw_per_k * (tank.temperature_c(found.mean_states_kwh) - 20).sum() / 4
    drawn = (usual(["S"]).sizes_kwh * usual(["S"]).probabilities).sum()
    left = found.states_kwh[-1] - found.states_kwh[0]
    assert found.power_kw.sum() / 4 == pytest.approx(drawn + lost + left, abs=0.02)


def test_many_boilers_at_once_get_what_each_gets_alone():
    cases = [
        {},
        {"data": BoilerData(volume_l=120, power_kw=2.0), "habit": habit("M")},
        {"known": {"price": (START, [])}},
        {"comfort": replace(NO_HYGIENE, useful_temperature_c=50.0)},
    ]
    problems = [problem(**case) for case in cases]
    for together, case in zip(solve_by_set_points(problems), cases, strict=True):
        alone = answer(**case)
        np.testing.assert_allclose(together.set_points_c, alone.set_points_c, atol=1e-9)
        np.testing.assert_allclose(together.power_kw, alone.power_kw, atol=1e-9)
        assert together.account == alone.account


def test_problems_of_different_lengths_are_solved_each_by_itself():
    longer, shorter = solve_by_set_points([problem(hours=36), problem()])
    assert (len(longer.power_kw), len(shorter.power_kw)) == (144, 96)
    np.testing.assert_allclose(shorter.set_points_c, answer().set_points_c)


def test_a_plan_of_a_few_hours_sees_what_comes_after_them():
    whole, part = answer(), answer(hours=5)
    np.testing.assert_allclose(part.set_points_c, whole.set_points_c[:20])
    assert len(part.states_kwh) == 21
    assert part.account["expected_cost"] == pytest.approx(WAVE[:20] @ part.power_kw / 4, abs=1e-6)
    assert looks_ahead(span(5)).end == START + timedelta(hours=24)
    assert looks_ahead(span(30)).end == START + timedelta(hours=30)


# --- what is wanted


def test_who_wants_it_warmer_is_served_warmer_at_a_higher_cost():
    found = [answer(comfort=replace(NO_HYGIENE, useful_temperature_c=useful)) for useful in (40.0, 45.0, 50.0)]
    costs = [each.account["expected_cost"] for each in found]
    assert costs == sorted(costs)
    assert costs[2] > 1.05 * costs[0]


def test_what_lies_above_the_ceiling_cannot_be_wanted():
    low = BoilerData(temperature_max_c=38.0)
    found = answer(low, comfort=replace(NO_HYGIENE, useful_temperature_c=45.0), start=(2.0, {"from": "test"}))
    assert found.set_points_c.max() <= 38.0 + 1e-9
    assert found.power_kw.sum() > 0


@pytest.mark.parametrize("floor", ["own", "of all", "both"])
def test_a_hard_floor_holds_always_where_somebody_asked_for_one(floor):
    own, of_all = {"own": (50.0, None), "of all": (None, 50.0), "both": (45.0, 50.0)}[floor]
    found = answer(BoilerData(temperature_min_c=own), rules=Policy(floor_c=of_all))
    assert found.set_points_c.min() >= 50.0 - 1e-6
    assert BOILER.tank.temperature_c(found.states_kwh.min()) >= 50.0 - 0.5


def test_without_one_a_tank_may_be_cold_while_nobody_draws():
    assert answer().set_points_c.min() == pytest.approx(10.0)
    assert answer(rules=Policy(floor_c=70.0)).set_points_c.min() == pytest.approx(65.0)


def test_a_programme_holds_after_the_draw_offs_of_its_quarters():
    period = Period((0, 1, 2, 3, 4, 5, 6), *(pd.Timestamp(clock).time() for clock in ("03:00", "04:00")), 58.0)
    found = answer(comfort=replace(NO_HYGIENE, programme=(period,)))
    assert found.set_points_c[at("03:00") : at("04:00")].min() >= 58.0 - 1e-6
    assert BOILER.tank.temperature_c(found.states_kwh[at("03:00") + 1]) == pytest.approx(58.0, abs=0.5)
    assert found.set_points_c[at("05:00") : at("06:00")].max() < 58.0


def test_a_boost_heats_to_the_ceiling_at_once():
    found = answer(comfort=replace(NO_HYGIENE, boost_until=START + timedelta(hours=2)))
    np.testing.assert_allclose(found.set_points_c[:8], 65.0)
    np.testing.assert_allclose(found.power_kw[:3], 1.5, atol=1e-3)


def test_nothing_is_heated_for_an_empty_house():
    away = Away(START - timedelta(days=1), START + timedelta(days=2))
    found = answer(comfort=replace(NO_HYGIENE, away=away), known={"price": (START, np.full(QUARTERS, 0.2))})
    assert found.power_kw.sum() == pytest.approx(0.0)
    assert found.account["draw_offs"]["steps_nobody_at_home"] == 96


def test_the_water_is_warm_again_on_return():
    away = Away(START - timedelta(days=1), START + timedelta(hours=18))
    found = answer(comfort=replace(NO_HYGIENE, away=away), start=(BOILER.tank.state_of_charge_kwh(30.0), {}))
    states_c = BOILER.tank.temperature_c(found.states_kwh)
    assert found.set_points_c[: at("06:00")].max() < 30.0
    assert states_c[at("20:30")] > 45.0


def test_hygiene_is_a_hard_floor_where_it_costs_least():
    in_service = {"temperature_c": (START - timedelta(days=6, hours=8), [52.0] * (6 * 96 + 32))}
    found = answer(comfort=Comfort(), known=in_service)
    begin, end = (pd.Timestamp(found.account["hygiene"][name]) for name in ("planned_from", "planned_until"))
    hot = [BOILER.tank.temperature_c(state) for state in found.states_kwh[(begin - START) // QUARTER :][:3]]
    assert (end - begin) == timedelta(minutes=30)
    assert min(hot) >= 60.0
    # cheapest before it is due, at 16:00: when the wave is low
    assert WAVE[(begin - START) // QUARTER] < 0.15


def test_what_serving_is_worth_is_what_the_operator_says_and_up_to_the_ceiling():
    """40 °C are 2.78096 kWh, and 38 °C 0.18540 kWh less; 3 times 0.2 EUR/kWh."""
    low = BoilerData(temperature_max_c=38.0)
    found = outlook(
        low,
        Comfort(),
        facts(),
        Policy(comfort_weight=3.0),
        habit=PROFILE_S,
        mean_price=0.2,
        start=START,
        end=START + timedelta(days=1),
    )
    assert found.useful_kwh == pytest.approx(2.78096 - 0.18540, abs=1e-4)
    assert found.unserved_price == pytest.approx(0.6)


def test_a_floor_for_all_is_no_higher_than_a_ceiling():
    assert Policy(floor_c=70.0).floor_of(BOILER) == 65.0
    assert Policy().floor_of(BOILER) is None


def test_a_boiler_as_it_is_has_the_limit_of_its_tank():
    """65 °C are 55 K above cold water: 5.09843 kWh."""
    np.testing.assert_allclose(problem().device.highest_kwh, 5.09843, atol=1e-4)


# --- what is drawn


def test_draw_offs_that_somebody_foretold_are_certain():
    """3 kWh at noon and nothing else: the tank is hot just before, and left cold after."""
    drawn = np.zeros(2 * QUARTERS)
    drawn[at("12:00")] = 3.0
    found = answer(known={"expected_kwh": (START, drawn)})
    states_c = BOILER.tank.temperature_c(found.states_kwh)
    assert found.account["draw_offs"]["steps_from_sensor"] == 96
    assert states_c[at("12:00")] > 60.0
    dear = WAVE[:QUARTERS] > np.quantile(WAVE[:QUARTERS], 0.25)
    assert found.set_points_c[at("12:15") :][dear[at("12:15") :]].max() < 42.0


def test_a_forecast_of_means_is_passed_over():
    forecast = answer(known={"forecast_kwh": (START, np.full(96, 0.03))})
    np.testing.assert_allclose(forecast.set_points_c, answer().set_points_c)
    assert forecast.account["draw_offs"]["steps_of_forecast_passed_over"] == 96


def test_while_nobody_is_at_home_only_what_is_measured_counts():
    away = Comfort(away=Away(START, START + timedelta(hours=12)))
    known = facts(expected_kwh=(START, np.full(96, 0.1)), demand_kwh=(START, [0.2]))
    seen = outlook(
        BOILER, away, known, Policy(), habit=PROFILE_S, mean_price=0.2, start=START, end=START + timedelta(days=1)
    )
    np.testing.assert_allclose(seen.mean_kwh, [0.2] + [0.0] * 47 + [0.1] * 48)


def test_quarters_of_the_day_are_those_of_the_clock_on_the_day_it_changes():
    """On 2025-10-26 the hour from 02:00 is there twice: 07:00 is the 33rd quarter."""
    begin = pd.Timestamp("2025-10-26", tz="Europe/Amsterdam")
    quarters = pd.date_range(begin, begin + timedelta(days=3), freq=QUARTER, inclusive="left")
    known = replace(facts(), quarters=quarters, **{name: np.full(len(quarters), np.nan) for name in NAMES})
    sizes = np.zeros((96, 1, 1))
    sizes[28] = 0.5
    seen = outlook(
        BOILER,
        Comfort(),
        known,
        Policy(),
        habit=Habits(DrawOffsOfDay(sizes, np.ones((96, 1, 1))), np.zeros(1)),
        mean_price=0.2,
        start=begin,
        end=begin + timedelta(hours=25),
    )
    assert np.flatnonzero(seen.mean_kwh).tolist() == [32]


NAMES = ("temperature_c", "metered_kw", "planned_kw", "demand_kwh", "expected_kwh", "forecast_kwh", "price")


# --- states and prices


@pytest.mark.parametrize("start_c", [5.0, 10.0, 30.0, 64.9, 80.0, 95.0])
@pytest.mark.parametrize("level", [0.3, 0.0, -0.3])
def test_every_state_gets_a_plan(start_c, level):
    known = {"price": (START, WAVE + level), "temperature_c": (START - QUARTER, [start_c])}
    found = answer(known=known)
    assert np.isfinite(found.set_points_c).all()
    assert ((found.power_kw >= 0) & (found.power_kw <= 1.5 + 1e-9)).all()
    assert found.power_kw.sum() > 0
    idle_c = max(start_c, 65.0)
    assert BOILER.tank.temperature_c(found.states_kwh.max()) <= idle_c + 1e-6
    if start_c > 65:
        assert found.power_kw[0] == 0


def test_a_cold_tank_is_heated_at_once_before_the_morning_and_told_where_a_floor_is_missed():
    six = START + timedelta(hours=6)
    known = facts(price=(START, WAVE), temperature_c=(six - QUARTER, [15.0]))
    (found,) = solve_by_set_points(
        [
            problem_ahead(
                BoilerData(temperature_min_c=50.0),
                NO_HYGIENE,
                known,
                Policy(),
                habit=PROFILE_S,
                span=Span(six, six + timedelta(days=1), QUARTER, six),
            )
        ]
    )
    np.testing.assert_allclose(found.power_kw[:8], 1.5)
    assert found.account["floors_not_met"][0]["from"] == six.isoformat()


def test_without_any_price_it_is_a_thermostat_that_can_be_followed():
    found = answer(known={"price": (START, [])})
    assert found.account["plan"] == "thermostat, as no price is known"
    np.testing.assert_allclose(found.set_points_c, 60.0)
    assert (answer(BoilerData(temperature_max_c=55.0), known={"price": (START, [])}).set_points_c == 55.0).all()


def test_prices_that_are_not_known_are_typical_ones_and_told():
    found = answer(known={"price": (START, WAVE[:48])})
    assert [part["minutes"] for part in found.account["assumed_prices"]] == [720]


def test_a_tank_that_was_never_read_starts_where_it_would_just_do():
    found = answer(known={"temperature_c": (START, [])})
    assert found.account["start"] == {"from": "useful temperature", "temperature": "40.00 °C"}


# --- the reserve


def test_the_reserve_is_what_is_worth_heating_at_the_dearest_price():
    known = facts(**KNOWN)
    seen = outlook(
        BOILER, Comfort(), known, Policy(), habit=PROFILE_S, mean_price=0.2, start=START, end=START + timedelta(days=1)
    )
    reserve = reserve_kwh(BOILER, seen, prices(WAVE[:QUARTERS]))
    boilers, dearest = boilers_of([BOILER]), WAVE[:QUARTERS].max()
    ahead = Ahead(
        price=np.full((QUARTERS, 1), dearest),
        sizes_kwh=usual(["S"]).sizes_kwh,
        probabilities=usual(["S"]).probabilities,
        useful_kwh=BOILER.tank.state_of_charge_kwh(np.array([40.0])),
        unserved_price=np.array([1.2]),
    )
    wished = set_points(boilers, ahead).states_kwh[:, 0]
    drawn = (usual(["S"]).sizes_kwh * usual(["S"]).probabilities).sum(axis=2)[:, 0]
    np.testing.assert_allclose(reserve, np.maximum(wished - drawn * boilers.late, 0)[:-1], atol=1e-9)
    reserve_c = BOILER.tank.temperature_c(reserve)
    assert reserve_c[at("02:00")] == pytest.approx(10.0)
    assert 40.0 < reserve_c[at("20:15")] < 60.0


@pytest.mark.parametrize("minutes", [5, 15, 60])
def test_a_plan_of_powers_keeps_the_reserve_in_steps_of_any_length(minutes):
    known, step = facts(**KNOWN), timedelta(minutes=minutes)
    made = device(BOILER, start_c=52.0, step=step)
    price = of_facts(known, Span(START, START + timedelta(days=1), step, START))
    found = problem_with_reserve(BOILER, NO_HYGIENE, known, Policy(), habit=PROFILE_S, device=made, prices=price)
    reserve = reserve_kwh(
        BOILER,
        outlook(
            BOILER,
            NO_HYGIENE,
            known,
            Policy(),
            habit=PROFILE_S,
            mean_price=price.mean,
            start=START,
            end=START + timedelta(days=1, minutes=15),
        ),
        price,
    )
    states = solve(found).states_kwh[1:]
    # an hour's end is that of its fourth quarter, the first five minutes lie in the first one
    quarter = {5: np.arange(288) // 3, 15: np.arange(96), 60: np.arange(24) * 4 + 3}[minutes]
    assert (states >= reserve[quarter] - 1e-6).all()
    assert solve(found).account["floors_not_met"] == []
    assert found.seen is None


@pytest.mark.parametrize("field", ["soc-min", "soc-minima", "soc-targets", "storage-efficiency"])
def test_who_says_how_warm_it_is_to_be_gets_no_reserve(field):
    made = device(BOILER, start_c=52.0, given=frozenset({field}))
    nothing_drawn = facts(expected_kwh=(START, np.zeros(2 * QUARTERS)))
    found = problem_with_reserve(
        BOILER,
        NO_HYGIENE,
        nothing_drawn,
        Policy(),
        habit=PROFILE_S,
        device=made,
        prices=replace(prices(WAVE[:QUARTERS]), mean=0.2),
    )
    assert solve(found).power_kw.sum() == pytest.approx(0.0)
    # though there would be one, whatever is foretold
    usual_days = problem_with_reserve(
        BOILER,
        NO_HYGIENE,
        facts(),
        Policy(),
        habit=PROFILE_S,
        device=made,
        prices=replace(prices(WAVE[:QUARTERS]), mean=0.2),
    )
    assert usual_days.least_kwh.max() <= 0
