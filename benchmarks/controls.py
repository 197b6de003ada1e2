"""Controls that set-points are compared with: thermostats, timers, plans of powers, and perfect foresight."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from benchmarks.households import QUARTER, QUARTER_H
from smart_boiler_plugin.boiler.comfort import Comfort
from smart_boiler_plugin.clock.coverage import PUBLISHED_HOUR, published_until
from smart_boiler_plugin.facts.facts import Facts
from smart_boiler_plugin.physics.cheapest import cheapest_heat
from smart_boiler_plugin.physics.envelope import Steps, envelope, follow
from smart_boiler_plugin.physics.following import after
from smart_boiler_plugin.plan.device import Device
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.plan.prices import of_facts
from smart_boiler_plugin.plan.problem import make_problem
from smart_boiler_plugin.plan.solve import solve
from smart_boiler_plugin.plan.span import Span
from smart_boiler_plugin.plan.start import start_kwh

FLOOR_C = 50.0
"""Floor of plans of powers, as the first version had it for all [°C]."""

LOOKS_BACK = pd.Timedelta(days=8)


@dataclass(frozen=True)
class Run:
    """What boilers did in each quarter of an hour, and their states of charge at its end, shape (n, boilers) [kWh]."""

    electricity_kwh: np.ndarray
    state_kwh: np.ndarray

    @classmethod
    def of(cls, homes):
        """Return a run that is yet to be filled in."""
        return cls(np.zeros(homes.drawn_kwh.shape), np.zeros(homes.drawn_kwh.shape))

    def step(self, homes, i, share):
        """Heat with a share of each element's power [-] in quarter ``i``; the limiter ends that at the ceiling."""
        before = self.state_kwh[i - 1] if i else homes.start_kwh
        self.electricity_kwh[i], self.state_kwh[i] = after(homes.boilers, before, share, homes.drawn_kwh[i])


class Sensors:
    """Thermometers with a noise of 0.3 K and steps of 0.5 K, read as quarters end; some of them may be silent."""

    def __init__(self, homes, silent=None):
        n, many = homes.drawn_kwh.shape
        self._boilers, self._noise = homes.boilers, np.random.default_rng(99).normal(0, 0.3, (n + 1, many))
        # what comes to the server, and what a device that follows alone reads itself
        self.sent_c, self.here_c = np.full((n, many), np.nan), self._read(homes.start_kwh, -1)
        self.silent = np.zeros((n, many), dtype=bool) if silent is None else silent

    def _read(self, state_kwh, i):
        return np.round((self._boilers.temperature_c(state_kwh) + self._noise[i]) / 0.5) * 0.5

    def measure(self, i, state_kwh):
        """Read states of charge [kWh] at the end of quarter ``i``."""
        self.here_c = self._read(state_kwh, i)
        self.sent_c[i] = np.where(self.silent[i], np.nan, self.here_c)


def known_until(moments, i):
    """Return up to which quarter prices are known at the start of quarter ``i``."""
    return int(moments.searchsorted(published_until(moments[i])))


def is_planned(moments, i):
    """Return whether prices have just come in."""
    return i == 0 or (moments[i].hour, moments[i].minute) == (PUBLISHED_HOUR, 0)


def facts_of(number, moments, i, read_c, electricity_kwh, planned_kw, price):
    """Return what is known of a boiler at the start of quarter ``i``: of the days before, and prices ahead."""
    until = known_until(moments, i)
    first = max(0, i - round(LOOKS_BACK / QUARTER))
    # a plan looks at least a day ahead
    quarters = moments[first : max(until, i + 96) + 97]
    unknown = np.full(len(quarters), np.nan)

    def series(values, end):
        known = unknown.copy()
        known[: end - first] = values[first:end]
        return known

    at = slice(None), number
    return Facts(
        asset_id=number,
        moment=moments[i],
        quarters=quarters,
        temperature_c=series(read_c[at], i),
        metered_kw=series(electricity_kwh[at] / QUARTER_H, i),
        planned_kw=series(planned_kw[at], min(until, len(planned_kw))),
        demand_kwh=unknown,
        expected_kwh=unknown,
        forecast_kwh=unknown,
        price=series(price, until),
        mean_price=float(price[max(0, i - 28 * 96) : until].mean()),
        first_reading=moments[0] if i else None,
    )


