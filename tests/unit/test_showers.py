"""Minutes of shower, worked out by hand."""

import pytest

from smart_boiler_plugin.physics.showers import shower_minutes, shower_minutes_of_heat
from smart_boiler_plugin.physics.tank import Tank


def tank(volume_l=120.0, cold_water_c=10.0):
    return Tank(volume_l=volume_l, standing_loss_kwh_per_day=1.0, cold_water_c=cold_water_c)


@pytest.mark.parametrize(
    ("volume_l", "cold_c", "temperature_c", "minutes"),
    [
        (120, 10, 52, 28.0),  # 120 * 42 / 30 = 168 l at 40 °C
        (120, 10, 65, 36 + 2 / 3),  # 120 * 55 / 30 = 220 l
        (80, 10, 40, 13 + 1 / 3),  # the tank itself: 80 l
        (80, 15, 65, 26 + 2 / 3),  # 80 * 50 / 25 = 160 l
    ],
)
def test_minutes_are_the_litres_at_40_degrees_that_the_tank_is_worth_at_6_a_minute(
    volume_l, cold_c, temperature_c, minutes
):
    assert shower_minutes(tank(volume_l, cold_c), temperature_c, 40.0) == pytest.approx(minutes)


def test_below_the_useful_temperature_there_is_no_shower_and_at_it_there_is():
    assert shower_minutes(tank(), 44.9, 45.0) == 0
    assert shower_minutes(tank(), 45.0, 45.0) == pytest.approx(120 * 35 / 30 / 6)


def test_a_tank_whose_cold_water_is_as_warm_as_a_shower_tells_nothing():
    assert shower_minutes(tank(cold_water_c=40.0), 60.0, 40.0) == 0
    assert shower_minutes_of_heat(1.0, 40.0) == 0


def test_heat_that_was_missing_is_told_in_minutes():
    """6 l/min, warmed by 30 K, are 6 * 0.997 * 4.184 * 30 / 3600 = 0.20857 kWh/min."""
    assert shower_minutes_of_heat(0.20857, 10.0) == pytest.approx(1.0, abs=1e-4)
    assert shower_minutes_of_heat(1.0, 10.0) == pytest.approx(4.7945, abs=1e-3)
