"""What a household pays, in words: its tariff, since when, the price of now, and its contract."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from flexmeasures import Sensor
from flexmeasures.data import db

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.clock.days import day_of
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.facts.glimpses import quarter_of
from smart_boiler_plugin.facts.sensors import prices_of
from smart_boiler_plugin.facts.series import prices_per_kwh
from smart_boiler_plugin.prices.contract_schema import ContractSchema
from smart_boiler_plugin.prices.tariffs import is_tariff
from smart_boiler_plugin.prices.terms import has_terms, read_terms
from smart_boiler_plugin.ui.reader import Reader


@dataclass(frozen=True)
class TariffTold:
    """A tariff in words: its name, what it costs now, what has held when, and the parts of its contract."""

    name: str
    now: str
    steps: list[tuple[str, str]]
    contract: list[tuple[str, str]]


def tariff_told(boiler: Boiler, reader: Reader, now: datetime) -> TariffTold:
    """Return what a household pays.

    Parameters
    ----------
    boiler
        The boiler.
    reader, now
        Who reads, when.

    Raises
    ------
    SmartBoilerError
        If that is not known.

    """
    sensor = boiler.price
    found = list(prices_of([sensor.id]).values())
    per_kwh = prices_per_kwh(found, pd.DatetimeIndex([quarter_of(now)]), now)[sensor.id][0] if found else np.nan
    price = f"{reader.money(float(per_kwh), boiler.currency, decimals=3)} per kWh now"
    return TariffTold(
        name=str(sensor.generic_asset.name),
        now="its price of now is not known" if np.isnan(per_kwh) else price,
        steps=_steps(boiler, reader),
        contract=_contract(sensor, day_of(now, reader.timezone)),
    )


def _steps(boiler: Boiler, reader: Reader) -> list[tuple[str, str]]:
    """Return from which day on which tariff holds, where there is more than one."""
    steps = boiler.price_steps
    if len(steps) < 2:  # noqa: PLR2004 (one that has always held is no step)
        return []
    ids = [sensor_id for _, sensor_id in steps if sensor_id]
    sensors = {each.id: each for each in db.session.scalars(db.select(Sensor).filter(Sensor.id.in_(ids)))}
    return [
        (
            f"from {reader.long_day(day)}" if day else "before",
            sensors[sensor_id].generic_asset.name if sensor_id in sensors else "none",
        )
        for day, sensor_id in steps
    ]


def _contract(sensor: Sensor, day: Any) -> list[tuple[str, str]]:
    """Return the parts of the contract that holds on a day, as they were written; nothing where there is none."""
    asset = sensor.generic_asset
    if not (is_tariff(asset) and has_terms(asset)):
        return []
    try:
        contract = read_terms(asset).on(day)
    except SmartBoilerError as error:
        return [("contract", str(error))]
    written: dict[str, Any] = ContractSchema().dump(contract) if contract else {}
    return [(name.replace("_", " "), line) for name, value in written.items() for line in _lines(value)]


def _lines(value: Any) -> list[str]:
    """Return a value of a contract in lines, as it would be written."""
    if value is None or value == []:
        return []
    if isinstance(value, list):
        return [line for each in value for line in _lines(each)]
    if isinstance(value, dict):
        said = [
            f"{name.replace('_', ' ')} {_said(inner)}" for name, inner in value.items() if inner not in (None, [], {})
        ]
        return [", ".join(said)]
    return [str(value)]


def _said(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(_said(each) for each in value)
    if isinstance(value, dict):
        return " ".join(f"{name} {_said(inner)}" for name, inner in value.items() if inner is not None)
    return str(value)
