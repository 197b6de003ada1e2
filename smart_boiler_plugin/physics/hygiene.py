"""When a tank must be made hot against legionella, and where in a plan that costs least.

Pure. How hot, how long and how often: ``boiler/comfort.py`` and the settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smart_boiler_plugin.physics.cheapest import Cost, costs_to_go, step_forward
from smart_boiler_plugin.physics.envelope import Envelope, Series

LONGEST_GAP = timedelta(hours=4)
"""How far apart two readings may be that tell what was in between."""

MICROSECOND = timedelta(microseconds=1)

SOON = timedelta(hours=1)
"""How late a tank may be as hot as planned."""

SENSOR_TOLERANCE_K = 0.1
"""A reading this little below the temperature counts as having reached it [K]: what a sensor rounds away."""


def last_done(readings_c: pd.Series, temperature_c: float, duration: timedelta, step: timedelta) -> pd.Timestamp | None:
    """Return when the last hygiene that readings show had lasted its time, or None.

    Parameters
    ----------
    readings_c
        Temperatures [°C] by the start of their step, ascending.
    temperature_c, duration
        How hot [°C], and how long without a break.
    step
        Length of a step.

    """
    begins, ends = _hot_spans(readings_c, temperature_c, step)
    lasted = ends[ends - begins >= duration // MICROSECOND]
    if not len(lasted):
        return None
    done: pd.Timestamp = pd.Timestamp(int(lasted[-1]), unit="us", tz="UTC").tz_convert(_index(readings_c).tz)
    return done


def _hot_spans(
    readings_c: pd.Series[Any], temperature_c: float, step: timedelta
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return when a tank began and ended to be hot [µs since 1970], as far as readings at any interval show.

    Each reading counts for its step. Between two that are further apart it was hot if both are well above; and where
    the later one is not, it was hot up to where a straight line from one to the other crosses.
    """
    values = readings_c.to_numpy(dtype=float)
    hot = np.flatnonzero(values >= temperature_c - SENSOR_TOLERANCE_K)
    at = _index(readings_c).as_unit("us").asi8
    begins, step_us = at[hot], step // MICROSECOND
    followed = hot[hot + 1 < len(values)]
    gap_us, next_c = np.zeros(len(hot), dtype=np.int64), np.full(len(hot), -np.inf)
    gap_us[: len(followed)] = at[followed + 1] - at[followed]
    next_c[: len(followed)] = values[followed + 1]
    told = (gap_us > step_us) & (gap_us <= LONGEST_GAP // MICROSECOND)
    both = (next_c >= temperature_c + SENSOR_TOLERANCE_K) & (values[hot] >= temperature_c + SENSOR_TOLERANCE_K)
    above_k = np.maximum(values[hot] - temperature_c, 0.0)
    crosses = np.minimum(above_k / np.maximum(values[hot] - next_c, SENSOR_TOLERANCE_K), 1.0)
    hot_us = np.where(told, np.maximum(step_us, gap_us * np.where(both, 1.0, crosses)), step_us)
    ends = begins + hot_us.astype(np.int64)
    # one that begins before the last one has ended goes on with it
    breaks = np.flatnonzero(begins[1:] > ends[:-1]) + 1
    first, last = np.concatenate([[0], breaks]), np.concatenate([breaks, [len(hot)]]) - 1
    return (begins[first], ends[last]) if len(hot) else (begins, ends)


def _index(readings_c: pd.Series[Any]) -> pd.DatetimeIndex:
    return cast("pd.DatetimeIndex", readings_c.index)


def attempts(
    planned_c: pd.Series[Any], readings_c: pd.Series[Any], temperature_c: float, step: timedelta
) -> list[float]:
    """Return how hot a tank got [°C] each time that it was planned to be hot, by readings then and soon after.

    Parameters
    ----------
    planned_c
        Temperatures as planned [°C] by the start of their step, ascending.
    readings_c
        The same, as measured.
    temperature_c
        How hot it was to become [°C].
    step
        Length of a step of the plan.

    Returns
    -------
    One per attempt, by time; those during which nothing was read are left out.

    """
    got: list[float] = []
    read_at = _index(readings_c).as_unit("us").asi8
    for begin, end in zip(*_hot_spans(planned_c, temperature_c, step), strict=True):
        meanwhile = readings_c[(read_at >= begin) & (read_at < end + SOON // MICROSECOND)]
        if end - begin > step // MICROSECOND and len(meanwhile):
            got.append(float(meanwhile.max()))
    return got


@dataclass(frozen=True)
class Placement:
    """Where hygiene is put in a plan.

    Parameters
    ----------
    first
        Step at whose end the tank is hot; -1 is the start of the plan.
    count
        How many ends of steps, from there on, it is hot.
    extra_cost
        What it costs more than the same plan without [EUR, or the currency of the price].

    """

    first: int
    count: int
    extra_cost: float

    @property
    def last(self) -> int:
        """Step at whose end hygiene has lasted its time."""
        return self.first + self.count - 1


def place(
    bounds: Envelope, price: Series, start_kwh: float, hot_kwh: float, steps: int, *, deadline: int
) -> Placement | None:
    """Return where hygiene costs least and is done in time; if it cannot be in time, where it is done soonest.

    Parameters
    ----------
    bounds
        The plan's floors and ceilings, n steps, as ``envelope`` makes them.
    price
        Of heat, shape (n,) [EUR/kWh].
    start_kwh
        State of charge at the start of the plan [kWh].
    hot_kwh
        State of charge that is hot enough [kWh].
    steps
        For how many steps it must stay hot.
    deadline
        Step at whose end it must be done; may lie outside of the plan.

    Returns
    -------
    None if no position in this plan can be reached.

    """
    n = len(price)
    to_go = costs_to_go(bounds, price)
    without = to_go[0].at(start_kwh) if to_go[0] else np.nan
    found: list[Placement] = []
    come: Cost | None = Cost.only_at(start_kwh)
    for before in range(-1, n - steps):
        # ``come`` is the least cost to be at the end of step ``before``
        first = before
        hot = come and come.between(hot_kwh, np.inf)
        for i in range(first + 1, first + steps + 1):
            low = max(float(bounds.lowest_kwh[i]), hot_kwh)
            hot = step_forward(hot, bounds.steps, price, i, low, float(bounds.highest_kwh[i]))
        cost = _least(hot, to_go[first + steps + 1])
        if cost is not None:
            found.append(Placement(first, steps + 1, cost - without))
            if found[-1].last >= deadline:
                break
        step = before + 1
        come = step_forward(
            come, bounds.steps, price, step, float(bounds.lowest_kwh[step]), float(bounds.highest_kwh[step])
        )
    in_time = [placement for placement in found if placement.last <= deadline]
    return min(in_time, key=lambda placement: placement.extra_cost) if in_time else next(iter(found), None)


def _least(one: Cost | None, other: Cost | None) -> float | None:
    """Return the least sum of two costs where both are defined, or None where there is no such state."""
    if one is None or other is None:
        return None
    low, high = max(one.begin_kwh, other.begin_kwh), min(one.end_kwh, other.end_kwh)
    if low > high + 1e-9:
        return None
    corners = [low, high]
    for cost in (one, other):
        corners.extend(cost.begin_kwh + reach for reach in accumulate(cost.widths))
    return min(one.at(corner) + other.at(corner) for corner in {min(max(c, low), high) for c in corners})
