"""Who may do what with whose customers: one table, walked in full."""

import pytest

from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from tests.factories import make_account, make_household_boiler, make_user

PREFIX = "/smart-boiler-plugin/api"

CALLERS = {
    "admin": ("Administration", ["admin"]),
    "admin-reader": ("Administration", ["admin-reader"]),
    "consultant of the consultancy": ("Operator", ["consultant"]),
    "consultant of another consultancy": ("Rival", ["consultant"]),
    "account-admin of the consultancy": ("Operator", ["account-admin"]),
    "plain user of the consultancy": ("Operator", []),
    "account-admin of the customer": ("Customer", ["account-admin"]),
    "plain user of the customer": ("Customer", []),
    "account-admin of another customer": ("Neighbour", ["account-admin"]),
    "consultant without a consultancy": ("Neighbour", ["consultant"]),
    "anonymous": (None, []),
}

CALLS = {
    "take on": ("POST", "/boiler-customer", {"name": "New", "user_name": "new", "user_email": "new@example.com"}),
    "take on many": ("POST", "/boiler-customers", []),
    "show": ("GET", "/boiler-customer/{id}", None),
    "export": ("GET", "/boiler-customer/{id}/export", None),
    "statement": ("GET", "/boiler-customer/{id}/statement", None),
    "comfort": ("PATCH", "/boiler-customer/{id}", {"comfort": {"boost": {"until": "2100-01-01T00:00+01:00"}}}),
    "hygiene": ("PATCH", "/boiler-customer/{id}", {"comfort": {"hygiene": {"days": 5}}}),
    "rename": ("PATCH", "/boiler-customer/{id}", {"name": "Customer", "tariff": "NL spot tariff"}),
    "change": ("PATCH", "/boiler-customer/{id}", {"boiler": {"volume": "100 l"}}),
    "invite": ("POST", "/boiler-customer/{id}/invitation", None),
    "tariffs": ("GET", "/tariffs", None),
    "make a tariff": ("POST", "/tariffs", {"name": "New", "contract": {"parts": [{"rate": "0.3 EUR/kWh"}]}}),
    "let go": ("DELETE", "/boiler-customer/{id}", {"confirm": "Customer"}),
}

# per caller: take on, take on many, show, export, statement, comfort, hygiene, rename, change, invite, tariffs,
# make a tariff, let go
CODES = {
    "admin": (201, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 201, 200),
    "admin-reader": (403, 403, 200, 200, 200, 404, 404, 404, 404, 404, 200, 403, 404),
    "consultant of the consultancy": (201, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 201, 200),
    "consultant of another consultancy": (201, 200, 404, 404, 404, 404, 404, 404, 404, 404, 200, 201, 404),
    "account-admin of the consultancy": (403, 403, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 404),
    "plain user of the consultancy": (403, 403, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 404),
    "account-admin of the customer": (403, 403, 200, 200, 200, 200, 403, 403, 403, 404, 403, 403, 404),
    "plain user of the customer": (403, 403, 200, 200, 200, 200, 403, 403, 403, 404, 403, 403, 404),
    "account-admin of another customer": (403, 403, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 404),
    "consultant without a consultancy": (403, 403, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 404),
    "anonymous": (401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 401),
}
LISTED = {
    "admin": ["Customer", "Neighbour"],
    "admin-reader": ["Customer", "Neighbour"],
    "consultant of the consultancy": ["Customer", "Neighbour"],
}


@pytest.fixture
def world(app):
    """The accounts of the table; returns the customer's account id, the other ids, and tokens by caller."""
    with app.app_context():
        operator = make_account("Operator", roles=["Consultancy"])
        accounts = {
            "Administration": make_account("Administration"),
            "Operator": operator,
            "Rival": make_account("Rival", roles=["Consultancy"]),
            "Customer": make_account("Customer", roles=[CUSTOMER_ROLE], consultancy=operator),
            "Neighbour": make_account("Neighbour", roles=[CUSTOMER_ROLE], consultancy=operator),
        }
        tokens = {
            caller: make_user(accounts[account], f"user{number}", roles=roles)[1] if account else None
            for number, (caller, (account, roles)) in enumerate(CALLERS.items())
        }
        for name in ("Customer", "Neighbour"):
            make_household_boiler(accounts[name], f"Boiler {name}")
        return {name: account.id for name, account in accounts.items()}, tokens


@pytest.fixture
def call(app, world):
    """A function that makes a call of the table about an account, and returns the answer."""
    _, tokens = world

    def make(caller, call, account_id):
        method, path, body = CALLS[call]
        headers = {"Authorization": tokens[caller]} if tokens[caller] else {}
        arguments = {} if body is None else {"json": body}
        return app.test_client().open(PREFIX + path.format(id=account_id), method=method, headers=headers, **arguments)

    return make


@pytest.mark.parametrize("caller", CALLERS)
def test_the_table_of_who_may_do_what(call, world, contents, caller):
    expected = dict(zip(CALLS, CODES[caller], strict=True))
    before = contents()
    for name, code in expected.items():
        if code >= 400:
            answer = call(caller, name, world[0]["Customer"])
            assert (name, answer.status_code, answer.json["result"]) == (name, code, "Rejected")
    assert contents() == before
    for name, code in expected.items():
        if code < 400:
            answer = call(caller, name, world[0]["Customer"])
            assert (name, answer.status_code) == (name, code), answer.text


