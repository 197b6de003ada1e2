"""Savings at equal heat, against figures worked out by hand."""

import numpy as np
import pytest

from smart_boiler_plugin.money.drawn import draw_offs_kwh, inferred_draw_offs_kwh, other_heat_kwh, states_between
from smart_boiler_plugin.money.savings import after_thermostat, day_of, limits_kwh
from smart_boiler_plugin.physics.boilers import Boilers
from smart_boiler_plugin.physics.tank import Tank, standing_loss_kwh_per_day

STEP_H = 0.25
STEPS = 96


def boilers_of(count, seed=1):
    """Return as many boilers, no two alike, and their tanks."""
    chance = np.random.default_rng(seed)
    tanks = [
        Tank(volume_l=volume, standing_loss_kwh_per_day=standing_loss_kwh_per_day("C", volume))
        for volume in chance.uniform(30, 300, count)
    ]
    made = Boilers.of(
        tanks,
        power_kw=chance.uniform(1, 4, count),
        cop=chance.uniform(1, 4, count),
        temperature_max_c=chance.uniform(56, 75, count),
        step_h=STEP_H,
    )
    return made, tanks


def plain(**changes):
    """Return one boiler that loses nothing: 2 kW, its thermostat heats from 3 to 4 kWh."""
    usual = {"retention": 1.0, "late": 1.0, "gain_kwh": 0.0, "power_kw": 2.0, "cop": 1.0, "cold_water_c": 10.0}
    # 5 K are 1 kWh
    usual |= {"ceiling_kwh": 4.0, "heat_capacity_kwh_per_k": 0.2, **changes}
    usual["heat_max_kwh"] = STEP_H * usual["power_kw"] * usual["cop"]
    return Boilers(**{name: np.array([value]) for name, value in usual.items()})


def day(boilers, start_kwh, power_kw, drawn_kwh, price, *, baseline_start_kwh=np.nan, heating=False, **served):
    """Return what a day of one boiler came to; ``served`` may have ``useful_kwh`` and ``end_kwh``."""
    return day_of(
        boilers,
        start_kwh=np.array([start_kwh]),
        baseline_start_kwh=np.array([baseline_start_kwh]),
        heating=np.array([heating]),
        power_kw=np.array(power_kw, dtype=float)[:, None],
        drawn_kwh=np.array(drawn_kwh, dtype=float)[:, None],
        price=np.array(price, dtype=float)[:, None],
        useful_kwh=np.array([served.get("useful_kwh", 0.0)]),
        end_kwh=np.array(served.get("end_kwh", [np.nan] * len(price)))[:, None],
        step_h=STEP_H,
    )


def test_an_hour_worked_out_by_hand():
    # thermostat: 3.5 -0.5 = 3.0 | on: -0.5 +0.5 = 3.0 | +0.5 = 3.5 | +0.5 = 4.0
    # which is 1.5 kWh for 0.5 * (0.2 + 0.3 + 0.4) = 0.45
    # boiler: 0.5 kWh at 0.1 = 0.05; it ends at 3.5 + 0.5 - 1.0 = 3.0: 1 kWh less, at the mean of 0.25
    found = day(plain(), 3.5, [2, 0, 0, 0], [0.5, 0.5, 0, 0], [0.1, 0.2, 0.3, 0.4])
    assert found.electricity_kwh[0] == pytest.approx(0.5)
    assert found.cost[0] == pytest.approx(0.05)
    assert found.baseline_kwh[0] == pytest.approx(1.5)
    assert found.baseline_cost[0] == pytest.approx(0.45)
    assert found.missing_heat_kwh[0] == pytest.approx(1.0)
    assert found.missing_heat_cost[0] == pytest.approx(0.25)
    assert found.savings[0] == pytest.approx(0.15)
    assert found.mean_price[0] == pytest.approx(0.25)


