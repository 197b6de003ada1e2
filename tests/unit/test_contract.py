"""What a contract comes to. Numbers are worked out by hand; how, stands beside them.

2026-02-06 is a Friday. The clock skips 02:00 to 03:00 on 2026-03-29 and repeats it on 2026-10-25.
"""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_boiler_plugin.prices.contract import Version, consumption_price, fixed_fees
from smart_boiler_plugin.prices.contract_schema import ContractSchema

LOCAL = ZoneInfo("Europe/Amsterdam")


def day_of(value, day, days=1):
    """A spot price [EUR/kWh] for each quarter of local days; a list holds its prices from midnight on."""
    begin = pd.Timestamp(day, tz=LOCAL)
    moments = pd.date_range(begin, begin + pd.DateOffset(days=days), freq="15min", inclusive="left")
    return pd.Series(value, index=moments, dtype=float)


def contract(*parts, **terms):
    """A contract of parts as JSON."""
    return ContractSchema().load({"parts": parts, **terms})


def priced(made, spot):
    """What a kWh costs, by the start of the quarter."""
    return pd.Series(made.price(spot), index=spot.index)


def hours_of(part, day, days=1, **terms):
    """How long a part is paid on days [h], and the local times at which it begins and ends."""
    price = priced(contract({"rate": "0.05 EUR/kWh", **part}, **terms), day_of(np.nan, day, days))
    paid = price.index[price > 0]
    return (len(paid) / 4, f"{paid[0]:%H:%M}", f"{paid[-1]:%H:%M}") if len(paid) else (0, None, None)


# what parts are


def test_factor_rates_and_vat_make_the_price_of_a_kwh():
    """(0.1 * 1.02 + 0.05) * 1.21 = (0.102 + 0.05) * 1.21 = 0.152 * 1.21 = 0.18392."""
    spot = day_of(0.1, "2026-02-06")
    price = contract({"factor": 1.02}, {"rate": "0.05 EUR/kWh"}, vat="21 %").price(spot)
    assert price.tolist() == pytest.approx([0.18392] * 96, rel=1e-12)


def test_negative_spot_prices_stay_negative_and_are_taxed():
    """(-0.2 * 1.5 + 0.1) * 1.1 = -0.2 * 1.1 = -0.22."""
    price = contract({"factor": 1.5}, {"rate": "0.1 EUR/kWh"}, vat="10 %").price(day_of(-0.2, "2026-02-06"))
    assert price.tolist() == pytest.approx([-0.22] * 96)


def test_a_negative_rate_is_a_discount():
    """(0.30 - 0.05) * 1.1 = 0.275."""
    price = contract({"rate": "0.3 EUR/kWh"}, {"rate": "-0.05 EUR/kWh"}, vat="10 %").price(day_of(0, "2026-02-06"))
    assert price.tolist() == pytest.approx([0.275] * 96)


def test_rates_at_the_same_time_add_up():
    """Always 0.02, 07:00 to 22:00 0.03 more, 17:00 to 20:00 0.10 more."""
    made = contract(
        {"rate": "0.02 EUR/kWh"},
        {"rate": "0.03 EUR/kWh", "from": "07:00", "until": "22:00"},
        {"rate": "0.10 EUR/kWh", "from": "17:00", "until": "20:00"},
    )
    by_time = {f"{moment:%H:%M}": value for moment, value in priced(made, day_of(0, "2026-02-06")).items()}
    assert [
        by_time[clock] for clock in ("06:45", "07:00", "16:45", "17:00", "19:45", "20:00", "22:00")
    ] == pytest.approx([0.02, 0.05, 0.05, 0.15, 0.15, 0.05, 0.02])


def test_a_contract_without_a_spot_part_has_a_price_for_every_quarter_whatever_is_known_of_spot_prices():
    """0.30 by day and 0.20 by night."""
    made = contract(
        {"rate": "0.30 EUR/kWh", "from": "07:00", "until": "23:00"},
        {"rate": "0.20 EUR/kWh", "from": "23:00", "until": "07:00"},
    )
    for day, quarters in [("2026-02-06", 96), ("2026-03-29", 92), ("2026-10-25", 100)]:
        price = made.price(day_of(np.nan, day))
        assert (len(price), np.isnan(price).sum()) == (quarters, 0)
        assert sorted(set(price)) == [0.2, 0.3]
        assert (price == 0.3).sum() == 64


