"""How the host's asset becomes a boiler: its type, sensors, flex-model, flex-context, graphs and key figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flexmeasures import Asset, AssetType, Sensor
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog
from flexmeasures.utils.time_utils import server_now

from smart_boiler_plugin import stored
from smart_boiler_plugin.boiler import history
from smart_boiler_plugin.boiler.asset import (
    ANY_CURRENCY,
    ASSET_TYPE,
    ATTRIBUTES_BY_ROLE,
    RESOLUTION_BY_ROLE,
    SCHEDULER,
    TEMPERATURES,
    UNIT_BY_ROLE,
    Boiler,
)
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.boiler.door import FLOOR_ON_PURPOSE
from smart_boiler_plugin.clock.days import day_of
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.units import currency_of


def make_boiler(asset: Asset, timezone: str, price: Sensor, data: BoilerData) -> Boiler:
    """Make a boiler of a new asset: type, sensors, flex-model, flex-context and graphs. Flushes, does not commit.

    Parameters
    ----------
    asset
        With its name, owner and place.
    timezone
        Of the sensors (IANA name).
    price
        The consumption price to plan with.
    data
        What is known about the boiler.

    """
    asset.generic_asset_type = db.session.execute(db.select(AssetType).filter_by(name=ASSET_TYPE)).scalar_one()
    # the scheduler for a trigger on the asset; below, for one on the sensor
    asset.attributes = {"custom-scheduler": SCHEDULER}
    stored.change(asset, lambda _: {**asdict(data), FLOOR_ON_PURPOSE: True})
    taken_on = {history.TAKEN_ON: day_of(server_now(), timezone).isoformat()}
    stored.change(asset, lambda _: taken_on, history.ATTRIBUTE)
    asset.flex_model = data.flex_model
    db.session.add(asset)
    sensors = make_missing_sensors(asset, timezone, price)
    asset.flex_context = {"consumption-price": {"sensor": price.id}, "production-price": {"sensor": price.id}}
    asset.sensors_to_show = graphs(price, sensors)
    AssetAuditLog.add_record(asset, f"Created asset '{asset.name}': {asset.id}")
    return Boiler(asset)


def make_missing_sensors(asset: Asset, timezone: str, price: Sensor) -> dict[str, Sensor]:
    """Make the sensors that a boiler does not have yet, and return all of them by role. Flushes, does not commit.

    A boiler that was taken on by an earlier version of this plugin may lack some.

    Parameters
    ----------
    asset
        The boiler.
    timezone
        Of the sensors (IANA name).
    price
        The consumption price, by whose currency costs and savings are.

    """
    there = Boiler(asset).sensors
    made = {
        role: Sensor(
            name=role,
            unit=currency_of(price.unit) if unit == ANY_CURRENCY else unit,
            generic_asset=asset,
            timezone=timezone,
            event_resolution=RESOLUTION_BY_ROLE.get(role, QUARTER),
            attributes=dict(ATTRIBUTES_BY_ROLE.get(role, {})),
        )
        for role, unit in UNIT_BY_ROLE.items()
        if role not in there
    }
    db.session.add_all(made.values())
    db.session.flush()
    for role, sensor in made.items():
        AssetAuditLog.add_record(asset, f"Created sensor '{role}': {sensor.id}")
    sensors = {**there, **made}
    if not asset.sensors_to_show_as_kpis:
        asset.sensors_to_show_as_kpis = key_figures(sensors)
    return sensors


def key_figures(sensors: Mapping[str, Sensor]) -> list[dict[str, Any]]:
    """Return the key figures of the boiler's page, in the host's form."""
    return [
        {"title": title, "sensor": sensors[role].id, "function": "sum"}
        for title, role in (("Cost", "daily cost"), ("Savings", "daily savings"))
    ]


def graphs(price: Sensor, sensors: Mapping[str, Sensor]) -> list[dict[str, Any]]:
    """Return the graphs of the boiler's page, in the host's form."""
    return [
        {"title": "Price", "plots": [{"sensor": price.id}]},
        {"title": "Fill rate", "plots": plots(sensors, "fill-rate")},
        {"title": "Demand", "plots": plots(sensors, "demand")},
        # fitted to the data: between floor and ceiling is where it happens
        {"title": "Temperature", "plots": plots(sensors, *TEMPERATURES), "y-axis": "data"},
    ]


def plots(sensors: Mapping[str, Sensor], *roles: str) -> list[dict[str, Any]]:
    """Return what a graph shows, in the host's form."""
    return [{"sensor": sensors[role].id} for role in roles]
