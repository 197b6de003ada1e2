"""What is believed of an answer of Energy-Charts, and what is refused."""

import json

import pandas as pd
import pytest

from smart_boiler_plugin.errors import PriceServiceError, UnknownZoneError
from smart_boiler_plugin.prices.energy_charts.answer import parse
from smart_boiler_plugin.prices.energy_charts.zones import ZONE_BY_COUNTRY, zone_of
from tests.energy_charts import CC_BY, answer

TIMEZONE = "Europe/Amsterdam"


def parsed(content, day="2025-10-29", days=1, timezone=TIMEZONE):
    start = pd.Timestamp(day, tz=timezone)
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return parse(body, start, start + pd.DateOffset(days=days))


# 24, 23 and 25 hours; a price holds for each of the four quarters of its hour, or for its own quarter
@pytest.mark.parametrize(("day", "hours"), [("2025-10-29", 24), ("2026-03-29", 23), ("2025-10-26", 25)])
def test_a_day_has_all_its_quarters_also_when_the_clock_changes(day, hours):
    quarterly = parsed(answer(day), day).prices
    assert quarterly.tolist() == [round(10 + i / 10, 1) for i in range(4 * hours)]
    hourly = parsed(answer(day, freq="1h"), day).prices
    assert hourly.tolist() == [round(10 + i / 10, 1) for i in range(hours) for _ in range(4)]
    for prices in (quarterly, hourly):
        assert prices.index[0] == pd.Timestamp(day, tz=TIMEZONE)
        assert (prices.index[1:] - prices.index[:-1] == pd.Timedelta("15min")).all()


def test_half_hours_are_spread_over_two_quarters():
    prices = parsed(answer(freq="30min")).prices
    assert prices.tolist() == [round(10 + i / 10, 1) for i in range(48) for _ in range(2)]


def test_days_before_october_2025_are_hourly_and_after_quarter_hourly_in_one_answer():
    before, after = answer("2025-09-30", freq="1h"), answer("2025-10-01", prices=[float(i) for i in range(96)])
    both = {**after, **{name: before[name] + after[name] for name in ("unix_seconds", "price")}}
    prices = parsed(both, "2025-09-30", days=2).prices
    assert prices.tolist() == [round(10 + i / 10, 1) for i in range(24) for _ in range(4)] + list(range(96))


@pytest.mark.parametrize(
    ("timezone", "hours"), [("Europe/Lisbon", 23), ("Europe/Amsterdam", 24), ("Europe/Helsinki", 24)]
)
def test_the_last_day_with_hours_is_whole_in_the_time_of_every_zone(timezone, hours):
    """In Lisbon, its last hour belongs to the first day of the market that has quarters."""
    before, after = answer("2025-09-29", days=2, freq="1h"), answer("2025-10-01", prices=[float(i) for i in range(96)])
    both = {**after, **{name: before[name] + after[name] for name in ("unix_seconds", "price")}}
    prices = parsed(both, "2025-09-30", timezone=timezone).prices
    since_monday = (pd.Timestamp("2025-09-30", tz=timezone) - pd.Timestamp("2025-09-29", tz=TIMEZONE)) // pd.Timedelta(
        "1h"
    )
    hourly = [round(10 + (since_monday + hour) / 10, 1) for hour in range(hours) for _ in range(4)]
    assert prices.tolist() == hourly + list(range(96 - len(hourly)))
    assert prices.index[0] == pd.Timestamp("2025-09-30", tz=timezone)


def test_a_missing_price_is_left_out_and_no_other_takes_its_place():
    content = answer()
    content["price"][41:44] = [None] * 3
    prices = parsed(content).prices
    assert len(prices) == 93
    assert prices.index[41] == pd.Timestamp("2025-10-29T11:00+01:00")
    assert 0 not in prices.to_numpy()


def test_a_missing_hour_is_left_out_and_the_one_before_it_stays_an_hour():
    content = answer(freq="1h")
    for name in ("unix_seconds", "price"):
        del content[name][10]
    prices = parsed(content).prices
    assert len(prices) == 92
    assert prices[pd.Timestamp("2025-10-29T09:45+01:00")] == 10.9
    assert pd.Timestamp("2025-10-29T10:00+01:00") not in prices.index


def test_what_lies_outside_the_span_is_left_out():
    assert len(parsed(answer("2025-10-28", days=3)).prices) == 96
    assert parsed(answer(unix_seconds=[10**20 * 900], price=[1.0])).prices.empty


