"""Prices per quarter of an hour, of longer and shorter ones."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from smart_boiler_plugin.prices.quarters import in_quarters


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
