"""Giving a boiler another tariff, from a day on. What a tariff is: ``tariffs.py``."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Any

from flexmeasures import Asset
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog
from sqlalchemy.dialects.postgresql import JSONPATH

from smart_boiler_plugin import stored
from smart_boiler_plugin.boiler import history
from smart_boiler_plugin.boiler.asset import ANY_CURRENCY, UNIT_BY_ROLE, Boiler
from smart_boiler_plugin.errors import BrokenBoilerError, ConflictError
from smart_boiler_plugin.prices.tariffs import Tariff
from smart_boiler_plugin.stored import rows_with

AHEAD = f'$."{history.ATTRIBUTE}".{history.AHEAD}[*]'
"""Where it stands in an asset's attributes which tariffs are to come, as a path of PostgreSQL's."""


def switch(boiler: Boiler, tariff: Tariff, first: date | None = None) -> None:
    """Let another tariff hold for a boiler from a day on; past days keep what they had. Does not commit.

    What was to hold from a later day on still is.

    Parameters
    ----------
    boiler
        Which.
    tariff
        The new one.
    first
        The first local day on which it holds: today, or one that is to come; None means today.

    Raises
    ------
    ConflictError
        If it is in another currency than the boiler's costs: those of different currencies cannot be added.
    BrokenBoilerError
        If it is to hold later, and what is stored of what is to come is broken.

    """
    asset = boiler.asset
    costs = (sensor.unit for role, sensor in boiler.sensors.items() if UNIT_BY_ROLE[role] == ANY_CURRENCY)
    known = next(costs, tariff.currency)
    if known != tariff.currency:
        told = f"'{tariff.name}' is in {tariff.currency}, but the boiler's costs are in {known}."
        raise ConflictError({"tariff": [f"{told} Choose one in {known}, or take the customer on anew."]})
    stored.lock_row(asset)
    settle(boiler)
    if first is not None and first > boiler.today:
        others = [step for step in boiler.history.ahead if step[0] != first]
        _plan_ahead(boiler, sorted([*others, (first, tariff.sensor.id)]))
    else:
        _use(boiler, tariff.sensor.id, boiler.today)
    when = f" from {first} on" if first else ""
    AssetAuditLog.add_record(asset, f"Updated asset '{asset.name}': {asset.id}; tariff to '{tariff.name}'{when}")


def settle(boiler: Boiler) -> None:
    """Let the host's flex-context and graphs have the tariff of today, if the day of one that was to come has come.

    All that reads ``Boiler.price_id`` has it without. Does not commit.
    """
    with suppress(BrokenBoilerError):
        due = [step for step in boiler.history.ahead if step[0] <= boiler.today]
        if due:
            ahead = [step for step in boiler.history.ahead if step not in due]
            for day, sensor_id in due:
                _use(boiler, sensor_id, day)
            _plan_ahead(boiler, ahead)


def settle_all() -> None:
    """Settle all boilers; one statement where nothing is due. Does not commit."""
    some = db.func.jsonb_path_exists(Asset.attributes, db.cast(AHEAD, JSONPATH))
    for asset in db.session.scalars(db.select(Asset).filter(rows_with(Asset), some).order_by(Asset.id)):
        settle(Boiler(asset))


def move_ahead(boiler: Boiler, old: int, new: int) -> None:
    """Let what was to have the prices of one sensor have those of another. Does not commit."""
    with suppress(BrokenBoilerError):
        ahead = boiler.history.ahead
        if any(sensor_id == old for _, sensor_id in ahead):
            _plan_ahead(boiler, [(day, new if sensor_id == old else sensor_id) for day, sensor_id in ahead])


def _plan_ahead(boiler: Boiler, steps: list[tuple[date, int]]) -> None:
    boiler.change_history(lambda known: history.with_ahead(known, steps))


def _use(boiler: Boiler, sensor_id: int, day: date) -> None:
    """Plan a boiler with the prices of another sensor, and note what held until that day; its graphs follow."""
    asset = boiler.asset
    if boiler.named_price_id == sensor_id:
        return
    boiler.note(day, tariff=boiler.named_price_id)
    named = asset.flex_context.get("consumption-price")
    # somebody may have given the boiler a price of its own
    old = named.get("sensor") if isinstance(named, dict) else None
    context = _with_other_sensor(asset.flex_context, old, sensor_id)
    asset.flex_context = {**context, "consumption-price": {"sensor": sensor_id}}
    asset.sensors_to_show = _with_other_sensor(asset.sensors_to_show, old, sensor_id)
    vars(boiler).pop("price", None)


def _with_other_sensor(value: Any, old: int | None, new: int) -> Any:
    """Return JSON in which a sensor is another one: each ``{"sensor": old}``, and in each ``{"sensors": [...]}``."""
    if isinstance(value, dict):
        changed = {name: _with_other_sensor(inner, old, new) for name, inner in value.items()}
        if changed.get("sensor", new) == old:
            changed["sensor"] = new
        if "sensors" in changed:
            changed["sensors"] = [new if sensor == old else sensor for sensor in changed["sensors"]]
        return changed
    return [_with_other_sensor(inner, old, new) for inner in value] if isinstance(value, list) else value
