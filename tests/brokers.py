"""Real MQTT brokers for tests: amqtt in a process of its own, and mosquitto where it is installed."""

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

from smart_boiler_plugin.embedded.processes import free_port

MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

AMQTT = """
import asyncio
from amqtt.broker import Broker

async def main():
    plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    broker = Broker({"listeners": {"default": {"type": "tcp", "bind": "127.0.0.1:%d"}}, "plugins": plugins})
    await broker.start()
    await asyncio.Event().wait()

asyncio.run(main())
"""


def command_of(kind, port, folder, lines=("allow_anonymous true",)):
    """Return the command that starts a broker."""
    if kind == "amqtt":
        return [sys.executable, "-c", AMQTT % port]
    config = folder / f"mosquitto-{port}.conf"
    config.write_text("\n".join([f"listener {port} 127.0.0.1", "user root", *lines]) + "\n")
    return [MOSQUITTO, "-c", str(config)]


@contextmanager
def broker(kind, folder, port=None, **options):
    """Run a broker; yield its port and its process."""
    port = port or free_port()
    with (folder / f"{kind}-{port}.log").open("ab") as log:
        process = subprocess.Popen(command_of(kind, port, folder, **options), stdout=log, stderr=log)
    try:
        wait_for(port, process)
        yield port, process
    finally:
        process.kill()
        process.wait()


def wait_for(port, process, timeout_s=20):
    """Wait until a process listens on a port."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        assert process.poll() is None, "the broker has ended"
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError("the broker does not listen")
