"""The operator's pages: who sees which boilers, how warm they are, what they cost, and what a form may do."""

import re
from datetime import timedelta

import pandas as pd
import pytest
from flexmeasures import Asset
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief

from smart_boiler_plugin.boiler.asset import Boiler
from tests.factories import make_account, make_household_boiler, make_user, store

PAGES = "/smart-boiler-plugin/"


@pytest.fixture
def tokens(app):
    """Tokens of users by name: two operators with a customer each, and an admin. A's boiler has readings."""
    with app.app_context():
        found = {"stranger": make_user(make_account("Stranger"), "stranger")[1]}
        found |= {"admin": make_user(make_account("Administration"), "admin", roles=["admin"])[1]}
        for letter in "AB":
            operator = make_account(f"Operator {letter}", roles=["Consultancy"])
            customer = make_account(f"Customer {letter}", consultancy=operator)
            found[f"consultant {letter}"] = make_user(operator, f"consultant{letter}", roles=["consultant"])[1]
            found[f"clerk {letter}"] = make_user(operator, f"clerk{letter}")[1]
            found[f"customer {letter}"] = make_user(customer, f"customer{letter}", roles=["account-admin"])[1]
            boiler = make_household_boiler(customer, f"Boiler {letter}")
            found[f"account of {letter}"] = customer.id
            if letter == "A":
                now = pd.Timestamp.now("UTC").floor("15min")
                store(boiler.sensors["temperature"], [61.0, 57.25], now - timedelta(minutes=30))
                store(boiler.sensors["temperature"], [64.0], now - timedelta(minutes=15), source_type="scheduler")
                store(boiler.sensors["temperature"], [99.0], now + timedelta(hours=1), recorded_at=now)
            else:
                store(boiler.sensors["temperature"], [42.0], now - timedelta(days=3))
    return found


def page(app, token, path="", **query):
    """Return the page that a user gets."""
    return app.test_client().get(f"{PAGES}{path}", headers={"Authorization": token}, query_string=query)


def water_of(answer):
    """Return the temperature of the one boiler of a page."""
    (told,) = re.findall(r'<div class="sb-water"><span>([^<]*)</span>', answer.text)
    return told.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("admin", {"A", "B"}),
        ("consultant A", {"A"}),
        ("consultant B", {"B"}),
    ],
)
def test_everybody_sees_the_boilers_that_they_may_see(app, tokens, who, seen):
    text = page(app, tokens[who]).text
    assert {letter for letter in "AB" if f"Customer {letter}" in text} == seen
    for letter in "AB":
        one = page(app, tokens[who], f"boilers/{tokens['account of ' + letter]}")
        assert one.status_code == (200 if letter in seen else 404)
        assert (f"Boiler {letter}" in one.text) == (letter in seen)


@pytest.mark.parametrize("who", ["clerk A", "customer A", "stranger"])
def test_for_who_manages_no_boilers_there_are_no_pages_of_operators(app, tokens, who):
    for path in ("", "load.csv", f"boilers/{tokens['account of A']}", f"boilers/{tokens['account of B']}"):
        answer = page(app, tokens[who], path)
        assert answer.status_code == 404
        assert "Boiler A" not in answer.text


def test_an_operator_without_boilers_is_told_how_to_begin(app, tokens):
    with app.app_context():
        beginner = make_user(make_account("Beginner", roles=["Consultancy"]), "beginner", roles=["consultant"])[1]
    text = page(app, beginner).text
    assert "No boilers yet" in text
    assert "add-customers" in text
    assert "sb-filters" not in text


def test_strangers_are_sent_to_the_login(app, tokens):
    answer = app.test_client().get("/smart-boiler-plugin/", headers={"Accept": "text/html"})
    assert answer.status_code in {302, 401}
    assert "Boiler A" not in answer.text


def test_the_last_measured_temperature_is_shown_and_no_planned_or_future_one(app, tokens):
    assert water_of(page(app, tokens["consultant A"])) == "57.2 °C"


def test_a_reading_that_the_tank_cannot_have_is_not_shown(app, tokens):
    with app.app_context():
        asset = db.session.query(Asset).filter_by(name="Boiler A").one()
        now = pd.Timestamp.now("UTC").floor("15min")
        store(Boiler(asset).sensors["temperature"], [85.0], now, source_type="gateway")
    answer = page(app, tokens["consultant A"])
    assert water_of(answer) == "57.2 °C"
    assert "85.0" not in answer.text


def test_a_boiler_that_has_gone_silent_says_so(app, tokens):
    answer = page(app, tokens["consultant B"])
    assert water_of(answer) == "\N{EN DASH}"
    assert "no reading of today" in answer.text
    assert "42.0" not in answer.text
    assert "No reading is believed since" in answer.text
    assert "No reading is believed since" not in page(app, tokens["consultant A"]).text


def test_the_menu_has_an_entry(app, tokens):
    assert 'href="/smart-boiler-plugin"' in page(app, tokens["consultant A"]).text


def test_a_boiler_whose_sensors_were_deleted_is_still_listed_and_says_so(app, tokens):
    with app.app_context():
        boiler = next(asset for asset in db.session.scalars(db.select(Asset)) if asset.name == "Boiler A")
        for sensor in list(boiler.sensors):
            if sensor.name in {"temperature", "demand"}:
                db.session.execute(db.delete(TimedBelief).filter_by(sensor_id=sensor.id))
                db.session.delete(sensor)
        db.session.commit()
    text = page(app, tokens["consultant A"]).text
    assert "Customer A" in text
    assert "Sensor &#39;temperature&#39; was deleted or renamed" in text
    assert "Sensor &#39;demand&#39; was deleted or renamed" in text


def test_a_boiler_in_a_site_that_the_host_plans_says_so(app, tokens):
    with app.app_context():
        boiler = next(asset for asset in db.session.scalars(db.select(Asset)) if asset.name == "Boiler A")
        boiler.parent_asset = Asset(name="House", generic_asset_type=boiler.generic_asset_type, owner=boiler.owner)
        db.session.commit()
    assert "House (asset" in page(app, tokens["consultant A"]).text
    with app.app_context():
        house = next(asset for asset in db.session.scalars(db.select(Asset)) if asset.name == "House")
        house.attributes = {"custom-scheduler": "BoilerScheduler"}
        db.session.commit()
    assert "House (asset" not in page(app, tokens["consultant A"]).text
