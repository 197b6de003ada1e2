"""Which tanks are cold: colder than is wanted, where it matters. Pure."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from smart_boiler_plugin.boiler.comfort import Comfort
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.learning.learn import Habits, quarter_of_day
from smart_boiler_plugin.plan.policy import Policy

SOON = timedelta(hours=2)
"""How far ahead draw-offs matter."""

EXPECTED_KWH = 0.05
"""From this mean on draw-offs are expected [kWh]; less is missed by nobody: 1.4 l at 40 °C."""


def is_cold(
    data: BoilerData, comfort: Comfort, policy: Policy, habit: Habits, *, temperature_c: float, moment: pd.Timestamp
) -> bool:
    """Return whether a tank is below a floor that is in force, or below the useful temperature with draw-offs ahead.

    Parameters
    ----------
    data, comfort
        The boiler, and what its household wants.
    policy
        What the server's settings say.
    habit
        How the household draws, of this boiler alone.
    temperature_c
        Of the tank [°C].
    moment
        When, in the household's time zone.

    """
    floor_c = comfort.lowest_allowed_c(
        pd.DatetimeIndex([moment]), temperature_min_c=policy.floor_of(data), temperature_max_c=data.temperature_max_c
    )
    if temperature_c < floor_c[0]:
        return True
    useful_c = min(comfort.useful_temperature_c, data.temperature_max_c)
    return temperature_c < useful_c and expected_soon_kwh(comfort, habit, moment) >= EXPECTED_KWH


def expected_soon_kwh(comfort: Comfort, habit: Habits, moment: pd.Timestamp) -> float:
    """Return the heat that a household draws within ``SOON`` on average [kWh]."""
    # in UTC: pandas rounds local times, and knows no answer in the hour that the clock repeats
    begin = moment.tz_convert("UTC").floor(QUARTER).tz_convert(moment.tz)
    quarters = pd.date_range(begin, periods=SOON // QUARTER, freq=QUARTER)
    away = np.zeros((len(quarters), 1), dtype=bool)
    if comfort.away:
        begin, until = pd.Timestamp(comfort.away.begin), pd.Timestamp(comfort.away.until)
        away[(quarters >= begin) & (quarters < until)] = True
    sizes, probabilities = habit.draw_offs.ahead(quarter_of_day(quarters), away)
    return float((sizes * probabilities).sum())
