"""Boilers that the host plans: with other devices of their site, or within its limits.

Their facts go into the host's flex-model, and the bounds of their problems into the host's tables (``table.py``); the
host's own optimisation then solves all devices together. Where it finds no plan, each boiler still gets one of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from flexmeasures.data.schemas.sensors import VariableQuantityField

from smart_boiler_plugin import host
from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.clock.quarter import HOUR
from smart_boiler_plugin.facts.series import holds_any
from smart_boiler_plugin.physics.envelope import Series, least_heat_kwh
from smart_boiler_plugin.plan import alone, context
from smart_boiler_plugin.plan.ahead import problem_with_reserve
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.plan.prices import StepPrices
from smart_boiler_plugin.plan.problem import Problem
from smart_boiler_plugin.plan.reading import Known, per_step
from smart_boiler_plugin.plan.solve import Answer, solve, thermostat_power_kw
from smart_boiler_plugin.plan.span import Span
from smart_boiler_plugin.plan.start import start_kwh
from smart_boiler_plugin.plan.table import KW_PER_MW, Headroom, Table
from smart_boiler_plugin.plan.trigger import GIVEN
from smart_boiler_plugin.stored import is_id

LIMITS = ("site-power-capacity", "site-consumption-capacity")
"""Fields of a flex-context that limit what all devices of a site take together."""


class AtSite:
    """One boiler of a site.

    Parameters
    ----------
    known
        Which, and what is known of it.
    entry
        What the flex-model says of it, that of the asset and what the trigger said merged, without degrees.
    rules, span
        What the server's settings say, and when the plan is for.

    Attributes
    ----------
    account
        What its plan rests on, as JSON.

    """

    def __init__(self, known: Known, entry: Mapping[str, Any], rules: Policy, span: Span) -> None:
        self.boiler, self.known, self.entry = known.boiler, known, entry
        self._rules, self._span = rules, span
        self.account: dict[str, Any] = {}
        self._said: dict[str, Any] = {}
        self._start_from: Mapping[str, str] = {"from": "trigger"}

    def for_host(self, *, with_wishes: bool) -> dict[str, Any]:
        """Return the boiler's flex-model as the host is to read it.

        With where it starts, and where the host expects its planned state. What is wished of its states of charge goes
        into its bounds, where it can always be met, and not to the host, which would trade it for a price; unless the
        host is to weigh the wishes.
        """
        entry = {name: value for name, value in self.entry.items() if name != GIVEN}
        if not with_wishes and not host.has_points_between_steps(entry, self._span.step):
            wished: dict[str, Any] = {name: entry.pop(name) for name in alone.POINTS & entry.keys()}
            wished |= {name: entry[name] for name in ("soc-min", "soc-max", "soc-unit") if name in entry}
            self._said = alone.said_of(self.boiler, wished, self._span.start)
        states = self.boiler.sensors.get("state-of-charge")
        own = {"sensor": states.id} if states is not None else None
        # on our own sensor is what was planned: nothing to start from
        if "soc-at-start" not in entry and entry.get("state-of-charge", own) == own:
            boiler, at = self.boiler, pd.Timestamp(self._span.start)
            at_start, self._start_from = start_kwh(boiler.data, boiler.comfort, self.known.facts, self._rules, at)
            entry["soc-at-start"] = f"{at_start:.9f} kWh"
        return {"state-of-charge": own, **entry} if own else entry

    def problem(self, table: Table, prices: StepPrices, headroom_kw: Series | float) -> Problem:
        """Return the boiler's problem in the host's steps.

        Parameters
        ----------
        table
            The host's.
        prices
            What one kWh costs in its steps.
        headroom_kw
            Power that the site leaves, shape (n,) or a number [kW].

        """
        given = frozenset(self.entry.get(GIVEN, ()))
        device = table.device(self.boiler.timezone, headroom_kw, given, self._start_from)
        device = alone.with_wished_states(device, self.boiler, self._said, replace(self._span, step=table.step))
        data, comfort, facts = self.boiler.data, self.boiler.comfort, self.known.facts
        return problem_with_reserve(
            data, comfort, facts, self._rules, habit=self.known.habit, device=device, prices=prices
        )

    def bound(self, table: Table, problem: Problem) -> None:
        """Let the host plan this boiler within the bounds of its problem; the table is changed in place."""
        table.set_bounds(problem.bounds, problem.device)
        how = "cheapest"
        if problem.price is None:
            table.set_power(thermostat_power_kw(problem))
            how = "thermostat, as no price is known"
        missed = problem.floors_not_met(problem.bounds.lowest_kwh)
        self.account = {**problem.account, "plan": how, "solver": "host", "floors_not_met": missed}


def state_is_unknown(entry: Mapping[str, Any], span: Span) -> bool:
    """Return whether the host would fail for want of a device's state at the start: its sensor holds none then."""
    named = entry.get("state-of-charge")
    sensor_id = named.get("sensor") if isinstance(named, dict) else None
    if "soc-at-start" in entry or not isinstance(sensor_id, int) or not is_id(sensor_id):
        return False
    around = host.STATE_LOOKUP_STEPS * span.step
    return not holds_any(sensor_id, span.start - around, span.start + around)


def told_of(entry: Mapping[str, Any]) -> str:
    """Return which device a part of a flex-model is about, for people."""
    return ", ".join(f"{name} {entry[name]}" for name in ("asset", "sensor") if name in entry)


