"""Storing what was worked out for many boilers, so that doing it again changes nothing.

What is stored by then is read in one query for all; the host would read and compare it sensor by sensor, which costs
some 0.7 s for a boiler and day.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

import timely_beliefs as tb
from flexmeasures import Sensor, Source
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from flexmeasures.data.utils import save_to_db
from sqlalchemy import tuple_

from smart_boiler_plugin.clock.days import DAY

HALF_A_DAY = DAY / 2
"""Daily values whose days begin nearer to each other than this are of the same day."""


class Results:
    """What is stored on sensors in a span, and how to add to it.

    Parameters
    ----------
    sensors
        All that something may be stored on.
    start, end
        The span, aware of the time zone.

    """

    def __init__(self, sensors: Collection[Sensor], start: datetime, end: datetime) -> None:
        daily = [sensor.id for sensor in sensors if sensor.event_resolution >= DAY]
        by_event = (TimedBelief.sensor_id, TimedBelief.event_start, TimedBelief.source_id)
        query = (
            db.select(*by_event, TimedBelief.event_value)
            .distinct(*by_event)
            .filter(TimedBelief.sensor_id.in_([sensor.id for sensor in sensors]))
            .filter(TimedBelief.event_start > start - HALF_A_DAY, TimedBelief.event_start < end)
            .filter((TimedBelief.event_start >= start) | TimedBelief.sensor_id.in_(daily))
            .order_by(*by_event, TimedBelief.belief_horizon)
        )
        self._stored: defaultdict[int, dict[tuple[int, datetime], float]] = defaultdict(dict)
        for sensor_id, event_start, source_id, value in db.session.execute(query):
            self._stored[sensor_id][source_id, event_start] = value

    def save(self, frame: tb.BeliefsDataFrame) -> None:
        """Store values of one source on one sensor, unless they are there already. Flushes, does not commit.

        Parameters
        ----------
        frame
            The values, as the host's reporters return them.

        """
        source: Source = frame.lineage.sources[0]
        stored = self._stored[frame.sensor.id]
        same = [
            math.isclose(stored.get((source.id, start), math.nan), value, rel_tol=0, abs_tol=1e-9)
            for start, value in zip(frame.event_starts, frame["event_value"], strict=True)
        ]
        if frame.sensor.event_resolution >= DAY:
            self._forget_others(frame.sensor, {(source.id, start) for start in frame.event_starts})
        if not all(same):
            save_to_db(frame[[not kept for kept in same]])

    def _forget_others(self, sensor: Sensor, days: set[tuple[int, datetime]]) -> None:
        """Take away what else there is for the same days: of other sources, or of another time zone's midnight.

        The key figures of FlexMeasures 1.0.1 add up all sources of a day, such as the reporters of two tariffs; to see
        whether it still does: `search_beliefs` in its `get_kpis` names no ``one_deterministic_belief_per_event``.
        """
        others = {
            (source_id, start)
            for source_id, start in self._stored[sensor.id].keys() - days
            if any(abs(start - day) < HALF_A_DAY for _, day in days)
        }
        if others:
            db.session.execute(
                db.delete(TimedBelief)
                .filter(TimedBelief.sensor_id == sensor.id)
                .filter(tuple_(TimedBelief.source_id, TimedBelief.event_start).in_(others))
            )
