"""Invitations: an outbox that loses none, workers that send each once, and a mail that a household understands."""

import smtplib
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from flexmeasures import Account, Asset, User
from flexmeasures.data import db
from rq import Queue

from smart_boiler_plugin import mail as mail_of_ours
from smart_boiler_plugin.customers import invitations, letter, sending
from smart_boiler_plugin.embedded.processes import free_port
from tests.factories import PASSWORD
from tests.host.connections import redis_that_is_away
from tests.host.mail_servers import serving, silent_port, slowly, used_by

ASH = {"name": "Fam. Ash", "user_name": "ash", "user_email": "ash@example.com"}
BIRCH = {"name": "Fam. Birch", "user_name": "birch", "user_email": "birch@example.com"}
ELM = {"name": "Fam. Elm", "user_name": "elm", "user_email": "elm@example.com"}


@pytest.fixture
def customer(call):
    """The ids of a customer whose invitation is due."""
    return call("POST", **ASH).json


def stands(call, customer):
    """How the invitation of a customer stands."""
    invitation = call("GET", f"/{customer['account']}").json["invitation"]
    return invitation["state"], invitation["why"], invitation["tries"]


def parsed(app, mail):
    """A mail as whoever gets it reads it."""
    with app.app_context():
        return message_from_bytes(mail.as_bytes(), policy=policy.default)


# --- the mail


SAID = {
    "en": ("Your boiler with Warm Water Energy: choose a password", "Hello Fam. Ash,", "works once, until "),
    "nl": ("Uw boiler bij Warm Water Energy: kies een wachtwoord", "Hallo Fam. Ash,", "werkt één keer, tot "),
    "de": ("Ihr Boiler bei Warm Water Energy: Wählen Sie ein Passwort", "Hallo Fam. Ash,", "gilt einmal, bis zum "),
}


@pytest.mark.parametrize("language", SAID)
def test_the_mail_says_who_writes_what_was_set_up_and_what_the_link_does(app, call, work, mails, language):
    call("POST", **ASH, language=language)
    work()
    mail = parsed(app, mails[0])
    subject, hello, works_for = SAID[language]
    assert mail["Subject"] == subject
    assert mail["From"].addresses[0].display_name == "Warm Water Energy"
    assert mail["From"].addresses[0].addr_spec == app.config["MAIL_DEFAULT_SENDER"][1]
    for kind in ("plain", "html"):
        text = mail.get_body((kind,)).get_content()
        for part in (hello, "Warm Water Energy", "Boiler Fam. Ash", "ash@example.com", "http://localhost/reset/"):
            assert part in text, (kind, part)
        assert works_for in text.replace("\n", " ")
    assert ("<html lang=" + f'"{language}"') in mails[0].html


def test_the_link_lets_the_household_choose_a_password(app, call, customer, work, mails):
    work()
    browser = app.test_client()
    link = choose_password(browser, mails[0])
    assert log_in(app).status_code == 200
    # and works once
    assert "/reset/" not in browser.get(link).headers["Location"]


def choose_password(browser, mail):
    """Open the link of a mail and choose a password; return the link."""
    link = mail.body.partition("http://localhost")[2].split()[0]
    token = browser.get(link).text.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
    answer = browser.post(link, data={"csrf_token": token, "password": PASSWORD, "password_confirm": PASSWORD})
    assert answer.status_code == 302, answer.text
    return link


def log_in(app):
    """Log in as Ash, as a program does."""
    return app.test_client().post("/api/requestAuthToken", json={"email": "ash@example.com", "password": PASSWORD})


