"""How warm a household wants its water, and when: the lowest allowed temperature over time.

Pure. As JSON: ``comfort_schema.py``. Where hygiene is put: ``physics/hygiene.py``; what a plan makes of it: ``plan``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smart_boiler_plugin.clock.week import Window

USEFUL_C = 40.0
"""Useful temperature where a household says nothing [°C]."""


@dataclass(frozen=True)
class Period(Window):
    """A part of some days of the week, both ends included, in which the water is to be warmer.

    Parameters
    ----------
    days, begin, until
        As of any ``Window``.
    temperature_c
        Lowest allowed temperature [°C].

    """

    temperature_c: float


@dataclass(frozen=True)
class Away:
    """Nobody is at home: no floor from ``begin`` on, warm again at ``until`` (aware of their time zone)."""

    begin: datetime
    until: datetime


@dataclass(frozen=True)
class Hygiene:
    """How a boiler is kept free of legionella; None means what the server's settings say.

    Parameters
    ----------
    temperature_c
        How hot it must become [°C].
    duration
        For how long.
    interval
        How often, at least.
    off_because
        Why this boiler has no hygiene; None means that it has.

    """

    temperature_c: float | None = None
    duration: timedelta | None = None
    interval: timedelta | None = None
    off_because: str | None = None


@dataclass(frozen=True)
class Comfort:
    """What a household wants, beside a floor that holds always.

    Parameters
    ----------
    programme
        Parts of the week with a higher floor; where some overlap, the highest counts.
    away
        Or None. A boost counts more.
    boost_until
        Hot now, until then; or None.
    hygiene
        What keeps the water clean.
    pause_until
        A fitter is there: no plan is followed until then; or None.
    useful_temperature_c
        Mixed from water at or above it, what comes from the tap is warm [°C]; 45 for who washes up by hand.

    """

    programme: tuple[Period, ...] = ()
    away: Away | None = None
    boost_until: datetime | None = None
    hygiene: Hygiene = field(default_factory=Hygiene)
    useful_temperature_c: float = USEFUL_C
    pause_until: datetime | None = None

    def lowest_allowed_c(
        self, moments: pd.DatetimeIndex, *, temperature_min_c: float | None, temperature_max_c: float
    ) -> NDArray[np.float64]:
        """Return the lowest allowed temperature [°C] at moments, shape (n,); -inf where there is no floor.

        Parameters
        ----------
        moments
            In the household's time zone.
        temperature_min_c, temperature_max_c
            Floor that holds always, or None, and ceiling [°C]. No wish goes beyond the ceiling.

        """
        floor = np.full(len(moments), -np.inf if temperature_min_c is None else temperature_min_c)
        for period in self.programme:
            floor = np.where(period.covers(moments, with_end=True), np.maximum(floor, period.temperature_c), floor)
        if self.away:
            begin, until = pd.Timestamp(self.away.begin), pd.Timestamp(self.away.until)
            floor[(moments >= begin) & (moments < until)] = -np.inf
        if self.boost_until:
            floor[moments <= pd.Timestamp(self.boost_until)] = temperature_max_c
        lowest: NDArray[np.float64] = np.minimum(floor, temperature_max_c)
        return lowest
