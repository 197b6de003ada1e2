"""What boilers are told, as JSON: the same on all paths.

Of ten thousand, the host's encoder would take seconds for the set-points alone.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from smart_boiler_plugin.devices.lease import OFF_AT_C, ON_BELOW_C
from smart_boiler_plugin.devices.set_points import Told
from smart_boiler_plugin.plan.handing_out import HOTTEST_C, PER_K

RESOLUTION = "PT15M"

TENTHS = [f"{tenth / PER_K:.1f}" for tenth in range(round(HOTTEST_C * PER_K) + 1)]
"""Temperatures that set-points may have, as they are written."""

FALLBACK = {"on_below_c": ON_BELOW_C, "off_at_c": OFF_AT_C}

OF_THE_LEASE = ("heat", "until", "why")
"""What is true for minutes alone: who keeps what it is told for hours is not told these."""


def as_json(told: Told, *, lease: bool = True) -> str:
    """Return what is told of one boiler as JSON.

    Parameters
    ----------
    told
        What is told.
    lease
        Whether with what is true for minutes alone.

    """
    row = {name: value for name, value in row_of(told).items() if lease or name not in OF_THE_LEASE}
    document = json.dumps({**row, "fallback": FALLBACK}, separators=(",", ":"))
    return f'{document[:-1]},"set_points_c":[{",".join(texts(told, "null"))}]}}'


def texts(told: Told, nothing: str) -> list[str]:
    """Return set-points as texts [°C], with a word where the plan says nothing."""
    tenths = np.round(told.set_points_c * PER_K)
    if np.isnan(tenths).any():
        return [nothing if point != point else TENTHS[int(point)] for point in tenths.tolist()]  # noqa: PLR0124 (NaN)
    return [TENTHS[point] for point in tenths.astype(int).tolist()]


def row_of(told: Told) -> dict[str, Any]:
    """Return what is told of one boiler but its set-points, as JSON."""
    return {
        "account": told.account_id,
        "boiler": told.asset_id,
        "planned_at": told.planned_at and told.planned_at.isoformat(),
        "start": told.start.isoformat(),
        "resolution": RESOLUTION,
        "hysteresis_k": told.hysteresis_k,
        "heat": told.lease.heat,
        "until": told.lease.until.isoformat(),
        "why": told.lease.why,
    }
