from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from marshmallow import ValidationError

from smart_boiler_plugin.boiler.comfort import Away, Comfort, Hygiene, Period
from smart_boiler_plugin.boiler.comfort_schema import ComfortSchema, celsius
from smart_boiler_plugin.clock.week import parse_days

LOCAL = ZoneInfo("Europe/Amsterdam")
EVERY_DAY = frozenset(range(7))


def floor(comfort, begin, hours=24):
    """Lowest allowed temperature at each quarter of an hour from a local time on, by local time as text."""
    moments = pd.date_range(pd.Timestamp(begin, tz=LOCAL), periods=4 * hours, freq="15min")
    values = comfort.lowest_allowed_c(moments, temperature_min_c=45.0, temperature_max_c=65.0)
    return pd.Series(values, index=moments)


def at(comfort, moment):
    return floor(comfort, moment, hours=1).iloc[0]


def programme(begin, until, temperature_c=55.0, days=EVERY_DAY):
    return Comfort(programme=(Period(days, time.fromisoformat(begin), time.fromisoformat(until), temperature_c),))


def test_without_wishes_the_floor_holds_always():
    assert set(floor(Comfort(), "2026-02-04")) == {45.0}


def test_who_asks_for_no_floor_has_none():
    moments = pd.date_range(pd.Timestamp("2026-02-04", tz=LOCAL), periods=96, freq="15min")
    warm = programme("06:30", "08:30").lowest_allowed_c(moments, temperature_min_c=None, temperature_max_c=65.0)
    assert (np.isneginf(warm).sum(), (warm == 55.0).sum()) == (87, 9)


def test_useful_is_what_is_warm_at_the_tap_unless_somebody_says_otherwise():
    assert ComfortSchema().load({}).useful_temperature_c == Comfort().useful_temperature_c == 40.0
    assert ComfortSchema().dump(Comfort())["useful_temperature"] == "40 °C"


def test_a_programme_raises_the_floor_from_its_beginning_until_its_end():
    warm = floor(programme("06:30", "08:30"), "2026-02-04")
    warm = warm[warm == 55.0]
    assert (f"{warm.index[0]:%H:%M}", f"{warm.index[-1]:%H:%M}", len(warm)) == ("06:30", "08:30", 9)


def test_a_programme_holds_on_its_days_alone():
    """2026-02-06 is a Friday."""
    comfort = programme("06:30", "08:30", days=parse_days("mon-fri"))
    assert at(comfort, "2026-02-06 07:00") == 55.0
    assert at(comfort, "2026-02-07 07:00") == 45.0


def test_a_programme_over_midnight_belongs_to_the_day_it_begins():
    """Friday 22:00 to Saturday 02:00."""
    comfort = programme("22:00", "02:00", days=parse_days("fri"))
    found = [at(comfort, f"2026-02-0{day} {clock}") for day, clock in [(6, "01:00"), (6, "23:00"), (7, "01:00")]]
    assert found == [45.0, 55.0, 45.0 + 10.0]
    assert at(comfort, "2026-02-07 23:00") == 45.0


def test_the_highest_of_overlapping_periods_counts_and_none_goes_beyond_the_ceiling():
    comfort = Comfort(
        programme=programme("06:00", "09:00", 50.0).programme + programme("07:00", "08:00", 70.0).programme
    )
    assert [at(comfort, f"2026-02-04 0{hour}:00") for hour in (6, 7, 9)] == [50.0, 65.0, 50.0]


@pytest.mark.parametrize(
    # the clock skips 02:00 to 03:00 on 2026-03-29 and repeats it on 2026-10-25
    ("day", "expected"),
    [("2026-03-28", 2.0), ("2026-03-29", 1.0), ("2026-10-25", 3.0)],
)
def test_on_clock_change_days_a_programme_keeps_to_the_clock_on_the_wall(day, expected):
    """01:30 to 03:30 is an hour shorter in spring and an hour longer in autumn."""
    warm = floor(programme("01:30", "03:30"), day)
    warm = warm[warm == 55.0]
    assert (f"{warm.index[0]:%H:%M}", f"{warm.index[-1]:%H:%M}") == ("01:30", "03:30")
    assert (warm.index[-1] - warm.index[0]) == timedelta(hours=expected)


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_after_a_clock_change_mornings_begin_at_the_same_local_time(day):
    comfort = programme("06:30", "08:30")
    assert [at(comfort, f"{day} {clock}") for clock in ("06:15", "06:30", "08:30", "08:45")] == [45.0, 55.0, 55.0, 45.0]


