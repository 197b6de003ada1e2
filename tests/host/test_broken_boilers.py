"""Whatever stands in a boiler's attributes: the error says what is wrong, others go on, and a PATCH mends it."""

import re
from dataclasses import asdict

import pytest
from flexmeasures import Asset
from flexmeasures.data import db

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.errors import BrokenBoilerError
from smart_boiler_plugin.stored import ATTRIBUTE
from tests.host.days import DAY

GOOD = asdict(BoilerData())


def nested(levels):
    """Lists within lists."""
    value = []
    for _ in range(levels):
        value = [value]
    return value


NO_OBJECT = [None, "80 l", 80, True, [], [GOOD], nested(5_000)]
WRONG_DATA = {
    "nothing": ({}, "boiler.volume"),
    "a text": ({**GOOD, "volume_l": "80"}, "boiler.volume"),
    "null": ({**GOOD, "power_kw": None}, "boiler.power"),
    "a truth value": ({**GOOD, "volume_l": True}, "boiler.volume"),
    "no number": ({**GOOD, "volume_l": float("nan")}, "boiler.volume"),
    "infinite": ({**GOOD, "temperature_max_c": float("inf")}, "boiler.temperature_max"),
    "too large for a float": ({**GOOD, "volume_l": 10**400}, "boiler.volume"),
    "too small": ({**GOOD, "volume_l": 0}, "boiler.volume"),
    "no class": ({**GOOD, "energy_class": "Z"}, "boiler.energy_class"),
    "a list": ({**GOOD, "tapping_profile": ["S"]}, "boiler.tapping_profile"),
    "deep": ({**GOOD, "cold_water_c": nested(5_000)}, "boiler.cold_water_temperature"),
    "no yield": ({**GOOD, "cop": 0}, "boiler.cop"),
    "misspelt": ({**{name: GOOD[name] for name in GOOD if name != "volume_l"}, "volum_l": 80}, "boiler.volume"),
    "floor above ceiling": ({**GOOD, "temperature_min_c": 70.0}, "boiler.temperature_min"),
    "a loss without sense": ({**GOOD, "standing_loss_kwh_per_day": -1}, "boiler.standing_loss"),
}
WRONG_COMFORT = {
    "null": (None, "comfort"),
    "a text": ("warm", "comfort"),
    "unknown": ({"sauna": True}, "comfort.sauna"),
    "no list": ({"programme": "mornings"}, "comfort.programme"),
    "an empty period": ({"programme": [{}]}, "comfort.programme.0.from"),
    "deep": ({"programme": nested(5_000)}, "comfort.programme"),
    "a deep temperature": ({"hygiene": {"temperature": nested(5_000)}}, "comfort"),
    "no temperature": ({"hygiene": {"temperature": float("nan")}}, "comfort.hygiene.temperature"),
    "hot": ({"hygiene": {"temperature": 10**400}}, "comfort.hygiene.temperature"),
    "long": ({"hygiene": {"minutes": 10**400}}, "comfort.hygiene.minutes"),
    "not finite": ({"hygiene": {"days": float("inf")}}, "comfort.hygiene"),
    "no moment": ({"boost": {"until": 5}}, "comfort.boost.until"),
    "before dates": ({"boost": {"until": "0001-01-01T00:00+14:00"}}, "comfort.boost.until"),
    "after dates": (
        {"away": {"from": "2025-10-28T00:00+00:00", "until": "9999-12-31T23:59-12:00"}},
        "comfort.away.until",
    ),
    "many": ({"programme": [{"from": "06:00", "until": "07:00", "temperature": "55 °C"}] * 101}, "comfort.programme"),
}


def boiler_with(stored):
    """Return a boiler of which this is stored, without a database: JSON in it could not hold all of it."""
    return Boiler(Asset(id=12, name="Attic", account_id=7, attributes={ATTRIBUTE: stored}))


def problem_of(boiler, what):
    """Return the one kind of error that reading raises."""
    with pytest.raises(BrokenBoilerError) as caught:
        getattr(boiler, what)
    told = str(caught.value)
    assert "boiler 12 (Attic)" in told
    assert told.endswith("PATCH /smart-boiler-plugin/api/boiler-customer/7")
    assert len(told) < 800
    return told


@pytest.mark.parametrize("stored", NO_OBJECT, ids=range(len(NO_OBJECT)))
@pytest.mark.parametrize("what", ["data", "comfort"])
def test_what_is_no_object_is_refused(app, stored, what):
    problem_of(boiler_with(stored), what)


@pytest.mark.parametrize("case", WRONG_DATA)
def test_wrong_data_are_refused_and_the_field_is_named(app, case):
    stored, field = WRONG_DATA[case]
    assert f"{field}: " in problem_of(boiler_with(stored), "data")


@pytest.mark.parametrize("case", WRONG_COMFORT)
def test_wrong_comfort_is_refused_and_the_field_is_named(app, case):
    comfort, field = WRONG_COMFORT[case]
    boiler = boiler_with({**GOOD, "comfort": comfort})
    assert field in problem_of(boiler, "comfort")
    assert boiler.data == BoilerData()


def test_what_is_good_is_read_whatever_else_stands_beside_it(app):
    boiler = boiler_with({**GOOD, "volume_l": 120, "device": nested(10), "": None})
    assert boiler.data == BoilerData(volume_l=120.0)
    assert boiler.comfort.programme == ()


