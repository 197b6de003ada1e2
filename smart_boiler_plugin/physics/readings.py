"""Which readings of a temperature are believed. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from smart_boiler_plugin.physics.thermostat import Floats

BELIEVED_C = (0.0, 100.0)
"""Readings outside of this are not believed [°C]: water would be ice or steam."""


def doubts(starts: NDArray[np.datetime64[Any]], temperature_c: Floats, now: np.datetime64[Any]) -> dict[int, str]:
    """Return why readings of one boiler are not believed, by their number in the series; all others are.

    Parameters
    ----------
    starts
        When each reading's quarter of an hour began, ascending, shape (n,), in UTC.
    temperature_c
        Readings, shape (n,) [°C].
    now
        A quarter that begins later than this is yet to come: a clock that is fast shows there.

    """
    low, high = BELIEVED_C
    future = starts > now
    # what is no number is not between two
    doubted = np.flatnonzero(future | ~((temperature_c >= low) & (temperature_c <= high)))
    return {int(i): "from the future" if future[i] else "no temperature of water" for i in doubted}
