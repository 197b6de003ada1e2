"""A crash between any two statements, and two requests at once: all or nothing."""

import threading

import pytest
from flexmeasures import Account, User
from flexmeasures.data import db

from tests.factories import make_operator
from tests.host.connections import BeforeEachStatement

PATH = "/smart-boiler-plugin/api/boiler-customer"
BODY = {"name": "Client 1", "user_name": "client1", "user_email": "client1@example.com"}
STATEMENTS = ("INSERT", "UPDATE", "DELETE")


@pytest.fixture
def call(app):
    """A function that makes a call as the operator's consultant. What all customers share is there already."""
    with app.app_context():
        _, token = make_operator()

    def make(method, path="", body=None):
        return app.test_client().open(PATH + path, method=method, json=body, headers={"Authorization": token})

    first = make("POST", body={"name": "First", "user_name": "first", "user_email": "first@example.com"})
    assert first.status_code == 201
    return make


@pytest.fixture
def fail_at(app):
    """A context manager in which the n-th changing statement fails, by an exception or by losing the connection."""

    class Failing(BeforeEachStatement):
        def __init__(self, number, *, disconnect):
            super().__init__(app)
            self.number, self.disconnect, self.seen = number, disconnect, 0

        def __call__(self, connection, _, statement, *__):
            # the host's note of when it last saw the caller is a transaction of its own
            if not statement.startswith(STATEMENTS) or "last_seen_at" in statement:
                return
            self.seen += 1
            if self.seen == self.number:
                if not self.disconnect:
                    raise RuntimeError("crash")
                self.cut(connection)

    return Failing


def fail_at_each(call_once, contents, fail_at, *, disconnect):
    """Let a call fail at each changing statement in turn until it succeeds; return how many there were."""
    before = contents()
    for number in range(1, 200):
        with fail_at(number, disconnect=disconnect) as failing:
            answer = call_once()
        if failing.seen < number:
            assert answer.status_code < 300
            return number - 1
        assert answer.status_code == (503 if disconnect else 500)
        assert answer.json["result"] == "Rejected"
        assert contents() == before, f"statement {number} left something"
    raise AssertionError("never done")


@pytest.mark.parametrize("disconnect", [False, True])
def test_taking_on_fails_at_each_statement_in_turn_and_leaves_nothing(call, contents, fail_at, disconnect):
    statements = fail_at_each(lambda: call("POST", body=BODY), contents, fail_at, disconnect=disconnect)
    assert statements > 8


def test_changing_fails_at_each_statement_in_turn_and_leaves_nothing(call, contents, fail_at):
    account = call("POST", body=BODY).json["account"]
    change = {"name": "Client 2", "boiler": {"volume": "100 l", "timezone": "Europe/Lisbon", "name": "Attic"}}
    assert fail_at_each(lambda: call("PATCH", f"/{account}", change), contents, fail_at, disconnect=False) > 3


def test_letting_go_fails_at_each_statement_in_turn_and_leaves_everything(call, contents, fail_at):
    account = call("POST", body=BODY).json["account"]
    letting_go = {"confirm": "Client 1"}
    assert fail_at_each(lambda: call("DELETE", f"/{account}", letting_go), contents, fail_at, disconnect=False) > 8


@pytest.mark.parametrize("same", ["name", "user_name", "user_email"])
def test_of_requests_at_the_same_moment_one_wins_and_the_others_are_told(app, call, same):
    gate = threading.Barrier(4)
    codes = []

    def race(number):
        body = {
            "name": f"R{number}",
            "user_name": f"r{number}",
            "user_email": f"r{number}@example.com",
            same: BODY[same],
        }
        gate.wait()
        codes.append(call("POST", body=body).status_code)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [201, 409, 409, 409]
    with app.app_context():
        assert db.session.query(Account).count() == 1 + 1 + 1  # operator, first, and the winner
        assert db.session.query(User).count() == 1 + 1 + 1


def test_the_very_first_customers_at_the_same_moment_are_all_taken_on(app):
    with app.app_context():
        _, token = make_operator()
    gate = threading.Barrier(4)
    codes = []

    def race(number):
        body = {"name": f"R{number}", "user_name": f"r{number}", "user_email": f"r{number}@example.com"}
        gate.wait()
        answer = app.test_client().post(PATH, json=body, headers={"Authorization": token})
        codes.append(answer.status_code)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [201] * 4
