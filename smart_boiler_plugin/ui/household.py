"""The household's own page: how warm its water is, what it heats next, and what the household can do about it.

Forms are posted, answered by a way back to the page, and do what ``PATCH /boiler-customer`` does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, abort, redirect, request, url_for
from flask_security import current_user, login_required
from flexmeasures.utils.time_utils import server_now
from werkzeug.wrappers import Response as AnyResponse

from smart_boiler_plugin.customers import changing, wishes
from smart_boiler_plugin.customers.directory import Customer, of_account
from smart_boiler_plugin.customers.households import find_own, is_household
from smart_boiler_plugin.errors import NotFoundError, SmartBoilerError
from smart_boiler_plugin.fleet.at_home import Home, at_home
from smart_boiler_plugin.host import host_limit, rate_limit
from smart_boiler_plugin.money.statements import Statement, month_so_far
from smart_boiler_plugin.texts import LANGUAGES, translator
from smart_boiler_plugin.ui.household_alerts import Alerts
from smart_boiler_plugin.ui.household_chart import Charts
from smart_boiler_plugin.ui.household_month import Months
from smart_boiler_plugin.ui.household_week import Weeks
from smart_boiler_plugin.ui.household_words import Words
from smart_boiler_plugin.ui.page import HOME, posted, render
from smart_boiler_plugin.ui.reader import Reader

NAMES = {"en": "English", "nl": "Nederlands", "de": "Deutsch"}
"""What languages call themselves."""

LOCAL = "%Y-%m-%dT%H:%M"
"""How a browser sends a local time."""

DONE = ("stopped", "back", "week", "language")
"""What may have been done before a page is shown, and does not show there by itself; in words in the template."""

NOT_DONE = 422

LONGEST_SENT = 40
"""How much of what was sent stands in the field again [characters]."""

SUNDAY, BACK_AT = 6, time(18)
"""When people come back who go away, where they do not say."""

View = Callable[..., Any]


def at_home_or(view: View) -> View:
    """Return a view that shows households their own page, and to everybody else the given one."""

    @wraps(view)
    @login_required
    def shown(*args: Any, **kwargs: Any) -> Any:
        return show_home() if is_household(current_user) else view(*args, **kwargs)

    return shown


def own(view: View) -> View:
    """Let a household itself send a form of its page: the view gets the customer and what is known of its boiler."""

    @wraps(view)
    @login_required
    def checked() -> AnyResponse:
        customer = own_customer()
        try:
            done: str = view(customer)
        except SmartBoilerError:
            return _page(customer, wrong=view.__name__, status=NOT_DONE)
        return redirect(url_for(HOME, done=done))

    return sent(checked)


def sent(view: View) -> View:
    """Let a form be sent from our pages alone, and as often as the host lets its API be called."""
    limited: View = rate_limit(host_limit, "smart-boiler-plugin")(posted(view))
    return limited


def own_customer() -> Customer:
    """Return the customer who is logged in; everybody else is told that there is no such page."""
    if not is_household(current_user):
        abort(404)
    return of_account(current_user.account)


def show_home() -> Response:
    """Show the page of the household that is logged in."""
    return _page(of_account(current_user.account), done=request.args.get("done"))


@login_required
def show_home_of(account_id: int) -> Response:
    """Show a household's page to its operator and to admins, as it is seen there, without what only it may do."""
    try:
        return _page(find_own(account_id, "read"))
    except NotFoundError:
        abort(404)


@own
def warm(customer: Customer) -> str:
    """Heat to the ceiling from now on."""
    wishes.warm_now(customer, _home(customer))
    return "warm"


@own
def stop(customer: Customer) -> str:
    """End that."""
    wishes.stop_warming(customer)
    return "stopped"


@own
def leave(customer: Customer) -> str:
    """Be away until the local time that was sent."""
    try:
        until = datetime.strptime(request.form.get("until", ""), LOCAL)  # noqa: DTZ007 (local: the next line)
        aware = until.replace(tzinfo=ZoneInfo(customer.boiler.timezone))
        wishes.leave(customer, server_now(), aware)
    except (ValueError, OverflowError) as error:
        raise SmartBoilerError({"until": ["Is no time."]}) from error
    return "away"


@own
def come_back(customer: Customer) -> str:
    """End an absence."""
    wishes.come_back(customer)
    return "back"


@own
def speak(customer: Customer) -> str:
    """Be written to in another language."""
    language = request.form.get("language")
    if language not in LANGUAGES:
        raise SmartBoilerError({"language": ["Is none."]})
    changing.change(customer, None, {}, {}, language=language)
    return "language"


def _home(customer: Customer) -> Home:
    """Return what is known of a customer's boiler.

    Raises
    ------
    SmartBoilerError
        If there is none, or what is stored of it cannot be read.

    """
    home = None if customer.asset is None else at_home(customer.asset, server_now())
    if home is None:
        raise SmartBoilerError("There is no boiler, or what is stored of it cannot be read.")
    return home


def _page(customer: Customer, *, done: str | None = None, wrong: str | None = None, status: int = 200) -> Response:
    language = customer.language
    _ = translator(language)
    operator = customer.account.consultancy_account
    shown: dict[str, Any] = {
        "account_id": customer.account.id,
        "operator": operator and operator.name,
        "is_own": is_household(current_user) and current_user.account_id == customer.account.id,
        "languages": {each: NAMES[each] for each in LANGUAGES},
        "done": done if done in DONE else None,
        "wrong": wrong,
        "has_boiler": customer.asset is not None,
    }
    try:
        home = _home(customer)
    except SmartBoilerError:
        return _rendered(language, status, _=_, home=None, **shown)
    reader = Reader(language, home.timezone)
    about = (home, reader, _, shown["operator"])
    charts = Charts(*about)
    return _rendered(
        language,
        status,
        _=_,
        home=home,
        reader=reader,
        words=Words(*about),
        alerts=Alerts(*about).all(),
        week=Weeks(reader, _, home.moment, home.currency).rows(home.comfort.programme),
        chart=charts,
        statement=(statement := _statement(customer)),
        month=statement and Months(reader, _, home.moment, home.currency).told(statement),
        until=request.form.get("until", "")[:LONGEST_SENT] if wrong == "leave" else f"{usual_return(home):{LOCAL}}",
        until_from_to=tuple(f"{each:{LOCAL}}" for each in (home.moment, home.moment + wishes.LONGEST_ABSENCE)),
        **shown,
    )


def usual_return(home: Home) -> datetime:
    """Return when people who go away now are usually back: on Sunday evening, local."""
    today = home.moment.date()
    days = (SUNDAY - today.weekday()) % 7 or 7
    return datetime.combine(today + timedelta(days=days), BACK_AT)


def _rendered(language: str, status: int, **shown: Any) -> Response:
    page = render("household.html", language=language, **shown)
    page.status_code = status
    return page


def _statement(customer: Customer) -> Statement | None:
    """Return what the month came to; None where what is stored of the boiler is wrong."""
    try:
        return month_so_far(customer.boiler)
    except SmartBoilerError:
        return None
