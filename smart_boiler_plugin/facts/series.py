"""What values of sensors tell, and since when; and prices, of many tariffs at once.

What boilers' own sensors hold for a span: ``latest.py``.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from flexmeasures import Sensor, Source
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from sqlalchemy import ColumnElement, case, func

from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.facts.packed import EPOCH, PACKED, Beliefs
from smart_boiler_plugin.facts.sensors import Price
from smart_boiler_plugin.host import PLANNED
from smart_boiler_plugin.physics.readings import BELIEVED_C
from smart_boiler_plugin.physics.thermostat import Floats
from smart_boiler_plugin.prices.quarters import in_quarters

SOURCE_TYPE = func.coalesce(Source.type, "")

IS_PLANNED = SOURCE_TYPE.in_(PLANNED)

TEMPERATURE = "temperature"

INFERRED = "inferred"
"""Type of the data source of draw-offs that were inferred from temperatures (``learning/daily.py``): not measured, and
what nobody expects."""

INFERRED_KWH = "inferred_kwh"
"""Kind of these: no field of ``Facts``."""

TOLD_BY_SOURCE = {
    ("fill-rate", "scheduler"): "planned_kw",
    (TEMPERATURE, "scheduler"): "planned_c",
    ("demand", "forecaster"): "forecast_kwh",
    ("demand", INFERRED): INFERRED_KWH,
}
"""What sensors tell by whom, by role and type of source; what others of ``PLANNED`` say of them is nothing."""

METERED = {"fill-rate": "metered_kw", "demand": "demand_kwh"}
"""What other sources tell of a quarter that had begun."""

OF_FACTS = (
    "temperature_c",
    "planned_c",
    "metered_kw",
    "planned_kw",
    "demand_kwh",
    "expected_kwh",
    "forecast_kwh",
)
"""Kinds that are fields of ``Facts``."""

IS_TEMPERATURE = Sensor.name == TEMPERATURE

IS_NUMBER = func.abs(TimedBelief.event_value) < float("inf")
"""Infinity is none, nor is NaN, which in PostgreSQL is more than that."""


def recorded_at() -> ColumnElement[datetime]:
    """Return when a value of a sensor of boilers was recorded: the horizon counts from the end of its quarter."""
    moment: ColumnElement[datetime] = TimedBelief.event_start + QUARTER - TimedBelief.belief_horizon
    return moment


def kind_told() -> ColumnElement[str | None]:
    """Return what a value tells, as ``_kind`` does: one of ``OF_FACTS``, or ``INFERRED_KWH``; None for nothing."""
    return case(
        *(((Sensor.name == role) & (by == SOURCE_TYPE), kind) for (role, by), kind in TOLD_BY_SOURCE.items()),
        (SOURCE_TYPE.in_([*PLANNED, INFERRED]), None),
        (IS_TEMPERATURE, "temperature_c"),
        ((Sensor.name == "demand") & (TimedBelief.belief_horizon > QUARTER), "expected_kwh"),
        (TimedBelief.belief_horizon > QUARTER, None),
        *((Sensor.name == role, kind) for role, kind in METERED.items()),
    )


def first_readings(sensor_ids: Collection[int], moment: datetime) -> dict[int, pd.Timestamp]:
    """Return when sensors of temperature held their first believable reading, as recorded by a moment, by their id.

    One index look-up for each: no sensor's years are read.
    """
    first = (
        db.select(TimedBelief.event_start)
        .join(Source, Source.id == TimedBelief.source_id)
        .filter(TimedBelief.sensor_id == Sensor.id, TimedBelief.event_start <= moment)
        .filter(~IS_PLANNED, TimedBelief.event_value.between(*BELIEVED_C))
        .filter(recorded_at() <= moment)
        .order_by(TimedBelief.event_start)
        .limit(1)
        .correlate(Sensor)
        .scalar_subquery()
    )
    query = db.select(Sensor.id, first).filter(Sensor.id.in_(sensor_ids))
    return {sensor_id: pd.Timestamp(found) for sensor_id, found in db.session.execute(query) if found is not None}


def prices_per_kwh(prices: Collection[Price], quarters: pd.DatetimeIndex, moment: datetime) -> dict[int, Floats]:
    """Return what a kWh costs per quarter, shape (quarters,), in each sensor's currency, by its id; by one statement.

    Parameters
    ----------
    prices
        What holds them.
    quarters
        Which, without a gap; NaN where no price is known.
    moment
        What was recorded later is left out.

    """
    begin = quarters[0] if len(quarters) else pd.Timestamp(moment)
    sensors = [price.sensor for price in prices]
    longest = max((sensor.event_resolution for sensor in sensors), default=QUARTER)
    query = (
        db.select(TimedBelief.sensor_id, PACKED)
        .join(Source, Source.id == TimedBelief.source_id)
        .filter(TimedBelief.sensor_id.in_([sensor.id for sensor in sensors]), ~IS_PLANNED, IS_NUMBER)
        .filter(TimedBelief.event_start > begin - longest, TimedBelief.event_start < begin + len(quarters) * QUARTER)
        .group_by(TimedBelief.sensor_id)
    )
    of_sensor = {sensor_id: packed for sensor_id, packed in db.session.execute(query)}  # noqa: C416 (a Result has keys)
    return {
        price.sensor.id: _in_quarters(price, Beliefs.unpacked(of_sensor.get(price.sensor.id, b""), EPOCH), moment)
        .reindex(quarters)
        .to_numpy()
        for price in prices
    }


def _in_quarters(price: Price, held: Beliefs, moment: datetime) -> pd.Series[Any]:
    """Return one price per kWh and quarter, from what its sensor holds; of several of one event the last recorded."""
    starts = EPOCH + pd.to_timedelta(held.start_us, unit="us")
    # what could be known when differs from sensor to sensor: the host tells
    recorded = price.sensor.knowledge_time(starts) - pd.to_timedelta(held.horizon_us, unit="us")
    # of two at the same moment: always the same one, and of a distribution its median
    off_median = np.abs(held.probability - 0.5)
    order = np.lexsort((off_median, -held.source_id, held.horizon_us, held.start_us))
    by_start = pd.Series(price.per_kwh * held.value, index=starts).iloc[order][recorded[order] <= moment]
    return in_quarters(by_start[~by_start.index.duplicated()], price.sensor.event_resolution)


def holds_any(sensor_id: int, start: datetime, end: datetime) -> bool:
    """Return whether a sensor holds any value of a span, of whatever source."""
    query = db.select(TimedBelief.event_start).filter_by(sensor_id=sensor_id)
    query = query.filter(TimedBelief.event_start >= start, TimedBelief.event_start <= end)
    return bool(db.session.execute(db.select(query.exists())).scalar())
