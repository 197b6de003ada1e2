"""What is said when the database gives no answer: a 503, one line on the command line, and no values of rows."""

import logging
import traceback

import pytest
from flexmeasures import Account, User
from flexmeasures.data import db
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from tests.factories import make_account, make_operator
from tests.host.connections import BeforeEachStatement
from tests.host.days import DAY

API = "/smart-boiler-plugin/api"
SECRET = "argon" + "2"
CSV = "name,user_name,user_email\nAsh,ash,ash@example.com\n"


@pytest.fixture
def cut(app):
    """A context manager in which the connection is cut at the n-th statement that has a text in it."""

    class Cut(BeforeEachStatement):
        def __init__(self, part, number=1):
            super().__init__(app)
            self.part, self.left = part, number

        def __call__(self, connection, _, statement, *__):
            self.left -= self.part in statement
            if self.left == 0:
                self.left = -1
                self.cut(connection)

    return Cut


@pytest.mark.parametrize(
    "part", ["FROM fm_user", "last_seen_at", "FROM account"], ids=["at the token", "at the host's note", "in the view"]
)
def test_a_connection_that_dies_is_a_503_and_no_401(app, operator, cut, part):
    headers = {"Authorization": operator[1]}
    with cut(part):
        answer = app.test_client().get(f"{API}/boiler-customer", headers=headers)
    assert (answer.status_code, answer.json["status"]) == (503, "SERVICE_UNAVAILABLE"), answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert "SELECT" not in answer.text
    assert app.test_client().get(f"{API}/boiler-customer", headers=headers).status_code == 200


def test_a_wrong_token_is_still_a_401(app, operator):
    for headers in ({}, {"Authorization": "nonsense"}):
        assert app.test_client().get(f"{API}/boiler-customer", headers=headers).status_code == 401


def test_the_log_of_a_lost_connection_is_one_line_without_values(app, operator, cut, caplog):
    body = {"name": "Ash", "user_name": "ash", "user_email": "ash@example.com"}
    with cut("INSERT INTO fm_user"), caplog.at_level(logging.INFO):
        answer = app.test_client().post(f"{API}/boiler-customer", json=body, headers={"Authorization": operator[1]})
    assert answer.status_code == 503
    assert "No answer of the database" in caplog.text
    for secret in ("ash@example.com", "INSERT", "Traceback"):
        assert secret not in caplog.text


def test_add_customers_says_in_one_line_what_to_do_and_no_secret(app, operator, flexmeasures, cut, tmp_path):
    (file := tmp_path / "customers.csv").write_text(CSV)
    words = ("smart-boiler", "add-customers", file, "--operator", operator[0], "--server-url", "https://example.com")
    with cut("INSERT INTO fm_user"):
        result = flexmeasures(*words)
    assert result.exit_code == 1
    assert "The database gives no answer" in result.output
    assert "run this command again" in result.output
    for secret in ("INSERT", "ash@example.com", "totp", "Traceback"):
        assert secret not in result.output
    again = flexmeasures(*words)
    assert again.exit_code == 0, again.output


@pytest.mark.parametrize("words", [("list-customers",), ("report",), ("upgrade",), ("list-tariffs",)])
def test_each_command_ends_with_one_line_when_the_connection_dies(app, fleet, boilers, cut, words):
    with cut("SELECT"):
        result = boilers(*words)
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert "The database gives no answer" in result.output.splitlines()[-1]


def test_a_report_during_which_the_connection_dies_tells_nothing_that_is_not_stored(app, fleet, boilers, cut):
    with cut("INSERT INTO timed_belief", number=2):
        result = boilers("report", "--date", DAY)
    assert result.exit_code == 1
    assert "The database gives no answer" in result.output
    assert "are stored" not in result.output
    again = boilers("report", "--date", DAY)
    assert "2 of 3 reports" in again.output, again.output


def test_no_error_of_a_statement_shows_the_values_of_its_parameters(app):
    with app.app_context(), pytest.raises(OperationalError) as failed:
        db.session.execute(text("SELECT pg_terminate_backend(pg_backend_pid()), :secret"), {"secret": SECRET})
    assert SECRET not in "".join(traceback.format_exception(failed.value))


def test_a_bug_that_the_database_finds_is_a_500_whose_log_has_no_row(app, operator, caplog, monkeypatch):
    from smart_boiler_plugin.customers import directory  # noqa: PLC0415

    def twice(*_):
        make_account("Ash")
        db.session.execute(db.insert(User).values(username="ash", email="ash@example.com", password=SECRET))

    monkeypatch.setattr(directory, "visible_customers", twice)
    answer = app.test_client().get(f"{API}/boiler-customer/1", headers={"Authorization": operator[1]})
    assert answer.status_code == 500
    assert IntegrityError.__name__ not in answer.text
    assert "null value in column" in caplog.text
    assert "in twice" in caplog.text
    assert SECRET not in caplog.text


def test_a_name_that_two_give_at_once_is_still_a_conflict(app):
    with app.app_context():
        make_operator()
        with pytest.raises(IntegrityError):
            db.session.execute(db.insert(Account).values(name="Warm Water Energy"))