@pytest.mark.parametrize("caller", CALLERS)
def test_everybody_lists_their_own_customers_alone(app, world, caller):
    token = world[1][caller]
    answer = app.test_client().get(f"{PREFIX}/boiler-customer", headers={"Authorization": token} if token else {})
    if caller == "anonymous":
        assert answer.status_code == 401
    else:
        assert [customer["name"] for customer in answer.json["data"]] == LISTED.get(caller, [])


SENDS = {
    "admin",
    "consultant of the consultancy",
    "account-admin of the customer",
    "plain user of the customer",
}


@pytest.mark.parametrize("caller", CALLERS)
def test_readings_are_sent_by_households_their_operators_and_admins_alone(app, world, contents, caller):
    accounts, tokens = world
    rows = [
        {
            "account": account,
            "kind": "temperature",
            "unit": "°C",
            "start": "2025-10-28T00:00:00+01:00",
            "resolution": "PT15M",
            "values": [55.0],
        }
        for account in (accounts["Customer"], accounts["Operator"], 999_999)
    ]
    before = contents()
    headers = {"Authorization": tokens[caller]} if tokens[caller] else {}
    answer = app.test_client().post(f"{PREFIX}/readings", json={"readings": rows}, headers=headers)
    if caller == "anonymous":
        assert answer.status_code == 401
        return
    own, *others = answer.json["results"]
    assert own["result"] == ("Stored" if caller in SENDS else "Rejected")
    # what is no boiler, what is not there and what is not one's own are told apart by nobody
    refused = others if caller in SENDS else [own, *others]
    assert {each["result"] for each in others} == {"Rejected"}
    assert (
        len({(each["status"], each["message"].replace(str(rows[each["row"]]["account"]), "")) for each in refused}) == 1
    )
    assert (contents() == before) == (caller not in SENDS)


ONE = [call for call, (_, path, _) in CALLS.items() if "{id}" in path]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"tariff": "NL spot tariff"}, {"tariff": ["Only your operator can change this."]}),
        ({"name": "Us", "comfort": {"boost": None}}, {"name": ["Only your operator can change this."]}),
        ({"boiler": {"volume": "10 l"}}, {"boiler": ["Only your operator can change this."]}),
        (
            {"comfort": {"hygiene": None, "away": None}},
            {"comfort": {"hygiene": ["Only your operator can change this."]}},
        ),
    ],
)
def test_a_household_is_told_which_fields_are_its_operators(app, world, contents, body, told):
    accounts, tokens = world
    before = contents()
    path, headers = (
        f"{PREFIX}/boiler-customer/{accounts['Customer']}",
        {"Authorization": tokens["plain user of the customer"]},
    )
    answer = app.test_client().patch(path, json=body, headers=headers)
    assert answer.status_code == 403
    assert answer.json == {"result": "Rejected", "status": "INVALID_SENDER", "message": {"json": told}}
    assert contents() == before


def test_a_households_own_comfort_is_what_it_says(app, world):
    accounts, tokens = world
    path = f"{PREFIX}/boiler-customer/{accounts['Customer']}"
    headers = {"Authorization": tokens["plain user of the customer"]}
    wished = {
        "programme": [{"days": "mon-fri", "from": "06:00", "until": "08:00", "temperature": "55 °C"}],
        "away": {"from": "2026-02-01T00:00+01:00", "until": "2026-02-05T00:00+01:00"},
        "useful_temperature": "45 °C",
    }
    answer = app.test_client().patch(path, json={"comfort": wished}, headers=headers)
    assert answer.status_code == 200, answer.text
    comfort = app.test_client().get(path, headers=headers).json["comfort"]
    assert comfort["programme"][0]["temperature"] == "55 °C"
    assert comfort["useful_temperature"] == "45 °C"
    assert comfort["away"]["until"].startswith("2026-02-0")


def test_a_customer_of_others_and_none_at_all_answer_alike(call, world):
    customer = world[0]["Customer"]
    for name in ONE:
        of_others = call("consultant of another consultancy", name, customer)
        none_at_all = call("consultant of another consultancy", name, 999_999)
        assert of_others.status_code == none_at_all.status_code == 404
        assert of_others.text.replace(f"id {customer}.", "ID") == none_at_all.text.replace("id 999999.", "ID")


@pytest.mark.parametrize("account", ["Operator", "Administration", "Rival"])
def test_an_account_that_was_not_taken_on_here_cannot_be_reached_even_by_an_admin(call, world, contents, account):
    before = contents()
    for name in ONE:
        assert call("admin", name, world[0][account]).status_code == 404
    assert contents()["account"] == before["account"]


def test_the_host_can_filter_its_accounts_by_the_role_of_customers(app, world):
    answer = app.test_client().get(
        f"/api/v3_0/accounts?role={CUSTOMER_ROLE}", headers={"Authorization": world[1]["admin"]}
    )
    assert {account["name"] for account in answer.json} == {"Customer", "Neighbour"}
