"""The month, the week and the chart of a household's page, from values made by hand."""

from dataclasses import dataclass, fields, replace
from datetime import date, time

import numpy as np
import pandas as pd
import pytest
from werkzeug.datastructures import MultiDict

from smart_boiler_plugin.boiler.comfort import Period
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.money.accounting import Amounts, DayAccount, total_of
from smart_boiler_plugin.money.statements import Statement, UnknownDay
from smart_boiler_plugin.texts import translator
from smart_boiler_plugin.ui.household import LOCAL, usual_return
from smart_boiler_plugin.ui.household_chart import Charts
from smart_boiler_plugin.ui.household_month import Months
from smart_boiler_plugin.ui.household_week import Bar, Weeks, as_json, fields_of, sent_fields
from smart_boiler_plugin.ui.reader import UNKNOWN, Reader
from tests.host.at_home import NOW, at, make_home, span, told

NBSP = "\N{NO-BREAK SPACE}"
ZERO = dict.fromkeys((field.name for field in fields(Amounts)), 0.0)


USUAL = BoilerData()


@dataclass(frozen=True)
class Tank:
    """As much of a boiler as a month asks."""

    data: BoilerData = USUAL


def day(number, **amounts):
    return DayAccount(day=date(2026, 11, number), currency="EUR", **{**ZERO, "coverage": 1.0, **amounts})


def statement(*days, last=date(2026, 11, 24)):
    known = [each for each in days if isinstance(each, DayAccount)]
    return Statement(Tank(), last.replace(day=1), last, days, total_of(known) if known else None)


def month(*days, language="en", currency="EUR", **options):
    teller = Months(Reader(language, "Europe/Amsterdam"), translator(language), NOW.to_pydatetime(), currency)
    found = teller.told(statement(*days, **options))
    plain = {name: value.replace(NBSP, " ") for name, value in vars(found).items() if isinstance(value, str)} | {
        "sentences": " ".join(found.sentences).replace(NBSP, " ")
    }
    return replace(found, **plain)


# --- the month


def test_a_month_says_what_it_cost_for_what_and_what_was_saved():
    found = month(
        day(1, cost=4.0, electricity_kwh=40.0, baseline_cost=6.0, savings=1.5),
        day(2, cost=5.4, electricity_kwh=38.4, baseline_cost=6.5, savings=1.6),
    )
    assert (found.name, found.cost, found.cost_of) == ("November so far", "€9.40", "for 78 kWh of electricity")
    assert (found.saved, found.saved_of, found.is_good) == ("€3.10", "saved, 25 %", True)
    assert found.sentences == (
        "A boiler that simply holds its temperature would have cost €12.50. The water was always warm enough."
    )


def test_a_month_in_other_languages_and_one_that_is_over():
    assert month(day(1), language="nl").name == "November tot nu toe"
    german = month(day(1, cost=9.4), language="de")
    assert (german.name, german.cost) == ("November bisher", "9,40 €")
    assert month(day(1), last=date(2026, 10, 31)).name == "October"


def test_what_is_not_known_is_a_dash_and_never_nothing():
    unknown = month(UnknownDay(date(2026, 11, 1), "no power", 0.0))
    assert (unknown.cost, unknown.cost_of, unknown.saved, unknown.saved_of) == (
        UNKNOWN,
        "cost: not known",
        UNKNOWN,
        "saved: not known",
    )
    assert unknown.sentences == "Nothing was measured yet that tells what was saved."
    guessed = month(day(1, cost=2.0, savings=1.0, coverage=0.0))
    assert (guessed.cost, guessed.saved, guessed.is_good) == ("€2.00", UNKNOWN, False)
    assert month(day(1, savings=float("nan"))).saved == UNKNOWN
    assert month(day(1, cost=2.0), currency=None).cost == UNKNOWN


def test_what_was_lost_is_not_called_saved():
    lost = month(day(1, cost=3.0, baseline_cost=2.0, savings=-1.0))
    assert (lost.saved, lost.saved_of, lost.is_good) == ("€1.00", "more than with a thermostat", False)
    even = month(day(1, baseline_cost=2.0, savings=0.0))
    assert (even.saved, even.saved_of, even.is_good) == ("€0.00", "saved, 0 %", False)
    assert month(day(1, baseline_cost=0.0, savings=0.5)).saved_of == "saved"


def test_water_that_was_too_cold_is_told_in_minutes_of_shower():
    """1 kWh are 4.79 minutes, from 10 °C; less than a minute is missed by nobody."""
    assert "too cold once, for 6 minutes, on 9 November." in month(day(9, unserved_kwh=1.26)).sentences
    assert (
        "too cold on 2 days, for 15 minutes in all."
        in month(day(9, unserved_kwh=1.3), day(10, unserved_kwh=1.8)).sentences
    )
    assert "always warm enough" in month(day(9, unserved_kwh=0.2)).sentences
    assert "on 9 November" in month(day(8, unserved_kwh=0.2), day(9, unserved_kwh=0.21)).sentences


