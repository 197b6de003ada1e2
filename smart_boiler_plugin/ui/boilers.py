"""The operator's page: all boilers that a user manages, and what needs a look first."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from flask import Response, abort, current_app, redirect, request, url_for
from flask_security import current_user, login_required
from flexmeasures.auth.policy import FlexMeasuresPlatform
from flexmeasures.utils.time_utils import server_now

from smart_boiler_plugin import jobs
from smart_boiler_plugin.customers.directory import may
from smart_boiler_plugin.customers.households import manages_boilers
from smart_boiler_plugin.customers.listing import boilers_to_plan
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.fleet import planning
from smart_boiler_plugin.fleet.load import Load, csv_of, load_of
from smart_boiler_plugin.fleet.members import Member, members, seen_by
from smart_boiler_plugin.fleet.overview import Overview, overview
from smart_boiler_plugin.fleet.paging import chosen
from smart_boiler_plugin.fleet.planning import BY_DEFAULT, Asked
from smart_boiler_plugin.fleet.state import completed
from smart_boiler_plugin.money.accounting import last_day
from smart_boiler_plugin.money.totals import totals_of
from smart_boiler_plugin.plan.reading import policy
from smart_boiler_plugin.ui.load import AHEAD, BACK, chart_of, gist_of, priced, table_of
from smart_boiler_plugin.ui.money import money_of
from smart_boiler_plugin.ui.page import HOME, posted, render
from smart_boiler_plugin.ui.reader import Reader
from smart_boiler_plugin.ui.rows import row_of
from smart_boiler_plugin.ui.service import job_told, service_of
from smart_boiler_plugin.ui.state_cards import cards_of, may_need_plans, sentence_of
from smart_boiler_plugin.ui.wanted import Pages, Wanted

LANGUAGE = "en"
"""Of pages for operators, as of the host's own."""

HEADS = (
    ("state", "State", ""),
    ("name", "Customer", ""),
    ("temperature", "Water", ""),
    ("measured", "Measured", ""),
    ("", "Heats now or next", ""),
    ("coldest", "Coldest ahead", ""),
    ("until", "Planned until", ""),
    ("", "Cost yesterday", "sb-num"),
)
"""Of the table: by what it sorts (empty: by nothing), its words, and its class."""

SORTS = (
    ("state", "Worst first"),
    ("name", "By name"),
    ("temperature", "Coldest water first"),
    ("measured", "Longest not measured first"),
    ("coldest", "Coldest ahead first"),
    ("until", "First end of plan first"),
)
"""The same as a choice, where the table's heads have no place."""

ORDER = {
    **{(by, False): words[0].lower() + words[1:] for by, words in SORTS},
    ("state", True): "best first",
    ("name", True): "by name, from the end",
    ("temperature", True): "warmest water first",
    ("measured", True): "last measured first",
    ("coldest", True): "warmest ahead first",
    ("until", True): "last end of plan first",
}
"""How the list is sorted, in words."""


@login_required
def show_boilers() -> Response:
    """Show the boilers that the user manages, the worst first, and the service, load and money around them."""
    must_manage()
    wanted, now, reader = Wanted.of(request.args), server_now(), operators_reader()
    shown = overview(seen_by(current_user), now)
    if not shown.states:
        return render("no_boilers.html", may_plan=may_plan())
    found = chosen(
        shown.states, [wanted.state] if wanted.state else [], wanted.terms, by=wanted.by, descending=wanted.descending
    )
    pages = Pages.of(wanted.page, len(found))
    fleet = [each.member for each in shown.states]
    totals = totals_of([member.asset_id for member in fleet], last_day(reader.timezone), reader.timezone)
    rules = policy()
    rows = [
        row_of(each, now, rules, totals.last_costs, totals.currency, reader.timezone)
        for each in completed(found[pages.some], now)
    ]
    return render(
        "boilers.html",
        reader=reader,
        shown=shown,
        wanted=wanted,
        pages=pages,
        rows=rows,
        cards=cards_of(shown),
        sentence=sentence_of(shown),
        service=service_of(shown, reader),
        job=job_told(jobs.find(wanted.job, current_user.account_id)) if wanted.job else None,
        needing=may_need_plans(shown),
        may_plan=may_plan(),
        searched=shown.counts[wanted.state] if wanted.state else len(fleet),
        order=ORDER[wanted.by, wanted.descending],
        sorts=SORTS,
        heads=HEADS,
        **money_of(totals, len(fleet), reader),
        **_load(shown, fleet, now, reader),
    )


@login_required
@posted
def plan_boilers() -> Any:
    """Plan the boiler of a customer anew, or all that need it; then show the page that it was asked for from."""
    must_manage()
    if not may_plan():
        abort(403)
    customer, query = request.form.get("customer", ""), parse_qs(request.form.get("back", "").lstrip("?"))
    wanted = Wanted.of({name: values[0] for name, values in query.items()})
    ids = [int(customer)] if customer.isascii() and customer.isdigit() else None
    if customer and ids is None:
        abort(404)
    try:
        job = planning.ask(current_user.account, boilers_to_plan(ids), Asked.now(("all",) if ids else BY_DEFAULT))
    except SmartBoilerError as error:
        abort(error.http_status, str(error))
    if ids and request.form.get("to") == "boiler":
        return redirect(url_for("smart-boiler-plugin UI.show_boiler", account_id=ids[0], job=job), 303)
    return redirect(url_for(HOME) + wanted.but(page=wanted.page, job=job), 303)


@login_required
def show_load() -> Response:
    """Return the load that the page draws as CSV."""
    must_manage()
    now = server_now()
    load = _load_of(members(seen_by(current_user)), now, operators_reader())
    name = f'attachment; filename="load-{load.quarters[0]:%Y-%m-%d}.csv"'
    return Response(csv_of(load), mimetype="text/csv", headers={"Content-Disposition": name})


def operators_reader() -> Reader:
    """Return how an operator reads: in English, and what is about many households in the server's time zone."""
    return Reader(LANGUAGE, ZoneInfo(current_app.config["FLEXMEASURES_TIMEZONE"]).key)


def may_plan() -> bool:
    """Return whether the user may let boilers be planned, as of ``POST /plans``."""
    return may(FlexMeasuresPlatform.init(), "create-children")


def must_manage() -> None:
    """Say that there is no such page to who manages no boilers."""
    if not manages_boilers(current_user):
        abort(404)


def _load(shown: Overview, fleet: list[Member], now: datetime, reader: Reader) -> dict[str, Any]:
    """Return what the page shows of the load."""
    load = priced(_load_of(fleet, now, reader), shown.most_paid, now)
    return {
        "chart": chart_of(load, now, reader),
        "gist": gist_of(load, now, reader),
        "hours": table_of(load, reader),
    }


def _load_of(fleet: list[Member], now: datetime, reader: Reader) -> Load:
    local = reader.local(now)
    begin = local.replace(minute=local.minute // 15 * 15, second=0, microsecond=0) - BACK
    return load_of(fleet, begin, begin + BACK + AHEAD, now)
