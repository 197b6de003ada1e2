"""Commands about prices."""

from __future__ import annotations

import csv
import math
from datetime import datetime, timezone
from pathlib import Path
from typing import cast

import click
import pandas as pd
from flask.cli import with_appcontext
from flexmeasures.cli.utils import MsgStyle

from smart_boiler_plugin.prices import default_country, import_spot_prices

EXAMPLE = "2025-10-29T00:00+01:00,65.45"


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
    prices: dict[datetime, float] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines)
            _refuse_other_header(file, next(reader, []))
            for row in reader:
                if row:
                    _add_price(prices, row, where=f"{file}, line {reader.line_num}")
    except (UnicodeDecodeError, csv.Error) as error:
        raise click.ClickException(f"{file} is no CSV file in UTF-8: {error}") from error
    if not prices:
        raise click.ClickException(f"{file} has no prices.")
    return cast("pd.Series[float]", pd.Series(prices).sort_index())


def _refuse_other_header(file: Path, header: list[str]) -> None:
    """Refuse a first line that is none of ours, or is no header but a price."""
    if len(header) != 2 or any(character.isdigit() for character in header[0]):  # noqa: PLR2004 (start and price)
        raise click.ClickException(
            f"{file}, line 1: {','.join(header)} is no header. It must name two columns: start,EUR/MWh"
        )


def _add_price(prices: dict[datetime, float], row: list[str], where: str) -> None:
    """Add a row to the prices [EUR/MWh] by start, or refuse it and say where it stands and what is wrong."""
    try:
        start, price = _parse_price(row)
    except ValueError as error:
        raise click.ClickException(f"{where}: {','.join(row)}: {error}. Right is: {EXAMPLE}") from error
    if start in prices:
        raise click.ClickException(f"{where}: {','.join(row)}: this quarter stands in the file before.")
    prices[start] = price


def _parse_price(row: list[str]) -> tuple[datetime, float]:
    """Return start (UTC) and price [EUR/MWh] of a row, or raise a ValueError that says what is wrong."""
    if len(row) != 2:  # noqa: PLR2004 (start and price)
        raise ValueError(f"{len(row)} columns in place of two")
    # Python 3.10 does not know the Z
    start = datetime.fromisoformat(row[0].strip().replace("Z", "+00:00"))
    if start.tzinfo is None:
        raise ValueError("the UTC offset is missing")
    start = start.astimezone(timezone.utc)
    if start.minute % 15 or start.second or start.microsecond:
        raise ValueError("no quarter of an hour starts then")
    price = float(row[1])
    if not math.isfinite(price):
        raise ValueError("the price is no number")
    return start, price
