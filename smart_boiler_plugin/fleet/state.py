"""The state of all boilers of a fleet, in a number of SQL statements that does not grow with theirs.

All are looked at by a few look-ups each (``screening.py``), and those of whom that shows anything odd, or that may be
cold, closely (``closely.py``). In words: ``told.py``. The service around them: ``service.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd

from smart_boiler_plugin.boiler.seen import HTTP, DeviceSeen, seen_of
from smart_boiler_plugin.clock.quarter import QUARTER, QUARTER_H
from smart_boiler_plugin.facts import glimpses
from smart_boiler_plugin.facts.faults import SILENT, Fault, silent
from smart_boiler_plugin.facts.plans import off_plan_k, plans_of
from smart_boiler_plugin.fleet.closely import AHEAD, Closely, look_closely
from smart_boiler_plugin.fleet.cold import MISSED_K, most_wanted_c
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

REFUSES = "refuses"
"""Kind of the fault of a boiler whose device does not do what it is told."""

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
    return [state_of(member, of_member, moment) for member, of_member in zip(fleet, seen, strict=True)]


def completed(states: Sequence[BoilerState], moment: datetime) -> list[BoilerState]:
    """Return states with what boilers heat now and next, and when they will be coldest; three SQL statements.

    Of all boilers of a large fleet that takes longer than to find out who is not well: it is for those that are shown.
    """
    heat = _Heating([each.member for each in states], moment)
    return [
        state_of(each.member, replace(each.seen, **heat.of(number, each.seen)), moment)
        for number, each in enumerate(states)
    ]


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
        self.heated = glimpses.heating_planned(
            self.power_ids, (HEATS * self.power_kw).tolist(), self.quarter - LATELY, self.quarter, moment
        )
        self.least_c = glimpses.least_planned(self.temperature_ids, self.quarter, self.quarter + AHEAD)
        self.silent, self.may_be_silent = silence(self.looks.at_s, moment.timestamp(), self._longest_s())

    def seen(self, prices_until: Mapping[int, datetime]) -> list[Seen]:
        """Return what is known of each."""
        closely = self._closely()
        off_plan, last = self._off_plan_k(), self._last_of_silent()
        devices = seen_of([member.asset_id for member in self.fleet])
        found = []
        for number, member in enumerate(self.fleet):
            close = closely.get(member.asset_id)
            plan = self.plans.get(member.asset_id)
            device = _device_of(member, devices.get(member.asset_id))
            found.append(
                Seen(
                    **(_of_close(close) if close else self._of_looks(number, last)),
                    faults=(
                        *_of_stored(member),
                        *_of_device(member, device),
                        *(close.faults if close else self._silence(number, last)),
                    ),
                    cold=close.cold if close else None,
                    cold_soon=close.cold_soon if close else None,
                    coldest_planned_c=self.least_c.get(self.temperature_ids[number]),
                    planned_until=plan.until.to_pydatetime() if plan else None,
                    off_plan_k=off_plan.get(member.asset_id) if self._is_believed(number, close) else None,
                    device=device,
                    prices_until=prices_until.get(member.price_id or 0),
                )
            )
        return found

    def _is_believed(self, number: int, close: Closely | None) -> bool:
        """Return whether the last reading is that which is believed last."""
        if close is None:
            return True
        return close.measured_at is not None and close.measured_at == _quarter(self.looks.at_s[number, 0])

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
        coldest_c = np.array([self.least_c.get(sensor_id, np.nan) for sensor_id in self.temperature_ids])
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
        heating_h = QUARTER_H * np.array([len(self.heated.get(sensor_id, ())) for sensor_id in self.power_ids])
        return odd(self.looks.at_s, self.looks.value, self.looks.sources, limits, heating_h)

    def _off_plan_k(self) -> dict[int, float]:
        """Return how far those are from their plans that follow one in kW, and are further off than the setting [K]."""
        in_kw = [asset_id for asset_id, plan in self.plans.items() if not plan.in_set_points]
        return off_plan_k(in_kw, self.moment, DEVIATION.value, self.rules.silent_after)

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


class _Heating:
    """What boilers heat now and next, and when they will be coldest."""

    def __init__(self, some: Sequence[Member], moment: datetime) -> None:
        quarter = glimpses.quarter_of(moment)
        self.now_s = quarter.timestamp()
        self.temperature_ids = [member.sensors.get("temperature", 0) for member in some]
        self.power_ids = [member.sensors.get("fill-rate", 0) for member in some]
        self.least_kw = [HEATS * (member.data.power_kw if member.data else NOBODY_HEATS_KW) for member in some]
        self.planned = glimpses.heating_planned(self.power_ids, self.least_kw, quarter, quarter + LONGEST_PLAN, moment)
        self.coldest = glimpses.coldest_planned(self.temperature_ids, quarter, quarter + AHEAD, moment)
        self.metered_kw = glimpses.look_at(
            self.power_ids,
            (timedelta(0),),
            moment,
            within=glimpses.ANY_NUMBER,
            back=METERED_WITHIN,
            foreseen=QUARTER,
        ).value[:, 0]

    def of(self, number: int, seen: Seen) -> dict[str, Any]:
        """Return what is known of one boiler, as fields of ``Seen``."""
        at_s = self.planned.get(self.power_ids[number], np.empty(0)) if seen.planned_until else np.empty(0)
        spans = _spans(at_s)
        now = spans[0] if spans and at_s[0] == self.now_s else None
        later = spans[1:] if now else spans
        coldest = self.coldest.get(self.temperature_ids[number])
        heats_now: bool | None = None
        if not np.isnan(self.metered_kw[number]):
            heats_now = bool(self.metered_kw[number] >= self.least_kw[number])
        elif seen.planned_until:
            heats_now = now is not None
        return {
            "heats_now": heats_now,
            "heats_until": now.end if now and heats_now else None,
            "next_heating": later[0] if later else None,
            "coldest_planned_c": coldest[1] if coldest else None,
            "coldest_planned_at": coldest[0].to_pydatetime() if coldest else None,
        }


def _spans(at_s: Floats) -> list[Span]:
    """Return what quarters [s] make up, without those in between."""
    quarter_s = QUARTER.total_seconds()
    runs = np.split(at_s, np.flatnonzero(np.diff(at_s) > quarter_s) + 1)
    return [Span(_utc(run[0]), _utc(run[-1] + quarter_s)) for run in runs if len(run)]


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


def _device_of(member: Member, seen: DeviceSeen | None) -> DeviceSeen | None:
    """Return what is known of a boiler's device; where it has another kind of device now, that was never there."""
    if member.device_kind is None:
        return seen if seen and seen.kind == HTTP else None
    return seen if seen and seen.kind == member.device_kind else DeviceSeen(member.device_kind)


def _of_device(member: Member, device: DeviceSeen | None) -> tuple[Fault, ...]:
    if device is None or not device.refuses:
        return ()
    since = None if device.since is None else pd.Timestamp(device.since).tz_convert(member.timezone)
    return (Fault(REFUSES, since, f"Its device does not do what it is told: {device.refuses}"),)


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
