"""The host's table of a device's constraints, as a device in steps of time, and back.

Pure: pandas and NumPy. The table is what ``StorageScheduler`` makes of a flex-model (``StorageScheduler.COLUMNS``); its
states of charge are changes since the start in MWh, divided by the length of a step in hours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

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


class Headroom:
    """The power that a site leaves to each of its devices.

    Parameters
    ----------
    devices
        The host's tables of all devices; those that cannot be planned take what their tables say.
    sites
        The host's table of each group of devices, and which devices are in it.

    """

    def __init__(self, devices: Sequence[pd.DataFrame], sites: Iterable[tuple[pd.DataFrame, Collection[int]]]) -> None:
        self._taken_kw: list[Series] = [
            KW_PER_MW * table["derivative equals"].astype(float).fillna(0.0).to_numpy() for table in devices
        ]
        self._sites = [
            (KW_PER_MW * site["derivative max"].to_numpy(dtype=float, na_value=np.nan), members)
            for site, members in sites
        ]

    def of(self, d: int) -> Series | float:
        """Return the power [kW] that all sites leave to device d beside what others take, shape (n,) or a number."""
        headroom: Series | float = np.inf
        for limit_kw, members in self._sites:
            if d in members:
                others = sum(self._taken_kw[m] for m in members if m != d)
                headroom = np.minimum(headroom, np.where(np.isnan(limit_kw), np.inf, limit_kw - others))
        return headroom

    def take(self, d: int, power_kw: Series) -> None:
        """Leave the others what device d does not need: power [kW], shape (n,)."""
        self._taken_kw[d] = power_kw
