"""The power of many boilers together, per quarter: sums by one statement, whatever one of them says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
from flexmeasures.data import db
from sqlalchemy import text

from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.facts.sql import array
from smart_boiler_plugin.host import PLANNED

LOAD = text("""
    SELECT quarter, planned, sum(event_value) AS kw, count(*) AS boilers
    FROM unnest(CAST(:sensor_ids AS integer[]), CAST(:most_kw AS double precision[])) AS asked (sensor_id, most_kw)
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (quarter, planned)
               date_bin(:quarter, event_start, TIMESTAMPTZ 'epoch') AS quarter,
               coalesce(type, '') = 'scheduler' AS planned, event_value
        FROM timed_belief JOIN data_source ON data_source.id = source_id
        WHERE sensor_id = asked.sensor_id AND event_start >= :start AND event_start < :end
              AND event_start + :quarter - belief_horizon <= :moment
              AND (type = 'scheduler' OR coalesce(type, '') <> ALL(:planned) AND belief_horizon <= :quarter)
        ORDER BY quarter, planned, belief_horizon, source_id DESC
    ) AS latest
    WHERE event_value BETWEEN 0 AND most_kw
    GROUP BY quarter, planned
""")


def load_kw(
    sensor_ids: Sequence[int], most_kw: Sequence[float], start: datetime, end: datetime, moment: datetime
) -> pd.DataFrame:
    """Return the planned and metered power of boilers together; one SQL statement.

    Of several values for a quarter the one counts that was recorded last; what an element cannot take counts nothing.

    Parameters
    ----------
    sensor_ids
        Of fill rates.
    most_kw
        The most that each can be [kW].
    start, end
        The span in which the quarters begin.
    moment
        What was recorded later is left out.

    Returns
    -------
    pd.DataFrame
        ``planned`` (or else metered), ``kw`` and of how many ``boilers``, by the start of the quarter, in UTC.

    """
    asked = {
        "sensor_ids": array(sensor_ids),
        "most_kw": array(most_kw),
        "start": start,
        "end": end,
        "moment": moment,
        "quarter": QUARTER,
        "planned": PLANNED,
    }
    rows = pd.DataFrame(db.session.execute(LOAD, asked).all(), columns=["start", "planned", "kw", "boilers"])
    rows["start"] = pd.to_datetime(rows["start"], utc=True)
    found: pd.DataFrame = rows.set_index("start")
    return found
