"""What sensors of boilers hold for a span of quarters, many at once, by one statement.

Which value of several counts is decided here and in ``packed.py``; what it tells: ``series.py``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from flexmeasures import Source
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Integer, Select, Text, any_, cast, column, func, true
from sqlalchemy.dialects.postgresql import ARRAY

from smart_boiler_plugin.clock.days import DAY
from smart_boiler_plugin.clock.quarter import QUARTER, whole_quarters
from smart_boiler_plugin.facts.packed import PACKED, QUARTER_US, RECORD, SECOND_US, Beliefs
from smart_boiler_plugin.facts.series import INFERRED, INFERRED_KWH, METERED, OF_FACTS, TEMPERATURE, TOLD_BY_SOURCE
from smart_boiler_plugin.facts.sql import array
from smart_boiler_plugin.host import PLANNED
from smart_boiler_plugin.physics.thermostat import Floats

PACKED_AT_ONCE = 8_000_000
"""How much PostgreSQL packs at once [bytes], by the quarters that are asked for: some hundred sensors of a week."""

GROUPS_AT_ONCE = 4
"""How many such parts are held in memory while they are read."""

LOOK_AHEAD = DAY
"""How far after the moment readings are looked for, to find clocks that are fast."""

QUARTER_S = round(QUARTER.total_seconds())

KINDS = (*OF_FACTS, INFERRED_KWH)

WATER = [KINDS.index(kind) for kind in ("temperature_c", "planned_c")]
"""Kinds that are temperatures."""

EXPECTED_OF = {"demand_kwh": "expected_kwh", "metered_kw": None}
"""What values are that were told before their quarter had begun, by what they else are; None for nothing."""


@dataclass(frozen=True, eq=False)
class Held:
    """What a sensor holds of one kind.

    Parameters
    ----------
    sensor_id
        Of which sensor.
    kind
        What the values tell: one of ``OF_FACTS``, or ``INFERRED_KWH``.
    seconds
        When each value begins, ascending, one per quarter at most, shape (n,) [s after the start of a span].
    value
        Of each, shape (n,), as the sensor holds it.

    """

    sensor_id: int
    kind: str
    seconds: NDArray[np.int64]
    value: Floats

    @property
    def quarters(self) -> NDArray[np.int64]:
        """Which quarters of the span have a value, ascending, shape (n,) [quarters after its start]."""
        return self.seconds // QUARTER_S

    def within(self, quarters: slice, count: int) -> Held:
        """Return what it holds in some quarters of a span of so many, told from the first of them on.

        With the last ones go what is after the span, and with the first ones what is before.
        """
        first, last = quarters.start * QUARTER_S, quarters.stop * QUARTER_S
        kept = np.ones(len(self.seconds), dtype=bool)
        if quarters.start > 0:
            kept &= self.seconds >= first
        if quarters.stop < count:
            kept &= self.seconds < last
        return replace(self, seconds=self.seconds[kept] - first, value=self.value[kept])


def latest_values(
    roles: Mapping[int, str],
    start: datetime,
    end: datetime,
    moment: datetime,
    *,
    kinds: Collection[str] = OF_FACTS,
    left_out: Collection[tuple[int, int]] = (),
) -> Iterator[Held]:
    """Read what sensors of boilers hold, by one statement.

    Of several values of a kind for a quarter, the one that was recorded last counts; but a temperature that no water
    has takes nothing away that was recorded before.

    Parameters
    ----------
    roles
        Of sensors of boilers, with values of quarters, by their ids.
    start, end
        The span, on quarters of an hour. Temperatures are looked for in ``LOOK_AHEAD``, too.
    moment
        What was recorded later is left out.
    kinds
        Which are wanted.
    left_out
        Ids of sensors, each with that of a source whose values do not count.

    Yields
    ------
    Held
        For each sensor and kind of which there is something.

    """
    next_quarter = whole_quarters(moment, moment)[0] + QUARTER
    spans = _apart((start, end), (next_quarter, next_quarter + LOOK_AHEAD))
    begin = pd.Timestamp(start).tz_convert("UTC")
    known_by_us, end_us = ((pd.Timestamp(each) - begin) // pd.Timedelta(1, "us") for each in (moment, end))
    wanted = np.array([kind in kinds for kind in KINDS])
    for types, packed in _packed(sorted(roles), spans):
        beliefs = Beliefs.unpacked(packed, begin)
        sensors, number = _numbered(beliefs.sensor_id)
        kind, is_planned = _kinds_of(beliefs, number, [roles[sensor_id] for sensor_id in sensors], types)
        water = np.isin(kind, WATER)
        counts = (kind >= 0) & wanted[kind] & (beliefs.recorded_us <= known_by_us)
        # infinity is no number, nor is NaN; of a temperature that is told
        counts &= water | np.isfinite(beliefs.value)
        counts &= (water & ~is_planned) | ((beliefs.start_us >= 0) & (beliefs.start_us < end_us))
        for sensor_id, source_id in left_out:
            counts &= (beliefs.sensor_id != sensor_id) | (beliefs.source_id != source_id)
        series, water = (number * len(KINDS) + kind)[counts], water[counts]
        latest, series = beliefs.of(counts).latest(series, water=water)
        yield from _held(latest, series, sensors)


def _packed(sensor_ids: Sequence[int], spans: Sequence[tuple[datetime, datetime]]) -> Iterator[tuple[Any, bytes]]:
    """Yield what sensors hold, of some after the others, with the types of sources of which there is more to say.

    Readings come in for all boilers at once, and lie on the disk in that order: so it is read for many at once, as many
    as fit into ``PACKED_AT_ONCE``.
    """
    quarters = sum((until - since) / QUARTER for since, until in spans)
    many = max(1, int(PACKED_AT_ONCE / (quarters * RECORD.itemsize)))
    groups = [array(sensor_ids[first : first + many]) for first in range(0, len(sensor_ids), many)]
    asked = func.unnest(cast(groups, ARRAY(Text))).table_valued(column("ids", Text)).render_derived("asked")
    # no join, and no order: either might sort what is packed, on the disk
    types = db.select(func.jsonb_object_agg(Source.id, Source.type)).filter(Source.type.in_([*PLANNED, INFERRED]))
    held = [_within(asked.c.ids, *span).lateral(f"held_{number}") for number, span in enumerate(spans)]
    query = db.select(types.scalar_subquery(), *(each.c.packed for each in held)).select_from(asked)
    for each in held:
        query = query.join(each, true())
    for of_sources, *packed in db.session.execute(query, execution_options={"yield_per": GROUPS_AT_ONCE}):
        yield of_sources or {}, b"".join(some for some in packed if some is not None)


def _within(ids: ColumnElement[str], since: datetime, until: datetime) -> Select[tuple[bytes]]:
    """Return what some sensors hold for a span, by the index: else PostgreSQL at times reads all sensors of all times.

    For one span alone: with several, it would look at the ids once more for each value.
    """
    query: Select[tuple[bytes]] = db.select(PACKED.label("packed"))
    query = query.filter(TimedBelief.sensor_id == any_(cast(ids, ARRAY(Integer))))
    return query.filter(TimedBelief.event_start >= since, TimedBelief.event_start < until)


def _kinds_of(
    beliefs: Beliefs, number: NDArray[np.intp], roles: Sequence[str], types: Mapping[str, str]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return what each value tells, a number in ``KINDS`` or -1 for nothing, and whether a plan or forecast says it.

    Parameters
    ----------
    beliefs, number
        Values, and for each the number of its sensor among ``roles``.
    roles, types
        Roles of sensors, and the types of sources of which there is more to say, by their ids as words.

    """
    sources, of_source = _numbered(beliefs.source_id)
    told_by = [types.get(str(source_id), "") for source_id in sources]
    table = np.array([[_kind(role, source_type) for source_type in told_by] for role in roles], dtype=np.int64)
    kind = table.reshape(len(roles), len(told_by))[number, of_source]
    before = beliefs.horizon_us > QUARTER_US
    for metered, expected in EXPECTED_OF.items():
        kind[before & (kind == KINDS.index(metered))] = -1 if expected is None else KINDS.index(expected)
    return kind, np.array([each in PLANNED for each in told_by], dtype=bool)[of_source]


