"""A week of boilers on MQTT: parts of the way are gone each day, and nobody has less hot water for it."""

import pytest

from benchmarks.connected import PARTS, Connected, each_once_a_day, nothing_gone
from benchmarks.measure import unserved_kwh
from benchmarks.simulate import world_of
from tests.mqtt_devices import Device


def unserved(made, gone, step=1):
    """Heat that was drawn and not served at 40 °C, of all boilers [kWh]."""
    return float(unserved_kwh(made.homes, Connected(made, gone, step).live()).sum())


def test_each_part_is_gone_once_a_day_for_hours():
    gone = each_once_a_day(hours=4)
    for part in PARTS:
        away = [gone(part, minute) for minute in range(1440, 8 * 1440)]
        assert 6 * 240 <= sum(away) <= 8 * 240


@pytest.mark.parametrize(
    ("boilers", "days", "step"), [(3, 7, 5), pytest.param(12, 28, 1, marks=pytest.mark.long)], ids=["a week", "weeks"]
)
def test_with_each_part_gone_for_hours_each_day_unserved_heat_grows_by_5_percent_at_most(boilers, days, step):
    made = world_of(boilers, days)
    usual, found = unserved(made, nothing_gone, step), unserved(made, each_once_a_day(), step)
    # else this shows nothing
    assert usual > 0.1
    assert found <= 1.05 * usual


@pytest.mark.long
@pytest.mark.parametrize("part", PARTS)
def test_with_one_part_gone_for_half_of_each_day_it_grows_by_5_percent_at_most(part):
    made, away = world_of(12, 28), each_once_a_day(hours=12)
    found = unserved(made, lambda which, minute: which == part and away(which, minute))
    assert found <= 1.05 * unserved(made, nothing_gone)


@pytest.mark.long
def test_were_it_not_for_the_ends_of_leases_there_would_be_much_more(monkeypatch):
    made = world_of(6, 14)
    usual = unserved(made, nothing_gone)
    monkeypatch.setattr(Device, "advance", lambda *_: [])
    assert unserved(made, each_once_a_day()) > 2 * usual
