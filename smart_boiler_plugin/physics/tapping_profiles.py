"""How much hot water households draw at what time, by the tapping profiles of a regulation. Pure."""

from __future__ import annotations

from datetime import time

import numpy as np
import pandas as pd
from numpy.typing import NDArray

TAPPING_PROFILES: dict[str, dict[time, float]] = {
    "3XS": {
        time(7, 0): 0.015, time(7, 5): 0.015, time(7, 15): 0.015, time(7, 26): 0.015, time(7, 30): 0.015,
        time(9, 0): 0.015, time(9, 30): 0.015, time(11, 30): 0.015, time(11, 45): 0.015, time(12, 0): 0.015,
        time(12, 30): 0.015, time(12, 45): 0.015, time(14, 30): 0.015, time(15, 0): 0.015, time(15, 30): 0.015,
        time(16, 0): 0.015, time(18, 30): 0.015, time(19, 0): 0.015, time(19, 30): 0.015, time(21, 15): 0.015,
        time(21, 30): 0.015, time(21, 35): 0.015, time(21, 45): 0.015,
    },
    "XXS": {
        time(7, 0): 0.105, time(7, 30): 0.105, time(8, 30): 0.105, time(9, 30): 0.105, time(11, 30): 0.105,
        time(11, 45): 0.105, time(12, 0): 0.105, time(12, 30): 0.105, time(12, 45): 0.105, time(18, 0): 0.105,
        time(18, 15): 0.105, time(18, 30): 0.105, time(19, 0): 0.105, time(19, 30): 0.105, time(20, 0): 0.105,
        time(20, 45): 0.105, time(21, 0): 0.105, time(21, 15): 0.105, time(21, 35): 0.105, time(21, 45): 0.105,
    },
    "XS": {
        time(7, 30): 0.525, time(12, 45): 0.525, time(20, 30): 1.050,
    },
    "S": {
        time(7, 0): 0.105, time(7, 30): 0.105, time(8, 30): 0.105, time(9, 30): 0.105, time(11, 30): 0.105,
        time(11, 45): 0.105, time(12, 45): 0.315, time(18, 0): 0.105, time(18, 15): 0.105, time(20, 30): 0.420,
        time(21, 30): 0.525,
    },
    "M": {
        time(7, 0): 0.105, time(7, 5): 1.400, time(7, 30): 0.105, time(8, 1): 0.105, time(8, 15): 0.105,
        time(8, 30): 0.105, time(8, 45): 0.105, time(9, 0): 0.105, time(9, 30): 0.105, time(10, 30): 0.105,
        time(11, 30): 0.105, time(11, 45): 0.105, time(12, 45): 0.315, time(14, 30): 0.105, time(15, 30): 0.105,
        time(16, 30): 0.105, time(18, 0): 0.105, time(18, 15): 0.105, time(18, 30): 0.105, time(19, 0): 0.105,
        time(20, 30): 0.735, time(21, 15): 0.105, time(21, 30): 1.400,
    },
    "L": {
        time(7, 0): 0.105, time(7, 5): 1.400, time(7, 30): 0.105, time(7, 45): 0.105, time(8, 5): 3.605,
        time(8, 25): 0.105, time(8, 30): 0.105, time(8, 45): 0.105, time(9, 0): 0.105, time(9, 30): 0.105,
        time(10, 30): 0.105, time(11, 30): 0.105, time(11, 45): 0.105, time(12, 45): 0.315, time(14, 30): 0.105,
        time(15, 30): 0.105, time(16, 30): 0.105, time(18, 0): 0.105, time(18, 15): 0.105, time(18, 30): 0.105,
        time(19, 0): 0.105, time(20, 30): 0.735, time(21, 0): 3.605, time(21, 30): 0.105,
    },
    "XL": {
        time(7, 0): 0.105, time(7, 15): 1.820, time(7, 26): 0.105, time(7, 45): 4.420, time(8, 1): 0.105,
        time(8, 15): 0.105, time(8, 30): 0.105, time(8, 45): 0.105, time(9, 0): 0.105, time(9, 30): 0.105,
        time(10, 0): 0.105, time(10, 30): 0.105, time(11, 0): 0.105, time(11, 30): 0.105, time(11, 45): 0.105,
        time(12, 45): 0.735, time(14, 30): 0.105, time(15, 0): 0.105, time(15, 30): 0.105, time(16, 0): 0.105,
        time(16, 30): 0.105, time(17, 0): 0.105, time(18, 0): 0.105, time(18, 15): 0.105, time(18, 30): 0.105,
        time(19, 0): 0.105, time(20, 30): 0.735, time(20, 46): 4.420, time(21, 15): 0.105, time(21, 30): 4.420,
    },
    "XXL": {
        time(7, 0): 0.105, time(7, 15): 1.820, time(7, 26): 0.105, time(7, 45): 6.240, time(8, 1): 0.105,
        time(8, 15): 0.105, time(8, 30): 0.105, time(8, 45): 0.105, time(9, 0): 0.105, time(9, 30): 0.105,
        time(10, 0): 0.105, time(10, 30): 0.105, time(11, 0): 0.105, time(11, 30): 0.105, time(11, 45): 0.105,
        time(12, 45): 0.735, time(14, 30): 0.105, time(15, 0): 0.105, time(15, 30): 0.105, time(16, 0): 0.105,
        time(16, 30): 0.105, time(17, 0): 0.105, time(18, 0): 0.105, time(18, 15): 0.105, time(18, 30): 0.105,
        time(19, 0): 0.105, time(20, 30): 0.735, time(20, 46): 6.240, time(21, 15): 0.105, time(21, 30): 6.240,
    },
}  # fmt: skip
"""Heat drawn [kWh] at the local time of day, per tapping profile (Regulation (EU) 814/2013, annex III, table 1).

The useful energy content of each draw-off. The table's 3XL and 4XL are no households.
"""


def drawn_kwh(tapping_profile: str, moments: pd.DatetimeIndex, step_h: float) -> NDArray[np.float64]:
    """Return the heat [kWh] that a household draws in each step, shape (n,).

    Parameters
    ----------
    tapping_profile
        One of ``TAPPING_PROFILES``.
    moments
        Local times at which the steps begin, n of them. A draw-off counts in the step in which its time of day falls:
        not at all in an hour that the clock skips, twice in one that it repeats.
    step_h
        Length of a step [h].

    Raises
    ------
    KeyError
        If there is no such tapping profile.

    """
    steps_per_day = round(24 / step_h)
    by_step = np.zeros(steps_per_day)
    for at, heat in TAPPING_PROFILES[tapping_profile].items():
        by_step[int((at.hour + at.minute / 60) / step_h)] += heat
    step_of_day = ((moments.hour + moments.minute / 60) / step_h).astype(int)
    return by_step[step_of_day]