def test_where_a_spot_price_that_counts_is_missing_there_is_no_price():
    spot = day_of(0.1, "2026-02-06")
    spot.iloc[40:44] = np.nan  # 10:00 to 11:00
    made = contract({"factor": 1}, {"rate": "0.05 EUR/kWh"})
    assert np.isnan(made.price(spot)).nonzero()[0].tolist() == [40, 41, 42, 43]
    # and where it does not count, there is
    at_night = contract({"factor": 1, "from": "22:00", "until": "06:00"}, {"rate": "0.05 EUR/kWh"})
    assert at_night.price(spot)[40:44].tolist() == [0.05] * 4


def test_the_mean_of_the_hour_holds_for_its_quarters():
    """80, 40, 120 and 60 EUR/MWh are 300 / 4 = 75 on average."""
    spot = day_of([0.08, 0.04, 0.12, 0.06] * 24, "2026-02-06")
    made = contract({"factor": 1, "mean_of": "hour"})
    assert made.price(spot).tolist() == pytest.approx([0.075] * 96, rel=1e-12)
    assert contract({"factor": 2, "mean_of": "hour"}, {"factor": 1}).price(spot)[:4].tolist() == pytest.approx(
        [0.23, 0.19, 0.27, 0.21]
    )


def test_an_hour_with_a_gap_has_no_mean():
    spot = day_of([0.08, 0.04, 0.12, 0.06] * 24, "2026-02-06")
    spot.iloc[5] = np.nan
    assert np.isnan(contract({"factor": 1, "mean_of": "hour"}).price(spot)).nonzero()[0].tolist() == [4, 5, 6, 7]


def test_an_hour_that_the_clock_repeats_is_two_hours():
    spot = day_of(np.repeat(np.arange(25), 4), "2026-10-25")
    assert contract({"factor": 1, "mean_of": "hour"}).price(spot).tolist() == np.repeat(np.arange(25), 4).tolist()


# when they hold


def test_a_part_ends_where_the_quarter_that_begins_then_is_free():
    assert hours_of({"from": "07:00", "until": "23:00"}, "2026-02-06") == (16, "07:00", "22:45")


def test_a_part_over_midnight_belongs_to_the_day_on_which_it_begins():
    night = {"from": "22:00", "until": "06:00", "days": "fri"}
    assert hours_of(night, "2026-02-06") == (2, "22:00", "23:45")
    assert hours_of(night, "2026-02-07") == (6, "00:00", "05:45")


def test_a_part_of_weekdays_does_not_hold_at_the_weekend():
    weekdays = {"from": "07:00", "until": "23:00", "days": "mon-fri"}
    assert [hours_of(weekdays, day)[0] for day in ("2026-02-06", "2026-02-07", "2026-02-08")] == [16, 0, 0]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-28", 3), ("2026-03-29", 2), ("2026-10-25", 4)])
def test_when_the_clock_changes_parts_keep_to_the_clock_on_the_wall(day, hours):
    """01:00 to 04:00: an hour less in spring, and one more in autumn, when 02:00 to 03:00 is there twice."""
    assert hours_of({"from": "01:00", "until": "04:00"}, day) == (hours, "01:00", "03:45")


@pytest.mark.parametrize(("day", "quarters"), [("2026-03-29", 92), ("2026-10-25", 100)])
def test_a_part_that_always_holds_is_paid_in_all_quarters_of_a_day_on_which_the_clock_changes(day, quarters):
    assert hours_of({}, day) == (quarters / 4, "00:00", "23:45")


def test_months_are_those_of_the_moment_and_go_on_over_the_end_of_the_year():
    """Field case 15: fees of October to March, 17:00 to 21:00."""
    winter = {"months": "oct-mar", "from": "17:00", "until": "21:00"}
    days = ("2025-09-30", "2025-10-01", "2025-12-31", "2026-01-01", "2026-03-31", "2026-04-01")
    assert [hours_of(winter, day)[0] for day in days] == [0, 4, 4, 4, 4, 0]
    # what begins in March ends with it
    assert hours_of({"months": "mar", "from": "22:00", "until": "06:00"}, "2026-03-31", days=2)[0] == 6 + 2


def test_a_part_holds_from_its_first_day_until_its_last_both_included():
    year = {"valid_from": "2026-01-01", "valid_until": "2026-12-31"}
    days = ("2025-12-31", "2026-01-01", "2026-12-31", "2027-01-01")
    assert [hours_of(year, day)[0] for day in days] == [0, 24, 24, 0]


# public holidays: 2026-12-25, Christmas, is a Friday; 2026-12-26 a Saturday


