"""Physics of a fully mixed water tank, and what standards say about tanks.

Pure: no Flask, no database, no FlexMeasures; usable in a notebook. Where heating is planned: ``plan/scheduler.py``.

With volume V, heat capacity C, heat loss coefficient UA, state of charge E (heat above cold water):

    C  = V * 0.997 kg/l * 4.184 kJ/(kg K) / 3600          [kWh/K]          (1)
    E  = C * (T - T_cold)                                 [kWh]            (2)
    UA = standing loss / 24 h / 45 K                      [kW/K]           (3)
    dE/dt = cop * P - demand - UA * (T - T_ambient)       [kW]             (4)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Numeric = TypeVar("Numeric", float, NDArray[np.float64])

WATER_DENSITY_KG_PER_L = 0.997
"""Density of water at 25 °C [kg/l]."""

WATER_HEAT_CAPACITY_KJ_PER_KG_K = 4.184
"""Specific heat capacity of water at 20 °C [kJ/(kg K)]."""

STANDING_LOSS_TEMPERATURE_DIFFERENCE_K = 45.0
"""Temperature above ambient at which a standing loss is stated [K] (EN 50440, Regulation (EU) 812/2013)."""

STANDING_LOSS_W_BY_ENERGY_CLASS = {
    "A": (5.5, 3.16),
    "B": (8.5, 4.25),
    "C": (12.0, 5.93),
    "D": (16.66, 8.33),
}
"""Upper bound a + b * V^0.4 of the standing loss [W], V in litre (Regulation (EU) 812/2013, annex II, table 2)."""


@dataclass(frozen=True)
class Tank:
    """A fully mixed tank of hot water.

    Temperatures and states of charge may be numbers or NumPy arrays of any shape.

    Parameters
    ----------
    volume_l
        Volume of water [l].
    standing_loss_kwh_per_day
        Heat lost in 24 h at 45 K above ambient [kWh].
    cold_water_c
        Temperature of the water that flows in [°C]; the state of charge counts from here.
    ambient_c
        Temperature around the tank [°C].

    """

    volume_l: float
    standing_loss_kwh_per_day: float
    cold_water_c: float = 10.0
    ambient_c: float = 20.0

    @property
    def heat_capacity_kwh_per_k(self) -> float:
        """Heat that warms the tank by one kelvin, equation (1) [kWh/K]."""
        return self.volume_l * WATER_DENSITY_KG_PER_L * WATER_HEAT_CAPACITY_KJ_PER_KG_K / 3600

    @property
    def heat_loss_coefficient_kw_per_k(self) -> float:
        """Heat flow to the surroundings per kelvin above ambient, equation (3) [kW/K]."""
        return self.standing_loss_kwh_per_day / 24 / STANDING_LOSS_TEMPERATURE_DIFFERENCE_K

    def state_of_charge_kwh(self, temperature_c: Numeric) -> Numeric:
        """Return the heat above cold water [kWh] at a temperature [°C], equation (2)."""
        return self.heat_capacity_kwh_per_k * (temperature_c - self.cold_water_c)

    def temperature_c(self, state_of_charge_kwh: Numeric) -> Numeric:
        """Return the temperature [°C] at a state of charge [kWh], equation (2) solved for T."""
        return self.cold_water_c + state_of_charge_kwh / self.heat_capacity_kwh_per_k

    def storage_efficiency(self, step_h: float) -> float:
        """Return the share of the state of charge [-] that a step [h] leaves, were ambient as cold as cold water."""
        return math.exp(-self.heat_loss_coefficient_kw_per_k * step_h / self.heat_capacity_kwh_per_k)

    def kept_hours(self, step_h: float) -> float:
        """Return the heat [kWh] that 1 kW throughout a step [h] is worth at its end: a part of it is lost meanwhile."""
        rate_per_h = self.heat_loss_coefficient_kw_per_k / self.heat_capacity_kwh_per_k
        return (1 - self.storage_efficiency(step_h)) / rate_per_h if rate_per_h else step_h

    @property
    def ambient_gain_kw(self) -> float:
        """Constant part of the loss term of equation (4), as a gain [kW]: ambient is warmer than cold water."""
        return self.heat_loss_coefficient_kw_per_k * (self.ambient_c - self.cold_water_c)

    def after(self, state_of_charge_kwh: Numeric, step_h: float, power_kw: Numeric, demand_kwh: Numeric) -> Numeric:
        """Return the state of charge [kWh] after a step [h] with constant heat flows: equation (4), solved exactly.

        Parameters
        ----------
        state_of_charge_kwh
            At the start of the step [kWh].
        step_h
            Length of the step [h].
        power_kw
            Heat put into the tank: electric power times cop [kW].
        demand_kwh
            Heat drawn in the step, evenly [kWh].

        """
        inflow_kw = power_kw - demand_kwh / step_h + self.ambient_gain_kw
        return state_of_charge_kwh * self.storage_efficiency(step_h) + inflow_kw * self.kept_hours(step_h)


def standing_loss_kwh_per_day(energy_class: str, volume_l: float) -> float:
    """Return the highest standing loss [kWh/24 h] that an energy class allows a tank of a volume [l].

    Raises
    ------
    KeyError
        If there is no such energy class in ``STANDING_LOSS_W_BY_ENERGY_CLASS``.

    """
    constant, factor = STANDING_LOSS_W_BY_ENERGY_CLASS[energy_class]
    return float((constant + factor * volume_l**0.4) * 24 / 1000)
