"""The clock goes back on 2025-10-26: the day has 100 quarters, 02:00 to 03:00 is there twice."""

from datetime import date

import pandas as pd
import pytest

from smart_boiler_plugin.clock.coverage import by_day

TIMEZONE = "Europe/Amsterdam"


def day(text, missing=()):
    """A day of which some quarters, by their number, are missing."""
    begin = pd.Timestamp(text, tz=TIMEZONE)
    quarters = pd.date_range(begin, begin + pd.DateOffset(days=1), freq="15min", inclusive="left")
    there = quarters.delete(list(missing))
    (found,) = by_day(there.tz_convert("UTC"), begin.date(), begin.date(), TIMEZONE)
    return found


@pytest.mark.parametrize(("date", "expected"), [("2025-10-25", 96), ("2025-10-26", 100), ("2026-03-29", 92)])
def test_a_day_has_the_quarters_that_its_clock_gives_it(date, expected):
    assert str(day(date)) == f"{date}  {expected} of {expected} quarters"
    assert day(date).complete


def test_gaps_are_told_with_their_local_times():
    """Quarters 0, 1 are 00:00 to 00:30; 40 is 10:00 to 10:15; 95 is 23:45 to 24:00."""
    told = "2025-10-29  92 of 96 quarters, missing 00:00 to 00:30, 10:00 to 10:15, 23:45 to 24:00"
    assert str(day("2025-10-29", [0, 1, 40, 95])) == told


def test_where_the_clock_changes_a_gap_says_by_which_clock():
    """Quarters 8 to 11 are the first 02:00 to 03:00, 12 to 15 the second; 97 to 99 are the last."""
    assert str(day("2025-10-26", [12, 97, 98, 99])) == (
        "2025-10-26  96 of 100 quarters, missing 02:00 CET to 02:15 CET, 23:15 CET to 24:00 CET"
    )
    assert str(day("2025-10-26", [10, 11])).endswith("missing 02:30 CEST to 02:00 CET")


def test_a_day_without_anything_is_no_gap_worth_times():
    assert str(day("2025-10-26", range(100))) == "2025-10-26  0 of 100 quarters"


def test_each_day_of_a_span_is_counted_by_itself():
    moments = pd.date_range("2025-10-25", "2025-10-27", freq="15min", inclusive="left", tz=TIMEZONE)
    found = by_day(moments, date(2025, 10, 25), date(2025, 10, 27), TIMEZONE)
    assert [(len(day.there), day.expected) for day in found] == [
        (96, 96), (100, 100), (0, 96)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("date", "now", "due"),
    [
        ("2025-10-29", "2025-10-28T14:59+01:00", False),
        ("2025-10-29", "2025-10-28T15:00+01:00", True),
        # the clock went back that night, and forward that night: 15:00 is 14 h and 16 h after midnight
        ("2025-10-27", "2025-10-26T14:59+01:00", False),
        ("2025-10-27", "2025-10-26T15:00+01:00", True),
        ("2026-03-30", "2026-03-29T14:59+02:00", False),
        ("2026-03-30", "2026-03-29T15:00+02:00", True),
    ],
)
def test_a_day_is_due_from_three_in_the_afternoon_before(date, now, due):
    assert day(date).is_due(pd.Timestamp(now)) is due
