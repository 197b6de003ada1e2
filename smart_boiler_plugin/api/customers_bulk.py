"""Taking on many customers in one call, from JSON or CSV; each row on its own."""

from __future__ import annotations

import io
from typing import Any

from flask import request
from flask_security import current_user
from flexmeasures.auth.decorators import permission_required_for_context
from flexmeasures.auth.policy import FlexMeasuresPlatform
from marshmallow import Schema, fields
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from smart_boiler_plugin.api.guards import guarded, take_on_limited, takes
from smart_boiler_plugin.api.schemas import TakenOnSchema
from smart_boiler_plugin.customers.directory import Customer
from smart_boiler_plugin.customers.rows import NewCustomerSchema, load_rows, read_csv
from smart_boiler_plugin.customers.taking_on import take_on_many
from smart_boiler_plugin.errors import BadFileError, SmartBoilerError

MOST_ROWS = 1_000
"""How many customers one call may take on; the command line takes any number."""


class BulkQuerySchema(Schema):
    """Query of ``POST /boiler-customers``."""

    dry_run = fields.Boolean(load_default=False, metadata={"description": "Find out, and change nothing."})


@guarded
@take_on_limited
@permission_required_for_context("create-children", ctx_loader=FlexMeasuresPlatform.init)
@takes(body=NewCustomerSchema(many=True), query=BulkQuerySchema(), parsed=False)
def create_boiler_customers(*, dry_run: bool) -> tuple[dict[str, Any], int]:
    """Take on many customers of the caller's account; the answer has a result for each row, in their order."""
    if request.mimetype == "text/csv":
        rows: list[Any] = list(read_csv(io.StringIO(_text())))
    elif request.is_json:
        rows = request.get_json()
    else:
        raise UnsupportedMediaType("Send a JSON list (application/json), or a CSV file with a header (text/csv).")
    if not isinstance(rows, list):
        raise BadRequest("Send a JSON list of customers.")
    if len(rows) > MOST_ROWS:
        raise BadRequest(f"These are {len(rows)} customers. Send at most {MOST_ROWS} at once.")
    outcomes = take_on_many(load_rows(rows), current_user.account, dry_run=dry_run)
    return {"dry_run": dry_run, "results": [_result(outcome, dry_run=dry_run) for outcome in outcomes]}, 200


def _text() -> str:
    try:
        return request.get_data().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFileError("The CSV file must be in UTF-8.") from error


def _result(outcome: Customer | SmartBoilerError, *, dry_run: bool) -> dict[str, Any]:
    """Return what is answered for one row."""
    if isinstance(outcome, SmartBoilerError):
        message = outcome.message if isinstance(outcome.message, str) else {"json": outcome.message}
        return {"result": "Rejected", "status": outcome.status, "message": message}
    if dry_run:
        return {"result": "Possible", "status": "OK"}
    return {"result": "Created", "status": "CREATED", **TakenOnSchema().dump(outcome)}