# --- lists, shows, reports and changes

BODY = {"user_name": "ash", "user_email": "ash@example.com", "boiler": {"timezone": "Europe/Amsterdam"}}


@pytest.fixture
def customers(call):
    """Ids of two customers, the first of which is to be broken."""
    return [
        call("POST", name=name, user_name=name.lower(), user_email=f"{name}@example.com").json
        for name in ("Ash", "Birch")
    ]


def store_with(app, asset_id, attributes):
    """Write into an asset's attributes what a household may write."""
    with app.app_context():
        db.session.get(Asset, asset_id).attributes = attributes
        db.session.commit()


BROKEN = {
    "nothing": {ATTRIBUTE: {}},
    "null": {ATTRIBUTE: None},
    "a text": {ATTRIBUTE: "warm"},
    "data": {ATTRIBUTE: {**GOOD, "volume_l": "80"}},
    "comfort": {ATTRIBUTE: {**GOOD, "comfort": {"programme": 5, "sauna": 1}}},
    "taken away": {},
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_boiler_is_a_row_with_its_problem_and_the_others_are_listed(app, call, customers, case):
    store_with(app, customers[0]["boiler"], BROKEN[case])
    broken, good = call("GET").json["data"]
    assert (broken["name"], good["name"]) == ("Ash", "Birch")
    assert broken["problem"]
    assert broken["boiler"]["id"] == customers[0]["boiler"]
    assert good["problem"] is None
    assert good["boiler"]["volume"] == "80 l"
    shown = call("GET", f"/{customers[0]['account']}")
    assert (shown.status_code, shown.json["problem"]) == (200, broken["problem"])
    answer = call("GET", f"/{customers[0]['account']}/statement")
    assert answer.status_code == (200 if case == "comfort" else 422), answer.json


@pytest.mark.parametrize("case", BROKEN)
def test_the_operator_mends_it_by_patch(app, call, customers, case):
    store_with(app, customers[0]["boiler"], BROKEN[case])
    whole = {
        "volume": "100 l",
        "power": "2 kW",
        "temperature_min": "50 °C",
        "temperature_max": "65 °C",
        "ambient_temperature": "20 °C",
        "cold_water_temperature": "10 °C",
        "energy_class": "B",
        "cop": 1,
        "tapping_profile": "M",
    }
    path = f"/{customers[0]['account']}"
    mended = call("PATCH", path, boiler=whole, comfort={"programme": [], "sauna": None})
    assert (mended.status_code, mended.json["problem"]) == (200, None), mended.json
    assert mended.json["boiler"]["volume"] == "100 l"
    assert call("GET", path).json == mended.json
    with app.app_context():
        asset = db.session.get(Asset, customers[0]["boiler"])
        assert asset.flex_model == {**asset.flex_model, **Boiler(asset).data.flex_model}
        assert asset.flex_model["power-capacity"] == "2 kW"


def test_a_patch_that_does_not_mend_says_what_is_missing_and_changes_nothing(app, call, customers, contents):
    store_with(app, customers[0]["boiler"], {ATTRIBUTE: {"volume_l": 80}})
    before = contents()
    answer = call("PATCH", f"/{customers[0]['account']}", boiler={"power": "2 kW"})
    assert answer.status_code == 422
    assert set(answer.json["message"]["json"]["boiler"]) == {
        *("temperature_min", "temperature_max", "ambient_temperature", "cold_water_temperature"),
        *("energy_class", "standing_loss", "cop", "tapping_profile"),
    }
    assert contents() == before


def test_a_customer_without_a_boiler_is_listed_shown_and_let_go(app, call, boilers, customers):
    with app.app_context():
        db.session.delete(db.session.get(Asset, customers[0]["boiler"]))
        db.session.commit()
    broken, good = call("GET").json["data"]
    assert broken["boiler"] is None
    assert "has no boiler any more" in broken["problem"]
    assert re.search(r"^ +\d+  Ash +Warm Water Energy$", boilers("customers").output, re.MULTILINE)
    assert good["problem"] is None
    assert call("PATCH", f"/{customers[0]['account']}", boiler={"volume": "90 l"}).status_code == 422
    assert call("DELETE", f"/{customers[0]['account']}", confirm="Ash").status_code == 200


@pytest.mark.parametrize("price", ["abc", 10**12, -1, True, {"sensor": 1}, None])
def test_an_impossible_price_sensor_is_a_missing_one_and_stops_no_list(app, call, boilers, customers, price):
    with app.app_context():
        db.session.get(Asset, customers[0]["boiler"]).flex_context = {"consumption-price": {"sensor": price}}
        db.session.commit()
    broken, good = call("GET").json["data"]
    assert (broken["tariff"], good["tariff"]) == (None, "NL spot tariff")
    listed = boilers("list-tariffs")
    assert listed.exit_code == 0
    assert listed.output.splitlines()[-1].split()[-1] == "1"


@pytest.mark.parametrize("case", ["null", "data", "nothing"])
def test_a_broken_boiler_stops_no_report(app, boilers, fleet, case):
    store_with(app, fleet["A"], BROKEN[case])
    result = boilers("report", "--date", DAY)
    assert f"Boiler {fleet['A']} (Boiler A), {DAY}: What is stored of boiler" in result.output
    assert f"Boiler {fleet['B']} (Boiler B)" not in result.output
    assert "Traceback" not in result.output
