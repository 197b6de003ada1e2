"""A customer's statement, through HTTP: who may have it, and what it says."""

import csv
import io
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from flexmeasures import Account, Asset
from flexmeasures.data import db
from flexmeasures.data.services.sensors import delete_sensor

from smart_boiler_plugin.boiler.asset import UNIT_BY_ROLE, Boiler
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.money import accounting
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor
from tests.factories import make_account, make_operator, make_user, store
from tests.host.days import DAY, MIDNIGHT, follow_thermostat, measure, prices, report_day

API = "/smart-boiler-plugin/api/boiler-customer"


@pytest.fixture
def customer(app, operator):
    """Account id of a customer, whose boiler took half of what the thermostat would have, on one day."""
    client, (_, token) = app.test_client(), operator
    body = {"name": "Fam. de Boer", "user_name": "deboer", "user_email": "deboer@example.com"}
    made = client.post(API, json=body, headers={"Authorization": token}).json
    with app.app_context():
        boiler = Boiler(db.session.get(Asset, made["boiler"]))
        store(get_or_create_consumption_price_sensor("NL"), prices(), MIDNIGHT)
        report_day(boiler, 0.5)
    return made["account"]


@pytest.fixture
def ask(app, operator):
    """A function that asks for a statement, by default of the day as the customer's operator."""

    def get(account_id, token=None, accept="application/json", **query):
        return app.test_client().get(
            f"{API}/{account_id}/statement",
            query_string={"from": DAY, "until": DAY, **query},
            headers={"Authorization": token or operator[1], "Accept": accept},
        )

    return get


def test_a_statement_says_what_was_used_paid_and_saved(app, customer, ask):
    answer = ask(customer)
    assert answer.status_code == 200
    said = answer.json
    assert (said["account"], said["name"], said["currency"]) == (customer, "Fam. de Boer", "EUR")
    assert (said["from"], said["until"], said["timezone"]) == ("2025-10-28", "2025-10-28", "Europe/Amsterdam")
    with app.app_context():
        boiler = Boiler(db.session.get(Asset, db.session.query(Asset).filter_by(account_id=customer).one().id))
        kw, _, _ = follow_thermostat(boiler)
        cop = boiler.data.cop
    day, total = said["days"][0], said["total"]
    baseline, kwh = prices() @ kw / 4, kw.sum() / 4
    assert day["day"] == "2025-10-28"
    assert day["electricity_kwh"] == pytest.approx(kwh / 2, abs=1e-3)
    assert day["cost"] == pytest.approx(baseline / 2, abs=1e-4)
    assert day["baseline_cost"] == pytest.approx(baseline, abs=1e-4)
    assert day["mean_price_paid"] == pytest.approx(baseline / kwh, abs=1e-5)
    assert day["mean_price"] == pytest.approx(prices().mean(), abs=1e-5)
    assert day["coverage"] == 1
    # half of the heat is missing at the end, but for what a colder tank loses less
    assert day["missing_heat_cost"] == pytest.approx(kwh / 2 / cop * prices().mean(), rel=0.1)
    saved = day["baseline_cost"] - day["cost"] - day["missing_heat_cost"]
    assert day["savings"] == pytest.approx(saved, abs=2e-4)
    assert {name: total[name] for name in total} == {name: day[name] for name in total}
    assert said["coverage"] == 1


def test_it_comes_as_csv_to_whoever_accepts_that(customer, ask):
    as_json = ask(customer, **{"from": "2025-10-27"}).json
    answer = ask(customer, accept="text/csv", **{"from": "2025-10-27"})
    assert answer.mimetype == "text/csv"
    assert f"statement-{customer}-2025-10-27-2025-10-28.csv" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["day"] for row in rows] == ["2025-10-27", "2025-10-28"]
    assert rows[0]["cost"] == ""
    assert "No consumption price is known on 2025-10-27" in rows[0]["message"]
    for name in ("electricity_kwh", "cost", "savings", "mean_price", "coverage"):
        assert float(rows[1][name]) == as_json["days"][1][name]
    assert rows[1]["currency"] == "EUR"


def test_the_total_sums_up_money_and_averages_prices_and_coverage(app, customer, ask):
    before = MIDNIGHT - timedelta(days=1)
    with app.app_context():
        boiler = Boiler(db.session.query(Asset).filter_by(account_id=customer).one())
        store(boiler.price, [0.5] * 96, before)
        # a day of 1 kW, of which half was metered
        store(boiler.sensors["fill-rate"], [1.0] * 96, before, source_type="scheduler")
        measure(boiler, "fill-rate", [1.0] * 48, before)
        measure(boiler, "demand", [0.0] * 96, before)
    said = ask(customer, **{"from": "2025-10-27"}).json
    first, second = said["days"]
    total = said["total"]
    assert (first["cost"], first["coverage"], second["coverage"]) == (12, 0.5, 1)
    for name in ("electricity_kwh", "cost", "baseline_kwh", "baseline_cost", "missing_heat_cost", "savings"):
        assert total[name] == pytest.approx(first[name] + second[name], abs=1.1e-3)
    assert total["mean_price"] == pytest.approx((0.5 + prices().mean()) / 2, abs=1e-5)
    assert total["mean_price_paid"] == pytest.approx(total["cost"] / total["electricity_kwh"], abs=1e-5)
    assert total["coverage"] == said["coverage"] == 0.75


