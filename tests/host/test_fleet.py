"""The page of all boilers: who sees which, and how warm they are."""

from datetime import timedelta

import pandas as pd
import pytest
from flexmeasures import Asset
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief

from smart_boiler_plugin.boiler.asset import Boiler
from tests.factories import make_account, make_household_boiler, make_user, store


@pytest.fixture
def tokens(app):
    """Tokens of users by name: two operators with a customer each, and an admin. A's boiler has readings."""
    with app.app_context():
        found = {"admin": make_user(make_account("Administration"), "admin", roles=["admin"])[1]}
        for letter in "AB":
            operator = make_account(f"Operator {letter}", roles=["Consultancy"])
            customer = make_account(f"Customer {letter}", consultancy=operator)
            found[f"consultant {letter}"] = make_user(operator, f"consultant{letter}", roles=["consultant"])[1]
            found[f"clerk {letter}"] = make_user(operator, f"clerk{letter}")[1]
            found[f"customer {letter}"] = make_user(customer, f"customer{letter}", roles=["account-admin"])[1]
            boiler = make_household_boiler(customer, f"Boiler {letter}")
            if letter == "A":
                now = pd.Timestamp.now("UTC").floor("15min")
                store(boiler.sensors["temperature"], [61.0, 57.25], now - timedelta(minutes=30))
                store(boiler.sensors["temperature"], [64.0], now - timedelta(minutes=15), source_type="scheduler")
                store(boiler.sensors["temperature"], [99.0], now + timedelta(hours=1), recorded_at=now)
            else:
                store(boiler.sensors["temperature"], [42.0], now - timedelta(days=3))
    return found


def page(app, token):
    """Return the page that a user gets."""
    return app.test_client().get("/smart-boiler-plugin/", headers={"Authorization": token})


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("admin", {"A", "B"}),
        ("consultant A", {"A"}),
        ("consultant B", {"B"}),
        ("clerk A", set()),
        ("customer A", {"A"}),
        ("customer B", {"B"}),
    ],
)
def test_everybody_sees_the_boilers_that_they_may_see(app, tokens, who, seen):
    text = page(app, tokens[who]).text
    assert {letter for letter in "AB" if f"Boiler {letter}" in text} == seen
    assert ("There is no boiler yet" in text) == (not seen)


def test_strangers_are_sent_to_the_login(app, tokens):
    answer = app.test_client().get("/smart-boiler-plugin/", headers={"Accept": "text/html"})
    assert answer.status_code in {302, 401}
    assert "Boiler A" not in answer.text


def test_the_last_measured_temperature_is_shown_and_no_planned_or_future_one(app, tokens):
    text = page(app, tokens["customer A"]).text
    assert "57.2" in text
    for wrong in ("61.0", "64.0", "99.0"):
        assert f"<td>{wrong}</td>" not in text


def test_a_reading_that_the_tank_cannot_have_is_not_shown(app, tokens):
    with app.app_context():
        asset = db.session.query(Asset).filter_by(name="Boiler A").one()
        now = pd.Timestamp.now("UTC").floor("15min")
        store(Boiler(asset).sensors["temperature"], [85.0], now, source_type="gateway")
    text = page(app, tokens["customer A"]).text
    assert "<td>57.2</td>" in text
    assert "85.0" not in text


def test_a_boiler_that_has_gone_silent_says_so(app, tokens):
    text = page(app, tokens["customer B"]).text
    assert "not in the last day" in text
    assert "42.0" not in text
    assert ">silent</span>" in text
    assert ">silent</span>" not in page(app, tokens["customer A"]).text


def test_the_menu_has_an_entry(app, tokens):
    assert 'href="/smart-boiler-plugin"' in page(app, tokens["customer A"]).text


def test_a_boiler_whose_sensors_were_deleted_is_still_listed_and_says_so(app, tokens):
    with app.app_context():
        boiler = next(asset for asset in db.session.scalars(db.select(Asset)) if asset.name == "Boiler A")
        for sensor in list(boiler.sensors):
            if sensor.name in {"temperature", "demand"}:
                db.session.execute(db.delete(TimedBelief).filter_by(sensor_id=sensor.id))
                db.session.delete(sensor)
        db.session.commit()
    text = page(app, tokens["consultant A"]).text
    assert "Boiler A" in text
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
