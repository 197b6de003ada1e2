"""What a boiler needs of the host beside its data: its sensors, and a site that plans it. What of that is missing."""

from __future__ import annotations

from collections.abc import Collection

from flexmeasures import Asset

from smart_boiler_plugin.boiler.asset import SCHEDULER
from smart_boiler_plugin.boiler.schedulers import SCHEDULED_BY

NEEDED = ("temperature", "fill-rate", "demand")
"""Roles of the sensors that plans, reports and pages read: without one, they know less."""


def missing_parts(asset: Asset) -> list[str]:
    """Return what is missing of a boiler, for people, with what mends it; nothing, most of the time.

    A household may delete and rename its sensors, and move its boiler into a building, by the host's own calls.
    """
    return [*missing_sensors({sensor.name for sensor in asset.sensors}), *unplanned_site(asset.parent_asset)]


def missing_sensors(there: Collection[str]) -> list[str]:
    """Return which sensors are missing of a boiler, for people, by the names of those that are there."""
    return [
        f"Sensor '{role}' was deleted or renamed. To make it anew: flexmeasures smart-boiler upgrade"
        for role in NEEDED
        if role not in there
    ]


def unplanned_site(site: Asset | None) -> list[str]:
    """Return what is wrong with the site of a boiler, if it is in one, for people; nothing, most of the time."""
    return [] if is_planned(site) else [_SITE.format(site)]


_SITE = (
    "{0.name} (asset {0.id}), in which the boiler is, is planned by another scheduler, which takes the tank for empty. "
    "To let ours plan it: flexmeasures smart-boiler upgrade, or where one is named, name BoilerScheduler as "
    "'custom-scheduler'"
)


def is_planned(site: Asset | None) -> bool:
    """Return whether a trigger on the site of a boiler, if it is in one, plans the boiler as one on the boiler does."""
    return site is None or scheduler_of(site) == SCHEDULER


def scheduler_of(asset: Asset) -> str | None:
    """Return the name of the scheduler that an asset's attributes name; None where they name none."""
    named = asset.attributes.get(SCHEDULED_BY)
    named = named.get("class") if isinstance(named, dict) else named
    return named if isinstance(named, str) else None
