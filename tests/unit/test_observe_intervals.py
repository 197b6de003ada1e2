"""Draw-offs by temperature and power where readings do not come each quarter of an hour."""

import numpy as np
import pytest

from smart_boiler_plugin.learning.infer import infer
from smart_boiler_plugin.physics.thermostat import thermostat
from tests.unit.set_point_cases import boilers_of

DAYS, COUNT = 8, 20


@pytest.fixture(scope="module")
def households():
    """Boilers under a thermostat, what was drawn, their electricity [kWh], and states of charge [kWh] by quarter."""
    chance = np.random.default_rng(7)
    boilers = boilers_of(*[80, 120] * (COUNT // 2))
    happens = chance.random((DAYS * 96, COUNT)) < np.tile(np.where(np.arange(96) < 24, 0.0, 0.06), DAYS)[:, None]
    drawn = happens * chance.uniform(0.3, 0.8, happens.shape)
    heat, states = thermostat(
        boilers.state_kwh(60.0),
        retention=boilers.retention,
        inflow_kwh=boilers.gain_kwh - drawn * boilers.late,
        heat_max_kwh=boilers.heat_max_kwh,
        restart_kwh=boilers.state_kwh(55.0),
        full_kwh=boilers.state_kwh(60.0),
    )
    return boilers, drawn, heat / boilers.late / boilers.cop, states


def check(households, read_c, change_k=np.nan, *, off=0.02):
    """All together, and each boiler over all days: twice as far off at most, and 1 % more."""
    boilers, drawn, electricity, _ = households
    found = np.nan_to_num(infer(boilers, read_c, electricity, np.full(COUNT, change_k)))
    assert found.sum() == pytest.approx(drawn.sum(), rel=off)
    np.testing.assert_allclose(found.sum(axis=0), drawn.sum(axis=0), rtol=2 * off + 0.01)


@pytest.mark.parametrize(("quarters", "off"), [(1, 0.001), (2, 0.02), (4, 0.07)])
def test_draw_offs_are_found_from_readings_each_quarter_half_hour_and_hour(households, quarters, off):
    """Read once an hour, some 5 % of it are missed."""
    boilers, _, _, states = households
    read_c = boilers.temperature_c(states)
    read_c[np.arange(len(read_c)) % quarters != quarters - 1] = np.nan
    check(households, read_c, off=off)


@pytest.mark.parametrize("share", [0.33, 0.7, 0.99])
def test_draw_offs_are_found_from_readings_within_a_quarter(households, share):
    """Each 5 minutes or seconds off the grid, the last of a quarter is read before its end."""
    boilers, _, _, states = households
    before = np.vstack([np.broadcast_to(boilers.state_kwh(60.0), (1, COUNT)), states[:-1]])
    check(households, boilers.temperature_c(before + share * (states - before)))


def test_draw_offs_are_found_from_changes_of_half_a_kelvin_alone(households):
    boilers, _, _, states = households
    true_c = boilers.temperature_c(states)
    read_c, last_c = np.full_like(true_c, np.nan), np.full(COUNT, 60.0)
    for step, now_c in enumerate(true_c):
        told = np.abs(now_c - last_c) >= 0.5
        read_c[step, told] = now_c[told]
        last_c = np.where(told, now_c, last_c)
    check(households, read_c, change_k=0.5)
