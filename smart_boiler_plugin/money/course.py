"""How days of boilers went: states of charge and draw-offs by readings, and where a thermostat would have begun.

Pure: takes what is known (``facts``) of boilers in one time zone, side by side. What that came to: ``savings.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.quarter import QUARTER, QUARTER_H
from smart_boiler_plugin.facts.facts import Facts
from smart_boiler_plugin.learning.side_by_side import boilers_of
from smart_boiler_plugin.money import drawn as heat
from smart_boiler_plugin.money import savings
from smart_boiler_plugin.physics.reporting import UNCHANGED
from smart_boiler_plugin.physics.tapping_profiles import drawn_kwh
from smart_boiler_plugin.physics.thermostat import Floats

LONGEST_GAP = timedelta(hours=2) // QUARTER
"""How many quarters may lie between two readings of a boiler whose draw-offs are inferred from them."""

OTHER_HEAT_K = 5.0
"""How much warmer another source must make a tank in warm-up and day, for its heat to count [K]."""

WARM_UP = timedelta(hours=24) // QUARTER
"""For how many quarters before a day the thermostat runs, from the state that the boiler really had then."""


@dataclass(frozen=True)
class Spans:
    """Where the spans of a day stand among the quarters that are read for it: margin, warm-up, day, margin.

    The margins have the readings on the far sides of midnight, by which the states at both ends are known.

    Parameters
    ----------
    quarters
        How many the day has.

    """

    quarters: int

    @property
    def warm_up(self) -> slice:
        """The warm-up of the thermostat."""
        return slice(LONGEST_GAP, LONGEST_GAP + WARM_UP)

    @property
    def day(self) -> slice:
        """The day itself."""
        return slice(self.warm_up.stop, self.warm_up.stop + self.quarters)

    @property
    def both(self) -> slice:
        """The warm-up and the day."""
        return slice(self.warm_up.start, self.day.stop)

    @property
    def count(self) -> int:
        """How many quarters there are in all."""
        return int(self.day.stop) + LONGEST_GAP


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of boilers, NaN where nothing is; each of shape (quarters, boilers).

    Parameters
    ----------
    temperature_c, metered_kw, planned_kw, demand_kwh, price
        As of ``Facts``.

    """

    temperature_c: Floats
    metered_kw: Floats
    planned_kw: Floats
    demand_kwh: Floats
    price: Floats

    @classmethod
    def of(cls, facts: Sequence[Facts]) -> Known:
        """Put the facts of boilers side by side."""
        return cls(
            **{field.name: np.column_stack([getattr(each, field.name) for each in facts]) for field in fields(cls)}
        )

    @property
    def power_kw(self) -> Floats:
        """Fill rate as metered, else as planned [kW]."""
        return np.where(np.isnan(self.metered_kw), self.planned_kw, self.metered_kw)

    def rows(self, span: slice) -> Known:
        """Return some of the quarters."""
        return Known(*(getattr(self, field.name)[span] for field in fields(self)))


class Course:
    """How a day of boilers went. Arrays of quarters have those of ``Spans``: margin, warm-up, day, margin.

    Parameters
    ----------
    data
        Of the boilers.
    moments
        Starts of the quarters of the day.
    known
        What is known of the quarters of its ``Spans``.

    """

    def __init__(self, data: Sequence[BoilerData], moments: pd.DatetimeIndex, known: Known) -> None:
        self._data, self._known, self._end = data, known, moments[-1]
        self.spans = Spans(len(moments))
        self.boilers = boilers_of(data)

    @property
    def _temperature_c(self) -> Floats:
        """Readings, with those of boilers that report changes alone held up to the next [°C]."""
        held = np.array([each.reports_change_k is not None for each in self._data])
        if not held.any():
            return self._known.temperature_c
        unchanged = pd.DataFrame(self._known.temperature_c).ffill(limit=UNCHANGED // QUARTER).to_numpy()
        return np.where(held, unchanged, self._known.temperature_c)

    @cached_property
    def start_kwh(self) -> Floats:
        """State of charge at the start of each quarter, by readings; shape (quarters, boilers) [kWh]."""
        during = self.boilers.state_kwh(self._temperature_c)
        # nothing is known of what was before the first
        return np.vstack([np.full(len(self._data), np.nan), heat.states_between(during, LONGEST_GAP)])

    @cached_property
    def measured_kwh(self) -> Floats:
        """Heat drawn in warm-up and day as measured, else as inferred; NaN where it is neither and in the margins.

        Less what another source gave meanwhile: what readings show is not missing, and a thermostat would have had it,
        too.
        """
        both = self.spans.both
        edges = self.start_kwh[both.start : both.stop + 1]
        known = self._known.rows(both)
        inferred = heat.inferred_draw_offs_kwh(self.boilers, edges, known.metered_kw, QUARTER_H)
        drawn = np.full_like(self.start_kwh, np.nan)
        least = OTHER_HEAT_K * self.boilers.heat_capacity_kwh_per_k
        other = heat.other_heat_kwh(known.demand_kwh, inferred, least)
        drawn[both] = heat.draw_offs_kwh(known.demand_kwh, inferred) - other
        return drawn

    @cached_property
    def drawn_kwh(self) -> Floats:
        """Heat drawn, as measured or inferred, else by the tapping profile; shape (quarters, boilers) [kWh]."""
        last = self._end + LONGEST_GAP * QUARTER
        moments = pd.date_range(end=last, periods=self.spans.count, freq=QUARTER)
        profiles = [each.tapping_profile for each in self._data]
        usual = {profile: drawn_kwh(profile, moments, QUARTER_H) for profile in set(profiles)}
        assumed = np.column_stack([usual[profile] for profile in profiles])
        return np.where(np.isnan(self.measured_kwh), assumed, self.measured_kwh)

    def baseline_start(self) -> tuple[Floats, NDArray[np.bool_]]:
        """Return where a thermostat would be when the day begins [kWh], NaN if not known, and whether it would heat."""
        was_heating = np.nan_to_num(self._known.power_kw) > 0
        warm_up, day = self.spans.warm_up, self.spans.day
        state, heats = savings.after_thermostat(
            self.boilers,
            start_kwh=self.start_kwh[warm_up.start],
            heating=was_heating[warm_up.start - 1],
            drawn_kwh=self.drawn_kwh[warm_up],
        )
        return state, np.where(np.isnan(state), was_heating[day.start - 1], heats)
