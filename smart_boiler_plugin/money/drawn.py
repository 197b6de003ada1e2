"""What was drawn, and what came from elsewhere, as readings of boilers show it. Pure: NumPy and pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smart_boiler_plugin.physics.boilers import Boilers
from smart_boiler_plugin.physics.thermostat import Floats


def states_between(state_kwh: Floats, longest_gap: int) -> Floats:
    """Return the state of charge between steps [kWh], shape (steps - 1, boilers), from that during each step.

    A reading is the mean of its step; between two of them the state is taken to be their mean, and next to a missing
    one that of the other.

    Parameters
    ----------
    state_kwh
        During each step, shape (steps, boilers) [kWh]; NaN where it is not known.
    longest_gap
        Over how many steps from one reading to the next the state is taken to change evenly.

    """
    during = _without_gaps(state_kwh, longest_gap)
    before, after = during[:-1], during[1:]
    return np.where(np.isnan(before), after, np.where(np.isnan(after), before, (before + after) / 2))


def _without_gaps(values: Floats, longest: int) -> Floats:
    """Return values with the short gaps between them filled evenly; columns are filled each by itself."""
    frame = pd.DataFrame(values)
    known_at = pd.DataFrame(np.where(frame.isna(), np.nan, np.arange(len(frame))[:, None]))
    short = known_at.bfill() - known_at.ffill() <= longest
    filled: Floats = frame.interpolate().where(short).to_numpy()
    return filled


def inferred_draw_offs_kwh(boilers: Boilers, between_kwh: Floats, power_kw: Floats, step_h: float) -> Floats:
    """Return the heat drawn per step [kWh], shape (steps, boilers), that explains how states of charge changed.

    Equation (4) of ``physics/tank.py``, solved for the demand. Noise of a sensor makes single steps negative, which
    the next one takes back: with a limit at 0, heat would be drawn that nobody drew.

    Parameters
    ----------
    boilers
        Which.
    between_kwh
        State of charge at the start of each step and at the end of the last, shape (steps + 1, boilers) [kWh].
    power_kw
        Electric power per step, shape (steps, boilers) [kW].
    step_h
        Length of a step [h].

    """
    kept = boilers.idle_kwh(between_kwh[:-1]) + boilers.heat_kwh(power_kw * step_h)
    return (kept - between_kwh[1:]) / boilers.late


def draw_offs_kwh(measured_kwh: Floats, inferred_kwh: Floats) -> Floats:
    """Return the heat drawn per step [kWh], as measured, else as inferred; NaN where it is neither.

    A boiler may report draw-offs only when there are some. Readings smear these over the steps around, and so as much
    less is taken from there as was measured in all.

    Parameters
    ----------
    measured_kwh, inferred_kwh
        Shape (steps, boilers) [kWh]; NaN where there is nothing.

    """
    is_measured = ~np.isnan(measured_kwh)
    rest = np.nansum(inferred_kwh - np.where(is_measured, measured_kwh, 0.0), axis=0)
    elsewhere = np.nansum(np.where(is_measured, 0.0, inferred_kwh), axis=0)
    share = np.clip(np.divide(rest, elsewhere, out=np.ones_like(rest), where=elsewhere > 0), 0.0, 1.0)
    return np.where(is_measured, measured_kwh, inferred_kwh * share)


def other_heat_kwh(measured_kwh: Floats, inferred_kwh: Floats, least_kwh: Floats) -> Floats:
    """Return the heat per step [kWh], shape (steps, boilers), that came from no element: the sun, a coil, a stove.

    Where draw-offs are measured, readings show what else warmed the tank: by how much less the draw-offs that explain
    them are than those that were. Heat that comes in whenever somebody draws is told as well as any.

    Parameters
    ----------
    measured_kwh, inferred_kwh
        As of ``draw_offs_kwh``.
    least_kwh
        Less than this in all is none, shape (boilers,) [kWh]: noise, and losses that are not quite as they were said.

    """
    more = np.nan_to_num(measured_kwh - inferred_kwh)
    total = more.sum(axis=0)
    # readings smear a draw-off over the steps around it
    rises = np.maximum(pd.DataFrame(more).rolling(3, center=True, min_periods=1).mean().to_numpy(), 0.0)
    share = np.divide(total, rises.sum(axis=0), out=np.zeros_like(total), where=total >= least_kwh)
    other: Floats = rises * share
    return other
