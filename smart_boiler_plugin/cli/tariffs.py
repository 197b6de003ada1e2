"""Commands about all tariffs and their prices. One tariff: ``contracts.py``."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import click
from flask.cli import with_appcontext
from flexmeasures.cli.utils import MsgStyle
from flexmeasures.data import db
from flexmeasures.utils.time_utils import server_now

from smart_boiler_plugin.cli.contracts import COUNTRY
from smart_boiler_plugin.cli.dates import DATE
from smart_boiler_plugin.cli.import_prices import tell_licence, tell_zeros
from smart_boiler_plugin.cli.shown import show, with_json
from smart_boiler_plugin.clock.coverage import MARKET_TIMEZONE
from smart_boiler_plugin.clock.days import day_of
from smart_boiler_plugin.errors import NoPricesError, SmartBoilerError
from smart_boiler_plugin.prices import tariffs
from smart_boiler_plugin.prices import update as price_update
from smart_boiler_plugin.prices.contract_schema import ContractSchema
from smart_boiler_plugin.prices.energy_charts.fetch import PATIENCE
from smart_boiler_plugin.prices.filling import fill_gaps
from smart_boiler_plugin.prices.sensors import default_timezone
from smart_boiler_plugin.prices.switching import settle_all
from smart_boiler_plugin.settings import ENERGY_CHARTS_URL, FILL_PRICE_GAPS

MOST_PARTS = 4
"""How many parts of a contract the list of tariffs shows."""


TARIFFS = {
    "name": "name",
    "operator": "operator",
    "country": "country",
    "per_kwh": "per kWh",
    "vat": "VAT",
    "currency": "currency",
    "sensor": "sensor",
    "boilers": "boilers",
}


@click.command("list-tariffs")
@with_json
@with_appcontext
def list_tariffs(*, as_json: bool) -> None:
    """List the tariffs of this server, and how many boilers are planned with each.

    \b
    Example:
      flexmeasures smart-boiler list-tariffs
    """  # noqa: D301 (click wants the \b)
    boilers = tariffs.boilers_by_sensor()
    rows = [
        [
            *(t.name, t.operator_id or "-", t.country or "-", *_shown_terms(t)),
            *(t.currency, t.sensor.id, boilers.get(t.sensor.id, 0)),
        ]
        for t in tariffs.all_tariffs()
    ]
    # a tariff may be called 1e3
    show(TARIFFS, rows, as_json=as_json, disable_numparse=[0])


def _shown_terms(tariff: tariffs.Tariff) -> tuple[str, str]:
    """Return what a kWh costs today, and VAT, for people."""
    try:
        contract = tariff.terms.on(day_of(server_now(), tariff.sensor.timezone))
    except SmartBoilerError as error:
        return str(error), "?"
    if contract is None:
        return "no contract yet", "?"
    document = ContractSchema().dump(contract)
    vat = document["vat"]
    shown = vat if isinstance(vat, str) else ", ".join(" from ".join(step.values()) for step in vat)
    parts = [_shown_part(part) for part in document["parts"]]
    more = [f"{len(parts) - MOST_PARTS} more"] if len(parts) > MOST_PARTS else []
    return " + ".join(parts[:MOST_PARTS] + more), shown


def _shown_part(part: dict[str, Any]) -> str:
    """Return one part for people: "0.05 EUR/kWh mon,tue 07:00-22:00", "spot * 1.02"."""
    factor = f"spot * {part['factor']:g}" if "factor" in part else None
    hours = f"{part['from']}-{part['until']}" if "from" in part else None
    special = {"rate", "factor", "from", "until"}
    others = [f"{value}" for name, value in part.items() if name not in special]
    return " ".join(word for word in (part.get("rate"), factor, *others, hours) if word)


@click.command("update-prices")
@click.option("--country", help=f"{COUNTRY} [default: all tariffs]")
@click.option("--tariff", help="Name of a tariff. [default: all]")
@click.option("--from", "--from-date", "from_date", type=DATE, help="First day, local time. [default: today]")
@click.option(
    "--until",
    "--to-date",
    "to_date",
    type=DATE,
    help="Last day, local time, included. [default: as far as prices are known]",
)
@with_appcontext
def update_prices(
    *, country: str | None, tariff: str | None, from_date: datetime | None, to_date: datetime | None
) -> None:
    """Derive the consumption prices of all tariffs from the imported day-ahead prices.

    Plans and costs rest on them, so run it after each import. Running it again is harmless. It says how many quarters
    of each day have a price, and exits with 1 if a day that is due has not all of them: a day is due from 15:00 of the
    day before, local time. With the setting SMART_BOILER_FILL_PRICE_GAPS, it asks Energy-Charts for what is due and
    missing, and says what came from there.

    \b
    Examples:
      flexmeasures smart-boiler update-prices
      flexmeasures smart-boiler update-prices --country BE --from 2025-10-01 --until 2025-10-31
    """  # noqa: D301 (click wants the \b)
    if country and tariff:
        raise click.UsageError("Give --country or --tariff, not both.")
    first, last = (moment.date() if moment else None for moment in (from_date, to_date))
    begin = first or day_of(server_now(), default_timezone())
    if last and last < begin:
        raise click.BadParameter(f"{last} is before the first day, {begin}.", param_hint="--until")
    try:
        chosen = _chosen(country, tariff)
    except SmartBoilerError as error:
        raise click.ClickException(str(error)) from error
    asked: set[str] = set()
    updated = [_update(one, first, last, asked) for one in chosen]
    settle_all()
    db.session.commit()
    if not all(updated):
        raise click.exceptions.Exit(1)


def _chosen(country: str | None, name: str | None) -> list[tariffs.Tariff]:
    """Return the tariffs that are asked for; where there is none yet, the one that is made on demand."""
    if name:
        return tariffs.all_named(name)
    found = tariffs.all_tariffs(country)
    # one that is made on demand stays if it gets prices
    return found or [tariffs.spot_tariff(country) if country else tariffs.default_tariff()]


def _update(tariff: tariffs.Tariff, first: date | None, last: date | None, asked: set[str]) -> bool:
    """Update a tariff and print what came of it; return whether all that is due is there.

    Energy-Charts is asked for what is missing of a country that is not among those that were asked for before.
    """
    now = server_now()
    click.echo(f"Consumption prices of {tariff.name} (sensor {tariff.sensor.id}):")
    try:
        _fill(tariff, *price_update.days_of(tariff, now, first, last), now, asked)
        days = price_update.update(tariff, now, first, last)
    except SmartBoilerError as error:
        remedy = f" {price_update.remedy(tariff.country)}" if isinstance(error, NoPricesError) else ""
        click.secho(f"  {error}{remedy}", **MsgStyle.ERROR)
        db.session.rollback()
        return False
    for day in days:
        click.secho(f"  {day}", **(MsgStyle.SUCCESS if day.complete else MsgStyle.WARN))
    tell_zeros(price_update.zeros_in_doubt(tariff, days[0].date, days[-1].date, now))
    market = MARKET_TIMEZONE if tariff.country else tariff.sensor.timezone
    overdue = [day for day in days if day.is_overdue(now, market)]
    if overdue:
        # a day more: flexmeasures-entsoe 0.10 leaves out the last hour of a span in which the clock goes back
        span = f" --from-date {overdue[0].date} --to-date {overdue[-1].end.date()}"
        click.secho(
            f"  Prices are missing that should be there. {price_update.remedy(tariff.country, span)}", **MsgStyle.ERROR
        )
    return not overdue


def _fill(tariff: tariffs.Tariff, first: date, last: date, now: datetime, asked: set[str]) -> None:
    """Fill gaps of spot prices from Energy-Charts where the setting allows it, and print what came of it."""
    country = tariff.country
    if country is None or country in asked or not FILL_PRICE_GAPS.value:
        return
    asked.add(country)
    filled = fill_gaps(country, first, last, now, url=ENERGY_CHARTS_URL.value, patience=PATIENCE)
    if filled is None:
        return
    if filled.trouble:
        click.secho(f"  Gaps cannot be filled from Energy-Charts: {filled.trouble}", **MsgStyle.WARN)
        return
    days = "; ".join(str(day) for day in filled.days)
    told = f"  {filled.quarters} quarters filled from Energy-Charts, bidding zone {filled.zone}. Before: {days}"
    click.secho(told, **MsgStyle.WARN)
    tell_licence(filled.licence)
