"""Tariffs: an operator's own, and public ones to read."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from flask import url_for
from flexmeasures.auth.decorators import permission_required_for_context
from flexmeasures.auth.policy import FlexMeasuresPlatform
from flexmeasures.utils.time_utils import server_now
from marshmallow import Schema, fields, validate

from smart_boiler_plugin.api.customer_crud import CustomerListSchema
from smart_boiler_plugin.api.guards import guarded, json_only, takes
from smart_boiler_plugin.clock.days import day_of, midnight
from smart_boiler_plugin.customers import tariff_rights as rights
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.fields import TrimmingSchema, line
from smart_boiler_plugin.prices import tariff_life
from smart_boiler_plugin.prices.contract import fixed_fees
from smart_boiler_plugin.prices.contract_fields import day
from smart_boiler_plugin.prices.contract_schema import ContractSchema
from smart_boiler_plugin.prices.tariffs import LONGEST_NAME, Tariff
from smart_boiler_plugin.prices.terms import VersionSchema
from smart_boiler_plugin.prices.update import prices_of, update_if_known
from smart_boiler_plugin.stored import LARGEST_ID

Answer = tuple[dict[str, Any], int]


class TariffPlaceSchema(TrimmingSchema):
    """Where a tariff's spot prices come from."""

    country = fields.String(
        metadata={
            "description": "Whose spot prices it has, as the ENTSO-E plugin has it.",
            "example": "BE",
        }
    )
    price_sensor = fields.Integer(
        strict=True,
        validate=validate.Range(1, LARGEST_ID),
        metadata={"description": "In place of a country: id of a sensor with spot prices.", "example": 5},
    )


class NewTariffSchema(TariffPlaceSchema):
    """Body of ``POST /tariffs``."""

    name = line(LONGEST_NAME, required=True, metadata={"example": "Day and night"})
    contract = fields.Nested(ContractSchema, required=True)
    timezone = fields.String(
        metadata={"description": "In which its days and hours are meant (IANA name).", "example": "Europe/Brussels"}
    )


class ChangeTariffSchema(TariffPlaceSchema):
    """Body of ``PATCH /tariffs/<id>``: another contract from a day on; what was paid on days before stays."""

    contract = fields.Nested(ContractSchema, required=True)
    first = day(data_key="from", required=True, metadata={"description": "First day.", "example": "2027-01-01"})
    in_the_past = fields.Boolean(
        load_default=False, metadata={"description": "Let that day be over: a correction of what held."}
    )


class RemoveTariffSchema(Schema):
    """Query of ``DELETE /tariffs/<id>``."""

    move_to = fields.Integer(
        data_key="move-to",
        validate=validate.Range(1, LARGEST_ID),
        metadata={"description": "Id of the tariff that its customers have from now on."},
    )


class RemovedTariffSchema(Schema):
    """Answer of ``DELETE /tariffs/<id>``."""

    moved = fields.Integer(metadata={"description": "How many customers have the other tariff now."})


class TariffSchema(Schema):
    """A tariff."""

    id = fields.Integer(attribute="asset.id")
    name = fields.String()
    own = fields.Function(rights.is_own, metadata={"description": "Whether it is yours to change.", "type": "boolean"})
    country = fields.String(allow_none=True)
    timezone = fields.String(attribute="sensor.timezone")
    currency = fields.String()
    sensor = fields.Integer(attribute="sensor.id", metadata={"description": "Its prices, per quarter of an hour."})
    versions = fields.Method("dump_versions")
    problem = fields.Method("dump_problem")

    def dump_versions(self, tariff: Tariff) -> list[dict[str, Any]]:
        """Return from when on which contract holds; none where what is stored is broken."""
        try:
            versions: list[dict[str, Any]] = VersionSchema(many=True).dump(tariff.terms.versions)
        except SmartBoilerError:
            return []
        return versions

    def dump_problem(self, tariff: Tariff) -> str | None:
        """Return what is wrong with what is stored; None: nothing."""
        try:
            tariff.terms  # noqa: B018 (raises)
        except SmartBoilerError as error:
            return str(error)
        return None


class TariffPageSchema(Schema):
    """Answer of ``GET /tariffs``."""

    data = fields.List(fields.Nested(TariffSchema))
    num_records = fields.Integer(data_key="num-records")
    filtered_records = fields.Integer(data_key="filtered-records")


