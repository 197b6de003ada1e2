"""Taking on many: JSON and CSV by HTTP, CSV on the command line; and listing and removing there."""

import pytest
from flexmeasures import Account, Asset, Sensor, User
from flexmeasures.data import db

from smart_boiler_plugin.api.customers_bulk import MOST_AT_ONCE
from tests.factories import make_account

PATH = "/smart-boiler-plugin/api/boiler-customers"
CSV = """name,user_name,user_email,volume,temperature_min,boiler_name,timezone
Ash,ash,ash@example.com,100 l,122 degF,Attic,Europe/Brussels
Birch,birch,birch@example.com,,,,
Cedar,cedar,not-an-address,80,,,
Ash,other,other@example.com,,,,
Elm,elm,elm@example.com,,70 °C,,
"""
ROWS = [
    {"name": "Ash", "user_name": "ash", "user_email": "ash@example.com", "boiler": {"volume": "100 l"}},
    {"name": "Birch"},
    "no customer at all",
    {"name": "Cedar", "user_name": "ASH", "user_email": "cedar@example.com"},
    {"name": "Elm", "user_name": "elm", "user_email": "elm@example.com"},
]


@pytest.fixture
def post(app, operator):
    """A function that posts many customers as the operator's consultant."""

    def send(query="", **arguments):
        return app.test_client().post(PATH + query, headers={"Authorization": operator[1]}, **arguments)

    return send


def test_each_row_of_json_is_on_its_own(app, post, work, mails):
    results = post(json=ROWS).json["results"]
    assert [result["status"] for result in results] == [
        "CREATED",
        "UNPROCESSABLE_ENTITY",
        "UNPROCESSABLE_ENTITY",
        "CONFLICT",
        "CREATED",
    ]
    assert set(results[1]["message"]["json"]) == {"user_name", "user_email"}
    assert set(results[3]["message"]["json"]) == {"user_name"}
    assert results[0]["invitation"] == results[4]["invitation"] == "due"
    work()
    assert sorted(mail.recipients[0] for mail in mails) == ["ash@example.com", "elm@example.com"]
    with app.app_context():
        assert db.session.get(Asset, results[0]["boiler"]).name == "Boiler Ash"
        assert {account.name for account in db.session.query(Account)} >= {"Ash", "Elm"}
        assert db.session.query(Account).filter(Account.name.in_(["Birch", "Cedar"])).count() == 0


def test_each_row_of_csv_is_on_its_own_and_says_what_is_wrong(app, post):
    results = post(data=CSV.encode(), content_type="text/csv").json["results"]
    assert [result["result"] for result in results] == ["Created", "Created", "Rejected", "Rejected", "Rejected"]
    assert set(results[2]["message"]["json"]) == {"user_email", "boiler"}
    assert list(results[3]["message"]["json"]) == ["name"]
    assert "below the ceiling" in results[4]["message"]["json"]["boiler"]["temperature_min"][0]
    with app.app_context():
        assert db.session.get(Asset, results[0]["boiler"]).name == "Attic"
        assert db.session.get(Sensor, results[0]["temperature"]).timezone == "Europe/Brussels"
        assert db.session.get(Sensor, results[1]["temperature"]).timezone == "Europe/Amsterdam"


def test_a_dry_run_says_the_same_and_changes_nothing(post, contents, mails):
    before = contents()
    results = post("?dry_run=true", json=ROWS).json["results"]
    assert [result["result"] for result in results] == ["Possible", "Rejected", "Rejected", "Rejected", "Possible"]
    assert contents() == before
    assert mails == []


def trees(count):
    """Rows of as many new customers."""
    return [{"name": f"Tree {n}", "user_name": f"tree{n}", "user_email": f"tree{n}@example.com"} for n in range(count)]


