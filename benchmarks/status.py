"""What one look at a fleet takes: 500 and 10,000 boilers with readings of two days and plans of 36 h in the database.

Prints seconds of the call as a server answers it (a page of 25), CPU time of this process and of PostgreSQL, SQL
statements, and the ratio to what may be::

    make benchmark BENCH=status
    make benchmark BENCH=status ARGS="--boilers 500"

A hundredth of the boilers has a dead element, a hundredth is colder than its plan, a hundredth silent, and a hundredth
without a plan. The first call reads what is stored of each boiler; later ones have it still where nothing has changed.
"""

import argparse
import multiprocessing
import tempfile
import time
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path

import pandas as pd
from flexmeasures.data import db
from sqlalchemy import text
from tabulate import tabulate

from benchmarks.app import app_context
from benchmarks.filled import fill
from smart_boiler_plugin.embedded.redis import Redis
from tests.host.queries import counted_queries

ALLOWED_S = {500: 0.3, 10_000: 3.0}
"""How long the answer may take by the number of boilers [s]."""

PREFIX, API = "/smart-boiler-plugin", "/api"


def postgres_cpu():
    """CPU time of all that PostgreSQL does for this database [s]."""
    pids = db.session.execute(text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")).scalars()
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids) / 1e9


def measured(client, path, token):
    """Return seconds, CPU time of this process and of PostgreSQL [s], and statements of a call; and the answer."""
    theirs = postgres_cpu()
    with counted_queries() as queries:
        begin, ours = time.perf_counter(), time.process_time()
        answer = client.get(f"{PREFIX}{path}", headers={"Authorization": token})
        took = [time.perf_counter() - begin, time.process_time() - ours]
    if answer.status_code != HTTPStatus.OK:
        raise SystemExit(answer.text)
    return [*took, postgres_cpu() - theirs, len(queries)], answer.get_json(silent=True)


def measure(count):
    """Return rows: boilers, call, seconds, CPU of this process and PostgreSQL, statements, share of what may be."""
    with tempfile.TemporaryDirectory(prefix="smart-boiler-") as folder, ExitStack() as running:
        redis = Redis(Path(folder))
        running.callback(redis.stop)
        app = running.enter_context(app_context(**redis.settings))
        _, token = fill(count, pd.Timestamp.now("Europe/Amsterdam"))
        client, rows = app.test_client(), []
        for path, what in (
            (f"{API}/fleet", "first look"),
            (f"{API}/fleet", "look again"),
            (f"{API}/fleet?state=silent&page=2", "a page of the silent ones"),
            (f"{API}/fleet?sort-by=coldest", "by the coldest planned"),
            (f"{API}/fleet/load", "load of 36 h"),
            ("/", "the operator's page, first"),
            ("/", "the operator's page, again"),
            ("/?state=silent&page=2", "its silent ones"),
        ):
            took, _ = measured(client, path, token)
            is_look = path.startswith((f"{API}/fleet?state", "/?")) or path in {f"{API}/fleet", "/"}
            may = ALLOWED_S.get(count) if is_look else None
            rows.append([count, what, *took, took[0] / may if may else None])
        counts = measured(client, f"{API}/fleet", token)[1]["counts"]
        print(f"{count} boilers:", ", ".join(f"{number} {state}" for state, number in counts.items() if number))
    return rows


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boilers", type=int, action="append", help="how many (default: 500, and 10000)")
    counts = parser.parse_args().boilers or list(ALLOWED_S)
    # the host can be made once in a process
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        rows = [row for of_count in pool.map(measure, counts, chunksize=1) for row in of_count]
    headers = ["boilers", "call", "wall [s]", "CPU [s]", "PostgreSQL [s]", "SQL", "of what may be"]
    print(tabulate(rows, headers, floatfmt=("", "", ".2f", ".2f", ".2f", "", ".2f")))


if __name__ == "__main__":
    main()
