"""What a household did before the guard was there: others are listed, planned and changed, and it can be erased."""

import pytest
from flexmeasures import Account, Asset, Sensor, Source, User
from flexmeasures.data import db
from flexmeasures.data.models.annotations import Annotation

from tests.host.boilers import START
from tests.host.households import API, World

V3 = "/api/v3_0"
NOTE = {"content": "Key under the mat", "start": START.isoformat(), "end": "2025-10-30T00:00+01:00", "type": "label"}


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def unguarded(world, monkeypatch):
    """A function that lets Ash call the host without the guard, as before it was there."""

    def call(method, path, body=None):
        with monkeypatch.context() as patch:
            patch.setitem(world.app.config, "SMART_BOILER_GUARD", value=False)
            answer = world.call("Ash", method, V3 + path, body)
        assert answer.status_code < 300, answer.text

    return call


def let_go(world):
    """Erase Ash by its operator; nothing of it is left, and Birch is as before."""
    answer = world.call("operator", "DELETE", f"{API}/boiler-customer/{world.ash.account}", {"confirm": "Ash"})
    assert answer.status_code == 200, answer.text
    with world.app.app_context():
        assert db.session.get(Account, world.ash.account) is None
        assert db.session.query(Asset).filter_by(account_id=world.ash.account).count() == 0
        assert db.session.query(User).filter_by(account_id=world.ash.account).count() == 0
        assert db.session.get(Sensor, world.birch.fill_rate) is not None
    return answer.json


def test_annotations_everywhere_are_exported_and_erased(world, unguarded):
    ash = world.ash
    for path in (f"/accounts/{ash.account}", f"/assets/{ash.boiler}", f"/sensors/{ash.fill_rate}"):
        unguarded("POST", f"{path}/annotations", {**NOTE, "content": f"Note on {path}"})
    exported = world.call("Ash", "GET", f"{API}/boiler-customer/{ash.account}/export").json["annotations"]
    assert [note["content"].split("/")[1] for note in exported] == ["accounts", "assets", "sensors"]
    assert {note["by"] for note in exported} == {"ash-home"}
    let_go(world)
    with world.app.app_context():
        assert db.session.query(Annotation).count() == 0
        assert db.session.query(Source).filter_by(name="ash-home").count() == 0


def test_an_annotation_that_others_have_too_stays_with_them(world):
    with world.app.app_context():
        source = Source(name="workalendar", type="demo script")
        day = Annotation(
            content="Christmas", start=START.to_pydatetime(), end=START.to_pydatetime(), source=source, type="holiday"
        )
        for account in (world.ash.account, world.birch.account):
            noted = db.session.get(Account, account)
            noted.annotations.append(day)
        db.session.commit()
    let_go(world)
    with world.app.app_context():
        assert [note.content for note in db.session.get(Account, world.birch.account).annotations] == ["Christmas"]


def test_assets_above_and_below_the_boiler_are_erased_with_it(world):
    with world.app.app_context():
        boiler = db.session.get(Asset, world.ash.boiler)
        kind, owner = boiler.generic_asset_type, boiler.owner
        house, shelf, box = (
            Asset(name=name, generic_asset_type=kind, owner=owner) for name in ("House", "Shelf", "Box")
        )
        theirs = Asset(name="Meter", generic_asset_type=kind, owner=owner.consultancy_account)
        boiler.parent_asset, shelf.parent_asset, box.parent_asset, theirs.parent_asset = house, boiler, shelf, boiler
        db.session.add_all([house, shelf, box, theirs])
        db.session.commit()
        meter = theirs.id
    assert let_go(world)["assets"] == 4
    with world.app.app_context():
        assert db.session.get(Asset, meter).parent_asset_id is None


SENSORS = ["temperature", "set_point", "fill_rate", "demand", "cost", "state_of_charge", "daily_cost", "daily_savings"]


@pytest.mark.parametrize("gone", [*SENSORS, "all"])
def test_without_a_sensor_it_is_listed_and_erased_and_spoils_nothing_of_others(world, unguarded, gone):
    for sensor in SENSORS if gone == "all" else [gone]:
        unguarded("DELETE", f"/sensors/{world.ash.ids[sensor]}")
    listed = world.call("operator", "GET", f"{API}/boiler-customer")
    assert [row["name"] for row in listed.json["data"]] == ["Ash", "Birch"]
    for name, household in (("Ash", world.ash), ("Birch", world.birch)):
        path = f"{API}/boiler-customer/{household.account}"
        assert world.call(name, "GET", path).status_code == 200
        assert world.call(name, "GET", f"{path}/export").status_code == 200
        assert world.call(name, "GET", f"{path}/statement").status_code == (200 if name == "Birch" else SAID[gone])
        changed = world.call(name, "PATCH", path, {"comfort": {"boost": {"until": "2100-01-01T00:00+01:00"}}})
        assert changed.status_code == 200, changed.text
    let_go(world)


