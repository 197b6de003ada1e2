"""Mails of problems that begin and end: by a real mail server, once each, whoever else tells them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from flexmeasures import Account, Asset
from flexmeasures.data import db

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.fleet import digest
from smart_boiler_plugin.fleet.digest import tell
from smart_boiler_plugin.fleet.members import of_operator
from smart_boiler_plugin.fleet.overview import overview
from tests.factories import make_account
from tests.host.mail_servers import serving, silent_port, slowly, used_by
from tests.host.watched import course, make_member, now, plan, priced
from tests.host.workers import kill_with_its_job, start_worker, wait_until

NIGHT = "night@example.com"


@pytest.fixture
def operator(app):
    """Id of an operator of Ash, who is well, and Birch and Cedar, who have no plan; and a worker that is alive."""
    with app.app_context():
        moment = now()
        priced(moment)
        account = make_account("Warm Water Energy", roles=["Consultancy"])
        make_member(account, "Ash", moment, temperature_c=course())
        for name in ("Birch", "Cedar\r\nBcc: x@example.com"):
            make_member(account, name, moment, temperature_c=course(), hours=0)
        app.redis_connection.hset("rq:worker:w", mapping={"birth": "2025-01-01T00:00:00Z", "state": "idle"})
        for key in ("rq:workers", "rq:workers:scheduling"):
            app.redis_connection.sadd(key, "rq:worker:w")
        return account.id


def told(boilers, *words):
    """Run the command that tells by mail; return what it prints."""
    answer = boilers("status", "--mail", NIGHT, *words)
    assert answer.exit_code == 0, answer.output
    return answer.output.strip().splitlines()[-1]


def later(app, operator, hours, address=NIGHT):
    """Tell what the fleet is like in some hours."""
    with app.app_context():
        account = db.session.get(Account, operator)
        moment = now() + timedelta(hours=hours)
        return tell(account, overview(of_operator(account), moment), address)


def body(envelope):
    """Subject and text of a mail as who gets it reads it."""
    mail = message_from_bytes(envelope.content, policy=policy.default)
    return mail["Subject"], mail.get_content().replace("\r\n", "\n")


def boiler_of(name):
    """Return the boiler of a customer."""
    return Boiler(db.session.query(Asset).filter(Asset.name.startswith(f"Boiler {name}")).one())


def test_a_mail_says_what_has_begun_and_another_what_has_ended_and_none_that_nothing_has(
    app, operator, boilers, monkeypatch
):
    with serving(app, monkeypatch) as server:
        assert told(boilers) == f"Warm Water Energy: 2 problems begun, 0 ended: mailed to {NIGHT}."
        assert told(boilers) == "Warm Water Energy: nothing has begun or ended since it was told last: no mail."
        assert len(server.mails) == 1
        with app.app_context():
            plan(boiler_of("Birch"), now())
        assert told(boilers) == "Warm Water Energy: nothing has begun or ended since it was told last: no mail."
        assert later(app, operator, 1.5) == f"0 problems begun, 1 ended: mailed to {NIGHT}"
    subject, text = body(server.mails[0])
    assert subject == "Boilers of Warm Water Energy: 2 problems begun, 0 ended"
    lines = text.splitlines()
    assert lines[:3] == ["Warm Water Energy: 2 problems begun, 0 ended.", "", "Begun:"]
    assert lines[3].startswith("- No plan: Birch, account ")
    assert "It has no plan, and its prices are known until" in lines[3]
    # a name is one line, and nothing else
    assert lines[4].startswith("- No plan: Cedar Bcc: x@example.com, account ")
    assert "All 3 boilers: 2 no plan, 1 well." in lines
    assert server.mails[0].rcpt_tos == [NIGHT]
    _, text = body(server.mails[-1])
    assert "Ended:\n- Birch: no plan\n" in text


def test_what_comes_and_goes_within_an_hour_is_told_once(app, operator, boilers, monkeypatch):
    with serving(app, monkeypatch) as server:
        told(boilers)
        with app.app_context():
            plan(boiler_of("Birch"), now(), hours=1.5)
            plan(boiler_of("Cedar"), now(), hours=2.25)
        # Birch has a plan for half an hour, and Cedar for an hour and a half
        later(app, operator, 0)
        later(app, operator, 0.7)
        assert len(server.mails) == 1
        assert later(app, operator, 1.1) == f"0 problems begun, 1 ended: mailed to {NIGHT}"
        assert later(app, operator, 1.5) == f"1 problem begun, 0 ended: mailed to {NIGHT}"
        assert len(server.mails) == 3
    assert "- No plan: Cedar" in body(server.mails[-1])[1]


def test_two_who_tell_at_once_send_one_mail(app, operator, monkeypatch):
    both = threading.Barrier(2)

    def tell_it(_):
        with app.app_context():
            account = db.session.get(Account, operator)
            shown = overview(of_operator(account), now())
            both.wait(timeout=30)
            return tell(account, shown, NIGHT)

    with serving(app, monkeypatch, first=slowly) as server, ThreadPoolExecutor(2) as threads:
        answers = sorted(threads.map(tell_it, range(2)))
    assert answers == [f"2 problems begun, 0 ended: mailed to {NIGHT}", "somebody else is telling it just now"]
    assert len(server.mails) == 1


def test_what_no_mail_server_took_is_told_the_next_time(app, operator, boilers, monkeypatch):
    with serving(app, monkeypatch, refusing={NIGHT: "550 no such user"}) as server:
        answer = boilers("status", "--mail", NIGHT)
        assert answer.exit_code == 1
        assert "Warm Water Energy: The mail was not taken. SMTPRecipientsRefused" in answer.output
        assert server.mails == []
    with serving(app, monkeypatch) as server:
        assert "2 problems begun" in told(boilers)
    with monkeypatch.context() as patch:
        patch.setattr("smart_boiler_plugin.mail.TIMEOUT_S", 0.2)
        with silent_port() as port, used_by(app, monkeypatch, port):
            assert boilers("status", "--mail", "day@example.com").exit_code == 1


def test_each_address_is_told_for_itself_and_what_others_wrote_there_counts_nothing(
    app, operator, boilers, monkeypatch
):
    with serving(app, monkeypatch) as server:
        told(boilers)
        assert "2 problems begun" in later(app, operator, 0, "day@example.com")
        assert "nothing has begun" in later(app, operator, 0)
        with app.app_context():
            account = db.session.get(Account, operator)
            sealed = account.attributes[digest.ATTRIBUTE]
            other = make_account("Rival", roles=["Consultancy"])
            other.attributes = {digest.ATTRIBUTE: sealed}
            account.attributes = {**account.attributes, digest.ATTRIBUTE: {NIGHT: {}}}
            db.session.commit()
            # another operator's memory is none of this one
            assert digest._read(other) == {}
        assert "2 problems begun" in told(boilers)
        assert server.taken() == {NIGHT: 2, "day@example.com": 1}


def test_that_no_worker_is_alive_is_told_and_that_there_is_one_again(app, operator, boilers, monkeypatch):
    with serving(app, monkeypatch) as server:
        told(boilers)
        app.redis_connection.flushdb()
        assert "1 problem begun" in told(boilers)
        assert "No worker is alive: 0 jobs wait." in body(server.mails[-1])[1]
        process = start_worker(app)
        try:
            with app.app_context():
                wait_until(lambda: overview(of_operator(None), now()).workers == 1)
            later(app, operator, 0)
            assert "1 ended" in later(app, operator, 1.5)
        finally:
            kill_with_its_job(process)
    assert "- No worker was alive: there is one again." in body(server.mails[-1])[1]
