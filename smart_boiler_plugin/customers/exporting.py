"""Everything that is kept about a customer as one document, written piece by piece: years of readings are no memory."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import Any

from flexmeasures import Asset, Sensor, Source
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from flexmeasures.utils.time_utils import duration_isoformat

from smart_boiler_plugin.customers import notes, traces
from smart_boiler_plugin.customers.directory import Customer

ROWS_AT_ONCE = 5_000
"""How many values are read from the database and written at once."""


def export(customer: Customer) -> Iterator[str]:
    """Yield everything that is kept about a customer, but for passwords, as the text of one JSON object.

    All but the data of sensors is read at the first piece, and these sensor by sensor.

    Yields
    ------
    str
        Pieces of the text, of some 100 kB.

    """
    account, users = customer.account, list(customer.users)
    assets = db.session.query(Asset).filter_by(account_id=account.id).order_by(Asset.id).all()
    sensors = [sensor for asset in assets for sensor in asset.sensors]
    log = [*traces.entries_of_account(account, users), *traces.entries_of_assets(assets, users)]
    head = {
        "account": {"id": account.id, "name": account.name, "attributes": dict(account.attributes)},
        # with the boiler's asset, it is sealed
        "device": customer.device and customer.device.as_json(),
        "users": [
            {
                "id": user.id,
                "user_name": user.username,
                "user_email": user.email,
                "timezone": user.timezone,
                "roles": [role.name for role in user.roles],
                "last_login_at": _iso(user.last_login_at),
                "last_seen_at": _iso(user.last_seen_at),
            }
            for user in users
        ],
    }
    tail = {
        "annotations": [notes.shown(note) for note in notes.of(account, assets, sensors, users)],
        "audit_log": [
            {"at": _iso(entry.event_datetime), "event": entry.event, "by": entry.active_user_name} for entry in log
        ],
    }
    yield f'{json.dumps(head)[:-1]}, "assets": ['
    yield from _separated(_asset(asset) for asset in assets)
    yield f"], {json.dumps(tail)[1:]}\n"


def _asset(asset: Asset) -> Iterator[str]:
    """Yield an asset with its sensors."""
    shown = {
        "id": asset.id,
        "name": asset.name,
        "latitude": asset.latitude,
        "longitude": asset.longitude,
        "attributes": dict(asset.attributes),
        "flex_model": dict(asset.flex_model),
        "flex_context": dict(asset.flex_context),
    }
    yield f'{json.dumps(shown)[:-1]}, "sensors": ['
    yield from _separated(_sensor(sensor) for sensor in asset.sensors)
    yield "]}"


def _sensor(sensor: Sensor) -> Iterator[str]:
    """Yield a sensor with all its data: start, value, when it was recorded, and by which source."""
    shown = {
        "id": sensor.id,
        "name": sensor.name,
        "unit": sensor.unit,
        "timezone": sensor.timezone,
        "resolution": duration_isoformat(sensor.event_resolution),
    }
    yield f'{json.dumps(shown)[:-1]}, "data": ['
    query = (
        db.select(
            TimedBelief.event_start, TimedBelief.event_value, TimedBelief.belief_horizon, Source.name, Source.type
        )
        .join(Source)
        .filter(TimedBelief.sensor_id == sensor.id)
        .order_by(TimedBelief.event_start, TimedBelief.belief_horizon)
        # a cursor of the database: the driver would else hold all rows before the first is read
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    yield from _separated(
        iter([", ".join(json.dumps(_value(sensor, *row)) for row in some)])
        for some in db.session.execute(query).partitions()
    )
    yield "]}"


def _value(sensor: Sensor, start: datetime, value: float | None, horizon: Any, name: str, kind: str) -> dict[str, Any]:
    """Return one value as JSON can hold it."""
    return {
        "start": start.isoformat(),
        "value": value if value is not None and math.isfinite(value) else None,
        "recorded_at": (sensor.knowledge_time(start) - horizon).isoformat(),
        "source": name,
        "source_type": kind,
    }


def _separated(items: Iterable[Iterator[str]]) -> Iterator[str]:
    """Yield the pieces of items with a comma between each two of these."""
    for number, pieces in enumerate(items):
        if number:
            yield ", "
        yield from pieces


def _iso(moment: datetime | None) -> str | None:
    """Return a moment that the host keeps without its time zone, UTC, as a text."""
    return None if moment is None else moment.replace(tzinfo=timezone.utc).isoformat()
