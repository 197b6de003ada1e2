"""What reports of costs and savings take: 1,000 boilers, one day, everything measured.

Prints CPU time per boiler-day of each part, its share of the whole, and SQL statements for two sizes of fleet::

    make benchmark BENCH=reports
    make benchmark BENCH=reports ARGS="--boilers 200"

All parts are for all boilers at once: "store" stores a day of costs per quarter, the daily cost and the daily savings.
"""

import argparse
import time
from contextlib import contextmanager
from datetime import timedelta

import pandas as pd
from flexmeasures import Source
from flexmeasures.data import db
from sqlalchemy import text
from tabulate import tabulate

from benchmarks.app import app_context
from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE, boilers_of
from smart_boiler_plugin.money.accounting import read_days
from smart_boiler_plugin.money.report import store_day
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor
from tests.factories import make_account, make_household_boiler, store
from tests.host.queries import counted_queries

DAY = pd.Timestamp("2025-10-28", tz="Europe/Amsterdam")
FILL = text("""
    INSERT INTO timed_belief (event_start, belief_horizon, cumulative_probability, event_value, sensor_id, source_id)
    SELECT moment, INTERVAL '0', 0.5, :low + :span * random(), sensor.id, :source
    FROM sensor,
         generate_series(CAST(:start AS timestamptz), CAST(:end AS timestamptz), INTERVAL '15 minutes') AS moment
    WHERE sensor.name = :role
""")


def make_fleet(count):
    """Make boilers with prices and a day of readings, power and draw-offs."""
    owner = make_account("Client", roles=[CUSTOMER_ROLE])
    for number in range(count):
        make_household_boiler(owner, f"Boiler {number}")
    store(get_or_create_consumption_price_sensor("NL"), [0.2, 0.3] * 48, DAY)
    source = Source(name="meter", type="gateway")
    db.session.add(source)
    db.session.flush()
    span = {"start": DAY - timedelta(hours=1), "end": DAY + timedelta(hours=25), "source": source.id}
    for role, low, width in (("temperature", 52, 8), ("fill-rate", 0, 0.4), ("demand", 0, 0.05)):
        db.session.execute(FILL, {**span, "role": role, "low": low, "span": width})
    db.session.commit()
    db.session.execute(text("ANALYZE"))


@contextmanager
def cpu_ms(found, what):
    """Note the CPU time [ms] and the number of SQL statements of a part."""
    with counted_queries() as queries:
        begin = time.process_time()
        yield
        found[what] = (1000 * (time.process_time() - begin), len(queries))


def measure(count):
    """Return CPU time [ms] and SQL statements by part, of a report of so many boilers."""
    found = {}
    boilers = [Boiler(asset) for asset in boilers_of()[:count]]
    # as the command has them when it begins to read
    _ = [(boiler.sensors, boiler.price) for boiler in boilers]
    with cpu_ms(found, "read"):
        (day,) = read_days(boilers, DAY.date())
    with cpu_ms(found, "savings"):
        accounts = day.accounts()
    with cpu_ms(found, "store"):
        store_day(day, accounts)
    with cpu_ms(found, "again, nothing new"):
        store_day(day, accounts)
    db.session.rollback()
    return found


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boilers", type=int, default=1000, help="how many (default: 1000)")
    many = parser.parse_args().boilers
    few = max(many // 10, 1)
    with app_context():
        make_fleet(many)
        measure(1)  # first calls compile and cache
        of_few, of_many = measure(few), measure(many)
    whole = sum(ms for ms, _ in of_many.values())
    rows = [[part, ms / many, ms / whole, of_few[part][1], statements] for part, (ms, statements) in of_many.items()]
    headers = ["part", "CPU [ms/boiler-day]", "share", f"SQL, {few} boilers", f"SQL, {many} boilers"]
    print(tabulate(rows, headers, floatfmt=("", ".2f", ".1%", "", "")))


if __name__ == "__main__":
    main()
