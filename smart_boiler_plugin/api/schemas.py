"""What goes into and comes out of the plugin's API. The OpenAPI description is made from these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marshmallow import Schema, fields

from smart_boiler_plugin.boiler.comfort_schema import ComfortSchema
from smart_boiler_plugin.boiler.connection import ConnectionSchema
from smart_boiler_plugin.boiler.data_schema import PLACE_FIELDS, BoilerSchema
from smart_boiler_plugin.customers import held
from smart_boiler_plugin.customers.directory import Customer
from smart_boiler_plugin.customers.rows import CUSTOMER_NAME_LENGTH, language_field, tariff_field
from smart_boiler_plugin.errors import BrokenBoilerError
from smart_boiler_plugin.fields import TrimmingSchema, line
from smart_boiler_plugin.prices.contract_fields import day


class ChangeSchema(TrimmingSchema):
    """Body of ``PATCH /boiler-customer/<account id>``: what is left out stays as it is, and what held on past days."""

    name = line(CUSTOMER_NAME_LENGTH)
    tariff = tariff_field()
    first = day(
        data_key="from",
        metadata={
            "description": "First local day of the tariff, today or later; by default, tariff and boiler change from "
            "today on.",
            "example": "2027-01-01",
        },
    )
    language = language_field()
    device = fields.Nested(
        ConnectionSchema,
        allow_none=True,
        metadata={"description": "How the boiler's device is reached over MQTT; null: no more."},
    )
    boiler = fields.Nested(BoilerSchema)
    comfort = fields.Dict(
        keys=fields.String(),
        metadata={
            "description": "What the household wants: any of programme, away, boost, hygiene, "
            "useful_temperature; null goes back to none.",
            "example": {"boost": {"until": "2026-02-04T22:00+01:00"}},
        },
    )


class LetGoSchema(Schema):
    """Body of ``DELETE /boiler-customer/<account id>``."""

    confirm = fields.String(
        required=True, metadata={"description": "The name of the account, so that it is the right one."}
    )


INVITATION = (
    "'due': workers send it; 'sent': the mail server took it; 'failed': it was refused. Why, the customer shows."
)


class TakenOnSchema(Schema):
    """Answer of ``POST /boiler-customer``: the ids of all that was made."""

    account = fields.Integer(attribute="account.id")
    user = fields.Integer(attribute="user.id")
    boiler = fields.Integer(attribute="boiler.asset.id")
    temperature = fields.Function(lambda customer: _sensor_id(customer, "temperature"))
    set_point = fields.Function(lambda customer: _sensor_id(customer, "set-point"))
    fill_rate = fields.Function(lambda customer: _sensor_id(customer, "fill-rate"))
    demand = fields.Function(lambda customer: _sensor_id(customer, "demand"))
    cost = fields.Function(lambda customer: _sensor_id(customer, "cost"))
    state_of_charge = fields.Function(lambda customer: _sensor_id(customer, "state-of-charge"))
    daily_cost = fields.Function(lambda customer: _sensor_id(customer, "daily cost"))
    daily_savings = fields.Function(lambda customer: _sensor_id(customer, "daily savings"))
    consumption_price = fields.Integer(attribute="boiler.price.id")
    invitation = fields.String(attribute="invitation.state", metadata={"description": INVITATION})


class UserSchema(Schema):
    """A user of a customer."""

    id = fields.Integer()
    user_name = fields.String(attribute="username")
    user_email = fields.String(attribute="email")


class InvitationSchema(Schema):
    """How the invitation of a customer stands."""

    state = fields.String(metadata={"description": INVITATION})
    why = fields.String(allow_none=True, metadata={"description": "What went wrong the last time; null: nothing."})
    at = fields.String(metadata={"description": "Since when it stands so."})
    tries = fields.Integer(metadata={"description": "How often the mail server had it in hand."})


class CustomerSchema(Schema):
    """A customer with users, boiler and the ids of its sensors."""

    account = fields.Integer(attribute="account.id")
    name = fields.String(attribute="account.name")
    users = fields.List(fields.Nested(UserSchema))
    tariff = fields.String(
        allow_none=True, metadata={"description": "Name of what the customer pays; null if somebody deleted it."}
    )
    language = fields.String(metadata={"description": "In which language the household is written to."})
    invitation = fields.Nested(
        InvitationSchema,
        allow_none=True,
        metadata={"description": "How the invitation of the first user stands; null where nothing is known of any."},
    )
    device = fields.Function(
        lambda customer: customer.device and customer.device.as_json(),
        metadata={"type": ["object", "null"], "description": "How its device is reached over MQTT; null: it is not."},
    )
    boiler = fields.Method("dump_boiler")
    comfort = fields.Function(lambda customer: _unless_broken(lambda: ComfortSchema().dump(customer.boiler.comfort)))
    sensors = fields.Method("dump_sensors")
    problem = fields.String(
        allow_none=True,
        metadata={"description": "What is wrong with what is stored of the boiler, and how to mend it; null: nothing."},
    )

    def dump_boiler(self, customer: Customer) -> dict[str, Any] | None:
        """Return the boiler in the words in which it is described, as far as what is stored of it can be believed."""
        asset = customer.asset
        if asset is None:
            return None
        timezone = _unless_broken(lambda: customer.boiler.timezone)
        place = {"name": asset.name, "timezone": timezone, "latitude": asset.latitude, "longitude": asset.longitude}
        described = _unless_broken(lambda: BoilerSchema(exclude=PLACE_FIELDS).dump(customer.boiler.data)) or {}
        return {"id": asset.id, **{name: value for name, value in {**described, **place}.items() if value is not None}}

    def dump_sensors(self, customer: Customer) -> dict[str, int | None]:
        """Return the ids of the sensors by role; None for a consumption price that is gone."""
        sensors = _unless_broken(lambda: customer.boiler.sensors) or {}
        ids = {role.replace("-", "_").replace(" ", "_"): int(sensor.id) for role, sensor in sensors.items()}
        return {**ids, "consumption_price": customer.price and int(customer.price.id)}


class OneCustomerSchema(CustomerSchema):
    """A customer with what held from when on."""

    history = fields.Function(
        held.shown,
        metadata={
            "description": "What held from which local day on (null: since ever), for 'tariff', 'boiler' and "
            "'useful_temperature'; what is to come, too. null where what is stored of it is broken: 'problem'."
        },
    )


class ErasedSchema(Schema):
    """Answer of ``DELETE /boiler-customer/<account id>``: how much was erased."""

    users = fields.Integer()
    assets = fields.Integer()
    sensors = fields.Integer()
    beliefs = fields.Integer()
    jobs = fields.Integer()


class CustomerPageSchema(Schema):
    """Answer of ``GET /boiler-customer``: one page."""

    data = fields.List(fields.Nested(CustomerSchema))
    num_records = fields.Integer(data_key="num-records")
    filtered_records = fields.Integer(data_key="filtered-records")


class InvitedSchema(Schema):
    """Answer of ``POST /boiler-customer/<account id>/invitation``."""

    invitation = fields.String(attribute="invitation.state", metadata={"description": INVITATION})


class BulkResultSchema(TakenOnSchema):
    """What came of one row: ids where a customer was taken on, else what is wrong."""

    result = fields.String(
        metadata={"description": "'Created', 'Already there', 'Possible' in a dry run, 'Rejected' or 'Failed'."}
    )
    status = fields.String()
    message = fields.Raw(metadata={"description": "A sentence, or {'json': {field: [what is wrong]}}."})


class BulkSchema(Schema):
    """Answer of ``POST /boiler-customers``."""

    dry_run = fields.Boolean()
    possible = fields.Integer(metadata={"description": "Of a dry run: how many could be taken on."})
    results = fields.List(fields.Nested(BulkResultSchema))


class ExportSchema(Schema):
    """Answer of ``GET /boiler-customer/<account id>/export``: all that is kept."""

    account = fields.Dict()
    device = fields.Dict(allow_none=True)
    users = fields.List(fields.Dict())
    assets = fields.List(fields.Dict(), metadata={"description": "With their sensors, and all data of these."})
    annotations = fields.List(fields.Dict())
    audit_log = fields.List(fields.Dict())


class ErrorSchema(Schema):
    """Every error."""

    result = fields.String(metadata={"example": "Rejected"})
    status = fields.String(metadata={"example": "UNPROCESSABLE_ENTITY"})
    message = fields.Raw(metadata={"description": "A sentence, or {'json': {field: [what is wrong]}}."})


def _unless_broken(read: Callable[[], Any]) -> Any:
    """Return what can be read of a boiler; None where that is broken, which stands under ``problem``."""
    try:
        return read()
    except BrokenBoilerError:
        return None


def _sensor_id(customer: Customer, role: str) -> int:
    return int(customer.boiler.sensors[role].id)