def thermostat(homes, set_point_c=60.0, hysteresis_k=5.0, allowed=None):
    """Return the run of thermostats; ``allowed`` says in which quarters they may heat (a timer)."""
    boilers, run = homes.boilers, Run.of(homes)
    full, restart = boilers.state_kwh(set_point_c), boilers.state_kwh(set_point_c - hysteresis_k)
    on, state = np.zeros(len(boilers), dtype=bool), homes.start_kwh
    for i in range(len(homes.drawn_kwh)):
        on = (on | (state <= restart)) & (allowed is None or allowed[i])
        share = np.clip((full - boilers.idle_kwh(state)) / boilers.heat_max_kwh, 0.0, 1.0) * on
        run.step(homes, i, share)
        state = run.state_kwh[i]
        on &= state < full - 1e-9
    return run


def timer(homes, moments, set_point_c):
    """Return the run of boilers that may heat from 23 to 07 alone, up to a set-point [°C]."""
    hours = moments[: len(homes.drawn_kwh)].hour
    return thermostat(homes, set_point_c, 2.0, np.asarray((hours >= 23) | (hours < 7)))


def plan_of_powers(homes, moments, price, colder_k=np.inf):
    """Return the run of boilers that follow a plan in kW, made at 14:00 and when so much colder than planned [K]."""
    n, many = homes.drawn_kwh.shape
    run, sensors = Run.of(homes), Sensors(homes)
    planned_kw, least_c = np.zeros((len(moments), many)), np.full((len(moments), many), -np.inf)
    data = [replace(each, temperature_min_c=FLOOR_C) for each in homes.entered]
    for i in range(n):
        read_c = sensors.sent_c[i - 1] if i else sensors.here_c
        again = read_c < least_c[i] - colder_k
        for number in np.flatnonzero(again | is_planned(moments, i)):
            facts = facts_of(number, moments, i, sensors.sent_c, run.electricity_kwh, planned_kw, price)
            ahead = slice(i, known_until(moments, i))
            kw, states_kwh = powers(data[number], facts, Span(moments[i], moments[ahead.stop], QUARTER, moments[i]))
            planned_kw[ahead, number] = kw
            least_c[ahead, number] = data[number].tank.temperature_c(states_kwh)
        run.step(homes, i, planned_kw[i] / homes.boilers.power_kw)
        sensors.measure(i, run.state_kwh[i])
    return run


def powers(data, facts, span):
    """Return planned power [kW] and states of charge [kWh] of the steps of a span."""
    begin = facts.moment
    moments = facts.quarters[facts.span(span.start, span.end)]
    device = Device.of(data, moments, *start_kwh(data, Comfort(), facts, Policy(), begin))
    answer = solve(make_problem(data, Comfort(), facts, Policy(), device, of_facts(facts, span)))
    return answer.power_kw, answer.states_kwh[:-1]


def perfect_foresight(homes, price, baseline, useful_c=40.0):
    """Return the run of boilers whose plan knows all, and keeps a temperature [°C] while somebody draws.

    It ends with the heat of a baseline; no hygiene.
    """
    run, boilers, n = Run.of(homes), homes.boilers, len(homes.drawn_kwh)
    for number in range(len(boilers)):
        one = boilers[number : number + 1]
        drawn = homes.drawn_kwh[:, number] * one.late
        heat_max = np.full(n, one.heat_max_kwh[0])
        steps = Steps(np.full(n, one.retention[0]), one.gain_kwh - drawn, np.zeros(n), heat_max, drawn)
        lowest = np.where(drawn > 0, one.state_kwh(useful_c), 0.0)
        highest = np.full(n, one.ceiling_kwh[0])
        end_kwh = min(baseline.state_kwh[-1, number], highest[-1])
        lowest[-1] = highest[-1] = end_kwh
        bounds = envelope(steps, float(homes.start_kwh[number]), lowest, highest)
        heat = cheapest_heat(bounds, price[:n], float(homes.start_kwh[number]))
        run.state_kwh[:, number] = follow(bounds.steps, float(homes.start_kwh[number]), heat)
        run.electricity_kwh[:, number] = heat / one.late / one.cop
    return run
