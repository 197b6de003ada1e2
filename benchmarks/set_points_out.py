"""What it takes to tell the devices of many boilers what to follow: 10,000 boilers in one GET /set-points.

Prints wall-clock time, CPU time of the server and of PostgreSQL, SQL statements, and the length of the answer::

    make benchmark BENCH=set_points_out
    make benchmark BENCH=set_points_out ARGS="--boilers 1000 --restless 100"
"""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from flask import current_app
from flexmeasures.data import db
from sqlalchemy import text
from tabulate import tabulate

from benchmarks.app import app_context
from benchmarks.copies import copy_boiler
from smart_boiler_plugin.plan.handing_out import ATTRIBUTE, HandedOut
from tests.factories import make_account, make_household_boiler, make_operator
from tests.host.queries import counted_queries

QUARTERS = 136
"""From 14:00 to the end of the next day."""

READINGS = """
    INSERT INTO timed_belief (sensor_id, source_id, event_start, belief_horizon, cumulative_probability, event_value)
    SELECT s.id, (SELECT id FROM data_source WHERE name = 'gateway'),
           :last - q * INTERVAL '15 min', INTERVAL '0', 0.5,
           52 + CASE WHEN s.generic_asset_id % 100 < :restless THEN 2.5 ELSE 0.1 END * q
    FROM generate_series(0, 15) q, sensor s
    WHERE s.name = 'temperature' AND s.generic_asset_id > 1000000
"""
"""Of four hours; of some boilers, such that each must be looked at more closely."""


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boilers", type=int, default=10_000, help="how many (default: 10000)")
    parser.add_argument("--restless", type=int, default=20, help="that draw or heat a lot just now [%%] (default: 20)")
    parser.add_argument("--runs", type=int, default=3, help="how often (default: 3)")
    asked = parser.parse_args()
    with app_context(FLEXMEASURES_MODE="play"):
        operator, token = make_operator()
        boiler = make_household_boiler(make_account("Client"), "Boiler")
        now = pd.Timestamp.now("UTC").floor("15min").to_pydatetime()
        points = 10 + 50 * np.random.default_rng(1).random(QUARTERS)
        out = HandedOut(now, now, points, 2.0, 4.0, 65.0)
        boiler.asset.attributes = {**boiler.asset.attributes, ATTRIBUTE: out.as_json()}
        db.session.commit()
        copy_boiler(boiler, operator, asked.boilers)
        db.session.execute(text("INSERT INTO data_source (name, type, attributes) VALUES ('gateway', 'gateway', '{}')"))
        db.session.execute(text(READINGS), {"last": now, "restless": asked.restless})
        db.session.commit()
        db.session.execute(text("ANALYZE"))
        db.session.commit()
        found = [_called(number, token) for number in range(asked.runs)]
        headers = ["run", "boilers", "may heat", "seconds", "CPU [s]", "CPU of PostgreSQL [s]", "SQL", "answer [MB]"]
        print(tabulate(found, headers=headers, floatfmt=".2f"))


def _called(number, token):
    """Return a line of the table."""
    client = current_app.test_client()
    database = _database_cpu_s()
    with counted_queries() as queries:
        begin, cpu = time.perf_counter(), time.process_time()
        answer = client.get("/smart-boiler-plugin/api/set-points", headers={"Authorization": token})
        took = time.perf_counter() - begin, time.process_time() - cpu
    database = _database_cpu_s() - database
    rows = json.loads(answer.data)["data"]
    return [
        number + 1,
        len(rows),
        sum(row["heat"] for row in rows),
        *took,
        database,
        len(queries),
        len(answer.data) / 1e6,
    ]


def _database_cpu_s():
    """Return what the processes of all connections have used; Linux alone tells."""
    pids = db.session.execute(text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")).scalars()
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