def test_as_many_as_can_be_waited_for_are_taken_on_at_once(app, post):
    results = post(json=trees(MOST_AT_ONCE)).json["results"]
    assert {result["result"] for result in results} == {"Created"}
    with app.app_context():
        assert db.session.query(User).filter(User.username.like("tree%")).count() == 20


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ({"json": {"name": "Ash"}}, 400, "JSON list"),
        ({"json": [{}] * 1001}, 400, "at most 1000"),
        ({"data": b"name,colour\n", "content_type": "text/csv"}, 400, "Unknown columns: colour"),
        ({"data": b"name,user_name\n", "content_type": "text/csv"}, 400, "Missing columns: user_email"),
        ({"data": b"", "content_type": "text/csv"}, 400, "Missing columns"),
        ({"data": b"n\xff", "content_type": "text/csv"}, 400, "UTF-8"),
        ({"data": b"{", "content_type": "application/json"}, 400, ""),
        ({"data": b"x", "content_type": "text/plain"}, 415, "text/csv"),
    ],
)
def test_what_is_no_list_of_customers_is_refused_as_a_whole(post, contents, arguments, code, told):
    before = contents()
    answer = post(**arguments)
    assert answer.status_code == code
    assert told in str(answer.json["message"])
    assert contents() == before


def test_the_command_takes_on_what_it_can_and_lists_the_rest(flexmeasures, operator, tmp_path, work, mails):
    file = tmp_path / "customers.csv"
    file.write_text(CSV)
    words = (
        "smart-boiler",
        "add-customers",
        file,
        "--operator",
        operator[0],
        "--server-url",
        "https://boilers.example",
    )
    result = flexmeasures(*words)
    assert result.exit_code == 1
    assert "2 of 5 customers were taken on." in result.output
    assert "Row 3: user_email: Not a valid email address." in result.output
    assert "Row 5: boiler.temperature_min:" in result.output
    work()
    assert "https://boilers.example/reset/" in mails[0].body
    again = flexmeasures(*words)
    assert "0 of 5 customers were taken on, 2 were there already." in again.output
    assert "Row 4: name: This exists already" in again.output


def test_the_command_can_be_tried_dry(flexmeasures, operator, tmp_path, contents):
    file = tmp_path / "customers.csv"
    file.write_text(CSV)
    before = contents()
    result = flexmeasures("smart-boiler", "add-customers", file, "--operator", operator[0], "--dry-run")
    assert "2 of 5 customers could be taken on" in result.output
    assert contents() == before


def test_the_command_asks_for_what_is_missing(app, flexmeasures, operator, tmp_path):
    file = tmp_path / "customers.csv"
    file.write_text(CSV)
    with app.app_context():
        other = make_account("No operator").id
    assert "--server-url" in flexmeasures("smart-boiler", "add-customers", file, "--operator", operator[0]).output
    refused = flexmeasures("smart-boiler", "add-customers", file, "--operator", other, "--dry-run")
    assert "has no role Consultancy" in refused.output
    file.write_text("colour\n")
    words = ("smart-boiler", "add-customers", file, "--operator", operator[0], "--dry-run")
    assert "Unknown columns: colour" in flexmeasures(*words).output


def test_customers_are_listed_and_removed_on_the_command_line(flexmeasures, post, operator):
    made = post(json=ROWS).json["results"]
    listed = flexmeasures("smart-boiler", "customers", "--operator", operator[0]).output
    assert "Ash" in listed
    assert "Boiler Elm" in listed
    account = made[0]["account"]
    wrong = flexmeasures("smart-boiler", "remove-customer", account, "--confirm", "Elm")
    assert (wrong.exit_code, "not the name" in wrong.output) == (1, True)
    right = flexmeasures("smart-boiler", "remove-customer", account, "--confirm", "Ash")
    assert (right.exit_code, "users=1" in right.output) == (0, True)
    assert "Ash" not in flexmeasures("smart-boiler", "customers").output
    assert (
        "is no boiler customer" in flexmeasures("smart-boiler", "remove-customer", operator[0], "--confirm", "x").output
    )
