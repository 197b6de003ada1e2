"""How boilers follow set-points, step by step: by power, alone with a hysteresis, or told on and off. Pure.

The set-point of a step is the state of charge up to which its element heats; zero is off. All shapes are (boilers,).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smart_boiler_plugin.physics.boilers import Boilers
from smart_boiler_plugin.physics.thermostat import Floats

HYSTERESIS_K = 2.0
"""How far below its set-point a device that follows alone lets the temperature fall before it heats [K]."""

Bools = NDArray[np.bool_]


def need(boilers: Boilers, state_kwh: Floats, set_point_kwh: Floats) -> Floats:
    """Return the share of the element's power [-] that brings a tank to its set-point in one step, 0 to 1.

    Parameters
    ----------
    boilers
        Tanks and elements.
    state_kwh
        State of charge at the start of the step [kWh].
    set_point_kwh
        Up to where it heats [kWh].

    """
    return np.clip((set_point_kwh - boilers.idle_kwh(state_kwh)) / boilers.heat_max_kwh, 0.0, 1.0)


def relay(boilers: Boilers, state_kwh: Floats, set_point_kwh: Floats) -> Bools:
    """Return whether an element that is told once a step is on: where it needs more than half of the step."""
    on: Bools = need(boilers, state_kwh, set_point_kwh) > 1 / 2
    return on


def alone(
    boilers: Boilers, state_kwh: Floats, set_point_kwh: Floats, *, before_kwh: Floats, heating: Bools
) -> tuple[Floats, Bools]:
    """Return the share of the step [-] in which a device that follows alone heats, and whether it heats at its end.

    It goes off at the set-point, and on ``HYSTERESIS_K`` below it, or at once where the set-point has risen above the
    temperature: else a rise by less than the hysteresis would be missed.

    Parameters
    ----------
    boilers
        Tanks and elements.
    state_kwh, set_point_kwh
        As of ``need``.
    before_kwh
        Set-point of the step before [kWh].
    heating
        Whether it heated at the end of the step before.

    """
    far_below = state_kwh <= set_point_kwh - HYSTERESIS_K * boilers.heat_capacity_kwh_per_k
    risen_above = (before_kwh <= state_kwh) & (state_kwh < set_point_kwh)
    on = (state_kwh < set_point_kwh) & (heating | far_below | risen_above)
    share = on * need(boilers, state_kwh, set_point_kwh)
    return share, on & (share >= 1)
