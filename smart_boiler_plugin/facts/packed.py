"""Values of sensors as PostgreSQL hands them over in one piece, and which of several for a quarter of an hour counts.

Arrays side by side: a year of readings of a fleet as rows of Python would take most of the time of all that reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

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
    func.timestamptz_send(TimedBelief.event_start)
    .op("||")(func.interval_send(TimedBelief.belief_horizon))
    .op("||")(func.float8send(TimedBelief.cumulative_probability))
    .op("||")(func.float8send(TimedBelief.event_value)),
    cast(b"", LargeBinary),
)
"""Values of a group, in any order: in the binary form in which PostgreSQL sends them, which costs next to nothing."""

EPOCH = pd.Timestamp("2000-01-01", tz="UTC")

SECOND_US = 1_000_000

QUARTER_US = 900 * SECOND_US

DAY_US = 86_400 * SECOND_US

MONTH_DAYS = 30
"""As PostgreSQL compares intervals."""


@dataclass(frozen=True, eq=False)
class Beliefs:
    """Values that may be several for the same quarter; each field has shape (n,).

    Parameters
    ----------
    start_us, recorded_us
        When each begins, and when it was recorded [µs after the start of a span].
    horizon_us
        How long before the end of its quarter it was recorded [µs].
    source_id
        Whose it is.
    probability
        Of a distribution [-].
    value
        As the sensor holds it.

    """

    start_us: Integers
    recorded_us: Integers
    horizon_us: Integers
    source_id: Integers
    probability: Floats
    value: Floats

    @classmethod
    def unpacked(cls, packed: bytes, source_id: int, begin: pd.Timestamp) -> Beliefs:
        """Return what is packed of a source, with times after the begin of a span."""
        records = np.frombuffer(packed, dtype=RECORD)
        start = records["start_us"].astype(np.int64) - (begin - EPOCH) // pd.Timedelta(1, "us")
        days = records["horizon_days"].astype(np.int64) + MONTH_DAYS * records["horizon_months"].astype(np.int64)
        horizon = records["horizon_us"].astype(np.int64) + DAY_US * days
        return cls(
            start_us=start,
            recorded_us=start + QUARTER_US - horizon,
            horizon_us=horizon,
            source_id=np.full(len(records), source_id, dtype=np.int64),
            probability=records["probability"].astype(float),
            value=records["value"].astype(float),
        )

    @classmethod
    def together(cls, parts: Sequence[Beliefs]) -> Beliefs:
        """Return values of several sources together."""
        if len(parts) == 1:
            return parts[0]
        return cls(**{each.name: np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)})

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.value)

    def of(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> Beliefs:
        """Return some of them."""
        return Beliefs(**{name: values[which] for name, values in vars(self).items()})

    @property
    def quarter(self) -> Integers:
        """In which quarter of an hour each begins [quarters after the start of the span]."""
        return self.start_us // QUARTER_US

    def latest(self, *, water: bool) -> Beliefs:
        """Return one of each quarter, ascending: what was recorded last counts.

        Of two that were recorded at once, that of the latest source does, and of a distribution its median.

        Parameters
        ----------
        water
            Whether they are temperatures: one that no water has takes nothing away that was recorded before.

        """
        quarter = self.quarter
        if (np.diff(quarter) > 0).all():
            return self
        low, high = BELIEVED_C
        no_water = ~((self.value >= low) & (self.value <= high)) if water else np.zeros(len(self), dtype=bool)
        off_median = np.abs(self.probability - 0.5)
        # not by horizon first: of two that begin at different seconds of a quarter, both may be as old
        order = np.lexsort((off_median, -self.source_id, self.horizon_us, -self.recorded_us, no_water, quarter))
        ordered = quarter[order]
        return self.of(order[np.diff(ordered, prepend=ordered[:1] - 1) > 0])
