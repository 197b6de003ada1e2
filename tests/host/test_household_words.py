"""What a household reads of its water, its plan and its buttons: whole sentences, with numbers worked out by hand."""

from datetime import timedelta

import numpy as np
import pytest

from smart_boiler_plugin.boiler.comfort import Away, Comfort
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.customers.wishes import boost_until
from smart_boiler_plugin.facts.faults import Fault
from smart_boiler_plugin.fleet.cold import Cold
from smart_boiler_plugin.ui.household_alerts import Alerts
from smart_boiler_plugin.ui.household_words import Words
from smart_boiler_plugin.ui.reader import UNKNOWN
from tests.host.at_home import DATA, NOW, at, make_home, span, told

NIGHT = span("2026-11-26T02:15", "2026-11-26T03:45")
NBSP = "\N{NO-BREAK SPACE}"


def plain(text):
    return text.replace(NBSP, " ")


def lines(home, language="en"):
    return [plain(f"{line.strong} {line.text}".strip()) for line in told(Words, home, language).lines]


def alerts(home, language="en"):
    return [(each.state, plain(each.title), plain(each.text)) for each in told(Alerts, home, language).all()]


# --- how warm


def test_minutes_of_shower_are_the_figure_and_the_temperature_stands_beside_it():
    """120 l at 52 °C are 120 * 42 / 30 / 6 = 28 minutes; the quarter from 14:00 to 14:15 was over 5 minutes ago."""
    words = told(Words, make_home())
    assert (words.figure, words.of_what) == (("28", "minutes"), "of warm shower in the tank")
    assert plain(words.measured) == "52 °C, measured 5 minutes ago"
    # 36.7 minutes at 65 °C
    assert words.home.water.share == pytest.approx(42 / 55)


def test_a_quarter_that_is_not_over_was_measured_just_now():
    words = told(Words, make_home(read_at=at("2026-11-25T14:15")))
    assert plain(words.measured) == "52 °C, measured just now"


def test_one_minute_is_one_minute():
    small = BoilerData(volume_l=6.0, power_kw=2.0, standing_loss_kwh_per_day=0.0)
    assert told(Words, make_home(data=small, read_c=40.0)).figure == ("1", "minute")


def test_below_the_useful_temperature_there_is_no_shower_for_now():
    words = told(Words, make_home(read_c=39.0))
    assert (words.figure, words.of_what) == (("0", "minutes"), "of warm shower, for now")


def test_an_old_reading_is_an_estimate_and_is_told_with_its_age_day_and_time():
    """Carried forward: nothing is drawn, lost or heated in a tank that is as warm as its surroundings."""
    still = BoilerData(
        volume_l=120.0, power_kw=2.0, standing_loss_kwh_per_day=0.0, ambient_c=10.0, tapping_profile="3XS"
    )
    home = make_home(
        data=still,
        read_at=at("2026-11-24T20:00"),
        is_silent=True,
        silent_since=at("2026-11-24T20:15").to_pydatetime(),
    )
    words = told(Words, home)
    assert words.home.water.estimated
    figure, unit = words.figure
    assert (plain(figure)[:2], unit, words.of_what) == ("≈ ", "min", "of warm shower, estimated")
    assert int(plain(figure)[2:]) < 28
    assert plain(words.measured) == "52 °C 18 hours ago, at 20:15 on Tuesday"


def test_without_a_reading_there_is_no_number():
    never = told(Words, make_home(read_c=None, is_silent=True))
    assert (never.figure, never.of_what, never.measured) == ((UNKNOWN, ""), "no reading yet", "")
    long_ago = told(Words, make_home(read_c=None, is_silent=True, silent_since=at("2026-11-20T08:00").to_pydatetime()))
    assert long_ago.of_what == "no reading of the last days"


# --- what happens next


def test_the_next_heating_is_told_with_its_price_that_of_now_and_how_long_the_water_lasts():
    home = make_home(
        heats=[NIGHT], price={"2026-11-22T00:00": 0.18, "2026-11-26T02:15": 0.08}, planned_c={"2026-11-25T14:15": 43.0}
    )
    assert lines(home) == [
        "Heats next tonight, 02:15 to 03:45 at 8 ct per kWh. Now it would cost 18 ct.",
        "Warm enough until then: at least 43 °C, that is 22 minutes of shower.",
    ]


