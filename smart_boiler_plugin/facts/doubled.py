"""Sensors of temperature on which two gateways post: since when, and whose readings count."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from flexmeasures import Source
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from sqlalchemy import func

from smart_boiler_plugin.clock.days import DAY
from smart_boiler_plugin.facts.series import IS_PLANNED, recorded_at
from smart_boiler_plugin.physics.readings import BELIEVED_C, NOISE_K

HOUR_S = 3600
"""Readings of one hour are compared [s]: gateways do not report at the same moments."""

HOURS = 3
"""In how many hours of the last day two sources must differ: once, it was somebody who corrected a value, or a bath."""


@dataclass(frozen=True)
class Doubled:
    """A sensor on which several sources tell different temperatures of the same hours.

    Parameters
    ----------
    since
        The first of these hours of the last day, as of the first reading in it, in UTC.
    left_out
        Ids of the sources whose readings do not count: all but the coldest. So nobody is left cold, and no hygiene is
        seen that did not reach all of the tank.
    told
        Who they are, for people.

    """

    since: pd.Timestamp
    left_out: frozenset[int]
    told: str


def doubled_sensors(sensor_ids: Collection[int], moment: datetime) -> dict[int, Doubled]:
    """Return which sensors of temperature are doubled, by their id; one SQL statement.

    Parameters
    ----------
    sensor_ids
        Which are looked at.
    moment
        The day before it is looked at; what was recorded later is left out.

    """
    hour = func.floor(func.date_part("epoch", TimedBelief.event_start) / HOUR_S)
    by_hour = (
        db.select(
            TimedBelief.sensor_id,
            TimedBelief.source_id,
            hour.label("hour"),
            func.avg(TimedBelief.event_value).label("mean_c"),
            func.min(TimedBelief.event_start).label("begin"),
            func.count().over(partition_by=(TimedBelief.sensor_id, hour)).label("sources"),
        )
        .join(Source, Source.id == TimedBelief.source_id)
        .filter(TimedBelief.sensor_id.in_(sensor_ids), ~IS_PLANNED, TimedBelief.event_value.between(*BELIEVED_C))
        .filter(TimedBelief.event_start > moment - DAY, TimedBelief.event_start <= moment, recorded_at() <= moment)
        .group_by(TimedBelief.sensor_id, TimedBelief.source_id, hour)
        .subquery()
    )
    query = db.select(by_hour, Source.name).join(Source, Source.id == by_hour.c.source_id)
    rows = pd.DataFrame(
        db.session.execute(query.filter(by_hour.c.sources > 1)).all(),
        columns=["sensor", "source", "hour", "mean_c", "begin", "sources", "name"],
    )
    found = {int(sensor_id): _doubled(of_sensor) for sensor_id, of_sensor in rows.groupby("sensor")}
    return {sensor_id: doubled for sensor_id, doubled in found.items() if doubled}


def _doubled(rows: pd.DataFrame) -> Doubled | None:
    """Return what several sources say of one sensor; None where they say the same."""
    by_source = rows.pivot_table(index="hour", columns="source", values="mean_c")
    apart = by_source[(by_source.max(axis=1) - by_source.min(axis=1)) > NOISE_K]
    if len(apart) < HOURS:
        return None
    means = apart.mean().sort_values()
    names = dict(zip(rows["source"], rows["name"], strict=True))
    told = "; ".join(f"source {source} ({names[source]}) {mean_c:.1f} °C" for source, mean_c in means.items())
    since = rows["begin"][np.isin(rows["hour"], apart.index)].min()
    return Doubled(
        pd.Timestamp(since),
        frozenset(int(source) for source in means.index[1:]),
        f"temperature: several sources tell of the same hours, and the coldest counts: {told}",
    )
