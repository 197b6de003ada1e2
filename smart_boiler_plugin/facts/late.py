"""When what is known of days was last recorded, and when these were reported: of many boilers, by one statement each.

So it is found what came in after a day had been reported.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TypeAlias

import numpy as np
import pandas as pd
from flexmeasures import Sensor, Source
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from numpy.typing import NDArray
from sqlalchemy import DateTime, cast, func
from sqlalchemy.dialects.postgresql import ARRAY

from smart_boiler_plugin.clock.days import DAY
from smart_boiler_plugin.facts.series import IS_PLANNED, kind_told, recorded_at

Moments: TypeAlias = NDArray[np.datetime64]
"""In UTC; not a time (NaT) where nothing is."""

REPORTER = "reporter"
"""Type of the data sources of reports."""

NEVER = np.datetime64("NaT", "us")


def recorded_in(
    sensor_ids: Collection[int], begins: pd.DatetimeIndex, ends: pd.DatetimeIndex, kinds: Collection[str]
) -> dict[int, Moments]:
    """Return when what sensors of boilers hold of spans was last recorded, shape (spans,), by the id of the sensor.

    Parameters
    ----------
    sensor_ids
        Of sensors of boilers; one of which nothing is there in any span is left out.
    begins, ends
        Of the spans, ascending; they may overlap.
    kinds
        What counts of what they hold, as of ``series.OF_FACTS``.

    """
    edges = begins.union(ends)
    within = func.width_bucket(TimedBelief.event_start, cast(list(edges), ARRAY(DateTime(timezone=True))))
    query = (
        db.select(TimedBelief.sensor_id, within, func.max(recorded_at()))
        .join(Sensor, Sensor.id == TimedBelief.sensor_id)
        .join(Source, Source.id == TimedBelief.source_id)
        .filter(TimedBelief.sensor_id.in_(sensor_ids), kind_told().in_(kinds))
        .filter(TimedBelief.event_start >= edges[0], TimedBelief.event_start < edges[-1])
        .group_by(TimedBelief.sensor_id, within)
    )
    by_bucket: dict[int, Moments] = {}
    for sensor_id, bucket, moment in db.session.execute(query):
        found = by_bucket.setdefault(sensor_id, np.full(len(edges), NEVER))
        found[bucket - 1] = _utc(moment)
    first, last = edges.searchsorted(begins), edges.searchsorted(ends)
    return {
        sensor_id: np.array([_latest(found[i:j]) for i, j in zip(first, last, strict=True)])
        for sensor_id, found in by_bucket.items()
    }


def prices_recorded_in(sensors: Sequence[Sensor], midnights: pd.DatetimeIndex) -> dict[int, Moments]:
    """Return when the prices of days were last recorded, shape (days,), by the id of their sensor.

    Parameters
    ----------
    sensors
        Of prices, in any resolution.
    midnights
        Begins of the days, ascending, and the end of the last one.

    """
    longest = max((sensor.event_resolution for sensor in sensors), default=DAY)
    query = (
        db.select(TimedBelief.sensor_id, TimedBelief.event_start, func.min(TimedBelief.belief_horizon))
        .join(Source, Source.id == TimedBelief.source_id)
        .filter(TimedBelief.sensor_id.in_([sensor.id for sensor in sensors]), ~IS_PLANNED)
        .filter(TimedBelief.event_start > midnights[0] - longest, TimedBelief.event_start < midnights[-1])
        .group_by(TimedBelief.sensor_id, TimedBelief.event_start)
    )
    rows = pd.DataFrame(db.session.execute(query).all(), columns=["sensor", "start", "horizon"])
    of_sensor = dict(iter(rows.groupby("sensor")))
    return {sensor.id: _of_days(sensor, of_sensor.get(sensor.id, rows[:0]), midnights) for sensor in sensors}


def _of_days(sensor: Sensor, rows: pd.DataFrame, midnights: pd.DatetimeIndex) -> Moments:
    found = np.full(len(midnights) - 1, NEVER)
    starts = pd.DatetimeIndex(pd.to_datetime(rows["start"], utc=True))
    # what could be known when differs from sensor to sensor: the host tells
    recorded = pd.DatetimeIndex(sensor.knowledge_time(starts) - pd.TimedeltaIndex(rows["horizon"]))
    moments = recorded.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[us]")
    # a price may hold for several days
    first = np.maximum(midnights.searchsorted(starts, side="right") - 1, 0)
    last = midnights.searchsorted(starts + sensor.event_resolution) - 1
    for day in range(len(found)):
        found[day] = _latest(moments[(first <= day) & (day <= last)])
    return found


def reported_at(sensor_ids: Collection[int], midnights: pd.DatetimeIndex) -> dict[int, Moments]:
    """Return when days were last reported, shape (days,), by the id of the sensor on which that is stored.

    Parameters
    ----------
    sensor_ids
        Of sensors of daily values; one of which no day was reported is left out.
    midnights
        Begins of the days.

    """
    moment = func.max(TimedBelief.event_start + DAY - TimedBelief.belief_horizon)
    query = (
        db.select(TimedBelief.sensor_id, TimedBelief.event_start, moment)
        .join(Source, Source.id == TimedBelief.source_id)
        .filter(TimedBelief.sensor_id.in_(sensor_ids), Source.type == REPORTER)
        .filter(TimedBelief.event_start.in_(list(midnights)))
        .group_by(TimedBelief.sensor_id, TimedBelief.event_start)
    )
    number = {midnight: day for day, midnight in enumerate(midnights.tz_convert("UTC"))}
    found: dict[int, Moments] = {}
    for sensor_id, start, at in db.session.execute(query):
        of_sensor = found.setdefault(sensor_id, np.full(len(midnights), NEVER))
        of_sensor[number[pd.Timestamp(start).tz_convert("UTC")]] = _utc(at)
    return found


def _utc(moment: datetime) -> np.datetime64:
    utc: np.datetime64 = np.datetime64(pd.Timestamp(moment).tz_convert("UTC").tz_localize(None), "us")
    return utc


def _latest(moments: Moments) -> np.datetime64:
    known = moments[~np.isnat(moments)]
    latest: np.datetime64 = known.max() if len(known) else NEVER
    return latest
