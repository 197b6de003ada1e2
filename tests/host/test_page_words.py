"""What the operator's pages say of boilers, of the load and of the service, in words; without a database."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from smart_boiler_plugin.boiler.comfort import Comfort
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.fleet.cold import Cold
from smart_boiler_plugin.fleet.load import Load
from smart_boiler_plugin.fleet.members import Member
from smart_boiler_plugin.fleet.overview import KnownPrices, Overview
from smart_boiler_plugin.fleet.runs import Run
from smart_boiler_plugin.fleet.told import BoilerState, Seen, Span
from smart_boiler_plugin.jobs import Job
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.ui.load import Priced, chart_of, gist_of, table_of
from smart_boiler_plugin.ui.reader import NBSP, UNKNOWN, Reader
from smart_boiler_plugin.ui.rests_on import hygiene_told, rests_on
from smart_boiler_plugin.ui.rows import nearer, row_of
from smart_boiler_plugin.ui.service import job_told, service_of
from smart_boiler_plugin.ui.state_cards import cards_of, sentence_of

NOW = datetime(2026, 11, 25, 13, 20, tzinfo=timezone.utc)
READER = Reader("en", "Europe/Amsterdam")
DATA = BoilerData(volume_l=120.0, power_kw=2.0)
MEMBER = Member(4, "Boiler Ash", 3, "Ash", 2, DATA, Comfort(), "Europe/Amsterdam", {}, 7)


def plain(text):
    return text.replace(NBSP, " ")


def row(state="well", *, home="Europe/Amsterdam", costs=None, data=DATA, **seen):
    """A row of a boiler of which this is seen."""
    each = BoilerState(replace(MEMBER, data=data), Seen(**seen), state)
    return row_of(each, NOW, Policy(), costs or {}, "EUR", home)


@pytest.mark.parametrize(
    ("temperature_c", "kind"), [(39.9, "cold"), (40.0, "near"), (43.9, "near"), (44.0, "warm"), (80.0, "warm")]
)
def test_the_bar_is_red_below_what_is_wanted_and_brown_less_than_4_k_above(temperature_c, kind):
    bar = row(temperature_c=temperature_c, measured_at=NOW).bar
    assert bar.kind == kind
    # 10 to 75 °C are 94 px: 40 °C are at 43.4
    assert bar.wanted == pytest.approx(94 * 30 / 65, abs=0.1)
    assert bar.filled == pytest.approx(94 * min(temperature_c - 10, 65) / 65, abs=0.1)


def test_a_floor_above_the_useful_temperature_is_what_is_wanted():
    assert plain(row(temperature_c=50.0, data=replace(DATA, temperature_min_c=45.0)).water.sub) == "wants 45 °C"
    assert plain(row(temperature_c=50.0, data=replace(DATA, temperature_min_c=20.0)).water.sub) == "wants 40 °C"


def test_what_a_cold_boiler_is_colder_than_is_what_it_wants():
    cold = Cold(pd.Timestamp(NOW), 43.0, 50.0)
    assert plain(row("cold", temperature_c=43.0, cold=cold).water.sub) == "wants 50 °C"


def test_what_is_not_known_is_a_dash():
    unknown = row("silent", is_silent=True)
    assert (unknown.water.text, unknown.bar.kind, unknown.measured.text) == (UNKNOWN, "none", "never")
    assert (unknown.coldest.text, unknown.until.text, unknown.cost) == (UNKNOWN, "none", UNKNOWN)
    old = row("silent", is_silent=True, temperature_c=51.0, measured_at=NOW - timedelta(hours=44))
    assert (old.bar.kind, plain(old.water.sub), plain(old.measured.text)) == (
        "old",
        "last known, wants 40 °C",
        "44 h ago",
    )


@pytest.mark.parametrize(
    ("ago", "told"),
    [
        (timedelta(minutes=-3), "0 min ago"),
        (timedelta(minutes=119), "119 min ago"),
        (timedelta(hours=2), "2 h ago"),
        (timedelta(hours=71.9), "71 h ago"),
        (timedelta(hours=72), "22 Nov"),
    ],
)
def test_how_long_ago_it_was_measured(ago, told):
    assert plain(row(temperature_c=50.0, measured_at=NOW - ago).measured.text) == told


def test_when_it_heats():
    later = Span(NOW + timedelta(minutes=25), NOW + timedelta(minutes=85))
    planned = {"planned_until": NOW + timedelta(hours=30)}
    on = row(heats_now=True, heats_until=NOW + timedelta(minutes=25), **planned).heats
    assert (on.text, on.sub, on.on) == ("On now", "until 14:45", True)
    assert row(heats_now=True, **planned).heats.sub == "not as planned"
    assert row(next_heating=later, **planned).heats.text == "Next 14:45\N{EN DASH}15:45"
    assert row(**planned).heats.text == "No heating"
    assert plain(row("no_plan", data=replace(DATA, temperature_max_c=55.0)).heats.sub) == "at most 55 °C"


def test_a_row_names_a_time_zone_that_is_not_the_readers_and_what_yesterday_cost():
    assert plain(row().about) == "120 l, 2.0 kW"
    assert plain(row(home="Europe/Lisbon").about) == "120 l, 2.0 kW, Europe/Amsterdam"
    assert row(costs={4: 1.125}).cost == "€1.12"
    assert [row(state).helps for state in ("cold", "no_plan", "off_plan", "silent", "well")] == [True] * 3 + [False] * 2


def test_moments_in_a_sentence_are_as_near_as_they_are():
    told = "43.1 °C since 2026-11-25 12:35; known until 2026-11-27 00:00, off by 4 K at 2026-11-24 22:10."
    assert plain(nearer(told, READER, NOW)) == "43.1 °C since 12:35; known until Thu 24:00, off by 4 K at Tue 22:10."


def load(planned, metered, price):
    """A load of quarters from 14:00 on, and its price."""
    quarters = pd.date_range("2026-11-25 14:00", periods=len(planned), freq="15min", tz="Europe/Amsterdam")
    count = np.full(len(planned), 3)
    known = Load(quarters, quarters[-1] + timedelta(minutes=15), np.array(planned), np.array(metered), count, count, 4)
    return Priced(known, "NL spot tariff", "EUR", np.array(price))


NAN = float("nan")


def test_the_load_says_its_highest_and_its_cheapest_quarter_ahead():
    shown = load([90.0, 5.0, 9.25, 8.0], [4.0, NAN, NAN, NAN], [0.01, 0.3, 0.25, 0.2])
    assert plain(gist_of(shown, NOW, READER)) == (
        "Highest ahead: 9.2 kW at 14:30, planned of 3 of 4 boilers. Cheapest: 20.0 ct at 14:45."
    )
    chart = chart_of(shown, NOW, READER)
    assert (chart["planned"], chart["metered"]) == ([90.0, 5.0, 9.25, 8.0], [4.0, None, None, None])
    assert (chart["price"], chart["priceName"]) == ([1.0, 30.0, 25.0, 20.0], "ct/kWh, NL spot tariff")
    assert (chart["step"], chart["now"] - chart["start"]) == (900_000, 20 * 60_000)
    # a quarter of four quarters
    assert chart["cheap"] == [[chart["start"], chart["start"] + 900_000]]
    assert [tuple(map(plain, row)) for row in table_of(shown, READER)] == [("Wed 25 Nov 14:00", "28.1", "4.0", "19.0")]


@pytest.mark.parametrize(
    ("begin", "hours", "days"),
    [
        ("2026-11-25T08:00+01:00", 36, [(16, "Thursday")]),
        # the first moment is no line
        ("2026-11-25T00:00+01:00", 36, [(24, "Thursday")]),
        # the clock goes back at three: that day has 25 hours
        ("2026-10-24T20:00+02:00", 30, [(4, "Sunday"), (29, "Monday")]),
    ],
)
def test_a_line_stands_where_a_local_day_begins(begin, hours, days):
    quarters = pd.date_range(begin, periods=4 * hours, freq="15min").tz_convert("Europe/Amsterdam")
    zeros, counted = np.zeros(4 * hours), np.ones(4 * hours, dtype=int)
    known = Load(quarters, quarters[-1] + timedelta(minutes=15), zeros, zeros, counted, counted, 1)
    chart = chart_of(Priced(known, None, None, zeros), NOW, READER)
    assert [(day["at"] - chart["start"], day["name"]) for day in chart["days"]] == [
        (after * 3_600_000, name) for after, name in days
    ]


def test_a_load_without_prices_or_plans_says_so_and_tints_nothing():
    nothing = load([NAN] * 4, [NAN] * 4, [NAN] * 4)
    assert gist_of(nothing, NOW, READER) == "No power is planned ahead."
    assert chart_of(nothing, NOW, READER)["cheap"] == []
    assert chart_of(load([1.0] * 4, [1.0] * 4, [0.2] * 4), NOW, READER)["cheap"] == []


def overview(*states, until=timedelta(hours=30), run=None, workers=1, waiting=0):
    tariffs = {7: KnownPrices("NL spot tariff", NOW + until)} if until else {}
    return Overview(NOW, [BoilerState(MEMBER, Seen(), state) for state in states], tariffs, run, workers, waiting)


def test_the_service_is_well_or_says_in_words_what_is_not():
    run = Run(NOW - timedelta(minutes=15), 510, 1, 0)
    well = service_of(overview("well", run=run), READER)
    assert [each.how for each in well] == ["good"] * 3
    assert [plain(each.text) for each in well] == [
        "Prices known until Thu 20:20 (NL spot tariff)",
        "Last run 14:05: 511 planned, none failed",
        "Worker alive, nothing waiting",
    ]
    bad = service_of(
        overview("well", until=timedelta(hours=8.9), run=replace(run, failed=2), workers=0, waiting=3), READER
    )
    assert [each.how for each in bad] == ["bad", "warns", "bad"]
    assert (bad[1].link, bad[1].linked, bad[2].text) == ("no_plan", "2 failed", "No worker is alive, 3 jobs wait")
    assert bad[0].text.startswith("No prices after 23:14")
    unknown = service_of(overview("well", "well", until=None, workers=None, waiting=None), READER)
    assert [each.how for each in unknown] == ["bad", "warns", "bad"]
    assert unknown[0].text == "No price is known of 2 boilers"
    assert (
        service_of(overview("well", until=timedelta(hours=9), run=replace(run, at=NOW - timedelta(hours=4))), READER)[
            1
        ].how
        == "warns"
    )


def test_cards_add_up_to_all_and_the_sentence_counts_who_needs_a_look(app):
    shown = overview("cold", "no_plan", "off_plan", "well", "well")
    with app.app_context():
        cards = cards_of(shown)
    assert [(card.state, card.count) for card in cards] == [
        *[("", 5), ("cold", 1), ("fault", 0), ("cold_soon", 0)],
        *[("no_plan", 1), ("silent", 0), ("off_plan", 1), ("well", 2)],
    ]
    assert cards[0].meaning == "2 need a look"
    assert sentence_of(shown) == "2 of 5 need a look, 1 household has cold water now"
    assert sentence_of(overview("silent", "well")) == "1 of 2 needs a look"
    assert sentence_of(overview("well", "off_plan")) == "None of 2 needs a look"


def test_a_job_is_told_until_it_is_done():
    job = Job("j", 2, "plans", NOW, None, None, [(0, 4), (1, 5)], [])
    assert job_told(job).text == "New plans were asked for, of 2 boilers: 2 waiting for a worker."
    failed = {"row": 1, "result": "Failed", "message": "Its ceiling is below its floor."}
    half = replace(job, waiting=[(1, 5)], counted={"planned": 1})
    assert job_told(half).text == "New plans were asked for, of 2 boilers: 1 done, 1 waiting for a worker."
    done = replace(job, waiting=[], results=[failed], counted={"planned": 1})
    assert (job_told(done).how, job_told(done).text) == (
        "bad",
        "Planned anew: 1 of 2 boilers, 1 failed. Its ceiling is below its floor.",
    )
    assert job_told(replace(job, waiting=[])).text == "No boiler needed a new plan."
    assert job_told(replace(job, kind="customers")) is job_told(None) is None


def test_what_a_plan_rests_on_is_said_in_sentences():
    account = {
        "start": {
            "from": "reading carried forward",
            "temperature": "48.20 °C",
            "reading": "51.00 °C",
            "measured_at": "2026-11-24T10:00:00+01:00",
        },
        "draw_offs": {
            "days_learned": 21,
            "tapping_profile": "M",
            "weight_of_tapping_profile": 0.25,
            "steps_nobody_at_home": 8,
        },
        "assumed_prices": [{"from": "2026-11-26T00:00:00+01:00"}],
        "readings_not_believed": ["85 °C of 10:00"],
        "missing": ["price", "demand"],
    }
    assert [plain(each) for each in rests_on(account, Policy(), READER, NOW)] == [
        (
            "A plan starts from 48.20 °C: the reading of Tue 10:00, 51.00 °C, carried forward by what was heated "
            "and drawn."
        ),
        "What is drawn is learned from 21 days of readings; the tapping profile M counts 25 %.",
        "Nobody is at home in 2 h of it.",
        "Prices are not known from 24:00 on: what was typical of the last 7 days counts.",
        "Not believed: 85 °C of 10:00",
        "Missing or changed sensors: demand.",
    ]
    guessed = {
        "start": {"from": "useful temperature", "temperature": "40.00 °C"},
        "draw_offs": {"days_learned": 0, "tapping_profile": "S"},
    }
    assert [plain(each) for each in rests_on(guessed, Policy(), READER, NOW)] == [
        "No reading is known: a plan starts from the useful temperature, 40.00 °C.",
        "What is drawn is expected as of the tapping profile S: nothing is learned yet.",
        "All prices ahead are known.",
    ]


def test_hygiene_says_when_it_was_done_is_due_and_is_planned():
    known = {
        "last_done": "2026-11-20T03:00:00+01:00",
        "due": "2026-11-27T03:00:00+01:00",
        "planned_from": "2026-11-26T02:15:00+01:00",
        "planned_until": "2026-11-26T02:45:00+01:00",
    }
    assert [plain(each) for each in hygiene_told({"hygiene": known}, DATA, Policy(), READER, NOW)] == [
        "Last done Fri 20 Nov 03:00.",
        "Due by Fri 03:00.",
        "In the next plan: hot from Thu 02:15 to 02:45.",
    ]
    cool = replace(DATA, temperature_max_c=55.0)
    assert [plain(each) for each in hygiene_told({"hygiene": {}}, cool, Policy(), READER, NOW)] == [
        "Not seen in the last days: 60 °C were not read.",
        "The ceiling of 55 °C is below what hygiene needs.",
    ]
    assert hygiene_told({"hygiene": {"off": "a test"}}, DATA, Policy(), READER, NOW) == ["Switched off: a test"]
