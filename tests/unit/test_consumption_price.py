"""2026-02-06 is a Friday. The clock skips 02:00 to 03:00 on 2026-03-29 and repeats it on 2026-10-25."""

from datetime import time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from smart_boiler_plugin.clock.week import parse_days
from smart_boiler_plugin.prices.consumption_price import Fee, consumption_price, in_quarters

LOCAL = ZoneInfo("Europe/Amsterdam")


def day_of(value, day, timezone=LOCAL):
    """A spot price [EUR/kWh] for each quarter of a local day."""
    begin = pd.Timestamp(day, tz=timezone)
    moments = pd.date_range(begin, begin + pd.DateOffset(days=1), freq="15min", inclusive="left")
    return pd.Series(value, index=moments)


def fee_hours(fee, day):
    """How long a fee is paid on a day [h], and the local times at which it begins and ends."""
    price = consumption_price(day_of(0.0, day), factor=1, fees=[fee], vat=0)
    paid = price.index[price > 0]
    return len(paid) / 4, f"{paid[0]:%H:%M}", f"{paid[-1]:%H:%M}"


def fee(begin, until, days="daily", per_kwh=0.05):
    return Fee(parse_days(days), time.fromisoformat(begin), time.fromisoformat(until), per_kwh)


def test_factor_fees_and_vat_make_the_price_of_a_kwh():
    """(0.1 * 1.02 + 0.05) * 1.21 = (0.102 + 0.05) * 1.21 = 0.152 * 1.21 = 0.18392."""
    spot = day_of(0.1, "2026-02-06")
    price = consumption_price(spot, factor=1.02, fees=[Fee(per_kwh=0.05)], vat=0.21)
    assert price.tolist() == pytest.approx([0.18392] * 96, rel=1e-12)
    assert price.index.equals(spot.index)


def test_negative_spot_prices_stay_negative_and_are_taxed():
    """(-0.2 * 1.5 + 0.1) * 1.1 = -0.2 * 1.1 = -0.22."""
    price = consumption_price(day_of(-0.2, "2026-02-06"), factor=1.5, fees=[Fee(per_kwh=0.1)], vat=0.1)
    assert price.tolist() == pytest.approx([-0.22] * 96)


def test_fees_at_the_same_time_add_up():
    """Always 0.02, 07:00 to 22:00 0.03 more, 17:00 to 20:00 0.10 more."""
    fees = [Fee(per_kwh=0.02), fee("07:00", "22:00", per_kwh=0.03), fee("17:00", "20:00", per_kwh=0.10)]
    price = consumption_price(day_of(0.0, "2026-02-06"), factor=1, fees=fees, vat=0)
    by_time = {f"{moment:%H:%M}": value for moment, value in price.items()}
    assert [
        by_time[clock] for clock in ("06:45", "07:00", "16:45", "17:00", "19:45", "20:00", "22:00")
    ] == pytest.approx([0.02, 0.05, 0.05, 0.15, 0.15, 0.05, 0.02])


def test_a_fee_ends_where_the_quarter_that_begins_then_is_free():
    assert fee_hours(fee("07:00", "23:00"), "2026-02-06") == (16, "07:00", "22:45")


def test_a_fee_over_midnight_belongs_to_the_day_on_which_it_begins():
    night = fee("22:00", "06:00", "fri")
    assert fee_hours(night, "2026-02-06") == (2, "22:00", "23:45")
    assert fee_hours(night, "2026-02-07") == (6, "00:00", "05:45")


def test_a_fee_of_weekdays_is_not_paid_at_the_weekend():
    weekdays = fee("07:00", "23:00", "mon-fri")
    price = consumption_price(
        pd.concat([day_of(0.0, "2026-02-06"), day_of(0.0, "2026-02-07")]), factor=1, fees=[weekdays], vat=0
    )
    assert set(price.index[price > 0].day) == {6}


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-03-28", 3), ("2026-03-29", 2), ("2026-10-25", 4)],
)
def test_when_the_clock_changes_fees_keep_to_the_clock_on_the_wall(day, hours):
    """01:00 to 04:00: an hour less in spring, and one more in autumn, when 02:00 to 03:00 is there twice."""
    assert fee_hours(fee("01:00", "04:00"), day) == (hours, "01:00", "03:45")


@pytest.mark.parametrize(("day", "quarters"), [("2026-03-29", 92), ("2026-10-25", 100)])
def test_a_fee_that_always_holds_is_paid_in_all_quarters_of_a_day_on_which_the_clock_changes(day, quarters):
    assert fee_hours(Fee(per_kwh=0.05), day) == (quarters / 4, "00:00", "23:45")


def test_without_spot_price_there_is_no_price_whatever_the_fees():
    spot = day_of(0.1, "2026-02-06")
    spot.iloc[40:44] = np.nan
    price = consumption_price(spot, factor=0, fees=[Fee(per_kwh=0.05)], vat=0.21)
    assert price.isna().to_numpy().nonzero()[0].tolist() == [40, 41, 42, 43]


def test_a_price_of_an_hour_holds_for_its_quarters_and_a_missing_hour_stays_missing():
    hours = pd.Series(
        [1.0, 2.0, 4.0], index=pd.to_datetime(["2026-02-06T00", "2026-02-06T01", "2026-02-06T03"], utc=True)
    )
    quarters = in_quarters(hours, timedelta(hours=1))
    assert quarters.tolist() == [1.0] * 4 + [2.0] * 4 + [4.0] * 4
    assert quarters.index[7:9].tolist() == list(pd.to_datetime(["2026-02-06T01:45", "2026-02-06T03:00"], utc=True))


def test_prices_of_quarters_stay_as_they_are():
    quarters = day_of(0.1, "2026-10-25").rename(None)
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
