"""What stands before every call of the plugin's API: who is there, how often, and in which format."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import g, request
from flask_security import current_user
from flexmeasures import User
from flexmeasures.utils.time_utils import server_now
from marshmallow import Schema
from webargs.flaskparser import use_args, use_kwargs
from werkzeug.exceptions import Unauthorized, UnsupportedMediaType

from smart_boiler_plugin import transactions
from smart_boiler_plugin.devices.tokens import Device, device_of, note_seen
from smart_boiler_plugin.host import caller_key, host_limit, rate_limit
from smart_boiler_plugin.settings import DEVICE_RATE_LIMIT, TAKE_ON_RATE_LIMIT

View = TypeVar("View", bound=Callable[..., Any])


def guarded(view: View) -> View:
    """Let only users with a token or session in, and no more often than the host lets them call its own API.

    All calls of the plugin share one budget, as the host's own do: its default limit covers paths under /api/ alone.
    """

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if not current_user.is_authenticated:
            raise transactions.swallowed_error() or Unauthorized
        return view(*args, **kwargs)

    return rate_limit(host_limit, "smart-boiler-plugin")(checked)  # type: ignore[no-any-return]


def device() -> Device | None:
    """Return the device whose token was sent with this request; None where there is none, or it is no good."""
    if "smart_boiler_device" not in g:
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        g.smart_boiler_device = device_of(sent)
    found: Device | None = g.smart_boiler_device
    return found


def caller() -> User | Device:
    """Return who calls what is open to devices, too."""
    found: User | Device = device() or current_user
    return found


def for_devices(view: View) -> View:
    """Let devices with a token in, with a limit of their own, counted by the token; and users as ``guarded`` does.

    A device is what it is, whoever is logged in beside it.
    """

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        known = device()
        if known is not None:
            note_seen(known, server_now())
        elif not current_user.is_authenticated:
            raise transactions.swallowed_error() or Unauthorized
        return view(*args, **kwargs)

    def key() -> str:
        known = device()
        return f"device:{known.id}" if known else caller_key()

    def limit() -> str:
        return str(DEVICE_RATE_LIMIT.value) if device() else host_limit()

    return rate_limit(limit, "smart-boiler-plugin", key)(checked)  # type: ignore[no-any-return]


def take_on_limited(view: View) -> View:
    """Guard a call that takes on customers with the limit that the setting names."""
    return rate_limit(lambda: TAKE_ON_RATE_LIMIT.value, "smart-boiler-plugin take-on")(view)  # type: ignore[no-any-return]


def json_only(view: View) -> View:
    """Refuse a body in another format with a 415, which says more than that all fields are missing."""

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if not request.is_json:
            raise UnsupportedMediaType("Send the body as JSON, with the header 'Content-Type: application/json'.")
        return view(*args, **kwargs)

    return checked  # type: ignore[return-value]


def takes(*, body: Schema | None = None, query: Schema | None = None, parsed: bool = True) -> Callable[[View], View]:
    """Return a decorator for what a view takes: here alone, as the OpenAPI description reads it from the view.

    Parameters
    ----------
    body
        Of what is sent; the view gets what was read as its first argument.
    query
        Of the query; the view gets its fields by their names.
    parsed
        Whether the body is read before the view; False where the view does so itself, row by row.

    """

    def decorated(view: View) -> View:
        called: Any = use_kwargs(query, location="query")(view) if query else view
        called = use_args(body)(called) if body and parsed else called
        # decorators around it hand these on, as they do the name
        called.taken_body, called.taken_query = body, query
        return called  # type: ignore[no-any-return]

    return decorated
