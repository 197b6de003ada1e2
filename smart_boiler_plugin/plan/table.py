"""The host's table of a device's constraints, as a device in steps of time, and back.

Pure: pandas and NumPy. The table is what ``StorageScheduler`` makes of a flex-model (``StorageScheduler.COLUMNS``); its
states of charge are changes since the start in MWh, divided by the length of a step in hours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from smart_boiler_plugin.clock.quarter import HOUR
from smart_boiler_plugin.physics.envelope import Envelope, Series
from smart_boiler_plugin.plan.device import Device

KW_PER_MW = 1000.0


@dataclass(frozen=True)
class Table:
    """A device's table of constraints.

    Parameters
    ----------
    table
        As the host made it; changed in place.
    start_kwh
        State of charge at the start [kWh].
    step
        Length of a step.

    """

    table: pd.DataFrame
    start_kwh: float
    step: timedelta

    @property
    def moments(self) -> pd.DatetimeIndex:
        """Starts of the steps."""
        moments: pd.DatetimeIndex = pd.DatetimeIndex(self.table.index)
        return moments

    def device(
        self, timezone: str, headroom_kw: Series | float, given: frozenset[str], start_from: Mapping[str, str]
    ) -> Device:
        """Return the device.

        Parameters
        ----------
        timezone
            The household's (IANA name).
        headroom_kw
            Power that the site leaves, shape (n,) or a number [kW].
        given
            Fields of the flex-model that the trigger gives.
        start_from
            For people, where the state of charge at the start is from.

        """
        power_max_kw = np.minimum(self._column("derivative max", 0.0) * KW_PER_MW, np.maximum(headroom_kw, 0.0))
        power_min_kw = self._column("derivative min", 0.0) * KW_PER_MW
        charging, discharging = (self._column(f"derivative {way} efficiency", 1.0) for way in ("up", "down"))
        return Device(
            moments=self.moments.tz_convert(timezone),
            step=self.step,
            retention=np.clip(self._column("efficiency", 1.0), 1e-6, 1.0),
            inflow_kw=self._column("stock delta", 0.0) * KW_PER_MW,
            # in terms of heat, as less than none goes by another efficiency
            power_min_kw=np.where(power_min_kw > 0, power_min_kw, power_min_kw / discharging / charging),
            power_max_kw=power_max_kw,
            heat_per_power=charging,
            start_kwh=self.start_kwh,
            lowest_kwh=self._states_kwh("min", -np.inf),
            highest_kwh=self._states_kwh("max", np.inf),
            targets_kwh=self._targets_kwh(),
            given=given,
            start_from=start_from,
        )

    def tighten(self, column: str, states_kwh: Series) -> None:
        """Take over states of charge [kWh] into a column, where they are given (not NaN) and stricter."""
        new = (states_kwh - self.start_kwh) * self._scale
        old: Series = self.table[column].to_numpy(dtype=float, na_value=np.nan)
        stricter = {"min": np.fmax(new, old), "max": np.fmin(new, old), "equals": np.where(np.isnan(old), new, old)}
        self.table[column] = stricter[column]

    def set_bounds(self, bounds: Envelope, device: Device) -> None:
        """Let the host plan within an envelope."""
        self.table["equals"] = np.nan
        for name, states in (("min", bounds.lowest_kwh), ("max", bounds.highest_kwh)):
            changes = (states - self.start_kwh) * self._scale
            self.table[name] = np.where(np.isfinite(changes), changes, np.nan)
        self.table["stock delta"] = bounds.steps.inflow_kwh / (device.kept_hours * KW_PER_MW)

    def set_power(self, power_kw: Series) -> None:
        """Let the host do exactly this [kW]."""
        for name in ("equals", "min", "max"):
            self.table[name] = np.nan
        self.table["derivative equals"] = power_kw / KW_PER_MW

    @property
    def _scale(self) -> float:
        """From a change of the state of charge [kWh] to the table's."""
        return 1 / (self.step / HOUR * KW_PER_MW)

    def _column(self, name: str, default: float) -> Series:
        """Return a column, with a default where it is empty."""
        column: Series = self.table[name].to_numpy(dtype=float, na_value=np.nan)
        return np.where(np.isnan(column), default, column)

    def _states_kwh(self, column: str, default: float) -> Series:
        """Return a column of states of charge [kWh], with a default where it is empty."""
        changes: Series = self.table[column].to_numpy(dtype=float, na_value=np.nan)
        return np.where(np.isnan(changes), default, self.start_kwh + changes / self._scale)

    def _targets_kwh(self) -> dict[int, float]:
        wished = self._states_kwh("equals", np.nan)
        return {int(step): float(wished[step]) for step in np.flatnonzero(~np.isnan(wished))}


def headroom_kw(d: int, devices: Sequence[pd.DataFrame], sites: Iterable[tuple[pd.DataFrame, Collection[int]]]) -> Any:
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
    headroom: Any = np.inf
    for site, members in sites:
        if d not in members:
            continue
        limit = site["derivative max"].to_numpy(dtype=float, na_value=np.nan)
        others = sum(devices[m]["derivative equals"].astype(float).fillna(0.0).to_numpy() for m in members if m != d)
        headroom = np.minimum(headroom, np.where(np.isnan(limit), np.inf, limit - others) * KW_PER_MW)
    return headroom
