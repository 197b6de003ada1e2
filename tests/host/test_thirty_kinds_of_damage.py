"""What a household can do to what is stored of it while the guard is off: all are listed, and all can be erased.

The host lets its users write all of this (``SECURITY.md``); here it is written into the database, in one go.
"""

from datetime import timedelta

import pytest
from flexmeasures import Account, Asset, Sensor, Source, User
from flexmeasures.data import db
from flexmeasures.data.models.annotations import Annotation
from flexmeasures.data.models.time_series import TimedBelief
from flexmeasures.data.models.user import AccountRole

from smart_boiler_plugin.stored import ATTRIBUTE
from tests.host.boilers import START
from tests.host.households import API, World


class Home:
    """What the host has of one household."""

    def __init__(self, ids, neighbour):
        self.account = db.session.get(Account, ids["account"])
        self.boiler = db.session.get(Asset, ids["boiler"])
        self.user = db.session.get(User, ids["user"])
        self.sensors = {sensor.name: sensor for sensor in self.boiler.sensors}
        self.neighbour = neighbour

    def drop(self, *rows):
        """Delete rows."""
        for row in rows:
            db.session.delete(row)

    def note(self, owner):
        """Note something with an owner."""
        source = db.session.query(Source).filter_by(user_id=self.user.id).first()
        day = START.to_pydatetime()
        owner.annotations.append(Annotation(content="x", start=day, end=day, source=source, type="label"))

    def asset(self, name, parent=None, **more):
        """Make a further asset."""
        made = Asset(name=name, generic_asset_type=self.boiler.generic_asset_type, owner=self.account, **more)
        made.parent_asset = parent
        db.session.add(made)
        return made

    def store(self, value):
        """Store anything as what the plugin keeps."""
        self.boiler.attributes = {**self.boiler.attributes, ATTRIBUTE: value}

    def below_a_house(self):
        """Put the boiler below a house."""
        self.boiler.parent_asset = self.asset("House")

    def a_tower(self):
        """Put assets below the boiler, each below the last."""
        below = self.boiler
        for number in range(5):
            below = self.asset(f"Floor {number}", below)

    def a_reading(self, value):
        """Report any value."""
        source = db.session.query(Source).filter_by(user_id=self.user.id).first()
        start, horizon = START.to_pydatetime(), timedelta(0)
        sensor = self.sensors["temperature"]
        db.session.add(
            TimedBelief(sensor=sensor, source=source, event_value=value, event_start=start, belief_horizon=horizon)
        )

    def give(self, owner, **attributes):
        """Give an owner attributes."""
        owner.attributes = {**(owner.attributes or {}), **attributes}


KINDS = {
    "no temperature": lambda home: home.drop(home.sensors["temperature"]),
    "no fill rate": lambda home: home.drop(home.sensors["fill-rate"]),
    "no demand": lambda home: home.drop(home.sensors["demand"]),
    "no cost": lambda home: home.drop(home.sensors["cost"], home.sensors["daily cost"], home.sensors["daily savings"]),
    "no sensor": lambda home: home.drop(*home.sensors.values()),
    "no boiler": lambda home: home.drop(home.boiler),
    "no attribute": lambda home: setattr(home.boiler, "attributes", {}),
    "attribute null": lambda home: home.store(None),
    "attribute a list": lambda home: home.store([1, 2]),
    "volume a word": lambda home: home.store({"volume_l": "much"}),
    "volume endless": lambda home: home.store({"volume_l": 1e308, "power_kw": -1}),
    "comfort a word": lambda home: home.store({"volume_l": 80, "comfort": "warm"}),
    "comfort deep": lambda home: home.store({"volume_l": 80, "comfort": {"boost": {"until": {"until": []}}}}),
    "no flex-model": lambda home: setattr(home.boiler, "flex_model", {}),
    "flex-model nonsense": lambda home: setattr(home.boiler, "flex_model", {"soc-max": {"sensor": "x"}, "z": [None]}),
    "writes onto a neighbour": lambda home: setattr(
        home.boiler, "flex_model", {"consumption": {"sensor": home.neighbour.fill_rate}}
    ),
    "no flex-context": lambda home: setattr(home.boiler, "flex_context", {}),
    "price of nobody": lambda home: setattr(home.boiler, "flex_context", {"consumption-price": {"sensor": 2**40}}),
    "price of a neighbour": lambda home: setattr(
        home.boiler, "flex_context", {"consumption-price": {"sensor": home.neighbour.fill_rate}}
    ),
    "renamed sensor": lambda home: setattr(home.sensors["fill-rate"], "name", "temperature of the attic"),
    "sensor in another unit": lambda home: setattr(home.sensors["temperature"], "unit", "kg"),
    "sensor in another resolution": lambda home: setattr(
        home.sensors["fill-rate"], "event_resolution", timedelta(hours=1)
    ),
    "sensor in no time zone": lambda home: setattr(home.sensors["demand"], "timezone", "UTC"),
    "a second temperature": lambda home: db.session.add(
        Sensor(name="temperature ", unit="°C", generic_asset=home.boiler, event_resolution=timedelta(minutes=15))
    ),
    "a second boiler": lambda home: home.asset("Boiler 2", attributes=dict(home.boiler.attributes)),
    "scheduler from anywhere": lambda home: home.give(
        home.sensors["fill-rate"], **{"custom-scheduler": {"module": "/x.py", "class": "X"}}
    ),
    "markup as name": lambda home: setattr(home.boiler, "name", "</script><script>alert(1)</script>"),
    "graphs of nothing": lambda home: setattr(
        home.boiler, "sensors_to_show", [{"title": 1, "plots": [{"sensor": -1}]}]
    ),
    "a house above": Home.below_a_house,
    "a tower below": Home.a_tower,
    "a note on the account": lambda home: home.note(home.account),
    "a note on the boiler": lambda home: home.note(home.boiler),
    "a note on a sensor": lambda home: home.note(home.sensors["demand"]),
    "another role, too": lambda home: home.account.account_roles.append(AccountRole(name="Prosumer")),
    "attributes of the account": lambda home: home.give(home.account, **{ATTRIBUTE: "x", "a": [{}]}),
    "no user": lambda home: home.drop(home.user),
    "user switched off": lambda home: setattr(home.user, "active", False),
    "user of no time zone": lambda home: setattr(home.user, "timezone", "Mars/Olympus"),
    "not a number": lambda home: home.a_reading(float("nan")),
    "endlessly hot": lambda home: home.a_reading(float("inf")),
}


