"""The bridge to devices that speak MQTT: one asyncio process between a broker and the database.

Whoever is gone, bridge, broker or database: what forbids a device to heat ends by itself, in the device. What devices
said while the database was away is stored when it is there again.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from smart_boiler_plugin import transactions
from smart_boiler_plugin.boiler.profiles import Sends
from smart_boiler_plugin.boiler.seen import note
from smart_boiler_plugin.devices.bridged import Bridged, look, store
from smart_boiler_plugin.devices.broker import Broker
from smart_boiler_plugin.devices.lease import LONGEST
from smart_boiler_plugin.devices.messages import Reader

if TYPE_CHECKING:
    import aiomqtt

Done = TypeVar("Done")

STORED_EVERY_S = 0.5
"""How often what devices have said is stored [s]."""

NOTED_EVERY_S = 1.0
"""How often it is noted which devices were there [s]."""

LOOKED_EVERY = timedelta(minutes=1)
"""How often it is looked what devices are to be told, at full minutes."""

TOPICS_AT_ONCE = 200
"""How many topics one packet subscribes to."""

REFUSED = 0x80
"""From this code on, a broker has refused a subscription (MQTT 3.1.1, section 3.9.3)."""

AT_ONCE = 100
"""How many messages wait for the broker's answer at once."""

SHORTEST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
"""How long it waits before it connects again [s], twice as long each time."""

MOST_ROWS, ROWS_AT_ONCE = 100_000, 2_000
"""How many rows of readings wait while the database is away, and how many are stored at once."""