def test_fixed_fees_heat_that_is_left_and_what_was_not_measured_are_told():
    told_of = month(day(1, fixed_fees=4.5, missing_heat_cost=0.4)).sentences
    assert "Fixed fees of €4.50 come on top." in told_of
    assert "Its tank would be warmer now, which counts as €0.40." in told_of
    assert "Its tank would be colder now, which counts as €0.40." in month(day(1, missing_heat_cost=-0.4)).sentences
    assert "tank" not in month(day(1, missing_heat_cost=0.04)).sentences
    half = month(day(1), UnknownDay(date(2026, 11, 2), "no power", 0.0)).sentences
    assert "50 % of the time was measured; the rest is estimated, or left out." in half


# --- the week

WEEK = [
    Period(frozenset(range(5)), time(6, 30), time(8, 30), 50.0),
    Period(frozenset(range(5)), time(18), time(22), 55.0),
    Period(frozenset({5, 6}), time(8), time(10, 30), 50.0),
]


def week(programme, language="en"):
    return Weeks(Reader(language, "UTC"), translator(language), NOW, "EUR").rows(programme)


def test_days_that_are_the_same_share_a_bar():
    weekdays, weekend = week(WEEK)
    assert (weekdays.days, weekend.days) == ("Mon to Fri", "Sat, Sun")
    assert weekdays.bars == (
        Bar(pytest.approx(100 * 6.5 / 24), pytest.approx(100 * 2 / 24)),
        Bar(pytest.approx(75.0), pytest.approx(100 * 4 / 24)),
    )
    assert weekdays.told.replace(NBSP, " ") == "Mon to Fri: 06:30 to 08:30, 50 °C; 18:00 to 22:00, 55 °C"
    assert [row.days for row in week(WEEK, "de")] == ["Mo bis Fr", "Sa, So"]
    assert [row.days for row in week(WEEK, "nl")] == ["ma t/m vr", "za, zo"]
    assert week([]) == []


def test_a_night_goes_on_the_next_day_and_what_overlaps_is_one():
    night = [Period(frozenset({6}), time(22), time(1), 50.0)]
    monday, others, sunday = week(night)
    assert (monday.days, monday.bars) == ("Mon", (Bar(0, pytest.approx(100 / 24)),))
    assert (others.days, others.bars) == ("Tue to Sat", ())
    assert (sunday.days, sunday.bars) == ("Sun", (Bar(pytest.approx(100 * 22 / 24), pytest.approx(100 * 2 / 24)),))
    (row,) = week(
        [Period(frozenset(range(7)), time(6), time(8), 50.0), Period(frozenset(range(7)), time(7), time(0), 45.0)]
    )
    assert row.bars == (Bar(25.0, 75.0),)
    assert "07:00 to 24:00" in row.told


def test_a_form_that_is_sent_as_it_was_shown_is_the_same_programme():
    shown = fields_of(WEEK)
    form = MultiDict()
    for number, field in enumerate(shown):
        for each in field.days:
            form.add(f"days-{number}", each)
        form[f"from-{number}"], form[f"until-{number}"] = field.begin, field.until
        form[f"temperature-{number}"] = field.temperature
    assert sent_fields(form) == shown
    assert as_json(shown)[1] == {
        "days": "fri,mon,thu,tue,wed",
        "from": "18:00",
        "until": "22:00",
        "temperature": "55 °C",
    }
    form["remove"] = "1"
    assert sent_fields(form) == [shown[0], shown[2]]


def test_a_line_that_nobody_filled_in_is_none_and_one_half_filled_in_is_sent():
    empty = MultiDict({"from-0": "", "until-0": "", "temperature-0": "55"})
    assert sent_fields(empty) == []
    half = MultiDict({"from-0": "06:30", "until-0": "", "temperature-0": "55"})
    assert [field.begin for field in sent_fields(half)] == ["06:30"]


def test_who_goes_away_is_usually_back_on_sunday_evening():
    assert f"{usual_return(make_home()):{LOCAL}}" == "2026-11-29T18:00"
    sunday = make_home(now=at("2026-11-29T10:00"))
    assert f"{usual_return(sunday):{LOCAL}}" == "2026-12-06T18:00"


# --- the chart

DAY_QUARTERS = 96


def chart(home, language="en"):
    return told(Charts, home, language)


