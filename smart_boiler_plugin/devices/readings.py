"""Taking readings of many boilers in one call: who may, to which sensors, stored as quarters that add up.

The host's own call averages kWh of shorter intervals and copies those of longer ones, one sensor at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from flexmeasures import Account, Asset, Sensor
from flexmeasures.data import db

from smart_boiler_plugin.boiler.asset import RESOLUTION_BY_ROLE, UNIT_BY_ROLE
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.devices.quarters import Quarters, counted, last_of_each, means, metered, sums
from smart_boiler_plugin.devices.rows import Row, RowError, read_row
from smart_boiler_plugin.devices.senders import Sender, note_seen, source_of, theirs
from smart_boiler_plugin.devices.unfinished import Unfinished
from smart_boiler_plugin.facts.store import Values, store
from smart_boiler_plugin.stored import is_id, rows_with
from smart_boiler_plugin.transactions import transaction

ROLES = {
    "temperature": "temperature",
    "power": "fill-rate",
    "energy": "fill-rate",
    "meter": "fill-rate",
    "demand": "demand",
}
"""Which sensor of a boiler has which kind."""

HOUR_US = 3_600_000_000


@dataclass
class Outcome:
    """What came of a row.

    Parameters
    ----------
    row
        Its number.
    values
        How many of its values were taken.
    problem
        Why none was; empty where some were.
    status
        What the problem is, for programs.
    rejected
        Why some were not, by index.

    """

    row: int
    values: int = 0
    problem: str = ""
    status: str = ""
    rejected: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Taken:
    """What came of a call: how many rows of the database were written, and of each row of the call."""

    stored: int
    outcomes: Sequence[Outcome]


def take(given: Sequence[Any], sender: Sender, now: datetime) -> Taken:
    """Store readings of boilers, and commit. Harmless to repeat.

    Parameters
    ----------
    given
        Rows as JSON. One that is wrong, or of a boiler that is none of the sender's, spoils no other.
    sender
        Who sends them: an operator for its customers, a household for its own boiler, an admin for all, a device for
        those that its token names, the bridge those whose devices speak MQTT.
    now
        When they became known; what begins later is not taken.

    """
    outcomes: list[Outcome] = []
    rows: list[Row] = []
    for number, each in enumerate(given):
        try:
            rows.append(read_row(number, each, now))
            outcomes.append(Outcome(number))
        except RowError as error:
            outcomes.append(Outcome(number, problem=str(error), status="UNPROCESSABLE_ENTITY"))
    with transaction():
        assets = _assets({row.account for row in rows if is_id(row.account)}, sender)
        sensors = _sensors({asset.id: account for account, asset in assets.items()})
        of_sensor: defaultdict[int, list[Row]] = defaultdict(list)
        for row in rows:
            sensor = sensors.get((row.account, ROLES[row.kind]))
            if sensor is None:
                told = "You have no boiler with this account id, or its sensor is not as it was made."
                outcomes[row.number] = Outcome(row.number, problem=told, status="NOT_FOUND")
            else:
                of_sensor[sensor.id].append(row)
        values = []
        for some in of_sensor.values():
            asset, sensor = assets[some[0].account], sensors[some[0].account, ROLES[some[0].kind]]
            unfinished = Unfinished.of(asset)
            quarters = _quarters(some, unfinished, outcomes)
            unfinished.keep(asset)
            if len(quarters.starts_us):
                starts = pd.DatetimeIndex(quarters.starts_us.astype("datetime64[us]")).tz_localize("UTC")
                values.append(Values(sensor, starts, quarters.values))
        note_seen(sender, [asset.id for asset in assets.values()], now)
        written = store(values, source_of(sender), now) if values else 0
    return Taken(written, outcomes)


def _assets(accounts: Collection[int], sender: Sender) -> dict[int, Asset]:
    """Return boilers by account, locked: those that somebody may send readings of."""
    query = (
        db.select(Asset)
        .join(Account, Asset.account_id == Account.id)
        .filter(rows_with(Asset), Account.id.in_(accounts), theirs(sender, "update"))
        .order_by(Asset.id)
        .with_for_update(key_share=True, of=Asset)
        .execution_options(populate_existing=True)
    )
    found: dict[int, Asset] = {}
    for asset in db.session.scalars(query).unique():
        found.setdefault(asset.account_id, asset)
    return found


def _sensors(account_by_asset: Mapping[int, int]) -> dict[tuple[int, str], Sensor]:
    """Return the sensors that readings go to, by account and role; those that are as they were made."""
    roles = set(ROLES.values())
    query = db.select(Sensor).filter(Sensor.generic_asset_id.in_(account_by_asset), Sensor.name.in_(roles))
    return {
        (account_by_asset[sensor.generic_asset_id], sensor.name): sensor
        for sensor in db.session.scalars(query)
        if (sensor.unit, sensor.event_resolution)
        == (UNIT_BY_ROLE[sensor.name], RESOLUTION_BY_ROLE.get(sensor.name, QUARTER))
    }


def _quarters(rows: Sequence[Row], unfinished: Unfinished, outcomes: list[Outcome]) -> Quarters:
    """Return the quarters of rows for one sensor: of two values for the same time, that of the later row counts."""
    for row in rows:
        if row.kind == "meter":
            _read_meter(row, unfinished)
        elif row.kind == "energy":
            row.value = row.value / ((row.ends_us - row.begins_us) / HOUR_US)
        outcomes[row.number] = Outcome(row.number, len(row.value), rejected=row.rejected)
    begins, ends, values = (
        np.concatenate([getattr(row, name) for row in rows]) for name in ("begins_us", "ends_us", "value")
    )
    if len(rows) > 1:
        # the first of those that are equal is kept: that of the last row
        _, kept = np.unique(begins[::-1], return_index=True)
        begins, ends, values = (each[::-1][kept] for each in (begins, ends, values))
        apart = np.concatenate([[True], begins[1:] >= np.maximum.accumulate(ends)[:-1]])
        begins, ends, values = begins[apart], ends[apart], values[apart]
    role = ROLES[rows[0].kind]
    if role == "temperature":
        return last_of_each(begins, values)
    if any(row.events for row in rows):
        return counted(*unfinished.completed(f"{role} events", begins, ends, values)[::2])
    begins, ends, values = unfinished.completed(role, begins, ends, values)
    return (means if role == "fill-rate" else sums)(begins, ends, values)


def _read_meter(row: Row, unfinished: Unfinished) -> None:
    """Put what was metered [kW] into a row in place of the totals, and note the last one."""
    totals = row.value
    found = metered(row.begins_us, totals, unfinished.meter)
    row.rejected = {**row.rejected, **{int(row.index[i]): told for i, told in found.refused.items()}}
    if len(totals) and (unfinished.meter is None or row.begins_us[-1] > unfinished.meter[0]):
        unfinished.meter = (int(row.begins_us[-1]), float(totals[-1]))
    row.begins_us, row.ends_us = found.begins_us, found.ends_us
    row.value = found.amounts / ((found.ends_us - found.begins_us) / HOUR_US)
