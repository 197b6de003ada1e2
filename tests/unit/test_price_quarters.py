"""Prices per quarter of an hour, of longer and shorter ones."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_boiler_plugin.clock.quarter import HOUR, QUARTER
from smart_boiler_plugin.prices.countries import TIMEZONES
from smart_boiler_plugin.prices.energy_charts.zones import ZONE_BY_COUNTRY
from smart_boiler_plugin.prices.quarters import STEPS, in_quarters, spread_over_quarters


def test_a_price_of_an_hour_holds_for_its_quarters_and_a_missing_hour_stays_missing():
    hours = pd.Series(
        [1.0, 2.0, 4.0], index=pd.to_datetime(["2026-02-06T00", "2026-02-06T01", "2026-02-06T03"], utc=True)
    )
    quarters = in_quarters(hours, timedelta(hours=1))
    assert quarters.tolist() == [1.0] * 4 + [2.0] * 4 + [4.0] * 4
    assert quarters.index[7:9].tolist() == list(pd.to_datetime(["2026-02-06T01:45", "2026-02-06T03:00"], utc=True))


def test_prices_of_quarters_stay_as_they_are():
    begin = pd.Timestamp("2026-10-25", tz="Europe/Amsterdam")
    moments = pd.date_range(begin, periods=100, freq="15min")
    quarters = pd.Series(range(100), index=moments, dtype=float)
    assert in_quarters(quarters, timedelta(minutes=15)).tolist() == quarters.tolist()


def test_a_quarter_of_which_a_part_is_missing_has_no_price():
    """5-minute prices of the first quarter are 1, 2 and 6: 3 on average; one of the second is missing."""
    moments = pd.date_range("2026-02-06", periods=6, freq="5min", tz="UTC")
    quarters = in_quarters(pd.Series([1.0, 2.0, 6.0, 1.0, np.nan, 1.0], index=moments), timedelta(minutes=5))
    assert quarters.to_dict() == {moments[0]: 3.0}


@pytest.mark.parametrize("minutes", [5, 15, 60])
def test_no_prices_are_no_quarters(minutes):
    nothing = pd.Series([], index=pd.DatetimeIndex([], tz="UTC"), dtype=float)
    assert in_quarters(nothing, timedelta(minutes=minutes)).empty


SWITCH = pd.Timestamp("2025-10-01", tz="Europe/Brussels")
"""From then on, prices of Energy-Charts are for a quarter of an hour; before, for an hour."""

ZONES = sorted({TIMEZONES.get(country, "Europe/Brussels") for country in ZONE_BY_COUNTRY})


def rows(begin, end, steps):
    """Prices 0, 1, 2 ... of the spans into which steps, by the moment from which they count, divide a time."""
    moments = [begin]
    while moments[-1] < end:
        moments.append(moments[-1] + next(step for since, step in reversed(steps) if moments[-1] >= since))
    return pd.Series(range(len(moments) - 1), index=pd.DatetimeIndex(moments[:-1]).tz_convert("UTC"), dtype=float)


def held(prices, begin, end):
    """What held in each quarter of a time in which each price holds until the next one."""
    return prices.reindex(pd.date_range(begin, end, freq="15min", inclusive="left").tz_convert("UTC"), method="ffill")


@pytest.mark.parametrize("timezone", ZONES)
@pytest.mark.parametrize("day", ["2025-03-30", "2025-09-29", "2025-09-30", "2025-10-01", "2025-10-26"])
@pytest.mark.parametrize("more", [0, 1])
def test_a_day_is_whole_in_every_zones_own_time_where_the_market_goes_from_hours_to_quarters(timezone, day, more):
    """Also where nothing is known but that day."""
    begin = pd.Timestamp(day, tz=timezone)
    end = begin + pd.DateOffset(days=1)
    around = pd.DateOffset(days=more)
    prices = rows(begin - around, end + around, [(pd.Timestamp.min.tz_localize("UTC"), HOUR), (SWITCH, QUARTER)])
    found = spread_over_quarters(prices)
    pd.testing.assert_series_equal(found, held(prices, begin - around, end + around), check_freq=False)


@given(
    steps=st.lists(st.sampled_from(STEPS), min_size=1, max_size=5),
    lengths=st.lists(st.integers(3, 30), min_size=5, max_size=5),
    offset=st.integers(0, 23),
)
@settings(max_examples=25, deadline=None)
def test_steps_may_change_at_any_hour_and_each_price_holds_until_the_next(steps, lengths, offset):
    begin = pd.Timestamp("2025-09-28", tz="Europe/Brussels") + offset * HOUR
    changes = [begin + sum(lengths[:number]) * HOUR for number in range(len(steps) + 1)]
    prices = rows(begin, changes[-1], list(zip(changes, steps, strict=False)))
    found = spread_over_quarters(prices)
    pd.testing.assert_series_equal(found, held(prices, begin, changes[-1]), check_freq=False)


@given(missing=st.sets(st.integers(1, 94), max_size=40))
@settings(max_examples=25, deadline=None)
def test_what_is_missing_is_never_made_up(missing):
    """Of quarters with a price for the first and the last, and with holes that are told by a moment without price."""
    begin = pd.Timestamp("2025-10-29", tz="Europe/Brussels")
    prices = rows(begin, begin + pd.DateOffset(days=1), [(begin, QUARTER)])
    prices.iloc[sorted(missing)] = np.nan
    assert spread_over_quarters(prices).tolist() == prices.dropna().tolist()


@pytest.mark.parametrize(
    ("clocks", "quarters"),
    [
        # the hour from 01:00 is missing, that from 00:00 is one, as all others
        (["00:00", "02:00", "03:00", "04:00"], 16),
        # the last hour before quarters, with a hole behind it
        (["00:00", "01:00", "02:00", "04:00", "04:15", "04:30"], 15),
        (["00:00", "00:15", "01:15", "01:30"], 4),
        # an hour and a quarter at once cannot be
        (["00:00", "01:00", "02:00", "02:30", "02:45"], 11),
        (["00:00", "12:00"], 2),
        (["00:00"], 1),
    ],
)
def test_a_hole_stays_a_hole(clocks, quarters):
    moments = pd.to_datetime([f"2025-10-29T{clock}" for clock in clocks], utc=True)
    found = spread_over_quarters(pd.Series(1.0, index=moments))
    assert (len(found), found.index.is_unique, found.index.is_monotonic_increasing) == (quarters, True, True)


def test_the_first_hour_of_a_day_with_hours_is_one_though_the_day_before_has_quarters_and_a_hole_follows():
    clocks = ["28T22:30", "28T22:45", "28T23:00", "29T01:00", "29T02:00", "29T03:00"]
    moments = pd.to_datetime([f"2025-10-{clock}" for clock in clocks], utc=True)
    assert len(spread_over_quarters(pd.Series(1.0, index=moments))) == 2 + 4 * 4
