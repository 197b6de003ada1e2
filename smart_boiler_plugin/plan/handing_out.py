"""What devices are to follow, kept with each boiler: its set-points until the end of its last plan.

Beliefs tell what was planned when; of ten thousand boilers, they take seven seconds to read. What is to be followed
from now on is one short list of each: it stands with the asset, in an attribute, and is read with it. By ``devices/``.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import numpy as np
import pandas as pd
from flexmeasures import Asset, Sensor
from flexmeasures.data import db
from numpy.typing import NDArray
from sqlalchemy import text

from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.days import DAY
from smart_boiler_plugin.clock.quarter import QUARTER, QUARTER_H
from smart_boiler_plugin.facts.store import Values
from smart_boiler_plugin.physics.thermostat import Floats
from smart_boiler_plugin.stored import as_object

ATTRIBUTE = "smart-boiler-set-points"
"""Attribute of a boiler's asset."""

MOST_QUARTERS = 14 * 96
"""Of how many quarters of an hour set-points are kept."""

PER_K = 10
"""Set-points are kept in tenths of a degree, as numbers of 16 bits in base64: ten thousand are read in no time."""

HOTTEST_C = 100.0
"""No set-point is above this [°C], and no tank warms by more in a quarter [K]."""

DAY_QUARTERS = DAY // QUARTER

BRIDGED_DAYS = 2
"""For how many days after a plan its last day is followed again, where there is no new one; then the thermostat."""

QUARTER_S = round(QUARTER.total_seconds())

SAYS_NOTHING = np.iinfo(np.int16).min
"""What is kept where a plan says nothing."""

UPDATE = text("""
    UPDATE generic_asset
    SET attributes = jsonb_set(CAST(attributes AS jsonb), ARRAY[:attribute], CAST(new.value AS jsonb))
    FROM unnest(CAST(:ids AS integer[]), CAST(:documents AS text[])) AS new (id, value)
    WHERE generic_asset.id = new.id
""")


@dataclass(frozen=True, eq=False)
class HandedOut:
    """What one device is to follow.

    Parameters
    ----------
    planned_at
        When the last plan was made.
    start
        Of the first quarter, in UTC.
    set_points_c
        Up to which it heats in each quarter from there on, shape (n,) [°C]; NaN where the plan says nothing.
    hysteresis_k
        How far below its set-point it lets the temperature fall before it heats [K].
    rise_k
        What its element warms the tank by in a quarter [K].
    ceiling_c
        Up to which it may heat [°C].

    """

    planned_at: datetime
    start: datetime
    set_points_c: Floats
    hysteresis_k: float
    rise_k: float
    ceiling_c: float

    def with_earlier(self, earlier: HandedOut | None, since: datetime) -> HandedOut:
        """Return these set-points, and from a moment on those of an earlier plan where they say nothing."""
        if earlier is None:
            return self
        begin = max(min(self.start, earlier.start), min(self.start, since))
        ends = [each.start + len(each.set_points_c) * QUARTER for each in (self, earlier)]
        known = np.full(min(max(int((max(ends) - begin) / QUARTER), 0), MOST_QUARTERS), np.nan)
        for each in (earlier, self):
            offset = int((each.start - begin) / QUARTER)
            values = each.set_points_c[max(-offset, 0) :][: len(known) - max(offset, 0)]
            place = known[max(offset, 0) :][: len(values)]
            place[:] = np.where(np.isnan(values[: len(place)]), place, values[: len(place)])
        return HandedOut(self.planned_at, begin, known, self.hysteresis_k, self.rise_k, self.ceiling_c)

    def ahead(self, start: datetime) -> Floats:
        """Return what is to be followed from a quarter on [°C]; nothing where that has not begun, or ended days ago.

        After the last quarter, those of the same time of its last day are followed again, for ``BRIDGED_DAYS``.
        """
        over = (start - self.start) // QUARTER
        if over < 0:
            return np.empty(0)
        points = self.set_points_c[over:]
        if not len(points):
            days = (over - len(self.set_points_c)) // DAY_QUARTERS + 1
            same = over - days * DAY_QUARTERS
            points = self.set_points_c[same:] if days <= BRIDGED_DAYS and same >= 0 else points
        return points if np.isfinite(points).any() else np.empty(0)

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {
            "at": self.planned_at.astimezone(timezone.utc).isoformat(),
            "start": self.start.astimezone(timezone.utc).isoformat(),
            "c": b64encode(self._tenths().tobytes()).decode(),
            "k": [self.hysteresis_k, round(self.rise_k, 4), self.ceiling_c],
        }

    def _tenths(self) -> NDArray[np.int16]:
        tenths = np.round(np.clip(self.set_points_c, 0.0, HOTTEST_C) * PER_K)
        kept: NDArray[np.int16] = np.where(np.isnan(tenths), SAYS_NOTHING, tenths).astype("<i2")
        return kept


