"""Who must be looked at closely, by ten looks at each; a tank of 80 l that 1.5 kW warm by 4.05 K in a quarter."""

import numpy as np
import pytest

from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.fleet.screening import AGO, LATELY, RECENT, Limits, odd, silence
from smart_boiler_plugin.physics.readings import Vessel

NOW = 1_761_750_240.0
AGO_S = np.array([ago.total_seconds() for ago in AGO])
DATA = BoilerData()
VESSEL = Vessel(DATA.tank, DATA.power_kw, DATA.cop * DATA.power_kw, DATA.temperature_max_c)
LIMITS = Limits(*(np.array([value]) for value in (VESSEL.rise_k_per_h, VESSEL.coldest_c, VESSEL.hottest_c)))
# the newest first; heated between 11 and 15 hours ago
HEALTHY = np.array([50.0, 50.1, 50.2, 50.4, 50.9, 51.5, 54.0, 58.0, 45.0, 47.0])

SINCE_SEVEN_HOURS = np.array([50, 51, 52, 53, 54, 55, 56, np.nan, np.nan, np.nan])


def is_odd(temperature_c=HEALTHY, at_s=None, sources=1, heating_h=0.0, limits=LIMITS):
    at_s = NOW - AGO_S - 300 if at_s is None else at_s
    values = np.asarray(temperature_c, dtype=float)
    return bool(odd(at_s[None], values[None], np.array([sources]), limits, np.array([heating_h]))[0])


def changed(**values):
    """The healthy tank, but for some looks by their number."""
    made = HEALTHY.copy()
    for number, value in values.items():
        made[int(number[1:])] = value
    return made


def test_it_is_looked_now_and_in_the_last_three_hours_and_back_for_a_day():
    assert AGO[0].total_seconds() == 0
    assert RECENT == 6
    assert LATELY.total_seconds() == 3 * 3600
    assert AGO[-1].total_seconds() > 23 * 3600


def test_a_tank_that_cools_and_was_heated_is_not_odd():
    assert not is_odd()


@pytest.mark.parametrize(
    "case",
    [
        {"sources": 2},
        {"temperature_c": changed(_0=8.4)},
        {"temperature_c": changed(_9=85.1)},
        {"temperature_c": changed(_0=85.0)},
        # in a quarter, 16.2 * 1.1 / 4 + 1.5 K at most
        {"temperature_c": changed(_0=56.1), "heating_h": 0.25},
        {"temperature_c": np.linspace(50, 60, 10)},
        {"heating_h": 1.0},
        {"temperature_c": changed(_0=51.0, _1=50.0, _2=49.0, _3=48.0, _4=47.0, _5=46.0)},
    ],
    ids=["two sources", "too cold", "too hot", "power on", "a jump", "all day", "planned", "by itself"],
)
def test_what_cannot_be_or_should_not_is_odd(case):
    assert is_odd(**case)


@pytest.mark.parametrize(
    "case",
    [
        {"temperature_c": changed(_0=8.6)},
        {"temperature_c": changed(_9=84.8)},
        {"temperature_c": changed(_0=52.1), "heating_h": 0.25},
        # two kelvin up in an hour, as planned
        {"temperature_c": changed(_4=48.0), "heating_h": 1.0},
        {"heating_h": 0.75},
        {"temperature_c": changed(_0=51.0, _1=50.0, _2=49.0, _3=48.0, _4=47.0, _5=46.0), "heating_h": 0.25},
        {"temperature_c": changed(_0=50.9, _1=50.0, _2=49.0, _3=48.0, _4=47.0, _5=46.0)},
        # known for some hours alone
        {"temperature_c": SINCE_SEVEN_HOURS, "at_s": NOW - AGO_S + 0 * SINCE_SEVEN_HOURS},
        {"temperature_c": np.full(10, np.nan), "heating_h": 2.0},
    ],
    ids=["cold", "hot", "heated", "warmer", "just begun", "asked", "by less than 5 K", "new", "nothing read"],
)
def test_what_may_be_is_not(case):
    assert not is_odd(**case)


def test_without_knowing_the_tank_levels_and_rises_say_nothing():
    unknown = Limits(*(np.array([np.nan]) for _ in range(3)))
    assert not is_odd(changed(_0=56.1, _9=8.0), limits=unknown, heating_h=0.25)


def quiet(at_s, longest_h=2.0):
    sure, maybe = silence(np.asarray(at_s, dtype=float)[None], NOW, np.array([longest_h * 3600]))
    return bool(sure[0]), bool(maybe[0])


def test_who_reports_each_quarter_is_silent_after_two_hours():
    quarter = NOW // 900 * 900
    last = quarter - 7200
    seen = np.minimum((NOW - AGO_S) // 900 * 900, last)
    assert quiet(seen) == (True, False)
    assert quiet(seen + 900) == (False, False)


def test_who_reports_now_and_then_may_be_silent_and_after_half_a_day_is():
    seen = np.full(10, NOW - 5 * 3600)
    seen[7:] = NOW - 20 * 3600
    assert quiet(seen) == (False, True)
    assert quiet(seen, longest_h=12.0) == (False, False)
    assert quiet(np.full(10, NOW - 13 * 3600)) == (True, False)


def test_who_was_not_seen_all_day_is_silent():
    assert quiet(np.full(10, np.nan)) == (True, False)
