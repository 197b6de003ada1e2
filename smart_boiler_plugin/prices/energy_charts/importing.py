"""From Energy-Charts into the sensor in which the ENTSO-E plugin keeps day-ahead prices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd
from flexmeasures import Sensor

from smart_boiler_plugin import stored
from smart_boiler_plugin.clock.coverage import DayCoverage, by_day
from smart_boiler_plugin.clock.days import midnight, midnights
from smart_boiler_plugin.errors import NoPricesError
from smart_boiler_plugin.prices.energy_charts.fetch import PATIENCE, Patience, fetch
from smart_boiler_plugin.prices.energy_charts.zones import zone_of
from smart_boiler_plugin.prices.sensors import get_or_create_spot_price_sensor
from smart_boiler_plugin.prices.spot import import_spot_prices
from smart_boiler_plugin.prices.zeros import before_auction, in_doubt

SOURCE = "Energy-Charts"

TOO_EARLY = "the auction has not closed yet. Run it again after it."

LICENCE_ATTRIBUTE = "Energy-Charts licence"
"""Attribute of a price sensor with the conditions under which its prices from Energy-Charts may be used.

It is the sensor's and not the data source's: it differs by bidding zone, and a licence that is reworded makes no other
source of the same prices.
"""


@dataclass(frozen=True)
class Import:
    """What came from Energy-Charts.

    Parameters
    ----------
    sensor
        Where the prices are.
    zone
        Their bidding zone, as Energy-Charts names it.
    days
        The local days of the span, with which of their quarters have a price.
    licence
        The conditions under which the prices may be used; empty if Energy-Charts names none.
    deprecated
        Whether Energy-Charts announces the end of the interface.
    early
        How many quarters were left out, as they were zero before their auction had closed.
    doubtful
        From when to when prices are zero that may not have been known yet.

    """

    sensor: Sensor
    zone: str
    days: list[DayCoverage]
    licence: str
    deprecated: bool
    early: int
    doubtful: list[tuple[pd.Timestamp, pd.Timestamp]]


def import_from_energy_charts(
    country: str, first: date, last: date, timezone: str, now: datetime, *, url: str, patience: Patience = PATIENCE
) -> Import:
    """Fetch and store the day-ahead prices of some days, all of what came or nothing. Harmless to repeat.

    Zeros of a day whose auction has not closed are no prices.

    Parameters
    ----------
    country
        Country code, as the ENTSO-E plugin has it.
    first, last
        The days, both included.
    timezone
        Whose days (IANA name).
    now
        To know which auctions have closed.
    url
        Address of the API.
    patience
        How long to wait for it.

    Raises
    ------
    UnknownZoneError
        If Energy-Charts has no prices of this country.
    NoPricesError
        If it has none of these days.
    PriceServiceError
        If it gave no answer, or none that can be believed.

    """
    zone = zone_of(country)
    start, end = midnight(first, timezone), midnights(last, timezone)[1]
    answer = fetch(zone, start, end, url=url, patience=patience)
    early = before_auction(answer.prices, now)
    prices = answer.prices[~early]
    if prices.empty:
        raise NoPricesError(f"Energy-Charts has no price of {zone} from {first} to {last} but zeros: {TOO_EARLY}")
    sensor = get_or_create_spot_price_sensor(country)
    stored.change(sensor, lambda _: answer.licence, LICENCE_ATTRIBUTE)
    import_spot_prices(country, prices, SOURCE, since_auction=True)
    days = by_day(pd.DatetimeIndex(prices.index), first, last, timezone)
    doubtful = in_doubt(prices.tz_convert(timezone), now)
    return Import(sensor, zone, days, answer.licence, answer.deprecated, int(early.sum()), doubtful)
