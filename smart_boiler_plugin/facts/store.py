"""Storing what was worked out, for one boiler or for all of them: what has changed is written, and nothing else.

The host's ``save_to_db`` compares event by event in pandas, and asks the database for each sensor by itself. Here, what
lies after all that a source has said of a sensor is copied (``copying.py``), and the rest is compared in the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from operator import attrgetter

import numpy as np
import pandas as pd
from flexmeasures import Sensor, Source
from flexmeasures.data import db
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from smart_boiler_plugin.facts.copying import copy
from smart_boiler_plugin.facts.sql import array
from smart_boiler_plugin.physics.thermostat import Floats

ROWS_AT_ONCE = 50_000
"""How many values one statement takes at most: some 3 MB of text."""

FEW_ROWS = 1_000
"""So many values are stored by one statement: to find out which of them are new saves nothing that anybody notices."""

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

MICROSECOND = timedelta(microseconds=1)

NEVER_US = np.iinfo(np.int64).min

LAST = text("""
    SELECT given.sensor_id, last.event_start
    FROM unnest(CAST(:sensor_ids AS integer[]), CAST(:firsts_us AS bigint[])) AS given (sensor_id, first_us)
    CROSS JOIN LATERAL (
        SELECT event_start FROM timed_belief
        WHERE sensor_id = given.sensor_id AND source_id + 0 = :source_id
              AND event_start >= TIMESTAMPTZ 'epoch' + given.first_us * INTERVAL '1 microsecond'
        ORDER BY event_start DESC LIMIT 1
    ) AS last
""")
"""Until when a source has said something of sensors, from a moment on; by a sum, as ``STORE``."""

STORE = text("""
    INSERT INTO timed_belief (sensor_id, source_id, event_start, belief_horizon, cumulative_probability, event_value)
    SELECT new.sensor_id, :source_id, new.event_start, new.belief_horizon, 0.5, new.event_value
    FROM (
        SELECT sensor_id, event_value,
               TIMESTAMPTZ 'epoch' + start_us * INTERVAL '1 microsecond' AS event_start,
               horizon_us * INTERVAL '1 microsecond' AS belief_horizon
        FROM unnest(CAST(:sensor_ids AS integer[]), CAST(:starts_us AS bigint[]),
                    CAST(:horizons_us AS bigint[]), CAST(:event_values AS double precision[]))
             AS given (sensor_id, start_us, horizon_us, event_value)
    ) AS new
    LEFT JOIN LATERAL (
        SELECT event_value FROM timed_belief
        WHERE sensor_id = new.sensor_id AND event_start = new.event_start AND source_id = :source_id
              AND belief_horizon >= new.belief_horizon
        ORDER BY belief_horizon + INTERVAL '0' LIMIT 1
    ) AS last ON true
    WHERE last.event_value IS NULL OR abs(new.event_value - last.event_value) > 1e-9
    ORDER BY new.sensor_id, new.event_start
    ON CONFLICT (event_start, belief_horizon, cumulative_probability, sensor_id, source_id)
    DO UPDATE SET event_value = excluded.event_value
    WHERE abs(excluded.event_value - timed_belief.event_value) > 1e-9
""")
"""The last value is looked up one by one: with DISTINCT ON in place of LATERAL, PostgreSQL at times reads all of them.

Where its statistics are from a time of fewer boilers, it would walk the primary key by horizon, past the values of all
boilers; it cannot by a sum (``+ INTERVAL '0'``), and takes the index by sensor.

Rows go in by one order, so that of two who store the same, one waits for the other, and never both.
"""


CONFIRM = text("""
    UPDATE timed_belief AS old SET belief_horizon = :horizon
    WHERE sensor_id = ANY(:sensor_ids) AND source_id = :source_id AND event_start = :event_start
          AND belief_horizon > :horizon
          AND NOT EXISTS (
              SELECT 1 FROM timed_belief AS newer
              WHERE newer.sensor_id = old.sensor_id AND newer.source_id = old.source_id
                    AND newer.event_start = old.event_start AND newer.belief_horizon < old.belief_horizon
          )
