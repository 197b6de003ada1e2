"""The customer interface: take on."""

from __future__ import annotations

from typing import Any

from flask_json import as_json
from flask_security import current_user
from flexmeasures.auth.decorators import permission_required_for_context
from flexmeasures.auth.policy import FlexMeasuresPlatform
from webargs.flaskparser import use_args

from smart_boiler_plugin import customers
from smart_boiler_plugin.api.schemas import CustomerSchema, NewCustomerSchema
from smart_boiler_plugin.customers import NewCustomer


@permission_required_for_context("create-children", ctx_loader=FlexMeasuresPlatform.init)
@use_args(NewCustomerSchema())
@as_json
def create_boiler_customer(new: NewCustomer) -> tuple[dict[str, Any], int]:
    """Take on a customer of the caller's account: who may is the host's rule for creating accounts.

    Answers 201 with ids (``CustomerSchema``), 409 if a name or e-mail exists, 422 if a field is missing or wrong.
    """
    customer = customers.take_on(new, operator=current_user.account)
    return CustomerSchema().dump(customer), 201
