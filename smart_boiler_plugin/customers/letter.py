"""The mail that invites a household: who writes, what was set up, and what the link does; in its language.

Names come from people: here they are one line of text, and nothing else.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from flask import current_app
from flask_mail import Message
from flask_security.recoverable import generate_reset_password_token
from flask_security.utils import config_value, get_within_delta
from flexmeasures import Account, Asset, User
from flexmeasures.utils.time_utils import server_now
from pytz import all_timezones_set

from smart_boiler_plugin.customers.languages import language_of
from smart_boiler_plugin.mail import one_line, sender_called
from smart_boiler_plugin.texts import translator

TEMPLATE = "smart_boiler_plugin/mails/invitation"
"""Templates of the text and of the HTML, but for their ending."""

PLATFORM = "FlexMeasures"
"""Who writes to a household that somebody cut off from its operator."""


def invitation(asset: Asset, user: User, operator: Account | None, url: str) -> Message:
    """Return the mail that lets a user choose a password.

    Parameters
    ----------
    asset
        The boiler.
    user
        Whom.
    operator
        Who manages the boiler.
    url
        Address of the server.

    """
    language = language_of(asset)
    _ = translator(language)
    name = one_line(operator.name if operator else PLATFORM)
    said = {
        "_": _,
        "language": language,
        "operator": name,
        "household": one_line(asset.owner.name),
        "boiler": one_line(asset.name),
        "email": user.email,
        "link": _address(url, "reset_password", token=generate_reset_password_token(user)),
        "forgot": _address(url, "forgot_password"),
        **_until(get_within_delta("RESET_PASSWORD_WITHIN"), user, language),
    }
    return Message(
        one_line(_("Your boiler with %(operator)s: choose a password", operator=name), length=200),
        sender=sender_called(name),
        recipients=[user.email],
        body=_render("txt", said),
        html=_render("html", said),
    )


def _render(ending: str, said: dict[str, Any]) -> str:
    """Return a template with values; without the host's context, much of which is about a request."""
    return current_app.jinja_env.get_template(f"{TEMPLATE}.{ending}").render(said)


def _address(url: str, view: str, **values: str) -> str:
    """Return the address of a page of Flask-Security on a server, wherever this process runs."""
    server = urlsplit(url)
    adapter = current_app.url_map.bind(server.netloc, script_name=server.path or "/", url_scheme=server.scheme)
    return adapter.build(f"{config_value('BLUEPRINT_NAME')}.{view}", values, force_external=True)


def _until(works_for: timedelta, user: User, language: str) -> dict[str, str]:
    """Return date and time of the end of what begins now, where the user is."""
    timezone = user.timezone if user.timezone in all_timezones_set else "UTC"
    end = (server_now() + works_for).astimezone(ZoneInfo(timezone))
    # English as in Europe: day before month
    locale = "en_GB" if language == "en" else language
    return {"date": format_date(end, "long", locale=locale), "time": format_time(end, "HH:mm", locale=locale)}
