"""A boiler that the host plans: its facts go into the host's flex-model, and its problem into the host's table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.facts.facts import Facts
from smart_boiler_plugin.physics.envelope import Series
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.plan.prices import StepPrices
from smart_boiler_plugin.plan.problem import make_problem
from smart_boiler_plugin.plan.solve import thermostat_power_kw
from smart_boiler_plugin.plan.start import start_kwh
from smart_boiler_plugin.plan.table import Table
from smart_boiler_plugin.plan.trigger import GIVEN


class AtHost:
    """A boiler that the host plans.

    Parameters
    ----------
    boiler, facts
        Which, and what is known of it.
    rules
        What the server's settings say.

    Attributes
    ----------
    account
        What its plan rests on, as JSON.

    """

    def __init__(self, boiler: Boiler, facts: Facts, rules: Policy) -> None:
        self.boiler, self._facts, self._rules = boiler, facts, rules
        self._given: frozenset[str] = frozenset()
        self._start_from: Mapping[str, str] = {"from": "trigger"}
        self.account: dict[str, Any] = {}

    def completed(self, entry: Mapping[str, Any], start: datetime) -> dict[str, Any]:
        """Return a merged flex-model with where the boiler starts, and where its planned state is stored."""
        self._given = frozenset(entry.get(GIVEN, ()))
        completed = {name: value for name, value in entry.items() if name != GIVEN}
        states = self.boiler.sensors.get("state-of-charge")
        own = {"sensor": states.id} if states is not None else None
        # on our own sensor is what was planned: that is where the host expects it, and nothing to start from
        if "soc-at-start" not in completed and completed.get("state-of-charge", own) == own:
            boiler, at = self.boiler, pd.Timestamp(start)
            at_start, self._start_from = start_kwh(boiler.data, self._facts, self._rules, at, boiler.comfort.away)
            completed["soc-at-start"] = f"{at_start:.9f} kWh"
        return {"state-of-charge": own, **completed} if own else completed

    def bound(self, table: Table, prices: StepPrices, headroom_kw: Series | float) -> None:
        """Let the host plan this boiler within bounds that can be met, with draw-offs, comfort and hygiene.

        Parameters
        ----------
        table
            The host's; changed in place.
        prices
            What one kWh costs in its steps.
        headroom_kw
            Power that the site leaves, shape (n,) or a number [kW].

        """
        boiler = self.boiler
        device = table.device(boiler.timezone, headroom_kw, self._given, self._start_from)
        problem = make_problem(boiler.data, boiler.comfort, self._facts, self._rules, device, prices)
        table.set_bounds(problem.bounds, problem.device)
        if problem.price is None:
            table.set_power(thermostat_power_kw(problem))
        how = "cheapest" if prices.known else "thermostat, as no price is known"
        missed = problem.floors_not_met(problem.bounds.lowest_kwh)
        self.account = {**problem.account, "plan": how, "floors_not_met": missed}
