"""The fleet's power over the price: what the chart draws, what it says in a sentence, and the same as CSV."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.clock.runs import runs
from smart_boiler_plugin.facts.sensors import prices_of
from smart_boiler_plugin.facts.series import prices_per_kwh
from smart_boiler_plugin.fleet.load import Load
from smart_boiler_plugin.physics.thermostat import Floats
from smart_boiler_plugin.ui.charting import axis_of, days_of, ms, numbers
from smart_boiler_plugin.ui.reader import Reader
from smart_boiler_plugin.units import currency_of

BACK, AHEAD = timedelta(hours=6), timedelta(hours=30)
"""What is shown before and after now."""

CHEAP = 0.25
"""Share of the time that is tinted as the cheapest [-]."""


@dataclass(frozen=True, eq=False)
class Priced:
    """A fleet's load, and the price that most of it pays.

    Parameters
    ----------
    load
        The load.
    tariff, currency
        Name of the price, and its currency; None where none is known.
    per_kwh
        Of each quarter, shape (quarters,); NaN where it is not known.

    """

    load: Load
    tariff: str | None
    currency: str | None
    per_kwh: Floats

    @property
    def is_cheap(self) -> NDArray[np.bool_]:
        """Which quarters are among the cheapest, shape (quarters,)."""
        known = self.per_kwh[~np.isnan(self.per_kwh)]
        if not len(known) or known.min() == known.max():
            return np.zeros(len(self.per_kwh), dtype=bool)
        with np.errstate(invalid="ignore"):
            cheap: NDArray[np.bool_] = self.per_kwh <= np.quantile(known, CHEAP)
        return cheap


def priced(load: Load, price_id: int | None, moment: datetime) -> Priced:
    """Return a load with a price; two SQL statements.

    Parameters
    ----------
    load
        The load.
    price_id
        Of the sensor with the price; None where there is none.
    moment
        Now.

    """
    found = list(prices_of([price_id]).values()) if price_id else []
    if not found:
        return Priced(load, None, None, np.full(len(load.quarters), np.nan))
    utc = load.quarters.tz_convert("UTC")
    per_kwh = prices_per_kwh(found, utc, moment)[found[0].sensor.id]
    sensor = found[0].sensor
    return Priced(load, str(sensor.generic_asset.name), currency_of(sensor.unit), per_kwh)


def chart_of(shown: Priced, now: datetime, reader: Reader) -> dict[str, Any]:
    """Return what the chart draws, as JSON: moments in ms, power in kW, the price in hundredths of its currency."""
    load = shown.load
    return {
        **axis_of(load.quarters, now, reader),
        "planned": numbers(load.planned_kw),
        "metered": numbers(load.metered_kw),
        "price": numbers(100 * shown.per_kwh),
        "cheap": [
            [ms(load.quarters[run.start]), ms(load.quarters[run.stop - 1] + QUARTER)] for run in runs(shown.is_cheap)
        ],
        "priceName": f"{_hundredth(shown.currency)}/kWh, {shown.tariff}" if shown.tariff else "",
        # its first moment is no line to draw
        "days": [day for day in days_of(load.quarters)[:2] if day["at"] > ms(load.quarters[0])],
    }


def gist_of(shown: Priced, now: datetime, reader: Reader) -> str:
    """Return what the chart says in a sentence or two: the highest planned power ahead, and when it is cheapest."""
    load = shown.load
    ahead = load.quarters + QUARTER > now
    planned = np.where(ahead, load.planned_kw, np.nan)
    told = []
    if np.isnan(planned).all():
        told.append("No power is planned ahead.")
    else:
        most = int(np.nanargmax(planned))
        told.append(
            f"Highest ahead: {reader.number(planned[most], 'kW', decimals=_decimals(planned[most]))} at "
            f"{reader.at(load.quarters[most], now)}, planned of {load.planned_boilers[most]} of {load.boilers} boilers."
        )
    prices = np.where(ahead, shown.per_kwh, np.nan)
    if shown.currency and not np.isnan(prices).all():
        least = int(np.nanargmin(prices))
        price = f"{reader.number(100 * prices[least], decimals=1)} {_hundredth(shown.currency)}"
        told.append(f"Cheapest: {price} at {reader.at(load.quarters[least], now)}.")
    return " ".join(told)


def table_of(shown: Priced, reader: Reader) -> list[tuple[str, ...]]:
    """Return what the chart draws by the hour: when it begins, planned and metered [kW], and the price, in words."""
    load = shown.load
    rows = pd.DataFrame(
        {"planned": load.planned_kw, "metered": load.metered_kw, "price": 100 * shown.per_kwh},
        index=load.quarters.tz_convert("UTC"),
    )
    hours = rows.groupby(rows.index.floor("h")).mean()
    told = hours.map(lambda value: reader.number(value, decimals=1))
    moments = [f"{reader.day(hour)} {reader.time(hour)}" for hour in hours.index]
    return list(zip(moments, *(told[name] for name in told), strict=True))


def _hundredth(currency: str | None) -> str:
    return {"EUR": "ct", "GBP": "p"}.get(currency or "", f"c{currency}")


def _decimals(kw: float) -> int:
    return 0 if kw >= 10 else 1  # noqa: PLR2004 (as people say it)
