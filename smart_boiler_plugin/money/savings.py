"""What boilers cost in a day, and what they saved against an ordinary thermostat, at equal heat left in the tank.

Pure: NumPy, many boilers at once. How the day went: ``course.py``; what an ordinary thermostat does:
``physics/thermostat.py``.

Both the boiler and the thermostat follow the same model of the tank, with the same draw-offs. So an error of the model
or of a draw-off is in both, and what is compared is what the difference in power did.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smart_boiler_plugin.physics.boilers import Boilers
from smart_boiler_plugin.physics.thermostat import HYSTERESIS_K, SET_POINT_C, Floats, thermostat


def limits_kwh(boilers: Boilers) -> tuple[Floats, Floats]:
    """Return at which state of charge an ordinary thermostat heats, and up to which, each of shape (boilers,) [kWh].

    It is at ``SET_POINT_C``, or at the boiler's ceiling where that is lower.
    """
    full = np.minimum(boilers.state_kwh(SET_POINT_C), boilers.ceiling_kwh)
    return full - HYSTERESIS_K * boilers.heat_capacity_kwh_per_k, full


@dataclass(frozen=True)
class DayOfBoilers:
    """What a day of boilers came to; each field has the shape (boilers,). Costs are in the currency of the price.

    Parameters
    ----------
    electricity_kwh, cost
        Electricity that the boiler took [kWh], and what it cost.
    baseline_kwh, baseline_cost
        The same under an ordinary thermostat.
    missing_heat_kwh, missing_heat_cost
        Heat by which the boiler's tank fell behind the thermostat's in the day [kWh], and what making it would cost at
        the day's mean price; negative where it gained on it.
    savings
        ``baseline_cost`` less ``cost`` less ``missing_heat_cost``.
    unserved_kwh, baseline_unserved_kwh
        Heat that was drawn and not served at the household's useful temperature, and what the thermostat would not have
        served [kWh].
    mean_price
        Of the day, per kWh.

    """

    electricity_kwh: Floats
    cost: Floats
    baseline_kwh: Floats
    baseline_cost: Floats
    missing_heat_kwh: Floats
    missing_heat_cost: Floats
    savings: Floats
    unserved_kwh: Floats
    baseline_unserved_kwh: Floats
    mean_price: Floats


def day_of(  # noqa: PLR0913 (a day is all of these)
    boilers: Boilers,
    *,
    start_kwh: Floats,
    baseline_start_kwh: Floats,
    heating: NDArray[np.bool_],
    power_kw: Floats,
    drawn_kwh: Floats,
    price: Floats,
    useful_kwh: Floats,
    end_kwh: Floats,
    step_h: float,
) -> DayOfBoilers:
    """Return what a day of boilers came to.

    Parameters
    ----------
    boilers
        Which.
    start_kwh
        State of charge at the start, shape (boilers,) [kWh]. Where it is not known (NaN), the middle between the
        thermostat's limits.
    baseline_start_kwh
        The same under a thermostat (``after_thermostat``); where it is not known (NaN), that of the boiler.
    heating
        Whether the thermostat was heating when the day began, shape (boilers,): it goes on up to its set-point.
    power_kw
        Electric power per step, shape (steps, boilers) [kW]. Where it is not known (NaN), the boiler is taken to do
        what the thermostat does, and the step counts on neither side.
    drawn_kwh
        Heat drawn per step, shape (steps, boilers) [kWh].
    price
        Price per kWh and step, shape (steps, boilers); a step without one (NaN) counts at the day's mean price.
    useful_kwh
        State of charge at which hot water is useful, shape (boilers,) [kWh].
    end_kwh
        State of charge at the end of each step by readings, shape (steps, boilers) [kWh]; where there is none (NaN),
        what became of the start counts for what was served.
    step_h
        Length of a step [h].

    """
    start = np.where(np.isnan(start_kwh), sum(limits_kwh(boilers)) / 2, start_kwh)
    baseline_start = np.where(np.isnan(baseline_start_kwh), start, baseline_start_kwh)
    mean_price = np.nanmean(price, axis=0)
    priced = np.where(np.isnan(price), mean_price, price)
    inflow = boilers.gain_kwh - drawn_kwh * boilers.late
    heat_per_kw = boilers.heat_kwh(step_h)
    heat, states = _thermostat(boilers, baseline_start, heating, inflow)
    baseline_kw = heat / heat_per_kw
    known = ~np.isnan(power_kw)
    power = np.where(known, power_kw, baseline_kw)
    own = _states_kwh(start, boilers.retention, inflow + power * heat_per_kw)
    missing = (states[-1] - own[-1]) - (baseline_start - start)
    read = np.where(np.isnan(end_kwh), own, end_kwh)
    unserved, baseline_unserved = (_unserved_kwh(each, useful_kwh, drawn_kwh) for each in (read, states))
    missing_cost = missing / boilers.cop * mean_price
    cost, baseline_cost = (np.einsum("ij,ij->j", priced, kw * known) * step_h for kw in (power, baseline_kw))
    return DayOfBoilers(
        electricity_kwh=(power * known).sum(axis=0) * step_h,
        cost=cost,
        baseline_kwh=(baseline_kw * known).sum(axis=0) * step_h,
        baseline_cost=baseline_cost,
        missing_heat_kwh=missing,
        missing_heat_cost=missing_cost,
        savings=baseline_cost - cost - missing_cost,
        unserved_kwh=unserved,
        baseline_unserved_kwh=baseline_unserved,
        mean_price=mean_price,
    )


def after_thermostat(
    boilers: Boilers, *, start_kwh: Floats, heating: NDArray[np.bool_], drawn_kwh: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the state of charge [kWh] to which a thermostat leads, and whether it heats then; each (boilers,).

    So a day of the thermostat begins where it would be, and not at the state that the smart boiler had: from there it
    would fill up a tank that was kept colder, each midnight anew.

    Parameters
    ----------
    boilers
        Which.
    start_kwh
        State of charge at the start, shape (boilers,) [kWh]; NaN where it is not known, and then so is the result.
    heating
        Whether they were heating when it began, shape (boilers,).
    drawn_kwh
        Heat drawn per step, shape (steps, boilers) [kWh].

    """
    heat, states = _thermostat(boilers, start_kwh, heating, boilers.gain_kwh - drawn_kwh * boilers.late)
    return states[-1], (heat[-1] > 0) & (states[-1] < limits_kwh(boilers)[1] - 1e-9)