def test_heat_that_was_not_served_is_what_is_missing_at_the_useful_temperature_of_what_was_drawn():
    # as above, useful from 3.4 on: the boiler ends its quarters at 3.5, 3.0, 3.0, 3.0, the thermostat at 3.0, 3.0, 3.5
    told = {"useful_kwh": 3.4, "price": [0.1, 0.2, 0.3, 0.4]}
    found = day(plain(), 3.5, [2, 0, 0, 0], [0.5, 0.5, 0, 0], **told)
    assert found.unserved_kwh[0] == pytest.approx(0.4)
    assert found.baseline_unserved_kwh[0] == pytest.approx(0.8)
    # readings know better, and no more is missing than was drawn
    found = day(plain(), 3.5, [2, 0, 0, 0], [0.5, 0.5, 0, 0], **told, end_kwh=[np.nan, 3.3, 3.3, 3.3])
    assert found.unserved_kwh[0] == pytest.approx(0.1)
    found = day(plain(), 0.0, [0, 0, 0, 0], [0.1, 0, 0, 0], **told)
    assert found.unserved_kwh[0] == pytest.approx(0.1)


def test_a_thermostat_does_not_heat_above_its_set_point_though_the_boiler_did():
    # 4.5 is above 4.0; -0.7 = 3.8, which is above 3.0, where it begins
    found = day(plain(), 4.5, [0, 0], [0.7, 0], [0.1, 0.3], heating=True)
    assert found.baseline_kwh[0] == 0


def test_a_heat_pump_makes_up_for_missing_heat_with_less_electricity():
    # cop 2: 1 kW heats 0.5 kWh per step. thermostat: 3.0 | on: +0.5 -> 3.5 (1 kW) ... full after two steps
    found = day(plain(power_kw=1.0, cop=2.0), 3.0, [0, 0], [0, 0], [0.1, 0.3])
    assert found.baseline_cost[0] == pytest.approx(0.25 * 0.1 + 0.25 * 0.3)
    assert found.missing_heat_kwh[0] == pytest.approx(1.0)
    # 1 kWh of heat is 0.5 kWh of electricity, at the mean of 0.2
    assert found.missing_heat_cost[0] == pytest.approx(0.1)
    assert found.savings[0] == pytest.approx(0.0)


def test_more_heat_than_under_the_thermostat_is_credited():
    # the thermostat does nothing at 3.5; the boiler puts in 0.5 kWh for 0.05, worth 0.5 * 0.2 at the mean price
    found = day(plain(), 3.5, [2, 0], [0, 0], [0.1, 0.3])
    assert found.savings[0] == pytest.approx(0.5 * 0.2 - 0.05)


def test_a_boiler_that_follows_its_thermostat_saves_nothing():
    count = 50
    boilers, _ = boilers_of(count)
    chance = np.random.default_rng(2)
    restart, full = limits_kwh(boilers)
    start = chance.uniform(restart - 2, full + 1)
    rest = {
        "heating": chance.random(count) < 0.5,
        "drawn_kwh": chance.uniform(0, 0.3, (STEPS, count)) * (chance.random((STEPS, count)) < 0.3),
        "price": chance.uniform(-0.1, 0.5, (STEPS, count)),
        "step_h": STEP_H,
    }
    baseline = thermostat_kw(boilers, start, **rest)
    served = {"useful_kwh": restart, "end_kwh": np.full((STEPS, count), np.nan)}
    found = day_of(boilers, start_kwh=start, baseline_start_kwh=start, power_kw=baseline, **rest, **served)
    assert found.unserved_kwh == pytest.approx(found.baseline_unserved_kwh, abs=1e-9)
    assert found.electricity_kwh.min() > 0
    assert found.cost == pytest.approx(found.baseline_cost, abs=1e-9)
    assert found.missing_heat_kwh == pytest.approx(0, abs=1e-9)
    assert found.savings == pytest.approx(0, abs=1e-9)


