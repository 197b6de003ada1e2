"""A boiler that is planned alone: from its data and what a trigger said to a device, without the host's tables.

A trigger that names a start and a duration alone costs no parsing at all here: the boiler's own data are numbers
already. What it says beside that is read by the host's own schema and functions, so that it means what it means to the
host. What we do not know is left to the host (``OWN_FIELDS``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from smart_boiler_plugin import host
from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.clock.quarter import HOUR, QUARTER
from smart_boiler_plugin.physics.envelope import Series
from smart_boiler_plugin.plan import context
from smart_boiler_plugin.plan.ahead import looks_ahead, problem_ahead, problem_with_reserve
from smart_boiler_plugin.plan.device import Device
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.plan.problem import Problem
from smart_boiler_plugin.plan.reading import Known, per_step
from smart_boiler_plugin.plan.span import Span
from smart_boiler_plugin.plan.start import start_kwh
from smart_boiler_plugin.plan.table import KW_PER_MW
from smart_boiler_plugin.plan.trigger import GIVEN

OWN_FIELDS = {
    "soc-at-start",
    "soc-unit",
    "soc-min",
    "soc-minima",
    "soc-max",
    "soc-maxima",
    "soc-targets",
    "soc-gain",
    "soc-usage",
    "storage-efficiency",
    "power-capacity",
    "consumption-capacity",
    "production-capacity",
    "charging-efficiency",
    "prefer-charging-sooner",
}
"""Fields of a flex-model that we can plan with; a trigger or an asset with others is planned by the host."""

OWN_CONTEXT = {"consumption-price", "production-price"}
"""The same of a flex-context."""

BOOKKEEPING = {"sensor", "asset", "state-of-charge", GIVEN}
"""Fields that say which boiler it is, where its planned state is stored, and what the trigger gave."""

POINTS = {"soc-minima", "soc-maxima", "soc-targets"}
"""Fields that may name points in time."""

SAYS_NOTHING = {"soc-at-start", "soc-unit", "prefer-charging-sooner", "production-capacity"}
"""Fields that say neither what is wanted nor what the boiler can do, beside a plan that can be made here."""

NAMES_OF_HOST = {"power-capacity": "power_capacity_in_mw"}
"""Fields that are called something else once the host has read them."""

NO_PRODUCTION = (None, "0 kW")
"""What a boiler can feed in."""


def can_plan(entry: Mapping[str, Any], context: Mapping[str, Any], step: timedelta) -> bool:
    """Return whether a boiler with this flex-model and flex-context can be planned here, in steps of this length.

    Not where its site comes in, where a point in time lies between two steps (the host projects it), or where
    something else is asked for that only the host knows.
    """
    return (
        entry.keys() <= OWN_FIELDS | BOOKKEEPING
        and context.keys() <= OWN_CONTEXT
        and not (entry.keys() & POINTS and host.has_points_between_steps(entry, step))
        and entry.get("production-capacity") in NO_PRODUCTION
        and entry.get("prefer-charging-sooner") in (None, False)
    )


def said_of(boiler: Boiler, entry: Mapping[str, Any], start: datetime) -> dict[str, Any]:
    """Return what a flex-model says beyond the boiler's own, as the host's schema reads it; nothing, most of the time.

    Parameters
    ----------
    boiler
        Which.
    entry
        Its flex-model, that of the asset and what the trigger said merged, without degrees; one that ``can_plan``.
    start
        Of the plan.

    Raises
    ------
    marshmallow.ValidationError
        If a field is wrong.

    """
    said = _beyond_own(boiler, entry)
    if not said:
        return {}
    loaded: dict[str, Any] = host.storage_schema(start, boiler.sensors["fill-rate"]).load(said)
    return loaded


def _beyond_own(boiler: Boiler, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a flex-model that are not as the boiler's own data have them."""
    own = boiler.data.flex_model
    return {name: value for name, value in entry.items() if name not in BOOKKEEPING and own.get(name) != value}


def gets_set_points(boiler: Boiler, entry: Mapping[str, Any], step: timedelta) -> bool:
    """Return whether nothing is said of a boiler but where it starts, in steps for which there are set-points."""
    said = {*entry.get(GIVEN, ()), *_beyond_own(boiler, entry)}
    return step == QUARTER and said <= BOOKKEEPING | SAYS_NOTHING


def with_wished_states(device: Device, boiler: Boiler, said: Mapping[str, Any], span: Span) -> Device:
    """Return a device with the floors, ceilings and targets that were said of a boiler (``said_of``), else its own."""
    return replace(device, **_Reader(boiler, {}, said, span).wished_states())


def problem_of(
    known: Known,
    entry: Mapping[str, Any],
    said: Mapping[str, Any],
    flex_context: Mapping[str, Any],
    rules: Policy,
    span: Span,
    *,
    limit_kw: Series | float | None = None,
) -> Problem:
    """Return the problem of a boiler that is planned by itself: of set-points, where nobody says what is wanted.

    Parameters
    ----------
    known
        The boiler, and what is known of it.
    entry, said
        As of ``said_of``, and what that returned.
    flex_context
        With the prices.
    rules, span
        What the server's settings say, and when the plan is for.
    limit_kw
        Power that is left to the boiler beside others, shape (n,) or a number [kW]: it is told powers then.

    """
    boiler, facts = known.boiler, known.facts
    data, comfort = boiler.data, boiler.comfort
    start: tuple[float, Mapping[str, str]]
    if "soc_at_start" in said:
        start = said["soc_at_start"] * KW_PER_MW, {"from": "trigger"}
    else:
        start = start_kwh(data, comfort, facts, rules, pd.Timestamp(span.start))
    if limit_kw is None and gets_set_points(boiler, entry, span.step):
        prices = context.prices_alone(flex_context, boiler, facts, rules, looks_ahead(span))
        return problem_ahead(data, comfort, facts, rules, habit=known.habit, span=span, prices=prices, start=start)
    device = _Reader(boiler, entry, said, span).device(*start)
    if limit_kw is not None:
        device = replace(device, power_max_kw=np.minimum(device.power_max_kw, limit_kw))
    prices = context.prices_alone(flex_context, boiler, facts, rules, span)
    return problem_with_reserve(data, comfort, facts, rules, habit=known.habit, device=device, prices=prices)


