"""Some boilers of a fleet, looked at closely: all that is known of their day, their habits, and their plans ahead."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import numpy as np
import pandas as pd
from flexmeasures import Asset
from flexmeasures.data import db
from sqlalchemy.orm import selectinload

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.clock.days import DAY
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.facts.facts import Facts
from smart_boiler_plugin.facts.faults import SILENT, Fault, faults_of
from smart_boiler_plugin.facts.read import read_facts
from smart_boiler_plugin.fleet.cold import Cold, cold_ahead, wanted_c
from smart_boiler_plugin.learning.habits import habits
from smart_boiler_plugin.learning.learn import Habits
from smart_boiler_plugin.plan.policy import Policy

AT_ONCE = 1000
"""How many boilers' days and habits are in memory at once: some 100 MB."""

AHEAD = timedelta(hours=24)
"""How far ahead a tank may become cold."""


@dataclass(frozen=True)
class Closely:
    """What is known of one boiler that was looked at closely.

    Parameters
    ----------
    temperature_c, measured_at
        Last temperature that is believed [°C], and when its quarter began, in UTC; None where the last day has none.
    faults
        What is wrong with it or its data.
    cold, cold_soon
        Whether it is cold, or will be within ``AHEAD`` in spite of its plan; None: it is not.

    """

    temperature_c: float | None
    measured_at: pd.Timestamp | None
    faults: tuple[Fault, ...]
    cold: Cold | None
    cold_soon: Cold | None


def look_closely(
    asset_ids: Sequence[int], may_be_cold: Collection[int], policy: Policy, moment: datetime
) -> dict[int, Closely]:
    """Return what is known of boilers, by the ids of their assets; ten SQL statements for each ``AT_ONCE`` of them.

    Parameters
    ----------
    asset_ids
        Of boilers whose data and comfort can be read.
    may_be_cold
        Of whom it is to be found out.
    policy
        What the server's settings say.
    moment
        Now.

    """
    found: dict[int, Closely] = {}
    for some in _chunks(asset_ids):
        query = db.select(Asset).options(selectinload(Asset.sensors)).filter(Asset.id.in_(some)).order_by(Asset.id)
        boilers = [Boiler(asset) for asset in db.session.scalars(query)]
        facts = read_facts(boilers, moment, moment - DAY, moment + AHEAD)
        cold = [number for number, boiler in enumerate(boilers) if boiler.asset.id in may_be_cold]
        drawing = habits([boilers[number] for number in cold], moment) if cold else None
        of_habits = {number: drawing.of(order) for order, number in enumerate(cold)} if drawing else {}
        for number, (boiler, known) in enumerate(zip(boilers, facts, strict=True)):
            found[boiler.asset.id] = _closely(boiler, known, of_habits.get(number), policy)
    return found


def _chunks(asset_ids: Sequence[int]) -> Iterator[list[int]]:
    rest = iter(asset_ids)
    while some := list(islice(rest, AT_ONCE)):
        yield some


def _closely(boiler: Boiler, facts: Facts, habit: Habits | None, policy: Policy) -> Closely:
    readings = facts.readings_c(facts.moment + QUARTER)
    faults = tuple(faults_of(boiler.data, facts, policy.silent_after))
    last = (float(readings.iloc[-1]), readings.index[-1]) if len(readings) else (None, None)
    cold = cold_soon = None
    if habit is not None:
        wanted = wanted_c(boiler.data, boiler.comfort, policy, habit, pd.DatetimeIndex([facts.moment]))[0]
        if last[0] is not None and last[0] < wanted and SILENT not in {fault.kind for fault in faults}:
            warm = np.flatnonzero(readings.to_numpy() >= wanted)
            since = readings.index[warm[-1] + 1 if len(warm) else 0]
            cold = Cold(since, last[0], float(wanted))
        cold_soon = _cold_soon(boiler, facts, habit, policy)
    return Closely(last[0], last[1] and last[1].tz_convert("UTC"), faults, cold, cold_soon)


def _cold_soon(boiler: Boiler, facts: Facts, habit: Habits, policy: Policy) -> Cold | None:
    """Return when a tank will first be cold by its plan; None where it will not be."""
    ahead = facts.span(facts.moment, facts.moment + AHEAD)
    return cold_ahead(boiler.data, boiler.comfort, policy, habit, facts.quarters[ahead], facts.planned_c[ahead])
