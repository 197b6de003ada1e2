"""One row of readings as it is sent, checked by hand: a schema would take longer for them than storing does. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from smart_boiler_plugin.devices.quarters import QUARTER_US, SECOND_US, Times, Values

UNITS = {
    "temperature": {"°C": (1.0, 0.0), "degC": (1.0, 0.0), "°F": (1 / 1.8, -32 / 1.8), "degF": (1 / 1.8, -32 / 1.8)},
    "power": {"kW": (1.0, 0.0), "W": (0.001, 0.0)},
    "energy": {"kWh": (1.0, 0.0), "Wh": (0.001, 0.0)},
    "meter": {"kWh": (1.0, 0.0), "Wh": (0.001, 0.0)},
    "demand": {"kWh": (1.0, 0.0), "Wh": (0.001, 0.0)},
}
"""By kind, and by unit: what 1 is in °C, kW or kWh, and what 0 is."""

INSTANTS = {"temperature", "meter"}
"""Kinds that are read at a moment, and do not hold for an interval."""

MOST_VALUES = 10_000
"""How many values a row may have."""

LONGEST_RESOLUTION = timedelta(days=1)

EARLIEST = pd.Timestamp("2000-01-01", tz="UTC")

AHEAD = timedelta(minutes=15)
"""How fast a clock may be."""

WITH_ZONE = re.compile(r".*T.*(Z|[+-]\d\d:?\d\d)")

LARGEST = 1e12
"""Larger numbers are no readings of anything."""


class RowError(ValueError):
    """A row cannot be read at all; the message names the field."""


@dataclass
class Row:
    """Readings of one boiler, of one kind.

    Parameters
    ----------
    number
        Which row of the call.
    account
        Whose boiler.
    kind
        As of ``UNITS``.
    events
        Whether each amount counts at its moment, and not for an interval.
    index
        Which of the values that were sent are here, shape (n,).
    begins_us, ends_us
        When they begin and end, ascending, shape (n,) [µs since 1970]; the same for what is read at a moment.
    value
        Of each in °C, kW or kWh, shape (n,).
    rejected
        Why others are not taken, by index.

    """

    number: int
    account: int
    kind: str
    events: bool
    index: Times
    begins_us: Times
    ends_us: Times
    value: Values
    rejected: dict[int, str] = field(default_factory=dict)


def read_row(number: int, given: Any, now: datetime) -> Row:
    """Return a row.

    Parameters
    ----------
    number, given
        Which row, and the JSON.
    now
        What begins much later is not taken.

    Raises
    ------
    RowError
        If it cannot be read at all.

    """
    if not isinstance(given, dict):
        raise RowError("Send an object for each row.")
    kind, unit, account = given.get("kind"), given.get("unit"), given.get("account")
    if not isinstance(kind, str) or kind not in UNITS:
        raise RowError(f"kind: Must be one of: {', '.join(UNITS)}.")
    if not isinstance(unit, str) or unit not in UNITS[kind]:
        raise RowError(f"unit: Must be one of: {', '.join(UNITS[kind])}.")
    if not isinstance(account, int) or isinstance(account, bool):
        raise RowError("account: Must be the id of an account.")
    values, rejected = _numbers(given.get("values"))
    begins, ends, events = _times(given, kind, len(values))
    factor, zero = UNITS[kind][unit]
    latest = round((now + AHEAD).timestamp()) * SECOND_US
    for i in np.flatnonzero(np.isfinite(values) & (begins > latest)).tolist():
        rejected[i] = "From the future."
    taken = np.isfinite(values) & (begins <= latest)
    index = np.flatnonzero(taken)
    return Row(
        number, account, kind, events, index, begins[index], ends[index], factor * values[index] + zero, rejected
    )


def _numbers(given: Any) -> tuple[Values, dict[int, str]]:
    """Return values, NaN where there is none, and why some are none; null says nothing."""
    if not isinstance(given, list) or not given or len(given) > MOST_VALUES:
        raise RowError(f"values: Must be a list of 1 to {MOST_VALUES} numbers.")
    if all(type(each) is float for each in given):
        values = np.array(given)
    else:
        whole = [float(each) if type(each) in (int, float) and abs(each) < LARGEST else np.nan for each in given]
        values = np.array(whole)
    values[~(np.abs(values) < LARGEST)] = np.nan
    return values, {
        int(i): "No number." for i in np.flatnonzero(np.isnan(values)).tolist() if given[int(i)] is not None
    }


def _times(given: dict[str, Any], kind: str, count: int) -> tuple[Times, Times, bool]:
    """Return when values begin and end, and whether they are events."""
    if "times" in given:
        begins = _moments(given["times"], count)
        if kind == "energy":
            raise RowError("times: Energy is metered over intervals. Give start and resolution, or send a meter.")
        if kind == "power":
            # it holds until the next is read; the last one to the end of its quarter
            until = (begins[-1:] // QUARTER_US + 1) * QUARTER_US
            return begins, np.concatenate([begins[1:], until]), False
        return begins, begins, kind == "demand"
    resolution_us = _resolution_us(given.get("resolution"))
    begins = _start_us(given.get("start")) + resolution_us * np.arange(count, dtype=np.int64)
    return begins, begins if kind in INSTANTS else begins + resolution_us, False


def _moments(given: Any, count: int) -> Times:
    if not isinstance(given, list) or len(given) != count:
        raise RowError("times: Must be a list with a time for each value.")
    moments = np.array([_start_us(each, "times") for each in given], dtype=np.int64)
    if (np.diff(moments) <= 0).any():
        raise RowError("times: Must be ascending, none twice.")
    return moments


@lru_cache(maxsize=4096)
def _moment_us(text: str) -> int | None:
    if not WITH_ZONE.fullmatch(text):
        return None
    try:
        moment = pd.Timestamp(text)
        return int(moment.value) // 1000 if moment.tz is not None and moment >= EARLIEST else None
    except (ValueError, OverflowError):
        return None


def _start_us(given: Any, name: str = "start") -> int:
    found = _moment_us(given) if isinstance(given, str) else None
    if found is None:
        raise RowError(f"{name}: Must be a time with its zone, such as 2026-01-31T06:00:00+01:00.")
    return found


@lru_cache(maxsize=256)
def _duration(text: str) -> timedelta | None:
    try:
        found: timedelta | None = pd.Timedelta(text).to_pytimedelta() if text.startswith("P") else None
    except (ValueError, OverflowError, AttributeError):
        return None
    return found


def _resolution_us(given: Any) -> int:
    found = _duration(given) if isinstance(given, str) else None
    if found is None or not timedelta(seconds=1) <= found <= LONGEST_RESOLUTION:
        raise RowError("resolution: Must be a duration of 1 second to 1 day, such as PT5M.")
    return round(found.total_seconds() * SECOND_US)
