"""How a page of ours is made: on the host's base, with a strict policy, and forms that another site cannot send."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Response, make_response, request
from flask_wtf.csrf import generate_csrf, validate_csrf
from flexmeasures.ui.utils.view_utils import render_flexmeasures_template
from werkzeug.exceptions import BadRequest
from wtforms import ValidationError

from smart_boiler_plugin.texts import LANGUAGES
from smart_boiler_plugin.ui.policy import policy_of
from smart_boiler_plugin.version import VERSION

View = TypeVar("View", bound=Callable[..., Any])

HOME = "smart-boiler-plugin UI.show_boilers"
"""View of the first page: of all boilers, or of a household's own."""

EMPTY = "smart_boiler_plugin/page.html"
"""The template that all pages extend: by itself, a page without content."""

TOKEN_LASTS_S = 24 * 3600
"""How long a form can be sent after its page was loaded [s]; the session must last, too."""


def render(template: str, *, language: str = LANGUAGES[0], **shown: Any) -> Response:
    """Return a page, with its Content-Security-Policy.

    Parameters
    ----------
    template
        Which extends ``page.html``; in ``smart_boiler_plugin/``.
    language
        Of what is ours on it (ISO 639-1).
    shown
        What the template shows, beside ``csrf_token`` for its forms.

    """
    ours = {
        "language": language,
        "csrf_token": generate_csrf,
        "smart_boiler_version": VERSION,
        "is_bright": is_bright,
    }
    response = make_response(render_flexmeasures_template(f"smart_boiler_plugin/{template}", **ours, **shown))
    response.headers["Content-Security-Policy"] = policy_of(render_flexmeasures_template(EMPTY, **ours))
    return response


def is_bright(color: str) -> bool:
    """Return whether black text can be read better than white on a colour ("#abc", "#aabbcc"); no for what is none.

    By the relative luminance of WCAG 2.2: white and black have the same contrast at 0.179.
    """
    digits = color.strip().lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == len("abc") else digits
    try:
        parts = [int(digits[begin : begin + 2], 16) / 255 for begin in (0, 2, 4)]
    except ValueError:
        return False
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)  # noqa: PLR2004 (sRGB)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > EQUAL_CONTRAST


EQUAL_CONTRAST = 0.179


def posted(view: View) -> View:
    """Let a view take a form that was posted from a page of ours, and no other: ``csrf_token`` is among its fields."""

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        try:
            validate_csrf(request.form.get("csrf_token"), time_limit=TOKEN_LASTS_S)
        except ValidationError as error:
            raise BadRequest(
                "This page was too old to send from. Go back, load it again, and try once more."
            ) from error
        return view(*args, **kwargs)

    return checked  # type: ignore[return-value]  # the same call
