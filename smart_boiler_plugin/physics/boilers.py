"""Boilers side by side, in steps: what a step keeps, gains and can heat. Pure; the fleet is an axis, not a loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smart_boiler_plugin.physics.tank import Tank
from smart_boiler_plugin.physics.thermostat import Floats

AT_ONCE = 128
"""Boilers whose arrays, with some hundred states each, stay in a core's cache."""


@dataclass(frozen=True)
class Boilers:
    """Boilers side by side, in steps of equal length; each field has the shape (boilers,).

    Parameters
    ----------
    retention
        Share of the state of charge that a step leaves [-].
    gain_kwh
        What the surroundings give in a step, as it counts at the step's end [kWh].
    late
        What is left at a step's end of a kWh that came, or was drawn, evenly during the step [-].
    heat_max_kwh
        Most heat of a step, as it counts at the step's end [kWh].
    power_kw, cop
        Electric power of the element [kW], and heat into the tank per electricity [-].
    ceiling_kwh
        State of charge up to which a plan may heat [kWh].
    heat_capacity_kwh_per_k, cold_water_c
        Of the tank [kWh/K], and of the water that flows in [°C].

    """

    retention: Floats
    gain_kwh: Floats
    late: Floats
    heat_max_kwh: Floats
    power_kw: Floats
    cop: Floats
    ceiling_kwh: Floats
    heat_capacity_kwh_per_k: Floats
    cold_water_c: Floats

    @classmethod
    def of(
        cls,
        tanks: Sequence[Tank],
        *,
        power_kw: Sequence[float],
        cop: Sequence[float],
        temperature_max_c: Sequence[float],
        step_h: float,
    ) -> Boilers:
        """Return boilers by their tanks, electric power [kW], cop [-] and ceiling [°C], in steps of a length [h]."""
        kept_hours = np.array([tank.kept_hours(step_h) for tank in tanks])
        power, cops = np.array(power_kw, dtype=float), np.array(cop, dtype=float)
        capacity = np.array([tank.heat_capacity_kwh_per_k for tank in tanks])
        cold = np.array([tank.cold_water_c for tank in tanks], dtype=float)
        return cls(
            retention=np.array([tank.storage_efficiency(step_h) for tank in tanks]),
            gain_kwh=np.array([tank.ambient_gain_kw for tank in tanks]) * kept_hours,
            late=kept_hours / step_h,
            heat_max_kwh=kept_hours * power * cops,
            power_kw=power,
            cop=cops,
            ceiling_kwh=capacity * (np.array(temperature_max_c, dtype=float) - cold),
            heat_capacity_kwh_per_k=capacity,
            cold_water_c=cold,
        )

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.retention)

    def parts(self) -> list[slice]:
        """Return slices of some boilers each, for work on large arrays."""
        return [slice(begin, begin + AT_ONCE) for begin in range(0, len(self), AT_ONCE)]

    def __getitem__(self, some: slice) -> Boilers:
        """Return some of them."""
        return Boilers(**{name: values[some] for name, values in vars(self).items()})

    def idle_kwh(self, state_kwh: Floats) -> Floats:
        """Return the states of charge [kWh] after a step without heating and draw-offs, shape (..., boilers)."""
        return self.retention * state_kwh + self.gain_kwh

    def after_kwh(self, state_kwh: Floats, electricity_kwh: Floats) -> Floats:
        """Return the states of charge [kWh] after a step with electricity [kWh] and no draw-off, (..., boilers).

        The tank's own limiter ends heating at the ceiling.
        """
        idle = self.idle_kwh(state_kwh)
        after: Floats = np.minimum(idle + self.heat_kwh(electricity_kwh), np.maximum(idle, self.ceiling_kwh))
        return after

    def heat_kwh(self, electricity_kwh: Floats | float) -> Floats:
        """Return what electricity [kWh] of a step is worth at its end, shape (..., boilers) [kWh of heat]."""
        return electricity_kwh * self.late * self.cop

    def temperature_c(self, state_kwh: Floats) -> Floats:
        """Return temperatures [°C] at states of charge [kWh], shape (..., boilers)."""
        return self.cold_water_c + state_kwh / self.heat_capacity_kwh_per_k

    def state_kwh(self, temperature_c: Floats | float) -> Floats:
        """Return states of charge [kWh] at temperatures [°C], shape (..., boilers)."""
        return self.heat_capacity_kwh_per_k * (temperature_c - self.cold_water_c)
