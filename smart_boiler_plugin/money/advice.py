"""What another useful temperature or ceiling would have cost a household in the last weeks.

Each choice is planned and followed in the same days: with their prices and draw-offs, by what is known of the
household's habits now, without hygiene and noise. So a choice is compared with what the household has, worked out
alike, and not with a statement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.coverage import PUBLISHED_HOUR, published_until
from smart_boiler_plugin.clock.quarter import QUARTER, QUARTER_H
from smart_boiler_plugin.errors import BrokenBoilerError, NoPricesError, SmartBoilerError
from smart_boiler_plugin.facts.drawn import read_drawn
from smart_boiler_plugin.facts.read import read_facts
from smart_boiler_plugin.learning.habits import habits
from smart_boiler_plugin.learning.learn import DAYS, Habits, quarter_of_day
from smart_boiler_plugin.learning.side_by_side import boilers_of
from smart_boiler_plugin.physics.boilers import Boilers
from smart_boiler_plugin.physics.following import after, alone
from smart_boiler_plugin.physics.set_points import Ahead, price_of_unserved, set_points
from smart_boiler_plugin.physics.tapping_profiles import drawn_kwh
from smart_boiler_plugin.physics.thermostat import Floats

USEFUL_C = (40.0, 45.0, 50.0)
CEILINGS_C = (60.0, 65.0, 70.0, 75.0)
"""What is tried [°C], beside what a household has."""

ENOUGH = 0.9
"""Share of the quarters of which a price must be known [-]."""


@dataclass(frozen=True)
class Choice:
    """What a household could have.

    Parameters
    ----------
    useful_c, ceiling_c
        Useful temperature and ceiling [°C].

    """

    useful_c: float
    ceiling_c: float


@dataclass(frozen=True)
class Outcome:
    """What a choice would have come to in ``DAYS`` days, at equal heat left in the tank.

    Parameters
    ----------
    choice
        Which; the first of a boiler is what it has.
    cost
        In the currency of the boiler's price.
    unserved_kwh
        Heat that was drawn and would not have been served at the useful temperature that the household has [kWh].

    """

    choice: Choice
    cost: float
    unserved_kwh: float


def choices_of(own: Choice) -> list[Choice]:
    """Return what is tried for a household: what it has first, then one change each."""
    others = [replace(own, useful_c=useful_c) for useful_c in USEFUL_C if useful_c <= own.ceiling_c]
    others += [replace(own, ceiling_c=ceiling_c) for ceiling_c in CEILINGS_C if ceiling_c >= own.useful_c]
    return [own, *(choice for choice in others if choice != own)]


def advise(boilers: Sequence[Boiler], r: float, moment: datetime) -> Iterator[list[Outcome] | SmartBoilerError]:
    """Yield for each boiler, in their order, what its choices would have come to, or why that is not known.

    The number of SQL statements does not depend on the number of boilers.

    Parameters
    ----------
    boilers
        Whose data can be read, each of them once.
    r
        What unserved heat counts [mean prices].
    moment
        The ``DAYS`` local days that were over then are looked at.

    """
    known = habits(boilers, moment)
    found: dict[int, list[Outcome] | SmartBoilerError] = {}
    for zone in read_drawn(boilers, moment, DAYS):
        some = [boilers[number] for number in zone.numbers]
        facts = read_facts(some, moment, zone.moments[0], zone.moments[-1] + QUARTER)
        for column, (number, each) in enumerate(zip(zone.numbers.tolist(), facts, strict=True)):
            if np.isfinite(each.price).mean() < ENOUGH:
                found[number] = NoPricesError(f"Prices of the last {DAYS} days are not known.")
                continue
            boiler = boilers[number]
            try:
                useful_c = boiler.comfort.useful_temperature_c
            except BrokenBoilerError as error:
                found[number] = error
                continue
            usual = drawn_kwh(boiler.data.tapping_profile, zone.moments, QUARTER_H)
            drawn = np.where(np.isnan(zone.drawn_kwh[:, column]), usual, zone.drawn_kwh[:, column])
            price = pd.Series(each.price).ffill().bfill().to_numpy()
            found[number] = outcomes_of(boiler.data, useful_c, known.of(number), zone.moments, price, drawn, r)
    yield from (found[number] for number in range(len(boilers)))


def outcomes_of(
    data: BoilerData,
    useful_c: float,
    habit: Habits,
    moments: pd.DatetimeIndex,
    price: Floats,
    drawn: Floats,
    r: float,
) -> list[Outcome]:
    """Return what the choices of one boiler would have come to; they are worked out side by side. Pure.

    Parameters
    ----------
    data, useful_c, habit
        The boiler, its household's useful temperature [°C], and how it draws.
    moments, price, drawn
        Quarters of an hour, local; price per kWh and heat drawn in each [kWh], shape (n,).
    r
        As of ``advise``.

    """
    own = Choice(min(useful_c, data.temperature_max_c), data.temperature_max_c)
    choices = choices_of(own)
    side_by_side = boilers_of([replace(data, temperature_max_c=choice.ceiling_c) for choice in choices])
    useful = side_by_side.state_kwh(np.array([choice.useful_c for choice in choices]))
    electricity, states = followed(side_by_side, habit, moments, price, drawn, useful, r)
    left = (states[-1] - states[-1, 0]) / side_by_side.cop * price.mean()
    unserved = np.clip(side_by_side.state_kwh(own.useful_c) - states, 0.0, drawn[:, None]).sum(axis=0)
    costs = price @ electricity - left
    return [Outcome(*each) for each in zip(choices, costs.tolist(), unserved.tolist(), strict=True)]


def followed(
    boilers: Boilers,
    habit: Habits,
    moments: pd.DatetimeIndex,
    price: Floats,
    drawn: Floats,
    useful_kwh: Floats,
    r: float,
) -> tuple[Floats, Floats]:
    """Return electricity of boilers that follow set-points, and states of charge at the ends of quarters [kWh]. Pure.

    All have the same household; set-points are made when prices come in. Both of shape (n, boilers).

    Parameters
    ----------
    boilers, useful_kwh
        Which, and from what state of charge on hot water is useful to each, shape (boilers,) [kWh].
    habit, moments, price, drawn, r
        As of ``outcomes_of``.

    """
    n, many, quarters = len(moments), len(boilers), quarter_of_day(moments)
    plans_at = [0, *(i for i in range(1, n) if quarters[i] == 4 * PUBLISHED_HOUR)]
    unserved_price = price_of_unserved(r, np.full(many, price.mean()))
    wishes = np.zeros((n, many))
    for i in plans_at:
        end = int(moments.searchsorted(published_until(moments[i])))
        sizes, probabilities = habit.draw_offs.ahead(quarters[i:end], np.zeros((end - i, 1), dtype=bool))
        ahead = Ahead(
            price=np.repeat(price[i:end, None], many, axis=1),
            sizes_kwh=np.repeat(sizes, many, axis=1),
            probabilities=np.repeat(probabilities, many, axis=1),
            useful_kwh=useful_kwh,
            unserved_price=unserved_price,
        )
        wishes[i:end] = set_points(boilers, ahead).states_kwh
    electricity, states = np.zeros((n, many)), np.zeros((n, many))
    state, heating = useful_kwh.copy(), np.zeros(many, dtype=bool)
    for i in range(n):
        before_kwh = wishes[max(i - 1, 0)]
        share, heating = alone(boilers, state, wishes[i], before_kwh=before_kwh, heating=heating)
        electricity[i], state = after(boilers, state, share, drawn[i])
        states[i] = state
    return electricity, states
