"""What the host's database knows of a boiler at a moment: readings, power, draw-offs, prices.

Everything here reads. What a plan makes of it: ``plan/scheduler.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from flexmeasures import Sensor, Source
from flexmeasures.data import db
from flexmeasures.data.models.planning.utils import get_continuous_series_sensor_or_quantity
from flexmeasures.data.models.time_series import TimedBelief
from sqlalchemy import func

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.clock.quarter import HOUR, QUARTER, whole_quarters
from smart_boiler_plugin.host import PLANNED
from smart_boiler_plugin.physics.envelope import Series
from smart_boiler_plugin.physics.tapping_profiles import drawn_kwh

BELIEVED_C = (0.0, 100.0)
"""Readings outside of this are not believed [°C]: water would be ice or steam."""


@dataclass(frozen=True)
class Readings:
    """Measured temperatures.

    Parameters
    ----------
    believed_c
        By the start of their quarter of an hour, ascending [°C].
    not_believed
        What was skipped, and why, for people.

    """

    believed_c: pd.Series
    not_believed: list[str] = field(default_factory=list)


class Observations:
    """What is known of a boiler at a moment.

    Parameters
    ----------
    boiler
        Which.
    known_at
        What was recorded later is left out.

    """

    def __init__(self, boiler: Boiler, known_at: datetime) -> None:
        self.boiler = boiler
        self.known_at = pd.Timestamp(known_at)

    def readings(self, since: datetime, until: datetime) -> Readings:
        """Return the temperatures measured in a span, and until now: a clock that is fast shows there."""
        found = self.boiler.sensors["temperature"].search_beliefs(
            event_starts_after=since,
            event_ends_before=max(pd.Timestamp(until), self.known_at + timedelta(days=1)),
            beliefs_before=self.known_at,
            exclude_source_types=PLANNED,
            most_recent_beliefs_only=True,
            one_deterministic_belief_per_event=True,
        )
        values = pd.Series(
            found["event_value"].to_numpy(dtype=float),
            index=pd.DatetimeIndex(found.index.get_level_values("event_start")).tz_convert(self.boiler.timezone),
        ).sort_index()
        possible = values.between(*BELIEVED_C)
        future = values.index > self.known_at
        wrong = [
            f"{value:g} °C at {moment.isoformat()}: "
            + ("from the future" if moment > self.known_at else "no temperature of water")
            for moment, value in values[~possible | future].items()
        ]
        believed = values[possible & ~future]
        return Readings(believed[believed.index + QUARTER <= pd.Timestamp(until)], wrong)

    def first_reading(self) -> pd.Timestamp | None:
        """Return when the boiler first measured a temperature: since then it is in service."""
        query = (
            db.select(func.min(TimedBelief.event_start))
            .join(Source)
            .filter(TimedBelief.sensor_id == self.boiler.sensors["temperature"].id, Source.type.not_in(PLANNED))
            .filter(TimedBelief.event_value.between(*BELIEVED_C), TimedBelief.event_start <= self.known_at)
        )
        first = db.session.execute(query).scalar()
        return None if first is None else pd.Timestamp(first).tz_convert(self.boiler.timezone)

    def series(self, sensor: Sensor, unit: str, start: datetime, end: datetime, step: timedelta) -> pd.Series:
        """Return what a sensor has, of any source, per step of a span in a unit; NaN where it has nothing."""
        found = get_continuous_series_sensor_or_quantity(
            variable_quantity=sensor,
            unit=unit,
            query_window=(pd.Timestamp(start).tz_convert("UTC"), pd.Timestamp(end).tz_convert("UTC")),
            resolution=step,
            beliefs_before=self.known_at,
        )
        values: pd.Series = found.astype(float).tz_convert(self.boiler.timezone)
        return values

    def drawn_kw(self, start: datetime, end: datetime, step: timedelta, *, assume: bool = True) -> tuple[Series, int]:
        """Return the heat drawn per step [kW], and in how many steps it is measured or forecast.

        Elsewhere it is that of the boiler's tapping profile, or none where nothing is to be assumed.
        """
        # as recorded: the host takes a quarter's kWh for those of a step of any length
        first, last = whole_quarters(start, end)
        known = self.series(self.boiler.sensors["demand"], "kW", first, last, QUARTER)
        moments, quarter_h = pd.DatetimeIndex(known.index), QUARTER / HOUR
        assumed = drawn_kwh(self.boiler.data.tapping_profile, moments, quarter_h) / quarter_h if assume else 0.0
        drawn = np.where(known.isna(), assumed, known.clip(lower=0))
        steps = round((end - start) / step)
        from_sensor = _mean_per_step(known.notna().to_numpy(dtype=float), (start - first) / QUARTER, step, steps)
        return _mean_per_step(drawn, (start - first) / QUARTER, step, steps), int((from_sensor > 0).sum())

    def carried_forward_c(self, reading_c: float, since: datetime, until: datetime) -> float:
        """Return the temperature [°C] that a reading has become, by what the boiler did since and what was drawn.

        Power is as measured, else as planned, else none.
        """
        tank, data = self.boiler.data.tank, self.boiler.data
        since, until = whole_quarters(since, until)
        power = self.series(self.boiler.sensors["fill-rate"], "kW", since, until, QUARTER).fillna(0.0).clip(lower=0)
        drawn, _ = self.drawn_kw(since, until, QUARTER)
        step_h = QUARTER / HOUR
        state = tank.state_of_charge_kwh(reading_c)
        full = max(state, tank.state_of_charge_kwh(data.temperature_max_c))
        for kw, drawn_kw in zip(power, drawn, strict=True):
            state = tank.after(state, step_h, data.cop * kw, drawn_kw * step_h)
            # no heat can be drawn that is not there, and the tank's own limiter ends the heating
            state = min(max(state, 0.0), full)
        return tank.temperature_c(state)

    def prices(self, sensor: Sensor, start: datetime, end: datetime, step: timedelta) -> pd.Series:
        """Return a sensor's prices per step, in its own unit; NaN where there is none."""
        return self.series(sensor, sensor.unit, start, end, step)


def _mean_per_step(by_quarter: Series, begin: float, step: timedelta, steps: int) -> Series:
    """Return the means over steps, shape (steps,), of values per quarter of an hour, of which the first begins earlier.

    Parameters
    ----------
    by_quarter
        Values that hold for a quarter each.
    begin
        Where the first step begins [quarters].
    step, steps
        Length of the steps, and how many.

    """
    length = step / QUARTER
    sums = np.concatenate([[0.0], np.cumsum(by_quarter)])
    edges = begin + length * np.arange(steps + 1)
    return np.diff(np.interp(edges, np.arange(len(sums)), sums)) / length
