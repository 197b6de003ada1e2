"""Storing what was worked out for many boilers, so that doing it again changes nothing.

What is stored by then is read in one query for all; the host would read and compare it sensor by sensor, which costs
some 0.7 s for a boiler and day.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

import timely_beliefs as tb
from flexmeasures import Sensor, Source
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from flexmeasures.data.utils import save_to_db


class Results:
    """What is stored on sensors in a span, and how to add to it.

    Parameters
    ----------
    sensors
        All that something may be stored on.
    start, end
        The span, aware of the time zone.

    """

    def __init__(self, sensors: Iterable[Sensor], start: datetime, end: datetime) -> None:
        by_event = (TimedBelief.sensor_id, TimedBelief.event_start, TimedBelief.source_id)
        query = (
            db.select(*by_event, TimedBelief.event_value)
            .distinct(*by_event)
            .filter(TimedBelief.sensor_id.in_([sensor.id for sensor in sensors]))
            .filter(TimedBelief.event_start >= start, TimedBelief.event_start < end)
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
        if frame.sensor.event_resolution >= timedelta(days=1):
            self._forget_other_sources(frame.sensor, source, set(frame.event_starts))
        if not all(same):
            save_to_db(frame[[not kept for kept in same]])

    def _forget_other_sources(self, sensor: Sensor, source: Source, days: set[datetime]) -> None:
        """Take away what other sources have for the same days.

        The key figures of FlexMeasures 1.0.1 add up all sources of a day, such as the reporters of two tariffs; to see
        whether it still does: `search_beliefs` in its `get_kpis` names no ``one_deterministic_belief_per_event``.
        """
        others = {other for other, start in self._stored[sensor.id] if other != source.id and start in days}
        if others:
            db.session.execute(
                db.delete(TimedBelief)
                .filter(TimedBelief.sensor_id == sensor.id, TimedBelief.source_id.in_(others))
                .filter(TimedBelief.event_start.in_(days))
            )
