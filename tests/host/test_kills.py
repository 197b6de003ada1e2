"""Processes that take on customers and send invitations, killed at random moments: none is half, none uninvited."""

import random
import signal
import time
from collections import Counter
from itertools import count as counting

import pytest
from flexmeasures import Account, Asset, Sensor, User
from flexmeasures.data import db
from rq import SimpleWorker
from sqlalchemy import func

from smart_boiler_plugin import jobs
from smart_boiler_plugin.boiler.asset import UNIT_BY_ROLE
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.customers import bulk, invitations
from tests.host.children import child
from tests.host.mail_servers import serving

API = "/smart-boiler-plugin/api"


def row(name):
    return {"name": name, "user_name": name, "user_email": f"{name}@example.com"}


def busy(app, token, number):
    """Take on customers without end, one by one and in bulk, and do what workers do."""
    names = (f"k{number}x{n}" for n in counting())
    headers = {"Authorization": token}

    def work():
        while True:
            for path, rows in (("", row(next(names))), ("s", [row(next(names)) for _ in range(21)])):
                answer = app.test_client().post(f"{API}/boiler-customer{path}", json=rows, headers=headers)
                assert answer.status_code in {201, 202}, answer.text
                with app.app_context():
                    queue = app.queues["scheduling"]
                    SimpleWorker([queue], connection=queue.connection).work(burst=True, logging_level="ERROR")

    return work


@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.long)])
def test_whenever_it_is_killed_no_customer_is_half_and_none_uninvited(app, operator, flexmeasures, monkeypatch, kills):
    monkeypatch.setitem(app.config, "FLEXMEASURES_MODE", "play")  # limits nobody
    monkeypatch.setattr(bulk, "CHUNK", 7)
    seed = random.randrange(10**6)  # noqa: S311 (no secret)
    chance = random.Random(seed)  # noqa: S311 (no secret)
    print(f"seed {seed}")  # noqa: T201 (to kill at the same moments again)
    with serving(app, monkeypatch) as server:
        for number in range(kills):
            with child(app, busy(app, operator[1], number)) as process:
                time.sleep(chance.uniform(0.05, 1.2))
                process.signal(signal.SIGKILL)
                assert process.wait() == -signal.SIGKILL
            if chance.random() < 0.3:
                app.redis_connection.flushdb()
            nothing_is_half(app)
        # what any operator does who looks
        app.redis_connection.flushdb()
        assert flexmeasures("smart-boiler", "jobs").exit_code == 0
        with app.app_context():
            queue = app.queues["scheduling"]
            SimpleWorker([queue], connection=queue.connection).work(burst=True, logging_level="ERROR")
        assert flexmeasures("smart-boiler", "invite", "--due").exit_code == 0
        taken = server.taken()
    nothing_is_half(app)
    with app.app_context():
        emails = {email for (email,) in db.session.query(User.email).filter(User.email.like("k%x%"))}
        states = {invitations.of(asset).state for asset in boilers()}
        asked = jobs.all_jobs()
        assert [job.id for job in asked if job.waiting] == []
        results = Counter(result["result"] for job in asked for result in job.results)
    # some are killed before their first customer is there
    assert emails
    assert states == {"sent"}
    assert set(taken) == emails
    # one that was killed between the server's answer and the commit is sent once more
    assert sum(taken.values()) - len(taken) <= kills
    # noted with the customers themselves, so never twice
    assert set(results) == {"Created"}
    print(f"{len(emails)} customers, {results['Created']} in bulk, {sum(taken.values()) - len(taken)} mails twice")  # noqa: T201


def boilers():
    return db.session.query(Asset).filter(Asset.attributes.has_key("smart-boiler")).all()


def nothing_is_half(app):
    """Each customer has all, and nothing is nobody's."""
    with app.app_context():
        customers = db.session.query(Account).filter(Account.account_roles.any(name=CUSTOMER_ROLE)).count()
        assert db.session.query(Account).count() == 1 + customers
        assert db.session.query(User).count() == 1 + customers
        per_account = db.session.query(User.account_id, func.count()).group_by(User.account_id).all()
        assert {number for _, number in per_account} == {1}
        assert len(boilers()) == customers
        assert all(invitations.of(asset) is not None for asset in boilers())
        sensors = db.session.query(Sensor).filter(Sensor.generic_asset_id.in_([asset.id for asset in boilers()]))
        assert sensors.count() == customers * len(UNIT_BY_ROLE)
