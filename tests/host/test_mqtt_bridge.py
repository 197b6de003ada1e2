"""The bridge with real brokers and simulated devices: readings come in, commands go out, and what is lost ends."""

import asyncio

import pytest

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


@pytest.fixture(scope="module", params=BROKERS)
def port(request, folder):
    """Port of a broker that runs for all tests here, of each kind."""
    with broker(request.param, folder) as (port, _):
        yield port


def test_readings_are_stored_within_two_seconds_and_commands_come(world, port):
    async def run():
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
            # a plan that needs no heat: forbidden, at the next look
            for kind in KINDS:
                world.plan(kind, 10.0)
            assert await until(lambda: not any(device.heats for device in world.devices.values())) < 5
            # a boost drops it
            world.wish("shelly-gen2", boost={"until": "2100-01-01T00:00:00+00:00"})
            assert await until(lambda: world.devices["shelly-gen2"].heats) < 5
            assert not world.devices["generic"].heats
            return took

    asyncio.run(run())
