"""What held of a boiler on a day: dates by hand, no database."""

from dataclasses import asdict
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.boiler.history import BOILER, TARIFF, Past, corrected, history_of, is_readable, noted, readable
from smart_boiler_plugin.clock.days import days_between
from smart_boiler_plugin.errors import SmartBoilerError

JAN, FEB, MAR, APR = (date(2026, month, 1) for month in (1, 2, 3, 4))
PAST = Past(((FEB, "a"), (APR, "b")))
SMALL, LARGE = BoilerData(volume_l=50.0), BoilerData(volume_l=120.0)


def now():
    return "c"


@pytest.mark.parametrize(
    ("day", "held"),
    [(JAN, "a"), (date(2026, 1, 31), "a"), (FEB, "b"), (MAR, "b"), (date(2026, 3, 31), "b"), (APR, "c")],
)
def test_on_its_last_day_the_former_holds_no_more(day, held):
    assert PAST.on(day, now) == held


def test_what_held_nothing_is_told_from_nothing_that_held():
    assert Past(((FEB, None),)).on(JAN, now) is None


def test_steps_begin_ever_and_end_now():
    assert PAST.steps("c") == ((None, "a"), (FEB, "b"), (APR, "c"))


def test_of_several_changes_on_a_day_what_held_before_the_first_stays():
    once = noted(None, FEB, tariff=3)
    assert once == {"tariff": [{"until": "2026-02-01", "value": 3}]}
    assert noted(once, FEB, tariff=4) == once
    # a clock that was set back
    assert noted(once, JAN, tariff=4) == once
    twice = noted(once, MAR, tariff=4, boiler=SMALL)
    assert history_of(twice).tariff == Past(((FEB, 3), (MAR, 4)))
    assert history_of(twice).boiler == Past(((MAR, SMALL),))
    assert once == {"tariff": [{"until": "2026-02-01", "value": 3}]}


def test_what_is_stored_comes_back_as_it_was():
    data = BoilerData(volume_l=81.123456789, temperature_min_c=50.0, standing_loss_kwh_per_day=0.1 + 0.2)
    stored = noted(None, FEB, boiler=data, tariff=None, useful_temperature=42.5)
    found = history_of(stored)
    assert found.boiler.entries == ((FEB, data),)
    assert found.tariff.entries == ((FEB, None),)
    assert found.useful_c.entries == ((FEB, 42.5),)
    assert found.changes == {FEB}


def test_the_tariff_of_a_day_may_be_to_come():
    found = history_of(
        {
            "tariff": [{"until": "2026-02-01", "value": 3}],
            "tariff_ahead": [{"from": "2026-03-01", "value": 5}, {"from": "2026-04-01", "value": 6}],
        }
    )
    days = [JAN, FEB, date(2026, 2, 28), MAR, APR]
    assert [found.tariff_on(day, 4) for day in days] == [3, 4, 4, 5, 6]
    assert found.tariff_steps(4) == ((None, 3), (FEB, 4), (MAR, 5), (APR, 6))


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        # "a" until February, "b" until April, then "c"
        ((date(2026, 2, 10), date(2026, 2, 20)), "abxbc"),
        ((FEB, date(2026, 3, 31)), "axc"),
        ((date(2026, 1, 10), date(2026, 4, 9)), "axc"),
        ((date(2025, 12, 1), date(2026, 1, 31)), "axbc"),
        ((date(2026, 4, 10), date(2026, 4, 10)), "abcxc"),
        ((date(2026, 3, 31), date(2026, 3, 31)), "abxc"),
    ],
)
def test_a_correction_holds_on_its_days_alone(span, expected):
    document = corrected({"taken_on": "2026-01-01"}, "kind", PAST, "c", span, "x")
    entries = [(date.fromisoformat(entry["until"]), entry["value"]) for entry in document["kind"]]
    assert document["taken_on"] == "2026-01-01"
    assert entries == sorted(entries, key=lambda entry: entry[0])
    found = Past(tuple(entries))
    for ordinal in range(date(2025, 11, 1).toordinal(), date(2026, 5, 1).toordinal()):
        day = date.fromordinal(ordinal)
        assert found.on(day, now) == ("x" if span[0] <= day <= span[1] else PAST.on(day, now)), day
    held = [value for _, value in found.steps("c")]
    assert "".join(held[i] for i in range(len(held)) if i == 0 or held[i] != held[i - 1]) == expected


RUBBISH = {
    "text": "x",
    "list": [1],
    "kind is none": {"boiler": {"until": "2026-01-01"}},
    "no day": {"tariff": [{"value": 3}]},
    "day is none": {"tariff": [{"until": "soon", "value": 3}]},
    "day beyond all": {"tariff": [{"until": "9999-12-31", "value": 3}]},
    "early day": {"tariff": [{"until": "0001-01-01", "value": 3}]},
    "the same day twice": {"tariff": [{"until": "2026-01-01", "value": n} for n in (3, 4)]},
    "descending": {"tariff": [{"until": day, "value": 3} for day in ("2026-02-01", "2026-01-01")]},
    "no sensor": {"tariff": [{"until": "2026-01-01", "value": "3"}]},
    "sensor beyond all": {"tariff": [{"until": "2026-01-01", "value": 2**40}]},
    "truth": {"tariff": [{"until": "2026-01-01", "value": True}]},
    "no tank": {"boiler": [{"until": "2026-01-01", "value": {"volume_l": 80}}]},
    "impossible tank": {"boiler": [{"until": "2026-01-01", "value": {**asdict(SMALL), "volume_l": -1.0}}]},
    "contradiction": {"boiler": [{"until": "2026-01-01", "value": {**asdict(SMALL), "temperature_min_c": 90.0}}]},
    "hot hands": {"useful_temperature": [{"until": "2026-01-01", "value": "90 °C"}]},
    "no tariff to come": {"tariff_ahead": [{"from": "2026-01-01", "value": None}]},
    "taken on": {"taken_on": "long ago"},
}


@pytest.mark.parametrize("stored", RUBBISH.values(), ids=RUBBISH)
def test_what_cannot_be_is_told_and_can_be_taken_away(stored):
    assert not is_readable(stored)
    with pytest.raises(SmartBoilerError, match=r"^history"):
        history_of(stored)
    assert is_readable(readable(stored))


def test_taking_rubbish_away_leaves_what_can_be_read():
    good = noted(noted(None, JAN, tariff=3, boiler=LARGE), MAR, tariff=4)
    mixed = {**good, TARIFF: [good[TARIFF][0], {"until": "?"}, good[TARIFF][1]], "useful_temperature": 3}
    assert not is_readable(mixed)
    assert readable(mixed) == {kind: good[kind] for kind in (BOILER, TARIFF)}


def test_nothing_is_no_rubbish():
    assert history_of(None) == history_of({})
    assert history_of({"somebody": "else's"}).changes == set()


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), max_size=8))
@settings(deadline=None, max_examples=40)
def test_no_later_change_changes_what_held_on_a_day_before_it(changes):
    """Each some days after the one before, or on the same day."""
    known, present, day = None, 1, JAN
    for after, new in changes:
        day += timedelta(days=after)
        former = history_of(known)
        known = noted(known, day, tariff=present)
        found = history_of(known)
        for past in days_between(JAN, day - timedelta(days=1)):
            assert found.tariff_on(past, new) == former.tariff_on(past, present)
        assert found.tariff_on(day, new) == new
        present = new
