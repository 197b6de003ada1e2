"""Tariffs: what customers pay for one kWh. Find and list them, and those that are there by themselves.

A tariff is a public asset, as the customers' users see public assets and their own alone. It has a sensor with its
consumption prices, terms (``terms.py``), and a data source of the host that makes prices of them (``reporter.py``). It
is an operator's own, or everybody's. How one comes, changes and goes: ``tariff_life.py``. Making the prices:
``update.py``. Which spot prices there are: ``sensors.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from flexmeasures import Account, Asset, AssetType, Sensor, Source
from flexmeasures.data import db
from marshmallow import ValidationError
from sqlalchemy import func

from smart_boiler_plugin import stored
from smart_boiler_plugin.errors import ConflictError, SmartBoilerError
from smart_boiler_plugin.prices.contract import Contract, Numbers, Part, Version, fixed_fees
from smart_boiler_plugin.prices.reporter import ConsumptionPriceReporter
from smart_boiler_plugin.prices.sensors import (
    CONSUMPTION_SENSOR,
    TARIFF_TYPE,
    default_country,
    get_or_create_consumption_price_sensor,
    get_or_create_spot_price_sensor,
    lock_prices,
)
from smart_boiler_plugin.prices.terms import ATTRIBUTE, Terms, has_terms, read_terms, store_versions
from smart_boiler_plugin.settings import DEFAULT_TARIFF
from smart_boiler_plugin.stored import is_id, rows_with
from smart_boiler_plugin.units import currency_of

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
        """The country whose spot prices it rests on; None where it rests on some other price sensor, or on none."""
        country: str | None = stored.read(self.asset, ATTRIBUTE)["country"]
        return country

    @property
    def operator_id(self) -> int | None:
        """Id of the operator's account whose own it is; None where it is everybody's."""
        operator: int | None = stored.read(self.asset, ATTRIBUTE).get("operator")
        return operator

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
        source = db.session.get(Source, stored.read(self.asset, ATTRIBUTE)["source"])
        if source is None:
            raise SmartBoilerError(f"The data source of tariff '{self.name}' was deleted. Add another tariff.")
        try:
            reporter: ConsumptionPriceReporter = source.data_generator
        except ValidationError as error:
            raise SmartBoilerError({f"tariff '{self.name}'": error.messages}) from error
        return reporter

    @property
    def terms(self) -> Terms:
        """What its prices are made of.

        Raises
        ------
        SmartBoilerError
            If what is stored of it is wrong or gone.

        """
        # before there were versions, the data source alone knew the terms
        return read_terms(self.asset) if has_terms(self.asset) else self.reporter.terms


def find(name: str, operator: Account | None = None) -> Tariff:
    """Return the tariff of a name, in whatever case: an operator's own, or else a public one.

    Raises
    ------
    SmartBoilerError
        If there is none; the message says which there are.

    """
    return _named(name, seen_by(operator, all_tariffs()))[0]


def hold(tariff: Tariff) -> Tariff:
    """Let nobody remove or change a tariff until the end of the transaction, and return it.

    Whoever gives a boiler a tariff holds it first, before the boiler: who removes one takes it in this order, too.

    Raises
    ------
    ConflictError
        If somebody has removed it just now.

    """
    name = tariff.name
    db.session.flush()
    db.session.refresh(tariff.asset, with_for_update={"read": True})
    if not is_tariff(tariff.asset):
        raise ConflictError({"tariff": [f"'{name}' was removed just now. List the others: {HOW_TO_LIST}"]})
    return tariff


def all_named(name: str) -> list[Tariff]:
    """Return the tariffs of a name, in whatever case: two operators may have one each.

    Raises
    ------
    SmartBoilerError
        If there is none.

    """
    return _named(name, all_tariffs())


def _named(name: str, tariffs: Sequence[Tariff]) -> list[Tariff]:
    """Return those of a name, at least one."""
    # two names may be one in Python's lower case, and are not in PostgreSQL's
    for spelt in (str, str.lower):
        named = [one for one in tariffs if spelt(one.name) == spelt(name)]
        if named:
            return named
    names = [tariff.name for tariff in tariffs]
    listed = ", ".join(names[:MOST_NAMES]) + (", ..." if len(names) > MOST_NAMES else "")
    told = f"There is no tariff '{name}'. There are: {listed or 'none'}. List them: {HOW_TO_LIST}"
    raise SmartBoilerError({"tariff": [told]})


def seen_by(operator: Account | None, tariffs: Iterable[Tariff]) -> list[Tariff]:
    """Return which tariffs an operator's customers can have: its own, and then the public ones."""
    own_id = operator and operator.id
    own = [tariff for tariff in tariffs if tariff.operator_id in {None, own_id}]
    return sorted(own, key=lambda tariff: tariff.operator_id is None)


