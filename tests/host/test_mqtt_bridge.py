"""The bridge with real brokers and simulated devices: readings come in, commands go out, and what is lost ends."""

import asyncio
import json
import multiprocessing
import time
from contextlib import contextmanager

import aiomqtt
import pytest
from flexmeasures import Asset
from flexmeasures.data import db
from sqlalchemy.exc import OperationalError

from smart_boiler_plugin.boiler.connecting import connect
from smart_boiler_plugin.devices.bridged import store
from smart_boiler_plugin.devices.readings import take
from smart_boiler_plugin.embedded.processes import free_port
from tests.brokers import MOSQUITTO, broker
from tests.databases import open_folder
from tests.host.mqtt_world import World, until
from tests.mqtt_devices import KINDS

BROKERS = ["amqtt", pytest.param("mosquitto", marks=pytest.mark.skipif(not MOSQUITTO, reason="mosquitto is not there"))]


@pytest.fixture
def world(app, operator):
    """Boilers with a device of each kind."""
    return World(app, operator[0])


@pytest.fixture(scope="module")
def folder():
    """A folder for brokers."""
    with open_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def port(folder):
    """Port of a broker that runs for all tests here."""
    with broker("amqtt", folder) as (port, _):
        yield port


@pytest.mark.parametrize("which", BROKERS)
def test_readings_are_stored_within_two_seconds_and_commands_come(world, port, folder, which):
    async def run(port):
        async with world.on_the_air(port) as publish, world.bridge(port) as told:
            await until(lambda: any("3 boilers" in text for text in told))
            took = {}
            for kind, device in world.devices.items():
                device.temperature_c = 52.5
                for topic, payload in device.says():
                    await publish(topic, payload)
                took[kind] = await until(lambda kind=kind: 52.5 in world.stored(kind))
            assert max(took.values()) < 2.0
            assert world.stored("shelly-gen2", "fill-rate")[0] == 1.5
            await until(lambda: set(world.seen()) == set(world.assets.values()))
            there = world.seen()
            assert {each.kind for each in there.values()} == set(KINDS)
            assert all(each.at and not each.refuses for each in there.values())
            # a plan that needs no heat: forbidden, at the next look
            for kind in KINDS:
                world.plan(kind, 10.0)
            assert await until(lambda: not any(device.heats for device in world.devices.values())) < 5
            # a boost drops it
            world.wish("shelly-gen2", boost={"until": "2100-01-01T00:00:00+00:00"})
            assert await until(lambda: world.devices["shelly-gen2"].heats) < 5
            assert not world.devices["generic"].heats

    if which == "mosquitto":
        with broker(which, folder) as (other, _):
            asyncio.run(run(other))
    else:
        asyncio.run(run(port))


def test_rubbish_ghosts_duplicates_and_two_devices_on_one_topic_do_no_harm(world, port):
    async def run():
        shelly = world.devices["shelly-gen2"]
        water = f"{shelly.topic}/status/temperature:100"
        async with world.on_the_air(port) as publish:
            # said before the bridge was there, nobody knows when
            await publish(water, '{"tC": 21.0}', retain=True)
            async with world.bridge(port) as told:
                await until(lambda: any("3 boilers" in text for text in told))
                for payload in (b"\xff", b"NaN", '{"tC": 1e400}', "[" * 60_000, b"x" * 200_000, '{"tC": 1e5}', ""):
                    await publish(water, payload)
                    await publish("boilers/generic/temperature", payload)
                for _ in range(5):
                    await publish(water, '{"tC": 52.5}')
                await until(lambda: 52.5 in world.stored("shelly-gen2"))
                # two devices on one topic: what they say is stored, and neither harms another's
                for value in (20.0, 60.0) * 5:
                    await publish(water, json.dumps({"tC": value}))
                await publish("boilers/generic/temperature", "48.5")
                await until(lambda: 48.5 in world.stored("generic"))
            assert world.stored("shelly-gen2").count(52.5) == 1
            assert 21.0 not in world.stored("shelly-gen2")
            assert set(world.stored("generic")) == {48.5}
            assert len(world.stored("shelly-gen2")) <= 12
            await publish(water, "", retain=True)

    asyncio.run(run())


def test_set_points_are_retained_for_who_follows_alone(world, port):
    async def retained(topic):
        async with aiomqtt.Client("127.0.0.1", port) as client:
            await client.subscribe(topic)
            try:
                return json.loads((await asyncio.wait_for(anext(aiter(client.messages)), 2)).payload or "null")
            except asyncio.TimeoutError:
                return None

    async def run():
        world.plan("generic", 55.0)
        async with world.bridge(port) as told:
            await until(lambda: any("3 boilers" in text for text in told))
            await asyncio.sleep(0.3)
            first = await retained("boilers/generic/set-points")
            assert first["set_points_c"] == [55.0] * len(first["set_points_c"])
            assert (first["account"], first["hysteresis_k"]) == (world.accounts["generic"], 2.0)
            assert first["fallback"] == {"on_below_c": 55.0, "off_at_c": 60.0}
            # what is true for minutes only does not stand there
            assert first.keys().isdisjoint({"heat", "until", "why"})
            world.plan("generic", 45.0)
            await asyncio.sleep(1.5)
            assert (await retained("boilers/generic/set-points"))["set_points_c"][0] == 45.0
            # a device that is taken away leaves nothing behind
            with world.app.app_context():
                connect(db.session.get(Asset, world.assets["generic"]), None)
                db.session.commit()
            await until(lambda: any("2 boilers" in text for text in told))
            await asyncio.sleep(0.3)
        assert await retained("boilers/generic/set-points") is None

    asyncio.run(run())


