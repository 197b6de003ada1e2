"""Tariffs: what customers pay for one kWh. Make, find and list, and give to boilers.

A tariff is a public asset, as the customers' users see public assets and their own alone. It has a sensor with its
consumption prices, and a data source of the host that knows how they are made (``reporter.py``). Which spot prices
there are: ``sensors.py``. Making the prices: ``update.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flexmeasures import Asset, AssetType, Sensor, Source
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog
from marshmallow import ValidationError
from sqlalchemy import Integer, func

from smart_boiler_plugin.boiler.asset import ANY_CURRENCY, UNIT_BY_ROLE, Boiler
from smart_boiler_plugin.boiler.asset import ATTRIBUTE as BOILER_ATTRIBUTE
from smart_boiler_plugin.errors import ConflictError, SmartBoilerError
from smart_boiler_plugin.prices.reporter import ConsumptionPriceReporter
from smart_boiler_plugin.prices.sensors import (
    CONSUMPTION_SENSOR,
    TARIFF_TYPE,
    default_country,
    get_or_create_consumption_price_sensor,
    get_or_create_public_sensor,
    get_or_create_spot_price_sensor,
    lock_prices,
)
from smart_boiler_plugin.prices.tariff_schema import ConsumptionPriceConfigSchema
from smart_boiler_plugin.settings import DEFAULT_TARIFF
from smart_boiler_plugin.transactions import transaction
from smart_boiler_plugin.units import currency_of

ATTRIBUTE = "smart-boiler-tariff"
"""Attribute of a tariff's asset: ``{"country": "BE", "source": <id of its data source>}``."""

SPOT_TARIFF = re.compile(r"([A-Z][A-Z0-9_]+) spot tariff")
"""Name of a country's tariff that was not added by anybody: the bare spot price."""

MOST_NAMES = 20
"""How many tariffs a refusal lists."""

LONGEST_NAME = Asset.name.type.length

HOW_TO_LIST = "flexmeasures smart-boiler list-tariffs"


@dataclass(frozen=True)
class Tariff:
    """What some customers pay.

    Parameters
    ----------
    asset
        The public asset whose name is the tariff's.
    sensor
        Its consumption prices [currency/kWh].

    """

    asset: Asset
    sensor: Sensor

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.asset.name)

    @property
    def country(self) -> str | None:
        """The country whose spot prices it rests on; None where it was made for some other price sensor."""
        country: str | None = self.asset.attributes[ATTRIBUTE]["country"]
        return country

    @property
    def currency(self) -> str:
        """Its currency, as a code of ISO 4217."""
        return currency_of(self.sensor.unit)

    @property
    def reporter(self) -> ConsumptionPriceReporter:
        """What calculates its prices, as the host has stored it.

        Raises
        ------
        SmartBoilerError
            If its data source or its price sensor was deleted.

        """
        source = db.session.get(Source, self.asset.attributes[ATTRIBUTE]["source"])
        if source is None:
            raise SmartBoilerError(f"The data source of tariff '{self.name}' was deleted. Add another tariff.")
        try:
            reporter: ConsumptionPriceReporter = source.data_generator
        except ValidationError as error:
            raise SmartBoilerError({f"tariff '{self.name}'": error.messages}) from error
        return reporter

    @property
    def config(self) -> dict[str, Any]:
        """How its prices are made, as JSON (``ConsumptionPriceConfigSchema``)."""
        config: dict[str, Any] = ConsumptionPriceConfigSchema().dump(self.reporter._config)  # noqa: SLF001 (the host's)
        return config


def add(
    name: str,
    *,
    country: str | None = None,
    price_sensor: int | None = None,
    timezone: str | None = None,
    terms: Mapping[str, Any],
) -> Tariff:
    """Make a tariff. Its prices come with the next update.

    Parameters
    ----------
    name
        What it is to be called.
    country
        Whose spot prices it rests on, as the ENTSO-E plugin has it.
    price_sensor
        In place of a country, id of a sensor with spot prices in money per energy.
    timezone
        In which fees and days are meant (IANA name); None means that of the spot prices.
    terms
        ``factor``, ``fees`` and ``vat`` as JSON (``ConsumptionPriceConfigSchema``).

    Raises
    ------
    ConflictError
        If a public asset has this name.
    SmartBoilerError
        If the name or the terms are wrong; the message names the field.

    """
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise SmartBoilerError({"name": [f"Must have 1 to {LONGEST_NAME} characters, and no line breaks."]})
    kept = SPOT_TARIFF.fullmatch(name)
    if kept:
        raise SmartBoilerError({"name": [f"'{name}' is kept for the bare spot price of {kept[1]}. Choose another."]})
    with transaction():
        lock_prices()
        if _public_asset(name) is not None:
            raise ConflictError({"name": [f"'{name}' exists already. Choose another; see {HOW_TO_LIST}"]})
        if price_sensor is None:
            country = country or default_country()
        spot_id = get_or_create_spot_price_sensor(country).id if country else price_sensor
        try:
            reporter = ConsumptionPriceReporter(config={"price_sensor": spot_id, **terms})
        except ValidationError as error:
            raise SmartBoilerError(error.messages_dict) from error
        spot: Sensor = reporter._config["price_sensor"]  # noqa: SLF001 (the host's)
        sensor = get_or_create_public_sensor(
            name,
            TARIFF_TYPE,
            {"name": CONSUMPTION_SENSOR["name"], "unit": f"{currency_of(spot.unit)}/kWh"},
            timezone=timezone or spot.timezone,
        )
        return _configured(sensor, country, reporter)


