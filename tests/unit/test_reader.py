"""Numbers, money, days and times as readers have them; and what a page's address says."""

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from smart_boiler_plugin.ui.reader import NBSP, UNKNOWN, Reader

NOW = datetime(2026, 11, 25, 14, 20, tzinfo=ZoneInfo("Europe/Amsterdam"))


def in_words(text):
    """A text with plain spaces."""
    return text.replace(NBSP, " ")


@pytest.mark.parametrize(
    ("language", "number", "money", "day"),
    [
        ("en", "1,234.6 kWh", "€1,234.50", "Wed 25 Nov"),
        ("nl", "1.234,6 kWh", "€ 1.234,50", "wo 25 nov"),
        ("de", "1.234,6 kWh", "1.234,50 €", "Mi. 25. Nov."),
    ],
)
def test_numbers_money_and_days_are_in_the_readers_language(language, number, money, day):
    reader = Reader(language, "Europe/Amsterdam")
    assert in_words(reader.number(1234.56, "kWh", decimals=1)) == number
    assert in_words(reader.money(1234.5, "EUR")) == money
    assert in_words(reader.day(NOW)) == day


def test_what_is_not_known_is_a_dash_and_nothing_is_minus_zero():
    reader = Reader("en", "Europe/Amsterdam")
    for unknown in (None, float("nan"), float("inf")):
        assert (reader.number(unknown), reader.degrees(unknown), reader.money(unknown, "EUR")) == (UNKNOWN,) * 3
    assert (reader.time(None), reader.day(None), reader.at(None, NOW), reader.until(None, NOW)) == (UNKNOWN,) * 4
    assert (reader.number(-0.2), reader.money(-0.001, "EUR")) == ("0", "€0.00")
    assert reader.money(-3.2, "EUR") == "-€3.20"
    assert reader.money(1234.6, "EUR", decimals=0) == "€1,235"


def test_no_line_breaks_between_a_number_and_its_unit_or_within_a_moment():
    reader = Reader("nl", "Europe/Amsterdam")
    told = [reader.degrees(36.8, decimals=1), reader.money(2, "EUR"), reader.at(NOW + timedelta(days=1), NOW)]
    assert told == [f"36,8{NBSP}°C", f"€{NBSP}2,00", f"do{NBSP}14:20"]


def test_moments_are_as_near_as_they_are_in_the_readers_time_zone():
    reader = Reader("en", "Europe/Amsterdam")
    for moment, told in (
        (NOW.astimezone(timezone.utc), "14:20"),
        (NOW + timedelta(hours=10), "Thu 00:20"),
        (NOW - timedelta(days=1), "Tue 14:20"),
        (NOW - timedelta(days=2), "Mon 23 Nov 14:20"),
        (NOW + timedelta(days=6), "Tue 14:20"),
        (NOW - timedelta(days=7), "Wed 18 Nov 14:20"),
        (NOW + timedelta(days=7), "Wed 2 Dec 14:20"),
    ):
        assert in_words(reader.at(moment, NOW)) == told
    assert Reader("en", "Europe/Lisbon").time(NOW) == "13:20"
    assert reader.long_day(date(2026, 3, 1)) == "1 March 2026"


def test_what_ends_at_midnight_ends_at_24_00_of_its_day():
    reader = Reader("en", "Europe/Amsterdam")
    midnight = NOW.replace(hour=0, minute=0)
    assert in_words(reader.until(midnight + timedelta(days=1), NOW)) == "24:00"
    assert in_words(reader.until(midnight + timedelta(days=2), NOW)) == "Thu 24:00"
    assert in_words(reader.until(NOW, NOW)) == "14:20"
