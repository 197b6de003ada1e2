"""What was measured and planned in a span, for many boilers in one query, and what a kWh cost then.

Everything here reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

import numpy as np
import pandas as pd
from flexmeasures import Sensor, Source
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from flexmeasures.utils.unit_utils import convert_units
from sqlalchemy import Integer, case, cast, func, or_

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.host import PLANNED
from smart_boiler_plugin.physics.readings import BELIEVED_C
from smart_boiler_plugin.physics.thermostat import Floats
from smart_boiler_plugin.prices.sensors import known_prices
from smart_boiler_plugin.units import currency_of

NAN = float("nan")
"""In PostgreSQL, this equals itself."""

ROWS_AT_ONCE = 50_000
"""How many rows are held in memory while they are read."""


@dataclass(frozen=True)
class Measured:
    """What was measured and planned in a span of quarters, NaN where nothing was; each of shape (quarters, boilers).

    Parameters
    ----------
    temperature_c
        Believable readings [°C].
    metered_kw, planned_kw
        Fill rate as metered, and as last planned [kW]; a boiler makes no electricity, so less than none is none.
    demand_kwh
        Heat drawn, as measured and not as expected [kWh]; less than none is none.

    """

    temperature_c: Floats
    metered_kw: Floats
    planned_kw: Floats
    demand_kwh: Floats

    @property
    def power_kw(self) -> Floats:
        """Fill rate as metered, else as planned [kW]."""
        return np.where(np.isnan(self.metered_kw), self.planned_kw, self.metered_kw)

    def rows(self, begin: int, end: int) -> Measured:
        """Return some of the quarters."""
        return Measured(*(getattr(self, each.name)[begin:end] for each in fields(self)))


def read(boilers: Sequence[Boiler], start: datetime, end: datetime, known_at: datetime | None = None) -> Measured:
    """Return what was measured and planned, by one query, however many boilers there are.

    What was recorded before its quarter had begun is expected, not measured. Of several values for a quarter, the one
    that was recorded last counts.

    Parameters
    ----------
    boilers
        Whose.
    start, end
        The span, on quarters of an hour, aware of the time zone.
    known_at
        What was recorded later is left out; None leaves nothing out.

    """
    count = int((end - start) / QUARTER)
    names = ("temperature", "fill-rate", "demand")
    column_by_sensor = {
        boiler.sensors[name].id: column
        for column, boiler in enumerate(boilers)
        # where somebody has deleted one, nothing was measured
        for name in boiler.sensors.keys() & names
    }
    found = {kind: np.full((count, len(boilers)), np.nan) for kind in (*names, "plan")}
    query = _latest(list(column_by_sensor), start, end)
    if known_at is not None:
        query = query.filter(TimedBelief.event_start + QUARTER - TimedBelief.belief_horizon <= known_at)
    rows = db.session.execute(query, execution_options={"yield_per": ROWS_AT_ONCE})
    for part in rows.partitions():
        sensors, kinds, quarters, values = zip(*part, strict=True)
        columns = np.fromiter((column_by_sensor[sensor] for sensor in sensors), dtype=int)
        kind, quarter, value = np.array(kinds), np.array(quarters), np.array(values, dtype=float)
        for name, series in found.items():
            mine = kind == name
            series[quarter[mine], columns[mine]] = value[mine]
    return Measured(
        found["temperature"],
        metered_kw=found["fill-rate"].clip(min=0),
        planned_kw=found["plan"].clip(min=0),
        demand_kwh=found["demand"].clip(min=0),
    )


def _latest(sensor_ids: list[int], start: datetime, end: datetime) -> db.Select:
    """Return a query for the last value per sensor, quarter and kind: measured, or planned by the scheduler."""
    planned = func.coalesce(Source.type, "").in_(PLANNED)
    kind = case((planned, "plan"), else_=Sensor.name)
    quarter = cast(
        func.floor(func.extract("epoch", TimedBelief.event_start - start) / QUARTER.total_seconds()), Integer
    )
    wanted = or_(
        (Sensor.name == "fill-rate") & (Source.type == "scheduler"),
        ~planned
        & (TimedBelief.belief_horizon <= QUARTER)
        & ((Sensor.name != "temperature") | TimedBelief.event_value.between(*BELIEVED_C)),
    )
    return (
        db.select(TimedBelief.sensor_id, kind, quarter, TimedBelief.event_value)
        .distinct(TimedBelief.sensor_id, TimedBelief.event_start, kind)
        .join(Sensor, Sensor.id == TimedBelief.sensor_id)
        .join(Source, Source.id == TimedBelief.source_id)
        .filter(TimedBelief.sensor_id.in_(sensor_ids), TimedBelief.event_value != NAN, wanted)
        .filter(TimedBelief.event_start >= start, TimedBelief.event_start < end)
        .order_by(TimedBelief.sensor_id, TimedBelief.event_start, kind, TimedBelief.belief_horizon)
        # of two at the same moment: always the same one
        .order_by(TimedBelief.source_id.desc())
    )


def prices(sensor: Sensor, start: datetime, end: datetime, known_at: datetime | None = None) -> pd.Series:
    """Return what a kWh cost per quarter of a span, in the currency of the price sensor; NaN where it is not known.

    Parameters
    ----------
    sensor
        Of a price per energy, in any unit and resolution.
    start, end
        The span, aware of the time zone.
    known_at
        What was recorded later is left out; None leaves nothing out.

    """
    known = known_prices(sensor, start, end, known_at, resolution=QUARTER)
    moments = pd.date_range(start, end, freq=QUARTER, inclusive="left")
    series: pd.Series = convert_units(
        known.reindex(moments), from_unit=sensor.unit, to_unit=f"{currency_of(sensor.unit)}/kWh"
    )
    return series
