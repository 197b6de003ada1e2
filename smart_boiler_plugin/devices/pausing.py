"""Leaving boilers alone for a while: a fitter is there, or something is wrong with all of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog
from flexmeasures.utils.time_utils import server_now
from sqlalchemy import insert, text

from smart_boiler_plugin.boiler.door import COMFORT
from smart_boiler_plugin.host import active_user
from smart_boiler_plugin.stored import ATTRIBUTE
from smart_boiler_plugin.transactions import transaction

PAUSE = text("""
    UPDATE generic_asset
    SET attributes = jsonb_set(
        CAST(attributes AS jsonb), ARRAY[:ours],
        (attributes -> :ours) || jsonb_build_object(
            CAST(:comfort AS text),
            CASE WHEN jsonb_typeof(attributes -> :ours -> :comfort) = 'object' THEN attributes -> :ours -> :comfort
                 ELSE '{}' END
            || jsonb_build_object('pause', CAST(:pause AS jsonb))
        )
    )
    WHERE id = ANY(:ids) AND jsonb_typeof(attributes -> :ours) = 'object'
    RETURNING id
""")
"""One statement, and no look at what else is stored: all boilers are left alone at once, broken ones, too."""


def pause(asset_ids: Sequence[int], until: datetime | None) -> int:
    """Leave boilers alone until a moment, and commit; return how many.

    No plan is followed meanwhile; each is an ordinary boiler with its own thermostat. Two SQL statements.

    Parameters
    ----------
    asset_ids
        Of the boilers.
    until
        Aware of the time zone; None ends it.

    """
    wish = None if until is None else {"until": until.isoformat()}
    user_id, user_name = active_user()
    event = "Ended its pause" if until is None else f"Paused until {until.isoformat()}"
    values = {"ours": ATTRIBUTE, "comfort": COMFORT, "pause": json.dumps(wish), "ids": list(asset_ids)}
    with transaction():
        paused = list(db.session.execute(PAUSE, values).scalars())
        record = {"event_datetime": server_now(), "event": event, "active_user_id": user_id}
        rows = [{**record, "active_user_name": user_name, "affected_asset_id": asset_id} for asset_id in paused]
        if rows:
            db.session.execute(insert(AssetAuditLog), rows)
    return len(paused)
