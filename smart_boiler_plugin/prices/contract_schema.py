"""Contracts as JSON, with errors that name the field. What they mean: ``contract.py``."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_dump, post_load, validate, validates_schema

from smart_boiler_plugin.clock.days import Span
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.clock.week import EVERY_DAY, EVERY_MONTH, MIDNIGHT
from smart_boiler_plugin.clock.week_schema import Months, WindowSchema, clock_time
from smart_boiler_plugin.fields import JsonNumber
from smart_boiler_plugin.prices.contract import AS_SUNDAY, NEVER, ONLY, Contract, FixedFee, Part, Vat
from smart_boiler_plugin.prices.contract_fields import MOST_STEPS, FixedAmount, Rate, Regions, VatShare, day

MOST_PARTS = 200

LARGEST_FACTOR = 1000


def _full_quarter(moment: time) -> None:
    """Refuse a time within a quarter of an hour: a part of it has no price of its own."""
    if timedelta(minutes=moment.minute) % QUARTER:
        raise ValidationError("Must be a full quarter of an hour, as prices are: 07:00 or 07:15.")


class SpanSchema(Schema):
    """When something holds: ``{"valid_from": "2026-01-01", "valid_until": "2026-12-31"}``, both days included."""

    valid_from = day(attribute="valid.first", metadata={"example": "2026-01-01"})
    valid_until = day(attribute="valid.last", metadata={"example": "2026-12-31"})

    @validates_schema
    def _in_order(self, data: dict[str, Any], **_: Any) -> None:
        valid = data.get("valid", {})
        if valid.get("first") and valid.get("last") and valid["first"] > valid["last"]:
            raise ValidationError(f"Is before valid_from, {valid['first']}.", "valid_until")

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Return a field's value; nothing in place of None, so that it is left out."""
        value = super().get_attribute(obj, attr, default)
        return default if value is None else value


class TimedRateSchema(SpanSchema, WindowSchema):
    """When a rate holds: always, or in a part of the week or the year, or between two days."""

    begin = clock_time(data_key="from", validate=_full_quarter, metadata={"example": "07:00"})
    until = clock_time(validate=_full_quarter, metadata={"example": "23:00"})
    months = Months(load_default=EVERY_MONTH, metadata={"example": "oct-mar"})

    @validates_schema
    def _both_or_none(self, data: dict[str, Any], **_: Any) -> None:
        for one, other, key in (("begin", "until", "until"), ("until", "begin", "from")):
            if one in data and other not in data:
                raise ValidationError("Give both 'from' and 'until', or none of them.", key)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Part:
        rate, currency = data.pop("amount", (None, None))
        return Part(rate=rate, currency=currency, **{**data, "valid": Span(**data.get("valid", {}))})

    def get_attribute(self, obj: Part, attr: str, default: Any) -> Any:
        """Return what is dumped of a part; what holds anyway is left out, so that each is written in one way."""
        if attr == "amount":
            return default if obj.rate is None else (obj.rate, obj.currency)
        whole_day = obj.begin == obj.until == MIDNIGHT
        usual = {
            "days": EVERY_DAY,
            "months": EVERY_MONTH,
            **({"begin": MIDNIGHT, "until": MIDNIGHT} if whole_day else {}),
        }
        value = super().get_attribute(obj, attr, default)
        return default if attr in usual and value == usual[attr] else value


class PartSchema(TimedRateSchema):
    """A part of the price: ``{"rate": "0.05 EUR/kWh"}`` or ``{"factor": 1.02}`` on the spot price, and when it holds.

    ``{"rate": "0.30 EUR/kWh", "days": "mon-fri", "from": "07:00", "until": "23:00", "months": "oct-mar"}``
    """

    amount = Rate(
        data_key="rate",
        metadata={"description": "Per kWh, negative for a discount.", "example": "0.05 EUR/kWh", "type": "string"},
    )
    factor = JsonNumber(
        validate=validate.Range(0, LARGEST_FACTOR), metadata={"description": "On the spot price.", "example": 1.02}
    )
    mean_of = fields.String(
        validate=validate.OneOf(["hour"]),
        metadata={"description": "The factor is on the mean of the spot price over the hour.", "example": "hour"},
    )
    holidays = fields.String(
        validate=validate.OneOf([ONLY, NEVER, AS_SUNDAY]),
        metadata={"description": "What holds on public holidays; they are days like others else.", "example": NEVER},
    )

    @validates_schema
    def _one_amount(self, data: dict[str, Any], **_: Any) -> None:
        if ("amount" in data) == ("factor" in data):
            raise ValidationError("Give a 'rate', such as '0.05 EUR/kWh', or a 'factor' on the spot price.", "rate")
        if "mean_of" in data and "factor" not in data:
            raise ValidationError("Goes with a 'factor'.", "mean_of")

    @post_load
    def _make(self, data: dict[str, Any], **arguments: Any) -> Part:
        hourly = data.pop("mean_of", None) is not None
        made: Part = super()._make({**data, "hourly": hourly}, **arguments)
        return made

    def get_attribute(self, obj: Part, attr: str, default: Any) -> Any:
        """Return what is dumped of a part."""
        if attr == "mean_of":
            return "hour" if obj.hourly else default
        return super().get_attribute(obj, attr, default)


