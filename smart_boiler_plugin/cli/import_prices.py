"""The command that imports spot prices from a file."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext
from flexmeasures.cli.utils import MsgStyle

from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.price_files import read_prices
from smart_boiler_plugin.prices import default_country
from smart_boiler_plugin.spot_prices import import_spot_prices


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
    try:
        prices = read_prices(file)
        sensor = import_spot_prices(country or default_country(), prices, source_name=f"file {file.name}")
    except SmartBoilerError as error:
        raise click.ClickException(str(error)) from error
    click.secho(
        f"{len(prices)} prices of {sensor.generic_asset.name} are there (sensor {sensor.id}), from {prices.index[0]} "
        f"on. Now run: flexmeasures smart-boiler update-prices",
        **MsgStyle.SUCCESS,
    )
