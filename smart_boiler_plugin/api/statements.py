"""A customer's statement, as JSON or CSV."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
from flask import Response, jsonify, request
from marshmallow import Schema, fields, validate

from smart_boiler_plugin.api.guards import guarded, takes
from smart_boiler_plugin.customers import households
from smart_boiler_plugin.money.accounting import EARLIEST
from smart_boiler_plugin.money.statements import statement_of

JSON = "application/json"
FORMATS = {JSON: "json", "text/csv": "csv"}
MONEY_DECIMALS, ENERGY_DECIMALS, PRICE_DECIMALS, SHARE_DECIMALS = 4, 3, 5, 3
"""Decimals of what is told."""


class StatementQuerySchema(Schema):
    """Query of ``GET /boiler-customer/<account id>/statement``."""

    first = fields.Date(
        data_key="from",
        validate=validate.Range(min=EARLIEST),
        metadata={"description": "First day, local. By default, 30 days up to the last one.", "example": "2026-02-01"},
    )
    last = fields.Date(
        data_key="until",
        validate=validate.Range(min=EARLIEST),
        metadata={
            "description": "Last day, included; it must be over. By default, yesterday.",
            "example": "2026-02-28",
        },
    )
    as_format = fields.String(
        data_key="format",
        validate=validate.OneOf(["json", "csv"]),
        metadata={"description": "For links, which send no 'Accept' of their own. By default, what 'Accept' says."},
    )


class Rounded(fields.Float):
    """A number with so many decimals, or null."""

    def __init__(self, decimals: int, meaning: str) -> None:
        super().__init__(allow_none=True, metadata={"description": meaning})
        self.decimals = decimals

    def _serialize(self, value: Any, attr: str | None, obj: Any, **arguments: Any) -> Any:
        return super()._serialize(None if value is None else round(value, self.decimals), attr, obj, **arguments)


class AmountsSchema(Schema):
    """What one day or several came to."""

    electricity_kwh = Rounded(ENERGY_DECIMALS, "Electricity [kWh], as metered, else as planned.")
    cost = Rounded(MONEY_DECIMALS, "What that cost.")
    baseline_kwh = Rounded(ENERGY_DECIMALS, "Electricity under an ordinary thermostat [kWh].")
    baseline_cost = Rounded(MONEY_DECIMALS, "What that would have cost.")
    missing_heat_cost = Rounded(
        MONEY_DECIMALS, "What it costs to make the heat by which the tank fell behind the thermostat's."
    )
    fixed_fees = Rounded(MONEY_DECIMALS, "Fixed fees of the tariff per day or month, with VAT: part of no savings.")
    total_cost = Rounded(MONEY_DECIMALS, "cost and fixed_fees.")
    savings = Rounded(MONEY_DECIMALS, "baseline_cost less cost less missing_heat_cost.")
    unserved_kwh = Rounded(ENERGY_DECIMALS, "Heat that was drawn and not served at the useful temperature [kWh].")
    baseline_unserved_kwh = Rounded(ENERGY_DECIMALS, "The same under an ordinary thermostat [kWh].")
    mean_price_paid = Rounded(PRICE_DECIMALS, "Cost per kWh.")
    mean_price = Rounded(PRICE_DECIMALS, "Mean price per kWh of the day, or mean of those of the days.")
    coverage = Rounded(SHARE_DECIMALS, "Share of the time that rests on measurements, 0 to 1.")


class StatementDaySchema(AmountsSchema):
    """What a day came to; with a message, and of amounts the fixed fees alone, where that is not known."""

    day = fields.Date()
    message = fields.String()


class StatementSchema(Schema):
    """Answer of ``GET /boiler-customer/<account id>/statement``."""

    account = fields.Integer(attribute="boiler.asset.owner.id")
    name = fields.String(attribute="boiler.asset.owner.name")
    first = fields.Date(data_key="from")
    last = fields.Date(data_key="until")
    timezone = fields.String(attribute="boiler.timezone")
    currency = fields.String()
    coverage = Rounded(SHARE_DECIMALS, "Share of the span that rests on measurements, 0 to 1.")
    fixed_fees = Rounded(MONEY_DECIMALS, "Of all days, with VAT. null: what is stored of the tariff is wrong.")
    total = fields.Nested(
        AmountsSchema,
        allow_none=True,
        metadata={"description": "Of the days that are known, with the fixed fees of all days."},
    )
    days = fields.List(fields.Nested(StatementDaySchema))
    not_believed = fields.List(
        fields.String(), metadata={"description": "What was read in these days and not believed, and so not counted."}
    )


@guarded
@takes(query=StatementQuerySchema())
def show_statement(
    account_id: int, *, first: date | None = None, last: date | None = None, as_format: str | None = None
) -> Response:
    """Show what days of a customer (the caller's, or the own household) cost and saved, as JSON or CSV ('Accept')."""
    statement = statement_of(households.find_own(account_id, "read").boiler, first, last)
    document = StatementSchema().dump(statement)
    if (as_format or FORMATS[request.accept_mimetypes.best_match(FORMATS) or JSON]) != "csv":
        return jsonify(document)
    columns = ["day", *AmountsSchema().fields, "currency", "message"]
    table = pd.DataFrame(document["days"], columns=columns).assign(currency=statement.currency)
    name = f"statement-{account_id}-{statement.first}-{statement.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(table.to_csv(index=False), mimetype="text/csv", headers=headers)