def thermostat_kw(boilers, start, *, heating, drawn_kwh, price, step_h):
    """Return what a thermostat does, step by step as one would say it, and not as the code under test does."""
    power = np.zeros(drawn_kwh.shape)
    for boiler, (restart, full) in enumerate(zip(*limits_kwh(boilers), strict=True)):
        state, on = start[boiler], heating[boiler] and start[boiler] < full
        kept = boilers.late[boiler] * step_h
        heat_per_kw = kept * boilers.cop[boiler]
        for step in range(len(power)):
            on = on or state <= restart
            idle = boilers.retention[boiler] * state + boilers.gain_kwh[boiler]
            idle -= drawn_kwh[step, boiler] / step_h * kept
            if on:
                wanted = max((full - idle) / heat_per_kw, 0)
                power[step, boiler] = min(wanted, boilers.power_kw[boiler])
            state = idle + power[step, boiler] * heat_per_kw
            on = on and state < full - 1e-9
    return power


def test_a_drained_tank_is_no_saving():
    # no losses, one price: the thermostat bought just the heat that the boiler is missing
    found = day(plain(), 3.5, [0] * STEPS, [0.05] * STEPS, [0.3] * STEPS)
    assert found.missing_heat_kwh[0] > 1
    assert found.cost[0] == 0
    assert found.savings[0] == pytest.approx(0, abs=1e-9)


def test_a_colder_tank_saves_its_standing_loss_and_no_more():
    tank = Tank(volume_l=80, standing_loss_kwh_per_day=1.1093)
    boilers = Boilers.of([tank], power_kw=[1.5], cop=[1.0], temperature_max_c=[65.0], step_h=STEP_H)
    start, drawn = tank.state_of_charge_kwh(57.0), np.full(STEPS, 0.03)
    found = day(boilers, start, [0] * STEPS, drawn, [0.3] * STEPS)
    cold, states = start, [start]
    for heat in drawn:
        cold = tank.after(cold, STEP_H, 0.0, heat)
        states.append(cold)
    # both lose UA * (T - T_ambient); the thermostat's tank is at 60 °C at most
    hottest_c, mean_c = 60.0, tank.temperature_c(np.array(states)).mean()
    most = 24 * tank.heat_loss_coefficient_kw_per_k * (hottest_c - mean_c) * 0.3
    assert 0 < found.savings[0] < most


def test_a_step_without_a_price_counts_at_the_mean_price():
    found = day(plain(), 3.5, [2, 2], [0, 0], [0.1, np.nan])
    assert found.mean_price[0] == pytest.approx(0.1)
    assert found.cost[0] == pytest.approx(2 * 0.5 * 0.1)


def test_in_steps_of_unknown_power_nothing_is_saved_and_nothing_counts():
    # a thermostat whose meter is silent in the dearest step: of 3.0 | on: 1 kW for 0.25 h in the first alone
    boilers, drawn = plain(), [0.0, 0.5, 0.0, 0.0]
    price = [0.1, 0.4, 0.2, 0.2]
    # on at 3.0: +0.5 = 3.5 | +0.5 -0.5 = 3.5 | +0.5 = 4.0 | full
    whole = day(boilers, 3.0, [2, 2, 2, 0], drawn, price)
    assert whole.savings[0] == pytest.approx(0, abs=1e-9)
    silent = day(boilers, 3.0, [2, np.nan, 2, 0], drawn, price)
    assert silent.savings[0] == pytest.approx(0, abs=1e-9)
    assert silent.cost[0] == silent.baseline_cost[0] == pytest.approx(0.5 * (0.1 + 0.2))
    assert silent.electricity_kwh[0] == pytest.approx(1.0)


def test_heat_that_was_missing_before_the_day_is_not_charged_again():
    # the thermostat's tank begins 1 kWh warmer: off until it falls to 3.0, which it does not. Neither does anything
    found = day(plain(), 3.2, [0, 0], [0.1, 0.1], [0.1, 0.3], baseline_start_kwh=4.0)
    assert found.missing_heat_kwh[0] == pytest.approx(0, abs=1e-9)
    assert found.savings[0] == pytest.approx(0, abs=1e-9)