@pytest.mark.parametrize("content", [answer(prices=[None] * 96), answer(unix_seconds=[], price=[])])
def test_an_answer_without_prices_is_no_price_and_not_zero(content):
    assert parsed(content).prices.empty


def test_negative_prices_stay_negative():
    assert parsed(answer(prices=[-500.0] * 96)).prices.tolist() == [-500.0] * 96


# 1 EUR/kWh = 1,000 EUR/MWh; 1 EUR/GWh = 0.001 EUR/MWh
@pytest.mark.parametrize(("unit", "factor"), [("EUR/MWh", 1), ("EUR / kWh", 1000), ("EUR/GWh", 0.001)])
def test_other_units_of_energy_are_converted(unit, factor):
    assert parsed(answer(unit=unit, prices=[2.0] * 96)).prices.tolist() == pytest.approx([2 * factor] * 96)


def test_licence_and_announced_end_are_told():
    told = parsed(answer(deprecated=True))
    assert (told.licence, told.deprecated) == (CC_BY, True)
    assert parsed(answer(license_info=None)).licence == ""


def test_a_licence_does_nothing_to_a_terminal():
    assert parsed(answer(license_info="CC\x1b[2J\n  BY" + "!" * 5000)).licence == ("CC[2J BY" + "!" * 5000)[:1000]


def changed(i, name, value):
    content = answer()
    content[name][i] = value
    return content


MIDNIGHT = answer()["unix_seconds"][0]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<html>Maintenance</html>", "not answer with JSON but with: <html>Maintenance"),
        (b"", "not answer with JSON"),
        (b"\xff\xfe\x00", "not answer with JSON"),
        (b"[" * 100_000, "not answer with JSON"),
        (b"[1, 2]", "not answer with a JSON object"),
        ({"detail": "Not Found"}, "'unix_seconds' is no list"),
        (answer(price=None), "'price' is no list"),
        (answer(price={"0": 1}), "'price' is no list"),
        (answer(price=[1.0] * 95), "96 moments but 95 prices"),
        (changed(5, "unix_seconds", "2025"), "no whole number"),
        (changed(5, "unix_seconds", 1.5), "no whole number"),
        (changed(5, "unix_seconds", value=True), "no whole number"),
        (changed(5, "unix_seconds", MIDNIGHT + 5 * 900 + 60), "no quarter of an hour starts"),
        (changed(5, "unix_seconds", MIDNIGHT + 4 * 900), "twice or in disorder"),
        (changed(5, "unix_seconds", MIDNIGHT), "twice or in disorder"),
        (changed(5, "price", "12"), "a price that is none: 12"),
        (changed(5, "price", value=True), "a price that is none: True"),
        (changed(5, "price", float("nan")), "a price that is none: nan"),
        (changed(5, "price", float("inf")), "a price that is none: inf"),
        (changed(5, "price", 10**400), "a price that is none: 1000"),
        (changed(5, "price", 1e7), "a price that is none"),
        # as the API said it in 2024, too
        (answer(unit="No Unit"), "prices in 'No Unit'"),
        (answer(unit=None), "prices in ''"),
        (answer(unit="MW"), "prices in 'MW'"),
        (answer(unit="EUR / MW"), "prices in 'EUR / MW'"),
        (answer(unit="UAH/MWh"), "prices in 'UAH/MWh'"),
        (answer(unit="EUR/9**9**9**9"), "prices in 'EUR/9"),
    ],
)
def test_what_cannot_be_believed_is_refused_in_words(content, told):
    with pytest.raises(PriceServiceError) as refused:
        parsed(content)
    assert told in str(refused.value)


# as the ENTSO-E plugin (entsoe-py) and Energy-Charts call the same zones
@pytest.mark.parametrize(
    ("country", "zone"),
    [("NL", "NL"), ("DE", "DE-LU"), ("DE_LU", "DE-LU"), ("DK_1", "DK1"), ("NO_2", "NO2"), ("IT_NORD", "IT-North")],
)
def test_country_codes_are_those_of_the_entsoe_plugin(country, zone):
    assert zone_of(country) == zone


@pytest.mark.parametrize("country", ["nl", "DK", "XX", "DE-LU"])
def test_an_unknown_country_code_is_refused_with_the_known_ones(country):
    with pytest.raises(UnknownZoneError) as refused:
        zone_of(country)
    assert f"'{country}'" in str(refused.value)
    assert all(code in str(refused.value) for code in ZONE_BY_COUNTRY)
