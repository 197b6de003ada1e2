"""What learning from a day takes: 1,000 boilers that reported temperature and power each quarter of an hour.

Prints CPU time of this process and of PostgreSQL, SQL statements and rows written, of the first time and of doing the
same again; and what it takes to read habits of 28 such days::

    make benchmark BENCH=learning
    make benchmark BENCH=learning ARGS="--boilers 10000"
"""

import argparse
import os
import time
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from flexmeasures import Asset, Source
from flexmeasures.data import db
from sqlalchemy import text
from tabulate import tabulate

from benchmarks.app import app_context
from benchmarks.controls import Sensors, thermostat
from benchmarks.copies import copy_boiler
from benchmarks.households import households
from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE, boiler_ids
from smart_boiler_plugin.learning.daily import learn
from smart_boiler_plugin.learning.habits import habits
from tests.factories import make_account, make_household_boiler, make_operator
from tests.host.queries import counted_queries

DAY = pd.Timestamp("2025-10-28", tz="Europe/Amsterdam")
NOW = DAY + timedelta(hours=27)
KINDS = 30
"""How many different households there are; others draw as one of these."""

FILL = text("""
    INSERT INTO timed_belief (event_start, belief_horizon, cumulative_probability, event_value, sensor_id, source_id)
    SELECT :start + number * INTERVAL '15 minutes', INTERVAL '0', 0.5, value, sensor.id, :source
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS nth FROM sensor WHERE name = :role) AS sensor
    JOIN unnest(CAST(:kinds AS int[]), CAST(:numbers AS int[]), CAST(:values AS float8[]))
         AS given (kind, number, value) ON sensor.nth % :many = given.kind
""")

TEACH = text("""
    INSERT INTO timed_belief (event_start, belief_horizon, cumulative_probability, event_value, sensor_id, source_id)
    SELECT (event_start AT TIME ZONE 'Europe/Amsterdam' - number * INTERVAL '1 day') AT TIME ZONE 'Europe/Amsterdam',
           belief_horizon, 0.5, event_value, sensor_id, source_id
    FROM timed_belief JOIN data_source ON data_source.id = source_id, generate_series(1, 27) AS number
    WHERE data_source.type = 'inferred'
""")


def make_fleet(count):
    """Make boilers, and what they reported of a day and around it."""
    operator, _ = make_operator()
    boiler = make_household_boiler(make_account("Client", roles=[CUSTOMER_ROLE]), "Boiler")
    copy_boiler(boiler, operator, count - 1)
    source = Source(name="meter", type="gateway")
    db.session.add(source)
    db.session.flush()
    moments = pd.date_range(DAY - timedelta(hours=12), periods=160, freq="15min")
    homes = households(KINDS, moments)
    run, sensors = thermostat(homes), Sensors(homes)
    for quarter, states in enumerate(run.state_kwh):
        sensors.measure(quarter, states)
    read_c = sensors.sent_c
    # the others have larger boilers
    small = np.flatnonzero([each.tapping_profile == "S" for each in homes.entered])
    for role, values in (("temperature", read_c[:, small]), ("fill-rate", 4 * run.electricity_kwh[:, small])):
        number, kind = (each.ravel().tolist() for each in np.indices(values.shape))
        given = {"kinds": kind, "numbers": number, "values": values.ravel().tolist()}
        about = {"start": moments[0].to_pydatetime(), "source": source.id, "role": role, "many": len(small)}
        db.session.execute(FILL, {**given, **about})
    db.session.commit()
    db.session.execute(text("ANALYZE"))


def postgres_cpu_s():
    """Return the CPU time [s] of this session's process of PostgreSQL."""
    pid = db.session.execute(text("SELECT pg_backend_pid()")).scalar_one()
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def cpu_s(found, what):
    """Add CPU times [s] and the number of SQL statements of a part to a list."""
    before = postgres_cpu_s()
    with counted_queries() as queries:
        begin = time.process_time()
        yield
        own = time.process_time() - begin
    server = postgres_cpu_s() - before
    found.append([what, own, server, own + server, len(queries)])


def habits_of_all():
    """Return of how many days the habits of all boilers are known, a thousand at a time."""
    ids, days = boiler_ids(), []
    for begin in range(0, len(ids), 1000):
        query = db.select(Asset).filter(Asset.id.in_(ids[begin : begin + 1000]))
        days += habits([Boiler(asset) for asset in db.session.scalars(query)], NOW).days.tolist()
    return days


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boilers", type=int, default=1000, help="how many (default: 1000)")
    count = parser.parse_args().boilers
    with app_context():
        make_fleet(count)
        found = []
        for what in ("a day", "again, nothing new"):
            rows = db.session.execute(text("SELECT count(*) FROM timed_belief")).scalar_one()
            with cpu_s(found, what):
                outcomes = Counter(outcome.what for outcome in learn(DAY.date(), now=NOW))
            written = db.session.execute(text("SELECT count(*) FROM timed_belief")).scalar_one() - rows
            found[-1].extend([written, dict(outcomes)])
        db.session.execute(TEACH)
        db.session.commit()
        with cpu_s(found, "habits of 28 days"):
            days = habits_of_all()
        found[-1].extend([0, f"{np.mean(days):g} days"])
    headers = ["of all boilers", "CPU [s]", "PostgreSQL [s]", "both [s]", "SQL", "rows written", "outcome"]
    print(f"{count} boilers")
    print(tabulate(found, headers, floatfmt=".2f"))


if __name__ == "__main__":
    main()
