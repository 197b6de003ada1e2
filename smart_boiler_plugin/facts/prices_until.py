"""Until when prices are known: one statement for all of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timezone

from flexmeasures import Asset, Sensor, Source
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from sqlalchemy.orm import contains_eager

from smart_boiler_plugin.facts.series import IS_NUMBER, IS_PLANNED


@dataclass(frozen=True)
class Priced:
    """A price, and until when it is known.

    Parameters
    ----------
    name
        Of the tariff.
    owner_id
        Of the account that it belongs to; None for a public one.
    until
        When the last event with a price ends, in UTC; None where there is none.

    """

    name: str
    owner_id: int | None
    until: datetime | None


def prices_until(sensor_ids: Collection[int]) -> dict[int, Priced]:
    """Return until when prices are known, by the ids of their sensors; those of no price per energy are left out.

    A gap before that is not seen. One SQL statement.
    """
    last = (
        db.select(TimedBelief.event_start)
        .join(Source, Source.id == TimedBelief.source_id)
        .filter(TimedBelief.sensor_id == Sensor.id, ~IS_PLANNED, IS_NUMBER)
        .order_by(TimedBelief.event_start.desc())
        .limit(1)
        .correlate(Sensor)
        .scalar_subquery()
    )
    query = db.select(Sensor, last).join(Asset, Sensor.generic_asset_id == Asset.id)
    query = query.options(contains_eager(Sensor.generic_asset)).filter(Sensor.id.in_(sensor_ids))
    return {
        sensor.id: Priced(
            sensor.generic_asset.name,
            sensor.generic_asset.account_id,
            begin and (begin + sensor.event_resolution).astimezone(timezone.utc),
        )
        for sensor, begin in db.session.execute(query)
        if sensor.measures_energy_price
    }
