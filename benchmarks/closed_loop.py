"""Simulated boilers in a closed loop: plan, follow, measure, plan again; and what other controls would have done.

The plans are made by the real ``BoilerScheduler`` on a real FlexMeasures. The tank's physics is ``Tank.after``.
"""

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pandas as pd
import timely_beliefs as tb
from flexmeasures import Source
from flexmeasures.data import db
from flexmeasures.data.utils import save_to_db

from smart_boiler_plugin.money.savings import Boilers, after_thermostat, day_of
from smart_boiler_plugin.physics.cheapest import cheapest_heat
from smart_boiler_plugin.physics.envelope import Steps, envelope
from smart_boiler_plugin.physics.tapping_profiles import TAPPING_PROFILES
from tests.host.boilers import QUARTER, planned, scheduler_of

QUARTER_H = 0.25
QUARTERS_PER_DAY = 96
PLANNING_HOUR = 14
"""Local hour at which the next day's prices are known, and a plan is made."""


@dataclass
class Run:
    """What one boiler did under one control, per quarter."""

    power_kw: list = field(default_factory=list)
    state_kwh: list = field(default_factory=list)
    plans: int = 0
    missed_min: int = 0

    def cost(self, price):
        """Return the cost [EUR] at prices [EUR/kWh]."""
        return float(price @ np.array(self.power_kw)) * QUARTER_H


def draw_random(chance, profile, share, moments):
    """Return heat drawn per quarter [kWh]: a tapping profile, each tap at another time and of another size each day.

    Each tap moves by some 30 min and is some 40 % larger or smaller; one in ten does not happen.
    """
    drawn = np.zeros(len(moments))
    first = moments[0]
    for day in pd.date_range(first.normalize(), moments[-1].normalize(), freq="D"):
        for at, heat in TAPPING_PROFILES[profile].items():
            if chance.random() < 0.1:
                continue
            moment = day + pd.Timedelta(hours=at.hour, minutes=at.minute + chance.normal(0, 30))
            quarter = int((moment - first) / QUARTER)
            if 0 <= quarter < len(drawn):
                drawn[quarter] += share * heat * chance.lognormal(-0.08, 0.4) / 0.9
    return drawn


def follow(data, start_kwh, power_kw, drawn_kwh, run):
    """Run a boiler on a power [kW] per quarter; its limiter ends heating at the ceiling. Return the state of charge."""
    tank = data.tank
    full = tank.state_of_charge_kwh(data.temperature_max_c)
    state = start_kwh
    for kw, drawn in zip(power_kw, drawn_kwh, strict=True):
        heated = tank.after(state, QUARTER_H, data.cop * kw, drawn)
        idle = tank.after(state, QUARTER_H, 0.0, drawn)
        if heated > full and kw > 0:
            kw *= max(0.0, full - idle) / (heated - idle)  # noqa: PLW2901 (what it really does)
        state = max(tank.after(state, QUARTER_H, data.cop * kw, drawn), min(0.0, state))
        run.power_kw.append(kw)
        run.state_kwh.append(state)
    return state


def thermostat_run(data, start_kwh, drawn_kwh, *, set_point_c=60.0, hysteresis_k=5.0, allowed=None):
    """Return the run of a thermostat; ``allowed`` says in which quarters it may heat (a timer)."""
    tank, run = data.tank, Run()
    full, restart = (tank.state_of_charge_kwh(c) for c in (set_point_c, set_point_c - hysteresis_k))
    state, on = start_kwh, False
    for i, drawn in enumerate(drawn_kwh):
        on = (on or state <= restart) and (allowed is None or allowed[i])
        idle = tank.after(state, QUARTER_H, 0.0, drawn)
        most = tank.after(state, QUARTER_H, data.cop * data.power_kw, drawn)
        kw = data.power_kw * min(max(0.0, full - idle) / (most - idle), 1.0) if on else 0.0
        state = follow(data, state, [kw], [drawn], run)
        on = on and state < full - 1e-9
    return run


