"""From a problem to an answer, by our own exact solver. Pure.

For a boiler that is planned alone by a trigger that says what is wanted: its problem is that of one tank, and
``physics/cheapest.py`` finds the cheapest way through its bounds to the last digit. Boilers that follow set-points:
``set_points.py``; devices that share a site are solved by the host (``scheduler.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from smart_boiler_plugin.physics.cheapest import cheapest_heat
from smart_boiler_plugin.physics.envelope import Series, follow
from smart_boiler_plugin.physics.thermostat import HYSTERESIS_K, SET_POINT_C, thermostat_within
from smart_boiler_plugin.plan.problem import Problem


@dataclass(frozen=True)
class Answer:
    """A plan.

    Parameters
    ----------
    power_kw
        Fill rate in each step, shape (n,) [kW].
    states_kwh
        State of charge at the start and at the end of each step, shape (n + 1,) [kWh].
    cost
        In the currency of the price; None where no price is known.
    account
        What the plan rests on and what it misses, as JSON.
    set_points_c
        Up to which temperature the boiler heats in each step, shape (n,) [°C]; None where it is told powers alone.

    """

    power_kw: Series
    states_kwh: Series
    cost: float | None
    account: dict[str, Any]
    set_points_c: Series | None = None

    @property
    def mean_states_kwh(self) -> Series:
        """Mean state of charge of each step, as a boiler would report its temperature, shape (n,) [kWh]."""
        means: Series = (self.states_kwh[:-1] + self.states_kwh[1:]) / 2
        return means


def solve(problem: Problem) -> Answer:
    """Return the cheapest heating within the bounds of a problem; that of a thermostat where no price is known."""
    device, bounds = problem.device, problem.bounds
    if problem.price is None:
        heat, how = _thermostat_heat_kwh(problem), "thermostat, as no price is known"
    else:
        heat, how = cheapest_heat(bounds, problem.price / device.heat_per_power, device.start_kwh), "cheapest"
    states = follow(bounds.steps, device.start_kwh, heat)
    power_kw = heat / device.heat_kwh_per_kw
    cost = None if problem.price is None else float(problem.price @ power_kw) * device.step_h
    account = {**problem.account, "plan": how, "solver": "exact", "floors_not_met": problem.floors_not_met(states)}
    return Answer(power_kw, np.concatenate([[device.start_kwh], states]), cost, account)


def thermostat_power_kw(problem: Problem) -> Series:
    """Return the power [kW] per step, shape (n,), of a thermostat that keeps the bounds of a problem."""
    return _thermostat_heat_kwh(problem) / problem.device.heat_kwh_per_kw


def _thermostat_heat_kwh(problem: Problem) -> Series:
    tank = problem.data.tank
    set_point_c = min(SET_POINT_C, problem.data.temperature_max_c)
    return thermostat_within(
        problem.bounds,
        problem.device.start_kwh,
        restart_kwh=tank.state_of_charge_kwh(set_point_c - HYSTERESIS_K),
        full_kwh=tank.state_of_charge_kwh(set_point_c),
    )