def test_away_takes_the_floor_off_until_the_return():
    away = Away(datetime(2026, 2, 4, 8, tzinfo=LOCAL), datetime(2026, 2, 4, 18, tzinfo=LOCAL))
    comfort = Comfort(away=away)
    assert [at(comfort, f"2026-02-04 {clock}") for clock in ("07:45", "08:00", "17:45", "18:00")] == [
        45.0, -np.inf, -np.inf, 45.0
    ]  # fmt: skip


def test_a_boost_is_as_hot_as_the_tank_may_be_also_while_away():
    comfort = Comfort(
        away=Away(datetime(2026, 2, 4, 8, tzinfo=LOCAL), datetime(2026, 2, 4, 18, tzinfo=LOCAL)),
        boost_until=datetime(2026, 2, 4, 9, tzinfo=LOCAL),
    )
    assert [at(comfort, f"2026-02-04 {clock}") for clock in ("07:45", "09:00", "09:15")] == [65.0, 65.0, -np.inf]


def test_days_are_read_as_people_write_them():
    assert parse_days("mon-fri") == {0, 1, 2, 3, 4}
    assert parse_days("sat, SUN") == {5, 6}
    assert parse_days("fri-mon") == {4, 5, 6, 0}
    assert parse_days("daily") == EVERY_DAY


FULL = {
    "programme": [{"days": "mon-fri", "from": "06:30", "until": "08:30", "temperature": "131 °F"}],
    "away": {"from": "2026-07-01T08:00:00+02:00", "until": "2026-07-15T18:00:00+02:00"},
    "boost": {"until": "2026-02-04T09:00:00+01:00"},
    "hygiene": {"temperature": "62 °C", "minutes": 20, "days": 3},
    "useful_temperature": "113 °F",
}


def test_wishes_are_read_from_json():
    comfort = ComfortSchema().load(FULL)
    assert comfort.programme == (Period(parse_days("mon-fri"), time(6, 30), time(8, 30), 55.0),)
    assert comfort.away.until == datetime(2026, 7, 15, 18, tzinfo=ZoneInfo("Europe/Amsterdam"))
    assert comfort.hygiene == Hygiene(62.0, timedelta(minutes=20), timedelta(days=3))
    assert comfort.useful_temperature_c == pytest.approx(45.0)


def test_wishes_survive_being_written_and_read():
    comfort = ComfortSchema().load(FULL)
    assert ComfortSchema().load(ComfortSchema().dump(comfort)) == comfort
    assert ComfortSchema().load(ComfortSchema().dump(Comfort())) == Comfort()


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"programme": [{"days": "mo-fr", "from": "06:30", "until": "08:30", "temperature": "55 °C"}]}, "days"),
        ({"programme": [{"from": "6.30", "until": "08:30", "temperature": "55 °C"}]}, "from"),
        ({"programme": [{"from": "06:30", "until": "08:30", "temperature": "hot"}]}, "temperature"),
        ({"programme": [{"from": "06:30", "until": "08:30", "temperature": "150 °C"}]}, "temperature"),
        ({"programme": [{"from": "06:30", "until": "08:30"}]}, "temperature"),
        ({"away": {"from": "2026-07-15T18:00:00+02:00", "until": "2026-07-01T08:00:00+02:00"}}, "until"),
        ({"away": {"from": "2026-07-01T08:00:00", "until": "2026-07-15T18:00:00"}}, "from"),
        ({"hygiene": {"off": " "}}, "off"),
        ({"hygiene": {"off": "because\x00"}}, "off"),
        ({"hygiene": {"off": "because \ud800"}}, "off"),
        ({"hygiene": {"days": 0}}, "days"),
        ({"hygiene": {"days": 367}}, "days"),
        ({"hygiene": {"minutes": 1441}}, "minutes"),
        ({"programe": []}, "programe"),
        ({"useful_temperature": "34.9 °C"}, "useful_temperature"),
        ({"useful_temperature": "55.1 °C"}, "useful_temperature"),
        ({"useful_temperature": "warm"}, "useful_temperature"),
        ({"useful_temperature": None}, "useful_temperature"),
    ],
)
def test_what_is_wrong_is_refused_with_the_name_of_its_field(wrong, path):
    with pytest.raises(ValidationError) as error:
        ComfortSchema().load(wrong)
    assert f"'{path}'" in str(error.value.messages)


@pytest.mark.parametrize(
    ("text", "expected"), [("55 °C", 55), ("55", 55), (55, 55), ("131 degF", 55), ("131°F", 55), ("328.15 K", 55)]
)
def test_temperatures_are_read_with_their_unit(text, expected):
    assert celsius(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["55 kWh", "warm", "", None, True, "nan °C", "55 °X", "50 (", "9 degC**9"])
def test_what_is_no_temperature_is_refused(text):
    with pytest.raises(ValidationError, match="no temperature"):
        celsius(text)
