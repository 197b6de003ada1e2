"""POST /boiler-customer: what it makes, what it answers, and what it refuses."""

from datetime import timedelta

import pytest
from flexmeasures import Account, Asset, Sensor, User
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog, AuditLog
from flexmeasures.data.schemas.scheduling import DBFlexContextSchema
from flexmeasures.data.schemas.scheduling.storage import DBStorageFlexModelSchema

from smart_boiler_plugin.customers import taking_on
from tests.factories import make_account, make_operator, make_user

PATH = "/smart-boiler-plugin/api/boiler-customer"
BODY = {"name": "Client 1", "user_name": "client1", "user_email": "client1@example.com"}


@pytest.fixture
def post(app, operator):
    """A function that posts a body as the operator's consultant."""

    def send(body=BODY, token=operator[1], **arguments):
        headers = {"Authorization": token} if token else {}
        return app.test_client().post(PATH, **({"json": body} | arguments), headers=headers)

    return send


def test_the_answer_names_all_that_was_made(app, post):
    answer = post()
    assert answer.status_code == 201
    made = answer.json
    with app.app_context():
        assert db.session.get(Account, made["account"]).name == "Client 1"
        assert db.session.get(User, made["user"]).email == "client1@example.com"
        assert db.session.get(Asset, made["boiler"]).name == "Boiler Client 1"
        for role in ("temperature", "fill_rate", "demand", "cost"):
            sensor = db.session.get(Sensor, made[role])
            assert sensor.name == role.replace("_", "-")
            assert sensor.generic_asset_id == made["boiler"]
        assert db.session.get(Sensor, made["consumption_price"]).unit == "EUR/kWh"
    assert made["invitation"] == "due"


def test_the_account_is_a_client_of_the_callers_account(app, post, operator):
    made = post().json
    with app.app_context():
        assert db.session.get(Account, made["account"]).consultancy_account_id == operator[0]


def test_the_user_administers_the_account_and_has_its_time_zone(app, post):
    made = post().json
    with app.app_context():
        user = db.session.get(User, made["user"])
        assert user.account_id == made["account"]
        assert [role.name for role in user.roles] == ["account-admin"]
        assert user.timezone == "Europe/Amsterdam"


@pytest.mark.parametrize(
    ("role", "unit"), [("temperature", "°C"), ("fill_rate", "kW"), ("demand", "kWh"), ("cost", "EUR")]
)
def test_sensors_are_quarter_hourly_and_in_local_time(app, post, role, unit):
    made = post().json
    with app.app_context():
        sensor = db.session.get(Sensor, made[role])
        assert (sensor.unit, sensor.event_resolution.total_seconds(), sensor.timezone) == (
            unit,
            900,
            "Europe/Amsterdam",
        )


@pytest.mark.parametrize("role", ["daily cost", "daily savings"])
def test_costs_and_savings_of_a_day_are_key_figures_of_the_boilers_page(app, post, role):
    made = post().json
    with app.app_context():
        sensor = db.session.get(Sensor, made[role.replace(" ", "_")])
        assert (sensor.name, sensor.unit, sensor.timezone) == (role, "EUR", "Europe/Amsterdam")
        assert sensor.event_resolution == timedelta(days=1)
        assert sensor.id in [kpi["sensor"] for kpi in sensor.generic_asset.sensors_to_show_as_kpis]


def test_consumption_counts_positive_on_the_fill_rate(app, post):
    made = post().json
    with app.app_context():
        assert db.session.get(Sensor, made["fill_rate"]).get_attribute("consumption_is_positive") is True


def test_the_boiler_is_a_battery_and_its_page_shows_price_fill_rate_demand_temperature_and_set_point(app, post):
    made = post().json
    with app.app_context():
        boiler = db.session.get(Asset, made["boiler"])
        assert boiler.generic_asset_type.name == "battery"
        shown = [[plot["sensor"] for plot in graph["plots"]] for graph in boiler.sensors_to_show]
    roles = [["consumption_price"], ["fill_rate"], ["demand"], ["temperature", "set_point"]]
    assert shown == [[made[role] for role in graph] for graph in roles]


def test_the_stored_flex_model_is_that_of_a_household_boiler(app, post):
    """80 l from 10 to 65 °C is 5.098 kWh; class C loses 1.109 kWh a day at 45 K, UA = 1.027 W/K; no floor."""
    made = post().json
    with app.app_context():
        flex_model = dict(db.session.get(Asset, made["boiler"]).flex_model)
    number = {key: float(value.split()[0]) for key, value in flex_model.items() if isinstance(value, str)}
    assert number["soc-min"] == 0
    assert "soc-minima" not in flex_model
    assert number["soc-max"] == pytest.approx(5.098, abs=0.001)
    assert number["storage-efficiency"] == pytest.approx(99.7234, abs=0.001)
    assert number["consumption-capacity"] == 1.5
    assert number["production-capacity"] == 0
    assert flex_model["soc-gain"] == ["0.010271 kW"]


