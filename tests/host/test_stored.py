"""Our own data in the host's JSON columns: nobody's change is lost, nothing of others is touched."""

import threading
import time

import pytest
from flexmeasures import Account, Asset
from flexmeasures.data import db
from sqlalchemy import text

from smart_boiler_plugin import stored
from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.changing import change_boiler
from tests.factories import make_account
from tests.host.boilers import make_household
from tests.host.queries import counted_queries


@pytest.fixture
def asset_id(app):
    """Id of a boiler's asset, which has an attribute of somebody else."""
    with app.app_context():
        boiler, _ = make_household()
        boiler.asset.attributes = {**boiler.asset.attributes, "theirs": [1]}
        db.session.commit()
        return boiler.asset.id


def while_waiting(app, first, second):
    """Let one session make a change, and another one too, which has read before and waits for the first to commit."""
    has_read, has_changed = threading.Event(), threading.Event()

    def run_second():
        with app.app_context():
            second(None)
            has_read.set()
            assert has_changed.wait(20)
            second(db.session)
            db.session.commit()

    thread = threading.Thread(target=run_second)
    thread.start()
    with app.app_context():
        assert has_read.wait(20)
        first(db.session)
        has_changed.set()
        deadline = time.monotonic() + 20
        while not db.session.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar():
            assert time.monotonic() < deadline, "the second change did not wait for the first"
        db.session.commit()
    thread.join()


def test_of_two_changes_at_once_both_count(app, asset_id):
    def changing(name):
        def run(session):
            asset = db.session.get(Asset, asset_id)
            assert stored.read(asset)["volume_l"] == 80
            if session:
                stored.change(asset, lambda known: {**known, name: True})

        return run

    while_waiting(app, changing("first"), changing("second"))
    with app.app_context():
        asset = db.session.get(Asset, asset_id)
        known = stored.read(asset)
        assert (known["first"], known["second"], known["volume_l"]) == (True, True, 80.0)
        assert asset.attributes["theirs"] == [1]
        assert asset.attributes["custom-scheduler"] == "BoilerScheduler"


def test_of_a_changed_tank_and_a_changed_comfort_at_once_both_count_and_the_flex_model_follows(app, asset_id):
    def change_tank(session):
        boiler = Boiler(db.session.get(Asset, asset_id))
        assert boiler.data.volume_l == 80
        if session:
            change_boiler(boiler, {"volume_l": 120.0}, {})

    def change_power_and_comfort(session):
        boiler = Boiler(db.session.get(Asset, asset_id))
        assert boiler.data.volume_l == 80
        if session:
            change_boiler(boiler, {"power_kw": 2.0}, {})
            boiler.change_comfort({"hygiene": {"off": "fresh water station"}})

    while_waiting(app, change_tank, change_power_and_comfort)
    with app.app_context():
        boiler = Boiler(db.session.get(Asset, asset_id))
        assert (boiler.data.volume_l, boiler.data.power_kw) == (120.0, 2.0)
        assert boiler.comfort.hygiene.off_because == "fresh water station"
        # 120 l from 10 to 65 °C: 120 * 0.997 * 4.184 / 3600 * 55 kWh
        assert boiler.asset.flex_model["soc-max"] == "7.647655 kWh"
        assert boiler.asset.flex_model["power-capacity"] == "2 kW"


def test_a_change_that_fails_leaves_everything(app, asset_id):
    with app.app_context():
        asset = db.session.get(Asset, asset_id)
        before = dict(asset.attributes)
        with pytest.raises(KeyError):
            stored.change(asset, lambda known: {**known, "volume_l": known["no such field"]})
        db.session.commit()
        assert db.session.get(Asset, asset_id).attributes == before


def test_what_was_changed_here_and_is_not_yet_written_is_kept(app, asset_id):
    with app.app_context():
        asset = db.session.get(Asset, asset_id)
        asset.name = "Attic"
        stored.change(asset, lambda known: {**known, "seen": True})
        db.session.commit()
        assert (asset.name, stored.read(asset)["seen"]) == ("Attic", True)


def test_an_account_keeps_ours_beside_its_own(app):
    with app.app_context():
        account = make_account("Operator")
        account.attributes = {"theirs": 1}
        db.session.commit()
        stored.change(account, lambda known: {"contracts": [], "was": known})
        db.session.commit()
        account = db.session.get(Account, account.id)
        assert account.attributes == {"theirs": 1, "smart-boiler": {"contracts": [], "was": None}}


def test_a_change_costs_one_locked_read_and_one_write(app, asset_id):
    with app.app_context():
        asset = db.session.get(Asset, asset_id)
        with counted_queries() as statements:
            stored.change(asset, lambda known: {**known, "seen": True})
            db.session.flush()
        assert [statement.split()[0] for statement in statements] == ["SELECT", "UPDATE"]
        assert "FOR NO KEY UPDATE" in statements[0]
