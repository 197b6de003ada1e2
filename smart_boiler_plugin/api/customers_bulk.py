"""Taking on many customers in one call, from JSON or CSV; each row on its own."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from flask import request
from flask_security import current_user
from flexmeasures.auth.decorators import permission_required_for_context
from flexmeasures.auth.policy import FlexMeasuresPlatform
from marshmallow import Schema, ValidationError, fields
from webargs.flaskparser import use_kwargs
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from smart_boiler_plugin.api.guards import guarded, take_on_limited
from smart_boiler_plugin.api.schemas import BoilerSchema, NewCustomerSchema, TakenOnSchema
from smart_boiler_plugin.customers.directory import Customer
from smart_boiler_plugin.customers.taking_on import NewCustomer, take_on_many
from smart_boiler_plugin.errors import BadFileError, SmartBoilerError

MOST_ROWS = 1_000
"""How many customers one call may take on; the command line takes any number."""

BOILER_COLUMNS = {("boiler_name" if name == "name" else name): name for name in BoilerSchema().fields}
"""Columns of a CSV file that describe the boiler, and what they are in JSON."""


class BulkQuerySchema(Schema):
    """Query of ``POST /boiler-customers``."""

    dry_run = fields.Boolean(load_default=False, metadata={"description": "Find out, and change nothing."})


@guarded
@take_on_limited
@permission_required_for_context("create-children", ctx_loader=FlexMeasuresPlatform.init)
@use_kwargs(BulkQuerySchema(), location="query")
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


def read_csv(file: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the customers of a CSV file with a header, in the form of the JSON body.

    Raises
    ------
    BadFileError
        If a column has an unknown name, or it is no CSV file.

    """
    reader = csv.DictReader(file)
    columns = {"name", "user_name", "user_email", "tariff", *BOILER_COLUMNS}
    unknown = [column for column in reader.fieldnames or [] if column not in columns]
    if unknown:
        raise BadFileError(f"Unknown columns: {', '.join(unknown)}. Known are: {', '.join(sorted(columns))}.")
    missing = {"name", "user_name", "user_email"} - set(reader.fieldnames or [])
    if missing:
        raise BadFileError(f"Missing columns: {', '.join(sorted(missing))}.")
    for row in reader:
        # an empty cell means that nothing is known, and a cell too many has no name
        filled = {column: value for column, value in row.items() if column is None or value not in {None, ""}}
        boiler = {BOILER_COLUMNS[column]: filled.pop(column) for column in list(filled) if column in BOILER_COLUMNS}
        if None in filled:
            filled["more columns than the header"] = filled.pop(None)
        yield {**filled, "boiler": boiler}


def load_rows(rows: Iterable[Any]) -> list[NewCustomer | SmartBoilerError]:
    """Return the customers that rows describe; in place of a wrong row, what is wrong with it."""
    return [_load_row(row) for row in rows]


def _load_row(row: Any) -> NewCustomer | SmartBoilerError:
    try:
        new: NewCustomer = NewCustomerSchema().load(row)
    except ValidationError as error:
        return SmartBoilerError(error.messages_dict)
    return new


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