def test_days_that_are_not_known_say_why_and_lower_the_coverage(customer, ask):
    said = ask(customer, **{"from": "2025-10-25"}).json
    assert len(said["days"]) == 4
    assert "No consumption price is known on 2025-10-25" in said["days"][0]["message"]
    assert "cost" not in said["days"][0]
    assert said["coverage"] == 0.25
    assert said["total"]["cost"] == said["days"][3]["cost"]


@pytest.mark.parametrize(
    ("roles", "code", "said"),
    [
        (["demand", "temperature"], 200, "'electricity_kwh'"),
        (["fill-rate"], 200, "No power is known on 2025-10-28"),
        (list(UNIT_BY_ROLE), 422, "has none of the sensors of a boiler."),
    ],
)
def test_sensors_that_somebody_deleted_have_measured_nothing(app, customer, ask, roles, code, said):
    with app.app_context():
        boiler = Boiler(db.session.query(Asset).filter_by(account_id=customer).one())
        for role in roles:
            delete_sensor(boiler.sensors[role])
            db.session.commit()
    answer = ask(customer)
    assert answer.status_code == code
    assert said in str(answer.json)


def test_without_dates_it_covers_the_thirty_days_up_to_yesterday(app, operator, customer):
    answer = app.test_client().get(f"{API}/{customer}/statement", headers={"Authorization": operator[1]})
    yesterday = pd.Timestamp.now("Europe/Amsterdam").date() - timedelta(days=1)
    assert date.fromisoformat(answer.json["until"]) == yesterday
    assert len(answer.json["days"]) == 30
    assert answer.json["total"] is None
    assert answer.json["coverage"] == 0


@pytest.mark.parametrize(
    ("now", "last"),
    [
        # half an hour into the day after one of 23 hours, and half an hour before the end of one of 25
        ("2025-03-31T00:30+02:00", "2025-03-30"),
        ("2025-10-26T23:30+01:00", "2025-10-25"),
    ],
)
def test_yesterday_is_a_day_of_the_calendar_also_when_the_clock_changes(
    app, operator, customer, monkeypatch, now, last
):
    monkeypatch.setattr(accounting, "server_now", lambda: pd.Timestamp(now).tz_convert("Europe/Amsterdam"))
    answer = app.test_client().get(f"{API}/{customer}/statement", headers={"Authorization": operator[1]})
    assert answer.json["until"] == last


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"until": "2999-01-01"}, "until: 2999-01-01 is not over yet"),
        ({"from": "2025-10-29"}, "from: 2025-10-29 is after the last day, 2025-10-28."),
        ({"from": "2024-10-01"}, "from: 2024-10-01 is too early. A statement covers 366 days at most."),
        ({"from": "0001-01-01", "until": "0001-01-02"}, "Must be greater than or equal to 2000-01-01."),
        ({"from": "yesterday"}, "Not a valid date."),
    ],
)
def test_wrong_spans_are_refused(customer, ask, query, said):
    answer = ask(customer, **query)
    assert answer.status_code == 422
    assert said in str(answer.json["message"])


def test_nobody_but_the_household_its_operator_and_admins_gets_it(app, customer, ask):
    with app.app_context():
        _, other = make_operator("Another company", "another")
        _, admin = make_user(make_account("Administration"), "admin", roles=["admin"])
        _, own = make_user(db.session.get(Account, customer), "own")
        neighbours = make_account("Neighbour", roles=[CUSTOMER_ROLE])
        _, neighbour = make_user(neighbours, "neighbour", roles=["account-admin"])
    assert ask(customer, token=admin).status_code == 200
    refused = ask(customer, token=other)
    assert refused.status_code == 404
    assert refused.json["message"] == f"You have no boiler customer with account id {customer}."
    assert ask(customer, token=own).status_code == 200
    assert ask(customer, token=neighbour).status_code == 404
    assert app.test_client().get(f"{API}/{customer}/statement").status_code == 401


def test_it_agrees_with_what_the_report_stores(app, flexmeasures, customer, ask):
    flexmeasures("smart-boiler", "report", "--date", DAY)
    day = ask(customer).json["days"][0]
    with app.app_context():
        boiler = Boiler(db.session.query(Asset).filter_by(account_id=customer).one())
        for role, name in (("daily cost", "cost"), ("daily savings", "savings")):
            stored = boiler.sensors[role].search_beliefs()["event_value"].to_numpy()
            assert stored == pytest.approx(np.array([day[name]]), abs=1e-4)
