from datetime import time

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import solve_ivp

from smart_boiler_plugin.physics.tank import Tank, standing_loss_kwh_per_day
from smart_boiler_plugin.physics.tapping_profiles import TAPPING_PROFILES, drawn_kwh

HOUSEHOLD_TANK = Tank(volume_l=80, standing_loss_kwh_per_day=1.1)


def test_heat_capacity_of_80_litres():
    assert pytest.approx(0.09270, abs=5e-6) == HOUSEHOLD_TANK.heat_capacity_kwh_per_k


@pytest.mark.parametrize(
    ("state_of_charge_kwh", "temperature_c"), [(3.70, 49.91), (3.75, 50.45), (4.80, 61.78), (5.10, 65.02), (0, 10)]
)
def test_state_of_charge_and_temperature_are_each_others_inverse(state_of_charge_kwh, temperature_c):
    assert HOUSEHOLD_TANK.temperature_c(state_of_charge_kwh) == pytest.approx(temperature_c, abs=0.005)
    assert HOUSEHOLD_TANK.state_of_charge_kwh(temperature_c) == pytest.approx(state_of_charge_kwh, abs=0.0005)


def test_arrays_give_what_their_elements_give():
    temperatures = np.array([10.0, 50.0, 65.0])
    expected = [HOUSEHOLD_TANK.state_of_charge_kwh(temperature) for temperature in temperatures.tolist()]
    np.testing.assert_allclose(HOUSEHOLD_TANK.state_of_charge_kwh(temperatures), expected)


def test_efficiency_of_9995_per_mille_per_quarter_is_a_standing_loss_of_a_fifth_kwh_per_day():
    assert Tank(volume_l=80, standing_loss_kwh_per_day=0.2).storage_efficiency(0.25) == pytest.approx(0.9995, abs=1e-6)


@pytest.mark.parametrize(
    ("power_kw", "demand_kwh", "hours"), [(0, 0, 24), (1.5, 0, 1), (1.5, 0.105, 0.25), (0, 1.4, 0.25)]
)
def test_step_agrees_with_numerical_integration(power_kw, demand_kwh, hours):
    tank, begin = HOUSEHOLD_TANK, 4.2

    def rate(_, state):
        loss = tank.heat_loss_coefficient_kw_per_k * (tank.temperature_c(state) - tank.ambient_c)
        return power_kw - demand_kwh / hours - loss

    integrated = solve_ivp(rate, (0, hours), [begin], rtol=1e-10, atol=1e-12).y[0, -1]
    assert tank.after(begin, hours, power_kw, demand_kwh) == pytest.approx(integrated, rel=1e-6)


def test_a_tank_without_losses_keeps_its_heat():
    assert Tank(volume_l=80, standing_loss_kwh_per_day=0).after(4.0, 24, 0.0, 0.0) == pytest.approx(4.0)


@pytest.mark.parametrize(
    # worked out by hand: (a + b * V^0.4) W * 24 h
    ("energy_class", "volume_l", "expected_kwh"),
    [("A", 80, 0.5696), ("B", 80, 0.7925), ("C", 80, 1.1093), ("D", 80, 1.5534), ("C", 200, 1.4728)],
)
def test_standing_loss_by_energy_class(energy_class, volume_l, expected_kwh):
    assert standing_loss_kwh_per_day(energy_class, volume_l) == pytest.approx(expected_kwh, abs=5e-4)


@pytest.mark.parametrize(
    # the table's last line, and how many draw-offs it lists
    ("profile", "kwh_per_day", "draw_offs"),
    [
        ("3XS", 0.345, 23), ("XXS", 2.100, 20), ("XS", 2.100, 3), ("S", 2.100, 11), ("M", 5.845, 23), ("L", 11.655, 24),
        ("XL", 19.07, 30), ("XXL", 24.53, 30),
    ],
)  # fmt: skip
def test_tapping_profiles_draw_what_the_regulation_says_per_day(profile, kwh_per_day, draw_offs):
    assert sum(TAPPING_PROFILES[profile].values()) == pytest.approx(kwh_per_day)
    assert len(TAPPING_PROFILES[profile]) == draw_offs


def test_tapping_profiles_draw_at_the_hours_of_the_regulation():
    assert TAPPING_PROFILES["S"][time(7, 0)] == TAPPING_PROFILES["M"][time(7, 0)] == 0.105
    assert {at for at, heat in TAPPING_PROFILES["L"].items() if heat == 3.605} == {time(8, 5), time(21, 0)}
    assert {at for at, heat in TAPPING_PROFILES["XXL"].items() if heat == 6.24} == {
        time(7, 45), time(20, 46), time(21, 30)
    }  # fmt: skip
    assert min(min(profile) for profile in TAPPING_PROFILES.values()) == time(7, 0)


def test_draw_offs_fall_into_the_quarter_of_their_local_time():
    day = pd.date_range("2025-10-29", periods=96, freq="15min", tz="Europe/Amsterdam")
    drawn = drawn_kwh("M", day, 0.25)
    assert drawn.sum() == pytest.approx(5.845)
    # 07:00 and 07:05 share a quarter; 08:01 falls into that of 08:00
    assert drawn[[28, 30, 32]] == pytest.approx([1.505, 0.105, 0.105])


@pytest.mark.parametrize(("day", "quarters"), [("2026-03-29", 92), ("2026-10-25", 100)])
def test_draw_offs_keep_to_the_clock_on_the_days_it_changes(day, quarters):
    start = pd.Timestamp(day, tz="Europe/Amsterdam")
    moments = pd.date_range(start, start + pd.DateOffset(days=1), freq="15min", inclusive="left")
    drawn = drawn_kwh("S", moments, 0.25)
    assert len(drawn) == quarters
    assert drawn.sum() == pytest.approx(2.1)
    assert f"{moments[drawn > 0][0]:%H:%M}" == "07:00"
