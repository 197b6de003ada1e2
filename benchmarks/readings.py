"""What it takes to store the readings of many boilers that come in one call: 10,000 boilers, a reading each.

Prints CPU time of this process and SQL statements, for the first call, and for the same call sent again::

    make benchmark BENCH=readings
    make benchmark BENCH=readings ARGS="--boilers 1000 --values 96"
"""

import argparse
import time

import pandas as pd
from flexmeasures import User
from flexmeasures.data import db
from sqlalchemy import text
from tabulate import tabulate

from benchmarks.app import app_context
from benchmarks.copies import FIRST, copy_boiler
from smart_boiler_plugin.devices.readings import take
from tests.factories import make_account, make_household_boiler, make_operator
from tests.host.queries import counted_queries

START = pd.Timestamp("2025-10-28", tz="Europe/Amsterdam")


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boilers", type=int, default=10_000, help="how many (default: 10000)")
    parser.add_argument("--values", dest="count", type=int, default=1, help="readings of each (default: 1)")
    parser.add_argument("--resolution", default="PT15M", help="from one to the next (default: PT15M)")
    asked = parser.parse_args()
    with app_context():
        operator, _ = make_operator()
        boiler = make_household_boiler(make_account("Client"), "Boiler")
        copy_boiler(boiler, operator, asked.boilers)
        db.session.commit()
        db.session.execute(text("ANALYZE"))
        rows = [
            {
                "account": FIRST + 1 + number,
                "kind": kind,
                "unit": unit,
                "start": START.isoformat(),
                "resolution": asked.resolution,
                "values": [value] * asked.count,
            }
            for number in range(asked.boilers)
            for kind, unit, value in (("temperature", "°C", 55.0), ("power", "W", 750.0))
        ]
        user, found = db.session.query(User).one(), []
        for what in ("first", "again"):
            with counted_queries() as queries:
                begin = time.process_time()
                taken = take(rows, user, pd.Timestamp.now("UTC").to_pydatetime())
                found.append([what, len(rows), taken.stored, time.process_time() - begin, len(queries)])
        print(tabulate(found, headers=["call", "rows", "written", "CPU [s]", "SQL"], floatfmt=".2f"))


if __name__ == "__main__":
    main()
