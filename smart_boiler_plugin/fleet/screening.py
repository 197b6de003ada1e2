"""Who must be looked at closely, by a few readings of each: so that the days of all others need not be read. Pure.

What is odd in a day shows in a few looks at it: a level or a rise that cannot be, a tank that gets no warmer while it
is to be heated or all day, one that gets warmer by itself, several sources. Whoever is odd may be well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from smart_boiler_plugin.clock.quarter import HOUR
from smart_boiler_plugin.facts.faults import WARMED_K
from smart_boiler_plugin.physics.readings import DIFFERENT_K, NOISE_K, POWER_ON_C
from smart_boiler_plugin.physics.reporting import UNCHANGED
from smart_boiler_plugin.physics.thermostat import Floats

Bools = NDArray[np.bool_]

AGO = tuple(timedelta(minutes=ago) for ago in (0, 15, 30, 60, 120, 180, 420, 720, 1080, 1425))
"""How long ago it is looked: more closely at the last hours, in which the last reading is believed or not."""

LATELY = timedelta(hours=3)
"""In what time it is compared with what was planned."""

RECENT = sum(ago <= LATELY for ago in AGO)
"""How many looks that are."""

HEATED_H = 1.0
"""How long heating must have been planned lately for a tank that gets no warmer to be odd [h]."""

WHOLE_DAY = timedelta(hours=20)
"""How far readings must reach back for a day without warming to be odd."""

AT_INTERVALS = timedelta(hours=1)
"""Who reports at intervals has no older reading than this at any time."""


@dataclass(frozen=True, eq=False)
class Limits:
    """What tanks can do, each of shape (boilers,); NaN where that is not known.

    Parameters
    ----------
    rise_k_per_h
        How fast an element warms its tank at most [K/h].
    coldest_c, hottest_c
        No water in the tank is colder or hotter [°C].

    """

    rise_k_per_h: Floats
    coldest_c: Floats
    hottest_c: Floats


def odd(at_s: Floats, temperature_c: Floats, sources: NDArray[np.int_], limits: Limits, heating_h: Floats) -> Bools:
    """Return whose readings show anything odd, shape (boilers,).

    Parameters
    ----------
    at_s, temperature_c
        When each reading began [s], and what it was [°C], as of each of ``AGO``, shape (boilers, looks).
    sources
        How many sources they are from, shape (boilers,).
    limits
        What the tanks can do.
    heating_h
        For how long heating was planned in the time of ``LATELY``, shape (boilers,) [h].

    """
    with np.errstate(invalid="ignore"):
        hours = -np.diff(at_s, axis=1) / HOUR.total_seconds()
        rises_k = -np.diff(temperature_c, axis=1)
        beyond = (temperature_c < limits.coldest_c[:, None]) | (temperature_c > limits.hottest_c[:, None])
        beyond |= np.abs(temperature_c - POWER_ON_C) < DIFFERENT_K / 2
        too_fast = rises_k > limits.rise_k_per_h[:, None] * hours + NOISE_K
        warmer = rises_k > NOISE_K
        all_day = np.nansum(hours, axis=1) >= WHOLE_DAY / HOUR
        lately = np.clip(np.nan_to_num(rises_k[:, : RECENT - 1]), 0.0, None).sum(axis=1)
    there = np.isfinite(temperature_c).any(axis=1)
    still = (heating_h >= HEATED_H) & ~warmer[:, : RECENT - 1].any(axis=1)
    by_itself = (heating_h == 0) & (lately >= WARMED_K)
    never = all_day & ~warmer.any(axis=1)
    found: Bools = there & ((sources > 1) | beyond.any(axis=1) | too_fast.any(axis=1) | still | never | by_itself)
    return found


def silence(at_s: Floats, now_s: float, longest_s: Floats) -> tuple[Bools, Bools]:
    """Return who is silent, and of whom only all readings of the day tell, each of shape (boilers,).

    A boiler that reports changes alone may say nothing for half a day; it has no regular readings before that.

    Parameters
    ----------
    at_s
        As of ``odd``.
    now_s
        The moment [s].
    longest_s
        After how long without a reading each is silent [s], shape (boilers,).

    """
    ago_s = np.array([ago.total_seconds() for ago in AGO])
    with np.errstate(invalid="ignore"):
        last_s = at_s[:, 0]
        # begins of quarters, as readings are counted
        age_s = now_s - np.floor(last_s / 900) * 900
        before = at_s < last_s[:, None]
        waited_s = np.where(before, now_s - ago_s - at_s, -np.inf)
        regular = before.any(axis=1) & (waited_s.max(axis=1) <= AT_INTERVALS.total_seconds())
        quiet = np.isnan(last_s) | (age_s > longest_s)
        for_sure = np.isnan(last_s) | (age_s > UNCHANGED.total_seconds()) | regular
    return quiet & for_sure, quiet & ~for_sure
