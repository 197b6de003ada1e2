"""Until when boilers are planned, by what is stored: for all of them by one statement, without reading their plans."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from flexmeasures.data import db
from sqlalchemy import text

from smart_boiler_plugin.clock.quarter import QUARTER, whole_quarters
from smart_boiler_plugin.facts.sql import array, utc
from smart_boiler_plugin.host import PLANNED
from smart_boiler_plugin.physics.readings import BELIEVED_C

PLANS = text("""
    SELECT sensor.generic_asset_id, sensor.name, ending.event_start,
           ending.event_start + :quarter - ending.belief_horizon AS made_at
    FROM sensor
    CROSS JOIN LATERAL (
        SELECT event_start, belief_horizon FROM timed_belief JOIN data_source ON data_source.id = source_id
        WHERE sensor_id = sensor.id AND event_start >= :now AND type = 'scheduler'
              AND event_start + :quarter - belief_horizon <= :moment
        ORDER BY event_start DESC, belief_horizon LIMIT 1
    ) AS ending
    WHERE sensor.generic_asset_id = ANY(CAST(:asset_ids AS integer[])) AND sensor.name IN ('set-point', 'fill-rate')
          AND EXISTS (
              SELECT FROM timed_belief JOIN data_source ON data_source.id = source_id
              WHERE sensor_id = sensor.id AND event_start = :now AND type = 'scheduler'
                    AND event_start + :quarter - belief_horizon <= :moment
          )
""")
"""The ends of each plan are looked up, by the index on sensor and event: what lies between is not read."""


OFF_PLAN = text("""
    SELECT sensor.generic_asset_id, reading.event_value - planned.event_value AS off_k
    FROM sensor
    CROSS JOIN LATERAL (
        SELECT event_start, event_value FROM timed_belief JOIN data_source ON data_source.id = source_id
        WHERE sensor_id = sensor.id AND event_start > :now - :age AND event_start <= :now
              AND coalesce(type, '') <> ALL(:planned)
              AND event_value BETWEEN :coldest_c AND :hottest_c
              AND event_start + :quarter - belief_horizon <= :moment
        ORDER BY event_start DESC, belief_horizon LIMIT 1
    ) AS reading
    CROSS JOIN LATERAL (
        SELECT event_value FROM timed_belief JOIN data_source ON data_source.id = source_id
        WHERE sensor_id = sensor.id AND type = 'scheduler'
              AND event_start > reading.event_start - :quarter AND event_start <= reading.event_start
              AND event_start + :quarter - belief_horizon <= :moment
        ORDER BY belief_horizon LIMIT 1
    ) AS planned
    WHERE sensor.generic_asset_id = ANY(CAST(:asset_ids AS integer[])) AND sensor.name = 'temperature'
          AND abs(reading.event_value - planned.event_value) > :threshold_k
""")
"""The last reading of each that is water's, and what was planned of its quarter."""


@dataclass(frozen=True)
class Planned:
    """A plan that a boiler has.

    Parameters
    ----------
    until
        When its last quarter of an hour ends, in UTC.
    made_at
        When that quarter was last written, in UTC: a later plan that says the same of it writes nothing.
    in_set_points
        Whether the boiler can follow set-points until then; else it is told powers alone.

    """

    until: pd.Timestamp
    made_at: pd.Timestamp
    in_set_points: bool


def plans_of(asset_ids: Collection[int], moment: datetime) -> dict[int, Planned]:
    """Return until when boilers are planned, by the ids of their assets; those without a plan for now are left out.

    One SQL statement, for a thousand boilers as for one. A plan that begins later than now is none yet. Where powers
    are planned further than set-points, that counts.

    Parameters
    ----------
    asset_ids
        Of boilers.
    moment
        Now; what was recorded later is left out.

    """
    plans: dict[int, Planned] = {}
    for asset_id, role, begin, made_at in db.session.execute(PLANS, _about(asset_ids, moment)):
        found = Planned(utc(begin) + QUARTER, utc(made_at), role == "set-point")
        before = plans.get(asset_id)
        if before is None or (found.until, found.in_set_points) > (before.until, before.in_set_points):
            plans[asset_id] = found
    return plans


def off_plan_k(
    asset_ids: Collection[int], moment: datetime, threshold_k: float, longest_age: timedelta
) -> dict[int, float]:
    """Return how far the last reading of boilers is from what was planned of its quarter [K], by their assets' ids.

    One SQL statement. Whether the reading is believed of this tank is not asked (``read.py`` knows): a few are read
    again by whoever plans them.

    Parameters
    ----------
    asset_ids
        Of boilers.
    moment
        Now; what was recorded later is left out.
    threshold_k
        Less is left out [K].
    longest_age
        How old a reading may be.

    """
    low, high = BELIEVED_C
    limits = {"planned": PLANNED, "threshold_k": threshold_k, "age": longest_age, "coldest_c": low, "hottest_c": high}
    rows = db.session.execute(OFF_PLAN, {**_about(asset_ids, moment), **limits})
    return {asset_id: float(off_k) for asset_id, off_k in rows}


def _about(asset_ids: Collection[int], moment: datetime) -> dict[str, Any]:
    return {
        "asset_ids": array(asset_ids),
        "now": whole_quarters(moment, moment)[0],
        "moment": moment,
        "quarter": QUARTER,
    }
