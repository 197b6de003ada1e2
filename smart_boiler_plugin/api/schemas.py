"""What goes into and comes out of the plugin's API."""

from __future__ import annotations

from typing import Any

from flexmeasures import Account, Asset, User
from marshmallow import Schema, fields, post_load, pre_load, validate

from smart_boiler_plugin.customers import Customer, NewCustomer

BOILER_NAME_LENGTH = Asset.name.type.length - len("Boiler ")
"""Longest account name from which a boiler's name can be made."""


def _up_to(length: int) -> validate.Length:
    return validate.Length(min=1, max=length, error=f"Must have 1 to {length} characters.")


class NewCustomerSchema(Schema):
    """Body of ``POST /boiler-customer``."""

    name = fields.String(required=True, validate=_up_to(min(Account.name.type.length, BOILER_NAME_LENGTH)))
    user_name = fields.String(required=True, validate=_up_to(User.username.type.length))
    user_email = fields.Email(required=True, validate=_up_to(User.email.type.length))

    @pre_load
    def trim(self, data: Any, **_: Any) -> Any:
        """Strip white space around all text."""
        if not isinstance(data, dict):
            return data  # refused by marshmallow itself
        return {key: value.strip() if isinstance(value, str) else value for key, value in data.items()}

    @post_load
    def make(self, data: dict[str, str], **_: Any) -> NewCustomer:
        """Return the new customer."""
        return NewCustomer(**data)


class CustomerSchema(Schema):
    """Answer of ``POST /boiler-customer``: the ids of all that was made."""

    account = fields.Integer(attribute="account.id")
    user = fields.Integer(attribute="user.id")
    boiler = fields.Integer(attribute="boiler.asset.id")
    consumption_price = fields.Integer(attribute="consumption_price.id")
    invitation = fields.String()
    temperature = fields.Function(lambda customer: _sensor_id(customer, "temperature"))
    fill_rate = fields.Function(lambda customer: _sensor_id(customer, "fill-rate"))
    demand = fields.Function(lambda customer: _sensor_id(customer, "demand"))
    cost = fields.Function(lambda customer: _sensor_id(customer, "cost"))


def _sensor_id(customer: Customer, role: str) -> int:
    return int(customer.boiler.sensors[role].id)
