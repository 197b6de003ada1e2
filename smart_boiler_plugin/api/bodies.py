"""What a request may bring along: how much, how deep, and from which page. Asked before each call of the API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Response, current_app, request
from flask_wtf.csrf import validate_csrf
from werkzeug.exceptions import BadRequest, Forbidden
from wtforms.validators import ValidationError

LARGEST = 64 * 1024
"""How long a body may be where its route says nothing [bytes]."""

DEEPEST = 20
"""How many levels of lists and objects a body may have."""

OF_FORMS = {"", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}
"""Formats that a form on any other site can send in the name of whoever is logged in here."""

CHANGES = {"POST", "PUT", "PATCH", "DELETE"}


def check_body(blueprint: str, largest: Mapping[str, int]) -> None:
    """Refuse a body that is too long, too deep or holds numbers without end, and one from another site's form.

    Parameters
    ----------
    blueprint
        Name of ours; requests to others are passed over.
    largest
        How long a body may be, by the name of the view [bytes].

    Raises
    ------
    werkzeug.exceptions.HTTPException
        400, 403 or 413.

    """
    if request.blueprint != blueprint:
        return
    view = str(request.endpoint).rpartition(".")[2]
    request.max_content_length = largest.get(view, LARGEST)
    if request.method not in CHANGES:
        return
    by_session = current_app.config["SECURITY_TOKEN_AUTHENTICATION_HEADER"] not in request.headers
    if by_session and request.cookies and request.mimetype in OF_FORMS:
        _check_csrf()
    # reads it all, and no more than allowed
    text = request.get_data(cache=True)
    if request.is_json:
        _check_json(text)


def _check_csrf() -> None:
    """Refuse a call by session in a form's format without the host's token."""
    try:
        validate_csrf(request.headers.get("X-CSRFToken") or request.form.get("csrf_token"))
    except ValidationError as error:
        raise Forbidden from error


def _check_json(text: bytes) -> None:
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError):
        # told with its place where it is read
        return
    except RecursionError as error:
        raise BadRequest(f"The body is nested too deeply: at most {DEEPEST} levels.") from error
    except ValueError as error:
        raise BadRequest("The body holds a number with too many digits.") from error
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [inner for outer in level for inner in _within(outer)]
        if not level:
            return
    raise BadRequest(f"The body is nested too deeply: at most {DEEPEST} levels.")


def _within(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def forbid_storing(response: Response) -> Response:
    """Let no cache keep what is somebody's: all answers but the description of the API."""
    if not str(request.endpoint).endswith(".show_openapi"):
        response.headers["Cache-Control"] = "no-store"
    return response