def test_a_broker_that_is_gone_leaves_ordinary_boilers_and_is_found_again(world, folder):
    """Killed: relays are on again within their lease of 4 s, and forbidden anew when it is there again."""

    async def run():
        port = free_port()
        for kind in KINDS:
            world.measure(kind, 58.0)
            world.plan(kind, 10.0)
        devices = list(world.devices.values())
        async with world.bridge(port) as told:
            with broker("amqtt", folder, port):
                async with world.on_the_air(port):
                    await until(lambda: not any(device.heats for device in devices))
            # the broker is killed; the timers of the devices run on
            begin = time.monotonic()
            while not all(device.heats for device in devices):
                assert time.monotonic() - begin < 4.5
                for device in devices:
                    device.advance(time.time())
                await asyncio.sleep(0.05)
            with broker("amqtt", folder, port):
                async with world.on_the_air(port):
                    await until(lambda: not any(device.heats for device in devices), 20)
        assert sum("Boilers heat by their own thermostats" in text for text in told) >= 1

    asyncio.run(run())


def test_readings_that_come_while_the_database_is_away_are_stored_when_it_is_there_again(world, port, monkeypatch):
    async def run():
        async with world.on_the_air(port) as publish, world.bridge(port) as told:
            await until(lambda: any("3 boilers" in text for text in told))

            def away(*_):
                raise OperationalError("SELECT", {}, Exception("the connection is refused"))

            with monkeypatch.context() as patch:
                patch.setattr("smart_boiler_plugin.devices.bridged.take", away)
                await publish("boilers/generic/temperature", "51.5")
                await until(lambda: any("The database gives no answer" in text for text in told))
                assert world.stored("generic") == []
            await until(lambda: world.stored("generic") == [51.5])
            assert "The database is there again." in told

    asyncio.run(run())


def test_what_goes_wrong_with_one_boiler_stops_no_other(world, caplog, monkeypatch):
    strange = world.accounts["tasmota"]

    def taken(rows, *others):
        if any(row["account"] == strange for row in rows):
            raise RuntimeError("nobody foresaw this")
        return take(rows, *others)

    monkeypatch.setattr("smart_boiler_plugin.devices.bridged.take", taken)
    rows = [
        {
            "account": account,
            "kind": "temperature",
            "unit": "°C",
            "times": ["2026-02-06T12:00:00+00:00"],
            "values": [50],
        }
        for account in world.accounts.values()
    ]
    rows.append({**rows[0], "unit": "K"})
    with world.app.app_context():
        assert store(rows) == 2
    assert [world.stored(kind) for kind in KINDS] == [[50.0], [], [50.0]]
    assert f"Readings of account {strange} could not be stored" in caplog.text


def test_a_bridge_that_is_killed_leaves_ordinary_boilers_behind_and_one_that_is_ended_says_so(world, port, folder):
    """The command, in a process of its own: killed, all relays are on again within the lease."""
    for kind in KINDS:
        world.measure(kind, 58.0)
        world.plan(kind, 10.0)
    devices = list(world.devices.values())

    (output := folder / "bridge.log").touch()

    def command():
        with world.app.app_context():
            # connections of the process that this one is a copy of
            db.engine.dispose(close=False)
        words = ["smart-boiler", "mqtt-bridge", "--url", f"mqtt://127.0.0.1:{port}", "--longest-lease", "4"]
        result = world.app.test_cli_runner().invoke(args=words)
        output.write_text(f"{result.exit_code} {result.output}")

    @contextmanager
    def bridge():
        process = multiprocessing.get_context("fork").Process(target=command)
        process.start()
        try:
            yield process
        finally:
            process.kill()
            process.join()

    async def run():
        async with world.on_the_air(port):
            with bridge() as process:
                await until(lambda: not any(device.heats for device in devices))
                process.kill()
                assert await until(lambda: all(device.heats for device in devices), 5) < 4.5
                # nothing was told that does not end
                assert all(device.until is None for device in devices)
            with bridge() as process:
                await until(lambda: not any(device.heats for device in devices))
                process.terminate()
                await until(lambda: not process.is_alive())
        said = output.read_text()
        assert said.startswith("0 ")
        assert "Ended: what forbids boilers to heat ends by itself." in said

    asyncio.run(run())


@pytest.mark.parametrize(
    ("missing", "words", "told"),
    [
        ("aiomqtt", [], "pip install aiomqtt python-jsonpath"),
        (None, ["--url", "tcp://a"], "mqtts://host:8883"),
        (None, ["--longest-lease", "1201"], "4<=x<=1200"),
    ],
)
def test_what_keeps_the_bridge_from_running_is_told_with_what_to_do(boilers, monkeypatch, missing, words, told):
    monkeypatch.setattr("smart_boiler_plugin.cli.devices.find_spec", lambda name: None if name == missing else name)
    result = boilers("mqtt-bridge", *words)
    assert result.exit_code != 0
    assert told in result.output
