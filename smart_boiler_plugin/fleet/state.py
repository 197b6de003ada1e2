"""The state of all boilers of a fleet, in a number of SQL statements that does not grow with theirs.

All are looked at by a few look-ups each (``screening.py``), and those of whom that shows anything odd, or that may be
cold, closely (``closely.py``). In words: ``told.py``. The service around them: ``service.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd

from smart_boiler_plugin.clock.quarter import QUARTER, QUARTER_H
from smart_boiler_plugin.facts import glimpses
from smart_boiler_plugin.facts.faults import SILENT, Fault, silent
from smart_boiler_plugin.facts.plans import Planned, plans_of
from smart_boiler_plugin.fleet.closely import AHEAD, MISSED_K, Closely, look_closely
from smart_boiler_plugin.fleet.cold import most_wanted_c
from smart_boiler_plugin.fleet.members import Member
from smart_boiler_plugin.fleet.screening import AGO, LATELY, Bools, Limits, odd, silence
from smart_boiler_plugin.fleet.told import BoilerState, Seen, Span, state_of
from smart_boiler_plugin.physics.readings import Vessel
from smart_boiler_plugin.physics.reporting import UNCHANGED
from smart_boiler_plugin.physics.thermostat import Floats
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.plan.reading import policy
from smart_boiler_plugin.settings import DEVIATION

HEATS = 0.1
"""Share of an element's power from which on it heats [-]: what is less keeps a tank warm that is warm."""

NOBODY_HEATS_KW = 1e6
"""Power that no boiler takes [kW], where its own is not known."""

METERED_WITHIN = 2 * QUARTER
"""How old the last metered power may be to say what a boiler does now."""

LONGEST_PLAN = timedelta(days=3)
"""How far ahead heating is looked for."""

STORED = "stored"
"""Kind of the fault of a boiler of which something wrong is stored, or something is missing."""


def states_of(
    fleet: Sequence[Member], moment: datetime, prices_until: Mapping[int, datetime] | None = None
) -> list[BoilerState]:
    """Return the state of each boiler at a moment, in their order; some twenty SQL statements.

    Parameters
    ----------
    fleet
        Which boilers; whatever is wrong with one changes nothing of another.
    moment
        Now.
    prices_until
        Until when prices are known, by the ids of their sensors.

    """
    if not fleet:
        return []
    seen = _Fleet(fleet, moment, policy()).seen(prices_until or {})
    return [state_of(member, of_member, moment, DEVIATION.value) for member, of_member in zip(fleet, seen, strict=True)]