def _numbered(ids: NDArray[np.int64]) -> tuple[list[int], NDArray[np.intp]]:
    """Return different ids, ascending, and for each of many its number among them."""
    # without the inverse, that takes no sorting of all
    found = np.unique(ids)
    return found.tolist(), np.searchsorted(found, ids)


def _kind(role: str, source_type: str) -> int:
    """Return what values of a sensor tell that a source says, a number in ``KINDS`` or -1 for nothing."""
    if (role, source_type) in TOLD_BY_SOURCE:
        return KINDS.index(TOLD_BY_SOURCE[role, source_type])
    if source_type in {*PLANNED, INFERRED}:
        return -1
    told = "temperature_c" if role == TEMPERATURE else METERED.get(role)
    return -1 if told is None else KINDS.index(told)


def _held(latest: Beliefs, series: NDArray[np.int64], sensors: Sequence[int]) -> Iterator[Held]:
    """Yield what counts for each sensor and kind."""
    seconds = latest.start_us // SECOND_US
    edges = np.flatnonzero(np.diff(series, prepend=-1, append=-1)).tolist()
    for first, last in pairwise(edges):
        sensor, told = divmod(int(series[first]), len(KINDS))
        yield Held(sensors[sensor], KINDS[told], seconds[first:last], latest.value[first:last])


def _apart(one: tuple[datetime, datetime], other: tuple[datetime, datetime]) -> list[tuple[datetime, datetime]]:
    """Return two spans, and one where they meet: what is one is looked up at once."""
    if max(one[0], other[0]) <= min(one[1], other[1]):
        return [(min(one[0], other[0]), max(one[1], other[1]))]
    return [one, other]
