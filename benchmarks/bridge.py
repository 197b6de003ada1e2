"""How much CPU the bridge takes for many devices, and how soon what they say is stored.

Shellies that speak every ten seconds, over mosquitto where it is installed, else amqtt. Some heat, and get
0.05 K warmer from one message to the next; all others stand still but for the noise of their sensors. Now and then one
says something very different, and it is looked how long that takes to the database. The CPU of the bridge, the broker
and PostgreSQL is told in shares of one core; that of the simulated devices is not.

make benchmark BENCH=bridge ARGS="--devices 1000 --seconds 60"
"""

import argparse
import asyncio
import json
import multiprocessing
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import aiomqtt
import numpy as np
import pandas as pd
import psutil
from flexmeasures import Account, Asset, Sensor
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from sqlalchemy import text
from tabulate import tabulate

from benchmarks.app import app_context
from benchmarks.copies import FIRST, copy_boiler
from smart_boiler_plugin.boiler.connecting import ATTRIBUTE as DEVICE
from smart_boiler_plugin.boiler.connection import Connection
from smart_boiler_plugin.devices.bridge import Bridge
from smart_boiler_plugin.devices.broker import Broker
from smart_boiler_plugin.embedded.redis import Redis
from smart_boiler_plugin.plan.handing_out import ATTRIBUTE, HandedOut
from smart_boiler_plugin.stored import seal
from tests.brokers import MOSQUITTO, broker
from tests.factories import make_household_boiler, make_operator

EVERY_S = 10.0
"""How often each device speaks [s]."""

WARM_UP_S, LONGEST_S = 5.0, 60.0

HEAT = 0.15
"""Share of devices that heat [-]: 3.5 h a day."""

HEADERS = [
    "devices",
    "messages/s",
    "bridge [%]",
    "PostgreSQL [%]",
    "broker [%]",
    "stored within, median [s]",
    "worst [s]",
]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=1000, help="how many (default: 1000)")
    parser.add_argument("--seconds", type=int, default=70, help="for how long, at least (default: 70)")
    asked = parser.parse_args()
    with _redis() as settings, app_context(FLEXMEASURES_MODE="play", **settings) as app:
        sensors = _make(asked.devices)
        kind = "mosquitto" if MOSQUITTO else "amqtt"
        with broker(kind, Path.cwd()) as (port, process), _bridge(app, port) as ours:
            row = asyncio.run(_measured(asked, port, psutil.Process(process.pid), psutil.Process(ours), sensors))
        print(tabulate([row], headers=[*HEADERS, "values stored/s"], floatfmt=".2f"))
        print(f"Broker: {kind}. A share of 100 % is one core.")


@contextmanager
def _redis():
    """Run a Redis; yield the settings to reach it."""
    with tempfile.TemporaryDirectory() as folder:
        redis = Redis(Path(folder))
        try:
            yield redis.settings
        finally:
            redis.stop()


def _make(count):
    """Make boilers with Shellies and plans; return the ids of their sensors of temperature."""
    operator, _ = make_operator()
    boiler = make_household_boiler(db.session.get(Account, operator), "Boiler")
    now = pd.Timestamp.now("UTC").floor("15min").to_pydatetime()
    out = HandedOut(now, now, 10 + 50 * np.random.default_rng(1).random(136), 2.0, 4.0, 65.0)
    boiler.asset.attributes = {**boiler.asset.attributes, ATTRIBUTE: out.as_json()}
    db.session.commit()
    copy_boiler(boiler, operator, count)
    for number in range(1, count + 1):
        device = Connection("shelly-gen2", f"b{number}")
        kept = {"topics": sorted(device.all_topics), "sealed": seal({"of": FIRST + number, "device": device.as_json()})}
        query = text("UPDATE generic_asset SET attributes = attributes || CAST(:kept AS jsonb) WHERE id = :id")
        db.session.execute(query, {"kept": json.dumps({DEVICE: kept}), "id": FIRST + number})
    db.session.commit()
    db.session.execute(text("ANALYZE"))
    db.session.commit()
    query = db.select(Asset.id, Sensor.id).join(Sensor, Sensor.generic_asset_id == Asset.id)
    query = query.filter(Sensor.name == "temperature", Asset.id > FIRST).order_by(Asset.id)
    return [sensor for _, sensor in db.session.execute(query)]


@contextmanager
def _bridge(app, port):
    """Run the bridge in a process of its own; yield its id, once it listens."""
    ours = multiprocessing.get_context("fork")
    listens = ours.Event()

    def run():
        db.engine.dispose(close=False)

        async def work():
            await Bridge(
                app, Broker("127.0.0.1", port), tell=lambda told: listens.set() if "topics" in told else None
            ).run()

        asyncio.run(work())

    process = ours.Process(target=run)
    process.start()
    try:
        if not listens.wait(120):
            raise SystemExit("The bridge does not listen.")
        yield process.pid
    finally:
        process.kill()
        process.join()


async def _measured(asked, port, the_broker, ours, sensors):
    """Let devices speak; return a line of the table."""
    chance, took, count = np.random.default_rng(3), [], len(sensors)
    warm = chance.uniform(45, 60, count)
    heats = chance.random(count) < HEAT
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await asyncio.sleep(WARM_UP_S)
        before, begin, said, rows = _cpu_s(the_broker, ours), time.monotonic(), 0, _stored()
        while (passed := time.monotonic() - begin) < asked.seconds:
            while said < passed * count / EVERY_S:
                number = said % count
                warm[number] += 0.05 * heats[number]
                temperature = round(warm[number] + chance.normal(0, 0.02), 1)
                if said % 400 == 399:
                    temperature = 20.0 + said / 1e4
                    took.append(asyncio.create_task(_until(sensors[number], temperature)))
                payload = json.dumps({"id": 100, "tC": temperature, "tF": temperature * 1.8 + 32})
                await client.publish(f"b{number + 1}/status/temperature:100", payload)
                said += 1
            await asyncio.sleep(0.02)
        cpu = np.subtract(_cpu_s(the_broker, ours), before)
        seconds, rows = time.monotonic() - begin, _stored() - rows
    waited = await asyncio.gather(*took)
    bridge, database, brokers = 100 * cpu / seconds
    return [count, said / seconds, bridge, database, brokers, np.median(waited), max(waited), rows / seconds]


async def _until(sensor, temperature):
    """Return how long it takes until a reading is stored [s]."""
    begin = time.monotonic()
    query = db.select(TimedBelief.event_value).filter_by(sensor_id=sensor, event_value=temperature)
    while db.session.execute(query).first() is None:
        db.session.rollback()
        if time.monotonic() - begin > LONGEST_S:
            raise SystemExit("A reading was not stored.")
        await asyncio.sleep(0.05)
    db.session.rollback()
    return time.monotonic() - begin


def _stored():
    """Return how many values there are."""
    return db.session.execute(text("SELECT count(*) FROM timed_belief")).scalar()


def _cpu_s(the_broker, ours):
    """Return the CPU time of the bridge, of its connections' PostgreSQL, and of the broker [s]."""
    query = text("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
    backends = [psutil.Process(pid) for pid in db.session.execute(query).scalars()]
    db.session.rollback()
    return [sum(sum(each.cpu_times()[:2]) for each in some) for some in ([ours], backends, [the_broker])]


if __name__ == "__main__":
    main()
