"""How long a household can shower with what is in its tank. Pure."""

from __future__ import annotations

from smart_boiler_plugin.physics.tank import (
    WATER_DENSITY_KG_PER_L,
    WATER_HEAT_CAPACITY_KJ_PER_KG_K,
    Tank,
)

SHOWER_C = 40.0
"""Temperature of the water of a shower [°C] (EN 16147 and Regulation (EU) 814/2013 draw showers at 40 °C)."""

SHOWER_L_PER_MIN = 6.0
"""Flow of a shower [l/min] (Regulation (EU) 814/2013, annex III, table 1: 6 l/min)."""


def shower_minutes(tank: Tank, temperature_c: float, useful_c: float) -> float:
    """Return for how many minutes a tank gives a warm shower [min].

    A mixed tank of V litres at T has the heat of V (T - T_cold) / (40 °C - T_cold) litres at 40 °C; 6 l/min of these
    are drawn. Nothing is heated meanwhile. A rough measure: the last of it is not as warm as the first.

    Parameters
    ----------
    tank
        Which.
    temperature_c
        Of the water in it [°C].
    useful_c
        Below it, hot water serves nobody [°C]: 0 minutes.

    """
    warms_k = SHOWER_C - tank.cold_water_c
    if temperature_c < useful_c or warms_k <= 0:
        return 0.0
    return tank.volume_l * max(temperature_c - tank.cold_water_c, 0.0) / warms_k / SHOWER_L_PER_MIN


def shower_minutes_of_heat(heat_kwh: float, cold_water_c: float) -> float:
    """Return for how many minutes of a shower some heat [kWh] is enough [min], from cold water [°C]."""
    kwh_per_l_k = WATER_DENSITY_KG_PER_L * WATER_HEAT_CAPACITY_KJ_PER_KG_K / 3600
    kwh_per_min = SHOWER_L_PER_MIN * kwh_per_l_k * (SHOWER_C - cold_water_c)
    return heat_kwh / kwh_per_min if kwh_per_min > 0 else 0.0
