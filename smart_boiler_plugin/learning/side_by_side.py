"""Boilers and what is known of them side by side, as arrays: what all that learns takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.quarter import QUARTER_H
from smart_boiler_plugin.facts.facts import Facts
from smart_boiler_plugin.learning.learn import ENOUGH
from smart_boiler_plugin.physics.boilers import Boilers
from smart_boiler_plugin.physics.reporting import reported_change_k
from smart_boiler_plugin.physics.thermostat import Floats

SILENT_K = 0.25
"""Who reports smaller changes is not silent for long [K]: a tank cools by as much in an hour."""


def boilers_of(data: Sequence[BoilerData]) -> Boilers:
    """Return boilers side by side, in quarters of an hour."""
    return Boilers.of(
        [each.tank for each in data],
        power_kw=[each.power_kw for each in data],
        cop=[each.cop for each in data],
        temperature_max_c=[each.temperature_max_c for each in data],
        step_h=QUARTER_H,
    )


@dataclass(frozen=True, eq=False)
class SideBySide:
    """What was read of boilers in quarters of an hour.

    Parameters
    ----------
    boilers
        Which.
    temperature_c, power_kw, demand_kwh
        Read; power as metered, else as planned; measured draw-offs; each of shape (n, boilers), not a number where
        nothing is known.
    change_k
        What change each reports [K], shape (boilers,); not a number of those that report at intervals.

    """

    boilers: Boilers
    temperature_c: Floats
    power_kw: Floats
    demand_kwh: Floats
    change_k: Floats

    @classmethod
    def of(cls, data: Sequence[BoilerData], facts: Sequence[Facts]) -> SideBySide:
        """Put what is known of boilers side by side, in their order."""
        return cls(
            boilers=boilers_of(data),
            temperature_c=np.column_stack([each.temperature_c for each in facts]),
            power_kw=np.column_stack([each.power_kw for each in facts]),
            demand_kwh=np.column_stack([each.demand_kwh for each in facts]),
            change_k=np.array([_change_k(each.reports_change_k, fact) for each, fact in zip(data, facts, strict=True)]),
        )


def _change_k(told: float | None, facts: Facts) -> float:
    """Return what change a boiler reports [K], as told, else as its readings show; not a number where at intervals."""
    if told is None and np.isfinite(facts.temperature_c).mean() < ENOUGH:
        shown = reported_change_k(facts.readings_c(facts.moment))
        told = shown if shown and shown >= SILENT_K else None
    return np.nan if told is None else told
