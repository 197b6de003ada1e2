"""What waits to be stored: changes at once, the rest by the quarter; power as it was over time."""

from datetime import datetime, timezone

from smart_boiler_plugin.boiler.profiles import POWER, TEMPERATURE
from smart_boiler_plugin.devices.rows import read_row
from smart_boiler_plugin.devices.samples import MOST_AT_ONCE, Samples

NOON = datetime(2026, 2, 6, 12, tzinfo=timezone.utc).timestamp()


def said(samples, now_s):
    """Values that are to be stored, by kind, with the minutes of their quarter; all are rows that can be read."""
    rows = samples.rows(now_s)
    for row in rows:
        assert read_row(0, row, datetime.fromtimestamp(now_s, timezone.utc)).rejected == {}
    return [
        (
            row["kind"],
            [round((datetime.fromisoformat(at).timestamp() - NOON) / 60, 1) for at in row["times"]],
            row["values"],
        )
        for row in rows
    ]


def test_a_temperature_that_differs_is_stored_at_once_and_one_that_hardly_does_when_its_quarter_is_over():
    samples = Samples()
    samples.add(3, TEMPERATURE, NOON + 60, 52.0)
    assert said(samples, NOON + 61) == [(TEMPERATURE, [1.0], [52.0])]
    samples.add(3, TEMPERATURE, NOON + 120, 52.06)
    assert said(samples, NOON + 121) == []
    samples.add(3, TEMPERATURE, NOON + 180, 52.1)
    assert said(samples, NOON + 181) == [(TEMPERATURE, [3.0], [52.1])]
    samples.add(3, TEMPERATURE, NOON + 240, 52.13)
    assert said(samples, NOON + 899) == []
    # nothing more comes
    assert said(samples, NOON + 900) == [(TEMPERATURE, [4.0], [52.13])]
    assert said(samples, NOON + 2000) == []


def test_the_first_of_each_quarter_is_stored_and_the_same_again_is_not():
    samples = Samples()
    for at in (0, 60, 120, 900, 960):
        samples.add(3, TEMPERATURE, NOON + at, 52.0)
    assert said(samples, NOON + 961) == [(TEMPERATURE, [2.0], [52.0]), (TEMPERATURE, [16.0], [52.0])]
    samples.add(3, TEMPERATURE, NOON + 1000, 52.0)
    assert said(samples, NOON + 1001) == []


def test_power_holds_until_it_changes_also_from_one_quarter_to_the_next():
    samples = Samples()
    samples.add(3, POWER, NOON + 300, 1.5)
    assert said(samples, NOON + 301) == [(POWER, [5.0], [1.5])]
    # 1.49 is as good as 1.5
    samples.add(3, POWER, NOON + 400, 1.49)
    assert said(samples, NOON + 401) == []
    samples.add(3, POWER, NOON + 600, 0.0)
    assert said(samples, NOON + 601) == [(POWER, [5.0, 10.0], [1.5, 0.0])]
    samples.add(3, POWER, NOON + 960, 1.5)
    assert said(samples, NOON + 961) == [(POWER, [15.0, 16.0], [0.0, 1.5])]
    # who was away for long says nothing of the time between
    samples.add(3, POWER, NOON + 2000, 0.0)
    assert said(samples, NOON + 2001) == [(POWER, [round(2000 / 60, 1)], [0.0])]


def test_two_at_the_same_moment_and_one_from_before_are_no_trouble():
    samples = Samples()
    for at, value in ((60, 1.5), (60, 0.0), (59, 1.5)):
        samples.add(3, POWER, NOON + at, value)
    ((_, times, values),) = said(samples, NOON + 61)
    assert (times, values) == ([1.0, 1.0, 1.0], [1.5, 0.0, 1.5])


def test_who_contradicts_itself_each_second_is_stored_so_often_and_then_by_the_quarter():
    samples, stored = Samples(), 0
    for second in range(600):
        samples.add(3, TEMPERATURE, NOON + second, 20.0 + 40 * (second % 2))
        stored += len(said(samples, NOON + second + 0.5))
    assert stored == MOST_AT_ONCE
    assert said(samples, NOON + 900) == [(TEMPERATURE, [10.0], [60.0])]


def test_boilers_are_apart():
    samples = Samples()
    samples.add(3, TEMPERATURE, NOON, 52.0)
    samples.add(4, TEMPERATURE, NOON, 53.0)
    assert sorted(row["account"] for row in samples.rows(NOON + 1)) == [3, 4]
