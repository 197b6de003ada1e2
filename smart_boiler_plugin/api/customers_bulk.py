"""Taking on many customers in one call, from JSON or CSV; each row on its own."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_security import current_user
from flexmeasures.auth.decorators import permission_required_for_context
from flexmeasures.auth.policy import FlexMeasuresPlatform
from marshmallow import Schema, fields
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from smart_boiler_plugin.api.guards import guarded, take_on_limited, takes
from smart_boiler_plugin.api.jobs import asked
from smart_boiler_plugin.api.schemas import TakenOnSchema
from smart_boiler_plugin.customers import bulk
from smart_boiler_plugin.customers.many import POSSIBLE, Outcome, find_out, take_on_many
from smart_boiler_plugin.customers.rows import NewCustomerSchema, load_rows, read_csv

MOST_ROWS = 1_000
"""How many customers one call may take on; the command line takes any number."""

MOST_AT_ONCE = 20
"""How many customers are taken on before the answer, some 3 s; more are a job for workers."""


class BulkQuerySchema(Schema):
    """Query of ``POST /boiler-customers``."""

    dry_run = fields.Boolean(load_default=False, metadata={"description": "Find out, and change nothing."})


@guarded
@take_on_limited
@permission_required_for_context("create-children", ctx_loader=FlexMeasuresPlatform.init)
@takes(body=NewCustomerSchema(many=True), query=BulkQuerySchema(), parsed=False)
def create_boiler_customers(*, dry_run: bool) -> Any:
    """Take on many customers of the caller's account: few at once, with a result for each row; more as a job."""
    if request.mimetype == "text/csv":
        rows: list[Any] = list(read_csv(request.get_data()))
    elif request.is_json:
        rows = request.get_json()
    else:
        raise UnsupportedMediaType("Send a JSON list (application/json), or a CSV file with a header (text/csv).")
    if not isinstance(rows, list):
        raise BadRequest("Send a JSON list of customers.")
    if len(rows) > MOST_ROWS:
        raise BadRequest(f"These are {len(rows)} customers. Send at most {MOST_ROWS} at once.")
    operator = current_user.account
    if dry_run:
        outcomes = find_out(load_rows(rows), operator)
        possible = sum(outcome.result == POSSIBLE for outcome in outcomes)
        return {"dry_run": True, "possible": possible, "results": [_result(outcome) for outcome in outcomes]}
    if len(rows) > MOST_AT_ONCE:
        answer = asked(bulk.ask(rows, operator))
        return answer, 202, {"Location": answer["href"]}
    outcomes = [outcome for chunk in take_on_many(load_rows(rows), operator) for outcome in chunk]
    return {"dry_run": False, "results": [_result(outcome) for outcome in outcomes]}


def _result(outcome: Outcome) -> dict[str, Any]:
    """Return what is answered for one row."""
    told: dict[str, Any] = {"result": outcome.result, "status": outcome.status}
    if outcome.refusal is not None:
        message = outcome.refusal.message
        return {**told, "message": message if isinstance(message, str) else {"json": message}}
    return {**told, **(TakenOnSchema().dump(outcome.customer) if outcome.customer else {})}
