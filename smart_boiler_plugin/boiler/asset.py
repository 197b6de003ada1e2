"""Boiler: one boiler asset of the host as an object (its tank, its limits, its sensors by role), and how to make one.

Who owns it and who may see it: ``customers/directory.py``. What it will do: ``plan/scheduler.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import timedelta
from functools import cached_property
from typing import Any, TypeVar

from flexmeasures import Asset, AssetType, Sensor
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog
from marshmallow import ValidationError

from smart_boiler_plugin import stored
from smart_boiler_plugin.boiler.comfort import Comfort
from smart_boiler_plugin.boiler.comfort_schema import ComfortSchema
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.boiler.door import COMFORT, FLOOR_ON_PURPOSE, comfort_of, data_of
from smart_boiler_plugin.boiler.owners import may_read
from smart_boiler_plugin.clock.days import DAY
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.errors import BrokenBoilerError, SmartBoilerError
from smart_boiler_plugin.stored import as_object, is_id
from smart_boiler_plugin.units import currency_of

ASSET_TYPE = "battery"
"""The boiler is a heat battery; the host gives assets of this type a storage page and a storage scheduler."""

SCHEDULER = "BoilerScheduler"
"""Name of our scheduler's class, by which the host finds it."""

ANY_CURRENCY = "money"
"""Stands for the currency of the boiler's consumption price."""

UNIT_BY_ROLE = {
    "temperature": "°C",
    "set-point": "°C",
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

LONGEST_PROBLEM = 500
"""How much is told of what is wrong [characters]: anything may be stored."""

Checked = TypeVar("Checked")

ATTRIBUTES_BY_ROLE = {"fill-rate": {"consumption_is_positive": True, "custom-scheduler": SCHEDULER}}
"""What the host must know of a sensor: in which direction its power counts, and who plans it."""


class Boiler:
    """A boiler asset of the host.

    Raises
    ------
    BrokenBoilerError
        If the asset is no boiler that this plugin made; or, from all that is read of it, if it is wrong.

    """

    def __init__(self, asset: Asset) -> None:
        if not stored.is_stored(asset):
            raise BrokenBoilerError(
                f"Asset {asset.id} ({asset.name}) is no boiler: it has no attribute '{stored.ATTRIBUTE}'."
            )
        self.asset = asset

    @cached_property
    def data(self) -> BoilerData:
        """What is known about the boiler."""
        return self._checked(data_of)

    @cached_property
    def comfort(self) -> Comfort:
        """What the household wants."""
        return self._checked(comfort_of)

    def _checked(self, door: Callable[[Any], Checked]) -> Checked:
        """Return what comes through a door of what is stored."""
        try:
            return door(stored.read(self.asset))
        except SmartBoilerError as error:
            raise BrokenBoilerError(told_of(self.asset.id, self.asset.name, self.asset.account_id, error)) from error

    def change_comfort(self, changes: Mapping[str, Any]) -> Comfort:
        """Change what the household wants, and return all of it. Flushes, does not commit.

        Parameters
        ----------
        changes
            As JSON (``ComfortSchema``): any of ``programme``, ``away``, ``boost``, ``hygiene`` and
            ``useful_temperature``. What is not named stays; ``None`` goes back to the default.

        Raises
        ------
        marshmallow.ValidationError
            If something is wrong; nothing is changed then. Its messages name the field.

        """
        schema = ComfortSchema()

        def changed(known: Any) -> dict[str, Any]:
            known = as_object(known)
            merged = {**as_object(known.get(COMFORT)), **changes}
            comfort = schema.load({name: value for name, value in merged.items() if value is not None})
            if "useful_temperature" in changes:
                self._check_useful(comfort.useful_temperature_c)
            return {**known, COMFORT: schema.dump(comfort)}

        stored.change(self.asset, changed)
        AssetAuditLog.add_record(self.asset, f"Changed comfort: {', '.join(sorted(changes))}")
        db.session.flush()
        vars(self).pop("comfort", None)
        return self.comfort

    def _check_useful(self, useful_c: float) -> None:
        ceiling_c = self.data.temperature_max_c
        if useful_c >= ceiling_c:
            problem = f"The useful temperature ({useful_c:g} °C) must be below the ceiling ({ceiling_c:g} °C)."
            raise ValidationError({"useful_temperature": [problem]})

    @cached_property
    def sensors(self) -> dict[str, Sensor]:
        """The boiler's sensors, by role."""
        return {sensor.name: sensor for sensor in self.asset.sensors if sensor.name in UNIT_BY_ROLE}

    @property
    def timezone(self) -> str:
        """The household's time zone (IANA name), which all of its sensors have.

        Raises
        ------
        BrokenBoilerError
            If it has none of them.

        """
        sensor = self.sensors.get("fill-rate") or next(iter(self.sensors.values()), None)
        if sensor is None:
            raise BrokenBoilerError(f"Asset {self.asset.id} ({self.asset.name}) has none of the sensors of a boiler.")
        return str(sensor.timezone)

    @property
    def price_id(self) -> int | None:
        """Id of the sensor that the flex-context names as the consumption price; None where it names none."""
        named = as_object(as_object(self.asset.flex_context).get("consumption-price")).get("sensor")
        return named if is_id(named) else None

    @cached_property
    def price(self) -> Sensor:
        """The sensor with what one kWh costs the household.

        Raises
        ------
        BrokenBoilerError
            If the boiler's flex-context names none, or somebody else's.

        """
        sensor = db.session.get(Sensor, self.price_id) if self.price_id else None
        if sensor is None or not sensor.measures_energy_price or not may_read(self.asset, sensor.generic_asset):
            raise BrokenBoilerError(
                f"The flex-context of asset {self.asset.id} names no sensor of a price per energy: 'consumption-price'."
            )
        return sensor

    @property
    def currency(self) -> str:
        """Of all its money, as a code of ISO 4217."""
        return currency_of(self.price.unit)


def told_of(asset_id: int, name: str, account_id: int | None, error: SmartBoilerError) -> str:
    """Return what is wrong with what is stored of a boiler, and how to mend it, for people."""
    what = str(error)
    what = what if len(what) <= LONGEST_PROBLEM else f"{what[:LONGEST_PROBLEM]}..."
    return (
        f"What is stored of boiler {asset_id} ({name}) is wrong. {what} Change these fields: "
        f"PATCH /smart-boiler-plugin/api/boiler-customer/{account_id}"
    )


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
        {"title": "Fill rate", "plots": [{"sensor": sensors["fill-rate"].id}]},
        {"title": "Demand", "plots": [{"sensor": sensors["demand"].id}]},
        # fitted to the data: between floor and ceiling is where it happens
        {"title": "Temperature", "plots": [{"sensor": sensors["temperature"].id}], "y-axis": "data"},
    ]
