"""Each profile with a simulated device: what is said is read, what is told is done, and a lease ends by itself."""

import json
from datetime import datetime, timedelta, timezone

import pytest

from smart_boiler_plugin.boiler.connection import Connection
from smart_boiler_plugin.devices.lease import FALLBACK, LEFT_ALONE, PLAN, Lease
from smart_boiler_plugin.devices.messages import LARGEST_MESSAGE, Reader
from smart_boiler_plugin.devices.relay import Relay
from tests.mqtt_devices import KINDS

NOON = datetime(2026, 2, 6, 12, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)


def lease(heat, until=NOON + 20 * MINUTE, why=PLAN):
    return Lease(heat, until, why)


class Pair:
    """A device and what we know of it, without a network."""

    def __init__(self, kind, longest=20 * MINUTE):
        topic = "boiler7" if kind == "tasmota" else "boilers/7"
        self.connection = Connection(kind, topic)
        self.device, self.relay = KINDS[kind](topic), Relay(self.connection.profile, longest)
        self.reader, self.told = Reader({7: self.connection}), []

    def hear(self, messages, now):
        """Let us hear what the device says."""
        said = [each for message in messages for each in self.reader.read(*message)]
        self.told += [(each.what, each.value) for each in said]
        for each in said:
            self.relay.hear(each.what, each.value, now)

    def tell(self, lease, now):
        """Tell the device what there is to tell; return whether there was anything."""
        sends = self.relay.tell(lease, now)
        if sends is not None:
            assert sends.topic in self.device.listens
            self.hear(self.device.hear(sends.topic, sends.payload, now.timestamp()), now)
        return sends is not None

    def pass_until(self, now):
        """Let the device's own timer run."""
        self.hear(self.device.advance(now.timestamp()), now)


pairs = pytest.mark.parametrize("kind", KINDS)


@pairs
def test_a_lease_forbids_and_ends_by_itself(kind):
    pair = Pair(kind)
    assert pair.tell(lease(heat=False), NOON)
    assert not pair.device.heats
    pair.pass_until(NOON + 20 * MINUTE - MINUTE)
    assert not pair.device.heats
    pair.pass_until(NOON + 20 * MINUTE)
    assert pair.device.heats


