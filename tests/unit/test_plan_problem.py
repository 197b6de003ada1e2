"""From facts to a problem, and from a problem to an answer; no database, no host."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from smart_boiler_plugin.boiler.comfort import Away, Comfort, Hygiene
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.plan.prices import StepPrices
from smart_boiler_plugin.plan.solve import solve
from tests.oracle import lowest_cost
from tests.unit.plans import DATA, QUARTER, START, device, facts, prices, problem

QUARTERS = 96
WAVE = 0.10 + 0.05 * np.sin(np.arange(QUARTERS) / 8) + 0.0001 * np.arange(QUARTERS)
NOTHING_DRAWN = {"expected_kwh": (START, np.zeros(2 * QUARTERS))}
IN_SERVICE = {"temperature_c": (START - timedelta(days=8), [52.0] * 8 * QUARTERS)}


def celsius(states_kwh, data=DATA):
    return data.tank.temperature_c(states_kwh)


# --- the optimum


@pytest.mark.parametrize("cop", [1.0, 2.5])
def test_an_answer_costs_what_an_independent_linear_programme_says(cop):
    drawn = np.where(np.arange(QUARTERS) % 12 == 0, 0.2, 0.0)
    data = BoilerData(cop=cop, temperature_min_c=50.0)
    answer = solve(problem(data, known=facts(expected_kwh=(START, drawn)), made=device(data), price=prices(WAVE)))
    tank = data.tank
    expected = lowest_cost(
        WAVE / cop,
        tank.state_of_charge_kwh(55.0),
        lowest=tank.state_of_charge_kwh(50.0),
        highest=tank.state_of_charge_kwh(65.0),
        power_kw=1.5 * cop,
        efficiency=tank.storage_efficiency(0.25),
        inflow_kwh=tank.ambient_gain_kw / 4 - drawn,
    )
    assert answer.cost == pytest.approx(expected, rel=1e-6)
    assert WAVE @ answer.power_kw / 4 == pytest.approx(expected, rel=1e-6)


def test_the_states_of_an_answer_are_those_of_the_tank():
    """Step by step by equation (4): 0.0 to 1.5 kW, losses, and the draw-offs of profile S."""
    made = problem(price=prices(WAVE))
    answer, tank = solve(made), DATA.tank
    state = answer.states_kwh[0]
    for i, kw in enumerate(answer.power_kw):
        at = START + i * QUARTER
        drawn = {(7, 0): 0.105, (20, 30): 0.42, (21, 30): 0.525, (12, 45): 0.315}.get((at.hour, at.minute))
        if drawn is None:
            drawn = (
                0.105
                if (at.hour, at.minute) in {(7, 30), (8, 30), (9, 30), (11, 30), (11, 45), (18, 0), (18, 15)}
                else 0.0
            )
        state = tank.after(state, 0.25, kw, drawn)
        assert answer.states_kwh[i + 1] == pytest.approx(state, abs=1e-9)


def test_a_planned_temperature_is_the_mean_of_its_step():
    answer = solve(problem())
    assert answer.mean_states_kwh[5] == pytest.approx((answer.states_kwh[5] + answer.states_kwh[6]) / 2)


# --- floors and ceilings


def test_a_cold_tank_is_heated_at_full_power_and_the_missed_floor_is_told():
    """20 K are 1.854 kWh; 1.5 kW give 0.375 kWh a quarter, so after an hour some 4 K are missing."""
    answer = solve(problem(made=device(start_c=30.0)))
    np.testing.assert_allclose(answer.power_kw[:4], 1.5)
    (missed,) = answer.account["floors_not_met"]
    assert missed["from"] == "2025-10-29T00:00:00+01:00"
    assert missed["by"] in ("16.0 K", "16.1 K")


def test_a_floor_of_the_trigger_replaces_the_households():
    cold = np.full(QUARTERS, DATA.tank.state_of_charge_kwh(40.0))
    asked = device(start_c=41.0, lowest_kwh=cold, given=frozenset({"soc-min"}))
    assert solve(problem(made=asked, known=facts(**NOTHING_DRAWN))).account["floors_not_met"] == []
    household = device(start_c=41.0, lowest_kwh=cold)
    assert solve(problem(made=household, known=facts(**NOTHING_DRAWN))).account["floors_not_met"] != []


def test_draw_offs_that_the_trigger_gives_are_not_added_to_those_of_the_profile():
    given = device(given=frozenset({"soc-usage"}), inflow_kw=np.full(QUARTERS, DATA.tank.ambient_gain_kw - 0.1))
    assert "draw_offs" not in problem(made=given).account
    assert problem(made=given).device.inflow_kw == pytest.approx(given.inflow_kw)


@pytest.mark.parametrize("minutes", [5, 30, 60])
def test_draw_offs_are_the_same_heat_in_steps_of_any_length(minutes):
    """12 hours of 0.1 kWh a quarter are expected; profile S draws 1.47 kWh from noon on."""
    made = problem(
        known=facts(expected_kwh=(START, [0.1] * 48)),
        made=device(step=timedelta(minutes=minutes)),
    )
    gain_kw = DATA.tank.ambient_gain_kw
    drawn_kw = gain_kw - made.device.inflow_kw
    assert drawn_kw[: 720 // minutes] == pytest.approx(0.4)
    assert drawn_kw.sum() * minutes / 60 == pytest.approx(4.8 + 0.315 + 0.105 + 0.105 + 0.420 + 0.525)
    assert made.account["draw_offs"] == {
        "steps_from_sensor": 720 // minutes, "steps_from_tapping_profile": 720 // minutes, "tapping_profile": "S"
    }  # fmt: skip


def test_what_cannot_be_drawn_is_told():
    """12 kWh wanted in an hour; 45 K are 4.171 kWh, 1.5 kWh come from the element, some is lost."""
    answer = solve(problem(known=facts(expected_kwh=(START, [3.0] * 4 + [0.0] * 92))))
    unserved = sum(float(span["heat"].split()[0]) for span in answer.account["draw_offs"]["not_served"])
    assert unserved == pytest.approx(12 - 4.171 - 1.5, abs=0.06)
    assert answer.states_kwh.min() >= -1e-9


def test_no_power_at_all_is_a_plan_of_nothing_that_tells_the_floor():
    powerless = device(power_max_kw=np.zeros(QUARTERS), start_c=50.5)
    answer = solve(problem(made=powerless, known=facts(**IN_SERVICE)))
    assert answer.power_kw.tolist() == [0.0] * QUARTERS
    assert answer.account["floors_not_met"] != []
    assert answer.account["hygiene"]["problem"] == "there is no power to heat with"


# --- prices


def test_without_prices_the_thermostat_keeps_its_hysteresis_below_a_low_ceiling():
    """Ceiling 52 °C: off at 52, on at 47 °C."""
    data = BoilerData(temperature_min_c=40.0, temperature_max_c=52.0)
    nothing = StepPrices(np.full(QUARTERS, np.nan), np.zeros(QUARTERS, dtype=bool))
    answer = solve(
        problem(
            data,
            known=facts(**NOTHING_DRAWN),
            made=device(data, start_c=46.0),
            price=nothing,
            comfort=Comfort(hygiene=Hygiene(off_because="test")),
        )
    )
    begins_c, on = celsius(answer.states_kwh[:-1], data), answer.power_kw > 0
    restarts = on[1:] & ~on[:-1]
    assert celsius(answer.states_kwh, data).max() == pytest.approx(52.0)
    assert begins_c[1:][restarts] == pytest.approx(47.0, abs=0.2)
    assert restarts.sum() == 1
    assert answer.cost is None
    assert answer.account["plan"] == "thermostat, as no price is known"


def test_assumed_prices_are_told():
    assumed = np.zeros(QUARTERS, dtype=bool)
    assumed[48:] = True
    account = problem(price=StepPrices(WAVE, assumed)).account
    assert account["assumed_prices"] == [
        {"from": "2025-10-29T12:00:00+01:00", "until": "2025-10-30T00:00:00+01:00", "minutes": 720}
    ]


# --- hygiene


def test_overdue_hygiene_is_done_at_once():
    """52 to 60.5 °C are 0.788 kWh and the losses: three quarters; then half an hour."""
    answer = solve(problem(known=facts(**IN_SERVICE, **NOTHING_DRAWN), made=device(start_c=52.0), price=prices(WAVE)))
    assert answer.account["hygiene"]["planned_from"] == "2025-10-29T00:45:00+01:00"
    assert answer.account["hygiene"]["planned_until"] == "2025-10-29T01:15:00+01:00"
    assert celsius(answer.states_kwh[3:6]).min() >= 60.5 - 1e-6


def test_hygiene_is_due_an_interval_after_the_first_reading():
    seen = {"temperature_c": (START - timedelta(days=5), [52.0] * 4)}
    assert problem(known=facts(**seen)).account["hygiene"] == {"added": False, "due": "2025-10-31T00:00:00+01:00"}


@pytest.mark.parametrize("volume_l", [10, 30, 50, 80, 100, 300, 1000])
def test_a_ceiling_of_just_the_temperature_of_hygiene_allows_it(volume_l):
    data = BoilerData(volume_l=volume_l, temperature_max_c=60.0)
    account = problem(data, known=facts(**IN_SERVICE), made=device(data, start_c=52.0)).account
    assert account["hygiene"]["added"] is True


def test_a_ceiling_below_it_does_not_and_is_told():
    data = BoilerData(temperature_max_c=59.0)
    account = problem(data, known=facts(**IN_SERVICE), made=device(data, start_c=52.0)).account
    assert account["hygiene"]["problem"] == "the ceiling is below 60 °C"


def test_hygiene_is_as_the_household_wants_it_else_as_the_server_says():
    known = facts(**IN_SERVICE)
    household = Comfort(hygiene=Hygiene(interval=timedelta(days=14)))
    assert problem(known=known, comfort=household).account["hygiene"]["added"] is False
    assert problem(known=known, rules=Policy(hygiene_interval=timedelta(days=14))).account["hygiene"]["added"] is False
    at_52 = problem(known=known, rules=Policy(hygiene_temperature_c=52.0)).account["hygiene"]
    assert at_52["last_done"] == "2025-10-29T00:00:00+01:00"


def test_hygiene_waits_for_the_return_and_is_not_put_into_an_empty_house():
    back = START + timedelta(days=5)
    away = Comfort(away=Away(START - timedelta(days=3), back))
    assert problem(known=facts(**IN_SERVICE), comfort=away).account["hygiene"] == {
        "added": False,
        "due": back.isoformat(),
    }


# --- a trigger that contradicts itself


def test_floors_and_targets_of_a_trigger_that_exclude_each_other_are_noticed():
    """A floor of 4 kWh, and a target of 3 kWh a quarter later."""
    floor = np.full(QUARTERS, 1.0)
    floor[3] = 4.0
    asked = {
        "lowest_kwh": floor,
        "targets_kwh": {4: 3.0},
        "given": frozenset({"soc-minima", "soc-targets", "soc-usage"}),
    }
    made = device(start_c=53.2, **asked)
    assert problem(made=made).contradictory
    assert not problem(made=device(start_c=53.2, **{**asked, "targets_kwh": {40: 4.2}})).contradictory


def test_a_household_that_draws_decides_itself():
    floor = np.full(QUARTERS, 1.0)
    floor[3] = 4.0
    asked = {"lowest_kwh": floor, "targets_kwh": {4: 3.0}, "given": frozenset({"soc-minima", "soc-targets"})}
    assert not problem(made=device(start_c=53.2, **asked), known=facts(expected_kwh=(START, [0.1]))).contradictory


# --- what changes over the day


def test_heat_is_made_when_it_takes_least_money_and_not_when_power_is_cheapest():
    """A heat pump that is three times as good from noon on: its heat costs 0.30 / 3 in place of 0.20 then."""
    cop = np.where(np.arange(QUARTERS) < 48, 1.0, 3.0)
    price = np.where(np.arange(QUARTERS) < 48, 0.20, 0.30)
    made = device(start_c=64.0, heat_per_power=cop)
    drawn = np.zeros(QUARTERS)
    drawn[90] = 3.0
    answer = solve(problem(known=facts(expected_kwh=(START, drawn)), made=made, price=prices(price)))
    assert answer.power_kw[:48].sum() == pytest.approx(0.0, abs=1e-9)
    assert answer.power_kw[48:].sum() > 0


def test_hygiene_is_put_where_its_heat_costs_least():
    """Due by midnight: at 0.30 EUR and three times as much heat from noon on, not at 0.20 EUR in the morning."""
    cop = np.where(np.arange(QUARTERS) < 48, 1.0, 3.0)
    price = np.where(np.arange(QUARTERS) < 48, 0.20, 0.30)
    seen = {"temperature_c": (START - timedelta(days=6), [52.0] * 4)}
    made = device(start_c=52.0, heat_per_power=cop)
    account = problem(known=facts(**seen, **NOTHING_DRAWN), made=made, price=prices(price)).account
    assert account["hygiene"]["planned_from"] >= "2025-10-29T12:00:00+01:00"


def test_a_boiler_that_was_never_seen_hot_is_due_since_the_readings_that_were_looked_at():
    """In service for a month; eight days were looked at, so it may have been hot a day and a week ago."""
    known = replace(facts(**IN_SERVICE), first_reading=START - timedelta(days=30))
    assert problem(known=known).account["hygiene"]["due"] == "2025-10-28T00:00:00+01:00"
