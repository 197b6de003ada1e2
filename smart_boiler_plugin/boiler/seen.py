"""When boilers' devices were last there, by whatever path, and what they refused: in Redis, for a look at the fleet.

Where Redis is away, nothing is known of that; it changes nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from redis.exceptions import RedisError

from smart_boiler_plugin.stored import as_object

SEEN = "smart-boiler:boilers-seen"
"""Key in Redis, by the ids of boilers' assets."""

HTTP = "http"
"""Kind of devices that call with a token."""


@dataclass(frozen=True)
class DeviceSeen:
    """What is known of a device.

    Parameters
    ----------
    kind
        ``HTTP``, or one of ``connection.KINDS``.
    at
        When it was last there; None where it never was.
    refuses
        What it does not do that it was told, for people; empty where it does.
    since
        Since when it refuses.

    """

    kind: str
    at: datetime | None = None
    refuses: str = ""
    since: datetime | None = None


def note(seen: Mapping[int, DeviceSeen]) -> None:
    """Note when devices were there, by the ids of their boilers' assets."""
    if not seen:
        return
    kept = {
        asset_id: json.dumps({name: _text(value) for name, value in vars(each).items()})
        for asset_id, each in seen.items()
    }
    with suppress(RedisError):
        current_app.redis_connection.hset(SEEN, mapping=kept)  # type: ignore[attr-defined]  # set by the host


def seen_of(asset_ids: Sequence[int]) -> dict[int, DeviceSeen]:
    """Return what is known of the devices of boilers, by the ids of their assets, as far as anything is."""
    if not asset_ids:
        return {}
    try:
        kept = current_app.redis_connection.hmget(SEEN, asset_ids)  # type: ignore[attr-defined]  # as above
    except RedisError:
        return {}
    return {asset_id: _seen(text) for asset_id, text in zip(asset_ids, kept, strict=True) if text}


def _seen(text: bytes) -> DeviceSeen:
    kept = as_object(json.loads(text))
    at, since = (datetime.fromisoformat(kept[name]) if kept[name] else None for name in ("at", "since"))
    return DeviceSeen(kept["kind"], at, kept["refuses"], since)


def _text(value: datetime | str | None) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else value
