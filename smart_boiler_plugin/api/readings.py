"""Taking readings of many boilers in one call."""

from __future__ import annotations

from typing import Any

from flask import request
from flexmeasures.utils.time_utils import server_now
from marshmallow import Schema, fields, validate
from werkzeug.exceptions import BadRequest

from smart_boiler_plugin.api.guards import caller, for_devices, json_only, takes
from smart_boiler_plugin.devices.readings import Outcome, take
from smart_boiler_plugin.devices.rows import MOST_VALUES, UNITS
from smart_boiler_plugin.errors import SmartBoilerError

MOST_ROWS = 20_000
"""How many rows one call may have."""


class ReadingsOfOneSchema(Schema):
    """Readings of one boiler, of one kind: by start and resolution, or each with its time."""

    account = fields.Integer(required=True, strict=True, metadata={"description": "Of the customer.", "example": 3})
    kind = fields.String(required=True, validate=validate.OneOf(list(UNITS)))
    unit = fields.String(required=True, metadata={"description": "°C or °F; kW or W; kWh or Wh.", "example": "kWh"})
    start = fields.AwareDateTime(metadata={"description": "When the first value begins."})
    resolution = fields.String(metadata={"description": "Time from one value to the next.", "example": "PT5M"})
    times = fields.List(fields.AwareDateTime(), metadata={"description": "In place of start and resolution."})
    values = fields.List(fields.Float(allow_none=True), required=True, validate=validate.Length(1, MOST_VALUES))


class ReadingsSchema(Schema):
    """Body of ``POST /readings``."""

    readings = fields.List(fields.Nested(ReadingsOfOneSchema), required=True, validate=validate.Length(1, MOST_ROWS))


class RejectedSchema(Schema):
    """A value that was not taken."""

    index = fields.Integer()
    message = fields.String()


class ReadingsResultSchema(Schema):
    """What came of a row."""

    row = fields.Integer()
    result = fields.String()
    status = fields.String()
    message = fields.String()
    values = fields.Integer()
    rejected = fields.List(fields.Nested(RejectedSchema))


class ReadingsTakenSchema(Schema):
    """Answer of ``POST /readings``."""

    stored = fields.Integer(metadata={"description": "Quarters of an hour that were written."})
    results = fields.List(fields.Nested(ReadingsResultSchema))


@for_devices
@json_only
@takes(body=ReadingsSchema(), parsed=False)
def post_readings() -> tuple[dict[str, Any], int]:
    """Store readings of boilers of the caller's; the answer has a result for each row, in their order."""
    try:
        body = request.get_json()
    except RecursionError as error:
        raise BadRequest("The body is nested too deeply.") from error
    rows = body.get("readings") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_ROWS:
        raise SmartBoilerError({"readings": [f"Must be a list of 1 to {MOST_ROWS} rows."]})
    taken = take(rows, caller(), server_now())
    return {"stored": taken.stored, "results": [_result(outcome) for outcome in taken.outcomes]}, 200


def _result(outcome: Outcome) -> dict[str, Any]:
    """Return what is answered for one row."""
    if outcome.problem:
        return {"row": outcome.row, "result": "Rejected", "status": outcome.status, "message": outcome.problem}
    told = [{"index": index, "message": message} for index, message in sorted(outcome.rejected.items())]
    return {
        "row": outcome.row,
        "result": "Stored",
        "values": outcome.values,
        **({"rejected": told} if told else {}),
    }