@pytest.mark.parametrize(
    ("begin", "end", "when"),
    [
        ("2026-11-25T15:00", "2026-11-25T16:00", "today, 15:00 to 16:00"),
        ("2026-11-25T18:00", "2026-11-25T18:15", "this evening, 18:00 to 18:15"),
        ("2026-11-26T05:45", "2026-11-26T06:15", "tonight, 05:45 to 06:15"),
        ("2026-11-26T06:00", "2026-11-26T07:00", "tomorrow, 06:00 to 07:00"),
        ("2026-11-27T02:00", "2026-11-27T03:00", "on Friday, 02:00 to 03:00"),
    ],
)
def test_when_is_told_as_people_say_it(begin, end, when):
    assert lines(make_home(heats=[span(begin, end)]))[0].startswith(f"Heats next {when}")


def test_in_the_small_hours_tonight_is_the_night_that_it_is():
    home = make_home(now=at("2026-11-26T01:00"), heats=[NIGHT], plan_ends="2026-11-28T00:00")
    assert lines(home)[0].startswith("Heats next tonight, 02:15")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de", "Heizt wieder heute Nacht, 02:15 bis 03:45 Uhr für 8 ct pro kWh. Jetzt würde es 18 ct kosten."),
        ("nl", "Verwarmt weer vannacht, 02:15 tot 03:45 uur voor 8 ct per kWh. Nu zou het 18 ct kosten."),
    ],
)
def test_other_languages_say_it_in_their_own_way(language, said):
    home = make_home(heats=[NIGHT], price={"2026-11-22T00:00": 0.18, "2026-11-26T02:15": 0.08})
    assert lines(home, language)[0] == said


def test_a_price_that_is_not_known_is_not_told():
    unknown = make_home(heats=[NIGHT], price={"2026-11-22T00:00": 0.18, "2026-11-26T03:00": np.nan})
    assert lines(unknown)[0] == "Heats next tonight, 02:15 to 03:45 Its price is not known yet."
    now_unknown = make_home(heats=[NIGHT], price={"2026-11-26T02:15": 0.08})
    assert lines(now_unknown)[0] == "Heats next tonight, 02:15 to 03:45 at 8 ct per kWh."


def test_prices_below_nothing_and_in_other_currencies_are_told():
    assert "at -2 ct per kWh" in lines(make_home(heats=[NIGHT], price=-0.02))[0]
    assert "0.80 per kWh" in plain(lines(make_home(heats=[NIGHT], price=0.8, currency="SEK"))[0])


def test_what_heats_now_is_told_with_its_end_and_price():
    home = make_home(
        heats=[span("2026-11-25T14:00", "2026-11-25T15:00")], heats_now=True, heats_until=at("2026-11-25T15:00")
    )
    assert lines(home)[0] == "Heats now, until 15:00 at 18 ct per kWh."


def test_how_long_water_lasts_counts_from_the_end_of_what_heats_now():
    now = {"heats_now": True, "heats_until": at("2026-11-25T15:00"), "heats": [NIGHT]}
    home = make_home(planned_c={"2026-11-25T14:15": 42.0, "2026-11-25T15:00": 60.0}, **now)
    assert lines(home)[-1] == "Warm enough until then: at least 60 °C, that is 33 minutes of shower."


def test_where_nothing_is_to_be_heated_the_end_of_the_plan_is_told():
    assert lines(make_home())[0] == "No heating before Friday 27 November at 00:00"


def test_water_that_cools_below_use_is_told_so_and_what_will_be_missed_first():
    cools = make_home(heats=[NIGHT], planned_c={"2026-11-25T14:15": 50.0, "2026-11-26T00:00": 38.0})
    assert lines(cools)[1] == "It may cool to 38 °C until then, when you hardly use hot water."
    cold_soon = Cold(at("2026-11-25T22:30"), 38.0, 40.0)
    missed = make_home(heats=[NIGHT], cold_soon=cold_soon)
    assert lines(missed)[1] == "It may be too cold at about 22:30: 38 °C."
    # one that misses a floor of 55 °C is no cold shower
    floor = make_home(heats=[NIGHT], cold_soon=Cold(at("2026-11-25T22:30"), 50.0, 55.0))
    assert lines(floor)[1].startswith("Warm enough until then")


def test_without_a_plan_or_in_a_pause_no_price_and_no_next_heating_are_told():
    assert lines(make_home(plan_ends=None, heats=[NIGHT])) == []
    assert lines(make_home(heats=[NIGHT], comfort=Comfort(pause_until=at("2026-11-25T18:00")))) == []


# --- what a button does


def test_warm_now_tells_what_it_does_and_costs_before_it_is_pressed():
    """13 K of 120 l are 13 * 120 * 0.997 * 4.184 / 3600 = 1.8076 kWh: 54.2 minutes at 2 kW; 18 ct and 8 ct a kWh."""
    home = make_home(heats=[NIGHT], price={"2026-11-22T00:00": 0.18, "2026-11-26T02:15": 0.08})
    words = told(Words, home)
    assert words.can_warm
    assert plain(words.before_warming) == (
        "37 minutes of shower by 15:15. Costs about €0.33, that is €0.18 more than tonight."
    )


