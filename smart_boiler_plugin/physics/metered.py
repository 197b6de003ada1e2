"""Which metered power and draw-offs are believed: no more than the element takes, no more than the tank holds. Pure.

A meter in other units, with its sign turned or with another load on it shows in values that cannot be. Where at least
half of what it says cannot be, its other values of those hours are not believed, either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smart_boiler_plugin.physics.readings import OVERPOWER, Vessel, mostly
from smart_boiler_plugin.physics.thermostat import Floats

IDLE_KW = 0.02
"""Power as small as this says nothing, of whatever sign [kW]: what electronics take, and what a meter rounds."""

IDLE_KWH = 0.02
"""Heat as small as this says nothing, of whatever sign [kWh]."""

WITHIN_H = 12.0
"""Values this near to each other in time come from the same meter [h]."""


@dataclass(frozen=True)
class Doubt:
    """Values of a series that are not believed.

    Parameters
    ----------
    which
        Which of them, shape (n,).
    why
        For people.

    """

    which: NDArray[np.bool_]
    why: str


def doubted_power(power_kw: Floats, vessel: Vessel, step_h: float) -> list[Doubt]:
    """Return which of a boiler's powers it cannot have taken.

    Parameters
    ----------
    power_kw
        Per step, shape (n,) [kW]; NaN where there is none. Consumption is positive.
    vessel
        What the boiler can do.
    step_h
        Length of a step [h].

    """
    most = OVERPOWER * vessel.element_kw
    return _doubted(
        power_kw,
        [
            (power_kw > most + IDLE_KW, f"more than its element can take ({most:.3g} kW)"),
            (power_kw < -IDLE_KW, "less than nothing: is the sign turned round?"),
        ],
        IDLE_KW,
        step_h,
    )


def doubted_draw_offs(drawn_kwh: Floats, vessel: Vessel, step_h: float) -> list[Doubt]:
    """Return which draw-offs the tank cannot have given; arguments as of ``doubted_power``, heat in [kWh] per step.

    At most, it gives all that it holds and twice what its element makes meanwhile: another source may heat as well.
    """
    most = float(vessel.tank.state_of_charge_kwh(vessel.hottest_c)) + 2 * vessel.heat_kw * step_h
    return _doubted(
        drawn_kwh,
        [
            (drawn_kwh > most, f"more than the tank can give ({most:.3g} kWh)"),
            (drawn_kwh < -IDLE_KWH, "less than nothing: is the sign turned round?"),
        ],
        IDLE_KWH,
        step_h,
    )


def _doubted(values: Floats, found: list[tuple[NDArray[np.bool_], str]], idle: float, step_h: float) -> list[Doubt]:
    doubts = [Doubt(which, why) for which, why in found if which.any()]
    if not doubts:
        return []
    suspect = np.logical_or.reduce([each.which for each in doubts])
    hours: Floats = step_h * np.arange(len(values), dtype=float)
    around = mostly(suspect, np.abs(values) > idle, hours, WITHIN_H) & ~suspect & np.isfinite(values)
    return [*doubts, *([Doubt(around, "most of what was metered around it cannot be")] if around.any() else [])]