def find(name: str) -> Tariff:
    """Return the tariff of a name, in whatever case.

    Raises
    ------
    SmartBoilerError
        If there is none; the message says which there are.

    """
    tariffs = all_tariffs()
    # two names may be one in Python's lower case, and are not in PostgreSQL's
    found = next((one for spelt in (str, str.lower) for one in tariffs if spelt(one.name) == spelt(name)), None)
    if found is None:
        names = [tariff.name for tariff in tariffs]
        listed = ", ".join(names[:MOST_NAMES]) + (", ..." if len(names) > MOST_NAMES else "")
        raise SmartBoilerError(
            {"tariff": [f"There is no tariff '{name}'. There are: {listed or 'none'}. List them: {HOW_TO_LIST}"]}
        )
    return found


def all_tariffs(country: str | None = None) -> list[Tariff]:
    """Return the tariffs of all or one country, by name; those of former versions get their data source."""
    rows = db.session.execute(
        db.select(Asset, Sensor)
        .join(AssetType, Asset.generic_asset_type_id == AssetType.id)
        .join(Sensor, Sensor.generic_asset_id == Asset.id)
        .filter(Asset.account_id.is_(None), AssetType.name == TARIFF_TYPE, Sensor.name == CONSUMPTION_SENSOR["name"])
        .order_by(Asset.name)
    ).all()
    tariffs = [tariff for tariff in (_of(*row) for row in rows) if tariff]
    return [tariff for tariff in tariffs if country in {None, tariff.country}]


def spot_tariff(country: str) -> Tariff:
    """Return the tariff of a country on which the spot price is what customers pay, made if missing. May flush."""
    sensor = get_or_create_consumption_price_sensor(country)
    if ATTRIBUTE not in sensor.generic_asset.attributes:
        # somebody else may be about to do so, too
        lock_prices()
        db.session.refresh(sensor.generic_asset)
    if ATTRIBUTE in sensor.generic_asset.attributes:
        return Tariff(sensor.generic_asset, sensor)
    spot = get_or_create_spot_price_sensor(country)
    return _configured(sensor, country, ConsumptionPriceReporter(config={"price_sensor": spot.id}))


def default_tariff() -> Tariff:
    """Return the tariff of customers who are taken on without one.

    Raises
    ------
    SmartBoilerError
        If the setting names one that does not exist.

    """
    name = DEFAULT_TARIFF.value
    if not name:
        return spot_tariff(default_country())
    try:
        return find(name)
    except SmartBoilerError as error:
        told = (
            f"None was given, and the server's setting {DEFAULT_TARIFF.name} names '{name}', which does not exist. "
            f"Give one, or let the server's administrator correct the setting or add it: "
            f"flexmeasures smart-boiler add-tariff '{name}' (List them: {HOW_TO_LIST})"
        )
        raise SmartBoilerError({"tariff": [told]}) from error


def boilers_by_sensor() -> dict[int, int]:
    """Return how many boilers are planned with a consumption price, by the id of its sensor."""
    sensor_id = Asset.flex_context["consumption-price"]["sensor"].astext.cast(Integer)
    query = db.select(sensor_id, func.count()).filter(Asset.attributes.has_key(BOILER_ATTRIBUTE)).group_by(sensor_id)
    return dict(db.session.execute(query).tuples().all())


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
    costs_in = next(costs, tariff.currency)
    if costs_in != tariff.currency:
        told = f"'{tariff.name}' is in {tariff.currency}, but the boiler's costs are in {costs_in}."
        raise ConflictError({"tariff": [f"{told} Choose one in {costs_in}, or take the customer on anew."]})
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


def _public_asset(name: str) -> Asset | None:
    """Return the public asset of a name, in whatever case."""
    query = db.select(Asset).filter(Asset.account_id.is_(None), func.lower(Asset.name) == func.lower(name))
    asset: Asset | None = db.session.execute(query.order_by(Asset.id)).scalars().first()
    return asset


def _configured(sensor: Sensor, country: str | None, reporter: ConsumptionPriceReporter) -> Tariff:
    """Return the tariff of a sensor, which from now on is one. Flushes, does not commit."""
    asset = sensor.generic_asset
    asset.attributes[ATTRIBUTE] = {"country": country, "source": reporter.data_source.id}
    db.session.flush()
    return Tariff(asset, sensor)


def _of(asset: Asset, sensor: Sensor) -> Tariff | None:
    """Return the tariff of an asset with its price sensor, if it is one of ours."""
    if ATTRIBUTE in asset.attributes:
        return Tariff(asset, sensor)
    former = SPOT_TARIFF.fullmatch(asset.name) if sensor.unit == CONSUMPTION_SENSOR["unit"] else None
    return spot_tariff(former[1]) if former else None
