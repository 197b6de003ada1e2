"""The command that derives consumption prices. The one that imports spot prices is in ``import_prices``."""

from __future__ import annotations

from datetime import datetime

import click
import pandas as pd
from flask.cli import with_appcontext
from flexmeasures.cli.utils import MsgStyle
from flexmeasures.utils.time_utils import server_now

from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.prices import default_country, default_timezone, update_consumption_prices

DAY = click.DateTime(["%Y-%m-%d"])


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
    local = default_timezone()
    today = pd.Timestamp(server_now()).tz_convert(local).normalize()
    start = pd.Timestamp(from_date).tz_localize(local) if from_date else today
    last = pd.Timestamp(to_date).tz_localize(local) if to_date else max(start, today + pd.DateOffset(days=1))
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
