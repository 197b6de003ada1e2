"""Which sensor holds the spot price, and which the consumption price.

The spot price of a country is where the ENTSO-E plugin puts it. What else puts it there:
``spot.py``. How the one becomes the other: ``tariffs.py``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
from flask import current_app
from flexmeasures import Asset, AssetType, Sensor
from flexmeasures.data import db

from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.host import PLANNED
from smart_boiler_plugin.prices.countries import TIMEZONES, check_country
from smart_boiler_plugin.transactions import lock

SPOT_SENSOR = {"name": "Day-ahead prices", "unit": "EUR/MWh"}
CONSUMPTION_SENSOR = {"name": "consumption price", "unit": "EUR/kWh"}

TARIFF_TYPE = "tariff"
"""Asset type of tariffs."""

PRICE_LOCK = 0x70726963
"""Key of the advisory lock under which price sensors are made (the bytes of "pric")."""


def default_country() -> str:
    """Return the country code of the ENTSO-E plugin's configuration, or that plugin's own default."""
    return str(current_app.config.get("ENTSOE_COUNTRY_CODE") or "NL")


def default_timezone() -> str:
    """Return the time zone of the ENTSO-E plugin's configuration, or that plugin's own default (IANA name)."""
    return str(current_app.config.get("ENTSOE_COUNTRY_TIMEZONE") or "Europe/Amsterdam")


def timezone_of(country: str) -> str:
    """Return whose days a country's prices have (IANA name): the configured ones, but for other countries' own."""
    return default_timezone() if country == default_country() else TIMEZONES.get(country, default_timezone())


def get_or_create_spot_price_sensor(country: str) -> Sensor:
    """Return the public sensor [EUR/MWh] into which the ENTSO-E plugin imports this country's day-ahead prices.

    Raises
    ------
    SmartBoilerError
        If there is no such country code, or the sensor is there in another unit.

    """
    check_country(country)
    return get_or_create_public_sensor(
        f"{country} transmission zone", "transmission zone", SPOT_SENSOR, timezone=timezone_of(country)
    )


def get_or_create_consumption_price_sensor(country: str) -> Sensor:
    """Return the public sensor [EUR/kWh] with what customers on this country's spot tariff pay. May flush.

    It is public, as the customers' users see public assets and their own alone.
    """
    timezone = get_or_create_spot_price_sensor(country).timezone
    return get_or_create_public_sensor(f"{country} spot tariff", TARIFF_TYPE, CONSUMPTION_SENSOR, timezone=timezone)


def known_prices(
    sensor: Sensor, start: datetime, end: datetime, known_at: datetime | None = None, **search: Any
) -> pd.Series[Any]:
    """Return the prices that count of those that a sensor holds, by the start of their events in UTC; no NaN.

    Parameters
    ----------
    sensor
        Of prices, in any unit and resolution.
    start, end
        The span, aware of the time zone; the host gives prices that reach into it, too.
    known_at
        What was recorded later is left out; None leaves nothing out.
    search
        What else to tell ``Sensor.search_beliefs``; by default, every source counts that is none of ``PLANNED``.

    """
    found = sensor.search_beliefs(
        event_starts_after=start,
        event_ends_before=end,
        beliefs_before=known_at,
        most_recent_beliefs_only=True,
        one_deterministic_belief_per_event=True,
        **{"exclude_source_types": PLANNED, **search},
    )["event_value"]
    moments = pd.to_datetime(found.index.get_level_values("event_start"), utc=True)
    prices: pd.Series[Any] = pd.Series(found.to_numpy(dtype=float), index=moments).dropna()
    return prices


def lock_prices() -> None:
    """Let nobody else make price sensors or tariffs until the end of the transaction."""
    lock(PRICE_LOCK)


def get_or_create_public_sensor(
    asset_name: str, asset_type: str, sensor: dict[str, Any], *, timezone: str, parent: Asset | None = None
) -> Sensor:
    """Return the sensor of a public asset, made if missing; the asset and its type too. Flushes, does not commit.

    Parameters
    ----------
    asset_name, asset_type
        Names of the asset and of its type.
    sensor
        Name and unit.
    timezone
        Of a sensor that is made (IANA name).
    parent
        Public asset to which the asset belongs; names are unique among the assets of one parent.

    Raises
    ------
    SmartBoilerError
        If the sensor is there in another unit.

    """

    def find(model: type, **columns: Any) -> Any:
        return db.session.execute(db.select(model).filter_by(**columns)).scalar_one_or_none()

    def find_asset() -> Asset | None:
        found: Asset | None = find(Asset, name=asset_name, account_id=None, parent_asset_id=parent and parent.id)
        return found

    def find_sensor() -> Sensor | None:
        asset = find_asset()
        found = asset and find(Sensor, generic_asset_id=asset.id, name=sensor["name"])
        if found and found.unit != sensor["unit"]:
            whose = f"Sensor {found.id} ('{found.name}' of '{asset_name}')"
            raise SmartBoilerError(f"{whose} is in {found.unit} in place of {sensor['unit']}. Rename it or its asset.")
        return found

    found = find_sensor()
    if found:
        return found
    # somebody else may be about to make it, too
    lock_prices()
    found = find_sensor()
    if found:
        return found
    asset = find_asset() or Asset(
        name=asset_name,
        generic_asset_type=find(AssetType, name=asset_type) or AssetType(name=asset_type),
        parent_asset_id=parent and parent.id,
    )
    made = Sensor(generic_asset=asset, timezone=timezone, event_resolution=QUARTER, **sensor)
    db.session.add_all([asset, made])
    db.session.flush()
    return made
