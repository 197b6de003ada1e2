"""The cheapest plan by an own linear programme, to compare the host's plans with."""

import numpy as np
from scipy.optimize import linprog

QUARTER_H = 0.25


def lowest_cost(price, start, *, lowest, highest, power_kw, efficiency, inflow_kwh=0.0):
    """Return the lowest cost to heat a tank.

    Parameters
    ----------
    price
        Per quarter [EUR/kWh].
    start
        State of charge before the first quarter [kWh].
    lowest, highest
        State of charge after each quarter, at least and at most [kWh]; numbers or arrays.
    power_kw
        Of the element [kW].
    efficiency
        Share of the state of charge that a quarter leaves.
    inflow_kwh
        Heat that comes in (or, negative, is drawn) evenly in each quarter [kWh]; a number or an array.

    """
    price = np.asarray(price)
    steps = np.arange(len(price))
    # what one kWh that flows evenly during a quarter is worth at its end
    worth = (1 - efficiency) / -np.log(efficiency)
    decay = np.where(steps[:, None] >= steps, efficiency ** (steps[:, None] - steps), 0) * worth
    idle = start * efficiency ** (steps + 1) + decay @ np.broadcast_to(inflow_kwh, price.shape)
    heat = decay * QUARTER_H
    solved = linprog(
        price * QUARTER_H,
        A_ub=np.vstack([heat, -heat]),
        b_ub=np.concatenate([np.broadcast_to(highest, price.shape) - idle, idle - lowest]),
        bounds=(0, power_kw),
    )
    assert solved.success, solved.message
    return solved.fun
