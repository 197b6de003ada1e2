"""Fixed fees per day and month: in statements and reports, in no savings and no plan. Amounts by hand."""

import csv
import io
from datetime import date, timedelta

import pytest
from flexmeasures import Asset
from flexmeasures.data import db

from smart_boiler_plugin.boiler import history
from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.prices import tariffs
from smart_boiler_plugin.prices.terms import ATTRIBUTE
from tests.host.boilers import START, planned, scheduler_of
from tests.host.days import DAY, MIDNIGHT, measure, stored
from tests.host.tariffs import household

ONE = DAY - timedelta(days=1)
# October has 31 days: (7.75 / 31 + 0.10) * 1.21
A_DAY = 0.4235


@pytest.fixture
def elm(app, call, tariff):
    """Ids of a customer with fixed fees, of whom the power of one day is known."""
    tariff("Fees", 0.25, "7.75 EUR/month", "0.10 EUR/day", vat="21 %")
    made = call("POST", **household("Elm", tariff="Fees")).json
    with app.app_context():
        measure(boiler_of(made), "fill-rate", [1.0] * 96, MIDNIGHT)
    return made


def boiler_of(made):
    return Boiler(db.session.get(Asset, made["boiler"]))


def taken_on(app, made, day):
    with app.app_context():
        boiler_of(made).change_history(lambda known: {**known, history.TAKEN_ON: day.isoformat()})
        db.session.commit()


def test_they_are_a_line_of_their_own_in_the_total_and_in_no_savings(app, call, elm, statement, tariff):
    tariff("Bare", 0.25, vat="21 %")
    bare = call("POST", **household("Oak", tariff="Bare")).json
    with app.app_context():
        measure(boiler_of(bare), "fill-rate", [1.0] * 96, MIDNIGHT)
    with_fees, without = (statement(each, DAY).json["days"][0] for each in (elm, bare))
    assert with_fees["fixed_fees"] == A_DAY
    # 24 kWh at 0.25 EUR and 21 %
    assert (with_fees["cost"], with_fees["total_cost"]) == (7.26, 7.6835)
    assert (without["fixed_fees"], without["total_cost"]) == (0, 7.26)
    others = with_fees.keys() - {"fixed_fees", "total_cost"}
    assert {name: with_fees[name] for name in others} == {name: without[name] for name in others}


def test_they_are_paid_on_days_of_which_nothing_is_known_from_being_taken_on_to_the_last(app, elm, statement):
    taken_on(app, elm, date(2025, 10, 26))
    said = statement(elm, date(2025, 10, 24)).json
    assert [day.get("fixed_fees") for day in said["days"]] == [0, 0, A_DAY, A_DAY, A_DAY]
    assert ["message" in day for day in said["days"]] == [True] * 4 + [False]
    assert said["fixed_fees"] == said["total"]["fixed_fees"] == pytest.approx(3 * A_DAY, abs=1e-4)
    assert said["total"]["cost"] == 7.26
    assert said["total"]["total_cost"] == pytest.approx(7.26 + 3 * A_DAY, abs=1e-4)


def test_where_no_day_is_known_they_are_told_all_the_same(app, elm, statement):
    taken_on(app, elm, date(2025, 1, 1))
    said = statement(elm, date(2025, 2, 1), date(2025, 2, 28)).json
    # of a month of 28 days, all of the month's fee: (7.75 + 28 * 0.10) * 1.21
    assert (said["total"], said["fixed_fees"]) == (None, 12.7655)


def test_who_was_taken_on_by_an_earlier_version_pays_them_ever_since(app, elm, statement):
    with app.app_context():
        asset = db.session.get(Asset, elm["boiler"])
        asset.attributes = {name: value for name, value in asset.attributes.items() if name != history.ATTRIBUTE}
        db.session.commit()
    assert statement(elm).json["fixed_fees"] == pytest.approx(2 * A_DAY)


def test_each_day_has_those_of_its_tariff(app, call, elm, statement, tariff):
    tariff("Dear", 0.25, "1 EUR/day")
    with app.app_context():
        boiler = boiler_of(elm)
        boiler.note(DAY, tariff=boiler.price_id)
        boiler.asset.flex_context = {"consumption-price": {"sensor": tariffs.find("Dear").sensor.id}}
        db.session.commit()
    taken_on(app, elm, ONE)
    assert [day["fixed_fees"] for day in statement(elm).json["days"]] == [A_DAY, 1]


def test_those_of_a_removed_tariff_stay(app, call, elm, statement, boilers, tariff):
    before = statement(elm, DAY).text
    tariff("Other", 0.30)
    assert boilers("remove-tariff", "Fees", "--move-to", "Other").exit_code == 0
    assert statement(elm, DAY).text == before
    shown = call("GET", f"/{elm['account']}").json["history"]["tariff"]
    assert [step["tariff"].split(" (")[0] for step in shown] == ["Fees", "Other"]


def test_an_operators_own_tariff_has_them_too(app, call, operator, statement, tariff):
    tariff("Own", 0.25, "0.50 EUR/day", operator=operator[0])
    made = call("POST", **household("Fir", tariff="Own")).json
    with app.app_context():
        measure(boiler_of(made), "fill-rate", [1.0] * 96, MIDNIGHT)
    assert statement(made, DAY).json["days"][0]["fixed_fees"] == 0.5


def test_they_are_columns_of_the_csv(app, elm, statement):
    taken_on(app, elm, ONE)
    rows = list(csv.DictReader(io.StringIO(statement(elm, accept="text/csv").text)))
    assert [(row["fixed_fees"], row["cost"], row["total_cost"]) for row in rows] == [
        ("0.4235", "", ""), ("0.4235", "7.26", "7.6835")
    ]  # fmt: skip


def test_the_report_shows_them_and_stores_the_cost_of_power_alone(app, elm, flexmeasures):
    output = flexmeasures("smart-boiler", "report", "--date", DAY).output
    header, _, row = output.splitlines()[:3]
    assert "fixed fees" in header
    assert " 0.42 " in row
    with app.app_context():
        assert stored(elm["boiler"], "daily cost").tolist() == pytest.approx([7.26])


def test_they_change_no_plan(app, call, elm, tariff):
    tariff("Bare", 0.25, vat="21 %")
    other = call("POST", **household("Oak", tariff="Bare")).json
    with app.app_context():
        plans = [
            planned(scheduler_of(boiler_of(each), start=START, temperature_at_start="45 °C"))[0]
            for each in (elm, other)
        ]
    assert plans[0].tolist() == plans[1].tolist()
    assert plans[0].sum() > 0


def test_of_a_tariff_that_is_broken_they_are_not_known_and_costs_are(app, elm, statement, flexmeasures):
    with app.app_context():
        asset = tariffs.find("Fees").asset
        asset.attributes = {**asset.attributes, ATTRIBUTE: {**asset.attributes[ATTRIBUTE], "versions": "x"}}
        db.session.commit()
    said = statement(elm, DAY).json
    assert (said["fixed_fees"], said["total"]["fixed_fees"], said["total"]["total_cost"]) == (None, None, None)
    assert said["total"]["cost"] == 7.26
    assert " ? " in flexmeasures("smart-boiler", "report", "--date", DAY).output


def test_what_a_household_writes_on_a_price_of_its_own_is_no_tariff(app, elm, statement):
    with app.app_context():
        boiler = boiler_of(elm)
        asset = boiler.price.generic_asset
        asset.account_id = boiler.asset.account_id
        db.session.commit()
    assert statement(elm, DAY).json["fixed_fees"] == 0