@pytest.mark.parametrize(
    ("then", "said"),
    [
        (0.18, "Costs about €0.33, as much as tonight."),
        (0.28, "Costs about €0.33, that is €0.18 less than tonight."),
        (np.nan, "Costs about €0.33."),
    ],
)
def test_warm_now_is_compared_with_the_price_of_the_next_heating(then, said):
    home = make_home(heats=[NIGHT], price={"2026-11-22T00:00": 0.18, "2026-11-26T02:15": then})
    assert plain(told(Words, home).before_warming).endswith(said)


def test_warm_now_is_compared_with_nothing_where_nothing_else_is_planned():
    assert plain(told(Words, make_home()).before_warming).endswith("Costs about €0.33.")
    assert plain(told(Words, make_home(plan_ends=None, heats=[NIGHT])).before_warming).endswith("Costs about €0.33.")
    later = make_home(heats=[span("2026-11-25T16:00", "2026-11-25T17:00")])
    assert "as much as later today." in told(Words, later).before_warming


def test_warm_now_says_when_its_price_is_not_known():
    for home in (make_home(price=np.nan), make_home(currency=None)):
        assert "What that costs is not known yet." in told(Words, home).before_warming


def test_warm_now_is_not_offered_where_it_changes_nothing():
    full = told(Words, make_home(read_c=65.0))
    assert (full.can_warm, full.before_warming) == (False, "The water is as warm as it gets.")
    assert not told(Words, make_home(comfort=Comfort(boost_until=at("2026-11-25T15:00")))).can_warm
    assert not told(Words, make_home(comfort=Comfort(pause_until=at("2026-11-25T15:00")))).can_warm
    assert told(Words, make_home(comfort=Comfort(boost_until=at("2026-11-25T14:00")))).can_warm


def test_warm_now_is_offered_to_who_was_never_heard_of_and_lasts_as_from_cold():
    """55 K of 120 l are 7.648 kWh: 3.82 h at 2 kW, so until 18:15."""
    home = make_home(read_c=None)
    words = told(Words, home)
    assert words.can_warm
    assert plain(words.before_warming) == "Heats to 65 °C at once, whatever that costs."
    assert boost_until(home) == at("2026-11-25T18:15")
    assert boost_until(make_home()) == at("2026-11-25T15:15")
    assert boost_until(make_home(read_c=65.0)) == at("2026-11-25T14:45")


# --- what holds, and what is wrong


def test_all_well_says_nothing():
    assert alerts(make_home(heats=[NIGHT])) == []


def test_cold_water_says_since_it_heats_when_it_is_warm_enough():
    home = make_home(
        read_c=37.0,
        cold=Cold(at("2026-11-25T13:00"), 37.0, 40.0),
        heats_now=True,
        planned_c={"2026-11-25T14:15": 38.0, "2026-11-25T14:45": 40.0},
    )
    assert alerts(home) == [
        (
            "cold",
            "The water is too cold to shower.",
            "It heats now and is warm enough (40 °C) at about 15:00.",
        )
    ]


@pytest.mark.parametrize(
    ("known", "text"),
    [
        ({"heats_now": True, "planned_c": 38.0}, "It heats now."),
        ({"planned_c": {"2026-11-25T14:15": 38.0, "2026-11-26T03:30": 45.0}}, "It is warm enough (40 °C) at about"),
        ({"planned_c": 38.0}, "Press “Warm now”, and it heats at once."),
        ({"plan_ends": None}, ""),
    ],
)
def test_cold_water_says_what_helps(known, text):
    ((_, title, said), *_) = alerts(make_home(read_c=37.0, cold=Cold(NOW, 37.0, 40.0), **known))
    assert title == "The water is too cold to shower."
    assert said.startswith(text)
    assert bool(said) == bool(text)


def test_water_below_a_programme_is_not_called_too_cold_to_shower():
    ((state, title, _),) = alerts(make_home(read_c=48.0, cold=Cold(NOW, 48.0, 55.0)))
    assert (state, title) == ("cold", "The water is not as warm as your programme says.")
    boosted = make_home(
        read_c=48.0, cold=Cold(NOW, 48.0, 65.0), heats_now=True, comfort=Comfort(boost_until=at("2026-11-25T15:15"))
    )
    assert [each[1] for each in alerts(boosted)] == ["Heating now, warm at about 15:15."]


