"""Boiler: one boiler asset of the host as an object (its tank, its limits, its sensors by role), and how to make one.

Who owns it and who may see it: ``customers/directory.py``. What it will do: ``plan/scheduler.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import timedelta
from functools import cached_property
from typing import Any

from flexmeasures import Asset, AssetType, Sensor
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog

from smart_boiler_plugin.boiler.comfort import Comfort
from smart_boiler_plugin.boiler.comfort_schema import ComfortSchema
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.days import DAY
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.units import currency_of

ASSET_TYPE = "battery"
"""The boiler is a heat battery; the host gives assets of this type a storage page and a storage scheduler."""

ATTRIBUTE = "smart-boiler"
"""Attribute of the asset that holds the boiler's data; an asset without it is no boiler of ours."""

SCHEDULER = "BoilerScheduler"
"""Name of our scheduler's class, by which the host finds it."""

COMFORT = "comfort"
"""Where in that attribute the household's wishes are, as JSON."""

ANY_CURRENCY = "money"
"""Stands for the currency of the boiler's consumption price."""

UNIT_BY_ROLE = {
    "temperature": "°C",
    "fill-rate": "kW",
    "demand": "kWh",
    "cost": ANY_CURRENCY,
    "state-of-charge": "kWh",
    "daily cost": ANY_CURRENCY,
    "daily savings": ANY_CURRENCY,
}
"""The sensors of a boiler, by name, which is also their role."""

RESOLUTION_BY_ROLE = {"state-of-charge": timedelta(0), "daily cost": DAY, "daily savings": DAY}
"""Roles whose values are not those of a quarter of an hour."""

ATTRIBUTES_BY_ROLE = {"fill-rate": {"consumption_is_positive": True, "custom-scheduler": SCHEDULER}}
"""What the host must know of a sensor: in which direction its power counts, and who plans it."""


class Boiler:
    """A boiler asset of the host.

    Raises
    ------
    SmartBoilerError
        If the asset is no boiler that this plugin made.

    """

    def __init__(self, asset: Asset) -> None:
        if ATTRIBUTE not in asset.attributes:
            raise SmartBoilerError(f"Asset {asset.id} ({asset.name}) is no boiler: it has no attribute '{ATTRIBUTE}'.")
        self.asset = asset

    @cached_property
    def data(self) -> BoilerData:
        """What is known about the boiler."""
        stored = self.asset.attributes[ATTRIBUTE]
        return BoilerData(**{name: value for name, value in stored.items() if name != COMFORT})

    @property
    def comfort(self) -> Comfort:
        """What the household wants."""
        comfort: Comfort = ComfortSchema().load(self.asset.attributes[ATTRIBUTE].get(COMFORT, {}))
        return comfort

    def change_comfort(self, changes: Mapping[str, Any]) -> Comfort:
        """Change what the household wants, and return all of it. Flushes, does not commit.

        Parameters
        ----------
        changes
            As JSON (``ComfortSchema``): any of ``programme``, ``away``, ``boost`` and ``hygiene``. What is not named
            stays; ``None`` goes back to the default.

        Raises
        ------
        marshmallow.ValidationError
            If something is wrong; nothing is changed then. Its messages name the field.

        """
        stored = self.asset.attributes[ATTRIBUTE]
        merged = {**stored.get(COMFORT, {}), **changes}
        schema = ComfortSchema()
        comfort: Comfort = schema.load({name: value for name, value in merged.items() if value is not None})
        # a new object: the host's database does not see changes inside of one
        self.asset.attributes = {**self.asset.attributes, ATTRIBUTE: {**stored, COMFORT: schema.dump(comfort)}}
        AssetAuditLog.add_record(self.asset, f"Changed comfort: {', '.join(sorted(changes))}")
        db.session.flush()
        return comfort

    @cached_property
    def sensors(self) -> dict[str, Sensor]:
        """The boiler's sensors, by role."""
        return {sensor.name: sensor for sensor in self.asset.sensors if sensor.name in UNIT_BY_ROLE}

    @property
    def timezone(self) -> str:
        """The household's time zone (IANA name), which all of its sensors have.

        Raises
        ------
        SmartBoilerError
            If it has none of them.

        """
        sensor = self.sensors.get("fill-rate") or next(iter(self.sensors.values()), None)
        if sensor is None:
            raise SmartBoilerError(f"Asset {self.asset.id} ({self.asset.name}) has none of the sensors of a boiler.")
        return str(sensor.timezone)

    @cached_property
    def price(self) -> Sensor:
        """The sensor with what one kWh costs the household.

        Raises
        ------
        SmartBoilerError
            If the boiler's flex-context names none.

        """
        named = self.asset.flex_context.get("consumption-price")
        sensor = db.session.get(Sensor, named["sensor"]) if isinstance(named, dict) and "sensor" in named else None
        if sensor is None or not sensor.measures_energy_price:
            raise SmartBoilerError(
                f"The flex-context of asset {self.asset.id} names no sensor of a price per energy: 'consumption-price'."
            )
        return sensor

    @property
    def currency(self) -> str:
        """Of all its money, as a code of ISO 4217."""
        return currency_of(self.price.unit)


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
    asset.attributes = {ATTRIBUTE: asdict(data), "custom-scheduler": SCHEDULER}
    asset.flex_model = data.flex_model
    db.session.add(asset)
    sensors = make_missing_sensors(asset, timezone, price)
    asset.flex_context = {"consumption-price": {"sensor": price.id}, "production-price": {"sensor": price.id}}
    asset.sensors_to_show = _graphs(price, sensors)
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
        asset.sensors_to_show_as_kpis = [
            {"title": title, "sensor": sensors[role].id, "function": "sum"}
            for title, role in (("Cost", "daily cost"), ("Savings", "daily savings"))
        ]
    return sensors


