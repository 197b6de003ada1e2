"""A simulated board before a boiler, that speaks MQTT: it says how warm the water is, and follows what it is told."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from smart_boiler_plugin.embedded.processes import StackError

TIMEOUT_S = 40
"""How long it waits for what it is to be told [s]."""


def say(port: int, topic: str, temperature: float) -> None:
    """Say how warm the water is, in the board's own unit."""

    async def speak() -> None:
        import aiomqtt  # noqa: PLC0415 (see embedded/__init__.py)

        async with aiomqtt.Client("127.0.0.1", port) as client:
            await client.publish(f"{topic}/temperature", f"{temperature:.1f}", qos=1)

    asyncio.run(speak())


def told(port: int, topic: str, what: str) -> dict[str, Any]:
    """Return what the board is told next that fits, on the broker of a port.

    Parameters
    ----------
    port
        Of the broker.
    topic
        Of the board.
    what
        "set-points" or "heat".

    Raises
    ------
    StackError
        If it is told nothing in time.

    """

    async def listen() -> dict[str, Any]:
        import aiomqtt  # noqa: PLC0415 (as above)

        async with aiomqtt.Client("127.0.0.1", port) as client:
            await client.subscribe(f"{topic}/{what}")
            async for message in client.messages:
                document = json.loads(message.payload)
                if document.get("set_points_c") != []:
                    return dict(document)
        return {}

    async def in_time() -> dict[str, Any]:
        return await asyncio.wait_for(listen(), TIMEOUT_S)

    try:
        return asyncio.run(in_time())
    except asyncio.TimeoutError as error:
        raise StackError(f"The board at {topic} was told no {what} within {TIMEOUT_S} s") from error