HOSTILE = [
    'Warm "Water" Energy',
    "Warm\r\nBcc: evil@example.com",
    "Warm\n\nClick http://evil.example",
    "<script>alert(1)</script>",
    "Warm, Water <evil@example.com>",
    "%(link)s {{ link }} %s",
    "\u202eygrenE\x00\x0b",
    "x" * 255,
    "王家 & Söhne",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_one_line_of_text_in_headers_text_and_html(app, name, monkeypatch):
    """Of operator, household and boiler; those that PostgreSQL or the API would refuse, too."""
    with app.app_context():
        operator, account = Account(name=name), Account(name=name)
        user = User(email="ash@example.com", username="ash", password="x", fs_uniquifier="y")
        mail = letter.invitation(Asset(name=name, owner=account, attributes={}), user, operator, "https://b.example/fm")
        assert not mail.has_bad_headers()
        read = message_from_bytes(mail.as_bytes(), policy=policy.default)
        db.session.rollback()
    line, called = mail_of_ours.one_line(name), mail_of_ours.one_line(mail_of_ours.SPECIAL.sub(" ", name))
    assert "\n" not in line
    assert len(line) <= 100
    assert (str(read["To"]), read["Bcc"], len(read["From"].addresses)) == ("ash@example.com", None, 1)
    # a reader of Python's puts a space into a word that is longer than a line
    assert read["From"].addresses[0].display_name.replace(" ", "") == called.replace(" ", "")
    assert read["From"].addresses[0].addr_spec == app.config["MAIL_DEFAULT_SENDER"][1]
    text, html = (read.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert text.splitlines()[0] == f"Hello {line},"
    assert "https://b.example/fm/reset/" in text
    assert text.count("https://b.example/fm/reset") == 2
    assert "<script>" not in html
    assert "<evil" not in html
    assert html.count("<a ") == 2


# --- the outbox


def test_the_invitation_stands_with_the_customer_in_list_show_and_command(
    app, call, customer, work, flexmeasures, mails
):
    assert customer["invitation"] == "due"
    assert stands(call, customer) == ("due", None, 0)
    assert call("GET").json["data"][0]["invitation"]["state"] == "due"
    assert flexmeasures("smart-boiler", "list-customers").output.splitlines()[-1].endswith("due")
    work()
    assert stands(call, customer) == ("sent", None, 1)
    assert flexmeasures("smart-boiler", "list-customers").output.splitlines()[-1].endswith("sent")
    # neither the fingerprint nor the address is anybody's
    assert set(call("GET", f"/{customer['account']}").json["invitation"]) == {"state", "why", "at", "tries"}
    work()
    assert len(mails) == 1


def test_a_mail_server_that_is_down_loses_no_invitation_and_is_told(app, call, work, monkeypatch, flexmeasures):
    with used_by(app, monkeypatch, free_port()):
        customer = call("POST", **ASH).json
        work()
        state, why, tries = stands(call, customer)
        assert (state, tries) == ("due", 0)
        assert "ConnectionRefusedError" in why
        failed = flexmeasures("smart-boiler", "invite", "--due")
        assert failed.exit_code == 1
        assert "The mail server cannot be reached. ConnectionRefusedError" in failed.output
        # what could not be sent is tried again later
        assert app.queues["scheduling"].scheduled_job_registry.count == 1
    with serving(app, monkeypatch) as server:
        result = flexmeasures("smart-boiler", "invite", "--due")
        assert (result.exit_code, "1 of 1 invitations were sent." in result.output) == (0, True)
        assert server.taken() == {"ash@example.com": 1}
    assert stands(call, customer) == ("sent", None, 1)


def test_nobody_waits_for_a_mail_server_that_says_nothing_but_a_worker_and_that_not_for_ever(
    app, call, work, monkeypatch
):
    monkeypatch.setattr(mail_of_ours, "TIMEOUT_S", 0.2)
    with silent_port() as port, used_by(app, monkeypatch, port):
        customer = call("POST", **ASH).json
        assert customer["invitation"] == "due"
        begin = time.monotonic()
        work()
        assert time.monotonic() - begin < 10
    state, why, _ = stands(call, customer)
    assert (state, "timed out" in why) == ("due", True)


def test_other_sockets_wait_as_long_as_they_did(app, call, customer, work, monkeypatch):
    seen = []
    with serving(app, monkeypatch, first=lambda _: seen.append(socket.getdefaulttimeout())):
        work()
    assert seen == [None]


def test_one_address_that_is_refused_stops_no_other(app, call, work, monkeypatch, caplog, flexmeasures):
    refusing = {"ash@example.com": "550 5.1.1 <ASH@example.com>: no such user", "birch@example.com": "450 try later"}
    with serving(app, monkeypatch, refusing=refusing) as server:
        ash, birch, elm = (call("POST", **body).json for body in (ASH, BIRCH, ELM))
        work()
        assert stands(call, ash) == ("failed", "550 5.1.1 <(address)>: no such user", 1)
        assert stands(call, birch) == ("due", "450 try later", 1)
        assert stands(call, elm)[0] == "sent"
        assert "ash@example.com" not in caplog.text.lower()
        # not at once again, by whomever
        call("POST", name="Fir", user_name="fir", user_email="fir@example.com")
        work()
        assert stands(call, birch)[2] == 1
        server.refusing.clear()
        result = flexmeasures("smart-boiler", "invite", "--failed")
        assert (result.exit_code, "1 of 1 invitations were sent." in result.output) == (0, True)
        assert (stands(call, ash)[0], stands(call, birch)[0]) == ("sent", "due")
        monkeypatch.setattr(invitations, "PAUSE", timedelta(0))
        call("POST", f"/{birch['account']}/invitation")
        work()
        assert stands(call, birch)[0] == "sent"
        assert server.taken() == {f"{name}@example.com": 1 for name in ("ash", "birch", "elm", "fir")}


def test_what_is_refused_for_now_five_times_has_failed(app, call, customer, monkeypatch):
    with serving(app, monkeypatch, refusing={"ash@example.com": "450 try later"}), app.app_context():
        told = [next(sending.send([customer["boiler"]], at_once=True))[1] for _ in range(5)]
    assert [(invitation.state, invitation.tries) for invitation in told] == [
        *(("due", tries) for tries in (1, 2, 3, 4)),
        ("failed", 5),
    ]


def test_a_server_that_breaks_off_in_the_middle_is_asked_again_later(app, call, work, monkeypatch):
    """The one whose mail it broke off at comes last then: it may be the reason."""
    ash, birch = (call("POST", **body).json for body in (ASH, BIRCH))
    real = smtplib.SMTP.sendmail
    broken = []

    def break_off(self, sender, to, *rest):
        if not broken:
            broken.append(to)
            self.close()
        return real(self, sender, to, *rest)

    with serving(app, monkeypatch) as server:
        monkeypatch.setattr(smtplib.SMTP, "sendmail", break_off)
        with app.app_context():
            sending.work()
        assert (stands(call, ash)[0], stands(call, ash)[2]) == ("due", 1)
        assert stands(call, birch) == ("due", None, 0)
        call("POST", **ELM)
        work()
        assert server.taken() == {"birch@example.com": 1, "elm@example.com": 1}


def test_two_workers_at_once_send_each_once(app, call, work, monkeypatch):
    customers = [call("POST", **body).json for body in (ASH, BIRCH)]

    def send():
        with app.app_context():
            sending.work()

    with serving(app, monkeypatch, first=slowly) as server, ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(send) for _ in range(3)]:
            done.result()
        assert server.taken() == {"ash@example.com": 1, "birch@example.com": 1}
    assert [stands(call, customer)[0] for customer in customers] == ["sent", "sent"]


def test_a_household_that_is_erased_while_its_mail_is_sent_is_gone(app, call, customer, work, monkeypatch):
    answers = []

    def erase(_):
        answers.append(call("DELETE", f"/{customer['account']}", confirm="Fam. Ash").status_code)

    with serving(app, monkeypatch, first=erase):
        work()
    assert answers == [200]
    assert call("GET", f"/{customer['account']}").status_code == 404
    assert app.queues["scheduling"].failed_job_registry.count == 0


def test_a_change_of_the_boiler_does_not_wait_for_its_mail_and_both_count(app, call, customer, work, monkeypatch):
    answers = []

    def change(_):
        answers.append(call("PATCH", f"/{customer['account']}", language="nl", boiler={"volume": "100 l"}).json)

    with serving(app, monkeypatch, first=change):
        work()
    shown = call("GET", f"/{customer['account']}").json
    assert (shown["language"], shown["boiler"]["volume"], shown["invitation"]["state"]) == ("nl", "100 l", "sent")


def test_where_redis_forgot_all_the_command_sends_what_is_due(app, call, customer, work, mails, flexmeasures):
    app.redis_connection.flushdb()
    work()
    assert mails == []
    assert flexmeasures("smart-boiler", "invite", "--due").exit_code == 0
    assert len(mails) == 1
    assert "0 of 0 invitations were sent." in flexmeasures("smart-boiler", "invite", "--due").output


def test_where_redis_cannot_be_reached_customers_are_taken_on(app, call, monkeypatch, caplog):
    gone = Queue("scheduling", connection=redis_that_is_away())
    monkeypatch.setitem(app.queues, "scheduling", gone)
    answer = call("POST", **ASH)
    assert (answer.status_code, answer.json["invitation"]) == (201, "due")
    assert "No worker could be asked" in caplog.text


def test_a_mail_that_cannot_even_be_written_stops_no_other(app, call, work, mails, monkeypatch):
    ash, birch = (call("POST", **body).json for body in (ASH, BIRCH))
    with app.app_context():
        db.session.get(User, ash["user"]).email = "ash\r\nBcc: evil@example.com"
        db.session.commit()
    work()
    assert stands(call, ash) == ("failed", "It could not be written: BadHeaderError", 0)
    assert stands(call, birch)[0] == "sent"
    assert [mail.recipients for mail in mails] == [["birch@example.com"]]


# --- again


def test_who_has_chosen_a_password_is_not_invited_again(app, call, customer, work, mails, flexmeasures):
    work()
    choose_password(app.test_client(), mails[0])
    answer = call("POST", f"/{customer['account']}/invitation")
    assert (answer.status_code, answer.json["status"]) == (409, "CONFLICT")
    assert "has chosen a password already" in answer.json["message"]
    result = flexmeasures("smart-boiler", "invite", customer["account"])
    assert (result.exit_code, "has chosen a password already" in result.output) == (1, True)
    work()
    assert sum(mail.recipients == ["ash@example.com"] and "/reset/" in mail.body for mail in mails) == 1
    assert stands(call, customer)[0] == "sent"


def test_who_has_chosen_a_password_before_the_mail_was_sent_gets_none(app, call, customer, work, mails):
    with app.app_context():
        db.session.get(User, customer["user"]).password = "chosen"
        db.session.commit()
    work()
    assert mails == []
    assert stands(call, customer)[:2] == (
        "failed",
        "The user has chosen a password already: no invitation is needed.",
    )


def test_customers_of_earlier_versions_are_invited_until_they_have_logged_in(
    app, call, customer, work, mails, flexmeasures
):
    with app.app_context():
        asset = db.session.get(Asset, customer["boiler"])
        asset.attributes = {name: value for name, value in asset.attributes.items() if "invitation" not in name}
        db.session.commit()
    assert call("GET", f"/{customer['account']}").json["invitation"] is None
    assert flexmeasures("smart-boiler", "list-customers").exit_code == 0
    unknown = flexmeasures("smart-boiler", "invite", customer["account"])
    assert (unknown.exit_code, "SMART_BOILER_SERVER_URL" in unknown.output) == (1, True)
    words = ("smart-boiler", "invite", customer["account"], "--server-url", "https://boilers.example.com")
    assert flexmeasures(*words).exit_code == 0
    assert "https://boilers.example.com/reset/" in mails[0].body
    choose_password(app.test_client(), call_again(call, customer, work, mails))
    token = log_in(app).json["auth_token"]
    assert call("POST", f"/{customer['account']}/invitation").status_code == 200
    app.test_client().get("/api/v3_0/assets", headers={"Authorization": token})
    assert call("POST", f"/{customer['account']}/invitation").status_code == 409


def call_again(call, customer, work, mails):
    """Invite by the API; return the mail."""
    assert call("POST", f"/{customer['account']}/invitation").json == {"invitation": "due"}
    work()
    return mails[-1]


@pytest.mark.parametrize("words", [(), ("--due", "--failed"), ("7", "--due"), ("9999999",), ("1",)])
def test_the_command_asks_whom_to_invite(flexmeasures, operator, words):
    assert flexmeasures("smart-boiler", "invite", *words).exit_code == 2


@pytest.mark.parametrize(
    "stored",
    [
        7,
        {},
        {"state": "due"},
        {"state": "due", "why": None, "at": "soon", "tries": 0},
        {"state": "due", "why": None, "at": "2026-01-01T00:00:00", "tries": 0},
        {"state": "well", "why": None, "at": "2026-01-01T00:00:00+00:00", "tries": 0},
        {"state": "due", "why": [], "at": "2026-01-01T00:00:00+00:00", "tries": 0},
        {"state": "due", "why": None, "at": "2026-01-01T00:00:00+00:00", "tries": "0"},
        {"state": "due", "why": None, "at": "2026-01-01T00:00:00+00:00", "tries": 0, "more": 1},
    ],
)
def test_what_is_no_invitation_is_none_and_hurts_no_other(app, call, customer, work, mails, stored):
    store(app, customer, stored)
    call("POST", **BIRCH)
    work()
    assert call("GET", f"/{customer['account']}").json["invitation"] is None
    assert [mail.recipients for mail in mails] == [["birch@example.com"]]


def store(app, customer, value):
    """Store something as the invitation, as a household without the guard may."""
    with app.app_context():
        asset = db.session.get(Asset, customer["boiler"])
        asset.attributes = {**asset.attributes, invitations.ATTRIBUTE: value}
        db.session.commit()


def test_an_address_that_was_not_sealed_here_is_in_no_mail(app, call, customer, work, mails, monkeypatch):
    forged = {"state": "due", "why": None, "at": "2026-01-01T00:00:00+00:00", "tries": 0, "url": "https://evil.example"}
    store(app, customer, forged)
    work()
    assert stands(call, customer)[:2] == (
        "failed",
        "Nothing says with which address the link begins: SMART_BOILER_SERVER_URL.",
    )
    monkeypatch.setitem(app.config, "SMART_BOILER_SERVER_URL", "https://boilers.example.com")
    store(app, customer, forged)
    with app.app_context():
        sending.work()
    assert "https://boilers.example.com/reset/" in mails[0].body


# --- languages


def test_the_language_is_kept_and_changed_and_the_setting_is_that_of_the_others(app, call, work, mails, monkeypatch):
    ash = call("POST", **ASH, language="nl").json
    birch = call("POST", **BIRCH).json
    assert call("GET", f"/{ash['account']}").json["language"] == "nl"
    assert call("GET", f"/{birch['account']}").json["language"] == "en"
    monkeypatch.setitem(app.config, "SMART_BOILER_LANGUAGE", "de")
    assert call("GET", f"/{birch['account']}").json["language"] == "de"
    assert call("PATCH", f"/{ash['account']}", language="en", boiler={"volume": "100 l"}).json["language"] == "en"
    assert call("PATCH", f"/{ash['account']}", boiler={"volume": "90 l"}).json["language"] == "en"
    work()
    assert [mail.body.split()[0] for mail in mails] == ["Hello", "Hallo"]
    monkeypatch.setitem(app.config, "SMART_BOILER_LANGUAGE", "xx")
    assert call("GET", f"/{birch['account']}").json["language"] == "en"


@pytest.mark.parametrize("language", ["fr", "", "EN", 7, None])
def test_a_language_that_there_is_not_is_a_422_that_names_it(call, customer, contents, language):
    before = contents()
    for answer in (
        call("POST", **BIRCH, language=language),
        call("PATCH", f"/{customer['account']}", language=language),
    ):
        assert (answer.status_code, list(answer.json["message"]["json"])) == (422, ["language"])
    assert contents() == before
