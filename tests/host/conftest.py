"""A real FlexMeasures app with this plugin, on a real PostgreSQL and Redis, emptied before each test."""

import json
from datetime import timedelta

import pytest
from flexmeasures import Asset
from flexmeasures.data import db
from flexmeasures.data.services.scheduling import handle_scheduling_exception
from rq import SimpleWorker

from smart_boiler_plugin.boiler.asset import Boiler
from tests.factories import make_operator, store
from tests.host.apps import empty
from tests.host.boilers import START, make_household, measure, prices
from tests.host.days import DAY, MIDNIGHT, make_fleet, report_day
from tests.host.days import measure as measure_day
from tests.host.households import API
from tests.host.tariffs import household as new_household

LAST_SEEN = {"last_seen_at", "last_login_at", "login_count"}


def _tables():
    return db.metadata.tables.items()


def _all_of(table):
    return db.select(*(column for column in table.columns if column.name not in LAST_SEEN))


@pytest.fixture(scope="session")
def _app(_running_app):
    with pytest.MonkeyPatch.context() as patch:
        # for what the host writes where it is
        patch.chdir(_running_app.folder)
        yield _running_app.app


@pytest.fixture
def app(_app):
    """The app, with an empty database. Tests push their own contexts: a request must not inherit one."""
    empty(_app)
    return _app


@pytest.fixture
def mails(app):
    """All mails that the app sends, as Flask-Mail records them."""
    with app.mail.record_messages() as outbox:
        yield outbox


@pytest.fixture
def work(app):
    """A function with which a worker does, in this process, all that waits in the queue that every worker runs."""

    def run():
        with app.app_context():
            queue = app.queues["scheduling"]
            # as the host's own
            worker = SimpleWorker(
                [queue], connection=queue.connection, exception_handlers=[handle_scheduling_exception]
            )
            worker.work(burst=True, logging_level="WARNING")

    return run


@pytest.fixture
def contents(app):
    """A function that returns all rows of all tables, to compare before and after.

    Only when users were last seen is left out: the host notes that at each call.
    """

    def read():
        with app.app_context():
            return {name: sorted(map(repr, db.session.execute(_all_of(table)))) for name, table in _tables()}

    return read


@pytest.fixture
def operator(app):
    """Id of the operator's account, and the token of its consultant."""
    with app.app_context():
        return make_operator()


@pytest.fixture
def flexmeasures(app):
    """A function that runs ``flexmeasures WORDS`` and returns click's result."""

    def run(*words):
        return app.test_cli_runner().invoke(args=[str(word) for word in words])

    return run


@pytest.fixture
def household(app):
    """A household's boiler and its price sensor with prices for a day, in an app context."""
    with app.app_context():
        boiler, price = make_household()
        store(price, prices(), START)
        yield boiler, price


@pytest.fixture
def boiler(household):
    """A household's boiler, with prices for a day."""
    return household[0]


@pytest.fixture
def in_service(boiler):
    """The boiler, measured at 52 °C for eight days before the plan."""
    measure(boiler, [52.0] * 768, before=timedelta(days=8))
    return boiler


@pytest.fixture
def fleet(app):
    """Ids of three boilers of two operators, of which something is known of a day (``days.make_fleet``)."""
    with app.app_context():
        return make_fleet()


@pytest.fixture
def boilers(flexmeasures):
    """A function that runs ``flexmeasures smart-boiler WORDS`` and returns click's result."""
    return lambda *words: flexmeasures("smart-boiler", *words)


@pytest.fixture
def call(app, operator):
    """A function that calls the customer interface as the operator's consultant."""
    path_of_all, headers = "/smart-boiler-plugin/api/boiler-customer", {"Authorization": operator[1]}

    def send(method, path="", **body):
        return app.test_client().open(path_of_all + path, method=method, json=body or None, headers=headers)

    return send


@pytest.fixture
def tariff(app, boilers, tmp_path):
    """A function that makes a tariff of a flat rate [EUR/kWh] and fixed fees, with prices from two days before on."""

    def make(name, rate, *fees, vat="0 %", operator=None):
        file = tmp_path / "contract.json"
        contract = {"parts": [{"rate": f"{rate} EUR/kWh"}], "vat": vat, "fixed_fees": [{"fee": fee} for fee in fees]}
        file.write_text(json.dumps(contract))
        whose = ("--operator", operator) if operator else ()
        assert boilers("add-tariff", name, "--file", file, *whose).exit_code == 0
        span = ("--from-date", DAY - timedelta(days=1), "--to-date", DAY + timedelta(days=2))
        assert boilers("update-prices", "--tariff", name, *span).exit_code == 0

    return make


@pytest.fixture
def ash(app, call, tariff):
    """Ids of a customer on a tariff of 0.25 EUR/kWh, of whom two days are known."""
    tariff("Flat", 0.25)
    made = call("POST", **new_household("Ash", tariff="Flat")).json
    with app.app_context():
        boiler = Boiler(db.session.get(Asset, made["boiler"]))
        report_day(boiler, 0.5)
        measure_day(boiler, "fill-rate", [1.0] * 96, MIDNIGHT - timedelta(days=1))
    return made


@pytest.fixture
def statement(app, operator):
    """A function that returns the statement of the two days, as text and as JSON."""

    def ask(made, first=DAY - timedelta(days=1), last=DAY, accept="application/json"):
        return app.test_client().get(
            f"{API}/boiler-customer/{made['account']}/statement",
            query_string={"from": first, "until": last},
            headers={"Authorization": operator[1], "Accept": accept},
        )

    return ask
