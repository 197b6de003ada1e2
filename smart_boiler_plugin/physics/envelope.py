"""What a tank can do, step by step: which states of charge it can reach, and which of the wished ones that leaves.

Wishes come from ``boiler/comfort.py``; the cheapest way through it is found by the host or by ``cheapest.py``.

With the state of charge E_i at the end of step i, and heat H_i put in during it:

    E_i = retention_i * E_(i-1) + inflow_i + H_i,        heat_min_i <= H_i <= heat_max_i          (1)

More heat now never leaves less later. So the states that can be reached at a moment form an interval, between those of
the least and of the most heating, and any bounds that both respect can be met at all moments at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]


@dataclass(frozen=True)
class Steps:
    """A tank in n steps of time, equation (1). Arrays have shape (n,).

    Parameters
    ----------
    retention
        Share of the state of charge that a step leaves [-], above 0.
    inflow_kwh
        What a step adds without heating: gains less draw-offs, as it counts at the end of the step [kWh].
    heat_min_kwh, heat_max_kwh
        Least and most heat that can be put in, as it counts at the end of the step [kWh].
    drawn_kwh
        The part of the inflow that is drawn [kWh]: what is not served when the tank is empty.

    """

    retention: Series
    inflow_kwh: Series
    heat_min_kwh: Series
    heat_max_kwh: Series
    drawn_kwh: Series

    @cached_property
    def lists(self) -> tuple[list[float], list[float], list[float], list[float]]:
        """Retention, inflow, least and most heat as lists: one by one, their numbers are several times as quick."""
        return (
            self.retention.tolist(),
            self.inflow_kwh.tolist(),
            self.heat_min_kwh.tolist(),
            self.heat_max_kwh.tolist(),
        )


@dataclass(frozen=True)
class Envelope:
    """The states of charge that a plan may pass. Arrays have shape (n,), at the end of each step [kWh].

    Parameters
    ----------
    steps
        The tank, with only those draw-offs that it can serve.
    lowest_kwh, highest_kwh
        Bounds that can all be met at once: the wished ones where some plan meets them, else the nearest to them.
    need_kwh, cap_kwh
        From here on, the later bounds can still be met: below ``need`` a floor, above ``cap`` a ceiling is missed.
    top_kwh
        What most heating within the ceilings reaches.
    not_served_kwh
        Draw-offs that no plan could serve.

    """

    steps: Steps
    lowest_kwh: Series
    highest_kwh: Series
    need_kwh: Series
    cap_kwh: Series
    top_kwh: Series
    not_served_kwh: Series


def envelope(
    steps: Steps,
    start_kwh: float,
    lowest_kwh: Series,
    highest_kwh: Series,
    targets_kwh: Mapping[int, float] | None = None,
) -> Envelope:
    """Return the bounds that a plan can meet, as near as possible to the wished ones.

    What is wished counts in this order: a tank is never heated above a ceiling; a floor is kept wherever some plan
    keeps it; a target is met as nearly as that leaves, an earlier one before a later one.

    Parameters
    ----------
    steps
        The tank.
    start_kwh
        State of charge at the start of the first step [kWh].
    lowest_kwh, highest_kwh
        Floor and ceiling, shape (n,); -inf and inf where there is none.
    targets_kwh
        Wished states of charge by step.

    """
    steps, highest, cap, top, not_served = _most_heating(steps, start_kwh, highest_kwh)
    lowest = np.minimum(lowest_kwh, top)
    need = _need(steps, lowest)
    for step, wish in sorted((targets_kwh or {}).items()):
        bottom = _least_within(steps, start_kwh, need)
        lowest[step] = highest[step] = min(max(wish, bottom[step]), top[step])
        need = _need(steps, lowest)
        cap = _cap(steps, highest)
        top = _most_within(steps, start_kwh, cap)
    return Envelope(steps, lowest, highest, need, cap, top, not_served)


def least_heat_kwh(bounds: Envelope, start_kwh: float) -> Series:
    """Return the least heat [kWh] per step, shape (n,), with which all bounds can still be met: as late as may be."""
    steps = bounds.steps
    states = _least_within(steps, start_kwh, bounds.need_kwh)
    before = np.concatenate([[start_kwh], states[:-1]])
    heat: Series = np.clip(states - steps.retention * before - steps.inflow_kwh, steps.heat_min_kwh, steps.heat_max_kwh)
    return heat


def follow(steps: Steps, start_kwh: float, heat_kwh: Series) -> Series:
    """Return the states of charge [kWh] at the end of each step, with heat [kWh] put in; equation (1)."""
    state, states = start_kwh, []
    retention, inflow, _, _ = steps.lists
    for keeps, comes_in, heat in zip(retention, inflow, heat_kwh.tolist(), strict=True):
        state = keeps * state + comes_in + heat
        states.append(state)
    return np.array(states)


def _most_heating(steps: Steps, start_kwh: float, highest_kwh: Series) -> tuple[Steps, Series, Series, Series, Series]:
    """Return the steps with what can be drawn, ceiling and cap, what most heating reaches, and what cannot be drawn."""
    highest = _ceiling_or_idle(steps, start_kwh, highest_kwh)
    cap = _cap(steps, highest)
    not_served, top, state = np.zeros_like(cap), [], start_kwh
    for i, (ceiling, drawn, keeps, inflow, _, heat) in enumerate(
        zip(cap.tolist(), steps.drawn_kwh.tolist(), *steps.lists, strict=True)
    ):
        state = min(ceiling, keeps * state + inflow + heat)
        if state < 0:
            # heat that is not there cannot be drawn: the water runs cold
            not_served[i] = min(drawn, -state)
            state += float(not_served[i])
        top.append(state)
    if not_served.any():
        steps = replace(steps, inflow_kwh=steps.inflow_kwh + not_served, drawn_kwh=steps.drawn_kwh - not_served)
        highest = _ceiling_or_idle(steps, start_kwh, highest_kwh)
        cap = _cap(steps, highest)
    return steps, highest, cap, np.array(top), not_served


def _ceiling_or_idle(steps: Steps, start_kwh: float, highest_kwh: Series) -> Series:
    """Return the ceiling of a tank that waits while it is hotter: it cannot be colder than without heating."""
    return np.maximum(highest_kwh, _idle(steps, start_kwh))


def _idle(steps: Steps, start_kwh: float) -> Series:
    """Return the states that least heating leads to."""
    return follow(steps, start_kwh, steps.heat_min_kwh)


def _most_within(steps: Steps, start_kwh: float, cap: Series) -> Series:
    """Return the states that most heating below a cap reaches."""
    state, top = start_kwh, []
    for ceiling, keeps, inflow, _, heat in zip(cap.tolist(), *steps.lists, strict=True):
        state = min(ceiling, keeps * state + inflow + heat)
        top.append(state)
    return np.array(top)


def _least_within(steps: Steps, start_kwh: float, need: Series) -> Series:
    """Return the states that least heating above a need reaches."""
    state, bottom = start_kwh, []
    for floor, keeps, inflow, heat, _ in zip(need.tolist(), *steps.lists, strict=True):
        state = max(floor, keeps * state + inflow + heat)
        bottom.append(state)
    return np.array(bottom)


def _cap(steps: Steps, highest: Series) -> Series:
    """Return how high a state may be at the end of each step so that all later ceilings can be kept by not heating."""
    cap: list[float] = []
    later = np.inf
    for ceiling, keeps, inflow, heat, _ in reversed(list(zip(highest.tolist(), *steps.lists, strict=True))):
        cap.append(min(ceiling, later))
        later = (cap[-1] - inflow - heat) / keeps
    return np.array(cap[::-1])


def _need(steps: Steps, lowest: Series) -> Series:
    """Return how low a state may be at the end of each step so that all later floors can be met by full heating."""
    need: list[float] = []
    later = -np.inf
    for floor, keeps, inflow, _, heat in reversed(list(zip(lowest.tolist(), *steps.lists, strict=True))):
        need.append(max(floor, later))
        later = (need[-1] - inflow - heat) / keeps
    return np.array(need[::-1])
