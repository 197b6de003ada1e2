"""What of a boiler's values is believed, and what to tell people of the rest. The rules: ``physics``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.days import DAY, midnight
from smart_boiler_plugin.clock.quarter import QUARTER, QUARTER_H
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.facts.facts import JUMPS, STANDS_STILL
from smart_boiler_plugin.facts.latest import QUARTER_S, Held
from smart_boiler_plugin.physics.metered import doubted_draw_offs, doubted_power
from smart_boiler_plugin.physics.readings import JUMPED, STUCK, Vessel, doubts
from smart_boiler_plugin.physics.thermostat import Floats

METERS = {
    "metered_kw": ("fill-rate", "kW", doubted_power),
    "planned_kw": ("planned fill-rate", "kW", doubted_power),
    "demand_kwh": ("demand", "kWh", doubted_draw_offs),
    "expected_kwh": ("expected demand", "kWh", doubted_draw_offs),
    "forecast_kwh": ("forecast demand", "kWh", doubted_draw_offs),
}
"""By field of ``Facts``: what it is called where people read of it, its unit, and the rule that decides."""

SHOWN = 10
"""How many readings are told one by one."""

JUMPS_A_DAY = 3
"""How often a temperature must jump in a day for its sensor to be told [-]: once or twice, it is an outlier."""


def vessel_of(boiler: Boiler) -> Vessel | None:
    """Return what a boiler can do; None where that cannot be told from what is stored."""
    try:
        return _vessel(boiler.data)
    except SmartBoilerError:
        return None


def vessels_of(boiler: Boiler, begin: pd.Timestamp, count: int, timezone: str) -> list[tuple[slice, Vessel | None]]:
    """Return what a boiler could do in which quarters of a span, ascending; there is one at least.

    Parameters
    ----------
    boiler
        Which. Where what is stored of its past is broken, what it can do now counts.
    begin, count
        First quarter of the span, and how many there are.
    timezone
        Of the household (IANA name): in its days, boilers change.

    """
    try:
        steps = boiler.data_steps
    except SmartBoilerError:
        return [(slice(0, count), vessel_of(boiler))]
    begins = [0 if day is None else (midnight(day, timezone) - begin) // QUARTER for day, _ in steps]
    edges = np.clip([*begins, count], 0, count).tolist()
    spans = [
        (slice(first, last), _vessel(data)) for first, last, (_, data) in zip(edges, edges[1:], steps, strict=False)
    ]
    # of a span that is empty, or of one that began before or after
    return [each for each in spans if each[0].start < each[0].stop] or [(slice(0, count), spans[-1][1])]


def _vessel(data: BoilerData) -> Vessel:
    return Vessel(data.tank, data.power_kw, data.cop * data.power_kw, data.temperature_max_c)


def believe_meters(series: Mapping[str, Floats], vessel: Vessel, begin: pd.Timestamp) -> list[str]:
    """Take out of a boiler's series what it and its tank cannot do, and return what that was, for people.

    Parameters
    ----------
    series
        By field of ``Facts``, each of shape (quarters,); changed in place.
    vessel
        What the boiler can do.
    begin
        Of the first quarter, local.

    """
    told = []
    for field, (name, unit, doubted) in METERS.items():
        values = series[field]
        for doubt in doubted(values, vessel, QUARTER_H):
            at = np.flatnonzero(doubt.which)
            first, last = (begin + int(i) * QUARTER for i in (at[0], at[-1]))
            worst = values[at][np.argmax(np.abs(values[at]))]
            span = f"at {first.isoformat()}" if len(at) == 1 else f"from {first.isoformat()} to {last.isoformat()}"
            many = "" if len(at) == 1 else f"{len(at)} values up to "
            told.append(f"{name}: {many}{worst:.6g} {unit} {span}: {doubt.why}")
            values[at] = np.nan
    return told


def believe_readings(
    held: Held, vessel: Vessel | None, metered_kw: Floats, begin: pd.Timestamp, now: pd.Timestamp
) -> tuple[Held, list[str], dict[str, pd.Timestamp]]:
    """Return which readings of a boiler are believed, why others are not, and what is wrong with its sensor since when.

    Parameters
    ----------
    held
        Temperatures [°C].
    vessel
        What the boiler can do, if that is known.
    metered_kw
        Power per quarter, as far as it is believed, shape (quarters,) [kW].
    begin
        Of the first quarter, local.
    now
        What begins later is from the future.

    """
    starts = begin.to_datetime64() + held.seconds.astype("timedelta64[s]")
    why = doubts(starts, held.value, now.to_datetime64(), vessel, _heated_kwh(held, vessel, metered_kw))
    at = {i: begin + pd.Timedelta(seconds=int(held.seconds[i])) for i in why}
    told = [f"{held.value[i]:g} °C at {at[i].isoformat()}: {reason}" for i, reason in why.items()]
    kept = np.ones(len(starts), dtype=bool)
    kept[list(why)] = False
    if len(told) > SHOWN:
        told = [*told[:1], f"and {len(told) - SHOWN} more readings", *told[1 - SHOWN :]]
    stuck = [i for i, reason in why.items() if reason == STUCK]
    jumps = [i for i, reason in why.items() if reason in JUMPED and at[i] > now - DAY]
    since: dict[str, pd.Timestamp] = {}
    # what moves again is stuck no more
    if stuck and not kept[stuck[-1] + 1 :].any():
        since[STANDS_STILL] = at[stuck[0]]
    if len(jumps) >= JUMPS_A_DAY:
        since[JUMPS] = at[jumps[0]]
    return replace(held, seconds=held.seconds[kept], value=held.value[kept]), told, since


def _heated_kwh(held: Held, vessel: Vessel | None, metered_kw: Floats) -> Floats | None:
    """Return the heat that was metered between each reading and the one before [kWh]."""
    if vessel is None or not vessel.element_kw or not len(metered_kw):
        return None
    cop = vessel.heat_kw / vessel.element_kw
    heat = np.concatenate([[0.0], np.cumsum(cop * np.nan_to_num(metered_kw) * QUARTER_H)])
    until = np.clip(held.seconds // QUARTER_S, 0, len(metered_kw))
    by_then: Floats = heat[until]
    return np.diff(by_then, prepend=by_then[:1])