def check_currency(sensor: Sensor, price: Sensor) -> None:
    """Find out whether a sensor can hold what is worked out with a consumption price.

    Raises
    ------
    SmartBoilerError
        If they are in different currencies.

    """
    currency = currency_of(price.unit)
    if sensor.unit != currency:
        raise SmartBoilerError(
            f"Sensor {sensor.id} ({sensor.name}) is in {sensor.unit}, but the consumption price (sensor {price.id}) in "
            f"{currency}. Choose a price in {sensor.unit}, or rename the sensor: the report makes a new one."
        )


def change_boiler(boiler: Boiler, data: dict[str, Any], place: dict[str, Any]) -> None:
    """Change what is given of a boiler, and nothing else; the stored flex-model follows. Does not commit.

    Parameters
    ----------
    boiler
        Which.
    data, place
        New values of fields of ``BoilerData`` and ``Place``, by field name.

    Raises
    ------
    SmartBoilerError
        If they do not fit together with the rest.

    """
    asset = boiler.asset
    for name, value in place.items():
        if name == "timezone":
            for sensor in boiler.sensors.values():
                sensor.timezone = value
        else:
            setattr(asset, name, value)
        AssetAuditLog.add_record(asset, f"Updated asset '{asset.name}': {asset.id}; {name} to '{value}'")
    if data:
        # an energy class that is given counts, whatever loss was given before
        kept = boiler.data if "energy_class" not in data else replace(boiler.data, standing_loss_kwh_per_day=None)
        changed = replace(kept, **data)
        changed.check()
        for name, value in data.items():
            AssetAuditLog.add_record(asset, f"Updated asset '{asset.name}': {asset.id}; {name} to '{value}'")
        asset.attributes[ATTRIBUTE] = {**asset.attributes[ATTRIBUTE], **asdict(changed)}
        asset.flex_model = {**asset.flex_model, **changed.flex_model}


def _graphs(price: Sensor, sensors: dict[str, Sensor]) -> list[dict[str, Any]]:
    """Return the graphs of the boiler's page, in the host's form."""
    return [
        {"title": "Price", "plots": [{"sensor": price.id}]},
        {"title": "Fill rate", "plots": [{"sensor": sensors["fill-rate"].id}]},
        {"title": "Demand", "plots": [{"sensor": sensors["demand"].id}]},
        # fitted to the data: between floor and ceiling is where it happens
        {"title": "Temperature", "plots": [{"sensor": sensors["temperature"].id}], "y-axis": "data"},
    ]
