"""The example of rights for mosquitto: no device reads or switches another, and the bridge reaches all."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import aiomqtt
import pytest

from tests.brokers import MOSQUITTO, broker
from tests.databases import open_folder

PASSWD = shutil.which("mosquitto_passwd")

pytestmark = pytest.mark.skipif(not (MOSQUITTO and PASSWD), reason="mosquitto is not there")

ACL = Path(__file__).parents[2] / "docs" / "mosquitto.acl"


async def passes(port, sender, topic, hearer, pattern):
    """Return whether what one user sends on a topic comes to another who asks for a pattern."""
    async with (
        aiomqtt.Client("127.0.0.1", port, username=hearer, password="secret") as ears,
        aiomqtt.Client("127.0.0.1", port, username=sender, password="secret") as mouth,
    ):
        await ears.subscribe(pattern)
        await mouth.publish(topic, "x", qos=1)
        try:
            await asyncio.wait_for(anext(aiter(ears.messages)), 0.3)
        except asyncio.TimeoutError:
            return False
        return True


@pytest.mark.parametrize(
    ("sender", "topic", "hearer", "pattern", "allowed"),
    [
        ("7", "boilers/7/status/switch:0", "bridge", "boilers/7/status/switch:0", True),
        ("bridge", "boilers/7/rpc", "7", "boilers/7/rpc", True),
        ("bridge", "cmnd/boiler9/Backlog", "boiler9", "cmnd/boiler9/#", True),
        ("boiler9", "tele/boiler9/SENSOR", "bridge", "tele/boiler9/SENSOR", True),
        # another's temperature, another's relay, all at once
        ("7", "boilers/7/status/switch:0", "8", "boilers/7/status/switch:0", False),
        ("7", "boilers/7/status/switch:0", "8", "#", False),
        ("8", "boilers/7/rpc", "7", "boilers/7/rpc", False),
        ("8", "boilers/7/status/temperature:100", "bridge", "boilers/7/status/temperature:100", False),
        ("boiler9", "cmnd/boiler8/POWER", "bridge", "cmnd/#", False),
        ("8", "boilers/8/set-points", "7", "boilers/8/set-points", False),
    ],
)
def test_each_boiler_reaches_its_own_topics_alone(port, sender, topic, hearer, pattern, allowed):
    assert asyncio.run(passes(port, sender, topic, hearer, pattern)) is allowed


@pytest.fixture(scope="module")
def port():
    """Port of a mosquitto with these rights."""
    with open_folder() as folder:
        (folder / "users").touch()
        for user in ("7", "8", "boiler8", "boiler9", "bridge"):
            subprocess.run([PASSWD, "-b", folder / "users", user, "secret"], check=True)
        lines = ["allow_anonymous false", f"password_file {folder / 'users'}", f"acl_file {ACL}"]
        with broker("mosquitto", folder, lines=lines) as (port, _):
            yield port
