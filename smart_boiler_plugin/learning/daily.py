"""What a day of many boilers teaches of draw-offs: read, inferred and stored, once, when it is over.

Stored are the quarters of an hour in which heat was drawn, and of a day that counts always the first one, be it with 0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
import pandas as pd
from flask import current_app
from flexmeasures import Account, Asset, Sensor, Source
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from flexmeasures.data.services.data_sources import get_or_create_source
from flexmeasures.utils.time_utils import server_now
from numpy.typing import NDArray

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.comfort import Away
from smart_boiler_plugin.boiler.owners import boiler_ids
from smart_boiler_plugin.clock.days import DAY, day_of, midnights
from smart_boiler_plugin.clock.quarter import QUARTER, QUARTER_H
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.facts.drawn import measured_kwh_of_days, read_inferred
from smart_boiler_plugin.facts.read import read_facts
from smart_boiler_plugin.facts.sensors import usable_of_role
from smart_boiler_plugin.facts.series import INFERRED
from smart_boiler_plugin.facts.store import Values, store
from smart_boiler_plugin.learning.infer import infer
from smart_boiler_plugin.learning.learn import ENOUGH
from smart_boiler_plugin.learning.observe import LONGEST_GAP
from smart_boiler_plugin.learning.side_by_side import SideBySide
from smart_boiler_plugin.physics.reporting import UNCHANGED
from smart_boiler_plugin.physics.thermostat import Floats
from smart_boiler_plugin.transactions import by_halves, lock

AT_ONCE = 500
"""How many boilers are read and stored at once."""

BEFORE = UNCHANGED // QUARTER
"""How many quarters before a day are read: there is a reading to start from, of one that reports changes, too."""

AFTER = LONGEST_GAP
"""How many quarters after it are read: the next reading tells of its end."""

LEARN_LOCK = 0x6C65726E
"""Key of the advisory lock under which a day is stored (the bytes of "lern")."""

LEARNED = "learned"
MEASURED = "measured by a meter"
AWAY = "away"
FEW_READINGS = "too few readings"
NO_POWER = "power not known"
NOT_OVER = "the day is not over"
BROKEN = "broken"

NO_SENSOR = "It has no sensor 'demand' as it was made. To make it anew: flexmeasures smart-boiler upgrade"

COUNTED = {LEARNED, MEASURED}
"""Outcomes of days that count."""


@dataclass(frozen=True)
class Outcome:
    """What came of one boiler's day.

    Parameters
    ----------
    asset_id, name
        Of the boiler.
    what
        One of the above.
    problem
        What is wrong with a broken one, for people; else empty.

    """

    asset_id: int
    name: str
    what: str
    problem: str = ""


def learn(
    day: date | None = None,
    operator: Account | None = None,
    customer: Account | None = None,
    *,
    now: datetime | None = None,
) -> Iterator[Outcome]:
    """Store what was drawn on a day, as far as readings tell. Harmless to repeat; commits after ``AT_ONCE`` boilers.

    What is wrong with one boiler stops no other. Of two who learn at once, the second waits for the first.

    Parameters
    ----------
    day
        Local; None means yesterday where each boiler is.
    operator, customer
        As of ``boilers_of``.
    now
        What was recorded later is left out, and what is stored is recorded then; None means now.

    Yields
    ------
    Outcome
        For each boiler.

    """
    moment = now or server_now()
    ids = boiler_ids(operator, customer)
    for begin in range(0, len(ids), AT_ONCE):
        # two at once would both find the source missing, and make it
        lock(LEARN_LOCK)
        source = get_or_create_source("smart-boiler-plugin", source_type=INFERRED, model="draw-offs by temperature")
        query = db.select(Asset).filter(Asset.id.in_(ids[begin : begin + AT_ONCE])).order_by(Asset.id)
        households, broken = _households([Boiler(asset) for asset in db.session.scalars(query)])
        yield from broken
        by_day: defaultdict[tuple[str, date], list[Household]] = defaultdict(list)
        for each in households:
            of_day = day or day_of(moment, each.timezone) - DAY
            by_day[each.timezone, of_day].append(replace(each, boiler=each.boiler.on(of_day)))
        for (_, of_day), some in by_day.items():
            yield from _learn(some, of_day, moment, source)
        db.session.commit()


@dataclass(frozen=True)
class Household:
    """A boiler of which what is needed is there."""

    boiler: Boiler
    timezone: str
    demand: Sensor
    away: Away | None

    def outcome(self, what: str, problem: str = "") -> Outcome:
        """Return what came of its day."""
        return Outcome(self.boiler.asset.id, self.boiler.asset.name, what, problem)


def _households(boilers: Sequence[Boiler]) -> tuple[list[Household], list[Outcome]]:
    """Return the boilers that can be learned from, and what is wrong with the others."""
    households, broken = [], []
    for boiler, (timezone, demand) in zip(boilers, usable_of_role(boilers, "demand"), strict=True):
        try:
            boiler.data.check()
            # what it had on the day is asked for next
            _ = boiler.history
            away = boiler.comfort.away
        except SmartBoilerError as error:
            broken.append(Outcome(boiler.asset.id, boiler.asset.name, BROKEN, str(error)))
            continue
        if demand is None:
            broken.append(Outcome(boiler.asset.id, boiler.asset.name, BROKEN, NO_SENSOR))
        else:
            households.append(Household(boiler, timezone, demand, away))
    return households, broken


def _learn(households: Sequence[Household], day: date, moment: datetime, source: Source) -> Iterator[Outcome]:
    """Learn from a day of households in one time zone: together, and by halves where that fails, down to one."""
    start, end = midnights(day, households[0].timezone)
    if end > moment:
        yield from (each.outcome(NOT_OVER) for each in households)
        return
    moments = pd.date_range(start, end, freq=QUARTER, inclusive="left")
    for some, done in by_halves(households, lambda some: _learn_together(some, moments, moment, source)):
        if not isinstance(done, Exception):
            yield from (each.outcome(what) for each, what in zip(some, done, strict=True))
            continue
        # whatever is wrong with one of them
        (one,) = some
        current_app.logger.error("Nothing learned of asset %s on %s", one.boiler.asset.id, day, exc_info=done)
        # the further lines of a database's error are the whole statement
        first_line = f"{type(done).__name__}: {done}".splitlines()[0]
        yield one.outcome(BROKEN, f"{first_line} (the server's log has the details)")


def _learn_together(
    households: Sequence[Household], moments: pd.DatetimeIndex, moment: datetime, source: Source
) -> list[str]:
    """Store what was drawn on a day, and return what came of it for each household."""
    start, end = moments[0], moments[-1] + QUARTER
    boilers = [each.boiler for each in households]
    facts = read_facts(boilers, moment, start - BEFORE * QUARTER, end + AFTER * QUARTER)
    read, rows = SideBySide.of([each.data for each in boilers], facts), slice(BEFORE, BEFORE + len(moments))
    measured = measured_kwh_of_days(moments, read.demand_kwh[rows])
    by_temperature = infer(read.boilers, read.temperature_c, read.power_kw * QUARTER_H, read.change_k)[rows]
    drawn = np.where(np.isfinite(measured).any(axis=0), measured, by_temperature)
    away = np.array([bool(each.away and each.away.begin < end and each.away.until > start) for each in households])
    what = _outcomes(away, read.temperature_c[rows], read.power_kw[rows], measured, drawn)
    counts = np.isin(what, list(COUNTED))
    sensors = [each.demand for each in households]
    before = read_inferred(sensors, moments, moment)
    # what was inferred before and is no more, is 0 now
    told = np.where((drawn > 0) | (before > 0), np.nan_to_num(drawn), np.nan)
    told[:, what == MEASURED] = np.nan
    told[0] = np.nan_to_num(drawn[0])
    values = [
        Values(sensor, moments[known], column[known])
        for sensor, column, known in zip(sensors, told.T, np.isfinite(told).T, strict=True)
    ]
    store([each for each, counted in zip(values, counts, strict=True) if counted], source, moment)
    _forget([sensors[i] for i in np.flatnonzero(~counts & np.isfinite(before).any(axis=0))], source, start, end)
    return [str(each) for each in what]


def _outcomes(
    away: NDArray[np.bool_], read_c: Floats, power_kw: Floats, measured_kwh: Floats, drawn_kwh: Floats
) -> NDArray[np.str_]:
    """Return what comes of a day for each household, of what is known of it."""
    enough, powered = (np.isfinite(each).mean(axis=0) >= ENOUGH for each in (drawn_kwh, power_kw))
    seen, metered = (np.isfinite(each).any(axis=0) for each in (read_c, measured_kwh))
    return np.select(
        [away, enough & metered, enough, seen & ~powered & ~metered], [AWAY, MEASURED, LEARNED, NO_POWER], FEW_READINGS
    )


def _forget(sensors: Sequence[Sensor], source: Source, start: datetime, end: datetime) -> None:
    """Take away what was stored of a day that does not count any more."""
    if sensors:
        db.session.execute(
            db.delete(TimedBelief)
            .filter(TimedBelief.sensor_id.in_([sensor.id for sensor in sensors]), TimedBelief.source_id == source.id)
            .filter(TimedBelief.event_start >= start, TimedBelief.event_start < end)
            .execution_options(synchronize_session=False)
        )
