"""Commands about prices."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import cast

import click
import pandas as pd
from flask.cli import with_appcontext
from flexmeasures.cli.utils import MsgStyle
from flexmeasures.utils.time_utils import server_now

from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.prices import default_country, default_timezone, import_spot_prices, update_consumption_prices

DAY = click.DateTime(["%Y-%m-%d"])


@click.command("import-prices")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--country", help="Country code as the ENTSO-E plugin has it, such as NL or BE. [default: its setting]")
@with_appcontext
def import_prices(file: Path, country: str | None) -> None:
    """Import day-ahead prices from a CSV FILE, for whoever has no access to ENTSO-E.

    The FILE has a header and two columns: the start of each quarter of an hour with its UTC offset, and the price in
    EUR/MWh. They are stored where the ENTSO-E plugin would store them. Running it again is harmless.

    \b
    Example:
      flexmeasures smart-boiler import-prices --country BE prices.csv
    where prices.csv begins with:
      start,EUR/MWh
      2025-10-29T00:00+01:00,65.45
    """  # noqa: D301 (click wants the \b)
    prices = _read_prices(file)
    sensor = import_spot_prices(country or default_country(), prices, source_name=f"file {file.name}")
    click.secho(
        f"{len(prices)} prices of {sensor.generic_asset.name} are there (sensor {sensor.id}), from {prices.index[0]} "
        f"on. Now run: flexmeasures smart-boiler update-prices",
        **MsgStyle.SUCCESS,
    )


def _read_prices(file: Path) -> pd.Series[float]:
    """Return the prices [EUR/MWh] of a CSV file, by the start of their quarter."""
    rows = pd.read_csv(file, dtype=str)
    if len(rows.columns) != 2:  # noqa: PLR2004 (a time and a price)
        raise click.ClickException(f"{file} has {len(rows.columns)} columns. It must have two: start, and EUR/MWh.")
    moments = pd.to_datetime(rows.iloc[:, 0], utc=True, errors="coerce")
    offset = rows.iloc[:, 0].str.contains(r"(?:Z|[+-]\d\d:?\d\d)$", regex=True, na=False)
    values = pd.to_numeric(rows.iloc[:, 1], errors="coerce")
    wrong = moments.isna() | ~offset | values.isna() | moments.duplicated()
    wrong |= moments != moments.dt.floor("15min")
    if wrong.any():
        line = int(wrong.to_numpy().argmax()) + 2
        raise click.ClickException(
            f"{file}, line {line}: {','.join(map(str, rows.iloc[line - 2]))} is no quarter of its own with a price. "
            "Right is: 2025-10-29T00:00+01:00,65.45"
        )
    return cast("pd.Series[float]", pd.Series(values.to_numpy(), index=pd.DatetimeIndex(moments)).sort_index())


@click.command("update-prices")
@click.option("--country", help="Country code as the ENTSO-E plugin has it, such as NL or BE. [default: its setting]")
@click.option("--from-date", type=DAY, help="First day, local time. [default: today]")
@click.option("--to-date", type=DAY, help="Last day, local time, included. [default: tomorrow]")
@with_appcontext
def update_prices(country: str | None, from_date: datetime | None, to_date: datetime | None) -> None:
    """Derive the consumption prices (EUR/kWh) from the imported day-ahead prices.

    Plans and costs rest on them, so run it after each import. Running it again is harmless.

    \b
    Examples:
      flexmeasures smart-boiler update-prices
      flexmeasures smart-boiler update-prices --country BE --from-date 2025-10-01 --to-date 2025-10-31
    """  # noqa: D301 (click wants the \b)
    timezone = default_timezone()
    today = pd.Timestamp(server_now()).tz_convert(timezone).normalize()
    start = pd.Timestamp(from_date).tz_localize(timezone) if from_date else today
    last = pd.Timestamp(to_date).tz_localize(timezone) if to_date else max(start, today + pd.DateOffset(days=1))
    if last < start:
        raise click.BadParameter(f"{last.date()} is before the first day, {start.date()}.", param_hint="--to-date")
    try:
        update = update_consumption_prices(country or default_country(), start, last + pd.DateOffset(days=1))
    except SmartBoilerError as error:
        raise click.ClickException(str(error)) from error
    click.secho(f"Consumption prices of {update.sensor.generic_asset.name} (sensor {update.sensor.id}):")
    for day, (there, expected) in update.quarters_by_day.items():
        click.secho(
            f"  {day}  {there} of {expected} quarters",
            **(MsgStyle.SUCCESS if there == expected else MsgStyle.WARN),
        )
