"""Devices of all paths show in the fleet's state: of what kind, when they were last there, and what they refuse."""

from datetime import timedelta

import pandas as pd
import pytest

from smart_boiler_plugin.boiler import seen
from smart_boiler_plugin.boiler.seen import DeviceSeen
from tests.host.connections import redis_that_is_away
from tests.host.households import API, World

AT = pd.Timestamp("2026-02-06T12:08:00", tz="UTC").to_pydatetime()


@pytest.fixture
def world(app):
    """Ash with a Shelly, Birch with a token, Cedar of another operator."""
    world = World(app)
    path = f"{API}/boiler-customer/{world.ash.account}"
    answer = world.call("operator", "PATCH", path, {"device": {"kind": "shelly-gen2", "topic": "boilers/7"}})
    assert answer.status_code == 200
    body = {"name": "board", "customers": [world.birch.account]}
    world.tokens["board"] = f"Bearer {world.call('operator', 'POST', f'{API}/device-tokens', body).json['token']}"
    return world


def note(world, **told):
    """Note that Ash's Shelly was there."""
    with world.app.app_context():
        seen.note({world.ash.boiler: DeviceSeen(**{"kind": "shelly-gen2", "at": AT, **told})})


def rows(world, who="operator"):
    """Rows of the fleet, by name."""
    return {row["name"]: row for row in world.call(who, "GET", f"{API}/fleet").json["data"]}


def test_each_boiler_shows_its_device_and_when_it_was_last_there(world):
    found = rows(world)
    assert found["Ash"]["device"] == {"kind": "shelly-gen2", "last_seen": None}
    assert found["Birch"]["device"] is None
    assert rows(world, "rival")["Cedar"]["device"] is None
    note(world)
    assert world.call("board", "GET", f"{API}/boiler-customer/{world.birch.account}/now").status_code == 200
    found = rows(world)
    assert found["Ash"]["device"] == {"kind": "shelly-gen2", "last_seen": "2026-02-06T13:08:00+01:00"}
    last = pd.Timestamp(found["Birch"]["device"]["last_seen"])
    assert found["Birch"]["device"]["kind"] == "http"
    assert abs(pd.Timestamp.now("UTC") - last) < timedelta(minutes=1)


def test_readings_by_a_token_count_as_seen_and_those_of_people_do_not(world):
    reading = {"kind": "temperature", "unit": "°C", "start": "2026-02-06T12:00:00Z", "resolution": "PT15M"}
    for who, name in (("board", "birch"), ("operator", "cedar")):
        body = {"readings": [{**reading, "account": getattr(world, name).account, "values": [50.0]}]}
        assert world.call(who, "POST", f"{API}/readings", body).status_code == 200
    found = rows(world)
    assert found["Birch"]["device"]["kind"] == "http"
    assert found["Ash"]["device"]["last_seen"] is None


def test_a_device_that_refuses_is_a_fault(world):
    note(world, refuses="Its relay is on though it was told off.", since=AT)
    row = rows(world)["Ash"]
    assert row["state"] == "fault"
    assert row["faults"][0] == {
        "kind": "refuses",
        "since": "2026-02-06T13:08:00+01:00",
        "message": "Its device does not do what it is told: Its relay is on though it was told off.",
    }
    note(world)
    assert rows(world)["Ash"]["state"] != "fault"


def test_who_has_got_another_device_is_told_nothing_of_the_one_before(world):
    note(world, refuses="It answered: no")
    path = f"{API}/boiler-customer/{world.ash.account}"
    world.call("operator", "PATCH", path, {"device": {"kind": "tasmota", "topic": "boiler7"}})
    assert rows(world)["Ash"]["device"] == {"kind": "tasmota", "last_seen": None}
    world.call("operator", "PATCH", path, {"device": None})
    row = rows(world)["Ash"]
    assert (row["device"], row["faults"]) == (None, [])


def test_without_redis_nothing_is_known_of_devices_and_all_else_is_shown(world, monkeypatch):
    note(world)
    monkeypatch.setattr(world.app, "redis_connection", redis_that_is_away())
    with world.app.app_context():
        assert seen.seen_of([world.ash.boiler]) == {}
        seen.note({world.ash.boiler: DeviceSeen("tasmota")})