def _thermostat(
    boilers: Boilers, start_kwh: Floats, heating: NDArray[np.bool_], inflow_kwh: Floats
) -> tuple[Floats, Floats]:
    """Return heat and states of charge [kWh] of thermostats."""
    restart, full = limits_kwh(boilers)
    return thermostat(
        start_kwh,
        retention=boilers.retention,
        inflow_kwh=inflow_kwh,
        heat_max_kwh=boilers.heat_max_kwh,
        restart_kwh=restart,
        full_kwh=full,
        heating=heating & (start_kwh < full),
    )


def _states_kwh(start_kwh: Floats, retention: Floats, change_kwh: Floats) -> Floats:
    """Return the states of charge at the ends of steps [kWh], from changes in each, shape (steps, boilers) [kWh]."""
    states, state = np.empty_like(change_kwh), start_kwh
    for step, change in enumerate(change_kwh):
        states[step] = state = retention * state + change
    return states


def _unserved_kwh(end_kwh: Floats, useful_kwh: Floats, drawn_kwh: Floats) -> Floats:
    """Return the heat that was drawn and not served at the useful temperature, shape (boilers,) [kWh].

    What is missing at the end of a step was not served in it, up to what was drawn.
    """
    unserved: Floats = np.clip(useful_kwh - end_kwh, 0.0, np.maximum(drawn_kwh, 0.0)).sum(axis=0)
    return unserved
