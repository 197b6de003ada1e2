"""The command that imports spot prices, from a file or from Energy-Charts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import click
import pandas as pd
from flask.cli import with_appcontext
from flexmeasures.cli.utils import MsgStyle
from flexmeasures.utils.time_utils import server_now

from smart_boiler_plugin.cli.dates import DATE
from smart_boiler_plugin.clock.coverage import DUE_HOUR, DayCoverage
from smart_boiler_plugin.clock.days import day_of
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.prices.contract import Contract, Part
from smart_boiler_plugin.prices.energy_charts.fetch import PATIENCE
from smart_boiler_plugin.prices.energy_charts.importing import Import, import_from_energy_charts
from smart_boiler_plugin.prices.files import read_prices
from smart_boiler_plugin.prices.quarters import spread_over_quarters
from smart_boiler_plugin.prices.sensors import default_country, timezone_of
from smart_boiler_plugin.prices.spot import import_spot_prices, store_prices
from smart_boiler_plugin.prices.tariff_schema import check_spot_prices
from smart_boiler_plugin.prices.zeros import in_doubt
from smart_boiler_plugin.settings import ENERGY_CHARTS_URL
from smart_boiler_plugin.units import currency_of

SPOT = Contract((Part(factor=1.0),))
"""A contract that needs spot prices, of whatever currency."""


@click.command("import-prices")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", type=click.Choice(["csv", "energy-charts"]), help="[default: csv, where a FILE is named]")
@click.option(
    "--country", help="Country code as the ENTSO-E plugin has it, such as NL or DE_LU. [default: its setting]"
)
@click.option(
    "--price-sensor", type=int, help="In place of a country, id of a sensor of prices in another currency; for a FILE."
)
@click.option(
    "--from", "--from-date", "from_date", type=DATE, help="First day, local time; for energy-charts. [default: today]"
)
@click.option(
    "--until",
    "--to-date",
    "to_date",
    type=DATE,
    help="Last day, local time, included; for energy-charts. [default: tomorrow]",
)
@with_appcontext
def import_prices(
    *,
    file: Path | None,
    source: str | None,
    country: str | None,
    price_sensor: int | None,
    from_date: datetime | None,
    to_date: datetime | None,
) -> None:
    """Import day-ahead prices, for whoever has no access to ENTSO-E.

    They are stored where the ENTSO-E plugin would store them. Running it again is harmless.

    From energy-charts.info (Fraunhofer ISE), which is public and needs no token. Some of its prices are under CC BY 4.0
    (NL, BE, DE, FR ...), others for private and internal use only: the licence is shown, and kept with the prices.

    Or from a CSV FILE with a header and two columns: the start of each quarter, half or whole hour with its UTC offset,
    and the price in EUR/MWh, EUR/kWh or ct/kWh, as the header says; with --price-sensor in its currency, such as
    öre/kWh or p/kWh. What Excel writes is read: semicolons, decimal commas, Windows-1252.

    \b
    Examples:
      flexmeasures smart-boiler import-prices --source energy-charts --country NL
      flexmeasures smart-boiler import-prices --source energy-charts --from 2025-10-01 --until 2025-10-31
      flexmeasures smart-boiler import-prices --country BE prices.csv
      flexmeasures smart-boiler import-prices --price-sensor 5 prices-in-kronor.csv
    where prices.csv begins with:
      start,EUR/MWh
      2025-10-29T00:00+01:00,65.45
    """  # noqa: D301 (click wants the \b)
    if country and price_sensor:
        raise click.UsageError("Give --country or --price-sensor, not both.")
    country = country or default_country()
    try:
        if source == "energy-charts":
            _refuse(file, f"{file} is not read with --source energy-charts. Leave it out, or say --source csv.")
            _refuse(price_sensor, "--price-sensor goes with a FILE: Energy-Charts has prices of countries, in EUR.")
            _import_from_energy_charts(country, from_date, to_date)
        else:
            _refuse(from_date or to_date, "--from and --until go with --source energy-charts: a FILE is read whole.")
            _import_from_file(country, file, price_sensor)
    except SmartBoilerError as error:
        raise click.ClickException(str(error)) from error


def _refuse(option: object, message: str) -> None:
    """Refuse an option where it is given."""
    if option:
        raise click.UsageError(message)


def _import_from_file(country: str, file: Path | None, price_sensor: int | None) -> None:
    if file is None:
        raise click.UsageError("Name a FILE: import-prices prices.csv. Or fetch: import-prices --source energy-charts.")
    sensor = check_spot_prices(price_sensor, SPOT) if price_sensor else None
    rows = read_prices(file, currency_of(sensor.unit)) if sensor else read_prices(file)
    prices = spread_over_quarters(rows)
    if len(prices) != len(rows):
        click.secho(f"{len(rows)} rows are spread over {len(prices)} quarters of an hour.", **MsgStyle.WARN)
    source = f"file {file.name}"
    if sensor:
        store_prices(sensor, prices, source)
    else:
        sensor = import_spot_prices(country, prices, source)
    tell_zeros(in_doubt(prices.tz_convert(sensor.timezone), server_now()))
    _tell_next(
        f"{len(prices)} prices of {sensor.generic_asset.name} are there (sensor {sensor.id}), from {prices.index[0]} "
        "on."
    )


def _import_from_energy_charts(country: str, from_date: datetime | None, to_date: datetime | None) -> None:
    local = timezone_of(country)
    now = server_now()
    today = day_of(now, local)
    first = from_date.date() if from_date else today
    last = to_date.date() if to_date else max(first, today + timedelta(days=1))
    if last < first:
        raise click.BadParameter(f"{last} is before the first day, {first}.", param_hint="--until")
    done = import_from_energy_charts(country, first, last, local, now, url=ENERGY_CHARTS_URL.value, patience=PATIENCE)
    _tell(done)
    tell_zeros(done.doubtful)
    empty = [day for day in done.days if day.there.empty]
    due = [str(day.date) for day in empty if day.is_due(now)]
    _tell_days_to_come([day for day in empty if not day.is_due(now)])
    _tell_next(f"The prices of {done.sensor.generic_asset.name} are there (sensor {done.sensor.id}).")
    if due:
        raise click.ClickException(f"Energy-Charts has no price on {', '.join(due)}.")


def _tell(done: Import) -> None:
    """Say how much is there of each day, and on what conditions."""
    click.secho(f"Energy-Charts, bidding zone {done.zone}:")
    for day in done.days:
        click.secho(f"  {day}", **(MsgStyle.SUCCESS if day.complete else MsgStyle.WARN))
    if done.early:
        told = f"{done.early} quarters were said to cost exactly 0 before their auction has closed: they are left out."
        click.secho(told, **MsgStyle.WARN)
    tell_licence(done.licence)
    if done.deprecated:
        click.secho("Energy-Charts announces the end of this interface: look for a new version.", **MsgStyle.WARN)


def tell_licence(licence: str) -> None:
    """Say on what conditions prices of Energy-Charts may be used."""
    if "CC BY" in licence:
        click.secho(f"Data: {licence}")
    else:
        click.secho(f"Check that you may use these data: {licence or 'no licence is named.'}", **MsgStyle.WARN)


def tell_zeros(spans: Iterable[tuple[pd.Timestamp, pd.Timestamp]]) -> None:
    """Say where prices are zero that may not have been known when they were published."""
    for begin, end in spans:
        click.secho(
            f"  From {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} each price is exactly 0. If it was published "
            "before it was known, import it again.",
            **MsgStyle.WARN,
        )


def _tell_days_to_come(days: list[DayCoverage]) -> None:
    if days:
        dates = ", ".join(str(day.date) for day in days)
        click.secho(
            f"Not published yet: {dates}. Prices usually appear between 13:00 and {DUE_HOUR}:00 on the day before. Run "
            "it again then.",
            **MsgStyle.WARN,
        )


def _tell_next(what: str) -> None:
    click.secho(f"{what} Now run: flexmeasures smart-boiler update-prices", **MsgStyle.SUCCESS)
