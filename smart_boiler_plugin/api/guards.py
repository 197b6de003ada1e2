"""What stands before every call of the plugin's API: who is there, how often, and in which format."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import current_app, request
from flask_security import current_user
from flexmeasures.api.common.rate_limiting import default_key_func, default_limit, limiter
from werkzeug.exceptions import Unauthorized, UnsupportedMediaType

from smart_boiler_plugin.settings import TAKE_ON_RATE_LIMIT

View = TypeVar("View", bound=Callable[..., Any])


def guarded(view: View) -> View:
    """Let only users with a token or session in, and no more often than the host lets them call its own API.

    All calls of the plugin share one budget, as the host's own do: its default limit covers paths under /api/ alone.
    """

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if not current_user.is_authenticated:
            raise Unauthorized
        return view(*args, **kwargs)

    limit = limiter.shared_limit(
        default_limit, scope="smart-boiler-plugin", key_func=default_key_func, exempt_when=_is_play_server
    )
    return limit(checked)  # type: ignore[no-any-return]


def take_on_limited(view: View) -> View:
    """Guard a call that takes on customers with the limit that the setting names."""
    limit = limiter.shared_limit(
        lambda: TAKE_ON_RATE_LIMIT.value,
        scope="smart-boiler-plugin take-on",
        key_func=default_key_func,
        exempt_when=_is_play_server,
    )
    return limit(view)  # type: ignore[no-any-return]


def json_only(view: View) -> View:
    """Refuse a body in another format with a 415, which says more than that all fields are missing."""

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if not request.is_json:
            raise UnsupportedMediaType("Send the body as JSON, with the header 'Content-Type: application/json'.")
        return view(*args, **kwargs)

    return checked  # type: ignore[return-value]


def _is_play_server() -> bool:
    """Return whether the host limits nobody, as on a server for simulations."""
    return bool(current_app.config.get("FLEXMEASURES_MODE") == "play")
