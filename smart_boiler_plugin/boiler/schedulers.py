"""Which scheduler is stored with a household's assets and sensors: one that the server has, by name, or none."""

from __future__ import annotations

from flask import current_app
from flexmeasures import Asset, Sensor

from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.stored import is_stored

SCHEDULED_BY = "custom-scheduler"
"""Attribute by which the host finds who plans. It may name a module, which the host imports from anywhere."""


def scheduler_problem(owner: Asset | Sensor) -> str | None:
    """Return what is wrong with the scheduler that is stored with a household's asset or sensor, and how to mend it."""
    asset = owner.generic_asset if isinstance(owner, Sensor) else owner
    theirs = is_stored(asset) or (asset.owner is not None and asset.owner.has_role(CUSTOMER_ROLE))
    named = owner.attributes.get(SCHEDULED_BY)
    known = current_app.data_generators["scheduler"]  # type: ignore[attr-defined]  # set by the host
    if not theirs or SCHEDULED_BY not in owner.attributes or (isinstance(named, str) and named in known):
        return None
    what = "sensor" if isinstance(owner, Sensor) else "asset"
    return (
        f"The attribute '{SCHEDULED_BY}' of {what} {owner.id} must be the name of a scheduler that this server has, "
        "such as 'BoilerScheduler'. `flexmeasures smart-boiler upgrade` mends it."
    )
