"""Prices for the parts of a plan in which none is known: those of the same time of day, and told."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from flexmeasures.data.schemas.sensors import VariableQuantityField
from marshmallow import ValidationError

from smart_boiler_plugin.plan.boiler_plan import BoilerPlan
from smart_boiler_plugin.settings import TYPICAL_PRICE_SPAN


def complete_prices(
    flex_context: dict[str, Any], plans: Collection[BoilerPlan], start: datetime, end: datetime, step: timedelta
) -> None:
    """Fill gaps in prices with typical ones; where nothing at all is known, plan as a thermostat would.

    Parameters
    ----------
    flex_context
        As the host has it before it reads it; changed in place.
    plans
        Of the boilers; they are told which prices are assumed.
    start, end
        Of the plan.
    step
        Length of its steps.

    """
    if flex_context.get("production-price") == flex_context.get("consumption-price"):
        # the host takes the latter for both then, and reads it once
        flex_context.pop("production-price", None)
    known = next(iter(plans)).known
    for name in ("consumption-price", "production-price"):
        field = flex_context.get(name)
        if not isinstance(field, dict):
            continue
        try:
            sensor = VariableQuantityField("/MWh").deserialize(field)
        except ValidationError:
            # the host reads it again, and refuses it with the name of the field
            continue
        prices = known.prices(sensor, start, end, step)
        unknown = prices.isna()
        if unknown.all():
            flex_context[name] = f"0 {sensor.unit}"
            for plan in plans:
                plan.has_prices &= name != "consumption-price"
        elif unknown.any():
            before = known.prices(sensor, start - TYPICAL_PRICE_SPAN.value, start, step)
            flex_context[name] = _events(with_typical(prices, before), step, sensor.unit)
            if name == "consumption-price":
                for plan in plans:
                    plan.assumed_prices = pd.DatetimeIndex(prices.index[unknown])


def _events(values: pd.Series, step: timedelta, unit: str) -> list[dict[str, str]]:
    """Return a series as the host has one in a flex-context."""
    moments = pd.DatetimeIndex(values.index)
    return [
        {"start": begin.isoformat(), "end": (begin + step).isoformat(), "value": f"{value} {unit}"}
        for begin, value in zip(moments, values, strict=True)
    ]


def with_typical(prices: pd.Series, before: pd.Series) -> pd.Series:
    """Return prices with the gaps filled by the mean price of the same local time of day, else by the mean price.

    Parameters
    ----------
    prices
        In local time; NaN where unknown. At least one is known.
    before
        Known prices of earlier days, by which gaps are filled as well.

    """
    known = pd.concat([before, prices]).dropna()
    by_time = known.groupby(known.index.time).mean()
    typical: Any = [by_time.get(moment.time(), known.mean()) for moment in prices.index]
    return prices.fillna(pd.Series(typical, index=prices.index))
