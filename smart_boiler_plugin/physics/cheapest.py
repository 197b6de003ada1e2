"""The cheapest heating of one tank, exactly, by dynamic programming over convex cost functions.

This places hygiene in a plan (``hygiene.py``: what would each position cost?) and tells what perfect knowledge would
have cost.

The least cost as a function of the state of charge is convex and piecewise linear, as each step adds a linear cost of
bounded heating. A step of the tank scales and shifts such a function, heating merges one more slope into it, and bounds
cut its ends: so it stays a short list of slopes, and a plan of n steps takes of the order of n operations. (Bertsekas,
Dynamic Programming and Optimal Control, section 1.3; the merging is the infimal convolution of Rockafellar, Convex
Analysis, section 5.)
"""

from __future__ import annotations

from bisect import bisect, bisect_left
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from smart_boiler_plugin.physics.envelope import Envelope, Series, Steps

TOLERANCE_KWH = 1e-9
"""Bounds that cross by less are taken to touch [kWh]."""


class Cost(NamedTuple):
    """Least cost [EUR] as a convex function of the state of charge [kWh]. Its lists are never changed in place.

    A named tuple, as a plan makes some hundreds of them, and a frozen dataclass takes three times as long to make.

    Parameters
    ----------
    begin_kwh
        The lowest state of charge of its domain [kWh].
    at_begin
        Cost there [EUR].
    slopes, widths
        Of each linear piece, by ascending slope [EUR/kWh, kWh].

    """

    begin_kwh: float
    at_begin: float
    slopes: list[float]
    widths: list[float]

    @classmethod
    def only_at(cls, state_kwh: float) -> Cost:
        """Return the cost of being at one state of charge [kWh], and nowhere else: none."""
        return cls(state_kwh, 0.0, [], [])

    @property
    def end_kwh(self) -> float:
        """The highest state of charge of the domain [kWh]."""
        return self.begin_kwh + sum(self.widths)

    def at(self, state_kwh: float) -> float:
        """Return the cost [EUR] at a state of charge [kWh] of the domain."""
        cost, left = self.at_begin, state_kwh - self.begin_kwh
        for slope, width in zip(self.slopes, self.widths, strict=True):
            cost += slope * min(width, left)
            left -= width
            if left <= 0:
                break
        return cost

    def moved(self, scale: float, shift: float) -> Cost:
        """Return the cost as a function of ``scale * state + shift``."""
        slopes, widths = [slope / scale for slope in self.slopes], [width * scale for width in self.widths]
        return Cost(scale * self.begin_kwh + shift, self.at_begin, slopes, widths)

    def with_heat(self, price: float, least_kwh: float, most_kwh: float) -> Cost:
        """Return the least cost where heat from least to most [kWh] may be added at a price [EUR/kWh of heat]."""
        slopes, widths = self.slopes.copy(), self.widths.copy()
        place = bisect(slopes, price)
        slopes.insert(place, price)
        widths.insert(place, most_kwh - least_kwh)
        return Cost(self.begin_kwh + least_kwh, self.at_begin + price * least_kwh, slopes, widths)

    def between(self, lowest_kwh: float, highest_kwh: float) -> Cost | None:
        """Return the cost on a part of the domain [kWh]; None where nothing is left."""
        begin, cost, slopes, widths = self.begin_kwh, self.at_begin, self.slopes.copy(), self.widths.copy()
        if lowest_kwh > highest_kwh + TOLERANCE_KWH or begin > highest_kwh + TOLERANCE_KWH:
            return None
        first, short = 0, lowest_kwh - begin
        while short > 0 and first < len(widths):
            cut = min(widths[first], short)
            begin, cost, short = begin + cut, cost + slopes[first] * cut, short - cut
            widths[first] -= cut
            first += widths[first] <= 0
        if short > TOLERANCE_KWH:
            return None
        del slopes[:first], widths[:first]
        if begin + sum(widths) > highest_kwh:
            # the last piece may have no end
            while widths and begin + sum(widths[:-1]) >= highest_kwh:
                del slopes[-1], widths[-1]
            if widths:
                widths[-1] = highest_kwh - begin - sum(widths[:-1])
        return Cost(begin, cost, slopes, widths)


def step_forward(cost: Cost | None, steps: Steps, price: Series, i: int, lowest: float, highest: float) -> Cost | None:
    """Return the least cost at the end of step i, from that at its start; bounds are those at its end [kWh]."""
    if cost is None:
        return None
    moved = cost.moved(float(steps.retention[i]), float(steps.inflow_kwh[i]))
    heated = moved.with_heat(float(price[i]), float(steps.heat_min_kwh[i]), float(steps.heat_max_kwh[i]))
    return heated.between(lowest, highest)


def costs_to_go(bounds: Envelope, price: Series) -> list[Cost | None]:
    """Return, at the start of each step and at the end of the last, the least cost of all that is still to come.

    Parameters
    ----------
    bounds
        The tank, and floor and ceiling at the end of each of its n steps.
    price
        Of heat, shape (n,) [EUR/kWh].

    """
    return list(_costs_backwards(bounds, price))[::-1]


def _costs_backwards(bounds: Envelope, price: Series) -> Iterator[Cost | None]:
    """Yield what ``costs_to_go`` returns, from the end to the start."""
    low, high = float(bounds.lowest_kwh[-1]), float(bounds.highest_kwh[-1])
    cost: Cost | None = Cost(low, 0.0, [0.0], [high - low])
    yield cost
    # bounds at the starts of the steps; at the first one nothing is asked for
    lows, highs = [-np.inf, *bounds.lowest_kwh[:-1].tolist()], [np.inf, *bounds.highest_kwh[:-1].tolist()]
    each = list(zip(lows, highs, price.tolist(), *bounds.steps.lists, strict=True))
    for lowest, highest, price_i, keeps, inflow, least, most in reversed(each):
        if cost is not None:
            # what may be added, the other way round: the state before heating is lower than the one after
            before = cost.with_heat(-price_i, -most, -least)
            cost = before.moved(1 / keeps, -inflow / keeps).between(lowest, highest)
        yield cost


def cheapest_heat(bounds: Envelope, price: Series, start_kwh: float) -> Series:
    """Return the heat [kWh] to put in in each step, shape (n,), at least cost.

    Parameters
    ----------
    bounds, price
        As of ``costs_to_go``; the bounds must be ones that can be met, as ``envelope`` makes them.
    start_kwh
        State of charge at the start [kWh].

    Raises
    ------
    ValueError
        If the bounds cannot be met.

    """
    begins, ends, bests = [], [], []
    # all but the last of them, which is that at the start of the first step
    for cost, price_i in zip(_costs_backwards(bounds, price), price[::-1].tolist(), strict=False):
        if cost is None:
            raise ValueError("The bounds cannot be met.")
        begins.append(cost.begin_kwh)
        ends.append(cost.end_kwh)
        # heat on while a kWh now costs less than it saves later
        bests.append(cost.begin_kwh + sum(cost.widths[: bisect_left(cost.slopes, -price_i)]))
    each = zip(begins[::-1], ends[::-1], bests[::-1], *bounds.steps.lists, strict=True)
    state = start_kwh
    heat: list[float] = []
    for begin, end, best, keeps, inflow, least, most in each:
        idle = keeps * state + inflow
        if idle + least > end + TOLERANCE_KWH or idle + most < begin - TOLERANCE_KWH:
            raise ValueError(f"The bounds cannot be met in step {len(heat)}.")
        state = min(max(best, idle + least), idle + most)
        heat.append(state - idle)
    return np.array(heat)