def test_a_floor_that_was_asked_for_is_stored_in_the_hosts_terms_too(app, post):
    """80 l from 10 to 50 °C is 3.708 kWh."""
    made = post({**BODY, "boiler": {"temperature_min": "50 °C"}}).json
    with app.app_context():
        assert db.session.get(Asset, made["boiler"]).flex_model["soc-minima"] == "3.707954 kWh"


def test_the_host_accepts_the_stored_flex_config(app, post):
    """What its own PATCH would refuse must not be stored by us either."""
    made = post().json
    with app.app_context():
        boiler = db.session.get(Asset, made["boiler"])
        assert DBStorageFlexModelSchema().validate(dict(boiler.flex_model)) == {}
        assert DBFlexContextSchema().validate(dict(boiler.flex_context)) == {}


def test_all_changes_are_in_the_hosts_audit_log_with_who_did_it(app, post):
    made = post().json
    with app.app_context():
        account_events = db.session.query(AuditLog).filter_by(affected_account_id=made["account"]).all()
        asset_events = db.session.query(AssetAuditLog).filter_by(affected_asset_id=made["boiler"]).all()
        assert {event.event for event in account_events} == {
            f"Took on boiler customer 'Client 1': created account {made['account']}",
            "User client1 created",
        }
        assert len(asset_events) == 1 + 8
        assert {event.active_user_name for event in [*account_events, *asset_events]} == {"operator"}


def test_the_invitation_is_sent_by_a_worker_after_the_commit(post, work, mails):
    assert post().status_code == 201
    assert mails == []
    work()
    assert [mail.recipients for mail in mails] == [["client1@example.com"]]
    assert "/reset/" in mails[0].body


def test_white_space_around_names_is_trimmed(app, post):
    made = post({"name": " Client 1 ", "user_name": "client1 ", "user_email": " client1@example.com"}).json
    with app.app_context():
        assert db.session.get(Account, made["account"]).name == "Client 1"
        assert db.session.get(User, made["user"]).username == "client1"


def test_a_second_customer_shares_the_price_but_nothing_else(post):
    first = post().json
    second = post({"name": "Client 2", "user_name": "client2", "user_email": "client2@example.com"}).json
    assert first["consumption_price"] == second["consumption_price"]
    for made in ("account", "user", "boiler", "temperature", "fill_rate", "demand", "cost"):
        assert first[made] != second[made]


def test_without_a_token_it_is_a_401(post, contents):
    before = contents()
    answer = post(token=None)
    assert (answer.status_code, answer.json["status"], answer.json["result"]) == (401, "UNAUTHORIZED", "Rejected")
    assert contents() == before


@pytest.mark.parametrize("token", ["nonsense", "a.b.c"])
def test_with_a_wrong_token_it_is_a_401(post, contents, token):
    before = contents()
    assert post(token=token).status_code == 401
    assert contents() == before


@pytest.mark.parametrize(
    ("account_roles", "user_roles"),
    [
        ([], []),
        ([], ["consultant"]),
        (["Consultancy"], []),
        (["Consultancy"], ["account-admin"]),
        ([], ["admin-reader"]),
    ],
)
def test_who_may_not_create_accounts_gets_a_403_that_tells_nothing(app, post, contents, account_roles, user_roles):
    with app.app_context():
        _, token = make_user(make_account("Others", roles=account_roles), "other", roles=user_roles)
    before = contents()
    answer = post(token=token)
    assert (answer.status_code, answer.json["status"], answer.json["result"]) == (403, "INVALID_SENDER", "Rejected")
    assert answer.json["message"] == "You cannot be authorized for this content or functionality."
    assert contents() == before


def test_an_admin_may(app, post):
    with app.app_context():
        account = make_account("Administration")
        account_id, (_, token) = account.id, make_user(account, "admin", roles=["admin"])
    made = post(token=token).json
    with app.app_context():
        assert db.session.get(Account, made["account"]).consultancy_account_id == account_id


@pytest.mark.parametrize("field", ["name", "user_name", "user_email"])
@pytest.mark.parametrize("value", [None, "", "   ", 7, ["x"], {"a": 1}, "x" * 300])
def test_a_wrong_field_is_a_422_that_names_it(post, contents, field, value):
    before = contents()
    answer = post({**BODY, field: value})
    assert answer.status_code == 422
    assert list(answer.json["message"]["json"]) == [field]
    assert contents() == before


@pytest.mark.parametrize(
    "email",
    [
        *("client1", "client1@", "@example.com", "a b@example.com", "a@b@example.com"),
        # what marshmallow takes and the host refuses
        *("a@localhost", "a@boiler.local", "a@firm.test", "a@[127.0.0.1]", "a\n@example.com"),
    ],
)
def test_what_is_no_e_mail_address_is_a_422(post, contents, email):
    before = contents()
    answer = post({**BODY, "user_email": email})
    assert answer.status_code == 422
    assert list(answer.json["message"]["json"]) == ["user_email"]
    assert contents() == before