def needed_kw(problem: Problem) -> Series:
    """Return the power without which the bounds of a problem cannot be met, as late as may be, shape (n,) [kW]."""
    if problem.price is None:
        return thermostat_power_kw(problem)
    return least_heat_kwh(problem.bounds, problem.device.start_kwh) / problem.device.heat_kwh_per_kw


class Site:
    """The boilers of a plan that the host makes.

    Parameters
    ----------
    boilers
        By the ids of their assets.
    rules
        What the server's settings say.
    span
        When the plan is for.

    """

    def __init__(self, boilers: Mapping[int, AtSite], rules: Policy, span: Span) -> None:
        self.boilers, self._rules, self._span = boilers, rules, span
        self._sensor_prices: StepPrices | None = None
        self._context: dict[str, Any] = {}

    def complete(self, flex_context: dict[str, Any]) -> dict[str, Any]:
        """Return the flex-context as the host is to read it: with typical prices where none is known."""
        self._context, completed = flex_context, dict(flex_context)
        for at_site in self.boilers.values():
            completed = context.by_tariffs(completed, at_site.boiler, at_site.known.facts, self._span)
        timezone = next(iter(self.boilers.values())).boiler.timezone
        self._sensor_prices = context.complete(completed, self._rules, self._span, timezone)
        return completed

    def bound(self, prepared: host.Prepared, groups: list[list[int]]) -> None:
        """Put the bounds of all boilers into the host's tables.

        Behind one limit, each has its share of the headroom by the power of its element; what it can do without of that
        is left to the others. So all bounds can be met at once.
        """
        energy = next((c.upwards_deviation_price for c in prepared.commitments if c.name == host.ENERGY), None)
        prices = self._prices(energy, len(prepared.devices[0]), prepared.resolution / HOUR)
        headroom = Headroom(prepared.devices, list(zip(prepared.sites, groups, strict=True)))
        found: dict[int, tuple[AtSite, Table]] = {}
        for d, (sensor, at_start) in enumerate(zip(prepared.sensors, prepared.soc_at_start, strict=True)):
            at_site = self.boilers.get(sensor.generic_asset.id) if sensor is not None else None
            if at_site is not None and at_start is not None:
                found[d] = at_site, Table(prepared.devices[d], at_start * KW_PER_MW, prepared.resolution)
        installed_kw = sum(at_site.boiler.data.power_kw for at_site, _ in found.values())
        if len(found) > 1:
            shares = {
                d: headroom.of(d) * at_site.boiler.data.power_kw / installed_kw for d, (at_site, _) in found.items()
            }
            for d, (at_site, table) in found.items():
                headroom.take(d, needed_kw(at_site.problem(table, prices, shares[d])))
        for d, (at_site, table) in found.items():
            problem = at_site.problem(table, prices, headroom.of(d))
            headroom.take(d, needed_kw(problem))
            at_site.bound(table, problem)

    def _prices(self, energy: pd.Series | None, steps: int, step_h: float) -> StepPrices:
        """Return what the host will count per kWh, with what is known of where it is from."""
        if energy is None or (self._sensor_prices and not self._sensor_prices.known):
            return StepPrices(np.full(steps, np.nan), np.zeros(steps, dtype=bool))
        # currency per MW and step -> currency per kWh
        per_kwh = energy.to_numpy(dtype=float) / KW_PER_MW / step_h
        assumed = self._sensor_prices.assumed if self._sensor_prices else np.zeros(steps, dtype=bool)
        mean = self._sensor_prices.mean if self._sensor_prices else float(per_kwh.mean())
        return StepPrices(per_kwh, assumed, mean)

    @property
    def account(self) -> dict[str, Any]:
        """What the plan rests on: of the boiler, or, where there are several, of each by the id of its asset."""
        told = {str(asset_id): at_site.account for asset_id, at_site in self.boilers.items()}
        return next(iter(told.values())) if len(told) == 1 else {"solver": "host", "boilers": told}

    def each_alone(self) -> list[tuple[Boiler, Problem, Answer]]:
        """Return a plan for each boiler by itself, within what the site's limits leave: the host has found none."""
        left_kw, answers = self._limit_kw(), []
        for at_site in self.boilers.values():
            boiler = at_site.boiler
            own = {name: value for name, value in at_site.entry.items() if name in alone.OWN_FIELDS | alone.BOOKKEEPING}
            said = alone.said_of(boiler, own, self._span.start)
            problem = alone.problem_of(
                at_site.known, own, said, self._context, self._rules, self._span, limit_kw=left_kw
            )
            answer = solve(problem)
            left_kw = np.maximum(left_kw - answer.power_kw, 0.0)
            at_site.account = answer.account
            answers.append((boiler, problem, answer))
        return answers

    def _limit_kw(self) -> Series:
        """Return the power that the site's limits leave to all boilers together, shape (n,) [kW]."""
        start, end = self._span.window
        limit = np.full(round((end - start) / self._span.step), np.inf)
        for name in LIMITS:
            if name in self._context:
                value = VariableQuantityField("MW").deserialize(self._context[name])
                limit = np.fmin(limit, KW_PER_MW * per_step(value, "MW", self._span).to_numpy())
        limit_kw: Series = np.maximum(limit, 0.0)
        return limit_kw
