"""What goes into and comes out of the plugin's API. The OpenAPI description is made from these."""

from __future__ import annotations

from typing import Any

import pytz
from email_validator import EmailNotValidError, validate_email
from flexmeasures import Account, Asset, User
from marshmallow import Schema, ValidationError, fields, post_load, pre_load, validate, validates_schema

from smart_boiler_plugin.api.quantities import Quantity
from smart_boiler_plugin.boiler.comfort_schema import ComfortSchema
from smart_boiler_plugin.boiler.data import BoilerData, Place
from smart_boiler_plugin.customers.directory import Customer, default_boiler_name
from smart_boiler_plugin.customers.taking_on import NewCustomer
from smart_boiler_plugin.physics.tank import STANDING_LOSS_W_BY_ENERGY_CLASS
from smart_boiler_plugin.physics.tapping_profiles import TAPPING_PROFILES

CUSTOMER_NAME_LENGTH = min(Account.name.type.length, Asset.name.type.length - len(default_boiler_name("")))
"""Longest name of a customer: it fits the account, and the boiler is named after it."""

PLACE_FIELDS = ("name", "timezone", "latitude", "longitude")


def _text(length: int, **arguments: Any) -> fields.String:
    """Return a field for a line of text that fits a column of the host's database."""
    return fields.String(
        validate=[
            validate.Length(min=1, max=length, error=f"Must have 1 to {length} characters."),
            _printable,
        ],
        **arguments,
    )


def _tariff() -> fields.String:
    """Return the field for a tariff."""
    told = "Name of what the customer pays for one kWh; by default the server's. `list-tariffs` lists them."
    return _text(Asset.name.type.length, metadata={"description": told, "example": "NL spot tariff"})


def _printable(text: str) -> None:
    """Refuse line feeds, NUL, surrogates and the like: a name is one line, and PostgreSQL takes no NUL."""
    if not text.isprintable():
        raise ValidationError("Must not contain control characters or line breaks.")


def _mailable(email: str) -> None:
    """Refuse what the host would refuse later: it looks at addresses with the same library."""
    try:
        validate_email(email, check_deliverability=False)
    except EmailNotValidError as error:
        raise ValidationError(f"Not a valid email address: {error}") from error


class TrimmingSchema(Schema):
    """Strips white space around all text before anything else."""

    @pre_load
    def trim(self, data: Any, **_: Any) -> Any:
        """Strip white space around all text."""
        if not isinstance(data, dict):
            return data  # refused by marshmallow itself
        return {key: value.strip() if isinstance(value, str) else value for key, value in data.items()}


