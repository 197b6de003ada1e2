"""What plans read: the server's settings as a policy, what is known of their boilers, series of a flex-config."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pandas as pd

from smart_boiler_plugin import host
from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.clock.days import DAY
from smart_boiler_plugin.facts.facts import Facts
from smart_boiler_plugin.facts.read import read_facts
from smart_boiler_plugin.learning.habits import habits
from smart_boiler_plugin.learning.learn import Habits
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.plan.prices import MEAN_OF
from smart_boiler_plugin.plan.span import Span
from smart_boiler_plugin.settings import (
    COMFORT_WEIGHT,
    FLOOR,
    HYGIENE_DURATION,
    HYGIENE_INTERVAL,
    HYGIENE_TEMPERATURE,
    MAX_CARRIED_AGE,
    MAX_READING_AGE,
    SILENT_AFTER,
    TYPICAL_PRICE_SPAN,
)


def policy() -> Policy:
    """Return what the server's settings say about all plans."""
    return Policy(
        max_reading_age=MAX_READING_AGE.value,
        max_carried_age=MAX_CARRIED_AGE.value,
        silent_after=SILENT_AFTER.value,
        typical_price_span=TYPICAL_PRICE_SPAN.value,
        comfort_weight=COMFORT_WEIGHT.value,
        floor_c=FLOOR.value or None,
        hygiene_temperature_c=HYGIENE_TEMPERATURE.value,
        hygiene_duration=HYGIENE_DURATION.value,
        hygiene_interval=HYGIENE_INTERVAL.value,
    )


@dataclass(frozen=True)
class Known:
    """What is known of a boiler at a moment.

    Parameters
    ----------
    boiler
        Which.
    facts
        As far as any plan of it asks.
    habit
        How its household draws.

    """

    boiler: Boiler
    facts: Facts
    habit: Habits


def known_for_plans(boilers: Sequence[Boiler], span: Span, rules: Policy) -> dict[int, Known]:
    """Return what is known of boilers for plans of a span, by the ids of their assets.

    It reaches as far back as any question about these boilers does.
    """
    looks_back = max((rules.looks_back(boiler.comfort.hygiene.interval) for boiler in boilers), default=timedelta(0))
    begin, end = span.start - looks_back, span.end + DAY
    facts = read_facts(boilers, span.moment, begin, end, prices_since=span.start - MEAN_OF)
    drawing = habits(boilers, span.moment)
    return {
        boiler.asset.id: Known(boiler, of_boiler, drawing.of(number))
        for number, (boiler, of_boiler) in enumerate(zip(boilers, facts, strict=True))
    }


def per_step(value: Any, unit: str, span: Span, *, at_ends: bool = False, **options: Any) -> pd.Series[Any]:
    """Return what the host makes of a value of a flex-config in the steps of a plan: one number each, NaN for none.

    Parameters
    ----------
    value
        As the host's schemas return it: a quantity, a list of events, or a sensor.
    unit
        Of the result.
    span
        When the plan is for.
    at_ends
        Whether the values are those at the ends of the steps.
    options
        What else to tell ``host.series``: of overlaps and sides.

    """
    start, end = span.window
    window = (start + span.step, end + span.step) if at_ends else (start, end)
    return host.series(value, unit, query_window=window, resolution=span.step, beliefs_before=span.moment, **options)