def read(stored: Any) -> HandedOut | None:
    """Return what is stored, None where there is nothing: a household may have written anything there."""
    kept = as_object(stored)
    try:
        tenths = np.frombuffer(b64decode(kept["c"], validate=True), dtype="<i2")
        at, start = (datetime.fromisoformat(kept[name]) for name in ("at", "start"))
        hysteresis_k, rise_k, ceiling_c = (float(number) for number in kept["k"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    points = np.where(tenths == SAYS_NOTHING, np.nan, tenths / PER_K)
    possible = all(0 < number <= HOTTEST_C for number in (hysteresis_k, rise_k, ceiling_c))
    right = possible and len(points) <= MOST_QUARTERS and not ((points < 0) | (points > HOTTEST_C)).any()
    aware = at.tzinfo is not None and start.tzinfo is not None and not (start.minute % 15 or start.second)
    return HandedOut(at, start, points, hysteresis_k, rise_k, ceiling_c) if right and aware else None


def hand_out(planned: Iterable[tuple[BoilerData, Values]], moment: datetime) -> None:
    """Keep the set-points of plans with their boilers, in place of what was planned of the same quarters before.

    Two SQL statements, however many there are. Commits nothing.

    Parameters
    ----------
    planned
        Of boilers, each with its data: values of sensors of set-points; of those that are none, nothing is kept.
    moment
        When they were planned. What is over then is left out.

    """
    new = {each.sensor.generic_asset_id: _of(data, each, moment) for data, each in planned if _can_be_followed(each)}
    if not new:
        return
    query = (
        db.select(Asset.id, Asset.attributes[ATTRIBUTE])
        .filter(Asset.id.in_(new))
        .order_by(Asset.id)
        .with_for_update(key_share=True)
    )
    since = pd.Timestamp(moment).tz_convert("UTC").floor(QUARTER).to_pydatetime()
    documents = {
        asset_id: json.dumps(new[asset_id].with_earlier(read(kept), since).as_json())
        for asset_id, kept in db.session.execute(query).tuples()
    }
    ids, texts = list(documents), list(documents.values())
    db.session.execute(UPDATE, {"attribute": ATTRIBUTE, "ids": ids, "documents": texts})
    for asset_id in ids:
        # what of it is loaded is old now
        loaded = db.session.identity_map.get(db.session.identity_key(Asset, asset_id))
        if loaded is not None:
            db.session.expire(loaded, ["attributes"])


def _can_be_followed(values: Values) -> bool:
    """Return whether values are set-points of quarters of an hour."""
    sensor: Sensor = values.sensor
    return sensor.name == "set-point" and sensor.event_resolution == QUARTER and len(values.starts) > 0


def _of(data: BoilerData, values: Values, moment: datetime) -> HandedOut:
    """Return what a device is to follow by a plan."""
    begin = values.starts[0].tz_convert("UTC").to_pydatetime()
    starts_s = values.starts.as_unit("s").asi8
    quarter = (starts_s - starts_s[0]) // QUARTER_S
    kept = (quarter < MOST_QUARTERS) & ((starts_s - starts_s[0]) % QUARTER_S == 0)
    points = np.full(int(quarter[kept][-1]) + 1, np.nan)
    points[quarter[kept]] = np.asarray(values.values)[kept]
    rise_k = data.cop * data.power_kw * QUARTER_H / data.tank.heat_capacity_kwh_per_k
    return HandedOut(moment, begin, points, data.hysteresis_k, rise_k, data.temperature_max_c)
