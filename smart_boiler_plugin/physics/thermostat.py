"""What an ordinary thermostat would do: the baseline, and the plan for when there are no prices.

Pure; for one boiler or for many at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from smart_boiler_plugin.physics.envelope import Envelope, Series

SET_POINT_C = 60.0
"""Up to where a household's thermostat heats [°C]."""

HYSTERESIS_K = 5.0
"""How far below its set-point the thermostat lets the temperature fall before it heats again [K]."""

Floats = NDArray[np.float64]


def thermostat(
    start_kwh: Any,
    *,
    retention: Any,
    inflow_kwh: Any,
    heat_max_kwh: Any,
    restart_kwh: Any,
    full_kwh: Any,
    heating: Any = False,
) -> tuple[Floats, Floats]:
    """Return the heat put in and the state of charge at the end of each step [kWh], each of shape (n,) or (n, boilers).

    It heats when the state of charge is at or below ``restart_kwh``, at full power, and stops at ``full_kwh``; the last
    step is modulated to end there.

    Parameters
    ----------
    start_kwh
        State of charge at the start [kWh]: a number, or shape (boilers,).
    retention
        Share of the state of charge that a step leaves [-]: a number, or shape (boilers,).
    inflow_kwh
        Gains less draw-offs per step [kWh], shape (n,) or (n, boilers).
    heat_max_kwh
        Most heat per step [kWh]: a number, or shape (boilers,).
    restart_kwh, full_kwh
        State of charge at the lower and the upper end of the hysteresis [kWh].
    heating
        Whether it heats already.

    """
    inflow = np.asarray(inflow_kwh, dtype=float)
    state = np.broadcast_to(np.asarray(start_kwh, dtype=float), inflow.shape[1:])
    on = np.broadcast_to(np.asarray(heating, dtype=bool), inflow.shape[1:])
    heat, states = np.empty_like(inflow), np.empty_like(inflow)
    for i, comes_in in enumerate(inflow):
        on = on | (state <= restart_kwh)
        idle = retention * state + comes_in
        put_in = on * np.minimum(np.maximum(full_kwh - idle, 0.0), heat_max_kwh)
        state = idle + put_in
        # full, but for rounding
        on = on & (state < full_kwh - 1e-9)
        heat[i], states[i] = put_in, state
    return heat, states


def thermostat_within(bounds: Envelope, start_kwh: float, *, restart_kwh: float, full_kwh: float) -> Series:
    """Return the heat [kWh] per step, shape (n,), of a thermostat that also keeps floors and ceilings.

    Parameters
    ----------
    bounds
        Floors and ceilings that can be met.
    start_kwh
        State of charge at the start [kWh].
    restart_kwh, full_kwh
        As of ``thermostat``.

    """
    steps = bounds.steps
    heat = np.empty_like(steps.inflow_kwh)
    state, on = start_kwh, False
    for i in range(len(heat)):
        on = on or state <= restart_kwh
        idle = steps.retention[i] * state + steps.inflow_kwh[i]
        wish = max(full_kwh, idle) if on else idle
        wish = min(max(wish, bounds.need_kwh[i]), bounds.cap_kwh[i])
        heat[i] = min(max(wish - idle, steps.heat_min_kwh[i]), steps.heat_max_kwh[i])
        state = idle + heat[i]
        on = on and state < full_kwh - 1e-9
    return heat
