"""Where a plan starts: the last reading, that reading carried forward, or what is wanted at least. Pure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from smart_boiler_plugin.boiler.comfort import Away, Comfort
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.quarter import QUARTER, QUARTER_H
from smart_boiler_plugin.facts.facts import Facts
from smart_boiler_plugin.physics.reporting import UNCHANGED, reported_change_k
from smart_boiler_plugin.plan.draw_offs import draw_offs
from smart_boiler_plugin.plan.policy import Policy

MEASURED, CARRIED = "reading", "reading carried forward"
"""Where a start is from that rests on a reading; else it is what is wanted at least."""


def start_kwh(
    data: BoilerData, comfort: Comfort, facts: Facts, policy: Policy, start: pd.Timestamp
) -> tuple[float, dict[str, str]]:
    """Return the state of charge [kWh] at the start of a plan, and for people where it is from.

    Parameters
    ----------
    data, comfort, facts
        The boiler, what its household wants, and what is known of it.
    policy
        How old a reading may be.
    start
        Of the plan, on a quarter of an hour.

    """
    temperature_c, said = _start_c(data, comfort, facts, policy, start)
    return data.tank.state_of_charge_kwh(temperature_c), said


def _start_c(
    data: BoilerData, comfort: Comfort, facts: Facts, policy: Policy, start: pd.Timestamp
) -> tuple[float, dict[str, str]]:
    readings = facts.readings_c(start + QUARTER)
    if not readings.empty:
        measured_at, reading_c = readings.index[-1], float(readings.iloc[-1])
        age = start - measured_at
        said = {"reading": f"{reading_c:.2f} °C", "measured_at": measured_at.isoformat()}
        if age <= policy.max_reading_age:
            return reading_c, {"from": MEASURED, "temperature": f"{reading_c:.2f} °C", **said}
        change_k = data.reports_change_k or reported_change_k(readings)
        if change_k and age <= UNCHANGED:
            said["reports"] = f"each change of {change_k:g} K"
            return reading_c, {"from": MEASURED, "temperature": f"{reading_c:.2f} °C", **said}
        if age <= policy.max_carried_age:
            carried_c = carried_forward_c(data, facts, reading_c, measured_at + QUARTER, start, comfort.away)
            return carried_c, {"from": CARRIED, "temperature": f"{carried_c:.2f} °C", **said}
    floor_c = policy.floor_of(data)
    if floor_c is not None:
        return floor_c, {"from": "floor", "temperature": f"{floor_c:.2f} °C"}
    # no warmer than what would not be reheated: then nothing is heated too late
    useful_c = min(comfort.useful_temperature_c, data.temperature_max_c)
    return useful_c, {"from": "useful temperature", "temperature": f"{useful_c:.2f} °C"}


def carried_forward_c(
    data: BoilerData,
    facts: Facts,
    reading_c: float,
    since: pd.Timestamp,
    until: pd.Timestamp,
    away: Away | None = None,
) -> float:
    """Return the temperature [°C] that a reading has become, by what the boiler did since and what was drawn.

    Power is as metered, else as planned, else none; draw-offs are as measured, else as expected, else as of the
    tapping profile; nobody draws while all are away.
    """
    tank, span = data.tank, facts.span(since, until)
    power_kw, drawn = np.nan_to_num(facts.power_kw[span]), draw_offs(data, facts, away=away).kwh[span]
    state = tank.state_of_charge_kwh(reading_c)
    full = max(state, tank.state_of_charge_kwh(data.temperature_max_c))
    for kw, kwh in zip(power_kw.tolist(), drawn.tolist(), strict=True):
        state = tank.after(state, QUARTER_H, data.cop * kw, kwh)
        # no heat can be drawn that is not there, and the tank's own limiter ends the heating
        state = min(max(state, 0.0), full)
    return tank.temperature_c(state)
