"""The cheapest heating of one tank, exactly, by dynamic programming over convex cost functions.

Pure. The host plans boilers (``scheduling.py``); this places hygiene in a plan (``hygiene.py``: what would each
position cost?) and tells what perfect knowledge would have cost.

The least cost as a function of the state of charge is convex and piecewise linear, as each step adds a linear cost of
bounded heating. A step of the tank scales and shifts such a function, heating merges one more slope into it, and bounds
cut its ends: so it stays a short list of slopes, and a plan of n steps takes of the order of n operations. (Bertsekas,
Dynamic Programming and Optimal Control, section 1.3; the merging is the infimal convolution of Rockafellar, Convex
Analysis, section 5.)
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass

import numpy as np

from smart_boiler_plugin.envelope import Envelope, Series, Steps

TOLERANCE_KWH = 1e-9
"""Bounds that cross by less are taken to touch [kWh]."""


@dataclass(frozen=True)
class Cost:
    """Least cost [EUR] as a convex function of the state of charge [kWh].

    Parameters
    ----------
    begin_kwh
        The lowest state of charge of its domain [kWh].
    at_begin
        Cost there [EUR].
    pieces
        Slope [EUR/kWh] and width [kWh] of each linear piece, by ascending slope.

    """

    begin_kwh: float
    at_begin: float
    pieces: tuple[tuple[float, float], ...] = ()

    @property
    def end_kwh(self) -> float:
        """The highest state of charge of the domain [kWh]."""
        return self.begin_kwh + sum(width for _, width in self.pieces)

    def __call__(self, state_kwh: float) -> float:
        """Return the cost [EUR] at a state of charge [kWh] of the domain."""
        cost, left = self.at_begin, state_kwh - self.begin_kwh
        for slope, width in self.pieces:
            cost += slope * min(width, left)
            left -= width
            if left <= 0:
                break
        return cost

    def moved(self, scale: float, shift: float) -> Cost:
        """Return the cost as a function of ``scale * state + shift``."""
        pieces = tuple((slope / scale, width * scale) for slope, width in self.pieces)
        return Cost(scale * self.begin_kwh + shift, self.at_begin, pieces)

    def with_heat(self, price: float, least_kwh: float, most_kwh: float) -> Cost:
        """Return the least cost where heat from least to most [kWh] may be added at a price [EUR/kWh of heat]."""
        pieces = list(self.pieces)
        insort(pieces, (price, most_kwh - least_kwh))
        return Cost(self.begin_kwh + least_kwh, self.at_begin + price * least_kwh, tuple(pieces))

    def between(self, lowest_kwh: float, highest_kwh: float) -> Cost | None:
        """Return the cost on a part of the domain [kWh]; None where nothing is left."""
        begin, cost, pieces = self.begin_kwh, self.at_begin, list(self.pieces)
        if lowest_kwh > highest_kwh + TOLERANCE_KWH or begin > highest_kwh + TOLERANCE_KWH:
            return None
        while begin < lowest_kwh:
            if not pieces:
                if begin < lowest_kwh - TOLERANCE_KWH:
                    return None
                break
            slope, width = pieces[0]
            cut = min(width, lowest_kwh - begin)
            begin, cost = begin + cut, cost + slope * cut
            if cut < width:
                pieces[0] = (slope, width - cut)
                break
            pieces.pop(0)
        excess = begin + sum(width for _, width in pieces) - highest_kwh
        while excess > 0 and pieces:
            slope, width = pieces.pop()
            if width > excess:
                pieces.append((slope, width - excess))
            excess -= width
        return Cost(begin, cost, tuple(pieces))


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
    steps, n = bounds.steps, len(price)
    low, high = float(bounds.lowest_kwh[-1]), float(bounds.highest_kwh[-1])
    cost: Cost | None = Cost(low, 0.0, ((0.0, high - low),))
    costs: list[Cost | None] = [cost]
    for i in range(n - 1, -1, -1):
        if cost is not None:
            # what may be added, the other way round: the state before heating is lower than the one after
            before = cost.with_heat(-float(price[i]), -float(steps.heat_max_kwh[i]), -float(steps.heat_min_kwh[i]))
            keeps, inflow = float(steps.retention[i]), float(steps.inflow_kwh[i])
            cost = before.moved(1 / keeps, -inflow / keeps)
            if i:
                cost = cost.between(float(bounds.lowest_kwh[i - 1]), float(bounds.highest_kwh[i - 1]))
        costs.append(cost)
    return costs[::-1]


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
    steps, to_go = bounds.steps, costs_to_go(bounds, price)
    heat = np.empty_like(price)
    state = start_kwh
    for i in range(len(price)):
        idle = float(steps.retention[i]) * state + float(steps.inflow_kwh[i])
        after = to_go[i + 1]
        least, most = idle + float(steps.heat_min_kwh[i]), idle + float(steps.heat_max_kwh[i])
        if after is None or least > after.end_kwh + TOLERANCE_KWH or most < after.begin_kwh - TOLERANCE_KWH:
            raise ValueError(f"The bounds cannot be met in step {i}.")
        # heat on while a kWh now costs less than it saves later
        best = after.begin_kwh + sum(width for slope, width in after.pieces if slope + float(price[i]) < 0)
        state = min(max(best, least), most)
        heat[i] = state - idle
    return heat