@pytest.mark.parametrize(
    ("part", "hours"),
    [
        ({"holidays": "only"}, [0, 24, 0]),
        ({"holidays": "never"}, [24, 0, 24]),
        ({"holidays": "as sunday", "days": "sun"}, [0, 24, 0]),
        ({"holidays": "as sunday", "days": "mon-fri"}, [24, 0, 0]),
        ({"holidays": "as sunday", "days": "daily"}, [24, 24, 24]),
        ({"holidays": "never", "days": "mon-fri"}, [24, 0, 0]),
        ({"holidays": "only", "days": "sat"}, [0, 0, 0]),
        ({"days": "mon-fri"}, [24, 24, 0]),
    ],
)
def test_on_public_holidays_a_part_holds_as_it_says(part, hours):
    """Of Spain, where 26 December is none."""
    of = {"holidays_of": "ES"} if "holidays" in part else {}
    assert [hours_of(part, day, **of)[0] for day in ("2026-12-24", "2026-12-25", "2026-12-26")] == hours


def test_what_begins_on_the_eve_of_a_holiday_lasts_into_it():
    night = {"from": "22:00", "until": "06:00", "holidays": "never"}
    assert hours_of(night, "2026-12-24", days=2, holidays_of="ES")[0] == 6 + 2 + 6
    festive = {"from": "22:00", "until": "06:00", "holidays": "only"}
    assert hours_of(festive, "2026-12-25", days=2, holidays_of="ES") == (8, "22:00", "05:45")


def test_regions_have_holidays_of_their_own_and_dates_may_be_named():
    """6 January is a holiday in Bavaria, and not in Berlin; 26 December in all of Germany."""
    for region, hours in [("DE-BY", 24), ("DE-BE", 0), ("DE", 0), (["DE", "01-06"], 24), ("01-07", 0), ("01-06", 24)]:
        assert hours_of({"holidays": "only"}, "2026-01-06", holidays_of=region)[0] == hours
    # a leap day is a holiday in leap years alone
    assert hours_of({"holidays": "only"}, "2027-02-01", days=28, holidays_of="02-29")[0] == 0
    assert hours_of({"holidays": "only"}, "2028-02-01", days=29, holidays_of="02-29")[0] == 24


# VAT and fixed fees


def test_vat_changes_with_the_day():
    """Field case 15: 0.10 * 1.21 = 0.121, 0.10 * 1.09 = 0.109."""
    vat = [{"vat": "9 %", "valid_from": "2026-01-01"}, {"vat": "21 %"}]
    price = priced(contract({"factor": 1}, vat=vat), day_of(0.1, "2025-12-31", days=2))
    assert price["2025-12-31"].tolist() == pytest.approx([0.121] * 96, rel=1e-12)
    assert price["2026-01-01"].tolist() == pytest.approx([0.109] * 96, rel=1e-12)


def test_before_the_first_vat_there_is_none():
    price = priced(
        contract({"factor": 1}, vat=[{"vat": "50 %", "valid_from": "2026-02-07"}]), day_of(1, "2026-02-06", 2)
    )
    assert price.iloc[[0, 95, 96, 191]].tolist() == [1.0, 1.0, 1.5, 1.5]


def test_fixed_fees_of_a_day_and_a_month_with_the_vat_of_the_day():
    """0.25 a day and 6.20 a month of 31 days are 0.45 a day; with 10 % 0.495. In February, 0.25 + 6.20 / 28."""
    made = contract(
        {"factor": 1},
        vat=[{"vat": "10 %"}, {"vat": "20 %", "valid_from": "2026-02-01"}],
        fixed_fees=[
            {"fee": "0.25 EUR/day"},
            {"fee": "6.20 EUR/month"},
            {"fee": "1 EUR/day", "valid_from": "2026-02-02"},
        ],
    )
    days = pd.DatetimeIndex(["2026-01-31", "2026-02-01", "2026-02-02"])
    found = fixed_fees([Version(None, made)], days)
    february = 0.25 + 6.20 / 28
    assert found.tolist() == pytest.approx([0.495, february * 1.2, (february + 1) * 1.2], rel=1e-12)
    assert found.index.equals(days)


def test_a_month_of_fixed_fees_is_the_monthly_fee():
    made = contract({"factor": 1}, fixed_fees=[{"fee": "7.50 EUR/month"}])
    for month in ("2026-02", "2026-03", "2028-02"):
        days = pd.date_range(f"{month}-01", periods=pd.Period(month).days_in_month)
        assert fixed_fees([Version(None, made)], days).sum() == pytest.approx(7.5)


