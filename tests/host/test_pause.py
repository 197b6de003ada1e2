"""Leaving boilers alone: by PATCH of one, by command of many."""

import pytest
from flexmeasures import Asset
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog

from tests.host.households import API, World
from tests.host.queries import counted_queries


@pytest.fixture
def world(app):
    """Operator with Ash and Birch, rival with Cedar."""
    return World(app)


def paused(world, *callers):
    """Whose boilers are left alone, as their devices are told."""
    told = [each for caller in callers for each in world.call(caller, "GET", f"{API}/set-points").json["data"]]
    names = {household.account: name for name, household in world.households.items()}
    return {names[each["account"]] for each in told if each["why"] == "left alone"}


def test_an_operator_leaves_a_boiler_alone_while_a_fitter_is_there_and_a_household_cannot(world):
    path = f"{API}/boiler-customer/{world.ash.account}"
    pause = {"comfort": {"pause": {"until": "2100-01-01T00:00:00+01:00"}}}
    assert world.call("Ash", "PATCH", path, pause).status_code == 403
    assert paused(world, "operator") == set()
    answer = world.call("operator", "PATCH", path, pause)
    assert answer.json["comfort"]["pause"] == {"until": "2100-01-01T00:00:00+01:00"}
    assert paused(world, "operator", "rival") == {"Ash"}
    world.call("operator", "PATCH", path, {"comfort": {"pause": None}})
    assert paused(world, "operator") == set()


@pytest.mark.parametrize(
    ("words", "left_alone"),
    [
        (("--all",), {"Ash", "Birch", "Cedar"}),
        (("--operator", "OPERATOR"), {"Ash", "Birch"}),
        (("BIRCH",), {"Birch"}),
        (("BIRCH", "CEDAR", "--hours", "48"), {"Birch", "Cedar"}),
    ],
)
def test_the_command_leaves_many_alone_and_ends_that(app, world, boilers, words, left_alone):
    with app.app_context():
        birch = db.session.get(Asset, world.birch.boiler)
        operator = birch.owner.consultancy_account_id
        # broken data are no reason to go on heating by plan
        birch.attributes = {**birch.attributes, "smart-boiler": {"volume_l": -5, "comfort": "warm"}}
        db.session.commit()
    ids = {"OPERATOR": operator, "BIRCH": world.birch.account, "CEDAR": world.cedar.account}
    named = [ids.get(word, word) for word in words]
    result = boilers("pause", *named)
    told = f"{len(left_alone)} boilers are left alone until "
    assert (result.exit_code, told in result.output) == (0, True), result.output
    assert paused(world, "operator", "rival") == left_alone
    with app.app_context():
        assert db.session.get(Asset, world.birch.boiler).attributes["smart-boiler"]["volume_l"] == -5
        logged = db.session.query(AssetAuditLog).filter(AssetAuditLog.event.startswith("Paused until 2"))
        assert logged.count() == len(left_alone)
    assert "follow their plans again" in boilers("pause", *named, "--end").output
    assert paused(world, "operator", "rival") == set()


def test_many_take_as_many_statements_as_few(app, world, boilers):
    counts = []
    for words in (("--operator", 1), ("--all",)):
        with counted_queries(app) as statements:
            boilers("pause", *words)
        counts.append(sum("UPDATE" in each or "INSERT" in each for each in statements))
    assert counts == [2, 2]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "Name the ACCOUNT"),
        (("--all", "3"), "Name the ACCOUNT"),
        (("--all", "--operator", "1"), "Name the ACCOUNT"),
        (("999",), "There is no account 999"),
        (("1",), "Account 1 is no boiler customer"),
        (("--operator", "999"), "There is no account 999"),
        (("--all", "--hours", "0"), "--hours"),
    ],
)
def test_what_cannot_be_is_refused(world, boilers, words, told):
    result = boilers("pause", *words)
    assert (result.exit_code, told in result.output) == (2, True)
