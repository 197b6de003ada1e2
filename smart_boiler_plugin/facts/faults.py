"""What is wrong with a boiler or its data, since when, as far as its facts show. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.quarter import QUARTER, QUARTER_H
from smart_boiler_plugin.clock.runs import runs
from smart_boiler_plugin.facts.facts import IS_DOUBLED, JUMPS, STANDS_STILL, Facts
from smart_boiler_plugin.physics.readings import NOISE_K
from smart_boiler_plugin.physics.reporting import UNCHANGED, reported_change_k
from smart_boiler_plugin.physics.thermostat import Floats

LOOKED_AT = timedelta(hours=24)
"""How far back it is looked."""

SILENT_AFTER = timedelta(hours=2)
"""After how long without a reading a boiler that reports at intervals is silent, where nobody says otherwise."""

HEATED_H = 2.0
"""How long at full power an element must have been planned to heat, for a tank that gets no warmer to tell [h]."""

WARMED_K = 5.0
"""How much warmer a tank must get while its element is off, for another heater to show [K]."""

SILENT = "silent"
"""Kind of the fault of a boiler that reports nothing any more."""

OF_SENSOR = {
    STANDS_STILL: "The temperature does not move while the boiler heats.",
    JUMPS: "The temperature jumps as that of no tank can: is a sensor loose, or are there two?",
    IS_DOUBLED: "Several gateways send different temperatures of this boiler; the coldest counts.",
}
"""What is wrong with sensors, for people."""


@dataclass(frozen=True)
class Fault:
    """What is wrong.

    Parameters
    ----------
    kind
        "silent", "dead element", "other heater", or one of ``OF_SENSOR``.
    since
        Since when, as far as the facts reach; None where that is not known.
    message
        For people.

    """

    kind: str
    since: pd.Timestamp | None
    message: str

    def as_json(self) -> dict[str, str | None]:
        """Return it as JSON."""
        return {
            "kind": self.kind,
            "since": None if self.since is None else self.since.isoformat(),
            "message": self.message,
        }


def faults_of(data: BoilerData, facts: Facts, silent_after: timedelta = SILENT_AFTER) -> list[Fault]:
    """Return what is wrong with a boiler at the moment of its facts; nothing where it was never seen.

    Parameters
    ----------
    data, facts
        The boiler, and what is known of it.
    silent_after
        After how long without a reading one that reports at intervals is silent.

    """
    readings = facts.readings_c(facts.moment + QUARTER)
    span = facts.span(facts.moment - LOOKED_AT, facts.moment)
    found = [_silent(data, facts, readings, silent_after), _dead_element(data, facts, span), _other_heater(facts, span)]
    return [*_of_sensor(facts), *(fault for fault in found if fault)]


def silent(since: pd.Timestamp) -> Fault:
    """Return the fault of a boiler that reports nothing since a local moment."""
    return Fault(SILENT, since, f"No reading is believed since {since:%Y-%m-%d %H:%M}.")


def _silent(data: BoilerData, facts: Facts, readings: pd.Series[float], silent_after: timedelta) -> Fault | None:
    if facts.first_reading is None or STANDS_STILL in facts.sensor_faults:
        return None
    last = readings.index[-1] if len(readings) else facts.quarters[0] - QUARTER
    longest = UNCHANGED if data.reports_change_k or reported_change_k(readings) else silent_after
    if facts.moment - last <= longest:
        return None
    return silent(last + QUARTER)


def _of_sensor(facts: Facts) -> list[Fault]:
    return [Fault(kind, since, OF_SENSOR[kind]) for kind, since in facts.sensor_faults.items()]


def _dead_element(data: BoilerData, facts: Facts, span: slice) -> Fault | None:
    """Return whether the tank got no warmer in all the time in which heating was planned."""
    at, temperature_c = facts.quarters[span], facts.temperature_c[span]
    heating = np.nan_to_num(facts.planned_kw[span]) >= data.power_kw / 2
    # a meter that saw it heat knows better
    heating &= ~(np.nan_to_num(facts.metered_kw[span]) >= data.power_kw / 2)
    warmed = np.flatnonzero(_warmed(temperature_c, heating))
    since = int(warmed[-1]) + 1 if len(warmed) else 0
    failed = since + np.flatnonzero(heating[since:])
    read = np.flatnonzero(np.isfinite(temperature_c))
    if len(failed) * QUARTER_H < HEATED_H or not len(read) or read[-1] <= failed[0]:
        return None
    hours = len(failed) * QUARTER_H
    told = f"It was planned to heat for {hours:g} h, and the tank got no warmer."
    return Fault("dead element", at[failed[0]], told)


def _warmed(temperature_c: Floats, heating: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where a tank is warmer, by more than noise, than it was in the same spell of heating.

    A large tank gets warmer by less than that from one reading to the next.
    """
    warmed = np.zeros(len(heating), dtype=bool)
    for run in runs(heating):
        # from the reading before to the one after: what was heated in a quarter is read in the next
        spell = slice(max(run.start - 1, 0), run.stop + 1)
        warmed[spell] = temperature_c[spell] - np.fmin.accumulate(temperature_c[spell]) > NOISE_K
    return warmed


def _other_heater(facts: Facts, span: slice) -> Fault | None:
    """Return whether the tank got warmer while its element was metered to be off."""
    off = facts.metered_kw[span] == 0
    rises = np.where(off & np.roll(off, 1), np.nan_to_num(_rises(facts.temperature_c[span])), 0.0)
    warmer = np.flatnonzero(rises > 0)
    if not len(warmer):
        return None
    runs = np.unique(np.concatenate([[0], np.flatnonzero(rises < 0)]))
    if np.add.reduceat(np.maximum(rises, 0.0), runs).max() < WARMED_K:
        return None
    return Fault("other heater", facts.quarters[span][warmer[0]], "The tank gets warmer while its element is off.")


def _rises(temperature_c: Floats) -> Floats:
    """Return how much warmer each reading is than the one before it [K], 0 where there is none."""
    read = np.maximum.accumulate(np.where(np.isnan(temperature_c), 0, np.arange(len(temperature_c))))
    before = np.concatenate([[np.nan], temperature_c[read][:-1]])
    rises: Floats = np.nan_to_num(temperature_c - before)
    return rises