class FixedFeeSchema(SpanSchema):
    """A fixed fee: ``{"fee": "0.25 EUR/day"}`` or ``{"fee": "7.50 EUR/month"}``, and when it is paid."""

    amount = FixedAmount(data_key="fee", required=True, metadata={"example": "7.50 EUR/month", "type": "string"})

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> FixedFee:
        amount, currency, per = data["amount"]
        return FixedFee(amount, currency, per, Span(**data.get("valid", {})))

    def get_attribute(self, obj: FixedFee, attr: str, default: Any) -> Any:
        """Return what is dumped of a fee."""
        return (obj.amount, obj.currency, obj.per) if attr == "amount" else super().get_attribute(obj, attr, default)


class VatSchema(Schema):
    """VAT from a day on: ``{"vat": "9 %", "valid_from": "2026-01-01"}``."""

    share = VatShare(data_key="vat", required=True)
    first = day(data_key="valid_from")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Vat:
        return Vat(**data)

    @post_dump
    def _leave_out_none(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value for name, value in data.items() if value is not None}


class Vats(fields.Field):  # type: ignore[type-arg]  # as above
    """VAT: "21 %" for always, or a list in which each holds from its day until that of the next one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> tuple[Vat, ...]:  # noqa: ARG002
        if not isinstance(value, list):
            share = VatShare().deserialize(value)
            return (Vat(share),) if share else ()
        if not 1 <= len(value) <= MOST_STEPS:
            raise ValidationError(f"Must have 1 to {MOST_STEPS} entries.")
        loaded: list[Vat] = VatSchema(many=True).load(value)
        if [vat.first for vat in loaded].count(None) > 1 or len({vat.first for vat in loaded}) < len(loaded):
            raise ValidationError("Only one may hold from a day on, and only one may be without 'valid_from'.")
        return tuple(sorted(loaded, key=lambda vat: (vat.first is not None, vat.first)))

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> Any:  # noqa: ARG002
        if not value:
            return "0 %"
        if len(value) == 1 and value[0].first is None:
            return VatSchema().dump(value[0])["vat"]
        return VatSchema(many=True).dump(value)


class ContractSchema(Schema):
    """A contract: parts whose sum is the price of a kWh without VAT, VAT, and fixed fees.

    ``{"parts": [{"factor": 1}, {"rate": "0.05 EUR/kWh"}], "vat": "21 %", "fixed_fees": [{"fee": "7.50 EUR/month"}]}``
    """

    parts = fields.List(fields.Nested(PartSchema), required=True, validate=validate.Length(1, MOST_PARTS))
    vat = Vats(
        load_default=(),
        metadata={
            "description": '"21 %", or [{"vat": "21 %"}, {"vat": "9 %", "valid_from": "2026-01-01"}].',
            "example": "21 %",
        },
    )
    fixed_fees = fields.List(fields.Nested(FixedFeeSchema), load_default=list, validate=validate.Length(max=MOST_STEPS))
    holidays_of = Regions(
        load_default=(),
        metadata={
            "description": "Whose public holidays count: ES, DE-BY; or a list of them, and of dates (12-25).",
            "example": "DE-BY",
        },
    )

    @validates_schema
    def _holidays_of_somewhere(self, data: dict[str, Any], **_: Any) -> None:
        used = any(part.holidays for part in data["parts"])
        if used and not data["holidays_of"]:
            raise ValidationError("Say whose: a country or region, such as ES or DE-BY.", "holidays_of")
        if data["holidays_of"] and not used:
            raise ValidationError(f"No part says 'holidays': {ONLY}, {NEVER} or {AS_SUNDAY}.", "holidays_of")

    @validates_schema
    def _one_currency(self, data: dict[str, Any], **_: Any) -> None:
        amounts = [
            (kind, i, one) for kind in ("parts", "fixed_fees") for i, one in enumerate(data[kind]) if one.currency
        ]
        for kind, number, amount in amounts:
            if amount.currency != amounts[0][2].currency:
                told = f"Is in {amount.currency}, but the contract is in {amounts[0][2].currency}."
                raise ValidationError({kind: {number: {"rate" if kind == "parts" else "fee": [told]}}})

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Contract:
        return Contract(**{name: tuple(value) for name, value in data.items()})

    @post_dump
    def _leave_out_nothing(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value for name, value in data.items() if value}
