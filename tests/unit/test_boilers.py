import numpy as np

from smart_boiler_plugin.physics.boilers import AT_ONCE, Boilers
from smart_boiler_plugin.physics.tank import Tank
from tests.unit.set_point_cases import boilers_of


def test_a_step_of_many_boilers_is_that_of_each_tank():
    tanks = [Tank(80, 1.1), Tank(120, 0.9, cold_water_c=12.0, ambient_c=8.0), Tank(50, 0.0)]
    boilers = Boilers.of(
        tanks, power_kw=[1.5, 2.0, 1.0], cop=[1.0, 2.5, 1.0], temperature_max_c=[65.0] * 3, step_h=0.25
    )
    start_kwh, electricity_kwh, drawn_kwh = (
        np.array([3.0, 4.0, 2.0]),
        np.array([0.3, 0.1, 0.0]),
        np.array([0.2, 0.0, 0.1]),
    )
    after = boilers.idle_kwh(start_kwh) + boilers.heat_kwh(electricity_kwh) - drawn_kwh * boilers.late
    alone = [
        tank.after(state, 0.25, cop * electricity * 4, drawn)
        for tank, state, cop, electricity, drawn in zip(
            tanks, start_kwh.tolist(), [1.0, 2.5, 1.0], electricity_kwh.tolist(), drawn_kwh.tolist(), strict=True
        )
    ]
    np.testing.assert_allclose(after, alone)
    np.testing.assert_allclose(boilers.heat_max_kwh, boilers.heat_kwh(boilers.power_kw / 4))
    np.testing.assert_allclose(boilers.temperature_c(boilers.state_kwh(48.0)), 48.0)
    np.testing.assert_allclose(boilers.ceiling_kwh, [tank.state_of_charge_kwh(65.0) for tank in tanks])


def test_parts_have_each_boiler_once_and_in_order():
    boilers = boilers_of(*range(20, 20 + 2 * AT_ONCE + 1))
    parts = [boilers[part] for part in boilers.parts()]
    assert [len(part) for part in parts] == [AT_ONCE, AT_ONCE, 1]
    np.testing.assert_array_equal(np.concatenate([part.retention for part in parts]), boilers.retention)
