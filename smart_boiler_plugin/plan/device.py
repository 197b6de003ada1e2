"""Device: a boiler in n steps of time, as its flex-model describes it. Pure.

It comes from the boiler's own data and a trigger (``alone.py``), or from the host's table (``table.py``). What is not
in it yet: draw-offs, comfort and hygiene, which ``problem.py`` adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property

import numpy as np
import pandas as pd

from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.quarter import HOUR, QUARTER, QUARTER_H
from smart_boiler_plugin.physics.envelope import Series, Steps


@dataclass(frozen=True)
class Device:
    """A boiler in n steps of time. Arrays have shape (n,); states of charge are at the end of each step [kWh].

    Parameters
    ----------
    moments
        Starts of the steps, in the household's time zone.
    step
        Their length.
    retention
        Share of the state of charge that a step leaves [-].
    inflow_kw
        Gains less draw-offs that the flex-model itself names [kW of heat].
    power_min_kw, power_max_kw
        Least and most electric power [kW].
    heat_per_power
        Heat into the tank per electricity [-].
    start_kwh, start_from
        State of charge at the start [kWh], and for people where it is from.
    lowest_kwh, highest_kwh
        Floor and ceiling; -inf and inf where there is none.
    targets_kwh
        Wished states of charge by step.
    given
        Fields of the flex-model that the trigger gives.

    """

    moments: pd.DatetimeIndex
    step: timedelta
    retention: Series
    inflow_kw: Series
    power_min_kw: Series
    power_max_kw: Series
    heat_per_power: Series
    start_kwh: float
    lowest_kwh: Series
    highest_kwh: Series
    targets_kwh: dict[int, float] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    start_from: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, data: BoilerData, moments: pd.DatetimeIndex, start_kwh: float, start_from: Mapping[str, str]) -> Device:
        """Return a boiler as it is, without draw-offs and wishes, in quarters of an hour.

        Parameters
        ----------
        data
            The boiler.
        moments, start_kwh, start_from
            Starts of the quarters, state of charge at the start of the first [kWh], and where that is from.

        """
        tank, of_all = data.tank, np.ones(len(moments))
        return cls(
            moments=moments,
            step=QUARTER,
            retention=of_all * tank.storage_efficiency(QUARTER_H),
            inflow_kw=of_all * tank.ambient_gain_kw,
            power_min_kw=of_all * 0.0,
            power_max_kw=of_all * data.power_kw,
            heat_per_power=of_all * data.cop,
            start_kwh=start_kwh,
            lowest_kwh=of_all * -np.inf,
            highest_kwh=of_all * tank.state_of_charge_kwh(data.temperature_max_c),
            start_from=start_from,
        )

    @cached_property
    def ends(self) -> pd.DatetimeIndex:
        """Ends of the steps."""
        ends: pd.DatetimeIndex = self.moments + self.step
        return ends

    @property
    def step_h(self) -> float:
        """Length of a step [h]."""
        return self.step / HOUR

    @property
    def kept_hours(self) -> Series:
        """What 1 kW of heat throughout a step is worth at its end [kWh/kW] (``physics/tank.py``, equation (4))."""
        lossless = self.retention == 1
        loss = np.log(np.where(lossless, 0.5, self.retention))
        return np.where(lossless, 1.0, (self.retention - 1) / loss) * self.step_h

    @property
    def heat_kwh_per_kw(self) -> Series:
        """Heat that counts at the end of a step, per electric power during it [kWh/kW]."""
        return self.heat_per_power * self.kept_hours

    @property
    def steps(self) -> Steps:
        """The tank in steps of time, as ``physics/envelope.py`` has it."""
        inflow = self.inflow_kw * self.kept_hours
        least_kw = np.minimum(self.power_min_kw, self.power_max_kw)
        return Steps(
            self.retention,
            inflow,
            least_kw * self.heat_kwh_per_kw,
            self.power_max_kw * self.heat_kwh_per_kw,
            np.maximum(-inflow, 0.0),
        )

    def with_draw_offs(self, drawn_kw: Series) -> Device:
        """Return the device with draw-offs beside those of the flex-model, shape (n,) [kW of heat]."""
        return replace(self, inflow_kw=self.inflow_kw - drawn_kw)
