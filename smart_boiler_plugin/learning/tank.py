"""Standing loss and heat capacity of tanks, by what they did while nobody drew hot water. Pure: NumPy alone.

While nobody draws, a reading T of a tank differs from the one before by

    dT = cop * electricity / C - UA / C * (T - T_amb) dt                                                          (1)

In all quarters of an hour that show no draw-off, what heating does tells C; draw-offs too small to show take from
heated quarters and from others alike, and so leave C alone, but not UA. UA is told by the hours of the day in which the
household draws least, mostly the night, without those days on which it drew: by how fast the readings fall, each day's
from a start of its own, less what was heated meanwhile.

By readings of 28 days, with a noise of 0.3 K and steps of 0.5 K, C is within 1 % and UA within 6 % of nine in ten
boilers that follow set-points (40 simulated ones, two tariffs). Under a thermostat, which heats when heat was drawn, C
is within 3 %, and within 6 % where a boiler reads in the middle of quarters. A tank more than 1.7 times as large as it
was entered is not seen under a thermostat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.quarter import QUARTER_H
from smart_boiler_plugin.learning.infer import infer
from smart_boiler_plugin.learning.learn import ENOUGH, QUARTERS
from smart_boiler_plugin.learning.side_by_side import boilers_of
from smart_boiler_plugin.physics.tank import STANDING_LOSS_TEMPERATURE_DIFFERENCE_K
from smart_boiler_plugin.physics.thermostat import Floats

HOURS = 6
NIGHT = 4 * HOURS
"""How many quarters of an hour of each day tell of the standing loss: those in which the household draws least..."""

MARGIN = 4
"""... and so many before and after them, in which it draws least, too."""

QUIET_K = 1.5
"""How far a reading may be from what is predicted where nobody draws [K]: noise is to break no night off."""

LEAST_NIGHTS = 7
"""How many nights there must be at least."""

MODEL = 0.02
"""What else may be wrong with the result, beside noise: draw-offs too small to show [-]."""

NOISE_K2 = 0.3**2 + 0.5**2 / 12
"""Variance of a reading [K²]: a noise of 0.3 K, and steps of 0.5 K."""

TOO_LARGE = 1.7
PASSES = 3
"""A tank is first taken for this many times as large as it was entered: where it is taken for too small, all heating
looks like a draw-off. Then for what it was seen to be, until there are so many passes."""

SURE = 0.3
"""What is not known better than this is not told [-]."""


@dataclass(frozen=True)
class Seen:
    """What readings tell of tanks, each of shape (boilers,), not a number where they tell too little.

    Parameters
    ----------
    heat_capacity_kwh_per_k, heat_capacity_error
        Of the tank [kWh/K], and two standard errors of it, as a share [-].
    loss_kw_per_k, loss_error
        Heat lost per kelvin above ambient [kW/K], and two standard errors of it, as a share [-].
    nights
        How many nights tell of the loss.

    """

    heat_capacity_kwh_per_k: Floats
    heat_capacity_error: Floats
    loss_kw_per_k: Floats
    loss_error: Floats
    nights: NDArray[np.int_]


def see(data: Sequence[BoilerData], temperature_c: Floats, electricity_kwh: Floats) -> Seen:
    """Return what some weeks of quarters of an hour tell of tanks.

    Parameters
    ----------
    data
        Of the boilers. Of their tanks, the temperature around counts; what else was entered is where to begin.
    temperature_c, electricity_kwh
        Read in each quarter of an hour [°C], and metered [kWh], shape (n, boilers); not a number where it is not known.
        Boilers that report more rarely, or only changes, tell nothing.

    """
    ambient_c, at_intervals = np.array([each.ambient_c for each in data]), np.full(len(data), np.nan)
    taken_for = [replace(each, volume_l=TOO_LARGE * each.volume_l) for each in data]
    for _ in range(PASSES):
        boilers = boilers_of(taken_for)
        drawn = infer(boilers, temperature_c, electricity_kwh, at_intervals, tolerance_k=QUIET_K)
        seen = _see(temperature_c - ambient_c, electricity_kwh * boilers.cop, drawn)
        taken_for = [_with(each, seen, number) for number, each in enumerate(taken_for)]
    sure = [error < SURE for error in (seen.heat_capacity_error, seen.loss_error)]
    return Seen(
        np.where(sure[0], seen.heat_capacity_kwh_per_k, np.nan),
        np.where(sure[0], seen.heat_capacity_error, np.nan),
        np.where(sure[1], seen.loss_kw_per_k, np.nan),
        np.where(sure[1], seen.loss_error, np.nan),
        seen.nights,
    )


def _with(data: BoilerData, seen: Seen, number: int) -> BoilerData:
    """Return a boiler with the tank that was seen, as far as it was."""
    capacity, loss = seen.heat_capacity_kwh_per_k[number], seen.loss_kw_per_k[number]
    volume_l = data.volume_l if np.isnan(capacity) else data.volume_l * capacity / data.tank.heat_capacity_kwh_per_k
    entered = data.standing_loss_kwh_per_day
    return replace(
        data, volume_l=volume_l, standing_loss_kwh_per_day=entered if np.isnan(loss) else standing_loss_of(loss)
    )


def standing_loss_of(loss_kw_per_k: float) -> float:
    """Return what a tank loses in 24 h at the temperature difference of standing losses [kWh]."""
    return float(loss_kw_per_k * STANDING_LOSS_TEMPERATURE_DIFFERENCE_K * 24)


def _see(above_k: Floats, heat_kwh: Floats, drawn_kwh: Floats) -> Seen:
    """Return what tanks are seen to be, of how far above ambient they are [K], what heated them, and what was drawn."""
    by_heating = _by_heating(above_k, heat_kwh, drawn_kwh)
    return _by_nights(above_k, heat_kwh, drawn_kwh, by_heating)


@dataclass(frozen=True)
class ByHeating:
    """What heated quarters tell, each of shape (boilers,).

    Parameters
    ----------
    warms_k_per_kwh, error
        By how much a kWh of heat warms the tank [K/kWh], and the standard error of that, as a share [-].
    over
        Which part of a quarter is over when it is read [-].

    """

    warms_k_per_kwh: Floats
    error: Floats
    over: Floats


def _by_heating(above_k: Floats, heat_kwh: Floats, drawn_kwh: Floats) -> ByHeating:
    """Return what heated quarters tell: least squares of (1), with heat of this quarter and of the one before."""
    before, heat_before = _shifted(above_k), _shifted(heat_kwh)
    quiet = drawn_kwh == 0
    # what is drawn near the edge of a quarter shows in the one beside
    quiet = quiet & np.roll(quiet, 1, axis=0) & np.roll(quiet, -1, axis=0)
    causes = np.stack([heat_kwh, heat_before, -QUARTER_H * (above_k + before) / 2])
    rise = above_k - before
    counts = quiet & np.isfinite(rise) & np.isfinite(causes).all(axis=0)
    causes, rise = np.where(counts, causes, 0.0), np.where(counts, rise, 0.0)
    normal = np.einsum("knb,mnb->bkm", causes, causes)
    inverse = np.linalg.pinv(normal)
    share = np.einsum("bkm,mnb,nb->bk", inverse, causes, rise)
    off = rise - np.einsum("bk,knb->nb", share, causes)
    variance = (off**2).sum(axis=0) / np.maximum(counts.sum(axis=0) - len(causes), 1)
    per_kwh = share[:, 0] + share[:, 1]
    error = np.sqrt(variance * inverse[:, :2, :2].sum(axis=(1, 2)))
    per_kwh = np.where(per_kwh > 0, per_kwh, np.nan)
    return ByHeating(per_kwh, np.hypot(error / per_kwh, MODEL), np.clip(share[:, 0] / per_kwh, 0.0, 1.0))


def _by_nights(above_k: Floats, heat_kwh: Floats, drawn_kwh: Floats, by_heating: ByHeating) -> Seen:
    """Return what nights tell: least squares of (1), summed up from the begin of each, which is its own.

    What heated quarters tell of C counts by its error: an error of C that was heated at night were one of UA.
    """
    at, boiler = _nights(drawn_kwh)
    above, heat, drawn = above_k[at, boiler], heat_kwh[at, boiler], drawn_kwh[at, boiler]
    heated = np.cumsum(heat, axis=1) - (1 - by_heating.over) * heat
    warmth = -QUARTER_H * np.cumsum(above, axis=1)
    other = above - by_heating.warms_k_per_kwh * heated
    known = np.isfinite(other) & np.isfinite(warmth)
    other, heated, warmth = (_less_mean(each, known) for each in (other, heated, warmth))
    told = ((drawn == 0) | ~known).all(axis=1) & (known.mean(axis=1) >= ENOUGH)
    prior = np.nan_to_num(NOISE_K2 / (by_heating.error * by_heating.warms_k_per_kwh) ** 2)
    pairs = ((heated, heated), (heated, warmth), (warmth, warmth), (heated, other), (warmth, other))
    hh, hw, ww, ho, wo = (((one * two).sum(axis=1) * told).sum(axis=0) for one, two in pairs)
    hh = hh + prior
    with np.errstate(invalid="ignore", divide="ignore"):
        determinant = hh * ww - hw**2
        more, lost = (ww * ho - hw * wo) / determinant, (hh * wo - hw * ho) / determinant
    off = ((other - more * heated - lost * warmth) ** 2).sum(axis=1)
    nights: NDArray[np.int_] = told.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        # each night has a begin of its own
        freedom = np.maximum((known.sum(axis=1) * told).sum(axis=0) - nights - 2, 1)
        variance = np.where(told, off, 0.0).sum(axis=0) / freedom
        few = nights < LEAST_NIGHTS
        warms = by_heating.warms_k_per_kwh + np.where(few, 0.0, more)
        warms_error = np.where(few, by_heating.error, np.sqrt(variance * ww / determinant) / warms)
        lost = np.where(~few & (lost > 0), lost, np.nan)
        lost_error = np.sqrt(variance * hh / determinant) / lost
    return Seen(
        1 / warms,
        2 * np.hypot(warms_error, MODEL),
        lost / warms,
        2 * np.sqrt(lost_error**2 + warms_error**2 + MODEL**2),
        nights,
    )


def _nights(drawn_kwh: Floats) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Return where the hours of each day stand in which each household draws least, shapes (days, NIGHT, boilers)."""
    days = len(drawn_kwh) // QUARTERS
    often = (drawn_kwh[: days * QUARTERS] > 0).reshape(days, QUARTERS, -1).sum(axis=0)
    around = np.sum([np.roll(often, -step, axis=0) for step in range(NIGHT + 2 * MARGIN)], axis=0)
    begin = (around.argmin(axis=0) + MARGIN) % QUARTERS
    # the last may go beyond the end
    day, step = np.arange(days - 1)[:, None, None], np.arange(NIGHT)[None, :, None]
    return day * QUARTERS + begin + step, np.broadcast_to(np.arange(drawn_kwh.shape[1]), (1, 1, drawn_kwh.shape[1]))


def _shifted(values: Floats) -> Floats:
    """Return the values of the steps before."""
    return np.vstack([np.full((1, values.shape[1]), np.nan), values[:-1]])


def _less_mean(values: Floats, known: NDArray[np.bool_]) -> Floats:
    """Return values less their mean over axis 1, 0 where they are not known."""
    mean = np.where(known, values, 0.0).sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    return np.where(known, values - mean, 0.0)
