"""The life of one customer after the take-on: listed, shown, changed, invited again, exported, let go."""

import json
from datetime import timedelta

import pandas as pd
import pytest
from flexmeasures import Account, Asset, Sensor, Source, User
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog, AuditLog
from flexmeasures.data.models.time_series import TimedBelief
from rq.job import Job

from tests.factories import PASSWORD, make_operator, store

PREFIX = "/smart-boiler-plugin/api/boiler-customer"
BODY = {
    "name": "Fam. O'Brien",
    "user_name": "obrien",
    "user_email": "obrien@example.com",
    "boiler": {"volume": "20 gal", "temperature_min": "122 degF", "timezone": "Europe/Brussels", "latitude": 50.8},
}


@pytest.fixture
def token(app):
    """The token of an operator's consultant."""
    with app.app_context():
        return make_operator()[1]


@pytest.fixture
def call(app, token):
    """A function that makes a call as the operator's consultant, and returns the answer."""

    def make(method, path="", body=None, **arguments):
        arguments = arguments if body is None else {"json": body, **arguments}
        return app.test_client().open(PREFIX + path, method=method, headers={"Authorization": token}, **arguments)

    return make


@pytest.fixture
def customer(call):
    """The ids of a customer."""
    return call("POST", body=BODY).json


def test_the_answer_to_taking_on_says_where_the_customer_is_shown(call):
    location = call("POST", body=BODY).headers["Location"]
    assert call("GET", location.rpartition("boiler-customer")[2]).json["name"] == "Fam. O'Brien"


def test_a_customer_is_shown_in_the_words_in_which_it_was_described(call, customer):
    shown = call("GET", f"/{customer['account']}").json
    assert shown["users"] == [{"id": customer["user"], "user_name": "obrien", "user_email": "obrien@example.com"}]
    assert shown["boiler"] == {
        "id": customer["boiler"],
        "name": "Boiler Fam. O'Brien",
        "volume": "75.7082 l",
        "power": "1.5 kW",
        "cop": 1.0,
        "temperature_min": "50 °C",
        "temperature_max": "65 °C",
        "element": "switched",
        "hysteresis": "2 K",
        "ambient_temperature": "20 °C",
        "cold_water_temperature": "10 °C",
        "energy_class": "C",
        "tapping_profile": "S",
        "timezone": "Europe/Brussels",
        "latitude": 50.8,
    }
    roles = (
        "temperature",
        "set_point",
        "fill_rate",
        "demand",
        "cost",
        "state_of_charge",
        "daily_cost",
        "daily_savings",
    )
    assert shown["sensors"] == {role: customer[role] for role in (*roles, "consumption_price")}


def test_customers_are_listed_paged_filtered_and_sorted_as_the_hosts_accounts(call, customer):
    for name in ("Ash", "Birch", "Cedar"):
        call("POST", body={"name": name, "user_name": name, "user_email": f"{name}@example.com"})

    def names(query):
        answer = call("GET", query).json
        return [one["name"] for one in (answer["data"] if isinstance(answer, dict) else answer)]

    assert names("") == ["Fam. O'Brien", "Ash", "Birch", "Cedar"]
    assert names("?sort_by=name&sort_dir=desc") == ["Fam. O'Brien", "Cedar", "Birch", "Ash"]
    assert names("?sort_by=name&sort_dir=asc&page=2&per_page=3") == ["Fam. O'Brien"]
    assert names("?filter=ir") == ["Birch"]
    assert names("?filter=%25") == []
    page = call("GET", "?page=1&per_page=2&filter=r").json
    assert (len(page["data"]), page["num-records"], page["filtered-records"]) == (2, 4, 3)
    assert call("GET", "?page=9").json["data"] == []


@pytest.mark.parametrize("query", ["page=0", "page=x", "per_page=0", "sort_by=password", "sort_dir=up"])
def test_a_wrong_query_is_a_422(call, query):
    assert call("GET", f"?{query}").status_code == 422


def test_what_is_changed_changes_and_the_stored_flex_model_follows(app, call, customer):
    answer = call("PATCH", f"/{customer['account']}", {"boiler": {"volume": "80 l", "power": "2000 W"}})
    assert answer.status_code == 200
    assert (answer.json["boiler"]["volume"], answer.json["boiler"]["power"]) == ("80 l", "2 kW")
    assert answer.json["boiler"]["temperature_min"] == "50 °C"
    with app.app_context():
        flex_model = dict(db.session.get(Asset, customer["boiler"]).flex_model)
    # 80 l from 10 to 50 °C, by hand: 80 * 0.997 * 4.184 / 3600 * 40 = 3.70795 kWh
    assert flex_model["soc-minima"] == "3.707954 kWh"
    assert flex_model["consumption-capacity"] == "2 kW"


