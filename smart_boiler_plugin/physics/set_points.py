"""The set-points with the least expected cost of power and of unserved heat: one stochastic dynamic programme.

Pure NumPy, many boilers at once. The draw-offs of a step are a distribution; what is decided is up to which state of
charge S_t the element heats in step t. Backwards from the end of the known prices, on an even grid from cold water to
the ceiling (Bellman's equation; Puterman, Markov Decision Processes, 1994, section 4.3):

    V_n(E) = - Q25(price) * E / (late * cop)                                                                       (1)
    W_t(x) = sum_d p_t(d) * (lambda * unserved(x, d) + floor_t(y) + V_t+1(y)),  y = max(x - late * d, 0)           (2)
    S_t    = the least x that minimises  price_t * x / (late * cop) + W_t(x),  x <= ceiling                        (3)
    V_t(E) = price_t * (x* - idle) / (late * cop) + W_t(x*),  x* = clip(S_t, idle, min(idle + h, ceiling))         (4)

E is the state of charge at the start of a step, x before its draw-offs, y after them; idle = retention * E + gain; h
the most heat of a step. unserved(x, d) = min(max(E_useful - y, 0), late * d); floor_t(y) = 20 EUR/kWh * max(F_t - y, 0)
where there is a hard floor F_t. How a boiler follows set-points: ``following.py``; what is to be expected of it:
``expected.py``.

W is not convex, so that a set-point is not the exact optimum over all powers: it costs at most some per cent more, and
1 % at an ``r`` of 6. Below an ``r`` of 2, set-points may never heat (``price_of_unserved``).

In double precision: 1,000 boilers, 136 steps, 160 states and 24 sizes of draw-offs took 0.84 to 1.05 s of CPU time on a
machine busy with other work (``make benchmark BENCH=set_points``), and in single precision 0.75 s beside 0.96 s, with
the same set-points: not worth a second kind of numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smart_boiler_plugin.physics.boilers import Boilers
from smart_boiler_plugin.physics.states import DrawOffs, Grid, Places
from smart_boiler_plugin.physics.thermostat import Floats

STATES = 160
"""States of the grid: with 2,561, set-points change by up to 1.5 K, and expected cost by less than 1 %."""

R_MIN = 2.0
"""Least price of unserved heat, in mean prices of heat: for less, set-points may never heat."""

MEAN_PRICE_MIN = 0.02
"""Least mean price that counts for unserved heat [EUR/kWh]: hot water is worth something when power is for free."""

HARD_FLOOR_PRICE = 20.0
"""What a kWh below a hard floor costs per step [EUR/kWh]: far more than any power."""

END_QUANTILE = 0.25
"""Which quantile of the known prices values the heat that is left at their end."""


def price_of_unserved(r: float, mean_price: Floats) -> Floats:
    """Return lambda, what a kWh of hot water that is not served counts, shape (boilers,) [EUR/kWh].

    Parameters
    ----------
    r
        In mean prices [-].
    mean_price
        Of the last weeks and of what is known ahead, shape (boilers,) [EUR/kWh]; at least ``MEAN_PRICE_MIN`` counts.

    Raises
    ------
    ValueError
        If ``r`` is below ``R_MIN``.

    """
    if not r >= R_MIN:
        raise ValueError(f"Unserved heat must count at least {R_MIN:g} times the mean price, and not {r:g} times.")
    return r * np.maximum(mean_price, MEAN_PRICE_MIN)


@dataclass(frozen=True)
class Ahead:
    """What is known of n steps ahead, for each boiler; all values are finite.

    Parameters
    ----------
    price
        Of electricity, shape (n, boilers) [EUR/kWh, or another currency].
    sizes_kwh, probabilities
        Draw-offs of each step [kWh] and how probable each is, shape (n, boilers, sizes). The probabilities of a step
        add up to 1, the size zero included; where nobody is at home, all sizes are zero.
    useful_kwh
        State of charge at which hot water is useful, shape (boilers,) [kWh]; below the ceiling.
    unserved_price
        ``price_of_unserved``, shape (boilers,) [EUR/kWh].
    floor_kwh
        Hard floors at the end of each step, shape (n, boilers) [kWh]; zero where there is none.

    """

    price: Floats
    sizes_kwh: Floats
    probabilities: Floats
    useful_kwh: Floats
    unserved_price: Floats
    floor_kwh: Floats | None = None

    def of(self, some: slice) -> Ahead:
        """Return what is known for some of the boilers."""
        return Ahead(
            price=self.price[:, some],
            sizes_kwh=self.sizes_kwh[:, some],
            probabilities=self.probabilities[:, some],
            useful_kwh=self.useful_kwh[some],
            unserved_price=self.unserved_price[some],
            floor_kwh=None if self.floor_kwh is None else self.floor_kwh[:, some],
        )


@dataclass(frozen=True)
class SetPoints:
    """Set-points, and what following them is expected to cost.

    Parameters
    ----------
    states_kwh
        Up to which state of charge each step heats, shape (n, boilers) [kWh]; zero is off.
    temperatures_c
        The same as temperatures, shape (n, boilers) [°C]; that of cold water is off.
    cost_by_state
        Expected cost from the first step on by the state of charge at its start, on an even grid from zero to the
        ceiling, shape (boilers, states) [EUR]: power, unserved heat at its price, floors, less the worth of the heat
        that is left.
    ceiling_kwh
        Where that grid ends, shape (boilers,) [kWh].

    """

    states_kwh: Floats
    temperatures_c: Floats
    cost_by_state: Floats
    ceiling_kwh: Floats

    def expected_cost(self, start_kwh: Floats) -> Floats:
        """Return the expected cost from a state of charge [kWh], shape (boilers,) [EUR].

        Above the ceiling it goes on as just below; a tank that is colder than cold water counts as cold.
        """
        states = self.cost_by_state.shape[1]
        places = np.maximum(start_kwh, 0) / self.ceiling_kwh * (states - 1)
        cost: Floats = Places(places[:, None], states).of(self.cost_by_state)[:, 0]
        return cost


def set_points(boilers: Boilers, ahead: Ahead, *, states: int = STATES) -> SetPoints:
    """Return the set-points with the least expected cost, equations (1) to (4).

    Parameters
    ----------
    boilers
        Tanks and elements, in the same steps.
    ahead
        Prices, draw-offs and wishes.
    states
        How many states the grid has, both ends included.

    """
    solved = []
    for part in boilers.parts():
        grid = Grid(boilers[part], boilers[part].ceiling_kwh, states)
        solved.append(programme(boilers[part], ahead.of(part), DrawOffsAhead(grid, ahead.of(part))))
    return together(boilers, solved)


def together(boilers: Boilers, solved: Sequence[tuple[Floats, Floats]]) -> SetPoints:
    """Return the set-points of boilers, as ``programme`` finds them for each part."""
    wishes = np.concatenate([found for found, _ in solved], axis=1)
    costs = np.concatenate([values for _, values in solved])
    return SetPoints(wishes, boilers.temperature_c(wishes), costs, boilers.ceiling_kwh)


def programme(boilers: Boilers, ahead: Ahead, draw_offs: DrawOffsAhead) -> tuple[Floats, Floats]:
    """Return set-points, shape (n, boilers) [kWh], and cost by state, (boilers, states), of few enough boilers.

    Parameters
    ----------
    boilers, ahead
        As of ``set_points``.
    draw_offs
        On a grid that ends at the ceilings.

    """
    return _Programme(boilers, ahead, draw_offs).solve()


class DrawOffsAhead:
    """The draw-offs of each step on a grid, worked out once: for the programme backwards, for what follows forwards.

    Parameters
    ----------
    grid
        The grid.
    ahead
        What is known ahead of the same boilers.

    """

    def __init__(self, grid: Grid, ahead: Ahead) -> None:
        self.grid = grid
        self._ahead = ahead
        self._useful = np.maximum(ahead.useful_kwh / grid.step_kwh, 0)
        self._known: dict[int, tuple[DrawOffs, Floats]] = {}

    def of(self, step: int) -> tuple[DrawOffs, Floats]:
        """Return the draw-offs of a step, and the unserved heat by the state before them, shape (boilers, states)."""
        if step not in self._known:
            draw_offs = self.grid.draw_offs(self._ahead.sizes_kwh[step], self._ahead.probabilities[step])
            self._known[step] = draw_offs, draw_offs.unserved(self._useful)
        return self._known[step]


class _Programme:
    """The programme for boilers that are few enough; states are in units of the grid's step."""

    def __init__(self, boilers: Boilers, ahead: Ahead, draw_offs: DrawOffsAhead) -> None:
        self.draw_offs, self.grid = draw_offs, draw_offs.grid
        step_kwh = self.grid.step_kwh
        heat_price = step_kwh / (boilers.late * boilers.cop)
        self.price = ahead.price * heat_price
        self.end_price = np.quantile(ahead.price, END_QUANTILE, axis=0) * heat_price
        self.unserved_price = ahead.unserved_price * step_kwh
        self.floor = None if ahead.floor_kwh is None else ahead.floor_kwh / step_kwh
        self.floor_price = HARD_FLOOR_PRICE * step_kwh

    def solve(self) -> tuple[Floats, Floats]:
        """Return the set-points, shape (n, boilers) [kWh], and the values of the first step, (boilers, states)."""
        values = -self.end_price[:, None] * self.grid.all
        wishes = np.empty(self.price.shape)
        for step in reversed(range(len(self.price))):
            before = self._before_draw_offs(step, values)
            wish, values = self._at_start(self.price[step][:, None], before)
            wishes[step] = wish * self.grid.step_kwh
        return wishes, values

    def _before_draw_offs(self, step: int, after: Floats) -> Floats:
        """Return W of a step, equation (2), by V of the next."""
        draw_offs, unserved = self.draw_offs.of(step)
        if self.floor is not None and self.floor[step].any():
            after = after + self.floor_price[:, None] * np.maximum(self.floor[step][:, None] - self.grid.all, 0)
        return draw_offs.before(after) + self.unserved_price[:, None] * unserved

    def _at_start(self, price: Floats, before: Floats) -> tuple[Floats, Floats]:
        """Return S and V of a step, equations (3) and (4), by its W."""
        wish = _least_best(price * self.grid.all + before)
        heated = self.grid.heated(wish)
        return wish, price * (heated - self.grid.idle) + Places(heated, self.grid.states).of(before)


def _least_best(costs: Floats) -> Floats:
    """Return the least state of the least cost, but for rounding, shape (boilers,)."""
    least = costs.min(axis=1, keepdims=True)
    best: Floats = (costs <= least + 1e-9 * np.maximum(1, np.abs(least))).argmax(axis=1).astype(float)
    return best
