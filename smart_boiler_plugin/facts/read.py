"""Reading facts: what is known of boilers at a moment, in as many SQL statements for a thousand as for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.clock.days import midnight
from smart_boiler_plugin.clock.quarter import QUARTER, whole_quarters
from smart_boiler_plugin.facts.believed import believe_meters, believe_readings, vessels_of
from smart_boiler_plugin.facts.doubled import doubled_sensors
from smart_boiler_plugin.facts.facts import IS_DOUBLED, Facts
from smart_boiler_plugin.facts.latest import Held, latest_values
from smart_boiler_plugin.facts.sensors import Usable, usable_sensors
from smart_boiler_plugin.facts.series import OF_FACTS, first_readings, prices_per_kwh
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
    of_sensors = prices_per_kwh({price for each in usable for _, price in each.price_steps if price}, priced, now)
    prices: dict[tuple[object, str], Floats] = {}
    for each in usable:
        if (each.price_steps, each.timezone) not in prices:
            prices[each.price_steps, each.timezone] = _read_only(_price_of(each, of_sensors, priced))
    means = {key: _mean_of_known(price) if prices_since is not None else np.nan for key, price in prices.items()}
    first = first_readings({each.temperature_id for each in usable if each.temperature_id}, now)
    local = {timezone: quarters.tz_convert(timezone) for timezone in {each.timezone for each in usable}}
    return [
        Facts(
            asset_id=each.asset_id,
            moment=now.tz_convert(each.timezone),
            quarters=local[each.timezone],
            **{field: values[:, column] for field, values in own.items()},
            price=prices[each.price_steps, each.timezone][len(priced) - len(quarters) :],
            mean_price=means[each.price_steps, each.timezone],
            first_reading=first[each.temperature_id].tz_convert(each.timezone)
            if each.temperature_id in first
            else None,
            sensor_faults=sensor_faults[column],
            not_believed=(*each.told, *not_believed[column]),
            missing=each.missing,
        )
        for column, each in enumerate(usable)
    ]


def _price_of(each: Usable, of_sensors: Mapping[int, Floats], quarters: pd.DatetimeIndex) -> Floats:
    """Return what a kWh costs a household in each quarter, by the tariff that holds on its day."""
    price = np.full(len(quarters), np.nan)
    for day, named in each.price_steps:
        begin = 0 if day is None else int(quarters.searchsorted(midnight(day, each.timezone)))
        price[begin:] = of_sensors[named.sensor.id][begin:] if named else np.nan
    return price


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
    roles = {sensor.id: role for each in usable for role, sensor in each.by_role.items()}
    read: dict[int, Held] = {}
    doubled = doubled_sensors([each.temperature_id for each in usable if each.temperature_id], now)
    left_out = [(sensor_id, source) for sensor_id, each in doubled.items() for source in each.left_out]
    for held in latest_values(roles, begin, until, now, left_out=left_out):
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
        series = {field: own[field][:, column] for field in NEVER_BELOW_0}
        told: list[str] = []
        doubted: list[str] = []
        faults: dict[str, pd.Timestamp] = {}
        # what the tank of a day could do, decides on that day; and the sensor of today's may be at fault
        for span, vessel in vessels_of(boiler, begin, shape[0], each.timezone):
            local = (begin + span.start * QUARTER).tz_convert(each.timezone)
            of_span = {field: values[span] for field, values in series.items()}
            told += believe_meters(of_span, vessel, local) if vessel else []
            if column in read:
                held = read[column].within(span, shape[0])
                believed, why, faults = believe_readings(held, vessel, of_span["metered_kw"], local, now)
                own["temperature_c"][span.start + believed.quarters, column] = believed.value
                doubted += why
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