class PricesQuerySchema(Schema):
    """Query of ``GET /tariffs/<id>/prices``."""

    date = day(metadata={"description": "Local day of the tariff; by default today.", "example": "2026-02-04"})


class PricesSchema(Schema):
    """Answer of ``GET /tariffs/<id>/prices``: what a day costs by the contract that holds then."""

    date = fields.Date()
    timezone = fields.String()
    start = fields.AwareDateTime(format="iso")
    resolution = fields.String(metadata={"example": "PT15M"})
    currency = fields.String()
    prices_per_kwh = fields.List(fields.Float(allow_none=True))
    fixed_fees = fields.Float(metadata={"description": "Of the day, with VAT."})


@guarded
@takes(query=CustomerListSchema())
def list_tariffs(
    *,
    page: int | None = None,
    per_page: int = 10,
    filter: list[str] | None = None,  # noqa: A002
    sort_by: str = "id",
    sort_dir: str = "asc",
) -> Answer:
    """List the caller's own tariffs and the public ones: all of them, or a page."""
    seen = rights.seen_tariffs()
    terms = [term.lower() for term in filter or []]
    found = [tariff for tariff in seen if all(term in tariff.name.lower() for term in terms)]
    key = {"id": lambda tariff: tariff.asset.id, "name": lambda tariff: tariff.name.lower()}[sort_by]
    found.sort(key=key, reverse=sort_dir == "desc")
    shown = found if page is None else found[(page - 1) * per_page : page * per_page]
    return {"data": TariffSchema(many=True).dump(shown), "num-records": len(seen), "filtered-records": len(found)}, 200


@guarded
@permission_required_for_context("create-children", ctx_loader=FlexMeasuresPlatform.init)
@json_only
@takes(body=NewTariffSchema())
def create_tariff(new: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Make a tariff of the caller's own; an admin's is everybody's."""
    owner = rights.owner_of_new()
    rights.check_readable(new.get("price_sensor"))
    made = tariff_life.add(new.pop("name"), new.pop("contract"), operator=owner, **new)
    update_if_known(made, server_now())
    location = url_for("smart-boiler-plugin API.show_tariff", tariff_id=made.asset.id)
    return TariffSchema().dump(made), 201, {"Location": location}


@guarded
def show_tariff(tariff_id: int) -> Answer:
    """Show a tariff of the caller's own, or a public one, with all versions of its contract."""
    return TariffSchema().dump(rights.find_seen(tariff_id)), 200


@guarded
@json_only
@takes(body=ChangeTariffSchema())
def change_tariff(wanted: dict[str, Any], tariff_id: int) -> Answer:
    """Let another contract of a tariff of the caller's own hold from a day on."""
    tariff = rights.find_own(tariff_id)
    rights.check_readable(wanted.get("price_sensor"))
    changed = tariff_life.change(tariff, wanted.pop("contract"), wanted.pop("first"), **wanted)
    update_if_known(changed, server_now())
    return TariffSchema().dump(changed), 200


@guarded
@takes(query=RemoveTariffSchema())
def delete_tariff(tariff_id: int, *, move_to: int | None = None) -> Answer:
    """Remove a tariff of the caller's own; refused while customers have it, unless they are moved."""
    tariff = rights.find_own(tariff_id)
    return {"moved": tariff_life.remove(tariff, None if move_to is None else rights.find_seen(move_to))}, 200


@guarded
@takes(query=PricesQuerySchema())
def show_tariff_prices(tariff_id: int, *, date: date | None = None) -> Answer:
    """Show the prices of a local day, by the contract that holds then; null where a spot price is not known."""
    tariff = rights.find_seen(tariff_id)
    timezone, now = tariff.sensor.timezone, server_now()
    day = date or day_of(now, timezone)
    prices = [None if np.isnan(price) else float(price) for price in prices_of(tariff, day, now)]
    fees = fixed_fees(tariff.terms.versions, pd.DatetimeIndex([day]))
    shown = {
        "date": day,
        "timezone": timezone,
        "start": midnight(day, timezone),
        "resolution": "PT15M",
        "currency": tariff.currency,
        "prices_per_kwh": prices,
        "fixed_fees": float(fees.iloc[0]),
    }
    return PricesSchema().dump(shown), 200
