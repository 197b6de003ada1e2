"""The form of a household's weekly programme: a page of its own, as it has many fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from babel.dates import get_day_names
from flask import Response, abort, redirect, request, url_for
from flask_security import login_required
from werkzeug.wrappers import Response as AnyResponse

from smart_boiler_plugin.boiler.comfort_schema import MOST_PERIODS, USEFUL_FROM_TO
from smart_boiler_plugin.clock.week import DAYS
from smart_boiler_plugin.customers import wishes
from smart_boiler_plugin.customers.directory import Customer
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.stored import as_object
from smart_boiler_plugin.texts import translator
from smart_boiler_plugin.ui.household import NOT_DONE, own_customer, sent
from smart_boiler_plugin.ui.household_week import Field, as_json, fields_of, sent_fields
from smart_boiler_plugin.ui.page import HOME, render
from smart_boiler_plugin.ui.reader import Reader

USUAL = Field(temperature="55")
"""What an empty line of the form begins with."""


@login_required
def show_programme() -> Response:
    """Show the form, with what holds now."""
    customer = own_customer()
    try:
        comfort = customer.boiler.comfort
    except SmartBoilerError:
        abort(404)
    return _form(customer, fields_of(comfort.programme), f"{comfort.useful_temperature_c:g}")


@login_required
def keep_programme() -> AnyResponse:
    """Keep what was sent, or show it again with what is wrong."""
    customer = own_customer()
    sent, useful = sent_fields(request.form), request.form.get("useful", "").strip()
    try:
        wishes.keep_week(customer, as_json(sent), f"{useful} °C")
    except SmartBoilerError as error:
        return _form(customer, sent, useful, error)
    return redirect(url_for(HOME, done="week", _anchor="week"))


keep = sent(keep_programme)


def _form(customer: Customer, sent: Sequence[Field], useful: str, error: SmartBoilerError | None = None) -> Response:
    wrong = as_object(as_object(error.message if error else None).get("comfort"))
    periods: dict[Any, Any] = as_object(wrong.get("programme"))
    locale = Reader(customer.language, customer.boiler.timezone).locale
    names = get_day_names("abbreviated", locale=locale)
    shown: dict[str, Any] = {
        "_": translator(customer.language),
        "fields": [*sent, USUAL] if len(sent) < MOST_PERIODS else sent,
        "wrong_periods": {number for number in range(len(sent)) if number in periods},
        "wrong_useful": "useful_temperature" in wrong,
        "failed": error is not None,
        "day_names": {code: names[day].rstrip(".") for day, code in enumerate(DAYS)},
        "useful": useful,
        "useful_from_to": USEFUL_FROM_TO,
    }
    page = render("household_programme.html", language=customer.language, **shown)
    page.status_code = NOT_DONE if error else 200
    return page
