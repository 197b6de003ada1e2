"""The command that says what another useful temperature or ceiling would have saved."""

from __future__ import annotations

from collections.abc import Iterator

import click
from flask.cli import with_appcontext
from flexmeasures import Asset
from flexmeasures.cli.utils import MsgStyle
from flexmeasures.data import db
from flexmeasures.utils.time_utils import server_now

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.owners import boiler_ids
from smart_boiler_plugin.cli.accounts import choosing_customer, choosing_operator, find_chosen, no_boiler
from smart_boiler_plugin.cli.progress import progress
from smart_boiler_plugin.cli.shown import show, with_json
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.facts.believed import vessel_of
from smart_boiler_plugin.learning.learn import DAYS
from smart_boiler_plugin.money.advice import Outcome, advise
from smart_boiler_plugin.plan.reading import policy

AT_ONCE = 50
"""How many boilers' weeks are in memory at once."""

COLUMNS = {
    "boiler": "boiler",
    "name": "name",
    "useful": "useful",
    "ceiling": "ceiling",
    "cost": f"cost of {DAYS} days",
    "saved": "saved",
    "unserved_kwh": "not served [kWh]",
    "note": "",
}

RISKS = (
    "Water of 60 °C scalds within seconds: have a mixing valve fitted before a ceiling is raised. A hotter tank limes "
    "up faster and loses more heat, which is counted. A lower useful temperature is felt at the tap."
)


@click.command("advise")
@choosing_operator
@choosing_customer
@with_json
@with_appcontext
def advise_customers(operator_id: int | None, customer_id: int | None, *, as_json: bool) -> None:
    """Tell what another useful temperature or ceiling would have saved in the last four weeks.

    Worked out with the prices and draw-offs of these weeks, by set-points that the boiler would have followed, at equal
    heat left in the tank; hygiene is left out. Hot water that is not served is that below the useful temperature which
    the household has now. Nothing is changed. It takes a second for some three boilers.

    \b
    Examples:
      flexmeasures smart-boiler advise --customer 7
      flexmeasures smart-boiler advise --operator 3
    """  # noqa: D301 (click wants the \b)
    operator, customer = find_chosen(operator_id, customer_id)
    ids = boiler_ids(operator, customer)
    if not ids:
        raise no_boiler()
    rows, unknown = [], []
    with progress("boilers", len(ids), "Nothing is stored.") as advance:
        for boiler, found in _advised(ids):
            if isinstance(found, SmartBoilerError):
                unknown.append(f"Boiler {boiler.asset.id} ({boiler.asset.name}): {found}")
            else:
                rows += _rows(boiler, found)
            advance(1)
    if rows or as_json:
        alignment = ("left", "left", *["right"] * 5, "left")
        show(COLUMNS, rows, as_json=as_json, disable_numparse=True, colalign=alignment)
    if rows and not as_json:
        click.echo(RISKS)
    for told in unknown:
        click.secho(told, err=as_json, **MsgStyle.WARN)
    if len(unknown) == len(ids):
        raise click.exceptions.Exit(1)


def _advised(ids: list[int]) -> Iterator[tuple[Boiler, list[Outcome] | SmartBoilerError]]:
    """Yield boilers that are not broken, and what their choices would have come to."""
    for begin in range(0, len(ids), AT_ONCE):
        query = db.select(Asset).filter(Asset.id.in_(ids[begin : begin + AT_ONCE])).order_by(Asset.id)
        boilers = [boiler for boiler in map(Boiler, db.session.scalars(query)) if vessel_of(boiler)]
        yield from zip(boilers, advise(boilers, policy().comfort_weight, server_now()), strict=True)


def _rows(boiler: Boiler, found: list[Outcome]) -> list[list[str]]:
    """Return a row for each choice; the first is what the boiler has."""
    currency, now = boiler.currency, found[0]
    return [
        [
            str(boiler.asset.id),
            boiler.asset.name,
            f"{each.choice.useful_c:g} °C",
            f"{each.choice.ceiling_c:g} °C",
            f"{each.cost:.2f} {currency}",
            "" if each is now else f"{now.cost - each.cost:+.2f} {currency}",
            f"{each.unserved_kwh:.2f}",
            "as it is" if each is now else "",
        ]
        for each in found
    ]
