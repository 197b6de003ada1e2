"""What charts of quarters of an hour have in common, as JSON for their scripts (``static/charts.js``). Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.physics.thermostat import Floats
from smart_boiler_plugin.ui.reader import Reader

HUNDREDTHS = 2
"""Decimals with which values are drawn."""


def axis_of(quarters: pd.DatetimeIndex, now: datetime, reader: Reader) -> dict[str, Any]:
    """Return the axis of time: its begin, now and a step [ms], and in whose words it is told."""
    return {
        "start": ms(quarters[0]),
        "step": round(1000 * QUARTER.total_seconds()),
        "now": ms(now),
        "zone": reader.timezone,
        "language": reader.language,
    }


def days_of(quarters: pd.DatetimeIndex) -> list[dict[str, Any]]:
    """Return the days that begin in some local quarters: when [ms], and their names."""
    return [{"at": ms(day), "name": f"{day:%A}"} for day in quarters[quarters == quarters.normalize()]]


def ms(moment: datetime) -> int:
    """Return a moment as scripts have it [ms since 1970]."""
    return round(1000 * moment.timestamp())


def numbers(values: Floats, decimals: int = HUNDREDTHS) -> list[float | None]:
    """Return values, rounded; null where one is not known."""
    return [None if np.isnan(value) else round(float(value), decimals) for value in values]