def test_the_chart_has_a_value_for_each_quarter_of_two_days_and_says_where_now_is():
    home = make_home(heats=[span("2026-11-26T02:15", "2026-11-26T03:45")], planned_c={"2026-11-25T14:15": 50.0})
    data = chart(home).data()
    assert {len(data[name]) for name in ("times", "labels", "measured", "expected", "heats", "price", "level")} == {192}
    assert (data["now"], data["times"][data["now"]], data["tomorrow"]) == (57, "14:15", 96)
    assert [data["times"][at_] for at_, text in enumerate(data["labels"]) if text] == [
        "00:00",
        "06:00",
        "12:00",
        "18:00",
    ] * 2
    # read in the quarter before now, planned from now on, and begun where it is now
    assert [at_ for at_, value in enumerate(data["measured"]) if value is not None] == [56]
    assert (data["expected"][56], data["expected"][57], data["expected"][58]) == (None, 52.0, 50.0)
    assert [at_ for at_, heats in enumerate(data["heats"]) if heats] == list(range(96 + 9, 96 + 15))
    assert (data["unit"], data["price"][0], data["useful"]) == ("ct/kWh", 18.0, 40.0)


@pytest.mark.parametrize(
    ("now", "hours"), [("2026-03-28T12:00", 47), ("2026-10-24T12:00", 49), ("2026-10-25T12:00", 49)]
)
def test_days_of_23_and_25_hours_are_shown_by_instant(now, hours):
    home = make_home(now=at(now), plan_ends=None)
    data, table = chart(home).data(), chart(home).hours()
    assert (len(data["price"]), len(table)) == (4 * hours, hours)
    assert data["times"][data["now"]] == "12:00"
    assert data["times"][data["tomorrow"]] == "00:00"
    assert sum(text == "06:00" for text in data["labels"]) == 2


def test_a_gap_in_measuring_is_a_gap_in_the_line_and_a_pause_between_readings_is_none():
    home = make_home(read_c=None)
    readings = home.facts.temperature_c.copy()
    midnight = home.shown.start
    readings[midnight], readings[midnight + 4], readings[midnight + 20] = 50.0, 54.0, 60.0
    home = replace(home, facts=replace(home.facts, temperature_c=readings))
    measured = chart(home).data()["measured"]
    assert measured[:6] == [50.0, 51.0, 52.0, 53.0, 54.0, None]
    assert (measured[19], measured[20], measured[21]) == (None, 60.0, None)


def test_cheap_and_dear_are_a_quarter_each_and_nothing_is_where_all_cost_the_same():
    rising = {f"2026-11-25T{hour:02}:00": hour for hour in range(24)} | {
        f"2026-11-26T{hour:02}:00": hour for hour in range(24)
    }
    level = chart(make_home(price=rising)).data()["level"]
    assert (level[:24], level[24], level[71], level[72:96]) == ([-1] * 24, 0, 0, [1] * 24)
    assert set(chart(make_home()).data()["level"]) == {0}
    two = {"2026-11-25T00:00": 0.1, "2026-11-26T00:00": 0.2}
    assert chart(make_home(price=two)).data()["level"] == [-1] * 96 + [1] * 96
    assert set(chart(make_home(price=np.nan)).data()["level"]) == {0}
    assert chart(make_home(price=np.nan)).data()["price"][0] is None


def test_without_a_plan_nothing_is_expected():
    assert set(chart(make_home(plan_ends=None)).data()["expected"]) == {None}


def test_the_gist_and_the_table_say_the_same_as_the_chart():
    home = make_home(
        heats=[span("2026-11-26T02:15", "2026-11-26T03:45")],
        planned_c={"2026-11-25T14:15": 50.0, "2026-11-26T02:00": 43.0},
        coldest_planned_c=43.0,
        coldest_planned_at=at("2026-11-26T02:00").to_pydatetime(),
    )
    assert chart(home).gist().replace(NBSP, " ") == (
        "Water temperature, heating and price, today and tomorrow. Now 52 °C. "
        "Coldest by plan: 43 °C, tomorrow at 02:00. Heats: tonight, 02:15 to 03:45."
    )
    table = chart(home).hours()
    assert [vars(table[hour]) for hour in (13, 14, 26)] == [
        {"when": "today 13:00", "water": UNKNOWN, "heating": "", "price": f"18{NBSP}ct"},
        {"when": "today 14:00", "water": f"50{NBSP}°C", "heating": "", "price": f"18{NBSP}ct"},
        {"when": "tomorrow 02:00", "water": f"43{NBSP}°C", "heating": f"45{NBSP}min", "price": f"18{NBSP}ct"},
    ]


def test_a_currency_without_such_cents_is_told_whole():
    data = chart(make_home(currency="SEK", price=0.8)).data()
    assert (data["unit"], data["price"][0]) == ("SEK/kWh", 0.8)
    assert chart(make_home(currency=None)).data()["unit"] == "/kWh"


def test_what_heats_now_is_heating_from_now_on():
    home = make_home(heats=[span("2026-11-25T14:00", "2026-11-25T15:00")])
    (now,) = chart(home).heating()
    assert (pd.Timestamp(now.begin), pd.Timestamp(now.end)) == (at("2026-11-25T14:15"), at("2026-11-25T15:00"))
