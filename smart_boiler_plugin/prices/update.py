"""The consumption prices of a tariff, from its terms and spot prices. What a tariff is: ``tariffs.py``."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pandas as pd
import timely_beliefs as tb
from flexmeasures import Sensor, Source
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from flexmeasures.data.utils import save_to_db
from marshmallow import ValidationError
from sqlalchemy import func

from smart_boiler_plugin.clock.coverage import DayCoverage, by_day
from smart_boiler_plugin.clock.days import day_of, midnight, midnights
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.errors import NoPricesError, SmartBoilerError
from smart_boiler_plugin.host import PLANNED
from smart_boiler_plugin.prices.quarters import in_quarters
from smart_boiler_plugin.prices.sensors import known_prices
from smart_boiler_plugin.prices.tariffs import Tariff
from smart_boiler_plugin.prices.zeros import in_doubt


def update(tariff: Tariff, now: datetime, first: date | None = None, last: date | None = None) -> list[DayCoverage]:
    """Make a tariff's consumption prices, each day's by the contract that held, and commit. Harmless to repeat.

    Parameters
    ----------
    tariff
        Whose.
    now
        To know which day is today, and as the time at which new prices become known.
    first
        First day, local time of the tariff; None means today.
    last
        Last day; None means as far as spot prices are known, and tomorrow at least; tomorrow, where it has none.

    Returns
    -------
    list of DayCoverage
        The days, with which of their quarters have a price now.

    Raises
    ------
    NoPricesError
        If no price can be made in the span, as no spot price is known.
    SmartBoilerError
        If the tariff is broken, or the last day is before the first.

    """
    timezone = tariff.sensor.timezone
    first, last = days_of(tariff, now, first, last)
    spot = tariff.terms.price_sensor
    begin, end = midnight(first, timezone), midnights(last, timezone)[1]
    made = _computed(tariff, begin, end, now)
    if made.empty:
        where = f" (sensor {spot.id})" if spot else ""
        raise NoPricesError(f"No day-ahead price is known from {first} to {last}{where}.")
    stored = _stored(tariff.sensor, begin, end, now)
    prices = made.event_value
    # not left to the host: it would store what is unchanged once more, when its time has come, and leave out what this
    # source has said before, though another one has said something else since
    unchanged = stored.reindex(prices.index.get_level_values("event_start")).to_numpy() == prices.to_numpy()
    save_to_db(made[~unchanged], save_changed_beliefs_only=False)
    db.session.commit()
    return by_day(pd.DatetimeIndex(_stored(tariff.sensor, begin, end, now).index), first, last, timezone)


def days_of(tariff: Tariff, now: datetime, first: date | None = None, last: date | None = None) -> tuple[date, date]:
    """Return the first and the last day that an update makes; arguments and what is raised as of ``update``."""
    timezone = tariff.sensor.timezone
    today = day_of(now, timezone)
    first = first or today
    last = last or _last_day(tariff.terms.price_sensor, today, timezone)
    if last < first:
        raise SmartBoilerError(f"The last day, {last}, is before the first, {first}.")
    return first, last


def zeros_in_doubt(tariff: Tariff, first: date, last: date, now: datetime) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """Return where the spot prices of a tariff are zero that may not be known yet (``zeros.in_doubt``)."""
    spot = tariff.terms.price_sensor
    if spot is None:
        return []
    timezone = tariff.sensor.timezone
    known = known_prices(spot, midnight(first, timezone), midnights(last, timezone)[1], now)
    return in_doubt(in_quarters(known, spot.event_resolution).tz_convert(timezone), now)


def update_if_known(tariff: Tariff, now: datetime) -> list[DayCoverage]:
    """Make the prices of a tariff that is new or has changed as far as they are known; none is no error."""
    try:
        return update(tariff, now)
    except NoPricesError:
        return []


def prices_of(tariff: Tariff, day: date, now: datetime) -> pd.Series:
    """Return the prices of a local day [currency/kWh] as its contract has them now, of all its quarters; NaN: none.

    Nothing is stored.

    Raises
    ------
    SmartBoilerError
        If the tariff is broken.

    """
    begin, end = midnights(day, tariff.sensor.timezone)
    made = _computed(tariff, begin, end, now).event_value
    prices = pd.Series(made.to_numpy(), index=pd.DatetimeIndex(made.index.get_level_values("event_start")))
    of_all: pd.Series = prices.reindex(pd.date_range(begin, end, freq=QUARTER, inclusive="left"))
    return of_all


def _computed(tariff: Tariff, begin: datetime, end: datetime, now: datetime) -> tb.BeliefsDataFrame:
    """Return the consumption prices of a span that can be made."""
    try:
        (report,) = tariff.reporter.compute(
            start=begin, end=end, belief_time=pd.Timestamp(now), output=[{"sensor": tariff.sensor}]
        )
    except ValidationError as error:
        raise SmartBoilerError(error.messages_dict) from error
    made: tb.BeliefsDataFrame = report["data"]
    return made


def _last_day(spot: Sensor | None, today: date, timezone: str) -> date:
    """Return the last day with spot prices, and not one before tomorrow."""
    tomorrow = today + timedelta(days=1)
    if spot is None:
        return tomorrow
    query = (
        db.select(func.max(TimedBelief.event_start))
        .join(Source)
        .filter(TimedBelief.sensor_id == spot.id, Source.type.not_in(PLANNED))
    )
    last_start = db.session.execute(query).scalar()
    return max(tomorrow, day_of(last_start, timezone)) if last_start else tomorrow


def _stored(sensor: Sensor, start: datetime, end: datetime, now: datetime) -> pd.Series:
    """Return the prices that a sensor holds of a span, by the start of the quarters; forecasts are none."""
    values = known_prices(sensor, start, end, now, resolution=QUARTER)
    within: pd.Series = values[(values.index >= start) & (values.index < end)]
    return within


def remedy(country: str | None, span: str = "") -> str:
    """Return what to do about missing prices of a tariff, for people.

    Parameters
    ----------
    country
        Whose spot prices it rests on; None where it is no country's.
    span
        Options that name the days, beginning with a space; empty, and it is the usual ones.

    """
    if country is None:
        return "Store them on the tariff's price sensor, and run flexmeasures smart-boiler update-prices."
    where = f"--country {country}{span}"
    return (
        f"Import them, and run update-prices: flexmeasures entsoe import-day-ahead-prices {where} (without a token: "
        f"flexmeasures smart-boiler import-prices --source energy-charts {where}); then flexmeasures smart-boiler "
        "update-prices"
    )
