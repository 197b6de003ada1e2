"""Values of sensors as PostgreSQL hands them over in one piece, and which of several for a quarter of an hour counts.

Arrays side by side: a year of readings of a fleet as rows of Python would take most of the time of all that reads them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from flexmeasures.data.models.time_series import TimedBelief
from numpy.typing import NDArray
from sqlalchemy import LargeBinary, cast, func

from smart_boiler_plugin.physics.readings import BELIEVED_C
from smart_boiler_plugin.physics.thermostat import Floats

Integers = NDArray[np.int64]

RECORD = np.dtype(
    [
        ("sensor_id", ">i4"),
        ("source_id", ">i4"),
        ("start_us", ">i8"),
        ("horizon_us", ">i8"),
        ("horizon_days", ">i4"),
        ("horizon_months", ">i4"),
        ("probability", ">f8"),
        ("value", ">f8"),
    ]
)
"""One value as ``PACKED`` has it; PostgreSQL counts from 2000 on, and knows intervals in three parts."""

PACKED = func.string_agg(
    func.int4send(TimedBelief.sensor_id)
    .op("||")(func.int4send(TimedBelief.source_id))
    .op("||")(func.timestamptz_send(TimedBelief.event_start))
    .op("||")(func.interval_send(TimedBelief.belief_horizon))
    .op("||")(func.float8send(TimedBelief.cumulative_probability))
    .op("||")(func.float8send(TimedBelief.event_value)),
    cast(b"", LargeBinary),
)
"""Values in any order: in the binary form in which PostgreSQL sends them, which costs next to nothing."""

EPOCH = pd.Timestamp("2000-01-01", tz="UTC")

EPOCH_US = 946_684_800_000_000
"""The same [µs after 1970]."""

SECOND_US = 1_000_000

QUARTER_US = 900 * SECOND_US

DAY_US = 86_400 * SECOND_US

NARROW = 2**16
"""Smaller numbers are sorted by their digits."""

MONTH_DAYS = 30
"""As PostgreSQL compares intervals."""


@dataclass(frozen=True, eq=False)
class Beliefs:
    """Values that may be several for the same quarter; each field has shape (n,).

    Parameters
    ----------
    sensor_id, source_id
        Of which sensor, and whose it is.
    start_us, recorded_us
        When each begins, and when it was recorded [µs after the start of a span].
    horizon_us
        How long before the end of its quarter it was recorded [µs].
    probability
        Of a distribution [-].
    value
        As the sensor holds it.

    """

    sensor_id: Integers
    source_id: Integers
    start_us: Integers
    recorded_us: Integers
    horizon_us: Integers
    probability: Floats
    value: Floats

    @classmethod
    def unpacked(cls, packed: bytes, begin: pd.Timestamp) -> Beliefs:
        """Return what is packed, with times after the begin of a span."""
        records = np.frombuffer(packed, dtype=RECORD)
        start = records["start_us"].astype(np.int64) - (begin - EPOCH) // pd.Timedelta(1, "us")
        days = records["horizon_days"].astype(np.int64) + MONTH_DAYS * records["horizon_months"].astype(np.int64)
        horizon = records["horizon_us"].astype(np.int64) + DAY_US * days
        return cls(
            sensor_id=records["sensor_id"].astype(np.int64),
            source_id=records["source_id"].astype(np.int64),
            start_us=start,
            recorded_us=start + QUARTER_US - horizon,
            horizon_us=horizon,
            probability=records["probability"].astype(float),
            value=records["value"].astype(float),
        )

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.value)

    def of(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> Beliefs:
        """Return some of them."""
        return Beliefs(**{name: values[which] for name, values in vars(self).items()})

    def latest(self, series: Integers, *, water: NDArray[np.bool_]) -> tuple[Beliefs, Integers]:
        """Return one of each series and quarter, ascending, and of which series each is: what was recorded last counts.

        Of two that were recorded at once, that of the latest source does, and of a distribution its median.

        Parameters
        ----------
        series
            To which each belongs, numbers from 0 on, shape (n,).
        water
            Which are temperatures, shape (n,): one that no water has takes nothing away that was recorded before.

        """
        quarter = self.start_us // QUARTER_US
        first = quarter.min(initial=0)
        place = series * (quarter.max(initial=0) - first + 1) + quarter - first
        # by series first, as that takes no comparing: within each, they are mostly in their order
        order = np.argsort(series.astype(np.uint16) if series.max(initial=0) < NARROW else series, kind="stable")
        if (np.diff(place[order]) < 0).any():
            order = order[np.argsort(place[order], kind="stable")]
        again = np.diff(place[order]) == 0
        if not again.any():
            return self.of(order), series[order]
        # of most quarters there is one value: only the others are compared
        several = np.flatnonzero(np.append(again, False) | np.insert(again, 0, False))
        some = order[several]
        low, high = BELIEVED_C
        no_water = water[some] & ~((self.value[some] >= low) & (self.value[some] <= high))
        off_median = np.abs(self.probability[some] - 0.5)
        # not by horizon first: of two that begin at different seconds of a quarter, both may be as old
        keys = (-self.source_id[some], self.horizon_us[some], -self.recorded_us[some], no_water, place[some])
        order[several] = some[np.lexsort((off_median, *keys))]
        kept = order[np.insert(~again, 0, True)]
        return self.of(kept), series[kept]
