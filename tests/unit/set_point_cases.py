"""Boilers, prices and draw-offs for the tests of set-points, and what happens on every path of draw-offs."""

import itertools

import numpy as np

from smart_boiler_plugin.physics.boilers import Boilers
from smart_boiler_plugin.physics.set_points import HARD_FLOOR_PRICE, Ahead, price_of_unserved
from smart_boiler_plugin.physics.tank import Tank, standing_loss_kwh_per_day


def boilers_of(*volumes_l, power_kw=1.5, temperature_max_c=65.0, cop=1.0):
    """Return boilers of energy class C, in quarters of an hour."""
    many = len(volumes_l)
    return Boilers.of(
        [Tank(volume, standing_loss_kwh_per_day("C", volume)) for volume in volumes_l],
        power_kw=[power_kw] * many,
        cop=[cop] * many,
        temperature_max_c=[temperature_max_c] * many,
        step_h=0.25,
    )


def ahead_of(boilers, price, sizes_kwh, probabilities, *, r=6.0, useful_c=40.0, floor_c=None):
    """Return what is known ahead; what has no axis for the boilers is the same for all, floors as temperatures."""
    price, sizes_kwh, probabilities = (np.asarray(values, dtype=float) for values in (price, sizes_kwh, probabilities))
    many, n = len(boilers), len(price)
    if price.ndim == 1:
        price = np.repeat(price[:, None], many, axis=1)
    if sizes_kwh.ndim == 2:
        sizes_kwh, probabilities = (
            np.repeat(values[:, None], many, axis=1) for values in np.broadcast_arrays(sizes_kwh, probabilities)
        )
    return Ahead(
        price=price,
        sizes_kwh=sizes_kwh,
        probabilities=probabilities,
        useful_kwh=boilers.state_kwh(useful_c),
        unserved_price=price_of_unserved(r, price.mean(axis=0)),
        floor_kwh=None if floor_c is None else boilers.state_kwh(np.reshape(floor_c, (n, 1)) * np.ones((1, many))),
    )


def random_case(chance, n=5, sizes=3):
    """Return one boiler with random prices and draw-offs, few enough to enumerate."""
    boilers = boilers_of(chance.uniform(20, 120), power_kw=chance.uniform(1, 3), cop=chance.uniform(1, 3))
    drawn = chance.uniform(0, 1.5, (n, sizes))
    drawn[:, 0] = 0
    probabilities = chance.dirichlet(np.ones(sizes), n)
    return boilers, ahead_of(boilers, chance.uniform(-0.05, 0.4, n), drawn, probabilities, r=chance.uniform(2, 8))


def expected_by_enumeration(boilers, ahead, start_kwh, states_kwh):
    """Return the expected cost [EUR] and unserved heat [kWh] of following set-points, over all paths of draw-offs.

    For the first boiler; written as one would say it, with nothing in common with the programme.
    """
    boiler = {name: float(values[0]) for name, values in vars(boilers).items()}
    prices, sizes, chances = ahead.price[:, 0], ahead.sizes_kwh[:, 0], ahead.probabilities[:, 0]
    useful, unserved_price = float(ahead.useful_kwh[0]), float(ahead.unserved_price[0])
    end_price = np.quantile(prices, 0.25)
    cost = unserved = 0.0
    for path in itertools.product(range(sizes.shape[1]), repeat=len(prices)):
        probability, state, paid, missed = 1.0, start_kwh, 0.0, 0.0
        for step, which in enumerate(path):
            probability *= chances[step, which]
            idle = boiler["retention"] * state + boiler["gain_kwh"]
            heat = min(max(states_kwh[step] - idle, 0.0), boiler["heat_max_kwh"], max(boiler["ceiling_kwh"] - idle, 0))
            paid += prices[step] * heat / boiler["late"] / boiler["cop"]
            drawn = boiler["late"] * sizes[step, which]
            state = max(idle + heat - drawn, 0.0)
            missing = min(max(useful - state, 0.0), drawn)
            missed += missing
            paid += unserved_price * missing
            if ahead.floor_kwh is not None:
                paid += HARD_FLOOR_PRICE * max(float(ahead.floor_kwh[step, 0]) - state, 0.0)
        paid -= end_price * state / boiler["late"] / boiler["cop"]
        cost += probability * paid
        unserved += probability * missed
    return cost, unserved