def test_a_thermostat_warms_up_to_where_it_would_be_and_goes_on_from_there():
    boilers = plain()
    # on at 2.5: 3.0 | 3.5 | 4.0, full | 4.0 - 0.7 = 3.3, and off
    drawn = np.array([0.0, 0.0, 0.0, 0.7])[:, None]
    state, heats = after_thermostat(boilers, start_kwh=np.array([2.5]), heating=np.array([False]), drawn_kwh=drawn)
    assert (state[0], heats[0]) == (pytest.approx(3.3), False)
    state, heats = after_thermostat(boilers, start_kwh=np.array([2.5]), heating=np.array([False]), drawn_kwh=drawn[:2])
    assert (state[0], heats[0]) == (pytest.approx(3.5), True)


def test_single_days_add_up_to_what_was_saved_in_all():
    """A boiler that is filled up each night, against one thermostat that runs on all the time."""
    tank = Tank(volume_l=80, standing_loss_kwh_per_day=1.1093)
    boilers = Boilers.of([tank], power_kw=[1.5], cop=[1.0], temperature_max_c=[65.0], step_h=STEP_H)
    chance, days = np.random.default_rng(5), 20
    price = np.tile(np.where(np.arange(STEPS) < 24, 0.1, 0.3), days)
    drawn = np.where(chance.random(days * STEPS) < 0.1, 0.2, 0.0)
    full, states, power = tank.state_of_charge_kwh(64.0), [tank.state_of_charge_kwh(57.0)], []
    for step, heat in enumerate(drawn):
        idle, most = (tank.after(states[-1], STEP_H, kw, heat) for kw in (0.0, 1.5))
        at_night = step % STEPS < 24
        power.append(1.5 * min(max(full - idle, 0) / (most - idle), 1) if at_night else 0.0)
        states.append(tank.after(states[-1], STEP_H, power[-1], heat))
    states, power = np.array(states), np.array(power)
    start, off = states[:1], np.array([False])
    once = day(boilers, states[0], power, drawn, price)
    total = 0.0
    for begin in range(STEPS, days * STEPS, STEPS):
        before, after = slice(begin - STEPS, begin), slice(begin, begin + STEPS)
        warm, heats = after_thermostat(
            boilers, start_kwh=states[begin - STEPS, None], heating=off, drawn_kwh=drawn[before, None]
        )
        found = day(
            boilers, states[begin], power[after], drawn[after], price[after],
            baseline_start_kwh=warm[0], heating=heats[0],
        )  # fmt: skip
        total += found.savings[0]
    first = day(boilers, start[0], power[:STEPS], drawn[:STEPS], price[:STEPS])
    assert once.savings[0] > 1
    assert total + first.savings[0] == pytest.approx(once.savings[0], rel=0.03)


def test_draw_offs_that_are_reported_only_when_there_are_some_are_not_inferred_once_more():
    # 1 kWh in the second step, which readings smear over three; and 0.4 kWh on another boiler, not measured
    inferred = np.array([[0.25, 0.1], [0.5, 0.2], [0.25, 0.1], [0.0, 0.0]])
    measured = np.array([[np.nan, np.nan], [1.0, np.nan], [np.nan, np.nan], [np.nan, np.nan]])
    found = draw_offs_kwh(measured, inferred)
    assert found[:, 0] == pytest.approx([0, 1, 0, 0])
    assert found[:, 1] == pytest.approx(inferred[:, 1])
    # measured as none counts, too; readings show 1.6 kWh in all, and no more than they show is left elsewhere
    measured, inferred = np.array([[0.0, 1.0, np.nan, np.nan]]).T, np.array([[0.3, 0.8, 0.3, 0.2]]).T
    assert draw_offs_kwh(measured, inferred)[:, 0] == pytest.approx([0, 1, 0.3, 0.2])
    # readings show less than was measured: nothing is left, and nothing is given back
    assert draw_offs_kwh(measured, inferred / 4)[:, 0] == pytest.approx([0, 1, 0, 0])
    # noise alone stays as it is
    noise = np.array([[-0.1, 0.05, 0.0, 0.0]]).T
    assert draw_offs_kwh(np.nan * noise, noise) == pytest.approx(noise)
    # where nothing can be inferred, nothing is known
    nothing = np.full((4, 2), np.nan)
    assert np.isnan(draw_offs_kwh(nothing, nothing)).all()


