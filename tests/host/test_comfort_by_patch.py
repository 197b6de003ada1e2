"""What a household wants, by PATCH: all of it can be set and is shown, the next plan keeps it, none stops it."""

from datetime import timedelta

import pandas as pd
import pytest
from flexmeasures import Asset, Sensor
from flexmeasures.data import db

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.data import BoilerData
from tests.factories import make_operator, store
from tests.host.boilers import START, change_data, planned, prices, scheduler_of

PATH = "/smart-boiler-plugin/api/boiler-customer"
BODY = {
    "name": "Fam. O'Brien",
    "user_name": "obrien",
    "user_email": "obrien@example.com",
    "boiler": {"timezone": "Europe/Amsterdam"},
}


def at(hours):
    """The time some hours after the plan begins, as JSON."""
    return (START + timedelta(hours=hours)).isoformat()


@pytest.fixture
def patch(app):
    """A function that changes the comfort of a customer that was taken on, and returns the answer."""
    with app.app_context():
        headers = {"Authorization": make_operator()[1]}
    client = app.test_client()
    ids = client.post(PATH, json=BODY, headers=headers).json

    def change(comfort):
        return client.patch(f"{PATH}/{ids['account']}", json={"comfort": comfort}, headers=headers)

    change.ids = ids
    return change


@pytest.fixture
def temperatures(app, patch):
    """A function that plans the boiler, and returns its info and the temperature [°C] at each quarter."""

    def plan(**options):
        with app.app_context():
            store(db.session.get(Sensor, patch.ids["consumption_price"]), prices(), START)
            boiler = Boiler(db.session.get(Asset, patch.ids["boiler"]))
            scheduler = scheduler_of(boiler, temperature_at_start=52, soc_usage=["0 kW"], **options)
            _, states, _ = planned(scheduler)
            celsius = boiler.data.tank.temperature_c(states.to_numpy())
            return scheduler.info, pd.Series(celsius, index=states.index)

    return plan


def test_a_programme_is_set_shown_kept_and_taken_away(patch, temperatures):
    period = {"days": "wed", "from": "06:30", "until": "08:30", "temperature": "58 °C"}
    assert patch({"programme": [period]}).json["comfort"]["programme"] == [period]
    _, is_c = temperatures()
    assert is_c[at(6.5) : at(8.5)].min() >= 58 - 1e-3
    assert patch({"programme": None}).json["comfort"]["programme"] == []


def test_an_absence_is_set_shown_kept_and_taken_away(patch, temperatures):
    away = {"from": at(0), "until": at(20)}
    assert patch({"away": away}).json["comfort"]["away"] == away
    _, is_c = temperatures()
    # the night is dear: not heated, it cools by some 3 K
    assert is_c[at(7)] < 50
    assert is_c[at(20)] >= 50 - 1e-3
    assert patch({"away": None}).json["comfort"]["away"] is None


def test_a_boost_is_set_shown_kept_and_taken_away(patch, temperatures):
    boost = {"until": at(3)}
    assert patch({"boost": boost}).json["comfort"]["boost"] == boost
    _, is_c = temperatures()
    assert is_c[at(3)] == pytest.approx(65, abs=1e-2)
    assert patch({"boost": None}).json["comfort"]["boost"] is None


def test_a_useful_temperature_is_set_shown_counted_with_and_put_back(app, patch):
    def set_points():
        with app.app_context():
            store(db.session.get(Sensor, patch.ids["consumption_price"]), prices(), START)
            scheduler = scheduler_of(Boiler(db.session.get(Asset, patch.ids["boiler"])))
            return {result["name"]: result["data"] for result in scheduler.compute()}["set_point"].to_numpy()

    usual = set_points()
    assert patch({"useful_temperature": "113 °F"}).json["comfort"]["useful_temperature"] == "45 °C"
    assert set_points().mean() > usual.mean() + 1
    assert patch({"useful_temperature": None}).json["comfort"]["useful_temperature"] == "40 °C"
    assert (set_points() == usual).all()


def test_a_useful_temperature_must_be_below_the_ceiling(app, patch):
    with app.app_context():
        boiler = Boiler(db.session.get(Asset, patch.ids["boiler"]))
        change_data(boiler, BoilerData(temperature_max_c=50.0))
    answer = patch({"useful_temperature": "50 °C"})
    assert answer.status_code == 422
    told = "The useful temperature (50 °C) must be below the ceiling (50 °C)."
    assert answer.json["message"] == {"json": {"comfort": {"useful_temperature": [told]}}}
    assert patch({"useful_temperature": "49.9 °C"}).status_code == 200


def test_hygiene_is_set_shown_kept_and_put_back(app, patch, temperatures):
    with app.app_context():
        sensor = db.session.get(Sensor, patch.ids["temperature"])
        store(sensor, [52.0] * 384, START - timedelta(days=4))
    shown = patch({"hygiene": {"temperature": "62 °C", "minutes": 60, "days": 3}}).json["comfort"]["hygiene"]
    assert shown == {"temperature": "62 °C", "minutes": 60, "days": 3, "off": None}
    said, is_c = temperatures()
    assert said["hygiene"]["added"] is True
    assert (is_c >= 62 - 1e-3).sum() >= 5
    assert patch({"hygiene": {"off": "fresh water station"}}).json["comfort"]["hygiene"]["off"] == "fresh water station"
    assert temperatures()[0]["hygiene"] == {"off": "fresh water station"}
    assert patch({"hygiene": None}).json["comfort"]["hygiene"]["off"] is None
    assert temperatures()[0]["hygiene"]["added"] is False


@pytest.mark.parametrize(
    "comfort",
    [
        {"boost": {"until": "9999-12-31T23:59:59+00:00"}},
        {"boost": {"until": "0001-01-01T00:00:00+00:00"}},
        {"away": {"from": "0001-01-01T00:00:00+00:00", "until": "9999-12-31T23:59:59+00:00"}},
        {"hygiene": {"days": 999_999_999}},
        {"hygiene": {"minutes": 999_999_999}},
        {"hygiene": {"minutes": 10**30}},
        {"hygiene": {"minutes": 0.001}},
        {"hygiene": {"temperature": "0 °C"}},
        {"hygiene": {"temperature": None, "minutes": None, "days": None, "off": None}},
        {"hygiene": {"off": "because\x00"}},
        {"hygiene": {"off": "because \ud800"}},
        {"hygiene": {"off": "x" * 10_000}},
        {"programme": [{"from": "06:00", "until": "06:00", "temperature": "60 °C"}]},
        {"programme": [{"from": "06:00", "until": "07:00", "temperature": "60 °C"}] * 1_000},
        {"programme": [{"from": "06:00", "until": "07:00", "temperature": {"a": 1}}]},
        {"programme": [{"days": 3, "from": "06:00", "until": "07:00", "temperature": "60 °C"}]},
        {"programme": "daily"},
        {"away": []},
        {"hygiene": 3},
        {"useful_temperature": "55 °C"},
        {"useful_temperature": "1e9 °C"},
        {"useful_temperature": ["40 °C"]},
    ],
    ids=lambda comfort: ascii(comfort)[:60],
)
def test_whatever_is_accepted_can_be_planned_and_the_rest_is_a_422(app, patch, temperatures, comfort):
    with app.app_context():
        store(db.session.get(Sensor, patch.ids["temperature"]), [52.0] * 4, START - timedelta(hours=1))
    answer = patch(comfort)
    assert answer.status_code in (200, 422), answer.text
    _, is_c = temperatures()
    assert len(is_c) == 97
