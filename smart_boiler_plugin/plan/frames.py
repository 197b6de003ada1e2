"""The host's table of a device's constraints, as a tank in steps of time, and back.

Pure: pandas and NumPy. The table is what ``StorageScheduler`` makes of a flex-model (``StorageScheduler.COLUMNS``); its
states of charge are changes since the start in MWh, divided by the length of a step in hours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smart_boiler_plugin.physics.envelope import Envelope, Series, Steps

KW_PER_MW = 1000.0


@dataclass(frozen=True)
class Frame:
    """A device's table of constraints.

    Parameters
    ----------
    table
        As the host made it; changed in place.
    start_kwh
        State of charge at the start [kWh].
    step_h
        Length of a step [h].

    """

    table: pd.DataFrame
    start_kwh: float
    step_h: float

    def column(self, name: str, default: float) -> Series:
        """Return a column, with a default where it is empty."""
        column: Series = self.table[name].to_numpy(dtype=float, na_value=np.nan)
        return np.where(np.isnan(column), default, column)

    def add_demand(self, drawn_kw: Series) -> None:
        """Add draw-offs [kW of heat] to what flows out of the stock."""
        self.table["stock delta"] = self.column("stock delta", 0.0) - drawn_kw / KW_PER_MW

    @property
    def heat_kwh_per_kw(self) -> Series:
        """Heat that counts at the end of a step, per power during it [kWh/kW], losses of the step included."""
        return self.column("derivative up efficiency", 1.0) * self._late_kwh_per_kw

    @property
    def _late_kwh_per_kw(self) -> Series:
        """What a steady inflow of 1 kW during a step is worth at its end [kWh/kW] (``physics/tank.py``, (4))."""
        keeps = self._retention
        lossless = keeps == 1
        loss = np.log(np.where(lossless, 0.5, keeps))
        return np.where(lossless, 1.0, (keeps - 1) / loss) * self.step_h

    @property
    def _retention(self) -> Series:
        return np.clip(self.column("efficiency", 1.0), 1e-6, 1.0)

    def steps(self, power_max_kw: Series | float = np.inf) -> Steps:
        """Return the tank; power is bounded by a further limit [kW], too."""
        inflow = self.column("stock delta", 0.0) * KW_PER_MW * self._late_kwh_per_kw
        most_kw = np.minimum(self.column("derivative max", 0.0) * KW_PER_MW, np.maximum(power_max_kw, 0.0))
        least_kw = np.minimum(self.column("derivative min", 0.0) * KW_PER_MW, most_kw)
        charging = self.column("derivative up efficiency", 1.0)
        discharging = 1 / self.column("derivative down efficiency", 1.0)
        least = least_kw * np.where(least_kw > 0, charging, discharging) * self._late_kwh_per_kw
        return Steps(self._retention, inflow, least, most_kw * self.heat_kwh_per_kw, np.maximum(-inflow, 0.0))

    def state_kwh(self, column: str, default: float) -> Series:
        """Return a column of states of charge [kWh], with a default where it is empty."""
        changes: Series = self.table[column].to_numpy(dtype=float, na_value=np.nan)
        return np.where(np.isnan(changes), default, self.start_kwh + changes * self.step_h * KW_PER_MW)

    def tighten(self, column: str, states_kwh: Series) -> None:
        """Take over states of charge [kWh] into a column, where they are given (not NaN) and stricter."""
        new = (states_kwh - self.start_kwh) / (self.step_h * KW_PER_MW)
        old: Series = self.table[column].to_numpy(dtype=float, na_value=np.nan)
        stricter = {"min": np.fmax(new, old), "max": np.fmin(new, old), "equals": np.where(np.isnan(new), old, new)}
        self.table[column] = stricter[column]

    def targets_kwh(self) -> dict[int, float]:
        """Return the states of charge [kWh] that are to be met exactly, by step."""
        wished = self.state_kwh("equals", np.nan)
        return {int(step): float(wished[step]) for step in np.flatnonzero(~np.isnan(wished))}

    def set_bounds(self, bounds: Envelope) -> None:
        """Let the host plan within an envelope."""
        scale = 1 / (self.step_h * KW_PER_MW)
        served = bounds.steps.inflow_kwh / (self._late_kwh_per_kw * KW_PER_MW)
        self.table["equals"] = np.nan
        for name, states in (("min", bounds.lowest_kwh), ("max", bounds.highest_kwh)):
            changes = (states - self.start_kwh) * scale
            self.table[name] = np.where(np.isfinite(changes), changes, np.nan)
        self.table["stock delta"] = served

    def set_heat(self, heat_kwh: Series) -> None:
        """Let the host do exactly this: heat [kWh] as it counts at the end of each step."""
        for name in ("equals", "min", "max"):
            self.table[name] = np.nan
        self.table["derivative equals"] = heat_kwh / self.heat_kwh_per_kw / KW_PER_MW


def room_kw(d: int, devices: Sequence[pd.DataFrame], sites: Iterable[tuple[pd.DataFrame, Collection[int]]]) -> Any:
    """Return the power [kW] that all sites leave to device d beside those that cannot be planned.

    Parameters
    ----------
    d
        Which of the devices.
    devices
        Tables of all devices.
    sites
        Table of each site, and which devices are on it.

    """
    room: Any = np.inf
    for site, members in sites:
        if d not in members:
            continue
        limit = site["derivative max"].to_numpy(dtype=float, na_value=np.nan)
        others = sum(devices[m]["derivative equals"].astype(float).fillna(0.0).to_numpy() for m in members if m != d)
        room = np.minimum(room, np.where(np.isnan(limit), np.inf, limit - others) * KW_PER_MW)
    return room
