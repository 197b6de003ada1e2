"""Draw-offs by temperature and power: what a tank is colder than it would be if nothing had been drawn. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smart_boiler_plugin.physics.boilers import Boilers
from smart_boiler_plugin.physics.thermostat import Floats

TOLERANCE_K = 1.0
"""How far a reading may be from what is predicted and teach nothing [K].

Three standard deviations of a sensor with a noise of 0.3 K and steps of 0.5 K; two of what is predicted and read, for
that rests on an earlier reading. So it is a choice: households that follow set-points seem to draw 3.8 % more than they
do, and at 1.5 K 2.3 % less, for small draw-offs do not show then, and plans leave a quarter more unserved at 2 % less
cost (60 simulated boilers, 56 days). Seen of a day without draw-offs: 1.4 of 0.19 kWh, and at 1.5 K 0.05 (200
simulated boilers, 28 days).
"""

LONGEST_GAP = 4
"""After more steps than this without a reading, it is not told when in between heat was drawn."""


@dataclass(frozen=True)
class Observed:
    """What readings tell of draw-offs, each of shape (n, boilers).

    Parameters
    ----------
    drawn_kwh
        Heat drawn in each step [kWh]; not a number where it cannot be told.
    state_kwh
        State of charge at the end of each step [kWh]; not a number before the first reading.

    """

    drawn_kwh: Floats
    state_kwh: Floats


def observe(
    boilers: Boilers,
    temperature_c: Floats,
    electricity_kwh: Floats,
    start_kwh: Floats,
    *,
    tolerance_k: float | Floats = TOLERANCE_K,
) -> Observed:
    """Return the draw-offs of each step.

    A reading that is much colder than predicted is believed, and the difference was drawn; one that is much warmer is
    believed, too; else the prediction is. So noise teaches nothing, and small draw-offs add up until they show.

    Parameters
    ----------
    boilers
        Tanks and elements, in the same steps.
    temperature_c
        Read at the end of each step, shape (n, boilers) [°C]; not a number where there is no reading.
    electricity_kwh
        Of each step, metered, else as commanded, shape (n, boilers) [kWh]; not a number where it is not known. The
        tank's own limiter ends heating at the ceiling, whatever is commanded.
    start_kwh
        State of charge at the start, shape (boilers,) [kWh]; not a number where it is not known.
    tolerance_k
        How far a reading may be from what is predicted and teach nothing [K]; of all, or shape (boilers,).

    """
    tolerance_kwh = tolerance_k * boilers.heat_capacity_kwh_per_k
    drawn, states = np.empty_like(temperature_c), np.empty_like(temperature_c)
    state, since = start_kwh, np.ones(len(boilers))
    for step, (measured, electricity) in enumerate(zip(boilers.state_kwh(temperature_c), electricity_kwh, strict=True)):
        predicted = boilers.after_kwh(state, electricity)
        colder = predicted - measured
        read = np.isfinite(measured)
        told = np.isfinite(colder) & (since <= LONGEST_GAP)
        drawn[step] = np.where(told, np.where(colder > tolerance_kwh, colder / boilers.late, 0.0), np.nan)
        state = np.where(read & ~(told & (np.abs(colder) <= tolerance_kwh)), measured, predicted)
        since = np.where(read, 1, since + 1)
        states[step] = state
    return Observed(drawn, states)