def test_fixed_fees_change_no_price():
    spot = day_of(0.1, "2026-02-06")
    with_fees = contract({"factor": 1}, fixed_fees=[{"fee": "100 EUR/day"}])
    assert with_fees.price(spot).tolist() == contract({"factor": 1}).price(spot).tolist()


# versions


def test_each_day_has_the_version_that_holds_then():
    versions = [
        Version(date(2026, 2, 6), contract({"rate": "1 EUR/kWh"}, fixed_fees=[{"fee": "1 EUR/day"}])),
        Version(date(2026, 2, 7), contract({"rate": "2 EUR/kWh"}, fixed_fees=[{"fee": "2 EUR/day"}])),
        Version(date(2026, 2, 8), contract({"factor": 1})),
    ]
    price = consumption_price(versions, day_of(5.0, "2026-02-05", days=4))
    assert np.isnan(price["2026-02-05"]).all()
    assert [set(price[f"2026-02-0{day}"]) for day in (6, 7, 8)] == [{1.0}, {2.0}, {5.0}]
    assert fixed_fees(versions, pd.date_range("2026-02-05", periods=4)).tolist() == [0.0, 1.0, 2.0, 0.0]


RATES = st.floats(-1, 1).map(lambda rate: f"{rate:.4f} EUR/kWh")
QUARTERS = st.integers(0, 95).map(lambda quarter: f"{quarter // 4:02d}:{quarter % 4 * 15:02d}")
TIMES = st.fixed_dictionaries({"from": QUARTERS, "until": QUARTERS}) | st.just({})
AMOUNTS = st.fixed_dictionaries({"rate": RATES}) | st.fixed_dictionaries(
    {"factor": st.floats(0, 3)}, optional={"mean_of": st.just("hour")}
)
WHEN = st.fixed_dictionaries(
    {},
    optional={
        "days": st.sampled_from(["mon-fri", "sat,sun", "fri-mon", "daily"]),
        "months": st.sampled_from(["oct-mar", "apr-sep", "dec"]),
        "holidays": st.sampled_from(["only", "never", "as sunday"]),
        "valid_from": st.sampled_from(["2026-12-24", "2026-12-25"]),
        "valid_until": st.sampled_from(["2026-12-25", "2026-12-26"]),
    },
)
PART = st.builds(lambda *parts: {name: part[name] for part in parts for name in part}, AMOUNTS, TIMES, WHEN)
PARTS = st.lists(PART, min_size=1, max_size=5)
SPOT = day_of(np.arange(3 * 96) / 1000, "2026-12-24", days=3)


def made_of(parts, vat="0 %"):
    of = {"holidays_of": "ES"} if any("holidays" in part for part in parts) else {}
    return contract(*parts, vat=vat, **of)


@settings(max_examples=40, deadline=None)
@given(PARTS, st.randoms(use_true_random=False))
def test_the_order_of_parts_does_not_matter(parts, chance):
    shuffled = chance.sample(parts, len(parts))
    np.testing.assert_allclose(made_of(parts).price(SPOT), made_of(shuffled).price(SPOT), rtol=0, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(PARTS)
def test_parts_add_up_and_vat_comes_last(parts):
    single = sum(made_of([part]).price(SPOT) for part in parts)
    np.testing.assert_allclose(made_of(parts, "21 %").price(SPOT), single * 1.21, rtol=0, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(PARTS, PARTS, st.sampled_from([date(2026, 12, 25), date(2026, 12, 26)]))
def test_a_later_version_never_changes_an_earlier_price(parts, later, first):
    before = consumption_price([Version(None, made_of(parts))], SPOT)
    after = consumption_price([Version(None, made_of(parts)), Version(first, made_of(later))], SPOT)
    day = pd.Timestamp(first, tz=LOCAL)
    assert before[: day - pd.Timedelta("15min")].equals(after[: day - pd.Timedelta("15min")])
    assert after[day:].tolist() == made_of(later).price(SPOT)[SPOT.index >= day].tolist()


@settings(max_examples=40, deadline=None)
@given(PARTS)
def test_a_contract_that_is_written_and_read_again_is_the_same(parts):
    made = made_of(parts, "21 %")
    document = ContractSchema().dump(made)
    again = ContractSchema().load(document)
    assert ContractSchema().dump(again) == document
    np.testing.assert_allclose(again.price(SPOT), made.price(SPOT), rtol=0, atol=1e-9)
