"""Facts: what is known of one boiler at a moment, as a value that can be printed and tested.

Pure. How they are read: ``read.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.physics.thermostat import Floats

STANDS_STILL, JUMPS, IS_DOUBLED = "stuck", "jumping", "doubled sensor"
"""What may be wrong with a sensor of temperature: it does not move while the boiler heats, it jumps as no tank can, or
several sources post on it."""


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of one boiler at a moment. Arrays have shape (quarters,), NaN where nothing is known; read only.

    Whatever is missing (a deleted sensor, no price, no reading) is a missing value, and told in ``missing``.

    Parameters
    ----------
    asset_id
        Of the boiler.
    moment
        What was recorded later is left out.
    quarters
        Starts of the quarters of an hour, in the household's time zone.
    temperature_c
        Measured, as far as it is believed [°C].
    metered_kw, planned_kw
        Fill rate as metered, and as last planned [kW]; never below 0.
    demand_kwh, expected_kwh, forecast_kwh
        Heat drawn, as measured, as somebody expected it before its quarter had begun, and as a forecaster of the host
        says [kWh]; never below 0.
    price
        What one kWh costs the household, in its currency.
    mean_price
        Mean of the prices that are known of the last weeks and of what lies ahead, in its currency; NaN where none is,
        or it was not asked for.
    first_reading
        When the boiler first measured a temperature; None where it never did.
    planned_c
        Temperature as last planned [°C]; empty where it was not read.
    sensor_faults
        What is wrong with the sensor of its temperature (``STANDS_STILL``, ``JUMPS``, ``IS_DOUBLED``), and since when.
    not_believed
        What was read and not believed, and why, for people.
    missing
        Roles of sensors that are not there or not as they were made, of those that are read; and "price" where the
        boiler has none. That no value is known of a role or price says nothing here.

    """

    asset_id: int
    moment: pd.Timestamp
    quarters: pd.DatetimeIndex
    temperature_c: Floats
    metered_kw: Floats
    planned_kw: Floats
    demand_kwh: Floats
    expected_kwh: Floats
    forecast_kwh: Floats
    price: Floats
    mean_price: float = np.nan
    first_reading: pd.Timestamp | None = None
    planned_c: Floats = field(default_factory=lambda: np.empty(0))
    sensor_faults: Mapping[str, pd.Timestamp] = field(default_factory=dict)
    not_believed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def power_kw(self) -> Floats:
        """Fill rate as metered, else as planned [kW]."""
        return np.where(np.isnan(self.metered_kw), self.planned_kw, self.metered_kw)

    @property
    def draw_off_kwh(self) -> Floats:
        """Heat drawn as measured, else as expected [kWh]."""
        return np.where(np.isnan(self.demand_kwh), self.expected_kwh, self.demand_kwh)

    def span(self, start: datetime, end: datetime) -> slice:
        """Return where the quarters from ``start`` on and before ``end`` stand, as far as they are there."""
        return slice(*(int(self.quarters.searchsorted(pd.Timestamp(moment))) for moment in (start, end)))

    def planned_readings_c(self, until: datetime) -> pd.Series[Any]:
        """Return the planned temperatures [°C] of quarters that are over at a moment, by their start, ascending."""
        return self._over("planned_c", until)

    def readings_c(self, until: datetime) -> pd.Series[Any]:
        """Return the believed temperatures [°C] of quarters that are over at a moment, by their start, ascending."""
        return self._over("temperature_c", until)

    @cached_property
    def _known(self) -> dict[tuple[str, datetime], pd.Series[Any]]:
        """What was asked for before: a plan asks several times."""
        return {}

    def _over(self, name: str, until: datetime) -> pd.Series[Any]:
        known = self._known.get((name, until))
        if known is None:
            over = slice(int(self.quarters.searchsorted(pd.Timestamp(until) - QUARTER, side="right")))
            values: Floats = getattr(self, name)[over]
            there = np.flatnonzero(~np.isnan(values))
            known = self._known[name, until] = pd.Series(values[there], index=self.quarters[there])
        return known
