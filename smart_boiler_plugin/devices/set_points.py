"""What devices are told: the set-points of all boilers of a sender, and whether each may heat now. 4 SQL statements.

Nothing goes through the doors of a boiler's data here that is not needed: there may be ten thousand.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
from flexmeasures import Account, Asset, Sensor
from flexmeasures.data import db
from numpy.typing import NDArray

from smart_boiler_plugin import stored
from smart_boiler_plugin.boiler.asset import RESOLUTION_BY_ROLE, UNIT_BY_ROLE
from smart_boiler_plugin.boiler.door import COMFORT, data_of
from smart_boiler_plugin.clock.days import DAY
from smart_boiler_plugin.clock.quarter import HOUR, QUARTER
from smart_boiler_plugin.devices.lease import Lease, lease_of, next_quarter
from smart_boiler_plugin.devices.senders import Sender, note_seen, theirs
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.facts.latest import Held, latest_values
from smart_boiler_plugin.physics.readings import CONFIRMED_BY, DIFFERENT_K, Vessel, doubts, stands_still
from smart_boiler_plugin.physics.reporting import UNCHANGED
from smart_boiler_plugin.physics.thermostat import Floats
from smart_boiler_plugin.plan import handing_out
from smart_boiler_plugin.plan.handing_out import HandedOut
from smart_boiler_plugin.settings import MAX_READING_AGE

LOOKED_BACK = timedelta(hours=2)
"""How long before the oldest reading that counts others are looked at, to know whether to believe it."""

CALM_K = 2.0
"""Readings that differ by no more than this need no closer look [K]."""

RISING_K = 0.2
"""By how much a reading must be above the one before for the tank to be heating [K]."""

ROLE, KIND = "temperature", "temperature_c"
"""Of the sensor of the temperature, and of its values."""


@dataclass(frozen=True)
class Warmth:
    """The temperature of a tank [°C], None where it is not known or not believed; whether it rises, or is the same."""

    temperature_c: float | None
    rising: bool = False
    still: bool = False


NOT_KNOWN = Warmth(None)


@dataclass(frozen=True, eq=False)
class Told:
    """What is told of one boiler.

    Parameters
    ----------
    account_id, asset_id
        Of the customer and of the boiler.
    planned_at
        When the plan was made; None where no plan says anything from now on, or it has been paused.
    start
        Of the quarter of an hour to which the first set-point belongs: the one that is now.
    set_points_c
        [°C], NaN where the plan says nothing; empty where there is none.
    hysteresis_k
        [K]; None where there is no plan.
    lease
        Whether it may heat now.

    """

    account_id: int
    asset_id: int
    planned_at: datetime | None
    start: datetime
    set_points_c: Floats
    hysteresis_k: float | None
    lease: Lease


def told_to(sender: Sender, now: datetime, customer: int | None = None) -> list[Told]:
    """Return what is told of the boilers of somebody, in the order of their ids.

    Parameters
    ----------
    sender
        Whose boilers.
    now
        Aware of the time zone.
    customer
        Id of the only account that is asked for; None asks for all.

    """
    moment = now.astimezone(timezone.utc)
    rows = _rows(sender, customer)
    note_seen(sender, [row.id for row in rows], moment)
    attributes = [_Kept.of(row, moment) for row in rows]
    sensors = {row.sensor_id: each for row, each in zip(rows, attributes, strict=True) if row.sensor_id is not None}
    temperatures = _temperatures(sensors, moment)
    return [
        each.told(row.account_id, row.id, moment, temperatures.get(row.sensor_id, NOT_KNOWN))
        for row, each in zip(rows, attributes, strict=True)
    ]


def _rows(sender: Sender, customer: int | None) -> Sequence[Any]:
    """Return of each boiler what is stored, and the id of its sensor of temperature, if that is as it was made."""
    kept = Asset.attributes[stored.ATTRIBUTE]
    is_sensor = (
        (Sensor.generic_asset_id == Asset.id)
        & (Sensor.name == ROLE)
        & (Sensor.unit == UNIT_BY_ROLE[ROLE])
        & (Sensor.event_resolution == RESOLUTION_BY_ROLE.get(ROLE, QUARTER))
    )
    query = (
        db.select(
            Asset.id,
            Asset.account_id,
            Sensor.id.label("sensor_id"),
            kept["reports_change_k"].astext.label("reports_change_k"),
            kept[(COMFORT, "pause", "until")].astext.label("pause"),
            kept[(COMFORT, "boost", "until")].astext.label("boost"),
            Asset.attributes[handing_out.ATTRIBUTE].label("set_points"),
        )
        .join(Account, Asset.account_id == Account.id)
        .outerjoin(Sensor, is_sensor)
        .filter(stored.rows_with(Asset), theirs(sender, "read"))
        .order_by(Asset.id, Sensor.id)
        .distinct(Asset.id)
    )
    if customer is not None:
        query = query.filter(Account.id == customer)
    return list(db.session.execute(query))


@dataclass(frozen=True, eq=False)
class _Kept:
    """What is kept with a boiler, as far as it is needed here."""

    asset_id: int
    plan: HandedOut | None
    paused_until: datetime | None
    boosted_until: datetime | None
    reports_changes: bool

    @classmethod
    def of(cls, row: Any, now: datetime) -> _Kept:
        """Return what is kept of a row, checked."""
        paused, boosted = _until(row.pause, now), _until(row.boost, now)
        return cls(row.id, handing_out.read(row.set_points), paused, boosted, row.reports_change_k is not None)

    def told(self, account_id: int, asset_id: int, now: datetime, warmth: Warmth) -> Told:
        """Return what is told at a moment."""
        start, plan = next_quarter(now) - QUARTER, self.plan
        points = plan.ahead(start) if plan and self.paused_until is None else np.empty(0)
        followed = plan if len(points) else None
        if followed and self.boosted_until is not None:
            points = points.copy()
            points[: -(-(self.boosted_until - start) // QUARTER)] = followed.ceiling_c
        left_alone = [until for until in (self.paused_until, self.boosted_until) if until is not None]
        lease = lease_of(
            now,
            points[:2].tolist(),
            warmth.temperature_c,
            rise_k=followed.rise_k if followed else 0.0,
            rising=warmth.rising,
            left_alone_until=max(left_alone, default=None),
        )
        planned_at = followed.planned_at if followed else None
        return Told(account_id, asset_id, planned_at, start, points, followed.hysteresis_k if followed else None, lease)


def _until(stored: str | None, now: datetime) -> datetime | None:
    """Return until when a household or its operator wants something that is not over; None where it is not wanted."""
    if stored is None:
        return None
    try:
        until = datetime.fromisoformat(stored)
    except ValueError:
        return None
    return until if until.tzinfo is not None and until > now else None


def _temperatures(sensors: Mapping[int, _Kept], now: datetime) -> dict[int, Warmth]:
    """Return how warm tanks are of which that is known and believed, by the id of the sensor."""
    fresh = MAX_READING_AGE.value
    found = _read(sensors, now, fresh)
    silent = {sensor_id: kept for sensor_id, kept in sensors.items() if kept.reports_changes and sensor_id not in found}
    # who reports changes alone says nothing for hours
    still = _standing_still({sensor_id: sensors[sensor_id] for sensor_id, warmth in found.items() if warmth.still}, now)
    known = {sensor_id: warmth for sensor_id, warmth in found.items() if sensor_id not in still}
    return {**known, **(_read(silent, now, UNCHANGED) if silent else {})}


def _standing_still(sensors: Mapping[int, _Kept], now: datetime) -> set[int]:
    """Return which sensors have told the same for longer than any water stays as it is; two SQL statements at most."""
    by_interval = {sensor_id: kept for sensor_id, kept in sensors.items() if not kept.reports_changes}
    if not by_interval:
        return set()
    vessels = _vessels([kept.asset_id for kept in by_interval.values()])
    begin = next_quarter(now - DAY) - QUARTER
    found = set()
    roles = dict.fromkeys(by_interval, ROLE)
    for held in latest_values(roles, begin, next_quarter(now), now, kinds=(KIND,)):
        vessel = vessels[by_interval[held.sensor_id].asset_id]
        if vessel is not None and stands_still(held.seconds / HOUR.total_seconds(), held.value, vessel.tank):
            found.add(held.sensor_id)
    return found


def _read(sensors: Mapping[int, _Kept], now: datetime, fresh: timedelta) -> dict[int, Warmth]:
    begin = next_quarter(now - fresh - LOOKED_BACK) - QUARTER
    held = latest_values(dict.fromkeys(sensors, ROLE), begin, next_quarter(now), now, kinds=(KIND,))
    since_s = (now - fresh - begin).total_seconds()
    found = {}
    calm: list[Held] = []
    others: list[Held] = []
    for each in held:
        (calm if _is_calm(each.value, sensors[each.sensor_id].plan) else others).append(each)
    vessels = _vessels([sensors[each.sensor_id].asset_id for each in others]) if others else {}
    believed = [(each.sensor_id, each.value, each.seconds) for each in calm]
    believed += [
        (each.sensor_id, *_believed(each, vessels[sensors[each.sensor_id].asset_id], begin, now)) for each in others
    ]
    for sensor_id, values, seconds in believed:
        # of a reading is known in which quarter it was, and of that the end
        if len(values) and seconds[-1] + QUARTER.total_seconds() > since_s:
            rising = len(values) > 1 and values[-1] - values[-2] > RISING_K
            still = len(values) >= CONFIRMED_BY and bool(np.ptp(values) < DIFFERENT_K)
            found[sensor_id] = Warmth(float(values[-1]), rising=bool(rising), still=still)
    return found


def _is_calm(values: Floats, plan: HandedOut | None) -> bool:
    """Return whether readings are such that nobody would doubt them."""
    low, high = values.min(), values.max()
    return plan is not None and bool(high - low <= CALM_K and high <= plan.ceiling_c)


def _vessels(asset_ids: Collection[int]) -> dict[int, Vessel | None]:
    """Return what boilers can do to their water; None where what is stored of one is broken. One SQL statement."""
    query = db.select(Asset.id, Asset.attributes[stored.ATTRIBUTE]).filter(Asset.id.in_(asset_ids))
    return {asset_id: _vessel(kept) for asset_id, kept in db.session.execute(query).tuples()}


def _vessel(kept: Any) -> Vessel | None:
    try:
        data = data_of(kept)
    except SmartBoilerError:
        return None
    return Vessel(data.tank, data.power_kw, data.cop * data.power_kw, data.temperature_max_c)


def _believed(held: Held, vessel: Vessel | None, begin: datetime, now: datetime) -> tuple[Floats, NDArray[np.int64]]:
    """Return the readings of a boiler that are believed [°C], and when they begin [s after the begin]."""
    starts = np.datetime64(begin.replace(tzinfo=None)) + held.seconds.astype("timedelta64[s]")
    doubted = list(doubts(starts, held.value, np.datetime64(now.replace(tzinfo=None)), vessel))
    return np.delete(held.value, doubted), np.delete(held.seconds, doubted)
