"""How boilers' devices are reached, kept with the boilers' assets: each has topics of its own.

It is kept sealed: who could write it could read a neighbour's temperature, and switch a neighbour's boiler.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from flexmeasures import Asset
from flexmeasures.data import db
from sqlalchemy.dialects.postgresql import array

from smart_boiler_plugin import stored
from smart_boiler_plugin.boiler.connection import Connection
from smart_boiler_plugin.errors import ConflictError
from smart_boiler_plugin.stored import as_object

ATTRIBUTE = "smart-boiler-device"
"""Attribute of a boiler's asset."""

KEPT = 20_000
"""How many boilers' devices are kept as they were read."""


def connection_of(asset: Asset | None) -> Connection | None:
    """Return how a boiler's device is reached; None where it has none, or somebody else wrote there."""
    kept = None if asset is None else as_object(stored.read(asset, ATTRIBUTE)).get("sealed")
    return None if asset is None or not isinstance(kept, str) else unsealed(kept, asset.id)


@lru_cache(maxsize=KEPT)
def unsealed(sealed: str, asset_id: int) -> Connection | None:
    """Return how the device of a boiler is reached, as it was sealed for this very asset; None where it was not."""
    try:
        kept = as_object(stored.unseal(sealed))
        return Connection(**kept["device"]) if kept["of"] == asset_id else None
    except (ValueError, KeyError, TypeError):
        return None


def connect(asset: Asset, connection: Connection | None) -> None:
    """Keep how a boiler's device is reached, None for none. Does not commit.

    Who calls holds the lock under which topics are given.

    Raises
    ------
    ConflictError
        If another boiler has one of its topics, whosever that is.

    """
    kept = None
    if connection is not None:
        refuse_taken_topics(connection, asset.id)
        sealed = stored.seal({"of": asset.id, "device": connection.as_json()})
        kept = {"topics": sorted(connection.all_topics), "sealed": sealed}
    stored.change(asset, lambda _: kept, ATTRIBUTE)


def refuse_taken_topics(connection: Connection, asset_id: int | None = None, given: Collection[str] = ()) -> None:
    """Refuse a device that has a topic of another boiler's, whosever that is.

    Parameters
    ----------
    connection
        How the device is reached.
    asset_id
        Of its own boiler; None where that is yet to be made.
    given
        Topics that are taken beside what is stored.

    Raises
    ------
    ConflictError
        If it has.

    """
    kept = Asset.attributes[ATTRIBUTE]
    query = db.select(Asset.id, kept["sealed"].astext)
    query = query.filter(kept["topics"].has_any(array(connection.all_topics)), Asset.id != (asset_id or 0))
    others = (unsealed(sealed, other) for other, sealed in db.session.execute(query).tuples() if sealed)
    if not connection.all_topics.isdisjoint(given) or any(others):
        raise ConflictError({"device": {"topic": ["Another boiler has this topic. Each needs its own."]}})
