"""Which prices of exactly zero may have been published before they were known."""

import pandas as pd
import pytest

from smart_boiler_plugin.prices.zeros import before_auction, in_doubt

DAY = pd.Timestamp("2025-10-29", tz="Europe/Amsterdam")
LATER = pd.Timestamp("2025-11-05", tz="Europe/Amsterdam")


def prices(zeros, days=1, timezone="Europe/Amsterdam"):
    """50 EUR/MWh, and 0 in some quarters, counted from the begin of the day."""
    quarters = pd.date_range(DAY, DAY + pd.DateOffset(days=days), freq="15min", inclusive="left").tz_convert(timezone)
    return pd.Series([0.0 if i in zeros else 50.0 for i in range(len(quarters))], index=quarters)


@pytest.mark.parametrize(
    ("zeros", "spans"),
    [
        (range(80, 96), [("20:00", "00:00")]),
        # a quarter less than four hours
        (range(81, 96), []),
        # six hours of sun
        (range(44, 68), []),
        (range(96), [("00:00", "00:00")]),
        ([], []),
    ],
)
def test_four_hours_of_zeros_until_the_end_of_a_day_are_told(zeros, spans):
    found = in_doubt(prices(zeros), LATER)
    assert [(f"{begin:%H:%M}", f"{end:%H:%M}") for begin, end in found] == spans


def test_days_are_those_of_the_market_and_moments_those_of_the_prices():
    """In Lisbon, the market's day ends at 23:00, when that of the next day begins."""
    (span,) = in_doubt(prices(range(80, 96), days=2, timezone="Europe/Lisbon"), LATER)
    assert [moment.isoformat() for moment in span] == ["2025-10-29T19:00:00+00:00", "2025-10-29T23:00:00+00:00"]


def test_zeros_of_part_of_a_day_are_told_where_nothing_follows():
    known = prices(range(40, 96)).iloc[:60]
    assert [(f"{begin:%H:%M}", f"{end:%H:%M}") for begin, end in in_doubt(known, LATER)] == [("10:00", "15:00")]


@pytest.mark.parametrize(
    ("now", "early"),
    [("2025-10-28T11:59+01:00", [5, 6]), ("2025-10-28T12:00+01:00", []), ("2025-10-27T23:00+01:00", [5, 6])],
)
def test_a_zero_before_the_auction_closes_is_no_price(now, early):
    found = prices([5, 6])
    assert [i for i, is_early in enumerate(before_auction(found, pd.Timestamp(now))) if is_early] == early
    assert bool(in_doubt(found, pd.Timestamp(now))) == bool(early)