class BoilerSchema(TrimmingSchema):
    """A boiler as an operator describes it. Everything may be left out; the defaults are a common household boiler."""

    volume = Quantity(unit="liter", shown_unit="l", lowest=5, highest=10_000, usual=80, attribute="volume_l")
    power = Quantity(unit="kW", shown_unit="kW", lowest=0.05, highest=1_000, usual=1.5, attribute="power_kw")
    cop = fields.Float(
        validate=validate.Range(0.5, 10),
        metadata={"description": "Heat into the tank per electricity: 1 for an element.", "example": 1},
    )
    temperature_min = Quantity(
        unit="degC", shown_unit="°C", lowest=15, highest=90, usual=50, attribute="temperature_min_c"
    )
    temperature_max = Quantity(
        unit="degC", shown_unit="°C", lowest=20, highest=95, usual=65, attribute="temperature_max_c"
    )
    ambient_temperature = Quantity(
        unit="degC", shown_unit="°C", lowest=-40, highest=60, usual=20, attribute="ambient_c"
    )
    cold_water_temperature = Quantity(
        unit="degC", shown_unit="°C", lowest=0, highest=40, usual=10, attribute="cold_water_c"
    )
    energy_class = fields.String(
        validate=validate.OneOf(list(STANDING_LOSS_W_BY_ENERGY_CLASS)), metadata={"example": "C"}
    )
    standing_loss = Quantity(
        unit="kWh/day", shown_unit="kWh/day", lowest=0, highest=100, usual=1.1, attribute="standing_loss_kwh_per_day"
    )
    tapping_profile = fields.String(validate=validate.OneOf(list(TAPPING_PROFILES)), metadata={"example": "S"})
    name = _text(Asset.name.type.length)
    timezone = fields.String(
        validate=validate.OneOf(pytz.all_timezones, error="Must be an IANA name, such as Europe/Amsterdam.")
    )
    latitude = fields.Float(validate=validate.Range(-90, 90))
    longitude = fields.Float(validate=validate.Range(-180, 180))

    @validates_schema
    def one_loss(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse two statements of the standing loss."""
        if "energy_class" in data and "standing_loss_kwh_per_day" in data:
            raise ValidationError({"standing_loss": ["Give either this or energy_class, not both."]})


class NewCustomerSchema(TrimmingSchema):
    """Body of ``POST /boiler-customer``."""

    name = _text(CUSTOMER_NAME_LENGTH, required=True, metadata={"example": "Fam. de Boer"})
    user_name = _text(User.username.type.length, required=True, metadata={"example": "deboer"})
    user_email = fields.Email(
        required=True,
        validate=[validate.Length(max=User.email.type.length), _printable, _mailable],
        metadata={"example": "deboer@example.com"},
    )
    tariff = _tariff()
    boiler = fields.Nested(BoilerSchema)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> NewCustomer:
        """Return the new customer."""
        boiler, place = split_boiler(data.pop("boiler", {}))
        return NewCustomer(**data, boiler=BoilerData(**boiler), place=Place(**place))


class ChangeSchema(TrimmingSchema):
    """Body of ``PATCH /boiler-customer/<account id>``: what is left out stays as it is."""

    name = _text(CUSTOMER_NAME_LENGTH)
    tariff = _tariff()
    boiler = fields.Nested(BoilerSchema)
    comfort = fields.Dict(
        keys=fields.String(),
        metadata={
            "description": "What the household wants: any of programme, away, boost, hygiene; null goes back to none.",
            "example": {"boost": {"until": "2026-02-04T22:00+01:00"}},
        },
    )


class LetGoSchema(Schema):
    """Body of ``DELETE /boiler-customer/<account id>``."""

    confirm = fields.String(
        required=True, metadata={"description": "The name of the account, so that it is the right one."}
    )


def split_boiler(boiler: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what was said of a boiler as fields of ``BoilerData`` and as fields of ``Place``."""
    place = {name: boiler[name] for name in PLACE_FIELDS if name in boiler}
    return {name: value for name, value in boiler.items() if name not in place}, place


class TakenOnSchema(Schema):
    """Answer of ``POST /boiler-customer``: the ids of all that was made."""

    account = fields.Integer(attribute="account.id")
    user = fields.Integer(attribute="user.id")
    boiler = fields.Integer(attribute="boiler.asset.id")
    temperature = fields.Function(lambda customer: _sensor_id(customer, "temperature"))
    fill_rate = fields.Function(lambda customer: _sensor_id(customer, "fill-rate"))
    demand = fields.Function(lambda customer: _sensor_id(customer, "demand"))
    cost = fields.Function(lambda customer: _sensor_id(customer, "cost"))
    state_of_charge = fields.Function(lambda customer: _sensor_id(customer, "state-of-charge"))
    daily_cost = fields.Function(lambda customer: _sensor_id(customer, "daily cost"))
    daily_savings = fields.Function(lambda customer: _sensor_id(customer, "daily savings"))
    consumption_price = fields.Integer(attribute="boiler.price.id")
    invitation = fields.String(metadata={"description": "'sent' or 'failed'; why it failed is in the server's log."})


class UserSchema(Schema):
    """A user of a customer."""

    id = fields.Integer()
    user_name = fields.String(attribute="username")
    user_email = fields.String(attribute="email")


class CustomerSchema(Schema):
    """A customer with users, boiler and the ids of its sensors."""

    account = fields.Integer(attribute="account.id")
    name = fields.String(attribute="account.name")
    users = fields.List(fields.Nested(UserSchema))
    tariff = fields.String(
        allow_none=True, metadata={"description": "Name of what the customer pays; null if somebody deleted it."}
    )
    boiler = fields.Method("dump_boiler")
    comfort = fields.Function(lambda customer: ComfortSchema().dump(customer.boiler.comfort))
    sensors = fields.Method("dump_sensors")

    def dump_boiler(self, customer: Customer) -> dict[str, Any]:
        """Return the boiler in the words in which it is described."""
        asset = customer.boiler.asset
        timezone = customer.boiler.timezone
        place = {"name": asset.name, "timezone": timezone, "latitude": asset.latitude, "longitude": asset.longitude}
        described: dict[str, Any] = BoilerSchema(exclude=PLACE_FIELDS).dump(customer.boiler.data)
        return {"id": asset.id, **{name: value for name, value in {**described, **place}.items() if value is not None}}

    def dump_sensors(self, customer: Customer) -> dict[str, int | None]:
        """Return the ids of the sensors by role; None for a consumption price that is gone."""
        sensors = customer.boiler.sensors
        ids = {role.replace("-", "_").replace(" ", "_"): int(sensor.id) for role, sensor in sensors.items()}
        return {**ids, "consumption_price": customer.price and int(customer.price.id)}


class ErasedSchema(Schema):
    """Answer of ``DELETE /boiler-customer/<account id>``: how much was erased."""

    users = fields.Integer()
    assets = fields.Integer()
    sensors = fields.Integer()
    beliefs = fields.Integer()
    jobs = fields.Integer()


class ErrorSchema(Schema):
    """Every error."""

    result = fields.String(metadata={"example": "Rejected"})
    status = fields.String(metadata={"example": "UNPROCESSABLE_ENTITY"})
    message = fields.Raw(metadata={"description": "A sentence, or {'json': {field: [what is wrong]}}."})


def _sensor_id(customer: Customer, role: str) -> int:
    return int(customer.boiler.sensors[role].id)