""")


@dataclass(frozen=True)
class Values:
    """Values of one sensor.

    Parameters
    ----------
    sensor
        Which.
    starts
        When the events begin, aware of the time zone; none twice.
    values
        One per event, in the sensor's unit; NaN or infinite: nothing is stored there.

    """

    sensor: Sensor
    starts: pd.DatetimeIndex
    values: Floats


def store(values: Iterable[Values], source: Source, recorded_at: datetime) -> int:
    """Store values that differ from what the source last said of the same events. Commits nothing.

    A value recorded at the very moment of a stored one takes its place. Harmless to repeat: the second time, no row is
    written. One statement for every ``ROWS_AT_ONCE`` values, and of many new ones two and a COPY.

    Parameters
    ----------
    values
        Of as many sensors as there are, each of them once.
    source
        Whose they are; those of others stay as they are.
    recorded_at
        When they became known, aware of the time zone. What was recorded later than that is not looked at.

    Returns
    -------
    Number of rows written.

    Raises
    ------
    sqlalchemy.exc.DBAPIError
        If the database refuses a value, or an event is given twice; then none is stored, and the transaction (or its
        savepoint) is to be rolled back.

    """
    rows = _Rows.of(sorted(values, key=attrgetter("sensor.id")), recorded_at)
    if len(rows.values) <= FEW_ROWS:
        return rows.compared(source)
    new = rows.after_all(source)
    if not new.any():
        return rows.compared(source)
    try:
        with db.session.begin_nested():
            copied = rows.of_those(new).copied(source)
    except IntegrityError:
        # somebody else has stored the same meanwhile, or an event is given twice
        return rows.compared(source)
    return copied + rows.of_those(~new).compared(source)


@dataclass(frozen=True, eq=False)
class _Rows:
    """Values as rows, by sensor and start; arrays have shape (n,).

    Parameters
    ----------
    sensor_ids, starts_us, horizons_us, values
        Of each: the sensor, when its event begins [µs after 1970], how long before that it was recorded [µs], and the
        value.

    """

    sensor_ids: NDArray[np.int64]
    starts_us: NDArray[np.int64]
    horizons_us: NDArray[np.int64]
    values: Floats

    @classmethod
    def of(cls, given: Sequence[Values], recorded_at: datetime) -> _Rows:
        """Return those values that are numbers."""
        if not given:
            nothing = np.empty(0, dtype=np.int64)
            return cls(nothing, nothing, nothing, np.empty(0))
        starts_us = np.concatenate([each.starts.as_unit("us").asi8 for each in given])
        knowable_us = np.concatenate([_knowledge_horizons_us(each) for each in given])
        ids = np.repeat([each.sensor.id for each in given], [len(each.starts) for each in given])
        values = np.concatenate([np.asarray(each.values, dtype=float) for each in given])
        horizons_us = starts_us - knowable_us - (recorded_at - EPOCH) // MICROSECOND
        order = np.lexsort((starts_us, ids))
        return cls(ids, starts_us, horizons_us, values).of_those(order[np.isfinite(values[order])])

    def of_those(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> _Rows:
        """Return some of them."""
        return _Rows(self.sensor_ids[which], self.starts_us[which], self.horizons_us[which], self.values[which])

    def after_all(self, source: Source) -> NDArray[np.bool_]:
        """Return which of them lie after all that a source has said of their sensors since the first of them."""
        ids, begins, which = np.unique(self.sensor_ids, return_index=True, return_inverse=True)
        about = {"sensor_ids": array(ids.tolist()), "firsts_us": array(self.starts_us[begins].tolist())}
        said = dict(db.session.execute(LAST, {**about, "source_id": source.id}).all())
        last_us = [(said[id_] - EPOCH) // MICROSECOND if id_ in said else NEVER_US for id_ in ids.tolist()]
        after: NDArray[np.bool_] = self.starts_us > np.array(last_us)[which]
        return after

    def copied(self, source: Source) -> int:
        """Store all of them, of which nothing is stored, and return how many."""
        return copy(self.sensor_ids, source.id, self.starts_us, self.horizons_us, self.values)

    def compared(self, source: Source) -> int:
        """Store what differs from what is stored, and return how many rows were written."""
        columns = {
            "sensor_ids": self.sensor_ids,
            "starts_us": self.starts_us,
            "horizons_us": self.horizons_us,
            "event_values": self.values,
        }
        parts = [slice(begin, begin + ROWS_AT_ONCE) for begin in range(0, len(self.values), ROWS_AT_ONCE)]
        return sum(
            db.session.execute(
                STORE,
                {"source_id": source.id, **{name: array(column[part].tolist()) for name, column in columns.items()}},
            ).rowcount
            for part in parts
        )


def confirm(sensors: Sequence[Sensor], start: pd.Timestamp, source: Source, recorded_at: datetime) -> None:
    """Let what a source last said of an event be said once more, at a later moment. Commits nothing.

    Parameters
    ----------
    sensors
        Of one kind, which all can know of the event at the same time.
    start
        Of the event.
    source, recorded_at
        Whose values, and when they were found to hold still.

    """
    if sensors:
        knowable = int(_knowledge_horizons_us(Values(sensors[0], pd.DatetimeIndex([start]), np.zeros(1)))[0])
        horizon = (pd.Timestamp(start) - recorded_at) - knowable * MICROSECOND
        ids = [sensor.id for sensor in sensors]
        values = {"sensor_ids": ids, "source_id": source.id, "event_start": start.to_pydatetime()}
        db.session.execute(CONFIRM, {"horizon": pd.Timedelta(horizon).to_pytimedelta(), **values})


def _knowledge_horizons_us(values: Values) -> NDArray[np.int64]:
    """Return how long before its start each event could be known [µs], as the host says: a negative time mostly."""
    horizon = np.asarray(values.sensor.knowledge_horizon(values.starts), dtype="timedelta64[us]")
    return np.broadcast_to(horizon.astype(np.int64), len(values.starts))
