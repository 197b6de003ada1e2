"""Device tokens: what a boiler or a gateway may with one, and that nobody else may anything with it."""

import pytest
from flexmeasures import Account, Asset, Source
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog
from flexmeasures.data.models.time_series import TimedBelief
from redis.exceptions import ConnectionError as NoRedisError

from smart_boiler_plugin.api import device_tokens as module
from smart_boiler_plugin.customers import leaving
from smart_boiler_plugin.customers.directory import of_account
from smart_boiler_plugin.devices import tokens
from smart_boiler_plugin.devices.tokens import ATTRIBUTE
from tests.host.households import API, World

READING = {
    "kind": "temperature",
    "unit": "°C",
    "start": "2025-10-29T00:00+01:00",
    "resolution": "PT15M",
    "values": [55.0],
}


@pytest.fixture
def world(app):
    """Operator with Ash and Birch, rival with Cedar."""
    return World(app)


@pytest.fixture
def made(world):
    """A function that makes a token for households by somebody; returns the answer's document."""

    def make(*names, caller="operator", name="gateway 7", code=201):
        customers = [world.households[each].account for each in names]
        answer = world.call(caller, "POST", f"{API}/device-tokens", {"name": name, "customers": customers})
        assert answer.status_code == code, answer.text
        return answer.json

    return make


@pytest.fixture
def device(app):
    """A function that calls with a device's token; returns the answer."""

    def call(token, path="/set-points", method="GET", body=None, scheme="Bearer "):
        headers = {"Authorization": f"{scheme}{token}"}
        return app.test_client().open(API + path, method=method, json=body, headers=headers)

    return call


def seen(answer):
    """The accounts of which somebody is told the set-points."""
    assert answer.status_code == 200, answer.text
    return [each["account"] for each in answer.json["data"]]


def send(device, token, *accounts):
    """Send a reading of each account; return what came of each."""
    rows = [{**READING, "account": account} for account in accounts]
    answer = device(token, "/readings", "POST", {"readings": rows})
    assert answer.status_code == 200, answer.text
    return [result["result"] for result in answer.json["results"]]


@pytest.mark.parametrize(("names", "begins"), [(["Ash"], "sb_"), (["Ash", "Birch"], "sb_g")])
def test_a_device_does_with_its_token_what_it_is_for_with_its_own_boilers(world, made, device, names, begins):
    token = made(*names)["token"]
    assert token.startswith(begins)
    own = [world.households[name].account for name in names]
    assert seen(device(token)) == own
    assert seen(device(token, scheme="")) == own
    assert [device(token, f"/boiler-customer/{account}/now").status_code for account in own] == [200] * len(own)
    assert send(device, token, *own, world.cedar.account) == [*["Stored"] * len(own), "Rejected"]
    others = {each.account for each in world.households.values()} - {*own}
    for account in others:
        assert device(token, f"/boiler-customer/{account}/now").status_code == 404
        assert device(token, f"/set-points?customer={account}").status_code == 404
        assert send(device, token, account) == ["Rejected"]


def test_what_a_device_sends_has_a_source_of_its_own_that_names_nobody(app, world, made, device):
    new = made("Ash", name="Fam. Ash")
    send(device, new["token"], world.ash.account)
    with app.app_context():
        source = db.session.query(Source).join(TimedBelief).one()
        assert (source.name, source.type) == (f"device {new['id']}", "gateway")


