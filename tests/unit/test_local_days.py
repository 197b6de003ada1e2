"""Local days, also where the clock changes at midnight."""

from datetime import date, timedelta

import pandas as pd
import pytest

from smart_boiler_plugin.clock.days import day_of, days_between, midnights


@pytest.mark.parametrize(
    ("timezone", "day", "begins", "hours"),
    [
        ("Europe/Amsterdam", date(2025, 10, 29), "00:00+01:00", 24),
        ("Europe/Amsterdam", date(2025, 10, 26), "00:00+02:00", 25),
        ("Europe/Amsterdam", date(2026, 3, 29), "00:00+01:00", 23),
        # the clock goes from 24:00 to 01:00, and from 01:00 back to 00:00 of the same day
        ("Atlantic/Azores", date(2026, 3, 29), "01:00+00:00", 23),
        ("Atlantic/Azores", date(2025, 10, 26), "00:00+00:00", 25),
    ],
)
def test_a_day_begins_when_its_clock_says_so_and_is_as_long(timezone, day, begins, hours):
    begin, end = midnights(day, timezone)
    assert begin == pd.Timestamp(f"{day}T{begins}")
    assert end - begin == timedelta(hours=hours)


def test_the_day_of_a_moment_is_that_of_the_clock_on_the_wall():
    assert day_of(pd.Timestamp("2025-10-28T23:30Z"), "Europe/Amsterdam") == date(2025, 10, 29)
    assert day_of(pd.Timestamp("2025-10-28T23:30Z"), "UTC") == date(2025, 10, 28)


def test_both_ends_are_among_the_days_between():
    assert days_between(date(2025, 10, 30), date(2025, 11, 1)) == [
        date(2025, 10, 30), date(2025, 10, 31), date(2025, 11, 1)
    ]  # fmt: skip
