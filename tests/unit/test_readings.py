"""Which readings are believed. The boiler: 80 l, 1.5 kW, 50 to 65 °C; its element warms it by 4.05 K in a quarter."""

import numpy as np
import pytest

from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.physics.readings import Vessel, doubts

QUARTERS = 8 * 96
C = 80 * 0.997 * 4.184 / 3600
TANK = BoilerData().tank
BOILER = Vessel(TANK, 1.5, 1.5, 65.0)
START = np.datetime64("2025-10-21T00:00")


def why(values, vessel=BOILER, minutes=15, heated_kwh=None):
    """Why readings at an interval are not believed, by their number."""
    at = START + np.arange(len(values)) * np.timedelta64(60 * minutes, "s")
    return doubts(at, np.array(values, dtype=float), at[-1], vessel, heated_kwh)


RISE = "a rise faster than the boiler can heat"
FALL = "a fall that is back faster than the boiler can heat"


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (85.0, "what a DS18B20 says after a reset"),
        (0.0, "colder than cold water"),
        (-127.0, "no temperature of water"),
        (7.9, "colder than cold water"),
        (86.0, "far above the ceiling"),
        (60.0, RISE),
        (126.0, "no temperature of water"),
    ],
)
def test_a_last_reading_that_the_tank_cannot_have_is_doubted(last, reason):
    assert why([52.0] * (QUARTERS - 1) + [last]) == {QUARTERS - 1: reason}


@pytest.mark.parametrize("last", [10.0, 25.0, 48.0, 57.4])
def test_a_fall_down_to_cold_water_and_a_rise_by_the_element_are_real(last):
    """1.1 times 4.05 K, and the noise of two readings, are 5.95 K."""
    assert why([52.0] * 700 + [last]) == {}


@pytest.mark.parametrize("between", [20.0, 45.0, 58.0, 70.0, 85.0, 85.0001])
def test_a_single_outlier_between_others_is_doubted_and_no_other(between):
    found = why([52.0] * 300 + [between] + [51.9] * 4)
    assert set(found) == {300}


def test_a_power_on_value_is_doubted_however_often_it_comes():
    """After two hours the element could have heated the tank to 85 °C, but its ceiling is 65 °C."""
    found = why([52.0] * 20 + [85.0] * 40)
    assert set(found) == set(range(20, 60))


def test_a_ceiling_of_88_is_real_and_so_is_85_on_the_way():
    hot = Vessel(TANK, 1.5, 1.5, 88.0)
    values = [76.5, 80.5, 84.0, 85.0, 86.5, 88.0, 87.5, 85.0, 84.5]
    assert why(values, hot) == {}
    assert why([85.0, 85.5], hot) == {}


def test_three_baths_in_an_hour_are_real():
    assert why([60.0, 42.0, 25.0, 12.0, 15.9, 19.8, 23.6, 27.4]) == {}


def test_a_gas_coil_that_heats_for_an_hour_is_real():
    """12 K in a quarter: three times what the element can."""
    assert why([40.0, 39.9, 52.0, 64.0, 76.0, 80.0, 79.5, 79.0]) == {}


def test_a_rise_that_few_readings_show_waits_for_more():
    assert set(why([40.0, 40.0, 52.0, 64.0])) == {2, 3}
    assert set(why([40.0, 40.0, 55.0, 55.0, 55.0])) == {2, 3, 4}


def test_a_bath_that_a_gas_coil_makes_up_for_is_real():
    assert why([55.0, 25.0, 45.0, 56.9, 57.5]) == {}


def test_a_first_reading_that_is_wrong_spoils_none_of_the_rest():
    assert set(why([20.0, *[52.0] * 50])) == {0}
    assert set(why([85.0, *[52.0] * 50])) == {0}


def test_readings_in_degrees_fahrenheit_are_none_of_them_believed():
    """52 to 33 °C are 125.6 to 91.4 °F, of which some would be temperatures of water."""
    celsius = np.concatenate([np.linspace(52, 40, 40), np.linspace(37, 33, 8)])
    assert set(why(celsius * 1.8 + 32).values()) == {"°F sent as °C"}
    assert len(why(celsius * 1.8 + 32)) == 48


def test_degrees_fahrenheit_for_a_day_leave_the_others():
    found = why([52.0] * 200 + [125.6] * 96 + [52.0] * 200)
    assert set(range(200, 296)) <= set(found) <= set(range(176, 320))
    assert set(why([52.0] * 200 + [125.6])) == {200}