def test_a_device_token_opens_nothing_else(app, world, made):
    """Every other call of ours, and the host's."""
    token = made("Ash")["token"]
    client = app.test_client()
    account, boiler = world.ash.account, world.ash.boiler
    for method, path in [
        *[(method, f"{API}/boiler-customer/{account}") for method in ("GET", "PATCH", "DELETE")],
        *[("GET", f"{API}/{path}") for path in ("boiler-customer", "tariffs", "device-tokens")],
        *[("GET", f"{API}/boiler-customer/{account}/{path}") for path in ("export", "statement", "learned")],
        *[("POST", f"{API}/{path}") for path in ("boiler-customer", "boiler-customers", "tariffs", "device-tokens")],
        ("GET", f"/api/v3_0/assets/{boiler}"),
        ("GET", f"/api/v3_0/sensors/{world.ash.fill_rate}/data"),
        ("POST", f"/api/v3_0/sensors/{world.ash.fill_rate}/schedules/trigger"),
    ]:
        answer = client.open(path, method=method, json={}, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, (method, path, answer.status_code)


def test_the_token_is_shown_once_and_kept_as_a_hash(app, world, made):
    new = made("Ash", "Birch")
    one = made("Ash", name="  boiler of Ash ")
    listed = world.call("operator", "GET", f"{API}/device-tokens")
    assert new["token"].rpartition("_")[2] not in listed.text
    assert [(each["id"], each["name"], each["customers"], each["last_seen"]) for each in listed.json["data"]] == [
        (new["id"], "gateway 7", [world.ash.account, world.birch.account], None),
        (one["id"], "boiler of Ash", [world.ash.account], None),
    ]
    with app.app_context():
        kept = str([asset.attributes for asset in db.session.query(Asset)])
        kept += str([account.attributes for account in db.session.query(Account)])
        assert new["token"][-20:] not in kept
        events = [log.event for log in db.session.query(AssetAuditLog).filter(AssetAuditLog.event.contains("token"))]
        assert sorted(events) == sorted([f"Made device token {new['id']}"] * 2 + [f"Made device token {one['id']}"])
        assert all(new["token"][-20:] not in event for event in events)


def test_lists_are_by_the_page_and_say_when_a_device_was_last_seen(world, made, device):
    for number in range(3):
        token = made("Ash", name=f"boiler {number}")["token"]
    device(token)
    answer = world.call("operator", "GET", f"{API}/device-tokens?page=1&per-page=2&sort-by=name&sort-dir=desc").json
    assert [each["name"] for each in answer["data"]] == ["boiler 2", "boiler 1"]
    assert [each["last_seen"] is not None for each in answer["data"]] == [True, False]
    assert (answer["num-records"], answer["filtered-records"]) == (3, 3)
    found = world.call("operator", "GET", f"{API}/device-tokens?filter=R+1").json
    assert ([each["name"] for each in found["data"]], found["filtered-records"]) == (["boiler 1"], 1)


@pytest.mark.parametrize("names", [["Ash"], ["Ash", "Birch"]])
def test_a_stolen_token_is_taken_away_and_does_nothing_any_more(app, world, made, device, names):
    new, other = made(*names), made(*names)
    path = f"{API}/device-tokens/{new['id']}"
    assert world.call("rival", "DELETE", path).status_code == 404
    assert world.call("Ash", "DELETE", path).status_code == 403
    assert world.call("operator", "DELETE", path).status_code == 200
    for call, body in (("/set-points", None), (f"/boiler-customer/{world.ash.account}/now", None)):
        assert device(new["token"], call, body=body).status_code == 401
    assert device(new["token"], "/readings", "POST", {"readings": []}).status_code == 401
    assert seen(device(other["token"])) == [world.households[name].account for name in names]
    assert world.call("operator", "DELETE", path).status_code == 404
    with app.app_context():
        event = f"Took device token {new['id']} away"
        assert db.session.query(AssetAuditLog).filter_by(event=event).count() == len(names)


def test_nobody_makes_tokens_for_boilers_of_others(world, made):
    for caller, names, code in [
        ("rival", ["Ash"], 404),
        ("operator", ["Ash", "Cedar"], 404),
        ("Ash", ["Ash"], 403),
        ("Ash", ["Birch"], 403),
    ]:
        made(*names, caller=caller, code=code)
    assert world.call("rival", "GET", f"{API}/device-tokens").json["data"] == []
    assert world.call("Ash", "GET", f"{API}/device-tokens").status_code == 403


WRONG = [
    ({"name": "x"}, "customers"),
    ({"name": "x", "customers": []}, "customers"),
    ({"name": "x", "customers": ["3"]}, "customers"),
    ({"name": "x", "customers": [2**40]}, "customers"),
    ({"name": " ", "customers": [3]}, "name"),
    ({"name": "x" * 81, "customers": [3]}, "name"),
    ({"customers": [3]}, "name"),
    ({"name": "x", "customers": [3], "rights": "all"}, "rights"),
]


def test_what_is_wrong_is_told_by_its_field(world):
    for body, field in WRONG:
        answer = world.call("operator", "POST", f"{API}/device-tokens", body)
        assert (answer.status_code, list(answer.json["message"]["json"])) == (422, [field])


def test_a_customer_that_was_let_go_is_gone_from_gateways_and_its_own_token_with_it(app, world, made, device):
    gateway, own = made("Ash", "Birch")["token"], made("Ash")["token"]
    with app.app_context():
        leaving.let_go(of_account(db.session.get(Account, world.ash.account)), "Ash")
    assert seen(device(gateway)) == [world.birch.account]
    assert send(device, gateway, world.ash.account) == ["Rejected"]
    assert device(gateway, f"/boiler-customer/{world.ash.account}/now").status_code == 404
    assert device(own).status_code == 401


@pytest.mark.parametrize("names", [["Ash"], ["Ash", "Birch"]])
def test_a_customer_that_went_to_another_operator_is_out_of_reach(app, world, made, device, names):
    token = made(*names)["token"]
    with app.app_context():
        ash, cedar = (db.session.get(Account, each.account) for each in (world.ash, world.cedar))
        ash.consultancy_account_id = cedar.consultancy_account_id
        db.session.commit()
    assert world.ash.account not in seen(device(token))
    assert send(device, token, world.ash.account) == ["Rejected"]


def test_a_household_cannot_make_itself_a_token_nor_bring_back_one_that_was_taken_away_elsewhere(
    app, world, made, device
):
    """What stands with one boiler is no good with another, and nothing that was not sealed here is."""
    token = made("Birch")["token"]
    with app.app_context():
        birch, ash = (db.session.get(Asset, each.boiler) for each in (world.birch, world.ash))
        ash.attributes = {**ash.attributes, ATTRIBUTE: birch.attributes[ATTRIBUTE]}
        db.session.commit()
    secret = token.rpartition("_")[2]
    assert device(f"sb_{world.ash.boiler}_{secret}").status_code == 401
    assert world.call("operator", "GET", f"{API}/device-tokens").json["num-records"] == 1
    for forged in ([{"id": "1-00000000"}], "x", {"devices": []}, 5, None):
        with app.app_context():
            ash = db.session.get(Asset, world.ash.boiler)
            ash.attributes = {**ash.attributes, ATTRIBUTE: forged}
            db.session.commit()
        assert device(f"sb_{world.ash.boiler}_{secret}").status_code == 401
        assert world.call("operator", "GET", f"{API}/device-tokens").json["num-records"] == 1


NO_TOKENS = [
    "",
    "sb_",
    f"sb_1_{'a' * 43}",
    f"sb_9999999999_{'a' * 43}",
    f"sb_g1_{'a' * 43}",
    f"sb_g9999999999_{'a' * 43}",
    f"sb_0_{'a' * 43}",
    f"sb_\u0661_{'a' * 43}",
    f"sb_1'--_{'a' * 43}",
    "sb_1_" + "a" * 10_000,
]


def test_what_is_no_token_opens_nothing(world, device):
    for token in NO_TOKENS:
        answer = device(token.encode().decode("latin-1"))
        assert (answer.status_code, answer.json["status"]) == (401, "UNAUTHORIZED"), token


def test_a_token_that_is_not_there_cannot_be_taken_away(world):
    for token_id in ("1-00000000", "g1-00000000", "99999999999-00000000", "x", "g-1", "9999999999-00000000"):
        assert world.call("operator", "DELETE", f"{API}/device-tokens/{token_id}").status_code == 404


def test_devices_have_a_limit_of_their_own_whatever_their_address_and_what_their_operator_does(
    app, world, made, device, monkeypatch
):
    monkeypatch.setitem(app.config, "SMART_BOILER_DEVICE_RATE_LIMIT", "2 per minute")
    one, other = made("Ash")["token"], made("Birch")["token"]
    assert [device(one).status_code for _ in range(3)] == [200, 200, 429]
    assert int(device(one).headers["Retry-After"]) > 0
    assert device(other).status_code == 200
    assert world.call("operator", "GET", f"{API}/set-points").status_code == 200


def test_a_device_is_no_more_than_it_is_though_an_operator_is_logged_in_beside_it(app, world, made):
    token = made("Ash")["token"]
    answer = world.browser("operator@example.com").get(
        f"{API}/set-points", headers={"Authorization": f"Bearer {token}"}
    )
    assert seen(answer) == [world.ash.account]


def test_without_redis_devices_work_and_nobody_knows_when_they_were_seen(app, world, made, monkeypatch):
    made("Ash")

    def away(*_):
        raise NoRedisError

    with app.app_context():
        (device,) = tokens.devices_of(db.true(), db.true())
        for name in ("hset", "hmget", "hdel"):
            monkeypatch.setattr(app.redis_connection, name, away)
        tokens.note_seen(device, module.server_now())
        assert tokens.last_seen([device]) == {}
        tokens.take_away(device)
        assert tokens.devices_of(db.true(), db.true()) == []


def test_a_boiler_has_so_many_tokens_and_no_more(world, made, monkeypatch):
    monkeypatch.setattr(tokens, "MOST_OF_BOILER", 1)
    made("Ash")
    assert "Take away one" in made("Ash", code=409)["message"]
    made("Birch")
