"""Fill what the ENTSO-E plugin left out of the spot prices from Energy-Charts, each price with its own source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd

from smart_boiler_plugin import stored
from smart_boiler_plugin.clock.coverage import MARKET_TIMEZONE, DayCoverage, by_day
from smart_boiler_plugin.clock.days import midnight, midnights
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.prices.energy_charts.fetch import PATIENCE, Patience, fetch
from smart_boiler_plugin.prices.energy_charts.importing import LICENCE_ATTRIBUTE, SOURCE
from smart_boiler_plugin.prices.energy_charts.zones import zone_of
from smart_boiler_plugin.prices.quarters import in_quarters
from smart_boiler_plugin.prices.sensors import get_or_create_spot_price_sensor, known_prices
from smart_boiler_plugin.prices.spot import import_spot_prices


@dataclass(frozen=True)
class Filled:
    """What was missing, and what came of it.

    Parameters
    ----------
    days
        The days that were due and incomplete, with which of their quarters had a price.
    quarters
        How many prices were stored.
    zone
        The bidding zone, as Energy-Charts names it.
    licence
        The conditions under which its prices may be used; empty if none are named.
    trouble
        Why there is no price of the days from Energy-Charts; None where there was an answer.

    """

    days: list[DayCoverage]
    quarters: int = 0
    zone: str = ""
    licence: str = ""
    trouble: SmartBoilerError | None = None


def fill_gaps(
    country: str, first: date, last: date, now: datetime, *, url: str, patience: Patience = PATIENCE
) -> Filled | None:
    """Store the prices of Energy-Charts for quarters that are due and have none, and commit. Harmless to repeat.

    Parameters
    ----------
    country
        Country code, as the ENTSO-E plugin has it.
    first, last
        The days, local time of the spot prices, both included.
    now
        To know what is due.
    url, patience
        As of ``import_from_energy_charts``.

    Returns
    -------
    Filled or None
        None where nothing that is due is missing: then nobody was asked.

    """
    sensor = get_or_create_spot_price_sensor(country)
    begin, end = midnight(first, sensor.timezone), midnights(last, sensor.timezone)[1]
    there = pd.DatetimeIndex(in_quarters(known_prices(sensor, begin, end), sensor.event_resolution).index)
    days = [day for day in by_day(there, first, last, sensor.timezone) if day.is_overdue(now, MARKET_TIMEZONE)]
    if not days:
        return None
    try:
        zone = zone_of(country)
        answer = fetch(zone, days[0].begin, days[-1].end, url=url, patience=patience)
    except SmartBoilerError as error:
        return Filled(days, trouble=error)
    missing = answer.prices[~answer.prices.index.isin(there)]
    if len(missing):
        stored.change(sensor, lambda _: answer.licence, LICENCE_ATTRIBUTE)
        import_spot_prices(country, missing, SOURCE, since_auction=True)
    return Filled(days, len(missing), zone, answer.licence)
