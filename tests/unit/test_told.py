"""What is told last, begins and ends; and how warm a tank must be never to be cold."""

from datetime import datetime, timedelta, timezone

import pytest

from smart_boiler_plugin.boiler.comfort import Comfort, Period
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.fleet.cold import most_wanted_c
from smart_boiler_plugin.fleet.digest import Told, change
from smart_boiler_plugin.plan.policy import Policy

NOW = datetime(2025, 10, 29, 12, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)


def test_what_begins_is_told_at_once_and_once():
    begun = change({"7": ("cold", "Ash")}, {}, NOW)
    assert (dict(begun.begun), dict(begun.ended)) == ({"7": ""}, {})
    assert begun.remembered == {"7": Told("cold", "Ash")}
    again = change({"7": ("cold", "Ash")}, begun.remembered, NOW)
    assert (dict(again.begun), dict(again.ended), again.remembered) == ({}, {}, begun.remembered)


def test_another_state_of_the_same_boiler_has_begun_and_none_has_ended():
    worse = change({"7": ("cold", "Ash")}, {"7": Told("silent", "Ash")}, NOW)
    assert (dict(worse.begun), dict(worse.ended)) == ({"7": "silent"}, {})


@pytest.mark.parametrize(("minutes", "ended"), [(0, False), (59, False), (60, True)])
def test_what_is_gone_for_an_hour_has_ended(minutes, ended):
    gone = change({}, {"7": Told("cold", "Ash")}, NOW)
    assert gone.remembered == {"7": Told("cold", "Ash", NOW)}
    after = change({}, gone.remembered, NOW + minutes * MINUTE)
    assert list(after.ended) == (["7"] if ended else [])
    assert after.remembered == ({} if ended else gone.remembered)


def test_what_is_back_within_an_hour_is_not_told_again():
    back = change({"7": ("cold", "Ash")}, {"7": Told("cold", "Ash", NOW - 50 * MINUTE)}, NOW)
    assert (dict(back.begun), dict(back.ended)) == ({}, {})
    assert back.remembered == {"7": Told("cold", "Ash")}


@pytest.mark.parametrize(
    ("expected", "comfort", "data", "rules"),
    [
        (40.0, Comfort(), BoilerData(), Policy()),
        (45.0, Comfort(useful_temperature_c=45.0), BoilerData(), Policy()),
        (50.0, Comfort(), BoilerData(temperature_min_c=50.0), Policy()),
        (55.0, Comfort(), BoilerData(temperature_min_c=50.0), Policy(floor_c=55.0)),
        (58.0, Comfort(programme=(Period(frozenset({0}), NOW.time(), NOW.time(), 58.0),)), BoilerData(), Policy()),
        (65.0, Comfort(boost_until=NOW), BoilerData(), Policy()),
        (38.0, Comfort(), BoilerData(temperature_max_c=38.0), Policy()),
    ],
)
def test_a_tank_is_never_cold_at_the_warmest_that_is_ever_wanted(expected, comfort, data, rules):
    assert most_wanted_c(data, comfort, rules) == expected