@pairs
def test_it_is_renewed_each_five_minutes_and_told_nothing_in_between(kind):
    pair = Pair(kind)
    told = [
        minute
        for minute in range(60)
        if pair.tell(lease(heat=False, until=NOON + (minute // 5 * 5 + 20) * MINUTE), NOON + minute * MINUTE)
    ]
    assert told == list(range(0, 60, 5))
    pair.pass_until(NOON + 74 * MINUTE)
    assert not pair.device.heats
    pair.pass_until(NOON + 75 * MINUTE)
    assert pair.device.heats


@pairs
def test_a_lease_that_must_end_sooner_is_told_at_once(kind):
    pair = Pair(kind)
    pair.tell(lease(heat=False), NOON)
    sooner = lease(heat=False, until=NOON + 13 * MINUTE)
    assert pair.tell(sooner, NOON + MINUTE)
    assert not pair.tell(sooner, NOON + 2 * MINUTE)
    assert not pair.tell(lease(heat=False, until=NOON + 25 * MINUTE), NOON + 3 * MINUTE)
    if kind != "tasmota":  # whose time is always the same, as it is kept in its flash memory: we end it
        pair.pass_until(NOON + 13 * MINUTE)
        assert pair.device.heats


@pairs
def test_a_boost_drops_the_lease_at_once(kind):
    pair = Pair(kind)
    pair.tell(lease(heat=False), NOON)
    assert pair.tell(lease(heat=True, why=LEFT_ALONE), NOON + MINUTE)
    assert pair.device.heats
    # and nothing flips it back off
    pair.pass_until(NOON + 60 * MINUTE)
    assert pair.device.heats


@pairs
def test_what_is_not_known_of_a_device_is_told_once_and_who_is_left_alone_is_told_nothing(kind):
    pair = Pair(kind)
    assert not pair.tell(lease(heat=True, why=LEFT_ALONE), NOON)
    assert pair.tell(lease(heat=True), NOON)
    assert not pair.tell(lease(heat=True), NOON + 60 * MINUTE)
    pair.relay.forget()
    assert pair.tell(lease(heat=True, why=FALLBACK), NOON + 60 * MINUTE)


def test_a_relay_that_is_off_though_it_may_heat_is_told_once_more_but_not_while_a_fitter_is_there():
    pair = Pair("shelly-gen2")
    pair.tell(lease(heat=True), NOON)
    pair.device.heats = False
    pair.hear(pair.device.says(), NOON + MINUTE)
    assert pair.relay.refusal == "Its relay is off though it may heat."
    assert not pair.tell(lease(heat=True, why=LEFT_ALONE), NOON + 10 * MINUTE)
    assert not pair.device.heats
    pair.hear(pair.device.says(), NOON + 10 * MINUTE)
    assert pair.relay.refusal == ""
    assert pair.tell(lease(heat=True), NOON + 11 * MINUTE)
    assert pair.device.heats


@pytest.mark.parametrize("kind", ["shelly-gen2", "tasmota"])
def test_a_device_that_does_not_do_what_it_is_told_refuses_and_does_again(kind):
    pair = Pair(kind)
    pair.tell(lease(heat=False), NOON)
    pair.device.heats = True
    # it may take a moment
    pair.hear(pair.device.says(), NOON + timedelta(seconds=10))
    assert pair.relay.refusal == ""
    pair.hear(pair.device.says(), NOON + MINUTE)
    assert pair.relay.refusal.startswith(("Its relay is on", "It draws 1.50 kW"))
    assert pair.relay.refuses_since == NOON + MINUTE
    pair.device.heats = False
    pair.hear(pair.device.says(), NOON + 2 * MINUTE)
    assert (pair.relay.refusal, pair.relay.refuses_since) == ("", None)


def test_what_a_device_answers_in_place_of_doing_it_is_told():
    pair = Pair("shelly-gen2")
    pair.hear([("boilers/7/bridge/rpc", '{"id": 1, "error": {"code": -103, "message": "Invalid argument"}}')], NOON)
    assert pair.relay.refusal == "It answered: Invalid argument"
    tasmota = Pair("tasmota")
    tasmota.hear([("stat/boiler7/RESULT", '{"Command": "Unknown"}')], NOON)
    assert tasmota.relay.refusal == "It answered: Unknown"


def test_a_lease_of_tasmota_is_one_message_and_wears_no_flash_memory():
    pair = Pair("tasmota")
    for minute in range(0, 600, 5):
        pair.tell(lease(heat=False, until=NOON + (minute + 20) * MINUTE), NOON + minute * MINUTE)
    assert pair.device.flash_writes == 2
    assert pair.device.commands[0][1:] == ("Backlog", "PowerOnState 5; PulseTime1 1300; Power1 OFF")


def test_shorter_leases_for_tests_are_kept_by_all():
    for kind in KINDS:
        pair = Pair(kind, longest=timedelta(seconds=8))
        pair.tell(lease(heat=False), NOON)
        pair.pass_until(NOON + timedelta(seconds=7.9))
        assert not pair.device.heats
        pair.pass_until(NOON + timedelta(seconds=8))
        assert pair.device.heats


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("shelly-gen2", [("power", 1.5), ("output", True), ("temperature", 50.0)]),
        ("tasmota", [("output", True), ("temperature", 50.0), ("power", 1.5)]),
        ("generic", [("temperature", 50.0)]),
    ],
)
def test_what_devices_say_is_read(kind, values):
    pair = Pair(kind)
    pair.hear(pair.device.says(), NOON)
    assert pair.told == values
    question = pair.relay.ask()
    if question is not None:
        assert question.topic in pair.device.listens
        pair.told.clear()
        pair.hear(pair.device.hear(question.topic, question.payload, 0), NOON)
        assert ("temperature", 50.0) in pair.told
        assert ("power", 1.5) in pair.told


def test_a_generic_device_says_where_what_is():
    connection = Connection(
        "generic",
        "b",
        temperature_topic="house/state",
        temperature_path="$.tanks[1]['hot water']",
        temperature_unit="°F",
        power_path="$.kw",
        power_unit="kW",
        command_topic="house/cmd",
        on="1",
        off="0 {seconds}",
    )
    reader, relay = Reader({7: connection}), Relay(connection.profile)
    said = reader.read("house/state", b'{"tanks": [{}, {"hot water": 122}], "kw": "1.2"}')
    assert [(each.what, each.value) for each in said] == [("temperature", 50.0), ("power", 1.2)]
    sends = relay.tell(lease(heat=False), NOON)
    assert (sends.topic, sends.payload) == ("house/cmd", "0 1200")
    assert relay.tell(lease(heat=True), NOON + MINUTE).payload == "1"


def test_degrees_of_a_tasmota_that_is_set_to_fahrenheit_are_fahrenheit():
    reader = Reader({7: Connection("tasmota", "b")})
    (said,) = reader.read("tele/b/SENSOR", '{"DS18B20-1": {"Temperature": 122.0}, "TempUnit": "F"}')
    assert said.value == pytest.approx(50.0)


NESTED = "[" * 50_000

RUBBISH = [
    b"",
    b"\xff\xfe\x00",
    b"hello",
    b"NaN",
    b"Infinity",
    b"1e400",
    b"null",
    b"true",
    b'"52.3 C"',
    b'{"tC": NaN}',
    b'{"tC": 1e400}',
    b'{"tC": null, "errors": ["read"]}',
    b'{"tC": true}',
    b'{"tC": "x"}',
    b'{"tC": [52]}',
    b"[]",
    NESTED.encode(),
    (NESTED + "]" * 50_000).encode(),
    b'{"tC": ' + b"9" * 5_000 + b"}",
    b'{"tC": 52.0, "x": "' + b"x" * LARGEST_MESSAGE + b'"}',
    None,
    5,
]


@pytest.mark.parametrize("payload", RUBBISH, ids=range(len(RUBBISH)))
def test_rubbish_says_nothing(payload):
    reader = Reader({7: Connection("shelly-gen2", "b"), 8: Connection("generic", "g"), 9: Connection("tasmota", "t")})
    for topic in ("b/status/temperature:100", "b/bridge/rpc", "g/temperature", "tele/t/SENSOR", "tele/t/STATE", "x"):
        assert reader.read(topic, payload) == []


def test_commands_are_json_whatever_the_topic_is_called():
    connection = Connection("shelly-gen2", "Boiler Größe/7'")
    sends = Relay(connection.profile).tell(lease(heat=False), NOON)
    assert json.loads(sends.payload)["params"] == {"id": 0, "on": False, "toggle_after": 1200}
