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

from smart_boiler_plugin.physics.cheapest import cheapest_heat
from smart_boiler_plugin.physics.envelope import Steps, envelope
from tests.host.boilers import planned, scheduler_of

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