class _Fleet:
    """What is known of boilers side by side: each array has the shape (boilers,) or (boilers, looks)."""

    def __init__(self, fleet: Sequence[Member], moment: datetime, rules: Policy) -> None:
        self.fleet, self.moment, self.rules = fleet, moment, rules
        self.quarter = glimpses.quarter_of(moment)
        self.temperature_ids = [member.sensors.get("temperature", 0) for member in fleet]
        self.power_ids = [member.sensors.get("fill-rate", 0) for member in fleet]
        self.power_kw = np.array([member.data.power_kw if member.data else NOBODY_HEATS_KW for member in fleet])
        self.looks = glimpses.look_at(self.temperature_ids, AGO, moment)
        self.plans = plans_of([member.asset_id for member in fleet], moment)
        self.heating = glimpses.heating_planned(
            self.power_ids, (HEATS * self.power_kw).tolist(), self.quarter - LATELY, self.quarter + LONGEST_PLAN, moment
        )
        self.coldest = glimpses.coldest_planned(self.temperature_ids, self.quarter, self.quarter + AHEAD, moment)
        self.silent, self.may_be_silent = silence(self.looks.at_s, moment.timestamp(), self._longest_s())

    def seen(self, prices_until: Mapping[int, datetime]) -> list[Seen]:
        """Return what is known of each."""
        closely = self._closely()
        heats_now, planned_c, last = self._heats_now(), self._planned_c(), self._last_of_silent()
        found = []
        for number, member in enumerate(self.fleet):
            close = closely.get(member.asset_id)
            coldest = self.coldest.get(self.temperature_ids[number])
            plan: Planned | None = self.plans.get(member.asset_id)
            heats_until, next_heating = self._spans(number)
            found.append(
                Seen(
                    **(_of_close(close) if close else self._of_looks(number, last)),
                    faults=(*_of_stored(member), *(close.faults if close else self._silence(number, last))),
                    cold=close.cold if close else None,
                    cold_soon=close.cold_soon if close else None,
                    heats_now=heats_now[number],
                    heats_until=heats_until,
                    next_heating=next_heating,
                    coldest_planned_c=coldest and coldest[1],
                    coldest_planned_at=coldest and coldest[0],
                    planned_until=plan.until.to_pydatetime() if plan else None,
                    planned_c=None if np.isnan(planned_c[number]) else float(planned_c[number]),
                    prices_until=prices_until.get(member.price_id or 0),
                )
            )
        return found

    def _longest_s(self) -> Floats:
        """Return after how long without a reading each is silent [s]."""
        at_intervals, changes = self.rules.silent_after.total_seconds(), UNCHANGED.total_seconds()
        return np.array(
            [changes if member.data and member.data.reports_change_k else at_intervals for member in self.fleet]
        )

    def _closely(self) -> dict[int, Closely]:
        """Return what is known of those that must be looked at closely, by the ids of assets."""
        readable = np.array([member.data is not None and member.comfort is not None for member in self.fleet])
        may_be_cold = readable & self._may_be_cold()
        wanted = readable & (self.may_be_silent | may_be_cold | (self._odd() & ~self.silent))
        ids = np.array([member.asset_id for member in self.fleet])
        return look_closely(ids[wanted].tolist(), set(ids[may_be_cold].tolist()), self.rules, self.moment)

    def _may_be_cold(self) -> Bools:
        most_c = np.array([_most_wanted_c(member, self.rules) for member in self.fleet])
        coldest_c = np.array([self.coldest.get(sensor_id, (None, np.nan))[1] for sensor_id in self.temperature_ids])
        with np.errstate(invalid="ignore"):
            now: Bools = (self.looks.value[:, 0] < most_c) & ~self.silent
            return now | (coldest_c < most_c - MISSED_K)

    def _odd(self) -> Bools:
        vessels = [_vessel_of(member) for member in self.fleet]
        limits = Limits(
            *(
                np.array([getattr(vessel, name) if vessel else np.nan for vessel in vessels])
                for name in ("rise_k_per_h", "coldest_c", "hottest_c")
            )
        )
        since_s, until_s = (each.timestamp() for each in (self.quarter - LATELY, self.quarter))
        nothing = np.empty(0)
        lately = [self.heating.get(sensor_id, nothing) for sensor_id in self.power_ids]
        heating_h = QUARTER_H * np.array([((at_s >= since_s) & (at_s < until_s)).sum() for at_s in lately])
        return odd(self.looks.at_s, self.looks.value, self.looks.sources, limits, heating_h)

    def _heats_now(self) -> list[bool | None]:
        """Return which boilers heat: as metered in the last quarters, else as planned for this one."""
        metered = glimpses.look_at(
            self.power_ids,
            (timedelta(0),),
            self.moment,
            within=glimpses.ANY_NUMBER,
            back=METERED_WITHIN,
            foreseen=QUARTER,
        ).value[:, 0]
        now_s = self.quarter.timestamp()
        found: list[bool | None] = []
        for number, member in enumerate(self.fleet):
            if not np.isnan(metered[number]):
                found.append(bool(metered[number] >= HEATS * self.power_kw[number]))
            elif member.asset_id in self.plans:
                found.append(bool((self.heating.get(self.power_ids[number], np.empty(0)) == now_s).any()))
            else:
                found.append(None)
        return found

    def _spans(self, number: int) -> tuple[datetime | None, Span | None]:
        """Return until when heating is planned for now, and when it is planned next."""
        at_s = self.heating.get(self.power_ids[number])
        if at_s is None or self.fleet[number].asset_id not in self.plans:
            return None, None
        now_s, quarter_s = self.quarter.timestamp(), QUARTER.total_seconds()
        ahead_s = at_s[at_s >= now_s]
        if not len(ahead_s):
            return None, None
        ends = np.flatnonzero(np.diff(ahead_s) > quarter_s)
        last = int(ends[0]) if len(ends) else len(ahead_s) - 1
        if ahead_s[0] > now_s:
            return None, Span(_utc(ahead_s[0]), _utc(ahead_s[last] + quarter_s))
        later_s = ahead_s[last + 1 :]
        if not len(later_s):
            return _utc(ahead_s[last] + quarter_s), None
        last_later = int(ends[1]) - last - 1 if len(ends) > 1 else len(later_s) - 1
        return _utc(ahead_s[last] + quarter_s), Span(_utc(later_s[0]), _utc(later_s[last_later] + quarter_s))

    def _planned_c(self) -> Floats:
        """Return what was planned for the quarter of the last reading, of those that follow a plan in kW [°C]."""
        planned_c = np.full(len(self.fleet), np.nan)
        in_kw = [
            number
            for number, member in enumerate(self.fleet)
            if (plan := self.plans.get(member.asset_id))
            and not plan.in_set_points
            and not np.isnan(self.looks.at_s[number, 0])
        ]
        ids = [self.temperature_ids[number] for number in in_kw]
        planned_c[in_kw] = glimpses.planned_at(ids, self.looks.at_s[in_kw, 0], self.moment)
        return planned_c

    def _last_of_silent(self) -> dict[int, pd.Timestamp]:
        """Return when those were last measured that were not in the last day, by the ids of sensors."""
        unseen = np.flatnonzero(np.isnan(self.looks.at_s[:, 0])).tolist()
        ids = [self.temperature_ids[number] for number in unseen if self.temperature_ids[number]]
        return glimpses.last_measured(ids, self.moment)

    def _of_looks(self, number: int, last: Mapping[int, pd.Timestamp]) -> dict[str, Any]:
        """Return the reading of a boiler that need not be looked at closely."""
        at_s, value = self.looks.at_s[number, 0], self.looks.value[number, 0]
        known = not np.isnan(at_s)
        return {
            "temperature_c": float(value) if known else None,
            "measured_at": _quarter(at_s) if known else None,
            "is_silent": bool(self.silent[number]),
            "silent_since": self._silent_since(number, last),
        }

    def _silent_since(self, number: int, last: Mapping[int, pd.Timestamp]) -> datetime | None:
        if not self.silent[number]:
            return None
        at_s = self.looks.at_s[number, 0]
        if not np.isnan(at_s):
            return _quarter(at_s) + QUARTER
        at = last.get(self.temperature_ids[number])
        return None if at is None else _quarter(at.timestamp()) + QUARTER

    def _silence(self, number: int, last: Mapping[int, pd.Timestamp]) -> tuple[Fault, ...]:
        since = self._silent_since(number, last)
        return () if since is None else (silent(pd.Timestamp(since).tz_convert(self.fleet[number].timezone)),)


def _of_close(close: Closely) -> dict[str, Any]:
    """Return the reading of a boiler that was looked at closely."""
    since = next((fault.since for fault in close.faults if fault.kind == SILENT), None)
    return {
        "temperature_c": close.temperature_c,
        "measured_at": close.measured_at and close.measured_at.to_pydatetime(),
        "is_silent": since is not None or close.temperature_c is None,
        "silent_since": since and since.tz_convert("UTC").to_pydatetime(),
    }


def _of_stored(member: Member) -> tuple[Fault, ...]:
    return tuple(Fault(STORED, None, problem) for problem in member.problems)


def _vessel_of(member: Member) -> Vessel | None:
    data = member.data
    return None if data is None else Vessel(data.tank, data.power_kw, data.cop * data.power_kw, data.temperature_max_c)


def _most_wanted_c(member: Member, rules: Policy) -> float:
    if member.data is None or member.comfort is None:
        return float("nan")
    return most_wanted_c(member.data, member.comfort, rules)


def _quarter(at_s: float) -> datetime:
    quarter_s = QUARTER.total_seconds()
    return _utc(at_s // quarter_s * quarter_s)


def _utc(at_s: float) -> datetime:
    return datetime.fromtimestamp(float(at_s), timezone.utc)
