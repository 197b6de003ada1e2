"""The power of a fleet per quarter of an hour: what a supplier buys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smart_boiler_plugin.clock.quarter import QUARTER, whole_quarters
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.facts.load import load_kw
from smart_boiler_plugin.fleet.members import Member
from smart_boiler_plugin.physics.metered import IDLE_KW
from smart_boiler_plugin.physics.readings import OVERPOWER
from smart_boiler_plugin.physics.thermostat import Floats

LONGEST = timedelta(days=32)
"""How long a span may be: a month."""


@dataclass(frozen=True, eq=False)
class Load:
    """The power of boilers together, per quarter; arrays have the shape (quarters,).

    Parameters
    ----------
    quarters
        When they start, local.
    end
        Of the last one, local.
    planned_kw, metered_kw
        Sums [kW]; NaN where there is no value of any boiler.
    planned_boilers, metered_boilers
        Of how many boilers there is one.
    boilers
        How many there are.

    """

    quarters: pd.DatetimeIndex
    end: pd.Timestamp
    planned_kw: Floats
    metered_kw: Floats
    planned_boilers: NDArray[np.int_]
    metered_boilers: NDArray[np.int_]
    boilers: int


def load_of(fleet: Sequence[Member], start: datetime, end: datetime, moment: datetime) -> Load:
    """Return the planned and metered power of boilers together, one SQL statement for all of them.

    What a boiler cannot take is not believed, and counts nothing; nor does one that does not say what it can.

    Parameters
    ----------
    fleet
        Which boilers.
    start, end
        The span, aware of the time zone, which is that of the result; all quarters that it touches count.
    moment
        What was recorded later is left out.

    Raises
    ------
    SmartBoilerError
        If there is no time between start and end, or more than ``LONGEST``.

    """
    if end <= start:
        raise SmartBoilerError({"until": ["Must be after 'from'."]})
    if end - start > LONGEST:
        raise SmartBoilerError({"until": [f"Must be {LONGEST.days} days after 'from' at most."]})
    begin, until = whole_quarters(start, end)
    utc = pd.date_range(begin.tz_convert("UTC"), until.tz_convert("UTC"), freq=QUARTER, inclusive="left")
    limits = {
        member.sensors["fill-rate"]: OVERPOWER * member.data.power_kw + IDLE_KW
        for member in fleet
        if member.data is not None and "fill-rate" in member.sensors
    }
    found = load_kw(list(limits), list(limits.values()), utc[0], until, moment)
    planned, metered = (found[found["planned"] == of].reindex(utc) for of in (True, False))
    return Load(
        quarters=utc.tz_convert(begin.tz),
        end=until,
        planned_kw=planned["kw"].to_numpy(dtype=float),
        metered_kw=metered["kw"].to_numpy(dtype=float),
        planned_boilers=_counts(planned["boilers"]),
        metered_boilers=_counts(metered["boilers"]),
        boilers=len(fleet),
    )


def csv_of(load: Load) -> str:
    """Return the load as CSV: a row for each quarter, powers [kW] empty where there is none."""
    table = pd.DataFrame(
        {
            "start": [moment.isoformat() for moment in load.quarters],
            "planned_kw": load.planned_kw,
            "metered_kw": load.metered_kw,
        }
    )
    return str(table.round(DECIMALS).to_csv(index=False))


DECIMALS = 3
"""Of powers [kW]."""


def _counts(of_quarters: pd.Series[Any]) -> NDArray[np.int_]:
    counts: NDArray[np.int_] = np.nan_to_num(of_quarters.to_numpy(dtype=float)).astype(int)
    return counts
