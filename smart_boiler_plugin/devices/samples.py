"""What devices have said and is not stored yet, as rows of readings: at once what has changed, the rest by the quarter.

Devices say a hundred times an hour that nothing has changed. Each value that is stored stays in the database for years:
so what differs little from what was stored last waits until its quarter of an hour is over. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from smart_boiler_plugin.boiler.profiles import POWER, TEMPERATURE
from smart_boiler_plugin.clock.quarter import QUARTER

QUARTER_S = QUARTER.total_seconds()

STEP_K = 0.1
"""A temperature that differs by this from what was stored last is stored at once [K]: sensors have steps of 0.06 K."""

STEP_KW, STEP_SHARE = 0.02, 0.05
"""Likewise a power: by this [kW], or this share of it [-]."""

MOST_AT_ONCE = 60
"""How often something of a quarter is stored at once: two devices on one topic contradict each other each second."""

ALIVE_S = 600.0
"""For how long a device that says nothing still takes the power that it last said [s]."""

MOST_SAMPLES = 900
"""How many powers of a quarter are kept: one each second."""

UNITS = {TEMPERATURE: "°C", POWER: "kW"}


@dataclass
class _Series:
    """Values of one kind of a device in the quarter of an hour that is now."""

    kind: str
    quarter: int = 0
    at: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    sent: float | None = None
    times_sent: int = 0
    last: tuple[float, float] | None = None
    is_due: bool = False
    over: list[tuple[list[float], list[float]]] = field(default_factory=list)

    def add(self, at_s: float, value: float) -> None:
        """Take a value that was said at a moment [s since 1970]."""
        if self.last is not None and at_s <= self.last[0]:
            # two at the same moment: times must ascend
            at_s = self.last[0] + 1e-3
        self.close(at_s)
        self.quarter = int(at_s // QUARTER_S)
        if self.kind == TEMPERATURE:
            # of a quarter, the last one counts
            self.at, self.values = [at_s], [value]
        elif not self.values or self._differs(value, self.values[-1]):
            if not self.values and self.last is not None and at_s - self.last[0] < ALIVE_S:
                begin_s = self.quarter * QUARTER_S
                if begin_s < at_s:
                    self.at, self.values = [begin_s], [self.last[1]]
            self.at, self.values = [*self.at, at_s][-MOST_SAMPLES:], [*self.values, value][-MOST_SAMPLES:]
        self.last = at_s, value
        self.is_due |= self.sent is None or self._differs(value, self.sent)

    def close(self, now_s: float) -> None:
        """Let a quarter that is over be stored as it ended."""
        if self.values and now_s // QUARTER_S > self.quarter:
            if self.is_due or self.sent != self.values[-1]:
                self.over.append((self.at, self.values))
            self.at, self.values, self.sent, self.times_sent, self.is_due = [], [], None, 0, False

    def take(self) -> Iterator[tuple[list[float], list[float]]]:
        """Yield times and values that are to be stored."""
        yield from self.over
        self.over = []
        if self.is_due and self.times_sent < MOST_AT_ONCE:
            self.sent, self.is_due = self.values[-1], False
            self.times_sent += 1
            yield list(self.at), list(self.values)

    def _differs(self, value: float, other: float) -> bool:
        step = STEP_K if self.kind == TEMPERATURE else max(STEP_KW, STEP_SHARE * abs(other))
        return abs(value - other) >= step - 1e-9


class Samples:
    """What devices have said and is not stored yet, by the accounts of their boilers."""

    def __init__(self) -> None:
        self._series: dict[tuple[int, str], _Series] = {}

    def add(self, account_id: int, kind: str, at_s: float, value: float) -> None:
        """Take a value.

        Parameters
        ----------
        account_id
            Whose boiler.
        kind
            ``TEMPERATURE`` or ``POWER``.
        at_s
            When it was said [s since 1970].
        value
            [°C] or [kW].

        """
        series = self._series.get((account_id, kind))
        if series is None:
            series = self._series[account_id, kind] = _Series(kind)
        series.add(at_s, value)

    def rows(self, now_s: float) -> list[dict[str, Any]]:
        """Return what is to be stored at a moment, as rows of ``POST /readings``; it is not told once more."""
        found = []
        for (account_id, kind), series in self._series.items():
            series.close(now_s)
            found += [
                {
                    "account": account_id,
                    "kind": kind,
                    "unit": UNITS[kind],
                    "times": [datetime.fromtimestamp(each, timezone.utc).isoformat() for each in at],
                    "values": values,
                }
                for at, values in series.take()
            ]
        return found
