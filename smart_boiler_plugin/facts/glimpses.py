"""What a few look-ups show of many boilers, where their days are too long to be read: some readings, and plans ahead.

A day of readings costs a page of the database each; a look-up by sensor and event costs one. What is seen here is what
``read.py`` reads, but for what is believed: whoever shows anything odd is to be read as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from flexmeasures.data import db
from numpy.typing import NDArray
from sqlalchemy import text

from smart_boiler_plugin.clock.days import DAY
from smart_boiler_plugin.clock.quarter import QUARTER, whole_quarters
from smart_boiler_plugin.facts.sql import array, utc
from smart_boiler_plugin.host import PLANNED
from smart_boiler_plugin.physics.readings import BELIEVED_C
from smart_boiler_plugin.physics.thermostat import Floats

LONG = timedelta(days=36_500)

ANY_NUMBER = (-1e6, 1e6)
"""Between these, a value is a number."""

SEEN = text("""
    SELECT seen.at, seen.value, seen.sources
    FROM unnest(CAST(:sensor_ids AS integer[])) WITH ORDINALITY AS asked (sensor_id, number)
    CROSS JOIN LATERAL (
        SELECT array_agg(found.at ORDER BY look.ago_s) AS at, array_agg(found.event_value ORDER BY look.ago_s) AS value,
               count(DISTINCT found.source_id) AS sources
        FROM unnest(CAST(:ago_s AS integer[])) AS look (ago_s)
        LEFT JOIN LATERAL (
            SELECT date_part('epoch', event_start) AS at, event_value, source_id
            FROM timed_belief
            WHERE sensor_id = asked.sensor_id AND event_start <= :moment - look.ago_s * INTERVAL '1 second'
                  AND event_start > :since
                  AND source_id <> ALL(ARRAY(SELECT id FROM data_source WHERE type = ANY(:planned)))
                  AND event_value BETWEEN :low AND :high AND event_start + :quarter - belief_horizon <= :moment
                  AND belief_horizon <= :horizon
            ORDER BY event_start DESC, belief_horizon, source_id DESC LIMIT 1
        ) AS found ON true
    ) AS seen
    ORDER BY asked.number
""")

PLAN = """
            SELECT DISTINCT ON (event_start) event_start, event_value
            FROM timed_belief
            WHERE sensor_id = asked.sensor_id AND event_start >= :start AND event_start < :end
                  AND source_id = ANY(ARRAY(SELECT id FROM data_source WHERE type = 'scheduler'))
                  AND event_start + :quarter - belief_horizon <= :moment
            ORDER BY event_start, belief_horizon, source_id DESC
        """
"""What was last planned of each quarter of a span."""

COLDEST = text(f"""
    SELECT asked.sensor_id, coldest.event_start, coldest.event_value
    FROM unnest(CAST(:sensor_ids AS integer[])) AS asked (sensor_id)
    CROSS JOIN LATERAL (
        SELECT event_start, event_value
        FROM ({PLAN}) AS plan
        WHERE event_value BETWEEN :low AND :high
        ORDER BY event_value, event_start LIMIT 1
    ) AS coldest
""")  # noqa: S608 (a statement of our own)

LEAST = text("""
    SELECT asked.sensor_id, least.value
    FROM unnest(CAST(:sensor_ids AS integer[])) AS asked (sensor_id)
    CROSS JOIN LATERAL (
        SELECT min(event_value) AS value FROM timed_belief
        WHERE sensor_id = asked.sensor_id AND event_start >= :start AND event_start < :end
              AND source_id = ANY(ARRAY(SELECT id FROM data_source WHERE type = 'scheduler'))
    ) AS least
    WHERE least.value IS NOT NULL
""")

HEATS = text(f"""
    SELECT asked.sensor_id, heats.at
    FROM unnest(CAST(:sensor_ids AS integer[]), CAST(:least_kw AS double precision[])) AS asked (sensor_id, least_kw)
    CROSS JOIN LATERAL (
        SELECT array_agg(date_part('epoch', event_start) ORDER BY event_start) AS at
        FROM ({PLAN}) AS plan
        WHERE event_value >= asked.least_kw
    ) AS heats
    WHERE heats.at IS NOT NULL
""")  # noqa: S608 (a statement of our own)

LAST = text("""
    SELECT asked.sensor_id, last.event_start
    FROM unnest(CAST(:sensor_ids AS integer[])) AS asked (sensor_id)
    CROSS JOIN LATERAL (
        SELECT event_start FROM timed_belief JOIN data_source ON data_source.id = source_id
        WHERE sensor_id = asked.sensor_id AND event_start <= :moment AND coalesce(type, '') <> ALL(:planned)
              AND event_value BETWEEN :low AND :high
        ORDER BY event_start DESC LIMIT 1
    ) AS last
