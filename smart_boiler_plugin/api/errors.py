"""One JSON shape for every error of the plugin's API, in the host's own field names."""

from __future__ import annotations

import traceback
from http import HTTPStatus

from flask import Response, current_app, jsonify
from flask_json import JsonError
from marshmallow import ValidationError
from redis.exceptions import ConnectionError as NoRedisError
from redis.exceptions import TimeoutError as SlowRedisError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from smart_boiler_plugin import transactions
from smart_boiler_plugin.errors import SmartBoilerError

RETRY_AFTER_S = 10
"""When to try again after the database or Redis could not be reached [s]: a restart takes a few."""

HOST_STATUS = {400: "INVALID_REQUEST", 403: "INVALID_SENDER"}
"""Names of statuses that the host has its own words for."""

HOST_MESSAGE = {
    401: "You could not be properly authenticated for this content or functionality.",
    403: "You cannot be authorized for this content or functionality.",
}
"""What the host says to strangers; its exceptions would tell them about roles and accounts."""


def answer(error: Exception) -> Response:
    """Turn any exception into ``{"result": "Rejected", "status": ..., "message": ...}`` and its HTTP code.

    The message of a field error is ``{"json": {field: [what is wrong]}}``, as the host has it. What is not known
    here is logged with its stack trace, and answered with a 500 that says nothing of it; where the database or Redis
    is away, with a 503 that says when to try again.
    """
    if isinstance(error, SmartBoilerError):
        message = {"json": error.message} if isinstance(error.message, dict) else error.message
        return _rejection(error.http_status, error.status, message)
    if isinstance(error, ValidationError):
        return _rejection(422, "UNPROCESSABLE_ENTITY", error.messages)
    if isinstance(error, JsonError):
        return _rejection(400, HOST_STATUS[400], "The body is no JSON.")
    if isinstance(error, HTTPException) and error.code:
        status = HOST_STATUS.get(error.code, HTTPStatus(error.code).name)
        # where webargs could not parse the body, it says more than the bare HTTP code
        said = getattr(error, "data", {}).get("messages") or error.description
        response = _rejection(error.code, status, HOST_MESSAGE.get(error.code, said))
        response.headers.extend((name, value) for name, value in error.get_headers() if name != "Content-Type")
        return response
    if transactions.is_away(error) or isinstance(error, (NoRedisError, SlowRedisError)):
        what = "database" if transactions.is_away(error) else "Redis"
        current_app.logger.error("No answer of the %s: %s", what, transactions.told(error))
        response = _rejection(
            503, "SERVICE_UNAVAILABLE", f"The server's {what} gives no answer. Try again in a moment."
        )
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
        return response
    if isinstance(error, SQLAlchemyError):
        where = "".join(traceback.format_tb(error.__traceback__))
        current_app.logger.error("Unexpected error: %s\n%s", transactions.told(error), where)
    else:
        current_app.logger.error("Unexpected error", exc_info=error)
    return _rejection(500, "INTERNAL_SERVER_ERROR", "Something went wrong on the server. Its log has the details.")


def _rejection(code: int, status: str, message: object) -> Response:
    response = jsonify(result="Rejected", status=status, message=message)
    response.status_code = code
    return response