@dataclass(frozen=True)
class _Reader:
    """Reads a boiler's flex-model: what was said as the host reads it, all else from the boiler's own data."""

    boiler: Boiler
    entry: Mapping[str, Any]
    said: Mapping[str, Any]
    span: Span

    def device(self, start_kwh: float, start_from: Mapping[str, str]) -> Device:
        data = self.boiler.data
        moments = pd.date_range(*self.span.window, freq=self.span.step, inclusive="left")
        of_all = np.ones(len(moments))
        return Device(
            moments=moments.tz_convert(self.boiler.timezone),
            step=self.span.step,
            retention=of_all * self._retention(),
            inflow_kw=of_all * (self._gain_kw() - self._flows_kw("soc_usage")),
            power_min_kw=of_all * 0.0,
            power_max_kw=of_all * self._power_max_kw(),
            heat_per_power=of_all * self._own_or_said("charging-efficiency", data.cop, "dimensionless", absent=1.0),
            start_kwh=start_kwh,
            start_from=start_from,
            given=frozenset(self.entry.get(GIVEN, ())),
            **self.wished_states(),
        )

    def wished_states(self) -> dict[str, Any]:
        """Return floor, ceiling and targets, as the fields of a device."""
        data = self.boiler.data
        lowest = self.said["soc_min"] * KW_PER_MW if "soc_min" in self.said else -np.inf
        own_highest = data.tank.state_of_charge_kwh(data.temperature_max_c)
        highest = self.said["soc_max"] * KW_PER_MW if "soc_max" in self.said else own_highest
        targets = self._states_kwh("soc_targets", "first")
        return {
            "lowest_kwh": _within(self._states_kwh("soc_minima", "max"), lowest, (lowest, highest)),
            "highest_kwh": _within(self._states_kwh("soc_maxima", "min"), highest, (lowest, highest)),
            "targets_kwh": {int(step): float(targets[step]) for step in np.flatnonzero(~np.isnan(targets))},
        }

    def _own_or_said(self, field: str, own: float, unit: str, *, absent: float) -> Series | float:
        """Return what was said of a field per step, else the boiler's own, else (a trigger replaced it) the default."""
        name = NAMES_OF_HOST.get(field, field.replace("-", "_"))
        if name not in self.said:
            return own if field in self.entry else absent
        said: Series = np.nan_to_num(self._series(self.said[name], unit), nan=absent)
        return said

    def _series(self, value: Any, unit: str, **options: Any) -> Series:
        values: Series = per_step(value, unit, self.span, **options).to_numpy(dtype=float)
        return values

    def _states_kwh(self, name: str, overlaps: str) -> Series:
        """Return states of charge [kWh] at the ends of the steps, NaN where none is named; overlaps as of the host."""
        value, (start, end) = self.said.get(name), self.span.window
        if value is None:
            return np.full(round((end - start) / self.span.step), np.nan)
        overlapping = {"as_instantaneous_events": True, "resolve_overlaps": overlaps}
        return KW_PER_MW * self._series(value, "MWh", at_ends=True, **overlapping)

    def _retention(self) -> Series | float:
        if "storage_efficiency" not in self.said:
            own = self.boiler.data.tank.storage_efficiency(self.span.step / HOUR)
            return own if "storage-efficiency" in self.entry else 1.0
        # as the host has it: the efficiency is that of a step of the sensor
        of_sensor = np.nan_to_num(self._series(self.said["storage_efficiency"], "dimensionless"), nan=1.0)
        steps = self.span.step / self.boiler.sensors["fill-rate"].event_resolution
        retention: Series = np.clip(np.clip(of_sensor, 0.0, 1.0) ** steps, 1e-6, 1.0)
        return retention

    def _gain_kw(self) -> Series | float:
        if "soc_gain" in self.said:
            return self._flows_kw("soc_gain")
        return self.boiler.data.tank.ambient_gain_kw if "soc-gain" in self.entry else 0.0

    def _flows_kw(self, name: str) -> Series | float:
        """Return the sum of gains or usages [kW]."""
        parts = [np.nan_to_num(self._series(part, "MW")) for part in self.said.get(name) or []]
        flows: Series | float = KW_PER_MW * np.sum(parts, axis=0)
        return flows

    def _power_max_kw(self) -> Series:
        data = self.boiler.data
        capacity, consumption = (
            np.asarray(self._own_or_said(field, data.power_kw / KW_PER_MW, "MW", absent=np.inf))
            for field in ("power-capacity", "consumption-capacity")
        )
        power: Series = np.clip(np.minimum(capacity, consumption) * KW_PER_MW, 0.0, None)
        return power


def _within(states_kwh: Series, else_kwh: float, limits_kwh: tuple[float, float]) -> Series:
    """Return states of charge [kWh] within limits, with a default where none is named."""
    return np.clip(np.where(np.isnan(states_kwh), else_kwh, states_kwh), *limits_kwh)
