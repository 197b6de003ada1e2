"""The problem of a boiler of which nobody has said what is wanted: of set-points, or of powers with a reserve. Pure.

From data, comfort, facts and habit to a ``Problem``, without a database; how many of them are solved at once:
``set_points.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from smart_boiler_plugin.boiler.comfort import Comfort
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.days import DAY
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.facts.facts import Facts
from smart_boiler_plugin.learning.learn import Habits
from smart_boiler_plugin.plan.device import Device
from smart_boiler_plugin.plan.outlook import outlook, reserve_kwh
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.plan.prices import StepPrices, of_facts
from smart_boiler_plugin.plan.problem import FLOORS, Problem, make_problem
from smart_boiler_plugin.plan.span import Span
from smart_boiler_plugin.plan.start import start_kwh

SHORTEST = DAY
"""How far a plan looks ahead at least: one of fewer hours would not see what is drawn, and what is cheap, after it."""

SAY_HOW_WARM = FLOORS | {"soc-targets", "storage-efficiency"}
"""Fields by which a trigger says how warm the water is to be, or describes a storage to which nothing is added."""


def looks_ahead(span: Span) -> Span:
    """Return from when until when a plan looks, in quarters of an hour: at least ``SHORTEST``."""
    return replace(span, end=max(span.end, span.start + SHORTEST), step=QUARTER)


def problem_ahead(
    data: BoilerData,
    comfort: Comfort,
    facts: Facts,
    policy: Policy,
    *,
    habit: Habits,
    span: Span,
    prices: StepPrices | None = None,
    start: tuple[float, Mapping[str, str]] | None = None,
) -> Problem:
    """Return the problem of a boiler that is to follow set-points.

    Parameters
    ----------
    data, comfort, facts
        The boiler, what its household wants, and what is known of it; the facts reach as far as the plan looks.
    policy
        What the server's settings say.
    habit
        How the household draws, of this boiler alone.
    span
        What the plan is for, on quarters of an hour.
    prices
        What one kWh costs in the quarters of ``looks_ahead``; by default, what the facts say.
    start
        State of charge at the start [kWh], and for people where it is from; by default, by the facts.

    """
    ahead = looks_ahead(span)
    prices = of_facts(facts, ahead) if prices is None else prices
    begin_kwh, begin_from = start or start_kwh(data, comfort, facts, policy, pd.Timestamp(span.start))
    seen = outlook(data, comfort, facts, policy, habit=habit, mean_price=prices.mean, start=ahead.start, end=ahead.end)
    device = Device.of(data, seen.quarters, begin_kwh, begin_from)
    return replace(make_problem(data, comfort, facts, policy, device, prices, seen=seen), seen=seen)


def problem_with_reserve(
    data: BoilerData,
    comfort: Comfort,
    facts: Facts,
    policy: Policy,
    *,
    habit: Habits,
    device: Device,
    prices: StepPrices,
) -> Problem:
    """Return the problem of a boiler that is told powers, in steps of any length.

    Where the trigger does not say how warm the water is to be, what is worth heating at any price is a floor
    (``reserve_kwh``): a plan that knows but the mean of the draw-offs would else keep nothing for others.

    Parameters
    ----------
    data, comfort, facts
        The boiler, what its household wants, and what is known of it.
    policy
        What the server's settings say.
    habit
        How the household draws, of this boiler alone.
    device
        The boiler in steps of time, and what the trigger said of it.
    prices
        What one kWh costs in these steps.

    """
    if device.given & SAY_HOW_WARM:
        return make_problem(data, comfort, facts, policy, device, prices)
    begin = device.moments[0]
    end = max(device.ends[-1], begin + SHORTEST) + QUARTER
    seen = outlook(data, comfort, facts, policy, habit=habit, mean_price=prices.mean, start=begin, end=end)
    reserve = reserve_kwh(data, seen, prices) if prices.known else np.zeros(len(seen.quarters))
    # the quarter in which a step ends, or with which it does
    within = np.ceil((device.ends - seen.quarters[0]) / QUARTER).astype(int) - 1
    return make_problem(
        data,
        comfort,
        facts,
        policy,
        device,
        prices,
        seen=seen,
        reserve_kwh=reserve[within],
    )
