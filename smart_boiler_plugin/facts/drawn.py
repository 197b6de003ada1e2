"""Reading what households drew in the last weeks, as measured, else as inferred from temperatures, for many at once.

Which days count is stored: whoever has looked at a day (``learning/daily.py``) says of its first quarter what was drawn
then, be it nothing. Other quarters in which nothing was drawn have no value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from flexmeasures import Sensor
from numpy.typing import NDArray

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.clock.days import day_of, local_days, midnight
from smart_boiler_plugin.clock.quarter import QUARTER, QUARTER_H
from smart_boiler_plugin.facts.believed import vessels_of
from smart_boiler_plugin.facts.latest import latest_values
from smart_boiler_plugin.facts.sensors import usable_of_role
from smart_boiler_plugin.facts.series import INFERRED_KWH
from smart_boiler_plugin.physics.metered import doubted_draw_offs
from smart_boiler_plugin.physics.readings import Vessel
from smart_boiler_plugin.physics.thermostat import Floats

DEMAND = "demand"
"""Role of sensors of draw-offs."""

MEASURED_KWH = "demand_kwh"
"""Kind of draw-offs that a meter tells."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """What households in one time zone drew, side by side.

    Parameters
    ----------
    numbers
        Which of the boilers that were asked for they are, shape (boilers,).
    moments
        Local times at which the quarters of an hour begin, from a midnight on, n of them.
    drawn_kwh
        Heat drawn in each quarter, shape (n, boilers) [kWh]; not a number on days that do not count, and where a meter
        that reports at intervals was silent.

    """

    numbers: NDArray[np.int_]
    moments: pd.DatetimeIndex
    drawn_kwh: Floats


def read_drawn(boilers: Sequence[Boiler], moment: datetime, days: int) -> list[Drawn]:
    """Return what households drew on the last local days that were over at a moment, by time zone.

    One SQL statement, and one more where the boilers have not loaded their sensors. Where a meter said anything of a
    day, it alone counts, as far as it is believed.

    Parameters
    ----------
    boilers
        Which, each of them once; in any time zones.
    moment
        What was recorded later is left out.
    days
        How many.

    """
    sensors = usable_of_role(boilers, DEMAND)
    of_zone: defaultdict[str, list[int]] = defaultdict(list)
    for number, (timezone, _) in enumerate(sensors):
        of_zone[timezone].append(number)
    spans = {timezone: _days_before(moment, days, timezone) for timezone in of_zone}
    if not spans:
        return []
    begin, end = min(span[0] for span in spans.values()), max(span[1] for span in spans.values())
    shape = (int((end - begin) / QUARTER), len(boilers))
    columns = {sensor.id: number for number, (_, sensor) in enumerate(sensors) if sensor is not None}
    values = {kind: np.full(shape, np.nan) for kind in (MEASURED_KWH, INFERRED_KWH)}
    for held in latest_values(dict.fromkeys(columns, DEMAND), begin, end, moment, kinds=values):
        values[held.kind][held.quarters, columns[held.sensor_id]] = held.value
    for column in np.flatnonzero(np.isfinite(values[MEASURED_KWH]).any(axis=0)):
        timezone, _ = sensors[column]
        for span, vessel in vessels_of(boilers[column], pd.Timestamp(begin), shape[0], timezone):
            _believe(values[MEASURED_KWH][span, column], vessel)
    found = []
    for timezone, numbers in of_zone.items():
        first, last = spans[timezone]
        rows = slice(int((first - begin) / QUARTER), int((last - begin) / QUARTER))
        moments = pd.date_range(first, last, freq=QUARTER, inclusive="left")
        measured, inferred = (values[kind][rows, numbers] for kind in (MEASURED_KWH, INFERRED_KWH))
        found.append(Drawn(np.array(numbers), moments, drawn_kwh(moments, measured, inferred)))
    return found


def drawn_kwh(moments: pd.DatetimeIndex, measured_kwh: Floats, inferred_kwh: Floats) -> Floats:
    """Return the heat drawn on the days that count, not a number elsewhere, shape (n, boilers) [kWh]. Pure.

    Parameters
    ----------
    moments
        Local times at which quarters of an hour of whole days begin, ascending, n of them.
    measured_kwh, inferred_kwh
        As stored, shape (n, boilers) [kWh]; not a number where nothing is.

    """
    begins, day = local_days(moments)
    measured = measured_kwh_of_days(moments, measured_kwh)
    metered = np.logical_or.reduceat(np.isfinite(measured), begins)
    drawn = np.where(metered[day], measured, np.nan_to_num(inferred_kwh))
    return np.where(np.isfinite(inferred_kwh[begins])[day], drawn, np.nan)


def measured_kwh_of_days(moments: pd.DatetimeIndex, measured_kwh: Floats) -> Floats:
    """Return what meters tell of whole days, not a number where they tell nothing, shape (n, boilers) [kWh]. Pure.

    A meter that never says 0 on a day on which it says anything tells of draw-offs alone: elsewhere, nothing was drawn.
    Arguments as of ``drawn_kwh``.
    """
    begins, day = local_days(moments)
    events = np.logical_or.reduceat(measured_kwh > 0, begins) & ~np.logical_or.reduceat(measured_kwh == 0, begins)
    return np.where(np.isnan(measured_kwh) & events[day], 0.0, measured_kwh)


def read_inferred(sensors: Sequence[Sensor], moments: pd.DatetimeIndex, moment: datetime) -> Floats:
    """Return what is stored of inferred draw-offs, shape (n, sensors) [kWh]; not a number where nothing is.

    One SQL statement.

    Parameters
    ----------
    sensors
        Of draw-offs, each of them once.
    moments
        Starts of the quarters of an hour, without a gap, n of them.
    moment
        What was recorded later is left out.

    """
    stored = np.full((len(moments), len(sensors)), np.nan)
    columns = {sensor.id: column for column, sensor in enumerate(sensors)}
    begin, end = moments[0], moments[-1] + QUARTER
    for held in latest_values(dict.fromkeys(columns, DEMAND), begin, end, moment, kinds=[INFERRED_KWH]):
        stored[held.quarters, columns[held.sensor_id]] = held.value
    return stored


def _days_before(moment: datetime, days: int, timezone: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return when the last local days that are over at a moment begin and end."""
    today = day_of(moment, timezone)
    return midnight(today - timedelta(days=days), timezone), midnight(today, timezone)


def _believe(measured_kwh: Floats, vessel: Vessel | None) -> None:
    """Take what is not believed out of measured draw-offs [kWh]; a little less than nothing is nothing."""
    for doubt in doubted_draw_offs(measured_kwh, vessel, QUARTER_H) if vessel else ():
        measured_kwh[doubt.which] = np.nan
    np.maximum(measured_kwh, 0.0, out=measured_kwh)
