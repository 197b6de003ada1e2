"""Commands about tariffs as contracts: make, change, remove and show one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import uniplot
from flask.cli import with_appcontext
from flexmeasures import Account
from flexmeasures.cli.utils import MsgStyle
from flexmeasures.utils.time_utils import server_now
from tabulate import tabulate

from smart_boiler_plugin.cli.accounts import find_operator
from smart_boiler_plugin.cli.dates import DATE
from smart_boiler_plugin.cli.shown import show_json, with_json
from smart_boiler_plugin.clock.days import day_of
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.prices import tariff_life, tariffs
from smart_boiler_plugin.prices.contract import Contract, fixed_fees
from smart_boiler_plugin.prices.contract_schema import ContractSchema
from smart_boiler_plugin.prices.tariff_schema import load_contract
from smart_boiler_plugin.prices.update import prices_of, update_if_known

COUNTRY = "Country code as the ENTSO-E plugin has it, such as NL or BE."

LARGEST_FILE = 256 * 1024
"""Longest contract [bytes]."""

WIDTH, HEIGHT = 96, 12
"""Of the picture of a day: a column for each quarter [characters]."""

Command = Callable[..., Any]

with_operator: Callable[[Command], Command] = click.option(
    "--operator", "operator_id", type=int, help="Account id of the operator whose own it is. [default: everybody's]"
)
with_price_sensor: Callable[[Command], Command] = click.option(
    "--price-sensor", type=int, help="In place of a country: id of a sensor with spot prices."
)
CONTRACT_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("add-tariff")
@click.argument("name")
@click.option("--file", type=CONTRACT_FILE, help="JSON file with the contract (docs/tariffs.md).")
@click.option("--country", help=f"{COUNTRY} [default: its setting]")
@with_price_sensor
@click.option("--fees", multiple=True, help="Paid per kWh on top, such as '0.05 EUR/kWh'; may be given several times.")
@click.option("--vat", help="Value-added tax on all of it, such as '21 %'. [default: 0 %]")
@click.option("--factor", type=float, help="What the spot price is multiplied with. [default: 1.0]")
@click.option("--timezone", help="In which hours are meant, IANA name. [default: that of the spot prices]")
@with_operator
@with_appcontext
def add_tariff(
    name: str,
    *,
    file: Path | None,
    fees: tuple[str, ...],
    vat: str | None,
    factor: float | None,
    operator_id: int | None,
    **place: Any,
) -> None:
    """Make a tariff: what customers pay per kWh, by a contract in a file, or by options.

    By options, it is (spot price * factor + fees) * (1 + VAT). A fee is an amount that is always paid, or JSON with the
    part of the week or of the year in which it is paid, in local time. All that hold at the same time add up. 'until'
    may be on the next day; 'days' are mon-fri, sat,sun or the like, 'months' are oct-mar or the like. With --factor 0,
    no spot price is needed.

    \b
    Examples:
      flexmeasures smart-boiler add-tariff "Day and night" --file contract.json
      flexmeasures smart-boiler add-tariff "BE fixed fees" --country BE --fees "0.05 EUR/kWh" --vat "21 %"
      flexmeasures smart-boiler add-tariff "BE day and night" --country BE --factor 1.02 --vat "21 %" \\
        --fees "0.05 EUR/kWh" \\
        --fees '{"fee": "0.03 EUR/kWh", "days": "mon-fri", "from": "07:00", "until": "22:00"}'
      flexmeasures smart-boiler add-tariff "Oslo" --price-sensor 5 --fees "0.50 NOK/kWh" --vat "25 %"
    """  # noqa: D301 (click wants the \b)
    if place["country"] and place["price_sensor"] is not None:
        raise click.UsageError("Give --country or --price-sensor, not both.")
    simple: dict[str, Any] = {"factor": factor, "fees": _parse_fees(fees) or None, "vat": vat}
    given = {option: value for option, value in simple.items() if value is not None}
    if file and given:
        raise click.UsageError(f"Give --file or --{', --'.join(given)}, not both.")
    try:
        contract = _read_contract(file) if file else load_contract(given)
        made = tariff_life.add(name, contract, operator=_operator(operator_id), **place)
        days = update_if_known(made, server_now())
    except SmartBoilerError as error:
        raise click.ClickException(str(error)) from error
    known = f"Its prices are there until {days[-1].end:%Y-%m-%d %H:%M}, later ones" if days else "Its prices"
    click.secho(
        f"Tariff '{made.name}' is there: {made.sensor.unit} on sensor {made.sensor.id}, its days and fees by the time "
        f"of {made.sensor.timezone}. {known} come with: flexmeasures smart-boiler update-prices",
        **MsgStyle.SUCCESS,
    )


def _parse_fees(words: Iterable[str]) -> list[Any]:
    """Return fees as JSON has them: texts as they are, objects, and lists of both."""
    fees: list[Any] = []
    for word in words:
        try:
            parsed = json.loads(word) if word.lstrip().startswith(("{", "[")) else word
        except (ValueError, RecursionError) as error:
            raise click.BadParameter(f"{word[:100]} is no JSON: {error}", param_hint="--fees") from error
        fees += parsed if isinstance(parsed, list) else [parsed]
    return fees


def _read_contract(file: Path) -> Contract:
    """Return the contract of a JSON file."""
    if file.stat().st_size > LARGEST_FILE:
        raise click.BadParameter(f"{file} is longer than {LARGEST_FILE // 1024} kB.", param_hint="--file")
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"{file} is no JSON: {error}", param_hint="--file") from error
    return load_contract({"contract": document})


def _operator(account_id: int | None) -> Account | None:
    """Return the account of an operator."""
    return None if account_id is None else find_operator(account_id)


@click.command("change-tariff")
@click.argument("name")
@click.option("--file", type=CONTRACT_FILE, required=True, help="JSON file with the contract (docs/tariffs.md).")
@click.option("--from", "first", type=DATE, required=True, help="First day on which it holds, local time.")
@click.option("--in-the-past", is_flag=True, help="Let that day be over: a correction of what held.")
@click.option("--country", help=f"{COUNTRY} For a tariff that had no spot prices until now.")
@with_price_sensor
@with_operator
@with_appcontext
def change_tariff(
    name: str,
    *,
    file: Path,
    first: datetime,
    in_the_past: bool,
    country: str | None,
    price_sensor: int | None,
    operator_id: int | None,
) -> None:
    """Let another contract hold from a day on. What is paid on days before stays.

    A contract that begins on the same day is replaced. With --in-the-past, days that are over get its prices by
    update-prices --from-date alone.

    \b
    Examples:
      flexmeasures smart-boiler change-tariff "Day and night" --file contract-2027.json --from 2027-01-01
      flexmeasures smart-boiler change-tariff "Day and night" --file right.json --from 2026-03-01 --in-the-past
    """  # noqa: D301 (click wants the \b)
    try:
        changed = tariff_life.change(
            tariffs.find(name, _operator(operator_id)),
            _read_contract(file),
            first.date(),
            country=country,
            price_sensor=price_sensor,
            in_the_past=in_the_past,
        )
        update_if_known(changed, server_now())
    except SmartBoilerError as error:
        raise click.ClickException(str(error)) from error
    click.secho(f"Tariff '{changed.name}' has this contract from {first.date()} on.", **MsgStyle.SUCCESS)
    if in_the_past:
        told = f'flexmeasures smart-boiler update-prices --tariff "{changed.name}" --from-date {first.date()}'
        click.secho(f"Prices of days that are over come with: {told}", **MsgStyle.WARN)


@click.command("remove-tariff")
@click.argument("name")
@click.option("--move-to", help="Name of the tariff that its customers have from now on.")
@with_operator
@with_appcontext
def remove_tariff(name: str, *, move_to: str | None, operator_id: int | None) -> None:
    """Remove a tariff. It is refused while customers have it, unless --move-to says which one they get.

    What was paid stays: its prices until now are kept, and past days are accounted with them.

    \b
    Examples:
      flexmeasures smart-boiler remove-tariff "Day and night"
      flexmeasures smart-boiler remove-tariff "Day and night" --move-to "NL spot tariff"
    """  # noqa: D301 (click wants the \b)
    try:
        operator = _operator(operator_id)
        moved = tariff_life.remove(tariffs.find(name, operator), tariffs.find(move_to, operator) if move_to else None)
    except SmartBoilerError as error:
        raise click.ClickException(str(error)) from error
    told = f" {moved} customers have '{move_to}' now." if moved else ""
    click.secho(f"Tariff '{name}' was removed.{told}", **MsgStyle.SUCCESS)


@click.command("show-tariff")
@click.argument("name")
@click.option("--date", "day", type=DATE, help="Which day, local time. [default: today]")
@with_operator
@with_json
@with_appcontext
def show_tariff(name: str, *, day: datetime | None, operator_id: int | None, as_json: bool) -> None:
    """Show the contract of a tariff on a day, and the prices of that day as a table and a picture.

    \b
    Examples:
      flexmeasures smart-boiler show-tariff "Day and night"
      flexmeasures smart-boiler show-tariff "Day and night" --date 2026-12-25
    """  # noqa: D301 (click wants the \b)
    try:
        tariff = tariffs.find(name, _operator(operator_id))
        date = day.date() if day else day_of(server_now(), tariff.sensor.timezone)
        terms, prices = tariff.terms, prices_of(tariff, date, server_now())
    except SmartBoilerError as error:
        raise click.ClickException(str(error)) from error
    contract = terms.on(date)
    fees = fixed_fees(terms.versions, pd.DatetimeIndex([date])).iloc[0]
    if as_json:
        quarters = {str(start): None if np.isnan(price) else price for start, price in prices.items()}
        shown = ContractSchema().dump(contract) if contract else None
        told = {"name": tariff.name, "date": date, "currency": tariff.currency, "contract": shown}
        show_json({**told, "fixed_fees": fees, "prices_per_kwh": quarters})
        return
    click.echo(f"{tariff.name} on {date} ({tariff.sensor.timezone}), versions from: {_shown_versions(terms)}")
    click.echo(
        json.dumps(ContractSchema().dump(contract), indent=2, ensure_ascii=False) if contract else "No contract."
    )
    click.echo(f"Fixed fees of the day, with VAT: {fees:.6g} {tariff.currency}")
    unit = f"{tariff.currency}/kWh"
    click.echo(tabulate(_spans(prices), headers=["from", "until", unit], disable_numparse=[0, 1], floatfmt=".6g"))
    known = prices.dropna()
    if known.empty:
        click.secho("No price is known: import spot prices of this day.", **MsgStyle.WARN)
        return
    hours = (known.index - prices.index[0]) / pd.Timedelta(hours=1)
    options = {"width": WIDTH, "height": HEIGHT, "lines": False, "color": False, "x_min": 0, "x_max": len(prices) / 4}
    click.echo(uniplot.plot_to_string(ys=known.to_numpy(), xs=np.asarray(hours), title=unit, x_unit=" h", **options))


def _shown_versions(terms: Any) -> str:
    return ", ".join(str(version.first or "always") for version in terms.versions)


def _spans(prices: pd.Series[Any]) -> list[list[Any]]:
    """Return from when until when which price holds; the last one until 24:00."""
    number = (prices.fillna(np.inf) != prices.fillna(np.inf).shift()).cumsum()
    begins = [span.index[0] for _, span in prices.groupby(number)]
    clock = "%H:%M" if begins[0].utcoffset() == prices.index[-1].utcoffset() else "%H:%M %Z"
    shown = [begin.strftime(clock) for begin in begins]
    values = ["-" if np.isnan(prices[begin]) else prices[begin] for begin in begins]
    return [[*row] for row in zip(shown, [*shown[1:], "24:00"], values, strict=True)]