SAID = {**dict.fromkeys(SENSORS, 200), "all": 422}


def test_without_a_boiler_it_is_listed_and_erased(world, unguarded):
    unguarded("DELETE", f"/assets/{world.ash.boiler}")
    ash, birch = world.call("operator", "GET", f"{API}/boiler-customer").json["data"]
    assert (ash["boiler"], birch["problem"]) == (None, None)
    path = f"{API}/boiler-customer/{world.ash.account}"
    assert world.call("Ash", "GET", path).status_code == 200
    assert world.call("Ash", "GET", f"{path}/statement").status_code == 422
    assert world.call("Ash", "PATCH", path, {"comfort": {"boost": None}}).status_code == 422
    assert world.call("Ash", "GET", f"{path}/export").status_code == 200
    let_go(world)


def test_without_any_user_it_is_listed_and_an_invitation_says_so(world):
    with world.app.app_context():
        for user in db.session.query(User).filter_by(account_id=world.ash.account):
            db.session.delete(user)
        db.session.commit()
    path = f"{API}/boiler-customer/{world.ash.account}"
    assert world.call("operator", "GET", path).json["users"] == []
    answer = world.call("operator", "POST", f"{path}/invitation")
    assert (answer.status_code, answer.json["status"]) == (422, "UNPROCESSABLE_ENTITY")
    assert "no user" in answer.json["message"]
    let_go(world)


def check(world):
    """The exit code and the output of the check."""
    result = world.app.test_cli_runner().invoke(args=["smart-boiler", "list-customers", "--check"])
    return result.exit_code, result.output


def test_what_households_stored_before_the_guard_is_told_and_mended(world):
    assert check(world) == (0, "Nothing to mend.\n")
    with world.app.app_context():
        boiler = db.session.get(Asset, world.ash.boiler)
        boiler.name = "</script><script>alert(1)</script>"
        boiler.flex_model = {**boiler.flex_model, "consumption": {"sensor": world.birch.fill_rate}}
        boiler.flex_context = {**boiler.flex_context, "inflexible-device-sensors": [world.cedar.fill_rate]}
        price = boiler.flex_context["consumption-price"]
        demand = db.session.get(Sensor, world.ash.ids["demand"])
        demand.attributes = {"custom-scheduler": {"module": "/tmp/x.py", "class": "X"}, "mine": 1}  # noqa: S108
        fill_rate = db.session.get(Sensor, world.ash.fill_rate)
        fill_rate.attributes = {**fill_rate.attributes, "custom-scheduler": {"module": "os", "class": "X"}}
        db.session.get(Account, world.birch.account).account_roles = []
        db.session.commit()
    code, told = check(world)
    assert code == 1
    assert told.count("\n") == 2 + 6
    for part in (
        f"The name of asset {world.ash.boiler} has markup",
        f"flex_model of asset {world.ash.boiler}, consumption: Sensor {world.birch.fill_rate}",
        f"flex_context of asset {world.ash.boiler}, inflexible-device-sensors: Sensor {world.cedar.fill_rate}",
        f"'custom-scheduler' of sensor {world.ash.ids['demand']}",
        f"'custom-scheduler' of sensor {world.ash.fill_rate}",
        "not the role 'Boiler customer'",
    ):
        assert part in told
    mended = world.app.test_cli_runner().invoke(args=["smart-boiler", "upgrade"])
    assert mended.exit_code == 0, mended.output
    with world.app.app_context():
        boiler = db.session.get(Asset, world.ash.boiler)
        assert boiler.name == "/scriptscriptalert(1)/script"
        assert "consumption" not in boiler.flex_model
        assert boiler.flex_context.keys() == {"consumption-price", "production-price"}
        assert boiler.flex_context["consumption-price"] == price
        assert db.session.get(Sensor, world.ash.ids["demand"]).attributes == {"mine": 1}
        assert db.session.get(Sensor, world.ash.fill_rate).attributes["custom-scheduler"] == "BoilerScheduler"
    code, told = check(world)
    assert (code, told.count("\n")) == (1, 3)
    assert "not the role" in told
    assert "Nothing to change" in world.app.test_cli_runner().invoke(args=["smart-boiler", "upgrade"]).output
