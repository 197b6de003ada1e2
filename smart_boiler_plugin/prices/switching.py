"""Giving a boiler another tariff. What a tariff is: ``tariffs.py``."""

from __future__ import annotations

from typing import Any

from flexmeasures.data.models.audit_log import AssetAuditLog

from smart_boiler_plugin import stored
from smart_boiler_plugin.boiler.asset import ANY_CURRENCY, UNIT_BY_ROLE, Boiler
from smart_boiler_plugin.errors import ConflictError
from smart_boiler_plugin.prices.tariffs import Tariff


def switch(boiler: Boiler, tariff: Tariff) -> None:
    """Plan a boiler with the prices of another tariff; its graphs follow. Does not commit.

    Parameters
    ----------
    boiler
        Which.
    tariff
        The new one.

    Raises
    ------
    ConflictError
        If it is in another currency than the boiler's costs: those of different currencies cannot be added.

    """
    asset = boiler.asset
    costs = (sensor.unit for role, sensor in boiler.sensors.items() if UNIT_BY_ROLE[role] == ANY_CURRENCY)
    known = next(costs, tariff.currency)
    if known != tariff.currency:
        told = f"'{tariff.name}' is in {tariff.currency}, but the boiler's costs are in {known}."
        raise ConflictError({"tariff": [f"{told} Choose one in {known}, or take the customer on anew."]})
    stored.lock_row(asset)
    named = asset.flex_context.get("consumption-price")
    # somebody may have given the boiler a price of its own
    old = named.get("sensor") if isinstance(named, dict) else None
    context = _with_other_sensor(asset.flex_context, old, tariff.sensor.id)
    asset.flex_context = {**context, "consumption-price": {"sensor": tariff.sensor.id}}
    asset.sensors_to_show = _with_other_sensor(asset.sensors_to_show, old, tariff.sensor.id)
    AssetAuditLog.add_record(asset, f"Updated asset '{asset.name}': {asset.id}; tariff to '{tariff.name}'")


def _with_other_sensor(value: Any, old: int | None, new: int) -> Any:
    """Return JSON in which a sensor is another one: each ``{"sensor": old}``, and in each ``{"sensors": [...]}``."""
    if isinstance(value, dict):
        changed = {name: _with_other_sensor(inner, old, new) for name, inner in value.items()}
        if changed.get("sensor", new) == old:
            changed["sensor"] = new
        if "sensors" in changed:
            changed["sensors"] = [new if sensor == old else sensor for sensor in changed["sensors"]]
        return changed
    return [_with_other_sensor(inner, old, new) for inner in value] if isinstance(value, list) else value
