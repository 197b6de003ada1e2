"""Store day-ahead prices where the ENTSO-E plugin would. Where they come from is not known here."""

from __future__ import annotations

from typing import Any

import pandas as pd
import timely_beliefs as tb
from flexmeasures import Sensor, Source
from flexmeasures.data import db
from flexmeasures.data.services.data_sources import get_or_create_source
from flexmeasures.data.utils import save_to_db
from flexmeasures.utils.time_utils import server_now
from flexmeasures.utils.unit_utils import convert_units

from smart_boiler_plugin.prices.sensors import get_or_create_spot_price_sensor, known_prices, lock_prices
from smart_boiler_plugin.units import currency_of


def import_spot_prices(country: str, prices: pd.Series, source_name: str, *, since_auction: bool = False) -> Sensor:
    """Store the spot prices of a country that are new or changed, and return their sensor (``store_prices``).

    Parameters
    ----------
    country
        Country code, as the ENTSO-E plugin has it.
    prices
        Prices [EUR/MWh] by the start of their quarter, aware of the time zone; at least one.
    source_name, since_auction
        As of ``store_prices``.

    """
    sensor = get_or_create_spot_price_sensor(country)
    store_prices(sensor, prices, source_name, since_auction=since_auction)
    return sensor


def store_prices(sensor: Sensor, prices: pd.Series, source_name: str, *, since_auction: bool = False) -> None:
    """Store the prices that are new or changed, all or none of them, and commit. Harmless to repeat.

    Parameters
    ----------
    sensor
        Of spot prices, in money per energy.
    prices
        Prices [its currency per MWh] by the start of their quarter, aware of the time zone; at least one.
    source_name
        Name of the data source, for people.
    since_auction
        Whether they count as known since noon of the day before delivery, when the auction closes, and not since now.
        The ENTSO-E plugin dates its own at their publication, later, and so they count wherever both are there. A price
        that its own source has changed is known since now in any case.

    """
    # two imports at once would both find their source missing, and the same prices new
    lock_prices()
    source = get_or_create_source(source_name, source_type="market")
    # a sensor from before October 2025 may be hourly; the ENTSO-E plugin stores means in it, too
    prices = prices.resample(sensor.event_resolution).mean().dropna()
    prices = convert_units(prices, f"{currency_of(sensor.unit)}/MWh", sensor.unit)
    stored = _stored(sensor, source, prices.index)
    # not left to the host: it would store each price once more as soon as its quarter has passed, and needs a time that
    # grows with the square of the span
    new = prices[stored.reindex(prices.index) != prices]
    if not since_auction:
        # a file that is imported once more counts over what another source has said since
        counts = _stored(sensor, None, prices.index).reindex(prices.index) == prices
        new = prices[~counts | prices.index.isin(new.index)]
    if not new.empty:
        known_at = pd.Series(pd.Timestamp(server_now()), index=new.index)
        if since_auction:
            known_at = known_at.where(new.index.isin(stored.index), _auctions(new.index, sensor).clip(upper=known_at))
        beliefs = tb.BeliefsDataFrame(new, source=source, sensor=sensor, belief_time=pd.DatetimeIndex(known_at))
        save_to_db(beliefs, save_changed_beliefs_only=False)
    db.session.commit()


def _stored(sensor: Sensor, source: Source | None, moments: pd.Index) -> pd.Series[Any]:
    """Return what a source said last about a span, by the start of what it is about; None means what counts of all."""
    end = moments[-1] + sensor.event_resolution
    if source is None:
        return known_prices(sensor, moments[0], end)
    return known_prices(sensor, moments[0], end, source=source, exclude_source_types=None)


def _auctions(moments: pd.Index, sensor: Sensor) -> pd.Series[Any]:
    """Return when the auction for each moment closed: twelve hours before its local day."""
    days = pd.DatetimeIndex(moments).tz_convert(sensor.timezone).normalize()
    closed: pd.Series[Any] = pd.Series((days - pd.Timedelta(hours=12)).tz_convert("UTC"), index=moments)
    return closed
