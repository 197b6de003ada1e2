"""What sensors hold for a span of quarters, many at once: one statement for boilers, one for prices.

Which value of several counts is decided here, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
from flexmeasures import Sensor, Source
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, case, func, or_, true, tuple_

from smart_boiler_plugin.clock.days import DAY
from smart_boiler_plugin.clock.quarter import QUARTER, whole_quarters
from smart_boiler_plugin.facts.packed import PACKED, QUARTER_US, SECOND_US, Beliefs
from smart_boiler_plugin.facts.sensors import Price
from smart_boiler_plugin.host import PLANNED
from smart_boiler_plugin.physics.readings import BELIEVED_C
from smart_boiler_plugin.physics.thermostat import Floats
from smart_boiler_plugin.prices.quarters import in_quarters

SERIES_AT_ONCE = 500
"""How many series are held in memory while they are read."""

LOOK_AHEAD = DAY
"""How far after the moment readings are looked for, to find clocks that are fast."""

QUARTER_S = round(QUARTER.total_seconds())

SOURCE_TYPE = func.coalesce(Source.type, "")

IS_PLANNED = SOURCE_TYPE.in_(PLANNED)

TEMPERATURE = "temperature"

INFERRED = "inferred"
"""Type of the data source of draw-offs that were inferred from temperatures (``learning/daily.py``): not measured, and
what nobody expects."""

INFERRED_KWH = "inferred_kwh"
"""Kind of these: no field of ``Facts``."""

TOLD_BY_SOURCE = {
    ("fill-rate", "scheduler"): "planned_kw",
    (TEMPERATURE, "scheduler"): "planned_c",
    ("demand", "forecaster"): "forecast_kwh",
    ("demand", INFERRED): INFERRED_KWH,
}
"""What sensors tell by whom, by role and type of source; what others of ``PLANNED`` say of them is nothing."""

METERED = {"fill-rate": "metered_kw", "demand": "demand_kwh"}
"""What other sources tell of a quarter that had begun."""

OF_FACTS = (
    "temperature_c",
    "planned_c",
    "metered_kw",
    "planned_kw",
    "demand_kwh",
    "expected_kwh",
    "forecast_kwh",
)
"""Kinds that are fields of ``Facts``."""

IS_TEMPERATURE = Sensor.name == TEMPERATURE

IS_NUMBER = func.abs(TimedBelief.event_value) < float("inf")
"""Infinity is none, nor is NaN, which in PostgreSQL is more than that."""

LAST_RECORDED_FIRST = (
    TimedBelief.belief_horizon,
    # of two at the same moment: always the same one, and of a distribution its median
    TimedBelief.source_id.desc(),
    func.abs(TimedBelief.cumulative_probability - 0.5),
)
"""Order of values for the same event."""


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
    sensor_ids: Collection[int],
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
    sensor_ids
        Of sensors of boilers, with values of quarters.
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
    asked = db.select(Sensor.id, Sensor.name).filter(Sensor.id.in_(sensor_ids)).order_by(Sensor.id).subquery("asked")
    # one sensor after the other, by the index: else PostgreSQL at times reads all sensors of all times
    held = (
        db.select(TimedBelief.source_id, PACKED.label("packed"))
        .filter(TimedBelief.sensor_id == asked.c.id)
        .filter(
            or_(*(and_(TimedBelief.event_start >= since, TimedBelief.event_start < until) for since, until in spans))
        )
        .filter(tuple_(TimedBelief.sensor_id, TimedBelief.source_id).not_in(left_out))
        .group_by(TimedBelief.source_id)
        .lateral("held")
    )
    # no join, and no order: either might sort what is packed, on the disk
    source_type = db.select(SOURCE_TYPE).filter(Source.id == held.c.source_id).scalar_subquery()
    query = db.select(asked.c.id, held.c.source_id, asked.c.name, source_type, held.c.packed).join_from(
        asked, held, true()
    )
    begin = pd.Timestamp(start).tz_convert("UTC")
    known_by_us, end_us = ((pd.Timestamp(each) - begin) // pd.Timedelta(1, "us") for each in (moment, end))
    rows = db.session.execute(query, execution_options={"yield_per": SERIES_AT_ONCE})
    for sensor_id, of_sensor in groupby(rows, key=itemgetter(0)):
        by_kind: dict[str, list[Beliefs]] = {}
        for _, source_id, role, source_type, packed in of_sensor:
            beliefs = Beliefs.unpacked(packed, source_id, begin)
            counts = beliefs.recorded_us <= known_by_us
            if role != TEMPERATURE:
                # infinity is no number, nor is NaN; of a temperature that is told
                counts &= np.isfinite(beliefs.value)
            if role != TEMPERATURE or source_type in PLANNED:
                counts &= (beliefs.start_us >= 0) & (beliefs.start_us < end_us)
            for kind, some in _by_kind(beliefs.of(counts), role, source_type):
                by_kind.setdefault(kind, []).append(some)
        for kind in sorted(by_kind.keys() & set(kinds)):
            latest = Beliefs.together(by_kind[kind]).latest(water=role == TEMPERATURE)
            if len(latest):
                yield Held(sensor_id, kind, latest.start_us // SECOND_US, latest.value)


def _apart(one: tuple[datetime, datetime], other: tuple[datetime, datetime]) -> list[tuple[datetime, datetime]]:
    """Return two spans, and one where they meet: what is one is looked up at once."""
    if max(one[0], other[0]) <= min(one[1], other[1]):
        return [(min(one[0], other[0]), max(one[1], other[1]))]
    return [one, other]


def _by_kind(beliefs: Beliefs, role: str, source_type: str) -> Iterator[tuple[str, Beliefs]]:
    """Yield what values of a source tell: one of ``OF_FACTS``, or ``INFERRED_KWH``; nothing where they tell nothing."""
    if (role, source_type) in TOLD_BY_SOURCE:
        yield TOLD_BY_SOURCE[role, source_type], beliefs
    elif source_type in {*PLANNED, INFERRED}:
        return
    elif role == TEMPERATURE:
        yield "temperature_c", beliefs
    elif role in METERED:
        expected = beliefs.horizon_us > QUARTER_US
        if role == "demand" and expected.any():
            yield "expected_kwh", beliefs.of(expected)
        yield METERED[role], beliefs.of(~expected) if expected.any() else beliefs


def recorded_at() -> ColumnElement[datetime]:
    """Return when a value of a sensor of boilers was recorded: the horizon counts from the end of its quarter."""
    moment: ColumnElement[datetime] = TimedBelief.event_start + QUARTER - TimedBelief.belief_horizon
    return moment


def kind_told() -> ColumnElement[str | None]:
    """Return what a value tells, as ``_by_kind`` does: one of ``OF_FACTS``, or ``INFERRED_KWH``; None for nothing."""
    return case(
        *(((Sensor.name == role) & (by == SOURCE_TYPE), kind) for (role, by), kind in TOLD_BY_SOURCE.items()),
        (SOURCE_TYPE.in_([*PLANNED, INFERRED]), None),
        (IS_TEMPERATURE, "temperature_c"),
        ((Sensor.name == "demand") & (TimedBelief.belief_horizon > QUARTER), "expected_kwh"),
        (TimedBelief.belief_horizon > QUARTER, None),
        *((Sensor.name == role, kind) for role, kind in METERED.items()),
    )


def first_readings(sensor_ids: Collection[int], moment: datetime) -> dict[int, pd.Timestamp]:
    """Return when sensors of temperature held their first believable reading, as recorded by a moment, by their id.

    One index look-up for each: no sensor's years are read.
    """
    first = (
        db.select(TimedBelief.event_start)
        .join(Source, Source.id == TimedBelief.source_id)
        .filter(TimedBelief.sensor_id == Sensor.id, TimedBelief.event_start <= moment)
        .filter(~IS_PLANNED, TimedBelief.event_value.between(*BELIEVED_C))
        .filter(recorded_at() <= moment)
        .order_by(TimedBelief.event_start)
        .limit(1)
        .correlate(Sensor)
        .scalar_subquery()
    )
    query = db.select(Sensor.id, first).filter(Sensor.id.in_(sensor_ids))
    return {sensor_id: pd.Timestamp(found) for sensor_id, found in db.session.execute(query) if found is not None}


def prices_per_kwh(prices: Collection[Price], quarters: pd.DatetimeIndex, moment: datetime) -> dict[int, Floats]:
    """Return what a kWh costs per quarter, shape (quarters,), in each sensor's currency, by its id; by one statement.

    Parameters
    ----------
    prices
        What holds them.
    quarters
        Which, without a gap; NaN where no price is known.
    moment
        What was recorded later is left out.

    """
    begin = quarters[0] if len(quarters) else pd.Timestamp(moment)
    sensors = [price.sensor for price in prices]
    longest = max((sensor.event_resolution for sensor in sensors), default=QUARTER)
    query = (
        db.select(TimedBelief.sensor_id, TimedBelief.event_start, TimedBelief.belief_horizon, TimedBelief.event_value)
        .join(Source, Source.id == TimedBelief.source_id)
        .filter(TimedBelief.sensor_id.in_([sensor.id for sensor in sensors]), ~IS_PLANNED, IS_NUMBER)
        .filter(TimedBelief.event_start > begin - longest, TimedBelief.event_start < begin + len(quarters) * QUARTER)
        .order_by(TimedBelief.sensor_id, TimedBelief.event_start, *LAST_RECORDED_FIRST)
    )
    rows = pd.DataFrame(db.session.execute(query).all(), columns=["sensor", "start", "horizon", "price"])
    of_sensor = dict(iter(rows.groupby("sensor")))
    return {
        price.sensor.id: _in_quarters(price, of_sensor.get(price.sensor.id, rows[:0]), moment)
        .reindex(quarters)
        .to_numpy()
        for price in prices
    }


def _in_quarters(price: Price, rows: pd.DataFrame, moment: datetime) -> pd.Series[Any]:
    """Return one price per kWh and quarter, from what its sensor holds, of each event the last recorded first."""
    starts = pd.to_datetime(rows["start"], utc=True)
    # what could be known when differs from sensor to sensor: the host tells
    recorded = price.sensor.knowledge_time(pd.DatetimeIndex(starts)) - pd.TimedeltaIndex(rows["horizon"])
    by_start = pd.Series(price.per_kwh * rows["price"].to_numpy(dtype=float), index=starts)[recorded <= moment]
    return in_quarters(by_start[~by_start.index.duplicated()], price.sensor.event_resolution)


def holds_any(sensor_id: int, start: datetime, end: datetime) -> bool:
    """Return whether a sensor holds any value of a span, of whatever source."""
    query = db.select(TimedBelief.event_start).filter_by(sensor_id=sensor_id)
    query = query.filter(TimedBelief.event_start >= start, TimedBelief.event_start <= end)
    return bool(db.session.execute(db.select(query.exists())).scalar())