@pytest.fixture
def world(app):
    return World(app)


def test_there_are_thirty_kinds_at_least():
    assert len(KINDS) >= 30


def test_whatever_a_household_did_it_is_listed_and_erased_and_others_are_as_before(world):
    ids = {}
    for number, kind in enumerate(KINDS):
        body = {"name": f"{kind} home", "user_name": f"u{number}", "user_email": f"u{number}@example.com"}
        ids[kind] = world.call("operator", "POST", f"{API}/boiler-customer", body).json
    (alone,) = world.call("operator", "GET", f"{API}/fleet?filter=Birch").json["data"]
    with world.app.app_context():
        for kind, damage in KINDS.items():
            damage(Home(ids[kind], world.birch))
            db.session.commit()
        before = db.session.query(TimedBelief).filter_by(sensor_id=world.birch.fill_rate).count()
    looked = world.call("operator", "GET", f"{API}/fleet?per-page=100&sort-by=coldest")
    assert looked.status_code == 200, looked.text
    rows = {one["name"]: one for one in looked.json["data"]}
    assert rows.keys() == {
        "Ash",
        "Birch",
        *(f"{kind} home" for kind in KINDS if kind not in {"no boiler", "no attribute"}),
    }
    assert {**rows["Birch"], "message": None} == {**alone, "message": None}
    loaded = world.call("operator", "GET", f"{API}/fleet/load")
    assert (loaded.status_code, loaded.json["boilers"]) == (200, len(looked.json["data"])), loaded.text
    listed = world.call("operator", "GET", f"{API}/boiler-customer?per-page=100")
    assert listed.status_code == 200, listed.text
    assert {one["name"] for one in listed.json["data"]} == {"Ash", "Birch", *(f"{kind} home" for kind in KINDS)}
    failed = {}
    for kind in KINDS:
        path = f"{API}/boiler-customer/{ids[kind]['account']}"
        answers = {
            "shown": world.call("operator", "GET", path),
            "exported": world.call("operator", "GET", f"{path}/export"),
            "erased": world.call("operator", "DELETE", path, {"confirm": f"{kind} home"}),
        }
        failed |= {(kind, what): answer.text for what, answer in answers.items() if answer.status_code != 200}
        failed |= {} if answers["exported"].json["account"] else {(kind, "exported"): "nothing"}
    assert not failed
    with world.app.app_context():
        gone = [one["account"] for one in ids.values()]
        assert db.session.query(Account).filter(Account.id.in_(gone)).count() == 0
        assert db.session.query(Asset).filter(Asset.account_id.in_(gone)).count() == 0
        assert db.session.query(User).filter(User.account_id.in_(gone)).count() == 0
        assert db.session.query(Annotation).count() == 0
        assert db.session.query(TimedBelief).filter_by(sensor_id=world.birch.fill_rate).count() == before
    left = world.call("operator", "GET", f"{API}/boiler-customer").json["data"]
    assert [(one["name"], one["problem"]) for one in left] == [("Ash", None), ("Birch", None)]
