"""Which days are to be reported anew: those whose data have come in since, and those that could not be reported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from flexmeasures import Sensor

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.clock.days import days_between, midnight
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.facts.late import NEVER, Moments, prices_recorded_in, recorded_in, reported_at
from smart_boiler_plugin.money.course import LONGEST_GAP, WARM_UP

DAYS = 35
"""How many days are looked at, up to the last one that is over."""

UNDERWAY = np.timedelta64(timedelta(hours=1))
"""What was recorded this long before a report may have been on its way: it is looked for once, as long after it."""

COUNTED = ("temperature_c", "metered_kw", "planned_kw", "demand_kwh")
"""What of a boiler's own data an account rests on."""

POWER = ("metered_kw", "planned_kw")
ROLES = ("temperature", "fill-rate", "demand")
REPORTED = ("daily cost", "daily savings")
"""Roles of the sensors that tell when a day was reported: the earlier one of both counts."""


@dataclass(frozen=True)
class LateDay:
    """A day of a boiler that is to be reported anew, and whether it was reported before."""

    asset_id: int
    day: date
    was_reported: bool


def late_days(boilers: Sequence[Boiler], last: date) -> list[LateDay]:
    """Return which of the ``DAYS`` days before the last one that is over are to be reported anew, ascending.

    Those that were reported and of which anything was recorded since; and those that were never reported, of which
    power and price are known now. Four SQL statements, however many boilers and days there are.

    Parameters
    ----------
    boilers
        In one time zone, with their sensors.
    last
        The last local day that is over, which is reported anyway.

    """
    timezone, days = boilers[0].timezone, days_between(last - timedelta(days=DAYS - 1), last - timedelta(days=1))
    midnights = pd.DatetimeIndex([midnight(day, timezone) for day in [*days, last]])
    begins, ends = midnights[:-1], midnights[1:]
    # as far around a day as its account looks
    around = begins - (WARM_UP + LONGEST_GAP) * QUARTER, ends + LONGEST_GAP * QUARTER
    reported = reported_at(_ids(boilers, REPORTED), begins)
    # NaT where one of them is
    all_made = [np.minimum(*(_of(reported, boiler, role, len(days)) for role in REPORTED)) for boiler in boilers]
    unreported = [boiler for boiler, made in zip(boilers, all_made, strict=True) if np.isnat(made).any()]
    data = recorded_in(_ids(boilers, ROLES), *around, COUNTED)
    power = recorded_in(_ids(unreported, ["fill-rate"]), begins, ends, POWER) if unreported else {}
    now = np.datetime64(pd.Timestamp.now("UTC").tz_localize(None), "us")
    priced = _Prices(boilers, days, midnights)
    found = []
    for boiler, made in zip(boilers, all_made, strict=True):
        price = priced.recorded(boiler)
        changed = np.fmax.reduce([price, *(_of(data, boiler, role, len(days)) for role in ROLES)])
        was_reported = ~np.isnat(made)
        known = ~np.isnat(_of(power, boiler, "fill-rate", len(days))) & ~np.isnat(price)
        since = np.where(now - made > UNDERWAY, made - UNDERWAY, made)
        wanted = np.where(was_reported, changed > since, known)
        found += [LateDay(boiler.asset.id, days[i], bool(was_reported[i])) for i in np.flatnonzero(wanted)]
    return sorted(found, key=lambda each: each.day)


def _ids(boilers: Iterable[Boiler], roles: Sequence[str]) -> list[int]:
    return [boiler.sensors[role].id for boiler in boilers for role in roles if role in boiler.sensors]


def _of(moments: dict[int, Moments], boiler: Boiler, role: str, count: int) -> Moments:
    sensor = boiler.sensors.get(role)
    never = np.full(count, NEVER)
    return never if sensor is None else moments.get(sensor.id, never)


class _Prices:
    """When the prices of days were last recorded, of the tariff that each boiler had on each."""

    def __init__(self, boilers: Sequence[Boiler], days: Sequence[date], midnights: pd.DatetimeIndex) -> None:
        self._days, self._never = days, np.full(len(days), NEVER)
        sensors: dict[int, Sensor] = {}
        for boiler in boilers:
            for day in {days[0], *(day for day in boiler.history.changes if days[0] < day <= days[-1])}:
                try:
                    price = boiler.on(day).price
                except SmartBoilerError:
                    continue
                sensors[price.id] = price
        self._of_sensor = prices_recorded_in(list(sensors.values()), midnights)

    def recorded(self, boiler: Boiler) -> Moments:
        """Return it for a boiler, shape (days,)."""
        steps = boiler.price_steps
        recorded: Moments = self._never.copy()
        for first, sensor_id in steps:
            begin = 0 if first is None else max((first - self._days[0]).days, 0)
            recorded[begin:] = self._of_sensor.get(sensor_id or 0, self._never)[begin:]
        return recorded