def test_what_an_operator_put_into_the_flex_model_stays(app, call, customer):
    with app.app_context():
        asset = db.session.get(Asset, customer["boiler"])
        asset.flex_model = {**asset.flex_model, "soc-targets": [{"value": "4 kWh", "datetime": "2026-01-01T07:00Z"}]}
        db.session.commit()
    call("PATCH", f"/{customer['account']}", {"boiler": {"volume": "80 l"}})
    with app.app_context():
        assert "soc-targets" in db.session.get(Asset, customer["boiler"]).flex_model


def test_the_boiler_is_renamed_with_its_customer_unless_it_has_a_name_of_its_own(call, customer):
    path = f"/{customer['account']}"
    assert call("PATCH", path, {"name": "Fam. Byrne"}).json["boiler"]["name"] == "Boiler Fam. Byrne"
    assert call("PATCH", path, {"boiler": {"name": "Attic"}}).json["boiler"]["name"] == "Attic"
    renamed = call("PATCH", path, {"name": "Fam. Doyle"}).json
    assert (renamed["name"], renamed["boiler"]["name"]) == ("Fam. Doyle", "Attic")


def test_a_place_is_changed_with_the_time_zone_of_the_sensors(app, call, customer):
    call("PATCH", f"/{customer['account']}", {"boiler": {"timezone": "Europe/Lisbon", "longitude": -9.1}})
    with app.app_context():
        assert db.session.get(Sensor, customer["fill_rate"]).timezone == "Europe/Lisbon"
        assert db.session.get(Asset, customer["boiler"]).longitude == -9.1


def test_an_energy_class_replaces_a_standing_loss_that_was_given_before(call, customer):
    path = f"/{customer['account']}"
    assert call("PATCH", path, {"boiler": {"standing_loss": "46 W"}}).json["boiler"]["standing_loss"] == "1.104 kWh/day"
    assert "standing_loss" not in call("PATCH", path, {"boiler": {"energy_class": "A"}}).json["boiler"]