@pytest.mark.parametrize("minutes", [5, 15, 30, 60])
def test_heating_at_full_power_is_real_at_any_interval(minutes):
    rise = 1.5 / C * minutes / 60
    assert why(np.minimum(20 + rise * np.arange(60), 65), minutes=minutes) == {}


def test_a_value_that_never_moves_while_heat_goes_in_is_stuck():
    """0.375 kWh a quarter are 4.05 K: after the second quarter of heating it should have moved by more than 5 K."""
    heated = np.zeros(60)
    heated[30:36] = 0.375
    found = why([52.0] * 60, heated_kwh=heated)
    assert found == dict.fromkeys(range(30, 60), "did not move while the boiler heated")
    assert why([52.0] * 60, heated_kwh=np.zeros(60)) == {}


def test_a_value_that_stays_while_a_little_heat_makes_up_for_losses_is_not_stuck():
    loss_kwh = TANK.heat_loss_coefficient_kw_per_k * (55 - 20) * 0.25
    assert why([55.0] * 600, heated_kwh=np.full(600, loss_kwh)) == {}


def test_nothing_but_water_is_asked_for_where_the_boiler_is_not_known():
    assert why([52.0, 0.0, 99.0, 101.0], None) == {3: "no temperature of water"}


# --- random households


def household(seed, *, coil=False):
    """Eight days of readings: thermostat, draw-offs of any size, noise and steps.

    With a coil for an hour on each evening but the last; on the first, nothing is drawn around it.
    """
    random = np.random.default_rng(seed)
    power, cold, rho = random.uniform(1.0, 3.0), 10.0, 1 - random.uniform(0.001, 0.004)
    capacity = random.uniform(100 if coil else 50, 300) * C / 80
    set_point, state, on, values = random.uniform(55, 65), 55.0, False, []
    step = random.choice([0.1, 0.5])
    for quarter in range(QUARTERS):
        on = state < set_point - 5 or (on and state < set_point)
        drawn = random.choice([0, 0, 0, 0, 0.1, 0.4, 1.0, 3.0], p=[0.6, 0.1, 0.1, 0.05, 0.05, 0.05, 0.03, 0.02])
        heat = min(power * 0.25 / capacity, max(set_point - state, 0)) if on else 0.0
        if coil and 70 <= quarter % 96 < 74 and quarter < QUARTERS - 96:
            heat += min(3.0 / capacity, max(78 - state - heat, 0))
        drawn = 0 if coil and 68 <= quarter < 90 else drawn
        state = max(cold, 20 + (state - 20) * rho - drawn / capacity + heat)
        values.append(np.round((state + random.normal(0, 0.1 if step < 0.5 else 0.2)) / step) * step)
    return Vessel(TANK.__class__(capacity / C * 80, 1.1), power, power, 65.0), np.array(values)


def check_no_reading_is_lost(seed):
    vessel, values = household(seed, coil=seed % 3 == 0)
    assert why(values, vessel) == {}, seed


def check_an_outlier_moves_no_start(seed):
    """One reading beyond what the tank can do moves the last believed one by no more than 1 K.

    What the element can have heated, and a fall at the very end, cannot be told from what happens.
    """
    random = np.random.default_rng(seed + 10_000)
    vessel, values = household(seed)
    at = int(random.choice([QUARTERS - 1, QUARTERS - 2, QUARTERS - 3, random.integers(2, QUARTERS)]))
    reach = vessel.rise_k_per_h / 4 + 2
    low, high = vessel.coldest_c, max(values[max(at - 3, 0) : at + 1]) + reach
    wrong = values.copy()
    wrong[at] = random.choice([85.0, 0.0, -127.0, 127.0, random.uniform(high, 120), random.uniform(-50, low)])
    if abs(wrong[at] - 85.0) < 6 and high > 80:
        return
    found = why(wrong, vessel)
    last = max(set(range(QUARTERS)) - set(found))
    right = values[last] if last == at else wrong[last]
    assert at in found, seed
    assert abs(right - values[last]) <= 1.0, seed
    assert QUARTERS - 1 - last <= (1 if at == QUARTERS - 1 else 0), seed


@pytest.mark.parametrize("seed", range(60))
def test_a_series_without_an_outlier_loses_no_reading(seed):
    check_no_reading_is_lost(seed)


@pytest.mark.parametrize("seed", range(60))
def test_an_outlier_moves_no_start_by_more_than_a_kelvin(seed):
    check_an_outlier_moves_no_start(seed)


@pytest.mark.long
@pytest.mark.parametrize("block", range(10))
def test_a_thousand_random_series(block):
    for seed in range(100 * block, 100 * block + 100):
        check_no_reading_is_lost(seed)
        check_an_outlier_moves_no_start(seed)
