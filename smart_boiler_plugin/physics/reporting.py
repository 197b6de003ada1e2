"""Whether a boiler reports at intervals, or only what has changed. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import numpy as np
import pandas as pd

UNCHANGED = timedelta(hours=12)
"""How long a reading of a boiler that reports changes holds, at most: then it is taken to have fallen silent."""

LOOKED_AT = 60
"""How many of the last readings are looked at."""

ENOUGH = 8
"""How many there must be at least."""

SAME_K = 0.04
"""Readings that are nearer to each other than this are the same [K]."""

LARGEST_K = 2.0
"""Larger changes are not reported one by one [K]."""

MORE = 1.6
"""A change may be reported this many times too late [-]: it went on meanwhile."""

MOSTLY = 0.6
"""Share of falls that must be as small as the smallest change [-]; the others are draw-offs."""

IRREGULAR = 2.5
"""How many times as long as the shortest the longest time between two readings must be [-]."""


def reported_change_k(readings_c: pd.Series[Any]) -> float | None:
    """Return of what size the changes are that a boiler reports [K]; None where it reports at intervals.

    Who reports changes alone never repeats a reading, and reports rarely while little happens.

    Parameters
    ----------
    readings_c
        Temperatures [°C] by time, ascending.

    """
    if len(readings_c) < ENOUGH:
        return None
    changes_k = np.diff(readings_c.to_numpy()[-LOOKED_AT:])
    # in whatever unit: how many times as long one is as another is all that counts
    gaps = np.diff(cast("pd.DatetimeIndex", readings_c.index).asi8[-LOOKED_AT:])
    step_k = float(np.abs(changes_k).min())
    falls_k = -changes_k[changes_k < 0]
    if step_k < SAME_K or step_k > LARGEST_K or gaps.max() < IRREGULAR * gaps.min() or not len(falls_k):
        return None
    return round(step_k, 2) if np.mean(falls_k <= MORE * step_k) >= MOSTLY else None
