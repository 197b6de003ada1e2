"""Which boilers need a plan, why, and until when: asked of what is stored, for all of them by four SQL statements.

A boiler needs one where it has none to the end of the prices that are known of its tariff, and where prices, tariff,
comfort or boiler have changed since the last one. Between plans, the set-points are the feedback; who follows powers
needs another where its temperature has left the plan.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from smart_boiler_plugin.clock.days import DAY, day_of, midnight
from smart_boiler_plugin.clock.quarter import HOUR, QUARTER, whole_quarters
from smart_boiler_plugin.facts.plans import Planned, off_plan_k, plans_of
from smart_boiler_plugin.facts.sensors import prices_of
from smart_boiler_plugin.facts.series import prices_per_kwh
from smart_boiler_plugin.physics.thermostat import Floats
from smart_boiler_plugin.plan.noted import DIGESTS, Note, RestsOn, rests_on
from smart_boiler_plugin.plan.reading import policy
from smart_boiler_plugin.settings import DEVIATION, MAX_READING_AGE

MISSING, DEVIATING, ALL = "missing", "deviating", "all"

ONLY = (MISSING, DEVIATING, ALL)
"""Which boilers can be asked for: those without a valid plan, those that have left theirs, or all."""

LEAST = HOUR
"""A plan that ends sooner than this is to be made anew, with typical prices where none are known."""

WITHOUT_PRICES = DAY
"""How long a plan is where no prices are known for as long as ``LEAST``."""

LOOKS_BACK = 2 * DAY
"""A plan that begins longer ago has ended."""

NO_PLAN = "it had none"
ENDS = "it was about to end"
PRICES_ON = "prices are known for longer"
PRICES = "prices changed"
RULES = "the server's settings changed"
OFF_PLAN = "its temperature left the plan"
ASKED = "it was asked for"
CHANGED = {"boiler": "the boiler was changed", "comfort": "the comfort was changed", "tariff": "the tariff was changed"}


@dataclass(frozen=True)
class Need:
    """A plan that is to be made: until when, why, and what it will rest on."""

    until: pd.Timestamp
    why: str
    rests_on: Mapping[str, str]

    @property
    def note(self) -> Note:
        """What is to be noted when it is made."""
        return Note(self.until, self.why, self.rests_on)


def needed(
    asset_ids: Collection[int],
    moment: datetime,
    only: Collection[str],
    *,
    start: datetime | None = None,
    until: datetime | None = None,
) -> dict[int, Need]:
    """Return which boilers are to be planned, and why, by the ids of their assets.

    Parameters
    ----------
    asset_ids
        Of boilers.
    moment
        What was recorded later is left out.
    only
        Some of ``ONLY``.
    start
        When plans begin; by default with the quarter of the moment.
    until
        When plans end; by default with the known prices of each tariff, and not after tomorrow.

    """
    begin = whole_quarters(start or moment, moment)[0].tz_convert("UTC")
    boilers = rests_on(asset_ids)
    plans = plans_of(boilers, max(pd.Timestamp(moment), begin))
    price_ids = {boiler.price_id for boiler in boilers.values() if boiler.price_id}
    known = KnownPrices.read(price_ids, begin, moment, until)
    followed_by_power = [id_ for id_ in boilers if DEVIATING in only and id_ in plans and not plans[id_].in_set_points]
    off = off_plan_k(followed_by_power, moment, DEVIATION.value, MAX_READING_AGE.value) if followed_by_power else {}
    found = {}
    for asset_id, boiler in boilers.items():
        end = known.end_of(boiler.price_id)
        plan = plans.get(asset_id)
        why = (MISSING in only and _missing(boiler, plan, end, begin, known)) or ""
        why = why or (OFF_PLAN if asset_id in off and plans[asset_id].made_at < begin else "")
        why = why or (ASKED if ALL in only else "")
        if why:
            found[asset_id] = Need(end, why, {**boiler.digests, **known.digests_of(boiler.price_id, begin, end)})
    return found


def _missing(boiler: RestsOn, plan: Planned | None, end: pd.Timestamp, begin: pd.Timestamp, known: KnownPrices) -> str:
    """Return why a boiler has no valid plan; empty where it has."""
    if plan is None:
        return NO_PLAN
    if plan.until < end and known.known_until(boiler.price_id):
        return PRICES_ON
    if plan.until < end and plan.until - begin < LEAST:
        return ENDS
    return _changed(boiler, known)


def _changed(boiler: RestsOn, known: KnownPrices) -> str:
    """Return what has changed of what a plan rests on; empty where nothing has, and where a trigger made the plan."""
    before, noted = boiler.noted.get("rests_on"), boiler.noted
    if not isinstance(before, dict):
        return ""
    changed = next((name for name in DIGESTS if before.get(name) != boiler.digests[name]), None)
    if changed:
        return CHANGED[changed]
    now = known.digests_of(boiler.price_id, _moment(noted.get("start")), _moment(noted.get("until")))
    if before.get("rules") != now["rules"]:
        return RULES
    return PRICES if before.get("prices") != now["prices"] else ""


def _moment(told: object) -> pd.Timestamp | None:
    """Return a moment that was noted, if it is one."""
    if not isinstance(told, str):
        return None
    try:
        moment: pd.Timestamp = pd.Timestamp(told).tz_convert("UTC")
    except (ValueError, TypeError):
        return None
    return moment


@dataclass(frozen=True)
class KnownPrices:
    """What is known of the prices of boilers.

    Parameters
    ----------
    begin, until
        When plans begin; and when they end, where that was asked for.
    quarters
        Starts of quarters from ``LOOKS_BACK`` before that on, in UTC.
    by_id
        Prices of these quarters by the ids of their sensors, NaN where none is known.
    ends
        When plans end at the latest, by the same ids.
    rules
        Digest of what the server's settings say.

    """

    begin: pd.Timestamp
    until: pd.Timestamp | None
    quarters: pd.DatetimeIndex
    by_id: Mapping[int, Floats]
    ends: Mapping[int, pd.Timestamp]
    rules: str

    @classmethod
    def read(
        cls, price_ids: Collection[int], begin: pd.Timestamp, moment: datetime, until: datetime | None
    ) -> KnownPrices:
        """Read what is known of prices at a moment; two SQL statements."""
        prices = prices_of(price_ids)
        ends = {id_: _end_of_tomorrow(begin, price.sensor.timezone) for id_, price in prices.items()}
        asked = None if until is None else whole_quarters(until, until)[1].tz_convert("UTC")
        last = max([*ends.values(), begin + WITHOUT_PRICES, *([asked] if asked else [])])
        quarters = pd.date_range(begin - LOOKS_BACK, last, freq=QUARTER, inclusive="left")
        by_id = prices_per_kwh(set(prices.values()), quarters, moment)
        return cls(begin, asked, quarters, by_id, ends, _digest(repr(policy()).encode()))

    def known_until(self, price_id: int | None) -> pd.Timestamp | None:
        """Return when the prices end that are known, and not after tomorrow; None where that is too soon to plan by."""
        if price_id is None or price_id not in self.by_id:
            return None
        known = np.flatnonzero(~np.isnan(self.by_id[price_id]))
        end = min(self.quarters[known[-1]] + QUARTER, self.ends[price_id]) if len(known) else self.begin
        return end if end - self.begin >= LEAST else None

    def end_of(self, price_id: int | None) -> pd.Timestamp:
        """Return when a plan that is made now ends."""
        return self.until or self.known_until(price_id) or self.begin + WITHOUT_PRICES

    def digests_of(
        self, price_id: int | None, begin: pd.Timestamp | None, end: pd.Timestamp | None
    ) -> Mapping[str, str]:
        """Return digests of what a plan of a span rests on beside what is stored of its boiler."""
        key = (price_id, begin, end)
        if key not in self._digests:
            first, last = (self.quarters.searchsorted(moment) if moment else 0 for moment in (begin, end))
            prices = self.by_id.get(price_id or 0, np.empty(0))[first:last]
            self._digests[key] = {"prices": _digest(prices.round(9).tobytes()), "rules": self.rules}
        return self._digests[key]

    @cached_property
    def _digests(self) -> dict[Any, Mapping[str, str]]:
        """What was asked for before: many boilers have the same prices and spans."""
        return {}


def _end_of_tomorrow(begin: pd.Timestamp, timezone: str) -> pd.Timestamp:
    end: pd.Timestamp = midnight(day_of(begin, timezone) + 2 * DAY, timezone).tz_convert("UTC")
    return end


def _digest(of: bytes) -> str:
    return hashlib.blake2b(of, digest_size=6).hexdigest()