def reported_savings(data, start_kwh, run, drawn_kwh, price):
    """Return the sum of a run's savings, day by day, as reports have them [EUR]."""
    boilers = Boilers.of(
        [data.tank],
        power_kw=[data.power_kw],
        cop=[data.cop],
        temperature_max_c=[data.temperature_max_c],
        step_h=QUARTER_H,
    )
    states, power = [start_kwh, *run.state_kwh], np.array(run.power_kw)
    days = []
    for begin in range(0, len(power), QUARTERS_PER_DAY):
        of_day = slice(begin, begin + QUARTERS_PER_DAY)
        warm_up = slice(max(0, begin - QUARTERS_PER_DAY), begin)
        baseline_start, heating = np.array([states[0]]), np.array([False])
        if begin:
            baseline_start, heating = after_thermostat(
                boilers,
                start_kwh=np.array([states[warm_up.start]]),
                heating=np.array([warm_up.start > 0 and power[warm_up.start - 1] > 0]),
                drawn_kwh=drawn_kwh[warm_up, None],
                step_h=QUARTER_H,
            )
        days.append(
            day_of(
                boilers,
                start_kwh=np.array([states[begin]]),
                baseline_start_kwh=baseline_start,
                heating=heating,
                power_kw=power[of_day, None],
                drawn_kwh=drawn_kwh[of_day, None],
                price=price[of_day, None],
                step_h=QUARTER_H,
            )
        )
    return sum(float(day.savings[0]) for day in days)


def perfect_cost(data, start_kwh, end_kwh, price, drawn_kwh, floor_c):
    """Return what one plan for the whole span costs [EUR] that knows all prices and draw-offs, and ends at a state."""
    tank, n = data.tank, len(price)
    retention = tank.storage_efficiency(QUARTER_H)
    late = (1 - retention) / -np.log(retention)
    inflow = (tank.ambient_gain_kw * QUARTER_H - drawn_kwh) * late
    heat_max = np.full(n, data.power_kw * data.cop * QUARTER_H * late)
    steps = Steps(np.full(n, retention), inflow, np.zeros(n), heat_max, drawn_kwh * late)
    lowest = np.full(n, tank.state_of_charge_kwh(floor_c))
    highest = np.full(n, tank.state_of_charge_kwh(data.temperature_max_c))
    lowest[-1] = highest[-1] = end_kwh
    bounds = envelope(steps, start_kwh, lowest, highest)
    return float(price @ cheapest_heat(bounds, price, start_kwh)) / late / data.cop


def save(sensor, values, known_at):
    """Store a series as measured."""
    source = db.session.query(Source).filter_by(name="simulation").one_or_none() or Source(
        name="simulation", type="market"
    )
    db.session.add(source)
    save_to_db(tb.BeliefsDataFrame(values.rename("event_value"), sensor=sensor, source=source, belief_time=known_at))
    db.session.commit()


def planned_run(boiler, start_kwh, moments, drawn_kwh, *, colder_k=np.inf, measured=True, floor_c=50.0):
    """Return the run of a boiler that is planned to the end of the known prices, every day at 14:00.

    Parameters
    ----------
    boiler
        In the host, with prices for all moments.
    start_kwh
        State of charge at the first moment [kWh].
    moments
        Quarters of an hour, local time.
    drawn_kwh
        What is really drawn. What the plans know of it is on the boiler's sensor or its tapping profile.
    colder_k
        It is planned again, too, when a reading is this much colder than planned [K]; 0 plans after every reading.
    measured
        Whether readings are stored (for hygiene); else each plan is given its start alone.
    floor_c
        What each trigger wishes at least [°C].

    Returns
    -------
    The run; ``run.plans`` counts the plans, and ``run.missed_min`` the minutes in which the plans themselves saw a
    floor that they could not keep.

    """
    data, run, state = boiler.data, Run(), start_kwh
    i = saved = 0
    while i < len(moments):
        now = moments[i]
        # day-ahead prices: from 14:00 on those of tomorrow
        end = now.normalize() + pd.DateOffset(days=2 if now.hour >= PLANNING_HOUR else 1)
        if measured and i:
            states = np.array([start_kwh, *run.state_kwh])[saved : i + 1]
            mean_c = data.tank.temperature_c((states[:-1] + states[1:]) / 2)
            save(boiler.sensors["temperature"], pd.Series(mean_c, index=moments[saved:i]), now)
            saved = i
        scheduler = scheduler_of(
            boiler,
            start=now,
            hours=(end - now) / timedelta(hours=1),
            known_after=timedelta(0),
            temperature_at_start=f"{data.tank.temperature_c(state)} °C",
            temperature_min=f"{floor_c} °C",
        )
        power, expected_kwh, _ = planned(scheduler)
        db.session.rollback()
        run.plans += 1
        run.missed_min += sum(span["minutes"] for span in scheduler.info["floors_not_met"])
        least = expected_kwh.to_numpy()[1:] - colder_k * data.tank.heat_capacity_kwh_per_k
        for kw, low in zip(power.to_numpy(), least, strict=True):
            state = follow(data, state, [kw], [drawn_kwh[i]], run)
            i += 1
            at_planning = i < len(moments) and (moments[i].hour, moments[i].minute) == (PLANNING_HOUR, 0)
            if i == len(moments) or at_planning or state <= low:
                break
    return run
