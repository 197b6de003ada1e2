"""Which of several values of a quarter of an hour counts, of many series at once."""

import numpy as np
import pytest

from smart_boiler_plugin.facts.packed import QUARTER_US, SECOND_US, Beliefs


def beliefs(*rows):
    """Return values from rows of source, start [s], age of the record [s], probability and value."""
    source, start_s, recorded_s, probability, value = (np.array(each) for each in zip(*rows, strict=True))
    start, recorded = start_s.astype(np.int64) * SECOND_US, recorded_s.astype(np.int64) * SECOND_US
    return Beliefs(
        sensor_id=np.ones(len(rows), dtype=np.int64),
        source_id=source.astype(np.int64),
        start_us=start,
        recorded_us=recorded,
        horizon_us=start + QUARTER_US - recorded,
        probability=probability.astype(float),
        value=value.astype(float),
    )


def latest(rows, series=None, water=()):
    given = np.zeros(len(rows), dtype=np.int64) if series is None else np.array(series)
    is_water = np.isin(given, water)
    found, of_series = beliefs(*rows).latest(given, water=is_water)
    return list(zip(of_series.tolist(), (found.start_us // SECOND_US).tolist(), found.value.tolist(), strict=True))


@pytest.mark.parametrize(
    ("other", "counts"),
    [
        # recorded later, or earlier
        ((1, 900, 5000, 0.5, 8.0), 8.0),
        ((1, 900, 3000, 0.5, 8.0), 7.0),
        # later in the same quarter: it is as old by its horizon, and was recorded later
        ((1, 1000, 4050, 0.5, 8.0), 8.0),
        # at the same moment: the latest source, and of a distribution the median
        ((2, 900, 4000, 0.5, 8.0), 8.0),
        ((0, 900, 4000, 0.5, 8.0), 7.0),
        ((1, 900, 4000, 0.8, 8.0), 7.0),
    ],
)
def test_of_several_values_of_a_quarter_one_counts(other, counts):
    first = (1, 900, 4000, 0.5, 7.0)
    for rows in ([first, other], [other, first]):
        assert [value for *_, value in latest(rows)] == [counts]


def test_a_temperature_that_no_water_has_takes_nothing_away():
    rows = [(1, 900, 4000, 0.5, 50.0), (1, 900, 5000, 0.5, 120.0)]
    assert latest(rows, [3, 3], water=[3]) == [(3, 900, 50.0)]
    assert latest(rows, [3, 3]) == [(3, 900, 120.0)]


@pytest.mark.parametrize("wide", [0, 70_000])
def test_series_are_told_apart_and_each_is_in_its_order(wide):
    rows = [(1, 2700, 9000, 0.5, 3.0), (1, 900, 9000, 0.5, 1.0), (1, -900, 9000, 0.5, 0.0), (1, 900, 9000, 0.5, 2.0)]
    found = latest(rows, [wide + 1, wide + 1, wide + 1, wide + 2])
    assert found == [(wide + 1, -900, 0.0), (wide + 1, 900, 1.0), (wide + 1, 2700, 3.0), (wide + 2, 900, 2.0)]
