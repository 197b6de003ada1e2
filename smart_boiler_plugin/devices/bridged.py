"""The boilers whose devices speak MQTT: what they said, what they were told, and what they are to be told.

No network here: ``bridge.py`` carries the messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, TypeAlias

import numpy as np
from flask import current_app
from flexmeasures import Asset
from flexmeasures.data import db
from redis.exceptions import RedisError
from sqlalchemy.exc import DataError, SQLAlchemyError

from smart_boiler_plugin import stored
from smart_boiler_plugin.boiler.connecting import ATTRIBUTE, unsealed
from smart_boiler_plugin.boiler.connection import Connection
from smart_boiler_plugin.boiler.profiles import POWER, SET_POINTS, TEMPERATURE, Sends
from smart_boiler_plugin.boiler.seen import DeviceSeen
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.devices.documents import as_json
from smart_boiler_plugin.devices.lease import RENEWED
from smart_boiler_plugin.devices.messages import Reader
from smart_boiler_plugin.devices.readings import take
from smart_boiler_plugin.devices.relay import Relay
from smart_boiler_plugin.devices.samples import Samples
from smart_boiler_plugin.devices.senders import Bridge
from smart_boiler_plugin.devices.set_points import Told, told_to

Devices: TypeAlias = "Mapping[int, tuple[int, Connection]]"
"""Account and way of devices, by the ids of their boilers' assets."""


@dataclass
class _Device:
    """A device, and what is known of it in this process."""

    account_id: int
    connection: Connection
    relay: Relay
    published: Told | None = None
    asked_at: datetime | None = None
    heard_at: datetime | None = None


class Bridged:
    """All of them.

    Parameters
    ----------
    longest
        For how long heating is forbidden at most.

    """

    def __init__(self, longest: timedelta) -> None:
        self._longest = longest
        self._devices: dict[int, _Device] = {}
        self._heard: set[int] = set()
        self._gone: list[Sends] = []
        self.samples = Samples()
        self.reader = Reader({})

    @property
    def connections(self) -> Mapping[int, Connection]:
        """How they are reached, by the ids of assets."""
        return {asset_id: device.connection for asset_id, device in self._devices.items()}

    def forget(self) -> None:
        """Forget what was told over a connection that is lost: it may not have come through."""
        for device in self._devices.values():
            device.relay.forget()
            device.published = device.asked_at = None

    def hear(self, topic: str, payload: Any, at_s: float) -> None:
        """Take a message that has come in.

        Parameters
        ----------
        topic, payload
            Of the message: anything at all.
        at_s
            When it came [s since 1970]. What clocks of devices say does not count.

        """
        at = datetime.fromtimestamp(at_s, timezone.utc)
        for said in self.reader.read(topic, payload):
            device = self._devices[said.asset_id]
            device.heard_at = at
            self._heard.add(said.asset_id)
            device.relay.hear(said.what, said.value, at)
            if said.what in {TEMPERATURE, POWER}:
                self.samples.add(device.account_id, said.what, at_s, float(said.value))

    def know(self, found: Devices) -> None:
        """Take whose devices there are now; of those that are as before, all that is known stays."""
        before = self._devices
        self._devices = {
            asset_id: before[asset_id]
            if asset_id in before and (before[asset_id].account_id, before[asset_id].connection) == each
            else _Device(*each, Relay(each[1].profile, self._longest))
            for asset_id, each in found.items()
        }
        gone = [device.connection.topic for asset_id, device in before.items() if asset_id not in found]
        # an empty message takes what is retained away
        self._gone += [Sends(SET_POINTS.replace("{topic}", topic), "") for topic in gone]
        if {id(each) for each in before.values()} != {id(each) for each in self._devices.values()}:
            self.reader = Reader(self.connections)

    def commands(self, told: Sequence[Told], now: datetime) -> Iterator[Sends]:
        """Yield what devices are to be sent at a moment: to heat or not, and to say how they are."""
        for each in told:
            device = self._devices.get(each.asset_id)
            if device is None:
                continue
            command = device.relay.tell(each.lease, now)
            if command is not None:
                yield command
            if device.asked_at is None or now - device.asked_at >= RENEWED:
                device.asked_at = now
                question = device.relay.ask()
                if question is not None:
                    yield question

    def set_points(self, told: Sequence[Told]) -> Iterator[Sends]:
        """Yield the set-points that are to be retained in place of those that are: of who follows them alone."""
        yield from self._gone
        self._gone = []
        for each in told:
            device = self._devices.get(each.asset_id)
            if device is None or _is_same(device.published, each):
                continue
            device.published = each
            topic = SET_POINTS.replace("{topic}", device.connection.topic)
            yield Sends(topic, as_json(each, lease=False))

    def heard(self) -> dict[int, DeviceSeen]:
        """Return what is known of devices that were there since this was asked last, by the ids of assets."""
        heard, self._heard = self._heard, set()
        devices = {asset_id: self._devices[asset_id] for asset_id in heard if asset_id in self._devices}
        return {
            asset_id: DeviceSeen(each.connection.kind, each.heard_at, each.relay.refusal, each.relay.refuses_since)
            for asset_id, each in devices.items()
        }


def look() -> tuple[Devices, list[Told]]:
    """Return whose devices speak MQTT, and what they are to be told; six SQL statements."""
    kept = Asset.attributes[ATTRIBUTE]["sealed"].astext
    query = db.select(Asset.id, Asset.account_id, kept).filter(kept.is_not(None), stored.rows_with(Asset))
    found = {
        asset_id: (account_id, connection)
        for asset_id, account_id, sealed in db.session.execute(query).tuples()
        if account_id is not None and (connection := unsealed(sealed, asset_id))
    }
    accounts = {account_id for account_id, _ in found.values()}
    return found, told_to(Bridge(accounts), datetime.now(timezone.utc)) if accounts else []


def store(rows: Sequence[Mapping[str, Any]]) -> int:
    """Store rows of readings; return how many values were written.

    A row that fails in a way that nobody foresaw stops no other. ``take`` commits, so that no savepoint holds what is
    done by halves (``transactions.by_halves``).
    """
    try:
        return take(rows, Bridge({int(row["account"]) for row in rows}), datetime.now(timezone.utc)).stored
    except Exception as error:
        if isinstance(error, (SQLAlchemyError, RedisError)) and not isinstance(error, DataError):
            raise
        if len(rows) == 1:
            current_app.logger.exception("Readings of account %s could not be stored", rows[0]["account"])
            return 0
    half = len(rows) // 2
    return store(rows[:half]) + store(rows[half:])


def _is_same(before: Told | None, now: Told) -> bool:
    """Return whether who follows what was told before does what is told now."""
    if before is None or now.start < before.start:
        return False
    over = (now.start - before.start) // QUARTER
    points = before.set_points_c[over:]
    return before.hysteresis_k == now.hysteresis_k and np.array_equal(points, now.set_points_c, equal_nan=True)
