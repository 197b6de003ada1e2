"""What a household's own login can do on the host: nothing that hurts anybody; and who may delete and see what."""

import pytest
from flexmeasures import Account, Asset, Sensor
from flexmeasures.data import db

from smart_boiler_plugin.customers.guard_rules import Rule, rule_of
from tests.factories import make_account, make_user
from tests.host.boilers import START
from tests.host.households import World

V3 = "/api/v3_0"
WINDOW = {"start": START.isoformat(), "duration": "PT24H"}


@pytest.fixture
def world(app):
    return World(app)


def test_each_method_of_each_endpoint_is_classified(app):
    unknown = [
        (method, rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"OPTIONS"}
        if rule_of(method, rule.endpoint) is None
    ]
    assert unknown == []


def test_what_writes_is_for_households_on_a_short_list_alone(app):
    writes = {
        (method, rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in rule.methods & {"POST", "PUT", "PATCH", "DELETE"}
        if rule_of(method, rule.endpoint) is Rule.HOST
        and not rule.endpoint.startswith(("security.", "smart-boiler-plugin ", "flexmeasures_api"))
    }
    assert writes == {
        ("POST", "SensorAPI:post_data"),
        ("POST", "SensorAPI:upload_data"),
        ("POST", "SensorEntityAddressAPI:post_data_deprecated"),
        ("POST", "AssetAPI:update_default_asset_view"),
        ("POST", "AssetAPI:update_keep_legends_below_graphs"),
        ("PATCH", "UserAPI:patch"),
        ("PATCH", "UserAPI:reset_user_password"),
    }


# --- what a household does

ASSET = {"name": "Shed", "generic_asset_type_id": 1, "latitude": 0, "longitude": 0}
SENSOR = {"name": "fake", "unit": "kW", "event_resolution": "PT15M", "timezone": "UTC"}
NOTE = {"content": "Hello", "start": START.isoformat(), "end": START.isoformat()}
FORBIDDEN = {
    "account roles": ("PATCH", "/accounts/{ash.account}", {"account_roles": []}),
    "cut off its operator": ("PATCH", "/accounts/{ash.account}", {"consultancy_account_id": None}),
    "account name": ("PATCH", "/accounts/{ash.account}", {"name": "Mine"}),
    "account attributes": ("PATCH", "/accounts/{ash.account}", {"attributes": "{}"}),
    "make an account": ("POST", "/accounts", {"name": "New"}),
    "note on account": ("POST", "/accounts/{ash.account}/annotations", NOTE),
    "rename boiler": ("PATCH", "/assets/{ash.boiler}", {"name": "</script><script>alert(1)</script>"}),
    "attributes": ("PATCH", "/assets/{ash.boiler}", {"attributes": '{"smart-boiler": {}}'}),
    "flex-model": ("PATCH", "/assets/{ash.boiler}", {"flex_model": '{"consumption": {"sensor": 1}}'}),
    "flex-context": ("PATCH", "/assets/{ash.boiler}", {"flex_context": '{"aggregate-power": {"sensor": 1}}'}),
    "delete boiler": ("DELETE", "/assets/{ash.boiler}", None),
    "child": ("POST", "/assets", {**ASSET, "account_id": "{ash.account}", "parent_asset_id": "{ash.boiler}"}),
    "copy": ("POST", "/assets/{ash.boiler}/copy", {}),
    "note on asset": ("POST", "/assets/{ash.boiler}/annotations", NOTE),
    "sensor": ("POST", "/sensors", {**SENSOR, "generic_asset_id": "{ash.boiler}"}),
    "scheduler": ("PATCH", "/sensors/{ash.fill_rate}", {"attributes": '{"custom-scheduler": {"module": "x"}}'}),
    "unit": ("PATCH", "/sensors/{ash.fill_rate}", {"unit": "MW"}),
    "delete sensor": ("DELETE", "/sensors/{ash.fill_rate}", None),
    "delete data": ("DELETE", "/sensors/{ash.fill_rate}/data", {}),
    "note on sensor": ("POST", "/sensors/{ash.fill_rate}/annotations", NOTE),
    "forecast": ("POST", "/sensors/{ash.fill_rate}/forecasts/trigger", {"start": START.isoformat()}),
    "make a user": ("POST", "/users", {"email": "x@example.com", "username": "x", "account_id": "{ash.account}"}),
}
OF_OTHERS = {
    "account": ("PATCH", "/accounts/{other.account}", {"name": "Mine"}),
    "asset": ("PATCH", "/assets/{other.boiler}", {"name": "Mine"}),
    "delete asset": ("DELETE", "/assets/{other.boiler}", None),
    "note on asset": ("POST", "/assets/{other.boiler}/annotations", NOTE),
    "sensor": ("PATCH", "/sensors/{other.fill_rate}", {"name": "Mine"}),
    "delete sensor": ("DELETE", "/sensors/{other.fill_rate}", None),
    "delete data": ("DELETE", "/sensors/{other.fill_rate}/data", {}),
}


def filled(value, **names):
    if isinstance(value, dict):
        return {name: filled(inner, **names) for name, inner in value.items()}
    if not isinstance(value, str) or not value.startswith(("/", "{ash")):
        return value
    text = value.format(**names)
    return int(text) if text.isdigit() else text


@pytest.mark.parametrize("case", FORBIDDEN)
def test_a_household_is_refused_in_the_hosts_shape_and_nothing_changes(world, contents, case):
    method, path, body = FORBIDDEN[case]
    before = contents()
    answer = world.call("Ash", method, V3 + filled(path, ash=world.ash), filled(body, ash=world.ash))
    assert (answer.status_code, answer.json["status"]) == (403, "INVALID_SENDER"), answer.text
    assert contents() == before


@pytest.mark.parametrize("other", ["birch", "cedar"])
@pytest.mark.parametrize("case", OF_OTHERS)
def test_what_is_anothers_does_not_exist_for_a_household(world, contents, case, other):
    method, path, body = OF_OTHERS[case]
    before = contents()
    answer = world.call("Ash", method, V3 + filled(path, other=getattr(world, other)), body)
    assert answer.status_code == 404, answer.text
    assert contents() == before


@pytest.mark.parametrize("who", ["Ash", "operator"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_page_that_deletes_with_all_data_deletes_nothing_of_others(world, contents, who, method):
    with world.app.app_context():
        spot = db.session.query(Asset).filter_by(name="NL spot tariff").one().id
    before = contents()
    for asset in (world.cedar.boiler, spot, 999_999, 10**30):
        answer = world.call(who, method, f"/assets/delete_with_data/{asset}")
        assert answer.status_code == 404
    if who == "Ash":
        assert world.call(who, method, f"/assets/delete_with_data/{world.birch.boiler}").status_code == 404
        answer = world.call(who, method, f"/assets/delete_with_data/{world.ash.boiler}")
        assert (answer.status_code, answer.mimetype) == (403, "text/html")
    assert contents() == before


def test_who_may_delete_an_asset_still_can_but_not_from_another_site(world, contents):
    with world.app.app_context():
        _, world.tokens["admin"] = make_user(make_account("Administration"), "admin", roles=["admin"])
    before = contents()
    path = f"/assets/delete_with_data/{world.birch.boiler}"
    headers = {"Authorization": world.tokens["admin"]}
    crossed = world.app.test_client().get(path, headers={**headers, "Sec-Fetch-Site": "cross-site"})
    assert crossed.status_code == 403
    assert contents() == before
    assert world.app.test_client().get(path, headers={**headers, "Sec-Fetch-Site": "same-origin"}).status_code == 302
    with world.app.app_context():
        assert db.session.get(Asset, world.birch.boiler) is None


def test_a_session_meets_the_same_guard_as_a_token(world, contents):
    browser = world.browser(world.ash.email)
    before = contents()
    assert browser.get(f"/assets/delete_with_data/{world.birch.boiler}").status_code == 404
    assert browser.get(f"/assets/delete_with_data/{world.ash.boiler}").status_code == 403
    page = browser.post(f"/assets/{world.ash.boiler}", data={"name": "</script>"})
    assert (page.status_code, page.mimetype) == (403, "text/html")
    assert browser.post("/assets/create", data={"name": "Shed"}).status_code == 403
    assert browser.get("/accounts/new").status_code == 403
    assert browser.get(f"/assets/{world.ash.boiler}/sensors/new").status_code == 403
    assert contents() == before


def test_the_page_of_a_sensor_is_for_those_who_may_read_it(world):
    with world.app.app_context():
        price = world.ash.ids["consumption_price"]
    for who, sensor, code in (
        ("Ash", world.ash.fill_rate, 200),
        ("Ash", price, 200),
        ("Ash", world.birch.fill_rate, 404),
        ("Ash", world.cedar.fill_rate, 404),
        ("operator", world.birch.fill_rate, 200),
        ("operator", world.cedar.fill_rate, 404),
    ):
        answer = world.call(who, "GET", f"/sensors/{sensor}")
        assert (who, sensor, answer.status_code) == (who, sensor, code)
        assert code == 200 or "Cedar" not in answer.text


def test_a_household_does_what_is_meant_for_it(world):
    """Reads its own, posts readings, triggers, changes its own user, and opens the pages of its own things."""
    ash = world.ash
    for path in ("/assets", f"/assets/{ash.boiler}", f"/sensors/{ash.fill_rate}", f"/accounts/{ash.account}", "/users"):
        assert world.call("Ash", "GET", V3 + path).status_code == 200, path
    reading = {"values": [52.0], "start": START.isoformat(), "duration": "PT15M", "unit": "°C"}
    sent = world.call("Ash", "POST", f"{V3}/sensors/{ash.ids['temperature']}/data", reading)
    assert sent.status_code == 200, sent.text
    assert world.call("Ash", "POST", f"{V3}/sensors/{world.birch.ids['temperature']}/data", reading).status_code == 403
    asked = world.call("Ash", "POST", f"{V3}/sensors/{ash.fill_rate}/schedules/trigger", WINDOW)
    assert asked.status_code == 202, asked.text
    assert world.call("Ash", "PATCH", f"{V3}/users/{ash.ids['user']}", {"timezone": "Europe/Paris"}).status_code == 200
    browser = world.browser(ash.email)
    for page in ("/dashboard", f"/assets/{ash.boiler}/graphs", f"/sensors/{ash.fill_rate}", "/logged-in-user"):
        assert browser.get(page).status_code == 200, page


def test_operators_and_admins_change_their_customers_on_the_host_as_before(world):
    path = f"{V3}/assets/{world.ash.boiler}"
    assert world.call("operator", "PATCH", path, {"latitude": 52.1}).status_code == 200
    assert world.call("rival", "PATCH", path, {"latitude": 52.1}).status_code == 403


def test_a_setting_switches_it_off(world, monkeypatch):
    monkeypatch.setitem(world.app.config, "SMART_BOILER_GUARD", value=False)
    path = f"{V3}/assets/{world.ash.boiler}"
    assert world.call("Ash", "PATCH", path, {"latitude": 52.1}).status_code == 200


# --- a scheduler that somebody has stored


@pytest.mark.parametrize("who", ["Ash", "operator"])
@pytest.mark.parametrize("stored", [{"module": "MODULE", "class": "Evil"}, {"class": "Evil"}, ["x"], None, "Evil"])
def test_a_stored_scheduler_from_anywhere_is_refused_before_the_host_imports_it(world, tmp_path, who, stored):
    module, mark = tmp_path / "evil.py", tmp_path / "imported"
    module.write_text(f"open({str(mark)!r}, 'w')\nclass Evil:\n    def compute(self): pass\n")
    if isinstance(stored, dict) and "module" in stored:
        stored = {**stored, "module": str(module)}
    ash = world.ash
    for model, owner in ((Sensor, ash.fill_rate), (Asset, ash.boiler)):
        with world.app.app_context():
            found = db.session.get(model, owner)
            good = dict(found.attributes)
            found.attributes = {**good, "custom-scheduler": stored}
            db.session.commit()
        kind = "sensors" if model is Sensor else "assets"
        body = {**WINDOW, "sequential": True} if model is Asset else WINDOW
        answer = world.call(who, "POST", f"{V3}/{kind}/{owner}/schedules/trigger", body)
        assert (answer.status_code, answer.json["status"]) == (422, "UNPROCESSABLE_ENTITY"), answer.text
        assert "BoilerScheduler" in answer.json["message"]
        with world.app.app_context():
            db.session.get(model, owner).attributes = good
            db.session.commit()
    assert not mark.exists()


def test_a_module_of_a_child_is_found_when_its_site_is_planned(world):
    with world.app.app_context():
        boiler = db.session.get(Asset, world.ash.boiler)
        child = Asset(name="Shed", generic_asset_type=boiler.generic_asset_type, account_id=boiler.account_id)
        child.parent_asset_id = boiler.id
        child.attributes = {"custom-scheduler": {"module": "os", "class": "X"}}
        db.session.add(child)
        db.session.commit()
        assert db.session.get(Account, boiler.account_id).name == "Ash"
    answer = world.call("operator", "POST", f"{V3}/assets/{world.ash.boiler}/schedules/trigger", WINDOW)
    assert answer.status_code == 422
