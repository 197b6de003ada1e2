"""What a household is expected to draw: as measured, else as somebody says, else as is usual. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smart_boiler_plugin.boiler.comfort import Away
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.quarter import QUARTER_H
from smart_boiler_plugin.facts.facts import Facts
from smart_boiler_plugin.physics.tapping_profiles import drawn_kwh
from smart_boiler_plugin.physics.thermostat import Floats

LEAST_SHARE = 0.5
"""A forecast of less than this share of what a household usually draws in a day is not believed [-].

Draw-offs are rare: a forecaster that minimises absolute errors says the median, which is 0 in most quarters. The host's
own (FlexMeasures 1.0.1, ``flexmeasures add forecasts``) does: it foresees 0.06 kWh in a day of 2.29.
"""


@dataclass(frozen=True)
class DrawOffs:
    """Heat drawn per quarter, and where it is from.

    Parameters
    ----------
    kwh
        Shape (quarters,) [kWh].
    told
        Where it was measured, expected or forecast, shape (quarters,); elsewhere it is that of the tapping profile.
    nobody
        Where nobody is at home and nothing was measured, shape (quarters,).
    forecasts_not_believed
        Of which days, and why, for people.

    """

    kwh: Floats
    told: NDArray[np.bool_]
    nobody: NDArray[np.bool_]
    forecasts_not_believed: tuple[str, ...]


def draw_offs(data: BoilerData, facts: Facts, *, assume: bool = True, away: Away | None = None) -> DrawOffs:
    """Return what is drawn in the quarters of facts: as measured, else expected, else forecast, else by the profile.

    Parameters
    ----------
    data, facts
        The boiler, and what is known of it.
    assume
        Whether the tapping profile counts where nothing is known; else nothing is drawn there.
    away
        When nobody is at home: nothing is drawn then that was not measured, whatever was expected.

    """
    nobody = np.zeros(len(facts.quarters), dtype=bool)
    if away:
        nobody[facts.span(away.begin, away.until)] = True
    profile = np.where(nobody, 0.0, drawn_kwh(data.tapping_profile, facts.quarters, QUARTER_H))
    forecast, not_believed = _believed_forecast_kwh(facts, profile * _usual_share(facts, profile))
    said = np.where(np.isnan(facts.draw_off_kwh), forecast, facts.draw_off_kwh)
    told = np.where(nobody, facts.demand_kwh, said)
    is_told = ~np.isnan(told)
    kwh = np.where(is_told, told, profile if assume else 0.0)
    return DrawOffs(kwh, is_told, nobody & ~is_told, not_believed)


def _usual_share(facts: Facts, profile: Floats) -> float:
    """Return how many times what the profile says the household has drawn, where that was measured [-]."""
    measured = ~np.isnan(facts.demand_kwh)
    by_profile = float(profile[measured].sum())
    return float(facts.demand_kwh[measured].sum()) / by_profile if by_profile else 1.0


def _believed_forecast_kwh(facts: Facts, usual: Floats) -> tuple[Floats, tuple[str, ...]]:
    """Return the forecast of those days that it is believed of, shape (quarters,) [kWh], and why not of the others."""
    there = ~np.isnan(facts.forecast_kwh)
    if not there.any():
        return facts.forecast_kwh, ()
    days, day_of_quarter = np.unique(facts.quarters.date, return_inverse=True)
    count = len(days)
    forecast, expected = (
        np.bincount(day_of_quarter[there], weights=values[there], minlength=count)
        for values in (facts.forecast_kwh, usual)
    )
    doubted = forecast < LEAST_SHARE * expected
    told = tuple(
        f"{day}: a forecast of {forecast[i]:.2f} kWh, where {expected[i]:.2f} kWh are usual"
        for i, day in enumerate(days)
        if doubted[i]
    )
    return np.where(doubted[day_of_quarter], np.nan, facts.forecast_kwh), told