def all_tariffs(country: str | None = None) -> list[Tariff]:
    """Return the tariffs of all or one country, by name; those of all operators."""
    tariffs = [Tariff(asset, sensor) for asset, sensor in _price_sensors() if is_tariff(asset)]
    return [tariff for tariff in tariffs if country in {None, tariff.country}]


def is_tariff(asset: Asset) -> bool:
    """Return whether an asset is a tariff that was not removed."""
    return stored.is_stored(asset, ATTRIBUTE) and "removed" not in stored.read(asset, ATTRIBUTE)


def _price_sensors() -> list[tuple[Asset, Sensor]]:
    """Return the public assets that are tariffs by their type, by name, with their sensors of consumption prices."""
    query = (
        db.select(Asset, Sensor)
        .join(AssetType, Asset.generic_asset_type_id == AssetType.id)
        .join(Sensor, Sensor.generic_asset_id == Asset.id)
        .filter(Asset.account_id.is_(None), AssetType.name == TARIFF_TYPE, Sensor.name == CONSUMPTION_SENSOR["name"])
        .order_by(Asset.name)
    )
    return list(db.session.execute(query).tuples())


def fixed_fees_of(sensor: Sensor, days: pd.DatetimeIndex) -> Numbers:
    """Return the fixed fees of local days with VAT, in the currency of a consumption price, shape (n,).

    0 where it is no tariff's.

    Raises
    ------
    SmartBoilerError
        If what is stored of the tariff is wrong or gone.

    """
    asset = sensor.generic_asset
    # a tariff is public: what others have written with theirs is none
    if asset.account_id is not None or not stored.is_stored(asset, ATTRIBUTE):
        return np.zeros(len(days))
    return fixed_fees(Tariff(asset, sensor).terms.versions, days).to_numpy(dtype=float)


def spot_tariff(country: str) -> Tariff:
    """Return the tariff of a country on which the spot price is what customers pay, made if missing. May flush."""
    sensor = get_or_create_consumption_price_sensor(country)
    if not stored.is_stored(sensor.generic_asset, ATTRIBUTE):
        # somebody else may be about to do so, too
        lock_prices()
        db.session.refresh(sensor.generic_asset)
    if stored.is_stored(sensor.generic_asset, ATTRIBUTE):
        return Tariff(sensor.generic_asset, sensor)
    bare = Terms((Version(None, Contract((Part(factor=1.0),))),), get_or_create_spot_price_sensor(country))
    return make_tariff(sensor, bare, country=country)


def default_tariff(operator: Account | None = None) -> Tariff:
    """Return the tariff of an operator's customers who are taken on without one.

    Raises
    ------
    SmartBoilerError
        If the setting names one that does not exist.

    """
    name = DEFAULT_TARIFF.value
    if not name:
        return spot_tariff(default_country())
    try:
        return find(name, operator)
    except SmartBoilerError as error:
        told = (
            f"None was given, and the server's setting {DEFAULT_TARIFF.name} names '{name}', which does not exist. "
            f"Give one, or let the server's administrator correct the setting or add it: "
            f"flexmeasures smart-boiler add-tariff '{name}' (List them: {HOW_TO_LIST})"
        )
        raise SmartBoilerError({"tariff": [told]}) from error


def boilers_by_sensor() -> dict[int, int]:
    """Return how many boilers are planned with a consumption price, by the id of its sensor."""
    sensor = Asset.flex_context["consumption-price"]["sensor"]
    query = db.select(sensor, func.count()).filter(rows_with(Asset)).group_by(sensor)
    # a household may have written anything there
    return {sensor: count for sensor, count in db.session.execute(query).tuples() if is_id(sensor)}


def make_tariff(sensor: Sensor, terms: Terms, *, country: str | None, operator: Account | None = None) -> Tariff:
    """Return the tariff of a sensor, which from now on is one with these terms. Flushes, does not commit."""
    asset = sensor.generic_asset
    price_sensor = terms.price_sensor and terms.price_sensor.id
    kept = {"country": country, "price_sensor": price_sensor, **({"operator": operator.id} if operator else {})}
    stored.change(asset, lambda _: kept, ATTRIBUTE)
    store_versions(asset, terms.versions, operator)
    db.session.flush()
    # the same one for ever, whatever comes after these versions
    source = ConsumptionPriceReporter(config={"tariff": asset.id}).data_source.id
    stored.change(asset, lambda kept: {**kept, "source": source}, ATTRIBUTE)
    db.session.flush()
    return Tariff(asset, sensor)


def adopt_former() -> list[Tariff]:
    """Give the spot tariffs of former versions their data source, and return them. May flush."""
    rows = [(asset, sensor) for asset, sensor in _price_sensors() if not stored.is_stored(asset, ATTRIBUTE)]
    named = [SPOT_TARIFF.fullmatch(asset.name) for asset, sensor in rows if sensor.unit == CONSUMPTION_SENSOR["unit"]]
    return [spot_tariff(former[1]) for former in named if former]