def test_an_unknown_start_is_taken_between_the_limits_of_the_thermostat():
    known = day(plain(), 3.5, [0, 2], [0.2, 0.2], [0.1, 0.3])
    unknown = day(plain(), np.nan, [0, 2], [0.2, 0.2], [0.1, 0.3])
    assert unknown.savings[0] == known.savings[0]


def test_a_ceiling_below_the_set_point_is_the_set_point():
    tank = Tank(volume_l=80, standing_loss_kwh_per_day=1.0)
    low = Boilers.of([tank], power_kw=[1.5], cop=[1.0], temperature_max_c=[55.0], step_h=STEP_H)
    assert [tank.temperature_c(limit[0]) for limit in limits_kwh(low)] == pytest.approx([50.0, 55.0])


def test_draw_offs_are_inferred_from_states_and_power():
    boilers, tanks = boilers_of(3)
    chance = np.random.default_rng(3)
    drawn, power = chance.uniform(0, 0.3, (STEPS, 3)), chance.uniform(0, 2, (STEPS, 3))
    states = np.empty((STEPS + 1, 3))
    states[0] = 4.0
    for step in range(STEPS):
        for i, tank in enumerate(tanks):
            heat_kw = boilers.cop[i] * power[step, i]
            states[step + 1, i] = tank.after(states[step, i], STEP_H, heat_kw, drawn[step, i])
    assert inferred_draw_offs_kwh(boilers, states, power, STEP_H) == pytest.approx(drawn, abs=1e-9)


def test_between_two_readings_the_state_is_their_mean_and_next_to_a_gap_that_of_the_other():
    during = np.array([[3.0], [4.0], [np.nan], [np.nan], [5.0]])
    assert states_between(during, 1)[:, 0] == pytest.approx([3.5, 4.0, np.nan, 5.0], nan_ok=True)


def test_over_a_short_gap_the_state_changes_evenly_and_over_a_long_one_it_is_not_known():
    during = np.array([[3.0, 1.0], [np.nan, np.nan], [4.0, np.nan], [4.0, np.nan], [4.0, 5.0]])
    found = states_between(during, 2)
    assert found[:, 0] == pytest.approx([3.25, 3.75, 4.0, 4.0])
    assert found[:, 1] == pytest.approx([1.0, np.nan, np.nan, 5.0], nan_ok=True)


def test_heat_of_another_source_is_what_readings_show_beyond_the_draw_offs_that_were_measured():
    """0.2 kWh a step for six of them; 1 kWh is drawn in the third, which readings smear over three."""
    measured = np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0])
    inferred = np.array([0.0, 0.25, 0.5, 0.25, 0.0, 0.0]) - 0.2
    columns = np.column_stack([measured, measured]), np.column_stack([inferred, inferred])
    other = other_heat_kwh(*columns, least_kwh=np.array([1.1, 1.3]))
    assert other[:, 0].sum() == pytest.approx(1.2)
    assert other[:, 0] == pytest.approx([0.2 - 0.125, 0.2, 0.2, 0.2, 0.2 - 0.25 / 3, 0.2], abs=0.15)
    # less than the second asks for is noise
    assert other[:, 1] == pytest.approx([0.0] * 6)


def test_more_drawn_than_was_measured_is_no_heat_of_another_source():
    measured, inferred = np.zeros((4, 1)), np.full((4, 1), 0.5)
    assert other_heat_kwh(measured, inferred, np.array([0.1])) == pytest.approx(np.zeros((4, 1)))
    unknown = np.full((4, 1), np.nan)
    assert other_heat_kwh(unknown, inferred, np.array([0.1])) == pytest.approx(np.zeros((4, 1)))
