"""Reading facts: what is known of boilers at a moment, in as many SQL statements for a thousand as for one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.clock.quarter import QUARTER, whole_quarters
from smart_boiler_plugin.facts.believed import believe_meters, believe_readings, vessel_of
from smart_boiler_plugin.facts.doubled import doubled_sensors
from smart_boiler_plugin.facts.facts import IS_DOUBLED, Facts
from smart_boiler_plugin.facts.sensors import Usable, usable_sensors
from smart_boiler_plugin.facts.series import OF_FACTS, Held, first_readings, latest_values, prices_per_kwh
from smart_boiler_plugin.physics.thermostat import Floats

METERED, EXPECTED = ("metered_kw", "demand_kwh"), ("planned_kw", "expected_kwh", "forecast_kwh")

NEVER_BELOW_0 = (*METERED, *EXPECTED)
"""A boiler makes no electricity, and draws heat from its tank alone: less than none is none, where it is believed."""


def read_facts(
    boilers: Sequence[Boiler],
    moment: datetime,
    start: datetime,
    end: datetime,
    *,
    prices_since: datetime | None = None,
) -> list[Facts]:
    """Return what is known of boilers at a moment, in their order. It reads, and stores nothing.

    Six SQL statements at most, however many boilers, tariffs and quarters there are: two load the sensors of boilers
    and of their prices, four read what these hold. Whatever is missing is a missing value: nothing that a household
    can do to its own asset and sensors makes an exception, or changes the facts of others.

    Parameters
    ----------
    boilers
        Which, each of them once; in any time zones.
    moment
        What was recorded later is left out, and what was measured in a quarter that begins later is not believed.
    start, end
        The window, aware of the time zone; all quarters of an hour that it touches are read.
    prices_since
        From when on the mean price counts; by default it is not asked for.

    """
    now, begin, until = (pd.Timestamp(each).tz_convert("UTC") for each in (moment, *whole_quarters(start, end)))
    quarters = pd.date_range(begin, periods=int((until - begin) / QUARTER), freq=QUARTER)
    usable = usable_sensors(boilers)
    own, not_believed, sensor_faults = _own_series(boilers, usable, begin, until, now)
    priced = quarters if prices_since is None else _from(prices_since, quarters)
    prices = prices_per_kwh({each.price for each in usable if each.price}, priced, now)
    means = {
        sensor_id: _mean_of_known(of_sensor) for sensor_id, of_sensor in prices.items() if prices_since is not None
    }
    first = first_readings({each.temperature_id for each in usable if each.temperature_id}, now)
    local = {timezone: quarters.tz_convert(timezone) for timezone in {each.timezone for each in usable}}
    unknown = _read_only(np.full(len(quarters), np.nan))
    return [
        Facts(
            asset_id=each.asset_id,
            moment=now.tz_convert(each.timezone),
            quarters=local[each.timezone],
            **{field: values[:, column] for field, values in own.items()},
            price=_read_only(prices[each.price.sensor.id][-len(quarters) :]) if each.price else unknown,
            mean_price=means.get(each.price.sensor.id, np.nan) if each.price else np.nan,
            first_reading=first[each.temperature_id].tz_convert(each.timezone)
            if each.temperature_id in first
            else None,
            sensor_faults=sensor_faults[column],
            not_believed=(*each.told, *not_believed[column]),
            missing=each.missing,
        )
        for column, each in enumerate(usable)
    ]


def _from(since: datetime, quarters: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return quarters with those before them from a moment on."""
    begin = min(whole_quarters(since, since)[0].tz_convert("UTC"), quarters[0])
    return pd.date_range(begin, quarters[-1], freq=QUARTER)


def _mean_of_known(values: Floats) -> float:
    """Return the mean of what is known; NaN where nothing is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def _own_series(
    boilers: Sequence[Boiler], usable: Sequence[Usable], begin: pd.Timestamp, until: pd.Timestamp, now: pd.Timestamp
) -> tuple[dict[str, Floats], list[list[str]], list[dict[str, pd.Timestamp]]]:
    """Return what boilers' own sensors hold in a span, what of that is not believed, and what is wrong with sensors.

    The former by field of ``Facts``, each of shape (quarters, boilers), the others by boiler.
    """
    shape = (int((until - begin) / QUARTER), len(usable))
    own = {field: np.full(shape, np.nan) for field in OF_FACTS}
    columns = {sensor.id: column for column, each in enumerate(usable) for sensor in each.by_role.values()}
    read: dict[int, Held] = {}
    doubled = doubled_sensors([each.temperature_id for each in usable if each.temperature_id], now)
    left_out = [(sensor_id, source) for sensor_id, each in doubled.items() for source in each.left_out]
    for held in latest_values(columns, begin, until, now, left_out=left_out):
        column = columns[held.sensor_id]
        if held.kind == "temperature_c":
            read[column] = held
        else:
            own[held.kind][held.quarters, column] = held.value
    for field in EXPECTED:
        np.maximum(own[field], 0.0, out=own[field])
    not_believed: list[list[str]] = []
    sensor_faults: list[dict[str, pd.Timestamp]] = []
    for column, (boiler, each) in enumerate(zip(boilers, usable, strict=True)):
        local, vessel = begin.tz_convert(each.timezone), vessel_of(boiler)
        series = {field: own[field][:, column] for field in NEVER_BELOW_0}
        told = believe_meters(series, vessel, local) if vessel else []
        faults: dict[str, pd.Timestamp] = {}
        if column in read:
            believed, doubted, faults = believe_readings(read[column], vessel, series["metered_kw"], local, now)
            own["temperature_c"][believed.quarters, column] = believed.value
            told = [*doubted, *told]
        if twice := doubled.get(each.temperature_id or 0):
            faults[IS_DOUBLED] = twice.since.tz_convert(each.timezone)
            told = [twice.told, *told]
        not_believed.append(told)
        sensor_faults.append(faults)
    for field in METERED:
        np.maximum(own[field], 0.0, out=own[field])
    return {field: _read_only(values) for field, values in own.items()}, not_believed, sensor_faults


def _read_only(values: Floats) -> Floats:
    """Return values that all facts of a reading can share."""
    values.flags.writeable = False
    return values
