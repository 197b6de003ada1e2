"""What was sent of a quarter of an hour that is not over yet, kept with the boiler until the rest of it comes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from flexmeasures import Asset

from smart_boiler_plugin import stored
from smart_boiler_plugin.devices.quarters import QUARTER_US, Times, Values
from smart_boiler_plugin.stored import as_object

ATTRIBUTE = "smart-boiler-unfinished"
"""Attribute of a boiler's asset."""

MOST_PARTS = 900
"""In how many parts a quarter may come: each second."""

PART = 3
"""Numbers of a part: begin and end [µs since 1970], and value."""


@dataclass
class Unfinished:
    """Parts of quarters, by role of the sensor, and the last total of a meter.

    Parameters
    ----------
    parts
        Begin and end [µs since 1970] and value of each part of the last quarter, by role.
    meter
        Time [µs since 1970] and last total [kWh].

    """

    parts: dict[str, list[list[float]]] = field(default_factory=dict)
    meter: tuple[int, float] | None = None
    _kept: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, asset: Asset) -> Unfinished:
        """Return what is kept with a boiler; a household may have written anything there."""
        kept = as_object(stored.read(asset, ATTRIBUTE))
        parts = {
            str(role): [part for part in some[:MOST_PARTS] if _numbers(part, PART)]
            for role, some in as_object(kept.get("parts")).items()
            if isinstance(some, list)
        }
        meter = kept.get("meter")
        known = (int(meter[0]), float(meter[1])) if meter is not None and _numbers(meter, PART - 1) else None
        return cls(parts, known, kept)

    def keep(self, asset: Asset) -> None:
        """Note what there is with a boiler, whose row is locked. Does not flush."""
        now = {
            **({"parts": self.parts} if self.parts else {}),
            **({"meter": list(self.meter)} if self.meter else {}),
        }
        if now != self._kept:
            asset.attributes = {**(asset.attributes or {}), ATTRIBUTE: now}

    def completed(self, role: str, begins: Times, ends: Times, values: Values) -> tuple[Times, Times, Values]:
        """Return values with the parts of their first quarter that came before, and keep those of their last.

        Parameters
        ----------
        role
            Of the sensor.
        begins, ends, values
            Ascending, shape (n,) [µs since 1970]. A value that begins with a part that is kept takes its place.

        """
        if not len(begins):
            return begins, ends, values
        quarters, parts = set((begins // QUARTER_US).tolist()), self.parts.pop(role, [])
        last = max(int(ends[-1]) - 1, int(begins[-1])) // QUARTER_US
        if parts and parts[-1][0] // QUARTER_US > last:
            # late, and nothing of the quarter that is not over
            self.parts[role] = parts
            return begins, ends, values
        new = [
            part
            for part in parts
            if part[0] // QUARTER_US in quarters
            and not ((begins < max(part[1], part[0] + 1)) & (ends > part[0])).any()
            and not (begins == part[0]).any()
        ]
        if new:
            known = np.array(new)
            begins = np.concatenate([known[:, 0].astype(np.int64), begins])
            ends = np.concatenate([known[:, 1].astype(np.int64), ends])
            values = np.concatenate([known[:, 2], values])
            order = np.argsort(begins, kind="stable")
            begins, ends, values = begins[order], ends[order], values[order]
        # a whole one is not kept; but one that came in parts is, as the last of them may be sent again
        if begins[-1] == ends[-1] or ends[-1] % QUARTER_US or begins[-1] > last * QUARTER_US:
            of_last = np.flatnonzero((ends > last * QUARTER_US) | (begins >= last * QUARTER_US))[-MOST_PARTS:]
            self.parts[role] = [
                [max(int(begins[i]), last * QUARTER_US), int(ends[i]), _share(i, begins, ends, values, role, last)]
                for i in of_last.tolist()
            ]
        return begins, ends, values


def _share(i: int, begins: Times, ends: Times, values: Values, role: str, quarter: int) -> float:
    """Return the value of the part of an interval that lies in a quarter: of amounts, its share."""
    long = int(ends[i] - begins[i])
    if role != "demand" or not long:
        return float(values[i])
    return float(values[i]) * (int(ends[i]) - max(int(begins[i]), quarter * QUARTER_US)) / long


def _numbers(given: Any, count: int) -> bool:
    """Return whether this is a list of so many numbers."""
    return (
        isinstance(given, list)
        and len(given) == count
        and all(type(each) in (int, float) and abs(each) < 1e18 for each in given)  # noqa: PLR2004
    )