@pytest.mark.parametrize("field", ["name", "user_name"])
@pytest.mark.parametrize(
    "value", ["a\x00b", "a\nb", "\ud800", "\u202e1", "</script><script>alert(1)</script>", "a > b"]
)
def test_control_characters_and_markup_are_a_422(post, contents, field, value):
    before = contents()
    answer = post({**BODY, field: value})
    assert (answer.status_code, list(answer.json["message"]["json"])) == (422, [field])
    assert contents() == before


@pytest.mark.parametrize("name", ["Ärger & Söhne", "Família Gonçalves", "王家", "Fam. 🔥"])
def test_names_may_be_in_any_script(app, post, name):
    made = post({**BODY, "name": name, "user_name": name}).json
    with app.app_context():
        assert db.session.get(Account, made["account"]).name == name
    again = post({"name": name, "user_name": name, "user_email": "other@example.com"})
    assert (again.status_code, set(again.json["message"]["json"])) == (409, {"name", "user_name"})
    assert "exists already" in again.json["message"]["json"]["name"][0]


@pytest.mark.parametrize("field", ["name", "user_name", "user_email"])
def test_a_missing_field_is_a_422_that_names_it(post, contents, field):
    before = contents()
    answer = post({key: value for key, value in BODY.items() if key != field})
    assert (answer.status_code, answer.json["status"]) == (422, "UNPROCESSABLE_ENTITY")
    assert answer.json["message"] == {"json": {field: ["Missing data for required field."]}}
    assert contents() == before


def test_an_unknown_field_is_a_422_that_names_it(post, contents):
    before = contents()
    answer = post({**BODY, "volume": "80 l"})
    assert contents() == before
    assert answer.status_code == 422
    assert answer.json["message"] == {"json": {"volume": ["Unknown field."]}}


@pytest.mark.parametrize("text", ["", "{", "[1,", "\x00"])
def test_a_body_that_is_no_json_is_refused(post, contents, text):
    before = contents()
    answer = post(json=None, data=text, content_type="application/json")
    assert answer.status_code in {400, 422}
    assert answer.json["result"] == "Rejected"
    assert contents() == before


@pytest.mark.parametrize("body", [[], [BODY], "text", 7])
def test_json_that_is_no_object_is_refused(post, contents, body):
    before = contents()
    assert post(body).status_code in {400, 422}
    assert contents() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Client 1"),
        ("name", "CLIENT 1"),
        ("user_name", "client1"),
        ("user_email", "client1@example.com"),
        ("user_email", "Client1@Example.com"),
    ],
)
def test_what_is_taken_is_a_409_that_names_the_field_and_changes_nothing(post, contents, work, mails, field, value):
    assert post().status_code == 201
    before = contents()
    other = {"name": "Client 2", "user_name": "client2", "user_email": "client2@example.com"}
    answer = post({**other, field: value})
    assert (answer.status_code, answer.json["status"]) == (409, "CONFLICT")
    assert list(answer.json["message"]["json"]) == [field]
    assert contents() == before
    work()
    assert [mail.recipients for mail in mails] == [["client1@example.com"]]


def test_the_account_of_another_operator_cannot_be_joined_by_its_name(app, post, contents):
    with app.app_context():
        _, rivals_token = make_operator("Rival", "rival")
    assert post(token=rivals_token).status_code == 201
    before = contents()
    answer = post({**BODY, "user_name": "thief", "user_email": "thief@example.com"})
    assert answer.status_code == 409
    assert contents() == before


@pytest.mark.parametrize("field", ["name", "user_name", "user_email"])
def test_a_name_lost_to_somebody_else_in_between_is_a_409(post, contents, monkeypatch, field):
    """The check before finds nothing, what comes after does: as when two requests come at once."""
    assert post().status_code == 201
    before = contents()
    check = taking_on.refuse_what_is_taken
    checks = iter([lambda _: None, check])
    monkeypatch.setattr(taking_on, "refuse_what_is_taken", lambda what: next(checks)(what))  # noqa: PLW0108
    other = {"name": "Client 2", "user_name": "client2", "user_email": "client2@example.com"}
    answer = post({**other, field: BODY[field]})
    assert (answer.status_code, list(answer.json["message"]["json"])) == (409, [field])
    assert contents() == before


def test_a_failure_in_the_middle_leaves_nothing(post, contents, work, mails, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("secret detail")

    post({"name": "Before", "user_name": "before", "user_email": "before@example.com"})
    before = contents()
    monkeypatch.setattr(taking_on, "make_boiler", fail)
    answer = post()
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert contents() == before
    work()
    assert [mail.recipients for mail in mails] == [["before@example.com"]]
