"""Reading facts: what is known of boilers at a moment, in as many SQL statements for a thousand as for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.clock.quarter import QUARTER, whole_quarters
from smart_boiler_plugin.facts.facts import Facts
from smart_boiler_plugin.facts.sensors import Usable, usable_sensors
from smart_boiler_plugin.facts.series import Held, first_readings, latest_values, prices_per_kwh
from smart_boiler_plugin.physics.readings import doubts
from smart_boiler_plugin.physics.thermostat import Floats

NEVER_BELOW_0 = ("metered_kw", "planned_kw", "demand_kwh", "expected_kwh", "forecast_kwh")
"""A boiler makes no electricity, and draws heat from its tank alone: less than none is none."""


def read_facts(boilers: Sequence[Boiler], moment: datetime, start: datetime, end: datetime) -> list[Facts]:
    """Return what is known of boilers at a moment, in their order. It reads, and stores nothing.

    Five SQL statements at most, however many boilers, tariffs and quarters there are: two load the sensors of boilers
    and of their prices, three read what these hold. Whatever is missing is a missing value: nothing that a household
    can do to its own asset and sensors makes an exception, or changes the facts of others.

    Parameters
    ----------
    boilers
        Which, each of them once; in any time zones.
    moment
        What was recorded later is left out, and what was measured in a quarter that begins later is not believed.
    start, end
        The window, aware of the time zone; all quarters of an hour that it touches are read.

    """
    now, begin, until = (pd.Timestamp(each).tz_convert("UTC") for each in (moment, *whole_quarters(start, end)))
    quarters = pd.date_range(begin, periods=int((until - begin) / QUARTER), freq=QUARTER)
    usable = usable_sensors(boilers)
    own, not_believed = _own_series(usable, begin, until, now)
    prices = prices_per_kwh({each.price for each in usable if each.price}, quarters, now)
    first = first_readings({each.temperature_id for each in usable if each.temperature_id}, now)
    local = {timezone: quarters.tz_convert(timezone) for timezone in {each.timezone for each in usable}}
    unknown = _read_only(np.full(len(quarters), np.nan))
    return [
        Facts(
            asset_id=each.asset_id,
            moment=now.tz_convert(each.timezone),
            quarters=local[each.timezone],
            **{field: values[:, column] for field, values in own.items()},
            price=_read_only(prices[each.price.sensor.id]) if each.price else unknown,
            first_reading=first[each.temperature_id].tz_convert(each.timezone)
            if each.temperature_id in first
            else None,
            not_believed=(*each.told, *not_believed[column]),
            missing=each.missing,
        )
        for column, each in enumerate(usable)
    ]


def _own_series(
    usable: Sequence[Usable], begin: pd.Timestamp, until: pd.Timestamp, now: pd.Timestamp
) -> tuple[dict[str, Floats], list[list[str]]]:
    """Return what boilers' own sensors hold in a span, and what of that is not believed, for people.

    The former by field of ``Facts``, each of shape (quarters, boilers), the latter by boiler.
    """
    shape = (int((until - begin) / QUARTER), len(usable))
    own = {field: np.full(shape, np.nan) for field in ("temperature_c", *NEVER_BELOW_0)}
    not_believed: list[list[str]] = [[] for _ in usable]
    columns = {sensor.id: column for column, each in enumerate(usable) for sensor in each.by_role.values()}
    for held in latest_values(columns, begin, until, now):
        column = columns[held.sensor_id]
        believed = held
        if held.kind == "temperature_c":
            believed, not_believed[column] = _believed(held, begin.tz_convert(usable[column].timezone), now)
        own[held.kind][believed.quarters, column] = believed.value
    for field in NEVER_BELOW_0:
        np.maximum(own[field], 0.0, out=own[field])
    return {field: _read_only(values) for field, values in own.items()}, not_believed


def _believed(held: Held, begin: pd.Timestamp, now: pd.Timestamp) -> tuple[Held, list[str]]:
    """Return the readings of one boiler that are believed, and which are not, with the reason."""
    starts = begin.to_datetime64() + held.quarters * np.timedelta64(QUARTER)
    why = doubts(starts, held.value, now.to_datetime64())
    told = [
        f"{held.value[i]:g} °C at {(begin + int(held.quarters[i]) * QUARTER).isoformat()}: {reason}"
        for i, reason in why.items()
    ]
    kept = np.ones(len(starts), dtype=bool)
    kept[list(why)] = False
    return replace(held, quarters=held.quarters[kept], value=held.value[kept]), told


def _read_only(values: Floats) -> Floats:
    """Return values that all facts of a reading can share."""
    values.flags.writeable = False
    return values
