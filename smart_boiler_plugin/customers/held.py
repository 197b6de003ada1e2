"""What a customer had from when on, for people. What is stored of it: ``boiler/history.py``."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flexmeasures import Asset, Sensor
from flexmeasures.data import db

from smart_boiler_plugin.boiler.data_schema import PLACE_FIELDS, BoilerSchema
from smart_boiler_plugin.boiler.history import BOILER, TARIFF, USEFUL, as_stored
from smart_boiler_plugin.customers.directory import Customer
from smart_boiler_plugin.errors import BrokenBoilerError


def shown(customer: Customer) -> dict[str, list[dict[str, Any]]] | None:
    """Return what held from which local day on, by kind, as JSON; None where what is stored of it is broken.

    One SQL statement at most.
    """
    try:
        boiler = customer.boiler
        tariffs, data = boiler.price_steps, boiler.data_steps
        useful = boiler.history.useful_c.steps(boiler.comfort.useful_temperature_c)
    except BrokenBoilerError:
        return None
    names = _names_of({sensor_id for _, sensor_id in tariffs if sensor_id})
    described = BoilerSchema(exclude=PLACE_FIELDS)
    by_kind = {
        TARIFF: [(day, {"tariff": names.get(sensor_id or 0)}) for day, sensor_id in tariffs],
        BOILER: [(day, {k: v for k, v in described.dump(each).items() if v is not None}) for day, each in data],
        USEFUL: [(day, {USEFUL: as_stored(float(each))}) for day, each in useful],
    }
    return {kind: [{"from": day and day.isoformat(), **what} for day, what in steps] for kind, steps in by_kind.items()}


def _names_of(sensor_ids: Collection[int]) -> dict[int, str]:
    """Return the names of the tariffs with these sensors of prices, also of those that were removed."""
    query = db.select(Sensor.id, Asset.name).join(Asset, Asset.id == Sensor.generic_asset_id)
    rows = db.session.execute(query.filter(Sensor.id.in_(sensor_ids))).tuples() if sensor_ids else ()
    return dict(iter(rows))
