"""A tariff that is removed while customers get it: whoever comes first, nobody has a tariff that is gone."""

import threading
import time

import pytest
from flexmeasures import Account, Asset
from flexmeasures.data import db
from sqlalchemy import text

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.customers import changing, directory
from smart_boiler_plugin.customers.changes import one_change
from smart_boiler_plugin.customers.taking_on import NewCustomer, make_customer, take_on
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.prices import tariff_life, tariffs
from smart_boiler_plugin.prices.switching import switch
from tests.host.tariffs import household

NEW = NewCustomer(name="Elm", user_name="elm", user_email="elm@example.com", tariff="Flat")


def meanwhile(app, action, waiting=1):
    """Do something in another session, which comes to wait for this one; return a function that returns how it ended.

    So many others wait then, with it.
    """
    ended = []
    thread = threading.Thread(target=lambda: ended.append(outcome_of(app, action)))
    thread.start()
    deadline = time.monotonic() + 20
    with db.engine.connect() as watching:
        while watching.execute(text("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")).scalar() < waiting:
            assert thread.is_alive(), f"it did not wait: {ended}"
            assert time.monotonic() < deadline
            watching.rollback()

    def end():
        thread.join(20)
        assert not thread.is_alive()
        return ended[0]

    return end


def outcome_of(app, action):
    """What an action in a session of its own returns, or why it was refused, as a text."""
    with app.app_context():
        try:
            return str(action())
        except SmartBoilerError as error:
            db.session.rollback()
            return str(error)
        finally:
            db.session.remove()


def remove(name="Flat", move_to=None):
    return tariff_life.remove(tariffs.find(name), move_to and tariffs.find(move_to))


@pytest.fixture
def operator_account(app, operator, tariff):
    """The operator's account, in an app context; there are two tariffs."""
    tariff("Flat", 0.25)
    tariff("Other", 0.30)
    with app.app_context():
        yield db.session.get(Account, operator[0])


def test_who_is_taken_on_at_this_moment_keeps_the_tariff_from_being_removed(app, operator_account):
    with one_change():
        made = make_customer(NEW, operator_account, None)
        removed = meanwhile(app, remove)
    assert "1 customers have 'Flat'" in removed()
    assert made.tariff == "Flat"


def test_who_is_taken_on_at_this_moment_is_moved_along(app, operator_account):
    with one_change():
        made = make_customer(NEW, operator_account, None)
        removed = meanwhile(app, lambda: remove(move_to="Other"))
    assert removed() == "1"
    db.session.expire_all()
    assert Boiler(made.asset).price.generic_asset.name == "Other"


def test_whoever_is_changed_to_it_at_this_moment_keeps_it_too(app, call, operator_account):
    made = call("POST", **household("Ash", tariff="Other")).json
    with one_change():
        held = tariffs.hold(tariffs.find("Flat"))
        switch(Boiler(db.session.get(Asset, made["boiler"])), held)
        removed = meanwhile(app, remove)
    assert "1 customers have 'Flat'" in removed()


def test_whoever_is_to_have_it_keeps_it_or_is_moved(app, call, boilers, operator_account):
    made = call("POST", **household("Ash", tariff="Other")).json
    assert call("PATCH", f"/{made['account']}", tariff="Flat", **{"from": "2099-01-01"}).status_code == 200
    assert "1 customers have 'Flat'" in boilers("remove-tariff", "Flat").output
    assert "1 customers have 'Other' now." in boilers("remove-tariff", "Flat", "--move-to", "Other").output
    steps = call("GET", f"/{made['account']}").json["history"]["tariff"]
    assert [step["tariff"] for step in steps] == ["Other", "Other"]


@pytest.mark.parametrize("asked", ["taken on", "changed"])
def test_who_asks_while_it_is_removed_isoutcome_of(app, call, operator_account, asked):
    other = call("POST", **household("Oak", tariff="Flat")).json
    made = call("POST", **household("Ash", tariff="Other")).json
    operator_id = operator_account.id
    # the removal has locked the tariff, and waits for a boiler that somebody changes
    db.session.rollback()
    db.session.execute(db.select(Asset.id).filter_by(id=other["boiler"]).with_for_update()).all()

    def ask():
        if asked == "taken on":
            return take_on(NEW, db.session.get(Account, operator_id))
        customer = directory.of_account(db.session.get(Account, made["account"]))
        return changing.change(customer, None, {}, {}, tariff="Flat")

    removed = meanwhile(app, lambda: remove(move_to="Other"))
    told = meanwhile(app, ask, waiting=2)
    db.session.rollback()
    assert removed() == "1"
    assert "'Flat' was removed just now" in told()
    with app.app_context():
        assert db.session.query(Account).filter_by(name="Elm").count() == 0
        assert Boiler(db.session.get(Asset, made["boiler"])).price.generic_asset.name == "Other"


def test_of_many_at_once_none_has_a_tariff_that_is_gone(app, operator_account):
    """Five removals while ten customers are taken on with a tariff each: whatever the order, all is coherent."""
    operator_id, start = operator_account.id, threading.Barrier(11)
    db.session.rollback()

    def run(number):
        start.wait()
        new = NewCustomer(f"H{number}", f"h{number}", f"h{number}@example.com", tariff="Flat")
        return outcome_of(app, lambda: take_on(new, db.session.get(Account, operator_id)).tariff)

    def end():
        start.wait()
        return outcome_of(app, remove)

    told = {}
    actions = {**{number: (lambda number=number: run(number)) for number in range(10)}, "end": end}
    threads = [
        threading.Thread(target=lambda name=name, action=action: told.update({name: action()}))
        for name, action in actions.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    taken = [told[number] for number in range(10) if told[number] == "Flat"]
    if told["end"] == "0":
        assert taken == []
        assert all("Flat" in told[number] for number in range(10))
    else:
        assert "customers have 'Flat'" in told["end"]
        assert len(taken) == 10, told
