"""Commands about tariffs and their prices."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import click
import pytz
from flask.cli import with_appcontext
from flexmeasures.cli.utils import MsgStyle
from flexmeasures.data import db
from flexmeasures.utils.time_utils import server_now
from tabulate import tabulate

from smart_boiler_plugin.cli.dates import DATE
from smart_boiler_plugin.clock.coverage import MARKET_TIMEZONE
from smart_boiler_plugin.clock.days import day_of
from smart_boiler_plugin.errors import NoPricesError, SmartBoilerError
from smart_boiler_plugin.prices import tariffs
from smart_boiler_plugin.prices import update as price_update
from smart_boiler_plugin.prices.sensors import default_timezone

COUNTRY = "Country code as the ENTSO-E plugin has it, such as NL or BE."


@click.command("add-tariff")
@click.argument("name")
@click.option("--country", help=f"{COUNTRY} [default: its setting]")
@click.option("--price-sensor", type=int, help="In place of a country: id of a sensor with spot prices.")
@click.option("--fees", multiple=True, help="Paid per kWh on top, such as '0.05 EUR/kWh'; may be given several times.")
@click.option("--vat", default="0 %", show_default=True, help="Value-added tax on all of it, such as '21 %'.")
@click.option("--factor", type=float, default=1.0, show_default=True, help="What the spot price is multiplied with.")
@click.option("--timezone", help="In which fees are meant, IANA name. [default: that of the spot prices]")
@with_appcontext
def add_tariff(
    name: str,
    *,
    country: str | None,
    price_sensor: int | None,
    fees: tuple[str, ...],
    vat: str,
    factor: float,
    timezone: str | None,
) -> None:
    """Make a tariff: what customers pay per kWh is (spot price * factor + fees) * (1 + VAT).

    A fee is an amount that is always paid, or JSON with the part of the week in which it is paid, in local time. All
    that hold at the same time add up. 'until' may be on the next day; 'days' are mon-fri, sat,sun or the like.

    \b
    Examples:
      flexmeasures smart-boiler add-tariff "BE fixed fees" --country BE --fees "0.05 EUR/kWh" --vat "21 %"
      flexmeasures smart-boiler add-tariff "BE day and night" --country BE --factor 1.02 --vat "21 %" \\
        --fees "0.05 EUR/kWh" \\
        --fees '{"fee": "0.03 EUR/kWh", "days": "mon-fri", "from": "07:00", "until": "22:00"}'
      flexmeasures smart-boiler add-tariff "Oslo" --price-sensor 5 --fees "0.50 NOK/kWh" --vat "25 %"
    """  # noqa: D301 (click wants the \b)
    if country and price_sensor is not None:
        raise click.UsageError("Give --country or --price-sensor, not both.")
    if timezone and timezone not in pytz.all_timezones_set:
        raise click.BadParameter("Must be an IANA name, such as Europe/Brussels.", param_hint="--timezone")
    terms = {"factor": factor, "fees": _parse_fees(fees), "vat": vat}
    try:
        made = tariffs.add(name, country=country, price_sensor=price_sensor, timezone=timezone, terms=terms)
    except SmartBoilerError as error:
        raise click.ClickException(str(error)) from error
    click.secho(
        f"Tariff '{made.name}' is there: {made.sensor.unit} on sensor {made.sensor.id}, its days and fees by the time "
        f"of {made.sensor.timezone}. Its prices come with: flexmeasures smart-boiler update-prices",
        **MsgStyle.SUCCESS,
    )


def _parse_fees(words: Iterable[str]) -> list[Any]:
    """Return fees as JSON has them: texts as they are, objects, and lists of both."""
    fees: list[Any] = []
    for word in words:
        try:
            parsed = json.loads(word) if word.lstrip().startswith(("{", "[")) else word
        except ValueError as error:
            raise click.BadParameter(f"{word} is no JSON: {error}", param_hint="--fees") from error
        fees += parsed if isinstance(parsed, list) else [parsed]
    return fees


@click.command("list-tariffs")
@with_appcontext
def list_tariffs() -> None:
    """List the tariffs of this server, and how many boilers are planned with each.

    \b
    Example:
      flexmeasures smart-boiler list-tariffs
    """  # noqa: D301 (click wants the \b)
    boilers = tariffs.boilers_by_sensor()
    headers = ["name", "country", "factor", "fees", "VAT", "currency", "sensor", "boilers"]
    rows = [
        [t.name, t.country or "-", *_shown_terms(t), t.currency, t.sensor.id, boilers.get(t.sensor.id, 0)]
        for t in tariffs.all_tariffs()
    ]
    # a tariff may be called 1e3
    click.echo(tabulate(rows, headers=headers, disable_numparse=[0]))


def _shown_terms(tariff: tariffs.Tariff) -> list[str]:
    """Return factor, fees and VAT for people."""
    try:
        config = tariff.config
    except SmartBoilerError as error:
        return ["?", str(error), "?"]
    return [f"{config['factor']:g}", " + ".join(map(_shown_fee, config["fees"])) or "none", config["vat"]]


def _shown_fee(fee: dict[str, str]) -> str:
    hours = f"{fee['from']}-{fee['until']}" if "from" in fee else None
    return " ".join(part for part in (fee["fee"], fee.get("days"), hours) if part)


@click.command("update-prices")
@click.option("--country", help=f"{COUNTRY} [default: all tariffs]")
@click.option("--tariff", help="Name of a tariff. [default: all]")
@click.option("--from-date", type=DATE, help="First day, local time. [default: today]")
@click.option("--to-date", type=DATE, help="Last day, local time, included. [default: as far as prices are known]")
@with_appcontext
def update_prices(
    *, country: str | None, tariff: str | None, from_date: datetime | None, to_date: datetime | None
) -> None:
    """Derive the consumption prices of all tariffs from the imported day-ahead prices.

    Plans and costs rest on them, so run it after each import. Running it again is harmless. It says how many quarters
    of each day have a price, and exits with 1 if a day that is due has not all of them: a day is due from 15:00 of the
    day before, local time.

    \b
    Examples:
      flexmeasures smart-boiler update-prices
      flexmeasures smart-boiler update-prices --country BE --from-date 2025-10-01 --to-date 2025-10-31
    """  # noqa: D301 (click wants the \b)
    if country and tariff:
        raise click.UsageError("Give --country or --tariff, not both.")
    first, last = (moment.date() if moment else None for moment in (from_date, to_date))
    begin = first or day_of(server_now(), default_timezone())
    if last and last < begin:
        raise click.BadParameter(f"{last} is before the first day, {begin}.", param_hint="--to-date")
    try:
        chosen = _chosen(country, tariff)
    except SmartBoilerError as error:
        raise click.ClickException(str(error)) from error
    updated = [_update(one, first, last) for one in chosen]
    if not all(updated):
        raise click.exceptions.Exit(1)


def _chosen(country: str | None, name: str | None) -> list[tariffs.Tariff]:
    """Return the tariffs that are asked for; where there is none yet, the one that is made on demand."""
    if name:
        return [tariffs.find(name)]
    found = tariffs.all_tariffs(country)
    # one that is made on demand stays if it gets prices
    return found or [tariffs.spot_tariff(country) if country else tariffs.default_tariff()]


def _update(tariff: tariffs.Tariff, first: date | None, last: date | None) -> bool:
    """Update a tariff and print what came of it; return whether all that is due is there."""
    now = server_now()
    click.echo(f"Consumption prices of {tariff.name} (sensor {tariff.sensor.id}):")
    try:
        days = price_update.update(tariff, now, first, last)
    except SmartBoilerError as error:
        remedy = f" {_remedy(tariff)}" if isinstance(error, NoPricesError) else ""
        click.secho(f"  {error}{remedy}", **MsgStyle.ERROR)
        db.session.rollback()
        return False
    for day in days:
        click.secho(f"  {day}", **(MsgStyle.SUCCESS if day.complete else MsgStyle.WARN))
    market = MARKET_TIMEZONE if tariff.country else tariff.sensor.timezone
    overdue = [day for day in days if day.is_overdue(now, market)]
    if overdue:
        # a day more: flexmeasures-entsoe 0.10 leaves out the last hour of a span in which the clock goes back
        span = f" --from-date {overdue[0].date} --to-date {overdue[-1].end.date()}"
        click.secho(f"  Prices are missing that should be there. {_remedy(tariff, span)}", **MsgStyle.ERROR)
    return not overdue


def _remedy(tariff: tariffs.Tariff, span: str = "") -> str:
    """Return what to do about missing prices."""
    if tariff.country is None:
        return "Store them on the tariff's price sensor, and run this again."
    where = f"--country {tariff.country}{span}"
    return (
        f"Import them, and run this again: flexmeasures entsoe import-day-ahead-prices {where} (without a token: "
        f"flexmeasures smart-boiler import-prices --source energy-charts {where})"
    )