@pytest.mark.parametrize(
    ("boiler", "field"),
    [
        ({"volume": "80"}, "volume"),
        ({"volume": "80 kg"}, "volume"),
        ({"volume": "NaN l"}, "volume"),
        ({"volume": "1e9 l"}, "volume"),
        ({"volume": 80}, "volume"),
        ({"power": "-3 kW"}, "power"),
        ({"temperature_min": "50"}, "temperature_min"),
        ({"temperature_min": "70 °C"}, "temperature_min"),
        ({"temperature_min": "65 °C"}, "temperature_min"),
        ({"temperature_min": "50 °C", "temperature_max": "49 °C"}, "temperature_min"),
        ({"temperature_min": 50}, "temperature_min"),
        (
            {"temperature_min": None, "temperature_max": "20 °C", "cold_water_temperature": "20 °C"},
            "cold_water_temperature",
        ),
        ({"element": "steam"}, "element"),
        ({"hysteresis": "0 K"}, "hysteresis"),
        ({"hysteresis": "2 °C/h"}, "hysteresis"),
        ({"temperature_max": "120 °C"}, "temperature_max"),
        ({"temperature_min": "15 °C", "cold_water_temperature": "15 °C"}, "cold_water_temperature"),
        ({"energy_class": "E"}, "energy_class"),
        ({"energy_class": "A", "standing_loss": "1 kWh/day"}, "standing_loss"),
        ({"tapping_profile": "XXXS"}, "tapping_profile"),
        ({"timezone": "Europe/Atlantis"}, "timezone"),
        ({"latitude": 91}, "latitude"),
        ({"longitude": "NaN"}, "longitude"),
        ({"cop": "inf"}, "cop"),
        ({"cop": 0}, "cop"),
        ({"name": ""}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_boiler_is_a_422_that_names_the_field_and_what_would_be_right(call, customer, contents, boiler, field):
    for method, path, body in (
        ("PATCH", f"/{customer['account']}", {"boiler": boiler}),
        ("POST", "", {**BODY, "name": "Other", "user_name": "o", "user_email": "o@example.com", "boiler": boiler}),
    ):
        before = contents()
        answer = call(method, path, body)
        assert answer.status_code == 422, answer.text
        assert list(answer.json["message"]["json"]["boiler"]) == [field]
        assert contents() == before


def test_a_name_that_is_taken_is_a_409_and_changes_nothing(call, customer, contents):
    call("POST", body={"name": "Ash", "user_name": "ash", "user_email": "ash@example.com"})
    before = contents()
    answer = call("PATCH", f"/{customer['account']}", {"name": "ASH", "boiler": {"volume": "80 l"}})
    assert (answer.status_code, list(answer.json["message"]["json"])) == (409, ["name"])
    assert contents() == before


def test_the_case_of_the_own_name_can_be_changed(call, customer):
    assert call("PATCH", f"/{customer['account']}", {"name": "FAM. O'BRIEN"}).json["name"] == "FAM. O'BRIEN"


def test_comfort_is_changed_and_shown(call, customer):
    path = f"/{customer['account']}"
    programme = [{"days": "mon-fri", "from": "06:30", "until": "08:30", "temperature": "55 °C"}]
    changed = call("PATCH", path, {"comfort": {"programme": programme}})
    assert changed.status_code == 200, changed.text
    assert changed.json["comfort"]["programme"][0]["from"].startswith("06:30")
    call("PATCH", path, {"boiler": {"volume": "100 l"}})
    assert call("GET", path).json["comfort"]["programme"]
    assert not call("PATCH", path, {"comfort": {"programme": None}}).json["comfort"].get("programme")


def test_wrong_comfort_is_a_422_that_names_the_field(call, customer, contents):
    before = contents()
    answer = call("PATCH", f"/{customer['account']}", {"comfort": {"boost": {"until": "tomorrow"}}})
    assert (answer.status_code, list(answer.json["message"]["json"])) == (422, ["comfort"])
    assert "until" in str(answer.json["message"])
    assert contents() == before


def test_each_change_is_in_the_audit_log_with_who_did_it(app, call, customer):
    call("PATCH", f"/{customer['account']}", {"name": "Fam. Byrne", "boiler": {"volume": "100 l"}})
    with app.app_context():
        events = {
            (entry.event, entry.active_user_name)
            for entry in [*db.session.query(AuditLog), *db.session.query(AssetAuditLog)]
        }
    assert ("Renamed boiler customer 'Fam. O'Brien' to 'Fam. Byrne'", "operator") in events
    assert any("volume_l to '100.0'" in event and who == "operator" for event, who in events)


def test_the_invitation_is_sent_again(call, customer, work, mails):
    work()
    mails.clear()
    assert call("POST", f"/{customer['account']}/invitation").json == {"invitation": "due"}
    work()
    assert [mail.recipients for mail in mails] == [["obrien@example.com"]]


@pytest.fixture
def lived_in(app, customer):
    """A customer with readings, some by their own user, who has also looked at other things."""
    now = pd.Timestamp.now("UTC").floor("15min")
    with app.app_context():
        store(db.session.get(Sensor, customer["temperature"]), [55.0, 54.5], now - timedelta(hours=1))
        mine = db.session.query(Source).filter_by(user_id=customer["user"]).one()
        db.session.add(
            TimedBelief(
                sensor=db.session.get(Sensor, customer["demand"]),
                source=mine,
                event_value=0.4,
                event_start=now,
                belief_horizon=timedelta(0),
            )
        )
        db.session.commit()
    return customer


def test_the_export_has_everything_but_the_password(app, call, lived_in):
    answer = call("GET", f"/{lived_in['account']}/export")
    exported = answer.json
    assert exported["account"]["name"] == "Fam. O'Brien"
    assert exported["users"][0]["user_email"] == "obrien@example.com"
    sensors = {sensor["name"]: sensor for sensor in exported["assets"][0]["sensors"]}
    assert [row["value"] for row in sensors["temperature"]["data"]] == [55.0, 54.5]
    assert sensors["demand"]["data"][0]["source"] == "obrien"
    assert any("Took on" in entry["event"] for entry in exported["audit_log"])
    with app.app_context():
        assert db.session.get(User, lived_in["user"]).password not in answer.text
        assert db.session.get(User, lived_in["user"]).fs_uniquifier not in answer.text


def test_letting_go_needs_the_name_of_the_account(call, lived_in, contents):
    before = contents()
    path = f"/{lived_in['account']}"
    for body, field in (({}, "confirm"), ({"confirm": "Fam. O'Brian"}, "confirm"), ({"confirm": ""}, "confirm")):
        answer = call("DELETE", path, body)
        assert (answer.status_code, list(answer.json["message"]["json"])) == (422, [field])
    assert contents() == before


def test_letting_go_erases_everything_and_says_how_much(app, call, lived_in, token):
    trigger = {"start": "2026-01-01T00:00+01:00", "duration": "PT24H"}
    path = f"/api/v3_0/sensors/{lived_in['fill_rate']}/schedules/trigger"
    job = app.test_client().post(path, json=trigger, headers={"Authorization": token}).json["schedule"]
    call("POST", body={"name": "Ash", "user_name": "ash", "user_email": "ash@example.com"})
    answer = call("DELETE", f"/{lived_in['account']}", {"confirm": "Fam. O'Brien"})
    assert answer.status_code == 200, answer.text
    assert answer.json == {"users": 1, "assets": 1, "sensors": 8, "beliefs": 3, "jobs": 1}
    with app.app_context():
        assert db.session.get(Account, lived_in["account"]) is None
        assert db.session.get(User, lived_in["user"]) is None
        assert db.session.get(Asset, lived_in["boiler"]) is None
        assert db.session.query(TimedBelief).count() == 0
        assert db.session.query(Account).filter_by(name="Ash").count() == 1
    assert not Job.exists(job, connection=app.redis_connection)
    assert call("GET", f"/{lived_in['account']}").status_code == 404


def test_no_personal_data_are_left_anywhere_in_the_database(app, call, lived_in, contents):
    path = f"/{lived_in['account']}"
    call("PATCH", path, {"name": "Fam. Byrne", "boiler": {"name": "Byrne's attic"}})
    call("POST", f"{path}/invitation")
    call("DELETE", path, {"confirm": "Fam. Byrne"})
    text = json.dumps(contents()).lower()
    for personal in ("brien", "byrne", "attic"):
        assert personal not in text
    with app.app_context():
        kept = [entry.event for entry in db.session.query(AuditLog).filter_by(affected_account_id=lived_in["account"])]
    assert any(event.startswith("Let go of boiler customer") for event in kept)
    assert any(event.startswith("Took on boiler customer") for event in kept)


def test_the_same_household_can_be_taken_on_again(call, lived_in):
    call("DELETE", f"/{lived_in['account']}", {"confirm": "Fam. O'Brien"})
    assert call("POST", body=BODY).status_code == 201


def test_a_customer_who_was_let_go_cannot_log_in(app, call, lived_in):
    call("DELETE", f"/{lived_in['account']}", {"confirm": "Fam. O'Brien"})
    answer = app.test_client().post("/api/requestAuthToken", json={"email": "obrien@example.com", "password": PASSWORD})
    assert answer.status_code == 404


def test_taking_on_has_a_limit_of_its_own_that_can_be_set(app, call, customer, monkeypatch):
    monkeypatch.setitem(app.config, "SMART_BOILER_TAKE_ON_RATE_LIMIT", "2 per minute")
    codes = [call("POST", body={}).status_code for _ in range(3)]
    assert codes[-1] == 429
    refused = call("POST", body={})
    assert (refused.json["result"], refused.json["status"]) == ("Rejected", "TOO_MANY_REQUESTS")
    assert int(refused.headers["Retry-After"]) <= 60
    assert call("GET").status_code == 200


def test_the_hosts_limit_guards_all_calls(app, call, customer, monkeypatch):
    monkeypatch.setitem(app.config, "FLEXMEASURES_API_DEFAULT_RATE_LIMIT", "3 per minute")
    codes = [call("GET").status_code for _ in range(6)]
    assert codes[0] == 200
    assert codes[-1] == 429


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("PUT", "", 405),
        ("DELETE", "", 405),
        ("GET", "/abc", 404),
        ("GET", f"/{2**31}", 404),
        ("GET", "/1/nothing", 404),
    ],
)
def test_what_does_not_exist_has_the_shape_of_all_errors(call, method, path, code):
    answer = call(method, path)
    assert answer.status_code == code
    assert answer.json["result"] == "Rejected"
    if code == 405:
        assert answer.headers["Allow"] == "GET, POST"


@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PATCH", "/{}"), ("DELETE", "/{}")])
def test_another_format_than_json_is_a_415(call, customer, method, path):
    answer = call(method, path.format(customer["account"]), data="name=x", content_type="text/plain")
    assert (answer.status_code, answer.json["result"]) == (415, "Rejected")
