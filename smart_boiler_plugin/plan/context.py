"""Prices of a plan, as the flex-context names them, with typical ones where none is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from flexmeasures import Sensor
from flexmeasures.data.schemas.sensors import SensorReference, VariableQuantityField
from marshmallow import ValidationError

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.clock.days import day_of, days_between
from smart_boiler_plugin.errors import BrokenBoilerError
from smart_boiler_plugin.facts.facts import Facts
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.plan.prices import MEAN_OF, StepPrices, of_facts, with_typical
from smart_boiler_plugin.plan.reading import per_step
from smart_boiler_plugin.plan.span import Span
from smart_boiler_plugin.units import currency_of

CONSUMPTION, PRODUCTION = "consumption-price", "production-price"


def prices_alone(context: Mapping[str, Any], boiler: Boiler, facts: Facts, policy: Policy, span: Span) -> StepPrices:
    """Return the prices per step of a boiler that is planned alone: of its facts, else as the flex-context says.

    Raises
    ------
    marshmallow.ValidationError
        If the flex-context's price is none.

    """
    named = context.get(CONSUMPTION)
    if named is None or named == boiler.asset.flex_context.get(CONSUMPTION):
        return of_facts(facts, span)
    priced = VariableQuantityField("/MWh").deserialize(named)
    if isinstance(priced, (Sensor, SensorReference)):
        return _of_sensor(priced, policy, span, boiler.timezone)
    first = priced[0]["value"] if isinstance(priced, list) else priced
    per_kwh = f"{currency_of(str(first.units))}/kWh"
    of_each = per_step(priced, per_kwh, span, fill_sides=True)
    return with_typical(of_each, of_each[:0])


def by_tariffs(context: Mapping[str, Any], boiler: Boiler, facts: Facts, span: Span) -> dict[str, Any]:
    """Return a flex-context with the prices of each day's tariff, where a boiler's own changes within the plan.

    Where it does not, or the prices are not the boiler's own, the flex-context stays.
    """
    named, result = context.get(CONSUMPTION), dict(context)
    if named is None or named != boiler.asset.flex_context.get(CONSUMPTION) or not _changes_within(boiler, span):
        return result
    prices = of_facts(facts, span)
    if prices.known:
        events = _events(prices, span, f"{boiler.currency}/kWh")
        result |= {name: events for name in (CONSUMPTION, PRODUCTION) if context.get(name) == named}
    return result


def _changes_within(boiler: Boiler, span: Span) -> bool:
    """Return whether a boiler's price is not that of its flex-context at all times of a plan."""
    try:
        days = days_between(*(day_of(moment, boiler.timezone) for moment in span.window))
        held = {boiler.history.tariff_on(day, boiler.named_price_id) for day in days}
    except BrokenBoilerError:
        return False
    return held != {boiler.named_price_id}


def complete(context: dict[str, Any], policy: Policy, span: Span, timezone: str) -> StepPrices | None:
    """Fill gaps in the prices of a flex-context, for the host to read next.

    Parameters
    ----------
    context
        As the host has it before it reads it; changed in place.
    policy
        How far back typical prices are taken from.
    span
        Of the plan.
    timezone
        Of the household (IANA name).

    Returns
    -------
    The consumption prices per step, as far as they come from a sensor; None where they do not.

    """
    if context.get(PRODUCTION) == context.get(CONSUMPTION):
        # the host takes the latter for both then, and reads it once
        context.pop(PRODUCTION, None)
    found = None
    for name in (CONSUMPTION, PRODUCTION):
        field = context.get(name)
        if not isinstance(field, dict):
            continue
        try:
            sensor = VariableQuantityField("/MWh").deserialize(field)
        except ValidationError:
            # the host reads it again, and refuses it with the name of the field
            continue
        prices = _of_sensor(sensor, policy, span, timezone)
        per_kwh = f"{currency_of(sensor.unit)}/kWh"
        if not prices.known:
            context[name] = f"0 {per_kwh}"
        elif prices.assumed.any():
            context[name] = _events(prices, span, per_kwh)
        found = prices if name == CONSUMPTION else found
    return found


def _of_sensor(sensor: Sensor | SensorReference, policy: Policy, span: Span, timezone: str) -> StepPrices:
    """Return a sensor's prices per step and kWh, with typical ones in the gaps."""
    per_kwh, weeks = f"{currency_of(sensor.unit)}/kWh", max(policy.typical_price_span, MEAN_OF)
    known = per_step(sensor, per_kwh, replace(span, start=span.start - weeks)).tz_convert(timezone)
    before, prices = known[: -span.steps], known[-span.steps :]
    typical = before[before.index >= span.start - policy.typical_price_span]
    return replace(with_typical(prices, typical), mean=float(known.mean()))


def _events(prices: StepPrices, span: Span, unit: str) -> list[dict[str, str]]:
    """Return prices per step as the host has them in a flex-context."""
    begins = pd.date_range(*span.window, freq=span.step, inclusive="left")
    return [
        {"start": begin.isoformat(), "end": (begin + span.step).isoformat(), "value": f"{value} {unit}"}
        for begin, value in zip(begins, np.asarray(prices.of_each).tolist(), strict=True)
    ]
