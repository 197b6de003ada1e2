"""What devices are told: set-points, and whether to heat now."""

from __future__ import annotations

import json
from datetime import datetime
from hashlib import blake2b
from typing import Any

import numpy as np
from flask import Response, request
from flexmeasures.utils.time_utils import server_now
from marshmallow import Schema, fields, validate

from smart_boiler_plugin.api.guards import caller, for_devices, takes
from smart_boiler_plugin.devices.documents import FALLBACK, RESOLUTION, as_json, row_of, texts
from smart_boiler_plugin.devices.lease import OFF_AT_C, ON_BELOW_C
from smart_boiler_plugin.devices.set_points import Told, told_to
from smart_boiler_plugin.errors import NotFoundError
from smart_boiler_plugin.stored import LARGEST_ID

FORMATS = ("application/json", "text/csv")


class SetPointsQuerySchema(Schema):
    """Query of ``GET /set-points``."""

    customer = fields.Integer(
        validate=validate.Range(1, LARGEST_ID),
        metadata={"description": "Account of one customer; by default, all of the caller's boilers."},
    )
    since = fields.AwareDateTime(
        metadata={"description": "Only boilers that were planned after this.", "example": "2026-02-06T14:00:00+01:00"}
    )


class FallbackSchema(Schema):
    """The thermostat of a device that has nothing else to follow."""

    on_below_c = fields.Float(metadata={"description": "It heats below this [°C].", "example": ON_BELOW_C})
    off_at_c = fields.Float(metadata={"description": "Up to this [°C].", "example": OFF_AT_C})


class SetPointsOfOneSchema(Schema):
    """What a device is to follow."""

    account = fields.Integer()
    boiler = fields.Integer(metadata={"description": "Id of its asset."})
    planned_at = fields.AwareDateTime(allow_none=True, metadata={"description": "null: there is no plan to follow."})
    start = fields.AwareDateTime(
        metadata={"description": "Of the quarter of the first set-point: the one that is now."}
    )
    resolution = fields.String(metadata={"example": RESOLUTION})
    set_points_c = fields.List(
        fields.Float(allow_none=True),
        metadata={"description": "It heats while it is colder [°C]; null: the fallback. Empty where there is no plan."},
    )
    hysteresis_k = fields.Float(allow_none=True, metadata={"description": "On so far below the set-point [K]."})
    heat = fields.Boolean(metadata={"description": "Whether it may heat now, for a device that knows on and off."})
    until = fields.AwareDateTime(metadata={"description": "Ask again by then; whoever cannot, may heat from then on."})
    why = fields.String(metadata={"description": "'plan', 'no plan', 'no reading' or 'left alone' (boost, pause)."})
    fallback = fields.Nested(FallbackSchema)


class SetPointsSchema(Schema):
    """Answer of ``GET /set-points``."""

    data = fields.List(fields.Nested(SetPointsOfOneSchema))


class NowSchema(Schema):
    """Answer of ``GET /boiler-customer/<account id>/now``."""

    heat = fields.Boolean(metadata={"description": "Whether it may heat."})
    until = fields.AwareDateTime(metadata={"description": "Ask again by then; whoever cannot, may heat from then on."})
    set_point_c = fields.Float(metadata={"description": "Up to which it heats now [°C]."})


@for_devices
@takes(query=SetPointsQuerySchema())
def show_set_points(*, customer: int | None = None, since: datetime | None = None) -> Response:
    """Show what boilers are to follow: all, or those of one customer; as JSON or CSV ('Accept'), with an ETag."""
    found = _told(customer)
    if since is not None:
        found = [each for each in found if each.planned_at is not None and each.planned_at > since]
    if request.accept_mimetypes.best_match(FORMATS) == "text/csv":
        response = Response(_csv(found), mimetype="text/csv")
    else:
        rows = ",".join(map(as_json, found))
        response = Response(f'{{"data":[{rows}]}}', mimetype="application/json")
    return _unless_unchanged(response)


@for_devices
def show_now(account_id: int) -> Response:
    """Show whether a boiler may heat now, and until when that is true."""
    told = _told(account_id)[0]
    points = told.set_points_c[:1]
    point = float(points[0]) if len(points) and np.isfinite(points[0]) else OFF_AT_C
    document = {"heat": told.lease.heat, "until": told.lease.until.isoformat(), "set_point_c": round(point, 1)}
    return _unless_unchanged(Response(json.dumps(document), mimetype="application/json"))


def _told(customer: int | None) -> list[Told]:
    possible = customer is None or customer <= LARGEST_ID
    found = told_to(caller(), server_now(), customer) if possible else []
    if customer is not None and not found:
        raise NotFoundError(f"You have no boiler of a customer with account id {customer}.")
    return found


def _unless_unchanged(response: Response) -> Response:
    """Return an answer with its ETag; without a body, and as a 304, to whoever has it already."""
    response.set_etag(blake2b(response.get_data(), digest_size=16).hexdigest())
    # what a cache may do is said by us: nothing
    response.make_conditional(request)
    return response


def _csv(found: list[Told]) -> str:
    """Return a line for each boiler, its set-points between spaces; nothing in it needs quotes."""
    columns = [name for name in SetPointsOfOneSchema().fields if name not in {"set_points_c", "fallback"}]
    lines = [",".join([*columns, *FALLBACK, "set_points_c"])]
    for told in found:
        row = {**row_of(told), **FALLBACK}
        cells = [_cell(row[name]) for name in (*columns, *FALLBACK)]
        lines.append(",".join([*cells, " ".join(texts(told, "-"))]))
    return "\r\n".join(lines) + "\r\n"


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
