"""What is to be expected of boilers that follow set-points: fill rate, temperature and unserved heat of each step.

Pure. It is the distribution of the states that is propagated, not the mean path: a mean draw-off never empties a tank,
and a large one does. Followed by power (``following.need``). On the grid of the set-points, its cost is
``SetPoints.expected_cost`` to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smart_boiler_plugin.physics.boilers import Boilers
from smart_boiler_plugin.physics.set_points import STATES, Ahead, DrawOffsAhead, SetPoints, programme, together
from smart_boiler_plugin.physics.states import Grid, Places
from smart_boiler_plugin.physics.thermostat import Floats


@dataclass(frozen=True)
class Expected:
    """Means over all draw-offs, each of shape (n, boilers).

    Parameters
    ----------
    power_kw
        Electric power during the step [kW].
    state_kwh, temperature_c
        State of charge [kWh] and temperature [°C] at the end of the step.
    unserved_kwh
        Heat that is drawn in the step and not served at the useful temperature [kWh].

    """

    power_kw: Floats
    state_kwh: Floats
    temperature_c: Floats
    unserved_kwh: Floats


def expected(
    boilers: Boilers, ahead: Ahead, set_points_kwh: Floats, start_kwh: Floats, *, states: int = STATES
) -> Expected:
    """Return what is to be expected of boilers that follow set-points.

    Parameters
    ----------
    boilers, ahead
        As of ``set_points``; prices do not matter.
    set_points_kwh
        Shape (n, boilers) [kWh].
    start_kwh
        States of charge at the start, shape (boilers,) [kWh]; a tank may be hotter than its
        ceiling, and one that is colder than cold water counts as cold.
    states
        How many states the grid has.

    """
    found = []
    for part in boilers.parts():
        draw_offs = DrawOffsAhead(_grid(boilers[part], start_kwh[part], states), ahead.of(part))
        found.append(_propagated(boilers[part], draw_offs, set_points_kwh[:, part], start_kwh[part]))
    return _together(boilers, found)


def set_points_and_expected(
    boilers: Boilers, ahead: Ahead, start_kwh: Floats, *, states: int = STATES
) -> tuple[SetPoints, Expected]:
    """Return set-points, and what is to be expected of boilers that follow them; arguments as of ``expected``.

    The same as one after the other, in nine tenths of the time: what draw-offs do is worked out once.
    """
    solved, found = [], []
    for part in boilers.parts():
        some, of_some, start = boilers[part], ahead.of(part), start_kwh[part]
        draw_offs = DrawOffsAhead(Grid(some, some.ceiling_kwh, states), of_some)
        wishes, costs = programme(some, of_some, draw_offs)
        if (start > some.ceiling_kwh).any():
            draw_offs = DrawOffsAhead(_grid(some, start, states), of_some)
        solved.append((wishes, costs))
        found.append(_propagated(some, draw_offs, wishes, start))
    return together(boilers, solved), _together(boilers, found)


def _grid(boilers: Boilers, start_kwh: Floats, states: int) -> Grid:
    return Grid(boilers, np.maximum(boilers.ceiling_kwh, start_kwh), states)


def _together(boilers: Boilers, found: list[tuple[Floats, Floats, Floats]]) -> Expected:
    power, state, unserved = (np.concatenate(parts, axis=1) for parts in zip(*found, strict=True))
    return Expected(power, state, boilers.temperature_c(state), unserved)


def _propagated(
    boilers: Boilers, ahead: DrawOffsAhead, set_points_kwh: Floats, start_kwh: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return mean power [kW], state of charge and unserved heat [kWh] of boilers that are few enough."""
    grid = ahead.grid
    begin = np.maximum(start_kwh / grid.step_kwh, 0)
    shares = Places(begin[:, None], grid.states).spread(np.ones((len(boilers), 1)))
    power, state, unserved = (np.empty(set_points_kwh.shape) for _ in range(3))
    for step, set_point in enumerate(set_points_kwh):
        heated = grid.heated(set_point / grid.step_kwh)
        heat_kwh = _mean(shares, heated - grid.idle) * grid.step_kwh
        power[step] = heat_kwh / boilers.heat_max_kwh * boilers.power_kw
        draw_offs, not_served = ahead.of(step)
        before = Places(heated, grid.states).spread(shares)
        unserved[step] = _mean(before, not_served) * grid.step_kwh
        shares = draw_offs.after(before)
        state[step] = shares @ grid.all * grid.step_kwh
    return power, state, unserved


def _mean(shares: Floats, values: Floats) -> Floats:
    """Return the means of values over the states, shape (boilers,)."""
    mean: Floats = np.einsum("bs,bs->b", shares, values)
    return mean
