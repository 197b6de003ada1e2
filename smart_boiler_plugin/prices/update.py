"""The consumption prices of a tariff, from its spot prices. What a tariff is: ``tariffs.py``."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pandas as pd
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
from smart_boiler_plugin.host import PLANNED, config_of
from smart_boiler_plugin.prices.sensors import known_prices
from smart_boiler_plugin.prices.tariffs import Tariff


def update(tariff: Tariff, now: datetime, first: date | None = None, last: date | None = None) -> list[DayCoverage]:
    """Derive a tariff's consumption prices from its spot prices, and commit. Harmless to repeat.

    Parameters
    ----------
    tariff
        Whose.
    now
        To know which day is today, and as the time at which new prices become known.
    first
        First day, local time of the tariff; None means today.
    last
        Last day; None means as far as spot prices are known, and tomorrow at least.

    Returns
    -------
    list of DayCoverage
        The days, with which of their quarters have a price now.

    Raises
    ------
    NoPricesError
        If no spot price is known in the span.
    SmartBoilerError
        If the tariff is broken, or the last day is before the first.

    """
    timezone = tariff.sensor.timezone
    today = day_of(now, timezone)
    first = first or today
    reporter = tariff.reporter
    spot: Sensor = config_of(reporter)["price_sensor"]
    last = last or _last_day(spot, today, timezone)
    if last < first:
        raise SmartBoilerError(f"The last day, {last}, is before the first, {first}.")
    begin, end = midnight(first, timezone), midnights(last, timezone)[1]
    try:
        (report,) = reporter.compute(
            start=begin, end=end, belief_time=pd.Timestamp(now), output=[{"sensor": tariff.sensor}]
        )
    except ValidationError as error:
        raise SmartBoilerError(error.messages_dict) from error
    if report["data"].empty:
        raise NoPricesError(f"No day-ahead price is known from {first} to {last} (sensor {spot.id}).")
    stored = _stored(tariff.sensor, begin, end, now)
    prices = report["data"].event_value
    # not left to the host: it would store what is unchanged once more, when its time has come, and leave out what this
    # source has said before, though another one has said something else since
    unchanged = stored.reindex(prices.index.get_level_values("event_start")).to_numpy() == prices.to_numpy()
    save_to_db(report["data"][~unchanged], save_changed_beliefs_only=False)
    db.session.commit()
    return by_day(pd.DatetimeIndex(_stored(tariff.sensor, begin, end, now).index), first, last, timezone)


def _last_day(spot: Sensor, today: date, timezone: str) -> date:
    """Return the last day with spot prices, and not one before tomorrow."""
    query = (
        db.select(func.max(TimedBelief.event_start))
        .join(Source)
        .filter(TimedBelief.sensor_id == spot.id, Source.type.not_in(PLANNED))
    )
    tomorrow = today + timedelta(days=1)
    last_start = db.session.execute(query).scalar()
    return max(tomorrow, day_of(last_start, timezone)) if last_start else tomorrow


def _stored(sensor: Sensor, start: datetime, end: datetime, now: datetime) -> pd.Series:
    """Return the prices that a sensor holds of a span, by the start of the quarters; forecasts are none."""
    values = known_prices(sensor, start, end, now, resolution=QUARTER)
    within: pd.Series = values[(values.index >= start) & (values.index < end)]
    return within
