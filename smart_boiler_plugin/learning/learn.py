"""How probable which draw-offs are in each quarter of a day, by those of the last weeks and a prior. Pure.

Days as they were are no forecast: a household draws at about the same time, not at the same. So the distribution of a
quarter of the day is that of the draw-offs in it and in both its neighbours, over all days alike; and before there are
days, that of a tapping profile with as much spread as households have.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from functools import cache
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smart_boiler_plugin.clock.days import local_days
from smart_boiler_plugin.physics.tapping_profiles import TAPPING_PROFILES
from smart_boiler_plugin.physics.thermostat import Floats

QUARTERS = 96
"""Quarters of a day."""

DAYS = 28
"""How many days teach."""

PRIOR_DAYS = 3.0
"""How many days the tapping profile weighs."""

ENOUGH = 0.9
"""A day teaches if at least this share of it is known."""

BINS = 24
BIN_KWH = 4.0 / BINS
"""Draw-offs are told apart by bins of this width [kWh]; the last one has all that is larger, too."""

SPREAD_MIN = 30.0
"""Standard deviation of the time of a draw-off [min]."""

SIZES = ((0.6, 0.3), (1.0, 0.4), (1.6, 0.3))
"""Sizes of a draw-off of the tapping profile, in its own, and how probable each is where it happens."""

HAPPENS = 0.9
"""How probable it is that a draw-off of the tapping profile happens."""

FINE_KWH = 0.01
"""Step in which sums of draw-offs are told apart [kWh]; in between, a sum is shared, so that means stay."""


@dataclass(frozen=True)
class DrawOffsOfDay:
    """Distributions of the draw-offs in each quarter of the day.

    Parameters
    ----------
    sizes_kwh, probabilities
        Shape (quarters of the day, boilers, ``BINS``) [kWh] and [-]; those of a quarter add up to 1.

    """

    sizes_kwh: Floats
    probabilities: Floats

    def of(self, number: int) -> DrawOffsOfDay:
        """Return those of one boiler alone."""
        some = slice(number, number + 1)
        return DrawOffsOfDay(self.sizes_kwh[:, some], self.probabilities[:, some])

    def ahead(self, quarters: NDArray[np.int_], away: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Return sizes [kWh] and probabilities of steps ahead, each of shape (n, boilers, ``BINS``).

        Parameters
        ----------
        quarters
            ``quarter_of_day`` of each step, shape (n,).
        away
            Where nobody is at home, and nothing is drawn, shape (n, boilers).

        """
        return self.sizes_kwh[quarters] * ~away[:, :, None], self.probabilities[quarters]


def quarter_of_day(moments: pd.DatetimeIndex) -> NDArray[np.int_]:
    """Return in which quarter of the day local times fall, 0 to 95, by what the clock shows."""
    quarters: NDArray[np.int_] = moments.hour.to_numpy() * 4 + moments.minute.to_numpy() // 15
    return quarters


@dataclass(frozen=True)
class Habits:
    """What is known of when households draw, and how much.

    Parameters
    ----------
    draw_offs
        Their distributions, of the boilers in their order.
    days
        How many days taught, shape (boilers,); 0 where the tapping profile alone tells.

    """

    draw_offs: DrawOffsOfDay
    days: NDArray[np.int_]

    def of(self, number: int) -> Habits:
        """Return those of one household alone."""
        return Habits(self.draw_offs.of(number), self.days[number : number + 1])

    @property
    def profile_weight(self) -> Floats:
        """Share of the tapping profile in the distributions, shape (boilers,) [-]."""
        weight: Floats = PRIOR_DAYS / (PRIOR_DAYS + self.days.astype(float))
        return weight


def habits_of(
    moments: pd.DatetimeIndex, drawn_kwh: Floats, away: NDArray[np.bool_], tapping_profiles: list[str]
) -> Habits:
    """Return what draw-offs of the last ``DAYS`` days and tapping profiles tell of households.

    Arguments as of ``learned`` and ``usual``.
    """
    teaches, prior = _teaching(moments, np.isfinite(drawn_kwh), ~away), usual(tapping_profiles)
    days = np.logical_or.reduceat(teaches, local_days(moments)[0]).sum(axis=0)
    return Habits(_learned(moments, drawn_kwh, teaches, prior), days)


def learned(
    moments: pd.DatetimeIndex, drawn_kwh: Floats, away: NDArray[np.bool_], prior: DrawOffsOfDay
) -> DrawOffsOfDay:
    """Return the distributions that the last ``DAYS`` days teach.

    Parameters
    ----------
    moments
        Local times at which the quarters of an hour begin, ascending, n of them. Where the clock changes, an hour is
        not there, or there twice.
    drawn_kwh
        Heat drawn in each, shape (n, boilers) [kWh]; not a number where it is not known.
    away
        Where nobody was at home, shape (n, boilers): that teaches nothing.
    prior
        Of the same boilers: ``usual``.

    """
    return _learned(moments, drawn_kwh, _teaching(moments, np.isfinite(drawn_kwh), ~away), prior)


