"""The customer interface: take on, list, show, change, let go, export, invite again."""

from __future__ import annotations

from itertools import chain
from typing import Any

from flask import Response, stream_with_context, url_for
from flask_security import current_user
from flexmeasures.auth.decorators import permission_required_for_context
from flexmeasures.auth.policy import FlexMeasuresPlatform
from marshmallow import ValidationError, fields, validate

from smart_boiler_plugin.api.guards import guarded, json_only, take_on_limited, takes
from smart_boiler_plugin.api.schemas import (
    ChangeSchema,
    CustomerPageSchema,
    ErasedSchema,
    InvitedSchema,
    LetGoSchema,
    OneCustomerSchema,
    TakenOnSchema,
)
from smart_boiler_plugin.boiler.connection import UNCHANGED
from smart_boiler_plugin.boiler.data_schema import split_boiler
from smart_boiler_plugin.customers import changing, exporting, households, leaving, listing
from smart_boiler_plugin.customers import directory as customers
from smart_boiler_plugin.customers.directory import Customer
from smart_boiler_plugin.customers.rows import NewCustomerSchema
from smart_boiler_plugin.customers.taking_on import NewCustomer, take_on
from smart_boiler_plugin.host import PaginationSchema, SearchFilterField

Answer = tuple[dict[str, Any], int]

SENT_AS = {"first": "from"}


def no_nul(terms: list[str]) -> None:
    """Refuse what PostgreSQL cannot compare with."""
    if any("\x00" in term for term in terms):
        raise ValidationError("Must not contain a NUL character.")


class CustomerListSchema(PaginationSchema):
    """Query of ``GET /boiler-customer``, in the host's words."""

    # beyond these, PostgreSQL fails
    page = fields.Integer(load_default=1, validate=validate.Range(1, 1_000_000))
    per_page = fields.Integer(data_key="per-page", load_default=10, validate=validate.Range(1, 1_000))
    filter = SearchFilterField(validate=no_nul)
    sort_by = fields.String(data_key="sort-by", validate=validate.OneOf(["id", "name"]))


@guarded
@take_on_limited
@permission_required_for_context("create-children", ctx_loader=FlexMeasuresPlatform.init)
@json_only
@takes(body=NewCustomerSchema())
def create_boiler_customer(new: NewCustomer) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Take on a customer of the caller's account: who may is the host's rule for creating accounts."""
    customer = take_on(new, operator=current_user.account)
    return TakenOnSchema().dump(customer), 201, {"Location": location_of(customer)}


@guarded
@takes(query=CustomerListSchema())
def list_boiler_customers(
    *,
    page: int,
    per_page: int,
    filter: list[str] | None = None,  # noqa: A002
    sort_by: str = "id",
    sort_dir: str = "asc",
) -> Answer:
    """List a page of the caller's customers, as the host lists accounts."""
    shown = listing.page_of(page, per_page, filter or [], by=sort_by, descending=sort_dir == "desc")
    return CustomerPageSchema().dump(
        {"data": shown.customers, "num_records": shown.total, "filtered_records": shown.filtered}
    ), 200


@guarded
def show_boiler_customer(account_id: int) -> Answer:
    """Show a customer of the caller's, or the caller's own household, with users, boiler and sensor ids."""
    return OneCustomerSchema().dump(households.find_own(account_id, "read")), 200


@guarded
@json_only
@takes(body=ChangeSchema())
def change_boiler_customer(wanted: dict[str, Any], account_id: int) -> Answer:
    """Change what is given of a customer of the caller's, and nothing else; of the caller's own household, comfort."""
    # "from" is no name for a field in Python
    customer = households.find_to_change(account_id, {SENT_AS.get(name, name): wanted[name] for name in wanted})
    data, place = split_boiler(wanted.get("boiler", {}))
    given = {name: wanted.get(name) for name in ("name", "comfort", "tariff", "language", "first")}
    given["device"] = wanted.get("device", UNCHANGED)
    changed = changing.change(customer, boiler=data, place=place, **given)
    return OneCustomerSchema().dump(changed), 200


@guarded
@json_only
@takes(body=LetGoSchema())
def delete_boiler_customer(wanted: dict[str, str], account_id: int) -> Answer:
    """Let go of a customer of the caller's: all that is kept of them is erased."""
    return ErasedSchema().dump(leaving.let_go(customers.find(account_id, "update"), wanted["confirm"])), 200


@guarded
def export_boiler_customer(account_id: int) -> Response:
    """Return all that is kept about a customer of the caller's, or the caller's own household, as one document."""
    pieces = exporting.export(households.find_own(account_id, "read"))
    # what fails before the first piece is still answered as an error
    first = next(pieces)
    return Response(stream_with_context(chain([first], pieces)), mimetype="application/json")


@guarded
def invite_boiler_customer(account_id: int) -> Answer:
    """Let the customer's first user be mailed a link to choose a password once more."""
    return InvitedSchema().dump(customers.invite_again(customers.find(account_id, "update"))), 200


def location_of(customer: Customer) -> str:
    """Return the path under which a customer is shown."""
    return url_for("smart-boiler-plugin API.show_boiler_customer", account_id=customer.account.id)
