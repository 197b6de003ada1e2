"""Draw-offs of a day by what boilers reported: at whatever intervals, or only what changed. Pure.

``observe`` takes readings of the ends of steps. Boilers read at some other moment of the quarter of an hour: as it
begins, on average, or as it ends. Taken for another, 1.5 kW in 80 l are up to 4 K that seem to have been drawn when
heating begins, and to have come from nowhere when it ends: half as much again as was drawn (60 simulated boilers, read
as the quarter begins). So each boiler is taken to read at the moment that leaves the least to explain.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.learning.observe import TOLERANCE_K, Observed, observe
from smart_boiler_plugin.physics.boilers import Boilers
from smart_boiler_plugin.physics.reporting import UNCHANGED
from smart_boiler_plugin.physics.thermostat import Floats

MARGIN_K = 0.5
"""How much more than the change that a boiler reports its temperature may be from what it last said [K]."""


def infer(
    boilers: Boilers,
    temperature_c: Floats,
    electricity_kwh: Floats,
    change_k: Floats,
    *,
    tolerance_k: float = TOLERANCE_K,
) -> Floats:
    """Return the heat drawn in each quarter of an hour, not a number where it is not known; shape (n, boilers) [kWh].

    What was drawn between two readings is put into the middle of the time between them.

    Parameters
    ----------
    boilers
        Tanks and elements, in quarters of an hour.
    temperature_c
        Read in each quarter, shape (n, boilers) [°C]; not a number where there is no reading.
    electricity_kwh
        Of each quarter, shape (n, boilers) [kWh]; not a number where it is not known.
    change_k
        What change a boiler reports, where it reports nothing else, shape (boilers,) [K]; else not a number.
    tolerance_k
        As of ``observe``, at least [K].

    """
    read_c = _held(temperature_c, ~np.isnan(change_k))
    tolerances_k = np.fmax(tolerance_k, change_k + MARGIN_K)
    start = np.full(len(boilers), np.nan)
    before = np.vstack([electricity_kwh[:1], electricity_kwh[:-1]])
    # since the last reading: of those that read as the quarter ends, in its middle, and as it begins
    electricities = [electricity_kwh, (before + electricity_kwh) / 2, before]
    seen = [observe(boilers, read_c, each, start, tolerance_k=tolerances_k) for each in electricities]
    off_kwh = [np.abs(_off_kwh(boilers, each, given)) for each, given in zip(seen, electricities, strict=True)]
    comparable = np.isfinite(off_kwh).all(axis=0)
    # as the quarter ends, unless another moment explains clearly more
    unexplained = np.where(comparable, off_kwh, 0.0).sum(axis=1)
    unexplained[0] -= tolerance_k * boilers.heat_capacity_kwh_per_k
    ends, middle, begins = (_between_readings(np.isfinite(read_c), each.drawn_kwh) for each in seen)
    # what is read as a quarter begins tells of the one before
    begins = np.vstack([begins[1:], np.full((1, len(boilers)), np.nan)])
    drawn: Floats = np.choose(unexplained.argmin(axis=0), [ends, middle, begins])
    return drawn


def _held(temperature_c: Floats, held: NDArray[np.bool_]) -> Floats:
    """Return readings, with those of boilers that report changes alone held up to the next [°C]."""
    if not held.any():
        return temperature_c
    filled: Floats = temperature_c.copy()
    filled[:, held] = pd.DataFrame(temperature_c[:, held]).ffill(limit=UNCHANGED // QUARTER).to_numpy()
    return filled


def _off_kwh(boilers: Boilers, seen: Observed, electricity_kwh: Floats) -> Floats:
    """Return what readings that were believed were off from what was predicted, shape (n - 1, boilers) [kWh]."""
    return seen.state_kwh[1:] - boilers.after_kwh(seen.state_kwh[:-1], electricity_kwh[1:])


def _between_readings(read: NDArray[np.bool_], told_kwh: Floats) -> Floats:
    """Return draw-offs that readings told, in the middle of the time since the reading before, and nothing in its rest.

    Not a number where the next reading tells nothing.

    Parameters
    ----------
    read
        Where there is a reading, shape (n, boilers).
    told_kwh
        What each tells, shape (n, boilers) [kWh]; not a number where it tells nothing.

    """
    n = len(read)
    step = np.arange(n)[:, None]
    following = np.minimum.accumulate(np.where(read, step, n)[::-1])[::-1]
    told = np.vstack([np.isfinite(told_kwh), np.zeros((1, read.shape[1]), dtype=bool)])
    drawn = np.where(np.take_along_axis(told, following, axis=0), 0.0, np.nan)
    last = np.maximum.accumulate(np.where(read, step, -1))
    at, boiler = np.nonzero(told_kwh > 0)
    steps_since = at - last[at - 1, boiler]
    drawn[at - (steps_since - 1) // 2, boiler] = told_kwh[at, boiler]
    return drawn