class Bridge:
    """The bridge.

    Parameters
    ----------
    app
        The host's.
    broker
        Where devices are.
    longest
        For how long heating is forbidden at most; less than ``lease.LONGEST`` for tests.
    tell
        Called with what people who watch it are to know.

    """

    def __init__(
        self,
        app: Flask,
        broker: Broker,
        *,
        longest: timedelta = LONGEST,
        tell: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._app, self._broker, self._tell = app, broker, tell
        self._bridged = Bridged(min(longest, LONGEST))
        self._every_s = min(LOOKED_EVERY, longest / 4).total_seconds()
        self._subscribed: set[str] = set()
        self._waiting: deque[dict[str, Any]] = deque(maxlen=MOST_ROWS)
        self._threads = ThreadPoolExecutor(3, thread_name_prefix="bridge")
        self._is_away = False
        self.stop = asyncio.Event()

    async def run(self) -> None:
        """Work until ``stop`` is set."""
        always = [asyncio.create_task(each) for each in (self._store_always(), self._note_always())]
        try:
            await self._connect_always()
        finally:
            self.stop.set()
            await asyncio.gather(*always)
            self._threads.shutdown()

    async def _connect_always(self) -> None:
        import aiomqtt  # noqa: PLC0415 (of an extra; the host imports this module at each start)

        tls, wait_s = self._broker.tls(), SHORTEST_WAIT_S
        while not self.stop.is_set():
            try:
                async with aiomqtt.Client(
                    self._broker.host,
                    self._broker.port,
                    username=self._broker.user,
                    password=self._broker.password,
                    tls_context=tls,
                    max_queued_incoming_messages=MOST_ROWS,
                    max_inflight_messages=AT_ONCE,
                ) as client:
                    client.pending_calls_threshold = 2 * AT_ONCE
                    wait_s = SHORTEST_WAIT_S
                    self._tell(f"Connected to {self._broker.address}.")
                    await self._serve(client)
            except aiomqtt.MqttError as error:
                self._tell(f"{self._broker.address}: {error}. Boilers heat by their own thermostats; trying again.")
                await self._wait(wait_s * random.uniform(0.5, 1.0))  # noqa: S311 (so that not all come at once)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    async def _serve(self, client: aiomqtt.Client) -> None:
        """Listen and tell over one connection, until it is lost or we are to stop."""
        self._subscribed = set()
        self._bridged.forget()
        works: list[Coroutine[Any, Any, Any]] = [self._listen(client), self._tell_always(client), self.stop.wait()]
        tasks = [asyncio.create_task(each) for each in works]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            # what is retained was said before we came, nobody knows when
            if message.retain:
                continue
            try:
                self._bridged.hear(message.topic.value, message.payload, time.time())
            except Exception:
                # whatever one device says, it stops no other
                self._app.logger.exception("A message on %s could not be read", message.topic)

    async def _tell_always(self, client: aiomqtt.Client) -> None:
        while True:
            await self._look(client)
            await asyncio.sleep(self._every_s - time.time() % self._every_s)

    async def _look(self, client: aiomqtt.Client) -> None:
        """Look once who is there and what all are to be told, and tell them."""
        looked = await self._in_thread(look)
        if looked is None:
            return
        devices, told = looked
        self._bridged.know(devices)
        await self._subscribe(client, self._bridged.reader)
        await self._publish(client, self._bridged.commands(told, datetime.now(timezone.utc)), retain=False)
        await self._publish(client, self._bridged.set_points(told), retain=True)

    async def _subscribe(self, client: aiomqtt.Client, reader: Reader) -> None:
        new, gone = sorted(reader.topics.keys() - self._subscribed), sorted(self._subscribed - reader.topics.keys())
        if gone:
            await client.unsubscribe(gone)
        for begin in range(0, len(new), TOPICS_AT_ONCE):
            some = new[begin : begin + TOPICS_AT_ONCE]
            granted = await client.subscribe([(topic, 0) for topic in some])
            codes = [code if isinstance(code, int) else code.value for code in granted]
            refused = [topic for topic, code in zip(some, codes, strict=False) if code >= REFUSED]
            if refused:
                self._tell(f"The broker lets us not listen to {', '.join(refused)}. See the rights in docs/devices.md.")
        self._subscribed = set(reader.topics)
        if new or gone:
            self._tell(f"{len(self._bridged.connections)} boilers, {len(self._subscribed)} topics.")

    async def _publish(self, client: aiomqtt.Client, messages: Iterable[Sends], *, retain: bool) -> None:
        gate = asyncio.Semaphore(AT_ONCE)

        async def send(message: Sends) -> None:
            async with gate:
                # a command that waits with the broker for a device that is away would come too late: such go at
                # QoS 0, which waits for nobody
                await client.publish(message.topic, message.payload, qos=1 if retain else 0, retain=retain)

        await asyncio.gather(*(send(message) for message in messages))

    async def _store_always(self) -> None:
        while not self.stop.is_set():
            await self._wait(STORED_EVERY_S)
            await self._store(time.time())

    async def _store(self, now_s: float) -> None:
        """Store what is to be stored now; what fails waits."""
        self._waiting.extend(self._bridged.samples.rows(now_s))
        while self._waiting:
            some = list(islice(self._waiting, ROWS_AT_ONCE))
            if await self._in_thread(partial(store, some)) is None:
                return
            for _ in some:
                self._waiting.popleft()

    async def _note_always(self) -> None:
        """Note who is there: by itself, as Redis may keep us waiting where it is away."""
        while not self.stop.is_set():
            await self._wait(NOTED_EVERY_S)
            await self._in_thread(partial(note, self._bridged.heard()))

    async def _in_thread(self, work: Callable[[], Done]) -> Done | None:
        """Return what a work on the database comes to; None where that gives no answer, which is told once."""

        def done() -> Done:
            with self._app.app_context():
                return work()

        try:
            result = await asyncio.get_running_loop().run_in_executor(self._threads, done)
        except (SQLAlchemyError, RedisError) as error:
            if not self._is_away:
                self._tell(f"The database gives no answer ({transactions.told(error)}). Boilers heat by themselves.")
            self._is_away = True
            return None
        if self._is_away:
            self._tell("The database is there again.")
        self._is_away = False
        return result

    async def _wait(self, seconds: float) -> None:
        """Wait, but no longer than until we are to stop."""
        try:
            await asyncio.wait_for(self.stop.wait(), seconds)
        except asyncio.TimeoutError:
            return
