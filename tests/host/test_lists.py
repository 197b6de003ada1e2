"""Lists of customers: by the page, and in as many SQL statements for 500 as for 50."""

import pytest
from flexmeasures import Account
from flexmeasures.data import db

from smart_boiler_plugin.customers import listing
from tests.factories import make_account, make_household_boiler, make_user
from tests.host.queries import counted_queries

PATH = "/smart-boiler-plugin/api/boiler-customer"


@pytest.fixture
def take_on(app, operator):
    """A function that gives the operator a number of further customers, each with a boiler and a user."""

    def make(count):
        with app.app_context():
            first = db.session.query(Account).count()
            for number in range(first, first + count):
                account = make_account(
                    f"H{number:03}", roles=["Boiler customer"], consultancy=db.session.get(Account, operator[0])
                )
                make_household_boiler(account, f"Boiler {number}")
                make_user(account, f"home{number}")

    return make


def test_a_page_of_many_customers_takes_as_many_statements_as_one_of_few(app, operator, call, take_on):
    counts = []
    for more in (3, 12):
        take_on(more)
        with counted_queries(app) as statements:
            answer = call("GET", "?per-page=100").json
        counts.append(len([one for one in statements if "last_seen_at=" not in one]))
        ours = [one for one in statements if "fm_user.fs_uniquifier =" not in one]
        assert len(answer["data"]) == answer["num-records"]
        assert all(one["tariff"] and one["users"] and one["sensors"]["consumption_price"] for one in answer["data"])
    assert counts[0] == counts[1], ours
    assert len(answer["data"]) == 15


def test_of_these_six_are_for_the_list(app, operator, take_on):
    take_on(3)
    with app.app_context(), app.test_request_context(headers={"Authorization": operator[1]}):
        from flask_security import current_user  # noqa: PLC0415

        assert current_user.has_role("consultant")
        assert current_user.account.account_roles
        listing.visible_customers()
        with counted_queries() as statements:
            page = listing.page_of(1, 10, ["H"])
        assert [customer.price.name for customer in page.customers] == ["consumption price"] * 3
        assert len(statements) == 7, statements


def test_a_list_is_a_page_by_default(call, take_on):
    take_on(12)
    answer = call("GET").json
    assert (len(answer["data"]), answer["num-records"], answer["filtered-records"]) == (10, 12, 12)
    rest = call("GET", "?page=2").json["data"]
    assert [one["account"] for one in rest] == sorted(one["account"] for one in rest)
    assert len({one["account"] for one in answer["data"] + rest}) == 12


def test_on_the_command_line_too(boilers, take_on):
    take_on(5)
    told = boilers("list-customers", "--per-page", 2, "--page", 3).output.splitlines()
    assert len(told) == 2 + 1 + 1
    assert told[-1] == "Page 3 of 3, of 5 customers: --page and --per-page show others."
    assert "Page" not in boilers("list-customers").output


def test_on_the_command_line_it_takes_two_statements_however_many_there_are(app, boilers, take_on):
    counts = []
    for more in (2, 6):
        take_on(more)
        with counted_queries(app) as statements:
            boilers("list-customers")
        counts.append(len(statements))
    assert counts == [2, 2]
