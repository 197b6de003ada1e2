"""Which sensor holds the spot price, which the consumption price, and how the one becomes the other.

The spot price of a country is where the ENTSO-E plugin puts it. What else puts it there is in ``spot_prices``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
import timely_beliefs as tb
from flask import current_app
from flexmeasures import Asset, AssetType, Sensor
from flexmeasures.data import db
from flexmeasures.data.services.data_sources import get_or_create_source
from flexmeasures.data.utils import save_to_db
from flexmeasures.utils.time_utils import server_now
from flexmeasures.utils.unit_utils import convert_units
from sqlalchemy import func

from smart_boiler_plugin.boiler import RESOLUTION
from smart_boiler_plugin.errors import NoPricesError

SPOT_SENSOR = {"name": "Day-ahead prices", "unit": "EUR/MWh"}
CONSUMPTION_SENSOR = {"name": "consumption price", "unit": "EUR/kWh"}

PRICE_LOCK = 0x70726963
"""Key of the advisory lock under which price sensors are made (the bytes of "pric")."""


def default_country() -> str:
    """Return the country code of the ENTSO-E plugin's configuration, or that plugin's own default."""
    return str(current_app.config.get("ENTSOE_COUNTRY_CODE") or "NL")


def default_timezone() -> str:
    """Return the time zone of the ENTSO-E plugin's configuration, or that plugin's own default (IANA name)."""
    return str(current_app.config.get("ENTSOE_COUNTRY_TIMEZONE") or "Europe/Amsterdam")


def get_or_create_spot_price_sensor(country: str) -> Sensor:
    """Return the public sensor [EUR/MWh] into which the ENTSO-E plugin imports this country's day-ahead prices."""
    return _get_or_create(f"{country} transmission zone", "transmission zone", SPOT_SENSOR)


def get_or_create_consumption_price_sensor(country: str) -> Sensor:
    """Return the public sensor [EUR/kWh] with what customers on this country's spot tariff pay. May flush.

    It is public, as the customers' users see public assets and their own alone.
    """
    return _get_or_create(f"{country} spot tariff", "tariff", CONSUMPTION_SENSOR)


@dataclass(frozen=True)
class Update:
    """What an update of consumption prices did.

    Parameters
    ----------
    sensor
        Where the consumption prices are [EUR/kWh].
    quarters_by_day
        Per local day, how many quarters have a price now and how many the day has.

    """

    sensor: Sensor
    quarters_by_day: Mapping[date, tuple[int, int]]


def update_consumption_prices(country: str, start: datetime, end: datetime) -> Update:
    """Derive the consumption prices of a country's spot tariff from its spot prices. Harmless to repeat.

    Parameters
    ----------
    country
        Country code, as the ENTSO-E plugin has it.
    start, end
        The span, aware of their time zone.

    Raises
    ------
    NoPricesError
        If there is no spot price at all in the span.

    """
    spot = get_or_create_spot_price_sensor(country)
    prices = spot.search_beliefs(
        event_starts_after=start,
        event_ends_before=end,
        resolution=RESOLUTION,
        exclude_source_types=["forecaster", "scheduler"],
        most_recent_beliefs_only=True,
        one_deterministic_belief_per_event=True,
    )["event_value"].dropna()
    if prices.empty:
        raise NoPricesError(
            f"No day-ahead price of {country} is known from {start.isoformat()} to {end.isoformat()} "
            f"(sensor {spot.id}). Import them first: flexmeasures entsoe import-day-ahead-prices --country {country}"
        )
    series = convert_units(
        pd.Series(prices.to_numpy(), index=prices.index.get_level_values("event_start")),
        from_unit=spot.unit,
        to_unit=CONSUMPTION_SENSOR["unit"],
    )
    sensor = get_or_create_consumption_price_sensor(country)
    source = get_or_create_source("smart-boiler-plugin", source_type="reporter")
    save_to_db(tb.BeliefsDataFrame(series, source=source, sensor=sensor, belief_time=server_now()))
    db.session.commit()
    return Update(sensor, quarters_by_day(series.index, start, end, sensor.timezone))


def quarters_by_day(
    moments: pd.DatetimeIndex, start: datetime, end: datetime, timezone: str
) -> dict[date, tuple[int, int]]:
    """Count, per local day of a span, the quarters there are and those it has (92 or 100 when the clock changes)."""
    count_by_day = pd.Series(1, index=moments).groupby(moments.tz_convert(timezone).normalize()).sum()
    first, last = (pd.Timestamp(moment).tz_convert(timezone) for moment in (start, end - RESOLUTION))
    return {
        day.date(): (int(count_by_day.get(day, 0)), int(((day + pd.DateOffset(days=1)) - day) / RESOLUTION))
        for day in pd.date_range(first.normalize(), last.normalize(), freq="D")
    }


def _get_or_create(asset_name: str, asset_type: str, sensor: dict[str, Any]) -> Sensor:
    """Return the sensor of a public asset, made if missing; the asset and its type too. Flushes, does not commit."""

    def find(model: type, **columns: Any) -> Any:
        return db.session.execute(db.select(model).filter_by(**columns)).scalar_one_or_none()

    def find_sensor() -> Sensor | None:
        asset = find(Asset, name=asset_name, account_id=None, parent_asset_id=None)
        return asset and find(Sensor, generic_asset_id=asset.id, **sensor)

    found = find_sensor()
    if found:
        return found
    # somebody else may be about to make it, too
    db.session.execute(db.select(func.pg_advisory_xact_lock(PRICE_LOCK)))
    found = find_sensor()
    if found:
        return found
    asset = find(Asset, name=asset_name, account_id=None, parent_asset_id=None) or Asset(
        name=asset_name, generic_asset_type=find(AssetType, name=asset_type) or AssetType(name=asset_type)
    )
    made = Sensor(generic_asset=asset, timezone=default_timezone(), event_resolution=RESOLUTION, **sensor)
    db.session.add_all([asset, made])
    db.session.flush()
    return made
