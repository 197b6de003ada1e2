"""Which tanks are cold: colder than is wanted, where it matters. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smart_boiler_plugin.boiler.comfort import Comfort
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.learning.learn import Habits, quarter_of_day
from smart_boiler_plugin.physics.thermostat import Floats
from smart_boiler_plugin.plan.policy import Policy

SOON = timedelta(hours=2)
"""How far ahead draw-offs matter."""

MISSED_K = 0.5
"""How much colder than wanted a tank must be planned to be cold then [K]: plans keep just at what is wanted."""

EXPECTED_KWH = 0.05
"""From this mean on draw-offs are expected [kWh]; less is missed by nobody: 1.4 l at 40 °C."""


@dataclass(frozen=True)
class Cold:
    """A tank that is, or will be, colder than is wanted then.

    Parameters
    ----------
    at
        Since when it is, or when it will be, local.
    temperature_c, wanted_c
        Of the tank now or then, and below which it is cold [°C].

    """

    at: pd.Timestamp
    temperature_c: float
    wanted_c: float


def wanted_c(
    data: BoilerData, comfort: Comfort, policy: Policy, habit: Habits, moments: pd.DatetimeIndex
) -> NDArray[np.float64]:
    """Return below which temperature a tank is cold at moments [°C], shape (n,); -inf where it cannot be too cold.

    Below a floor that is in force it is, and below the useful temperature with draw-offs ahead.

    Parameters
    ----------
    data, comfort
        The boiler, and what its household wants.
    policy
        What the server's settings say.
    habit
        How the household draws, of this boiler alone.
    moments
        When, in the household's time zone, shape (n,).

    """
    floor_c = comfort.lowest_allowed_c(
        moments, temperature_min_c=policy.floor_of(data), temperature_max_c=data.temperature_max_c
    )
    useful_c = min(comfort.useful_temperature_c, data.temperature_max_c)
    drawing = expected_soon_kwh(comfort, habit, moments) >= EXPECTED_KWH
    wanted: NDArray[np.float64] = np.maximum(floor_c, np.where(drawing, useful_c, -np.inf))
    return wanted


def cold_ahead(
    data: BoilerData,
    comfort: Comfort,
    policy: Policy,
    habit: Habits,
    moments: pd.DatetimeIndex,
    planned_c: NDArray[np.float64],
) -> Cold | None:
    """Return when a tank will first be cold by its plan; None where it will not be.

    A tank that is cold two hours before the morning's showers, and warm when they come, is cold for nobody: beside
    floors, what counts is what is drawn of it within ``SOON`` while it is colder than useful. Of 131 simulated boilers
    of which all draw-offs within ``SOON`` would tell, 45 heated in time, and lacked no more hot water than others.

    Parameters
    ----------
    data, comfort, policy, habit
        As of ``wanted_c``.
    moments, planned_c
        Starts of quarters of an hour without a gap, local, and the temperature that is planned of each, shape (n,)
        [°C]; NaN where nothing is.

    """
    floor_c = comfort.lowest_allowed_c(
        moments, temperature_min_c=policy.floor_of(data), temperature_max_c=data.temperature_max_c
    )
    useful_c = min(comfort.useful_temperature_c, data.temperature_max_c)
    below = planned_c < useful_c - MISSED_K
    missed_kwh = np.where(below, _drawn_kwh(comfort, habit, moments), 0.0)
    quarters = SOON // QUARTER
    soon_kwh = np.convolve(missed_kwh, np.ones(quarters))[quarters - 1 :]
    cold = np.flatnonzero((planned_c < floor_c - MISSED_K) | (below & (soon_kwh >= EXPECTED_KWH)))
    if not len(cold):
        return None
    first = int(cold[0])
    wanted = max(float(floor_c[first]), useful_c if below[first] else -np.inf)
    return Cold(moments[first], float(planned_c[first]), wanted)


def most_wanted_c(data: BoilerData, comfort: Comfort, policy: Policy) -> float:
    """Return the temperature at which a tank is never cold, whatever the hour and the habits [°C]."""
    if comfort.boost_until:
        return data.temperature_max_c
    wishes = [comfort.useful_temperature_c, policy.floor_of(data) or 0.0]
    wishes += [period.temperature_c for period in comfort.programme]
    return min(max(wishes), data.temperature_max_c)


def expected_soon_kwh(comfort: Comfort, habit: Habits, moments: pd.DatetimeIndex) -> Floats:
    """Return the heat that is drawn on average within ``SOON`` after each moment, shape (n,) [kWh]."""
    # in UTC: pandas rounds local times, and knows no answer in the hour that the clock repeats
    begins = moments.tz_convert("UTC").floor(QUARTER)
    steps = np.arange(SOON // QUARTER) * np.timedelta64(QUARTER)
    each = (begins.tz_localize(None).to_numpy()[:, None] + steps).ravel()
    quarters = pd.DatetimeIndex(each, tz="UTC").tz_convert(moments.tz)
    soon: Floats = _drawn_kwh(comfort, habit, quarters).reshape(len(moments), -1).sum(axis=1)
    return soon


def _drawn_kwh(comfort: Comfort, habit: Habits, quarters: pd.DatetimeIndex) -> Floats:
    """Return the heat that is drawn on average in quarters of an hour, shape (n,) [kWh]; none while all are away."""
    drawn: Floats = (habit.draw_offs.sizes_kwh * habit.draw_offs.probabilities).sum(axis=(1, 2))[
        quarter_of_day(quarters)
    ]
    if comfort.away:
        begin, until = pd.Timestamp(comfort.away.begin), pd.Timestamp(comfort.away.until)
        drawn = np.where((quarters >= begin) & (quarters < until), 0.0, drawn)
    return drawn
