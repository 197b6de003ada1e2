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
from smart_boiler_plugin.devices.readings import take
from tests.factories import make_account, make_household_boiler, make_operator
from tests.host.queries import counted_queries

START = pd.Timestamp("2025-10-28", tz="Europe/Amsterdam")

COPIES = [
    """INSERT INTO account (id, name, consultancy_account_id, attributes, secrets)
       SELECT 1000000 + n, 'copy ' || n, :operator, '{}', '{}' FROM generate_series(1, :count) n""",
    """INSERT INTO generic_asset (id, name, account_id, generic_asset_type_id, attributes, secrets, sensors_to_show,
                                  sensors_to_show_as_kpis, flex_context, flex_model)
       SELECT 1000000 + n, 'Boiler copy ' || n, 1000000 + n, a.generic_asset_type_id, a.attributes, '{}', '[]', '[]',
              a.flex_context, a.flex_model
       FROM generate_series(1, :count) n, (SELECT * FROM generic_asset WHERE id = :asset) a""",
    """INSERT INTO sensor (name, unit, timezone, event_resolution, knowledge_horizon_fnc, knowledge_horizon_par,
                           generic_asset_id, attributes)
       SELECT s.name, s.unit, s.timezone, s.event_resolution, s.knowledge_horizon_fnc, s.knowledge_horizon_par,
              1000000 + n, s.attributes
       FROM generate_series(1, :count) n, (SELECT * FROM sensor WHERE generic_asset_id = :asset) s""",
]
"""Boilers like one that was taken on; their accounts are numbered from 1000001."""


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
        for copy in COPIES:
            numbers = {"operator": operator, "count": asked.boilers, "asset": boiler.asset.id}
            needed = {name: value for name, value in numbers.items() if f":{name}" in copy}
            db.session.execute(text(copy), needed)
        db.session.commit()
        db.session.execute(text("ANALYZE"))
        rows = [
            {
                "account": 1_000_001 + number,
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
