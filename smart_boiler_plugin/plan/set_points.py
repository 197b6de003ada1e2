"""From problems to answers by set-points, many boilers at once: the fleet is an axis. Pure.

The programme: ``physics/set_points.py``; what is to be expected of boilers that follow it: ``physics/expected.py``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from smart_boiler_plugin.clock.quarter import QUARTER_H
from smart_boiler_plugin.learning.side_by_side import boilers_of
from smart_boiler_plugin.physics.envelope import Series
from smart_boiler_plugin.physics.expected import set_points_and_expected
from smart_boiler_plugin.physics.thermostat import SET_POINT_C
from smart_boiler_plugin.plan.outlook import Outlook, ahead_of
from smart_boiler_plugin.plan.problem import Problem
from smart_boiler_plugin.plan.solve import Answer, solve


def solve_by_set_points(problems: Sequence[Problem], steps: int | None = None) -> list[Answer]:
    """Return set-points for boilers, and what is to be expected of those who follow them, in the order of the problems.

    Where no price of a boiler is known, its plan is that of a thermostat.

    Parameters
    ----------
    problems
        As ``problem_ahead`` makes them.
    steps
        Of how many of their first steps an answer is wanted; by default of all.

    """
    answers: dict[int, Answer] = {}
    by_length: dict[int, list[int]] = defaultdict(list)
    for number, problem in enumerate(problems):
        if problem.price is None or problem.seen is None:
            answers[number] = _thermostat(problem, steps)
        else:
            by_length[len(problem.price)].append(number)
    for numbers in by_length.values():
        answers.update(zip(numbers, _solved([problems[number] for number in numbers], steps), strict=True))
    return [answers[number] for number in range(len(problems))]


def _solved(problems: list[Problem], steps: int | None) -> list[Answer]:
    """Return the answers of problems that have prices, draw-offs to be expected, and equally many steps."""
    boilers = boilers_of([problem.data for problem in problems])
    seen: list[Outlook] = [problem.seen for problem in problems if problem.seen is not None]
    prices: list[Series] = [problem.price for problem in problems if problem.price is not None]
    ahead = ahead_of(seen, prices, [problem.least_kwh for problem in problems])
    start = np.array([problem.device.start_kwh for problem in problems])
    found, foreseen = set_points_and_expected(boilers, ahead, start)
    cut = slice(steps)
    return [
        _answer(
            problem,
            np.clip(foreseen.power_kw[cut, number], 0.0, None),
            np.concatenate([[problem.device.start_kwh], foreseen.state_kwh[cut, number]]),
            found.temperatures_c[cut, number],
            max(float(foreseen.unserved_kwh[cut, number].sum()), 0.0),
        )
        for number, problem in enumerate(problems)
    ]


def _answer(
    problem: Problem, power_kw: Series, states_kwh: Series, set_points_c: Series, unserved_kwh: float
) -> Answer:
    price, seen = problem.price, problem.seen
    cost = None if price is None else float(price[: len(power_kw)] @ power_kw) * QUARTER_H
    worth = {} if seen is None else {"unserved_heat_counts": round(seen.unserved_price, 6)}
    account: dict[str, Any] = {
        **problem.account,
        "plan": "set-points",
        "solver": "set-points",
        "expected_cost": None if cost is None else round(cost, 6),
        "expected_unserved": f"{unserved_kwh:.3f} kWh",
        **worth,
        "floors_not_met": problem.floors_not_met(states_kwh[1:]),
    }
    return Answer(power_kw, states_kwh, cost, account, set_points_c)


def _thermostat(problem: Problem, steps: int | None) -> Answer:
    """Return the plan of a thermostat; its set-point is the thermostat's own, or what the floors need."""
    answer, bounds = solve(problem), problem.bounds
    needed_c = problem.data.tank.temperature_c(bounds.need_kwh + bounds.steps.drawn_kwh)
    set_points_c = np.minimum(np.maximum(needed_c, SET_POINT_C), problem.data.temperature_max_c)
    cut = slice(steps)
    power, states = answer.power_kw[cut], answer.states_kwh[: len(answer.power_kw[cut]) + 1]
    account = {**answer.account, "floors_not_met": problem.floors_not_met(states[1:])}
    return Answer(power, states, answer.cost, account, set_points_c[cut])
