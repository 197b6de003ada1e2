"""How fast customers are taken on: by HTTP, and in bulk on the command line; beside what it costs at the least.

Run: ``.venv/bin/python benchmarks/onboarding.py``. It starts its own stack, and prints ratios measured in this one run.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
from flask_security.utils import hash_password
from flexmeasures.app import create
from sqlalchemy import create_engine, text
from tabulate import tabulate

from smart_boiler_plugin.demo.business import credentials, open_business
from smart_boiler_plugin.demo.http import Api, Login
from smart_boiler_plugin.embedded.stack import Stack

PATH = "/smart-boiler-plugin/api/boiler-customer"
SETTINGS = {
    "SMART_BOILER_TAKE_ON_RATE_LIMIT": "1000000 per minute",
    "FLEXMEASURES_API_DEFAULT_RATE_LIMIT": "1000000 per minute",
}

PLAIN_SQL = [
    """INSERT INTO account (id, name, consultancy_account_id, attributes, secrets)
       SELECT 1000000 + n, 'plain ' || n, 1, '{}', '{}' FROM generate_series(1, :count) n""",
    """INSERT INTO roles_accounts (account_id, role_id)
       SELECT 1000000 + n, (SELECT min(id) FROM account_role) FROM generate_series(1, :count) n""",
    """INSERT INTO fm_user (id, email, username, password, active, fs_uniquifier, account_id)
       SELECT 1000000 + n, n || '@plain.example.com', 'plain' || n, repeat('x', 100), true, 'plain' || n, 1000000 + n
       FROM generate_series(1, :count) n""",
    """INSERT INTO roles_users (user_id, role_id)
       SELECT 1000000 + n, (SELECT min(id) FROM role) FROM generate_series(1, :count) n""",
    """INSERT INTO data_source (name, type, user_id, account_id, attributes)
       SELECT 'plain ' || n, 'user', 1000000 + n, 1000000 + n, '{}' FROM generate_series(1, :count) n""",
    """INSERT INTO generic_asset (id, name, account_id, generic_asset_type_id, attributes, secrets, sensors_to_show,
                                  sensors_to_show_as_kpis, flex_context, flex_model)
       SELECT 1000000 + n, 'Boiler plain ' || n, 1000000 + n, (SELECT min(id) FROM generic_asset_type),
              a.attributes, '{}', a.sensors_to_show, '[]', a.flex_context, a.flex_model
       FROM generate_series(1, :count) n, (SELECT * FROM generic_asset WHERE attributes ? 'smart-boiler' LIMIT 1) a""",
    """INSERT INTO sensor (name, unit, timezone, event_resolution, knowledge_horizon_fnc, knowledge_horizon_par,
                           generic_asset_id, attributes)
       SELECT s.name, s.unit, s.timezone, s.event_resolution, s.knowledge_horizon_fnc, s.knowledge_horizon_par,
              1000000 + n, s.attributes
       FROM generate_series(1, :count) n, (SELECT * FROM sensor WHERE generic_asset_id = (
           SELECT min(id) FROM generic_asset WHERE attributes ? 'smart-boiler')) s""",
    """INSERT INTO audit_log (event_datetime, event, affected_account_id)
       SELECT now(), 'plain', 1000000 + n FROM generate_series(1, 2 * :count) n""",
    """INSERT INTO asset_audit_log (event_datetime, event)
       SELECT now(), 'plain' FROM generate_series(1, 5 * :count) n""",
]
"""The rows of a customer, made for many at once; the user's id and the account's are far above all others."""


def timed(work: Callable[[], object]) -> float:
    """Return how long work takes [s]."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def by_http(api: Api, count: int, clients: int) -> float:
    """Return how long it takes to take on customers by HTTP [s], with some clients at a time."""

    def take_on(number: int) -> None:
        name = f"http{clients}x{number}"
        api.post(PATH, {"name": name, "user_name": name, "user_email": f"{name}@example.com"})

    with ThreadPoolExecutor(clients) as pool:
        return timed(lambda: list(pool.map(take_on, range(count))))


def in_bulk(stack: Stack, count: int) -> float:
    """Return how long ``add-customers`` takes [s]."""
    file = stack.folder / "customers.csv"
    rows = [f"bulk{number},bulk{number},bulk{number}@example.com" for number in range(count)]
    file.write_text("\n".join(["name,user_name,user_email", *rows]))
    words = ("smart-boiler", "add-customers", str(file), "--operator", "1", "--server-url", stack.url)
    return timed(lambda: stack.shell.run(*words))


def hashes(stack: Stack, count: int) -> float:
    """Return how long the host takes to hash passwords [s], as it does for each user."""
    app = create(env="production", path_to_config=str(stack.folder / ".flexmeasures.cfg"))
    with app.app_context():
        return timed(lambda: [hash_password("a password that nobody knows") for _ in range(count)])


def plain_sql(stack: Stack, count: int) -> float:
    """Return how long the same rows take by set-based SQL [s]."""
    engine = create_engine(stack.database_uri)

    def insert() -> None:
        with engine.begin() as connection:
            for statement in PLAIN_SQL:
                connection.execute(text(statement), {"count": count})

    return timed(insert)


@click.command()
@click.option("--http", default=60, show_default=True, help="Customers by HTTP, for each number of clients.")
@click.option("--bulk", default=1000, show_default=True, help="Customers in bulk.")
def main(http: int, bulk: int) -> None:
    """Measure, and print a table."""
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder) / "stack", settings=SETTINGS) as stack:
        open_business(stack)
        stack.start_server()
        operator = credentials(stack)["operator"]
        api = Api(Login(stack.url, operator["email"], operator["password"]))
        by_http(api, 2, 2)  # warm
        measured = [
            ("HTTP, 1 client", by_http(api, http, 1) / http),
            ("HTTP, 4 clients", by_http(api, http, 4) / http),
            (f"CLI, {bulk} in bulk", in_bulk(stack, bulk) / bulk),
            ("floor: one password hash", hashes(stack, 100) / 100),
            ("floor: the same rows by plain SQL", plain_sql(stack, bulk) / bulk),
        ]
    one_hash = dict(measured)["floor: one password hash"]
    rows = [(name, 1000 * each, 1 / each, each / one_hash) for name, each in measured]
    click.echo(
        tabulate(
            rows, ["way", "ms per customer", "customers per s", "x one hash"], floatfmt=(".0f", ".2f", ".1f", ".2f")
        )
    )


if __name__ == "__main__":
    main()
