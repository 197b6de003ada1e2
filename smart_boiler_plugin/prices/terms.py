"""What is stored of a tariff: the versions of its contract, on which spot prices they rest, and whose it is.

A public tariff's stands in an attribute of its asset. The contracts of an operator's own are nobody else's: they stand
in an attribute of its account, by the id of the asset.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flexmeasures import Account, Asset, Sensor
from flexmeasures.data import db
from marshmallow import Schema, ValidationError, fields, post_load

from smart_boiler_plugin import stored
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.prices.contract import Contract, Version
from smart_boiler_plugin.prices.contract_fields import day
from smart_boiler_plugin.prices.contract_schema import ContractSchema
from smart_boiler_plugin.stored import as_object, is_id

ATTRIBUTE = "smart-boiler-tariff"
"""Attribute of a tariff's asset: whose it is, its spot prices, its data source; of a public one, its versions too."""

OWN = "smart-boiler-tariffs"
"""Attribute of an operator's account: the versions of its own tariffs, ``{"<id of the asset>": [...]}``."""

MOST_VERSIONS = 100


class VersionSchema(Schema):
    """A version of a contract: ``{"from": "2026-01-01", "contract": {...}}``; ``from`` is null where it always held."""

    first = day(data_key="from", required=True, allow_none=True)
    contract = fields.Nested(ContractSchema, required=True)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Version:
        return Version(**data)


@dataclass(frozen=True)
class Terms:
    """What a tariff's prices are made of.

    Parameters
    ----------
    versions
        Of its contract, in order of time; at least one.
    price_sensor
        Its spot prices; None where it has none.

    """

    versions: tuple[Version, ...]
    price_sensor: Sensor | None

    def on(self, day: date) -> Contract | None:
        """Return the contract of a local day; None before the first version."""
        held = [version.contract for version in self.versions if version.first is None or version.first <= day]
        return held[-1] if held else None

    def with_version(self, first: date, contract: Contract) -> Terms:
        """Return the terms with a version more, which replaces one that begins on the same day."""
        others = [version for version in self.versions if version.first != first]
        return replace(self, versions=in_order([*others, Version(first, contract)]))


def in_order(versions: Iterable[Version]) -> tuple[Version, ...]:
    """Return versions in order of time."""
    return tuple(sorted(versions, key=lambda version: version.first or date.min))


def has_terms(asset: Asset) -> bool:
    """Return whether an asset is a tariff, with versions; those of former versions of this plugin have none."""
    return "price_sensor" in as_object(stored.read(asset, ATTRIBUTE))


def read_terms(asset: Asset) -> Terms:
    """Return what a tariff's prices are made of.

    Raises
    ------
    SmartBoilerError
        If what is stored is wrong or gone.

    """
    kept = as_object(stored.read(asset, ATTRIBUTE))
    name = f"tariff '{asset.name}'"
    try:
        versions = in_order(VersionSchema(many=True).load(_stored_versions(asset, kept.get("operator"))))
    except ValidationError as error:
        raise SmartBoilerError({name: error.messages}) from error
    if not versions or len({version.first for version in versions}) < len(versions):
        raise SmartBoilerError({name: ["Must have versions, each from another day on."]})
    sensor_id = kept.get("price_sensor")
    sensor = db.session.get(Sensor, sensor_id) if is_id(sensor_id) else None
    if sensor_id is not None and sensor is None:
        raise SmartBoilerError({name: [f"No sensor found with ID {sensor_id}."]})
    return Terms(versions, sensor)


def terms_of(asset_id: int) -> Terms:
    """Return what the prices of the tariff with this asset are made of.

    Raises
    ------
    SmartBoilerError
        If there is no such tariff, or what is stored of it is wrong.

    """
    asset = db.session.get(Asset, asset_id) if is_id(asset_id) else None
    if asset is None or asset.account_id is not None or not has_terms(asset):
        raise SmartBoilerError({"tariff": [f"Asset {asset_id} is no tariff."]})
    return read_terms(asset)


def store_versions(asset: Asset, versions: Sequence[Version], operator: Account | None) -> None:
    """Store the versions of a tariff where its owner's are kept. Does not commit."""
    document = VersionSchema(many=True).dump(versions)
    if operator is None:
        stored.change(asset, lambda kept: {**as_object(kept), "versions": document}, ATTRIBUTE)
    else:
        stored.change(operator, lambda kept: {**as_object(kept), str(asset.id): document}, OWN)


def _stored_versions(asset: Asset, operator_id: Any) -> Any:
    if operator_id is None:
        return as_object(stored.read(asset, ATTRIBUTE)).get("versions")
    operator = db.session.get(Account, operator_id) if is_id(operator_id) else None
    if operator is None:
        raise SmartBoilerError({f"tariff '{asset.name}'": ["Its operator's account was deleted."]})
    return as_object(stored.read(operator, OWN)).get(str(asset.id))
