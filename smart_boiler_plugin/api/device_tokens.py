"""Device tokens: making, listing and taking them away. For operators and admins."""

from __future__ import annotations

from typing import Any

from flask_security import current_user
from flexmeasures import Account, Asset
from flexmeasures.auth.decorators import permission_required_for_context
from flexmeasures.auth.policy import FlexMeasuresPlatform, user_has_admin_access
from flexmeasures.data import db
from flexmeasures.utils.time_utils import server_now
from marshmallow import Schema, fields, validate

from smart_boiler_plugin.api.guards import guarded, json_only, takes
from smart_boiler_plugin.customers.directory import visible_customers
from smart_boiler_plugin.devices import tokens
from smart_boiler_plugin.devices.tokens import MOST_CUSTOMERS, Device
from smart_boiler_plugin.errors import NotFoundError
from smart_boiler_plugin.fields import TrimmingSchema, line
from smart_boiler_plugin.host import PaginationSchema
from smart_boiler_plugin.stored import LARGEST_ID, rows_with

LONGEST_NAME = 80


class NewDeviceTokenSchema(TrimmingSchema):
    """Body of ``POST /device-tokens``."""

    name = line(LONGEST_NAME, required=True, metadata={"example": "gateway 7"})
    customers = fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, LARGEST_ID)),
        required=True,
        validate=validate.Length(1, MOST_CUSTOMERS),
        metadata={"description": "Accounts of the customers whose boilers the device has.", "example": [3, 7]},
    )


class DeviceSchema(Schema):
    """A device with a token, without the token."""

    id = fields.String(metadata={"example": "12-5f0a9c31"})
    name = fields.String()
    customers = fields.List(fields.Integer())
    made_at = fields.AwareDateTime()
    last_seen = fields.AwareDateTime(allow_none=True, metadata={"description": "null: never, or that is not known."})


class NewDeviceSchema(DeviceSchema):
    """Answer of ``POST /device-tokens``."""

    token = fields.String(metadata={"description": "Shown this once. Sent as 'Authorization: Bearer <token>'."})


class DevicePageSchema(Schema):
    """Answer of ``GET /device-tokens``."""

    data = fields.List(fields.Nested(DeviceSchema))
    num_records = fields.Integer(data_key="num-records")
    filtered_records = fields.Integer(data_key="filtered-records")


class DeviceListSchema(PaginationSchema):
    """Query of ``GET /device-tokens``."""

    sort_by = fields.Str(data_key="sort-by", validate=validate.OneOf(["made_at", "name"]))


@guarded
@permission_required_for_context("create-children", ctx_loader=FlexMeasuresPlatform.init)
@takes(query=DeviceListSchema())
def list_device_tokens(
    *,
    page: int | None = None,
    per_page: int = 10,
    filter: list[str] | None = None,  # noqa: A002 (the host's)
    sort_by: str = "made_at",
    sort_dir: str = "asc",
) -> dict[str, Any]:
    """List the devices that have a token for boilers of the caller's customers: all of them, or a page."""
    all_ = tokens.devices_of(_visible_boilers(), _visible_operators())
    terms = [term.lower() for term in filter or []]
    found = [device for device in all_ if all(term in device.name.lower() for term in terms)]
    keys = {"made_at": lambda device: device.made_at, "name": lambda device: device.name.lower()}
    found.sort(key=keys[sort_by], reverse=sort_dir == "desc")
    shown = found if page is None else found[(page - 1) * per_page : page * per_page]
    seen = tokens.last_seen(shown)
    data = [
        {**_shown(device), "last_seen": seen[device.id].isoformat() if device.id in seen else None} for device in shown
    ]
    return {"data": data, "num-records": len(all_), "filtered-records": len(found)}


@guarded
@permission_required_for_context("create-children", ctx_loader=FlexMeasuresPlatform.init)
@json_only
@takes(body=NewDeviceTokenSchema())
def create_device_token(new: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Make a token for a device with boilers of the caller's customers; it is shown this once."""
    wanted = set(new["customers"])
    query = db.select(Asset).filter(Asset.account_id.in_(wanted), rows_with(Asset), _visible_boilers())
    boilers: dict[int, Asset] = {}
    for boiler in db.session.scalars(query.order_by(Asset.id)).unique():
        boilers.setdefault(boiler.account_id, boiler)
    missing = sorted(wanted - boilers.keys())
    if missing:
        raise NotFoundError({"customers": [f"You have no boiler of a customer with account id {missing[0]}."]})
    device, token = tokens.make(new["name"], list(boilers.values()), server_now())
    return {**_shown(device), "last_seen": None, "token": token}, 201


@guarded
@permission_required_for_context("create-children", ctx_loader=FlexMeasuresPlatform.init)
def delete_device_token(token_id: str) -> dict[str, Any]:
    """Take a device's token away: it can do nothing any more."""
    device = tokens.find(token_id)
    if device is None or not _is_visible(device):
        raise NotFoundError("You have no device token with this id.")
    tokens.take_away(device)
    return {**_shown(device), "last_seen": None}


def _visible_boilers() -> Any:
    """Return the SQL condition that an asset is of one of the current user's customers."""
    return Asset.account_id.in_(visible_customers().with_entities(Account.id))


def _visible_operators() -> Any:
    """Return the SQL condition that an account is the current user's; an admin's are all."""
    return db.true() if user_has_admin_access(current_user, "update") else Account.id == current_user.account_id


def _is_visible(device: Device) -> bool:
    """Return whether the current user may take a token away: where it is kept says whose it is."""
    where = device.id.partition("-")[0]
    if where.startswith("g"):
        query = db.select(Account.id).filter(Account.id == int(where[1:]), _visible_operators())
    else:
        query = db.select(Asset.id).filter(Asset.id == int(where), _visible_boilers())
    return db.session.execute(query).scalar() is not None


def _shown(device: Device) -> dict[str, Any]:
    return {
        "id": device.id,
        "name": device.name,
        "customers": list(device.customers),
        "made_at": device.made_at.isoformat(),
    }