def test_silence_says_since_when_what_still_works_and_what_to_check():
    silent = {"is_silent": True, "silent_since": at("2026-11-23T18:05").to_pydatetime()}
    assert alerts(make_home(**silent)) == [
        (
            "silent",
            "Your boiler has not reported since 18:05 on Monday.",
            "It still heats by plan. Is it switched on, and does its Wi-Fi work? Noorderwarmte sees this, too.",
        )
    ]
    assert "Montag um 18:05 Uhr" in alerts(make_home(**silent), "de")[0][1]
    assert "still heats" not in alerts(make_home(**silent, plan_ends=None))[0][2]
    long_ago = make_home(is_silent=True, silent_since=at("2026-11-03T18:05").to_pydatetime())
    assert alerts(long_ago)[0][1] == "Your boiler has not reported since 18:05 on Tuesday 3 November."


def test_a_boiler_that_never_reported_is_planned_from_a_guess():
    assert alerts(make_home(read_c=None, is_silent=True)) == [
        (
            "silent",
            "We have not heard from your boiler yet.",
            "Until it reports, we plan from a guess, on the warm side.",
        )
    ]


def test_without_a_plan_it_is_told_who_heats_and_why():
    text = "Your boiler's own thermostat keeps the water warm, at up to 60 °C, whatever it costs."
    assert alerts(make_home(plan_ends=None)) == [("no_plan", "No plan for now.", text)]
    missing = make_home(plan_ends=None, prices_until=None)
    assert alerts(missing) == [("no_plan", "No plan for now: prices are missing.", text)]
    ends = make_home(plan_ends=None, prices_until=(NOW + timedelta(minutes=59)).to_pydatetime())
    assert alerts(ends)[0][1] == "No plan for now: prices are missing."
    low = BoilerData(temperature_max_c=55.0)
    assert "at up to 55 °C" in alerts(make_home(plan_ends=None, data=low))[0][2]


def test_a_pause_an_absence_and_a_boost_say_until_when():
    paused = make_home(comfort=Comfort(pause_until=at("2026-11-25T18:00")), plan_ends=None)
    ((state, title, text),) = alerts(paused)
    assert (state, title) == ("off_plan", "Paused until 18:00.")
    assert text.startswith("Until then no plan is followed")
    both = Comfort(pause_until=at("2026-11-25T18:00"), boost_until=at("2026-11-25T17:00"))
    assert [each[1] for each in alerts(make_home(comfort=both))] == ["Paused until 18:00."]
    away = make_home(comfort=Comfort(away=Away(at("2026-11-25T14:00"), at("2026-11-29T18:00"))))
    assert alerts(away)[0][1] == "Away until Sunday 29 November, warm again at 18:00."
    assert alerts(away, "de")[0][1] == "Weg bis Sonntag, 29. November, wieder warm um 18:00 Uhr."
    assert told(Words, away).of_what == "of warm shower, kept low while you are away"
    today = make_home(comfort=Comfort(away=Away(at("2026-11-25T14:00"), at("2026-11-25T18:00"))))
    assert alerts(today)[0][1] == "Away until 18:00, warm again by then."
    later = make_home(comfort=Comfort(away=Away(at("2026-11-26T08:00"), at("2026-11-29T18:00"))))
    assert alerts(later)[0][1] == "Away from tomorrow at 08:00 until Sunday 29 November at 18:00."
    assert told(Words, later).of_what == "of warm shower in the tank"
    boost = make_home(comfort=Comfort(boost_until=at("2026-11-26T08:00")))
    assert alerts(boost)[0][1] == "Warm now is on, until tomorrow at 08:00."


def test_what_is_over_is_not_told():
    over = Comfort(
        pause_until=at("2026-11-25T14:20"),
        boost_until=at("2026-11-25T14:20"),
        away=Away(at("2026-11-20T14:20"), at("2026-11-25T14:20")),
    )
    assert alerts(make_home(comfort=over)) == []


def test_each_band_ends_by_its_own_button():
    comfort = Comfort(boost_until=at("2026-11-25T15:00"), away=Away(at("2026-11-25T14:00"), at("2026-11-29T18:00")))
    found = told(Alerts, make_home(comfort=comfort)).all()
    assert [(each.back, each.button) for each in found] == [("stop", "Stop warming"), ("back", "I am back already")]


def test_a_fault_is_told_without_its_workings():
    ((state, title, text),) = alerts(make_home(faults=(Fault("dead element", NOW, "It heats and gets no warmer."),)))
    assert (state, title) == ("fault", "Something about your boiler needs a look.")
    assert text == "Noorderwarmte sees this, too."
    alone = told(Alerts, make_home(faults=(Fault("dead element", NOW, "x"),)), operator=None).all()
    assert alone[0].text == ""


def test_data_of_the_example_are_those_of_the_numbers_above():
    assert DATA.tank.ambient_gain_kw == 0