def _learned(
    moments: pd.DatetimeIndex, drawn_kwh: Floats, teaches: NDArray[np.bool_], prior: DrawOffsOfDay
) -> DrawOffsOfDay:
    step, boiler = np.nonzero(teaches)
    drawn = np.maximum(drawn_kwh[step, boiler], 0.0)
    shape = prior.probabilities.shape
    place = np.ravel_multi_index((quarter_of_day(moments)[step], boiler, _bin(drawn)), shape)
    size = prior.probabilities.size
    weight = _with_neighbours(np.bincount(place, minlength=size).reshape(shape))
    weighed = _with_neighbours(np.bincount(place, drawn, size).reshape(shape))
    weight += PRIOR_DAYS * prior.probabilities
    weighed += PRIOR_DAYS * prior.probabilities * prior.sizes_kwh
    return DrawOffsOfDay(_means(weighed, weight), weight / weight.sum(axis=2, keepdims=True))


def _teaching(moments: pd.DatetimeIndex, known: NDArray[np.bool_], home: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which quarters teach, shape (n, boilers): known ones at home, of the last days that are known enough."""
    if not len(moments):
        return known
    begins, day = local_days(moments)
    days = moments.tz_localize(None).normalize()
    known = known & home & (days > days[-1] - pd.Timedelta(days=DAYS))[:, None]
    enough = np.add.reduceat(known, begins, dtype=float) >= ENOUGH * np.add.reduceat(home, begins, dtype=float)
    teaching: NDArray[np.bool_] = known & enough[day]
    return teaching


def _with_neighbours(by_quarter: NDArray[np.generic]) -> Floats:
    """Return a third of each quarter and of both its neighbours, around midnight, too."""
    total: Floats = (np.roll(by_quarter, 1, axis=0) + by_quarter + np.roll(by_quarter, -1, axis=0)) / 3
    return total


def _bin(size_kwh: Floats) -> NDArray[np.intp]:
    """Return the bins of sizes [kWh]."""
    return np.minimum((size_kwh / BIN_KWH).astype(np.intp), BINS - 1)


def _means(weighed_kwh: Floats, weight: Floats) -> Floats:
    """Return the mean sizes [kWh] of bins, the last axis; the middle of a bin where there are none."""
    middle = np.broadcast_to((np.arange(BINS) + 0.5) * BIN_KWH, weight.shape)
    means: Floats = np.divide(weighed_kwh, weight, out=middle.copy(), where=weight > 0)
    return means


def usual(tapping_profiles: list[str]) -> DrawOffsOfDay:
    """Return the distributions by tapping profiles, one for each boiler.

    Each draw-off of a profile happens at another time, in another size, or not at all; those that fall into one quarter
    add up.

    Parameters
    ----------
    tapping_profiles
        Of ``TAPPING_PROFILES``.

    Raises
    ------
    KeyError
        If there is no such tapping profile.

    """
    sizes, probabilities = zip(*(_usual(profile) for profile in tapping_profiles), strict=True)
    return DrawOffsOfDay(np.stack(sizes, axis=1), np.stack(probabilities, axis=1))


@cache
def _usual(tapping_profile: str) -> tuple[Floats, Floats]:
    """Return sizes [kWh] and probabilities of a profile, each of shape (quarters of the day, ``BINS``)."""
    profile = TAPPING_PROFILES[tapping_profile]
    largest = sum(profile.values()) * max(size for size, _ in SIZES)
    sums = np.zeros((QUARTERS, int(largest / FINE_KWH) + 3))
    sums[:, 0] = 1
    for at, heat_kwh in profile.items():
        chance = HAPPENS * _chance_by_quarter(at)
        near = chance > 1e-6  # noqa: PLR2004 (the rest of the day)
        without = sums[near]
        with_it = sum(share * _moved(without, heat_kwh * size / FINE_KWH) for size, share in SIZES)
        sums[near] = without + chance[near, None] * (with_it - without)
    sizes: Floats = np.arange(sums.shape[1], dtype=float) * FINE_KWH
    in_bin = _bin(sizes)[:, None] == np.arange(BINS)
    probabilities = sums @ in_bin
    return _means(sums * sizes @ in_bin, probabilities), probabilities


def _chance_by_quarter(at: time) -> Floats:
    """Return how probable a draw-off is in each quarter of the day, around midnight, too; together 1."""
    when = NormalDist(at.hour * 60 + at.minute, SPREAD_MIN)
    edges = np.array([when.cdf(minute) for minute in range(-1440, 2 * 1440 + 1, 15)])
    chance: Floats = np.diff(edges).reshape(3, QUARTERS).sum(axis=0)
    return chance


def _moved(sums: Floats, steps: float) -> Floats:
    """Return distributions along the last axis, moved up by steps that need not be whole; what is beyond is nothing."""
    whole = int(steps)
    moved = np.zeros_like(sums)
    moved[:, whole:] = (1 - steps + whole) * sums[:, : sums.shape[1] - whole]
    moved[:, whole + 1 :] += (steps - whole) * sums[:, : sums.shape[1] - whole - 1]
    return moved
