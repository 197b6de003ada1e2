"""What readings tell of tanks: simulated boilers, whose standing loss and heat capacity are known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.households import draw_random
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.learning.side_by_side import boilers_of
from smart_boiler_plugin.learning.tank import LEAST_NIGHTS, see, standing_loss_of
from smart_boiler_plugin.physics.thermostat import thermostat

MANY, DAYS = 24, 28
SMALL, LARGE = BoilerData(), BoilerData(volume_l=120, power_kw=2, tapping_profile="M")
MOMENTS = pd.date_range("2024-01-02", periods=96 * DAYS, freq="15min", tz="Europe/Brussels")


def households(chance):
    """Return boilers, and what they draw around their tapping profiles, shape (n, boilers) [kWh]."""
    data = [LARGE if number % 3 == 2 else SMALL for number in range(MANY)]
    return data, np.stack([draw_random(chance, each.tapping_profile, 1.0, MOMENTS) for each in data], axis=1)


def lived(data, drawn, chance):
    """Return what boilers report that are heated to 60 °C at night and after noon, and to 48 °C always."""
    boilers = boilers_of(data)
    state, read_c, electricity = boilers.state_kwh(55.0), [], []
    warm = boilers.state_kwh(60.0)
    for step, kwh in enumerate(drawn):
        cheap = 8 <= step % 96 < 16 or 52 <= step % 96 < 58
        wished = warm if cheap else boilers.state_kwh(48.0)
        idle = boilers.idle_kwh(state)
        heat = np.clip(wished - idle, 0, boilers.heat_max_kwh)
        state = np.maximum(idle + heat - kwh * boilers.late, 0)
        electricity.append(heat / boilers.late / boilers.cop)
        noisy = boilers.temperature_c(state) + chance.normal(0, 0.3, len(data))
        read_c.append(np.round(2 * noisy) / 2)
    return np.array(read_c), np.array(electricity)


@pytest.fixture(scope="module")
def world():
    """Boilers and what they reported in four weeks."""
    chance = np.random.default_rng(11)
    data, drawn = households(chance)
    return data, drawn, *lived(data, drawn, chance)


def off(seen, data):
    """Return by which share the heat capacity and the standing loss are off, each of shape (boilers,)."""
    capacity = np.array([each.tank.heat_capacity_kwh_per_k for each in data])
    loss = np.array([each.tank.heat_loss_coefficient_kw_per_k for each in data])
    return seen.heat_capacity_kwh_per_k / capacity - 1, seen.loss_kw_per_k / loss - 1


def test_nine_of_ten_boilers_are_seen_as_they_are_after_four_weeks(world):
    data, _, read_c, electricity = world
    seen = see(data, read_c, electricity)
    of_capacity, of_loss = off(seen, data)
    assert np.mean(np.abs(of_capacity) < 0.024) >= 0.9
    assert np.mean(np.abs(of_loss) < 0.1) >= 0.9
    assert np.mean(np.abs(of_capacity) < seen.heat_capacity_error) >= 0.9
    assert np.mean(np.abs(of_loss) < seen.loss_error) >= 0.8
    assert np.mean(seen.loss_error) < 0.12
    assert (seen.nights > DAYS / 2).all()


@pytest.mark.parametrize("entered", [0.5, 2.0])
def test_a_wrong_volume_is_seen_whatever_was_entered(world, entered):
    data, _, read_c, electricity = world
    seen = see([replace(each, volume_l=entered * each.volume_l) for each in data], read_c, electricity)
    of_capacity, of_loss = off(seen, data)
    assert np.mean(np.abs(of_capacity) < 0.05) >= 0.9
    assert np.mean(np.abs(of_loss) < 0.15) >= 0.9


def test_a_leak_is_seen_as_a_loss(world):
    data, drawn, _, _ = world
    leaking = [replace(each, standing_loss_kwh_per_day=2.4) for each in data]
    seen = see(data, *lived(leaking, drawn, np.random.default_rng(12)))
    assert np.mean(np.abs(off(seen, leaking)[1]) < 0.1) >= 0.9
    assert standing_loss_of(leaking[0].tank.heat_loss_coefficient_kw_per_k) == pytest.approx(2.4)


def test_who_draws_at_night_is_seen_by_its_quiet_hours(world):
    data, drawn, _, _ = world
    late = np.roll(drawn, 8 * 4, axis=0)
    seen = see(data, *lived(data, late, np.random.default_rng(13)))
    assert np.mean(np.abs(off(seen, data)[1]) < 0.12) >= 0.9


def under_thermostat(data, drawn, chance):
    """Return what boilers report that are heated from 55 to 60 °C, and so mostly when somebody draws."""
    boilers = boilers_of(data)
    heat, states = thermostat(
        boilers.state_kwh(55.0),
        retention=boilers.retention,
        inflow_kwh=boilers.gain_kwh - drawn * boilers.late,
        heat_max_kwh=boilers.heat_max_kwh,
        restart_kwh=boilers.state_kwh(55.0),
        full_kwh=boilers.state_kwh(60.0),
    )
    noisy = boilers.temperature_c(states) + chance.normal(0, 0.3, states.shape)
    return np.round(2 * noisy) / 2, heat / boilers.late / boilers.cop


def test_under_a_thermostat_what_heating_tells_holds_the_nights(world):
    """By the nights alone, heat capacities would be within 5 % of nine in ten, and one boiler would not be seen."""
    data, drawn, _, _ = world
    seen = see(data, *under_thermostat(data, drawn, np.random.default_rng(4)))
    of_capacity, of_loss = off(seen, data)
    assert np.mean(np.abs(of_capacity) < 0.03) >= 0.9
    assert np.mean(np.abs(of_loss) < 0.06) >= 0.9


def test_who_reads_as_the_quarter_begins_is_seen_as_well(world):
    """Of the heat of a quarter, nothing shows in its own reading: taken for all, no loss would be told."""
    data, _, read_c, electricity = world
    seen = see(data, np.vstack([read_c[:1], read_c[:-1]]), electricity)
    of_capacity, of_loss = off(seen, data)
    assert np.mean(np.abs(of_capacity) < 0.024) >= 0.9
    assert np.mean(np.abs(of_loss) < 0.1) >= 0.9


def test_what_is_told_too_little_of_is_not_told(world):
    data, _, read_c, electricity = world
    data, read_c, electricity = data[:6], read_c[:, :6], electricity[:, :6]
    days = 96 * LEAST_NIGHTS
    # the last night goes beyond the end
    assert np.isnan(see(data, read_c[:days], electricity[:days]).loss_kw_per_k).all()
    few = see(data, read_c[: days + 96], electricity[: days + 96])
    assert np.isfinite(few.loss_kw_per_k).any()
    assert np.nanmean(few.loss_error) > 0.1
    assert np.isnan(see(data, read_c, 0 * electricity).heat_capacity_kwh_per_k).all()
    # once an hour, and without a meter
    rarely = read_c.copy()
    rarely[np.arange(len(read_c)) % 4 > 0] = np.nan
    for seen in (see(data, rarely, electricity), see(data, read_c, np.nan * electricity)):
        assert np.isnan(seen.heat_capacity_kwh_per_k).all()
        assert np.isnan(seen.loss_kw_per_k).all()


def test_a_boiler_without_a_reading_spoils_none_beside_it(world):
    data, _, read_c, electricity = world
    silent = read_c[:, :2].copy()
    silent[:, 0] = np.nan
    seen = see(data[:2], silent, electricity[:, :2])
    alone = see(data[1:2], read_c[:, 1:2], electricity[:, 1:2])
    assert np.isnan(seen.loss_kw_per_k[0])
    assert seen.loss_kw_per_k[1] == pytest.approx(alone.loss_kw_per_k[0])
    assert seen.heat_capacity_kwh_per_k[1] == pytest.approx(alone.heat_capacity_kwh_per_k[0])
