"""A real MQTT broker on the loopback interface, in this process: who is on this machine may say and hear anything."""

from __future__ import annotations

import asyncio
import logging
from threading import Thread
from typing import Any

START_TIMEOUT_S = 20
"""How long it may take to start, and to end [s]."""


class Broker:
    """A broker.

    Parameters
    ----------
    port
        TCP port on the loopback interface to listen on.

    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="broker", daemon=True)
        self._thread.start()
        self._broker = asyncio.run_coroutine_threadsafe(self._started(), self._loop).result(START_TIMEOUT_S)

    async def _started(self) -> Any:
        from amqtt.broker import Broker as Amqtt  # noqa: PLC0415 (see the package's docstring)

        logging.getLogger("amqtt").setLevel(logging.ERROR)
        logging.getLogger("transitions").setLevel(logging.ERROR)
        anybody = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
        listener = {"type": "tcp", "bind": f"127.0.0.1:{self._port}"}
        broker = Amqtt({"listeners": {"default": listener}, "plugins": anybody})
        await broker.start()
        return broker

    def stop(self) -> None:
        """Stop listening, and forget what is retained."""
        asyncio.run_coroutine_threadsafe(self._broker.shutdown(), self._loop).result(START_TIMEOUT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_TIMEOUT_S)