""")


@dataclass(frozen=True, eq=False)
class Looks:
    """What sensors were last measured at, as of several moments; shapes (sensors, looks) and (sensors,).

    Parameters
    ----------
    at_s
        When what was seen began [s since 1970, UTC]; NaN where nothing was.
    value
        In the sensor's unit; NaN likewise.
    sources
        How many sources they are from.

    """

    at_s: Floats
    value: Floats
    sources: NDArray[np.int_]


def look_at(
    sensor_ids: Sequence[int],
    ago: Sequence[timedelta],
    moment: datetime,
    *,
    within: tuple[float, float] = BELIEVED_C,
    back: timedelta = DAY,
    foreseen: timedelta = LONG,
) -> Looks:
    """Return what sensors with values of quarters were last measured at, as of several moments; by one SQL statement.

    Parameters
    ----------
    sensor_ids
        Which; the result is in their order. There may be ids of no sensor among them.
    ago
        How long before the moment it is looked, ascending.
    moment
        What was recorded later is left out.
    within
        Values that count; as temperatures, by default.
    back
        How far back before the moment a value is looked for.
    foreseen
        How long before the end of its quarter a value may have been recorded: power that was said before is expected.

    """
    asked = {
        "sensor_ids": array(sensor_ids),
        "ago_s": array(round(each.total_seconds()) for each in ago),
        "since": moment - back,
        "planned": PLANNED,
        "horizon": foreseen,
        **_as_of(moment, within),
    }
    rows = db.session.execute(SEEN, asked).all()
    shape = (len(sensor_ids), len(ago))
    at_s = np.array([row[0] for row in rows], dtype=float).reshape(shape)
    value = np.array([row[1] for row in rows], dtype=float).reshape(shape)
    return Looks(at_s, value, np.array([row[2] for row in rows], dtype=int))


def coldest_planned(
    sensor_ids: Sequence[int], start: datetime, end: datetime, moment: datetime
) -> dict[int, tuple[pd.Timestamp, float]]:
    """Return when which temperatures are lowest by their plans [°C], in UTC, by the ids of sensors; one SQL statement.

    Parameters
    ----------
    sensor_ids
        Of temperatures; those of which nothing is planned are left out.
    start, end
        The span in which the quarters begin.
    moment
        What was recorded later is left out.

    """
    asked = {"sensor_ids": array(sensor_ids), "start": start, "end": end, **_as_of(moment, BELIEVED_C)}
    return {sensor_id: (utc(at), value) for sensor_id, at, value in db.session.execute(COLDEST, asked)}


def least_planned(sensor_ids: Sequence[int], start: datetime, end: datetime) -> dict[int, float]:
    """Return temperatures that no plan goes below [°C], by the ids of sensors; arguments as of ``coldest_planned``.

    It counts what a later plan has replaced, too, which takes half of the time. One SQL statement.
    """
    asked = {"sensor_ids": array(sensor_ids), "start": start, "end": end}
    return dict(db.session.execute(LEAST, asked).tuples().all())


def heating_planned(
    sensor_ids: Sequence[int], least_kw: Sequence[float], start: datetime, end: datetime, moment: datetime
) -> dict[int, Floats]:
    """Return in which quarters heating is planned [s since 1970], ascending, by the ids of sensors; one SQL statement.

    Parameters
    ----------
    sensor_ids
        Of fill rates; those that do not heat are left out.
    least_kw
        From which planned power on each heats [kW].
    start, end, moment
        As of ``coldest_planned``.

    """
    asked = {"sensor_ids": array(sensor_ids), "least_kw": array(least_kw), "start": start, "end": end}
    rows = db.session.execute(HEATS, {**asked, "moment": moment, "quarter": QUARTER})
    return {sensor_id: np.array(at, dtype=float) for sensor_id, at in rows}


def last_measured(sensor_ids: Sequence[int], moment: datetime) -> dict[int, pd.Timestamp]:
    """Return when sensors of temperature were last measured, however long ago, in UTC, by their ids; one SQL statement.

    It walks past all plans since: ask of those alone of which little else is known.
    """
    asked = {"sensor_ids": array(sensor_ids), "planned": PLANNED, "moment": moment}
    low, high = BELIEVED_C
    rows = db.session.execute(LAST, {**asked, "low": low, "high": high})
    return {sensor_id: utc(at) for sensor_id, at in rows}


def quarter_of(moment: datetime) -> pd.Timestamp:
    """Return the begin of the quarter in which a moment lies, in UTC."""
    return utc(whole_quarters(moment, moment)[0])


def _as_of(moment: datetime, within: tuple[float, float]) -> dict[str, object]:
    return {"moment": moment, "quarter": QUARTER, "low": within[0], "high": within[1]}
