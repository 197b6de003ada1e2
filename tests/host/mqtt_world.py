"""A bridge on the test's app, and simulated devices on a real broker, in one asyncio loop."""

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import aiomqtt
import numpy as np
import pandas as pd
from flexmeasures import Account, Asset
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief

from smart_boiler_plugin.boiler.connecting import connect
from smart_boiler_plugin.boiler.connection import Connection
from smart_boiler_plugin.boiler.seen import seen_of
from smart_boiler_plugin.devices.bridge import Bridge
from smart_boiler_plugin.devices.broker import Broker
from smart_boiler_plugin.plan.handing_out import ATTRIBUTE, HandedOut
from tests.factories import make_account, make_household_boiler, store
from tests.mqtt_devices import KINDS

QUARTER = pd.Timedelta("15min")


class World:
    """Boilers of one operator with a device of each kind; ids of their assets by kind."""

    def __init__(self, app, operator_id):
        self.app = app
        with app.app_context():
            operator = db.session.get(Account, operator_id)
            boilers = {kind: make_household_boiler(make_account(kind, consultancy=operator), kind) for kind in KINDS}
            self.assets = {kind: boiler.asset.id for kind, boiler in boilers.items()}
            self.accounts = {kind: boiler.asset.account_id for kind, boiler in boilers.items()}
            for kind, boiler in boilers.items():
                connect(boiler.asset, Connection(kind, self.topic(kind)))
            db.session.commit()
        self.devices = {kind: device(self.topic(kind)) for kind, device in KINDS.items()}

    @staticmethod
    def topic(kind):
        """Topic of the device of a kind."""
        return f"boilers/{kind}"

    def plan(self, kind, point, start=None):
        """Keep a set-point for a day with a boiler, as a plan does."""
        now = pd.Timestamp.now("UTC")
        with self.app.app_context():
            asset = db.session.get(Asset, self.assets[kind])
            start = (start or now.floor("15min")).to_pydatetime()
            out = HandedOut(now.to_pydatetime(), start, np.full(96, point), 2.0, 4.0, 65.0)
            asset.attributes = {**asset.attributes, ATTRIBUTE: out.as_json()}
            db.session.commit()

    def wish(self, kind, **comfort):
        """Store what a household or its operator wants."""
        with self.app.app_context():
            asset = db.session.get(Asset, self.assets[kind])
            ours = {**asset.attributes["smart-boiler"], "comfort": comfort}
            asset.attributes = {**asset.attributes, "smart-boiler": ours}
            db.session.commit()

    def measure(self, kind, value):
        """Store a reading of the quarter before this one, and of this one."""
        with self.app.app_context():
            (sensor,) = [s for s in db.session.get(Asset, self.assets[kind]).sensors if s.name == "temperature"]
            now = pd.Timestamp.now("UTC").floor("15min")
            store(sensor, [value] * 2, now - QUARTER, recorded_at=now)

    def stored(self, kind, role="temperature"):
        """Return all that the bridge has stored on a sensor, the last first."""
        with self.app.app_context():
            (sensor,) = [s for s in db.session.get(Asset, self.assets[kind]).sensors if s.name == role]
            query = db.select(TimedBelief).filter_by(sensor_id=sensor.id).order_by(TimedBelief.belief_horizon)
            return [b.event_value for b in db.session.scalars(query) if b.source.name == "MQTT bridge"]

    def seen(self):
        """Return what is known of the devices."""
        with self.app.app_context():
            return seen_of(list(self.assets.values()))

    @asynccontextmanager
    async def bridge(self, port, longest=4):
        """Run the bridge; yield what it tells."""
        told = []
        lease = timedelta(seconds=longest)
        bridge = Bridge(self.app, Broker("127.0.0.1", port), longest=lease, tell=told.append)
        task = asyncio.create_task(bridge.run())
        try:
            yield told
        finally:
            bridge.stop.set()
            await task

    @asynccontextmanager
    async def on_the_air(self, port, *kinds):
        """Let devices speak and hear; yield a function that publishes anything."""
        devices = [self.devices[kind] for kind in kinds or KINDS]
        async with aiomqtt.Client("127.0.0.1", port) as client:
            await client.subscribe([(topic, 0) for device in devices for topic in device.listens])
            tasks = [asyncio.create_task(each) for each in (_answer(client, devices), _advance(client, devices))]
            try:
                yield client.publish
            finally:
                for task in tasks:
                    task.cancel()
                with suppress(aiomqtt.MqttError):
                    await asyncio.gather(*tasks, return_exceptions=True)


async def _answer(client, devices):
    """Let devices do what messages say."""
    async for message in client.messages:
        topic = message.topic.value
        for device in devices:
            said = device.hear(topic, message.payload.decode(), time.time()) if topic in device.listens else []
            for answer in said:
                await client.publish(*answer)


async def _advance(client, devices):
    """Let the devices' own timers run."""
    while True:
        for device in devices:
            for said in device.advance(time.time()):
                await client.publish(*said)
        await asyncio.sleep(0.05)


async def until(condition, timeout_s=10.0):
    """Wait until it is true; return after how long [s]."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < timeout_s, "it did not become true in time"
        await asyncio.sleep(0.02)
    return time.monotonic() - begin
