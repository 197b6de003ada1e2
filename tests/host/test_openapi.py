"""The OpenAPI description: what it says, that it is shown, and that nothing it allows or forbids ends in a 5xx."""

import os

import pytest
import schemathesis
from flexmeasures import Account
from flexmeasures.data import db
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from tests.factories import make_account, make_household_boiler, make_operator, make_user

PATH = "/smart-boiler-plugin/api/openapi.json"
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "3"))
"""Requests per operation and kind; there are some thirty operations, and two kinds: allowed and forbidden."""

QUICK = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_all_calls_are_described(app):
    described = app.test_client().get(PATH).json
    calls = {(method, path) for path, methods in described["paths"].items() for method in methods}
    one = "/smart-boiler-plugin/api/boiler-customer/{account_id}"
    assert calls == {
        ("post", "/smart-boiler-plugin/api/boiler-customer"),
        ("get", "/smart-boiler-plugin/api/boiler-customer"),
        ("get", one),
        ("patch", one),
        ("delete", one),
        ("get", f"{one}/export"),
        ("get", f"{one}/learned"),
        ("get", f"{one}/statement"),
        ("post", f"{one}/invitation"),
        ("post", "/smart-boiler-plugin/api/boiler-customers"),
        ("get", "/smart-boiler-plugin/api/fleet"),
        ("get", "/smart-boiler-plugin/api/fleet/load"),
        ("get", "/smart-boiler-plugin/api/jobs/{job_id}"),
        ("get", f"{one}/now"),
        ("get", "/smart-boiler-plugin/api/set-points"),
        ("get", "/smart-boiler-plugin/api/device-tokens"),
        ("post", "/smart-boiler-plugin/api/device-tokens"),
        ("delete", "/smart-boiler-plugin/api/device-tokens/{token_id}"),
        ("post", "/smart-boiler-plugin/api/plans"),
        ("post", "/smart-boiler-plugin/api/readings"),
        ("get", "/smart-boiler-plugin/api/tariffs"),
        ("post", "/smart-boiler-plugin/api/tariffs"),
        *((method, "/smart-boiler-plugin/api/tariffs/{tariff_id}") for method in ("get", "patch", "delete")),
        ("get", "/smart-boiler-plugin/api/tariffs/{tariff_id}/prices"),
        ("get", PATH),
    }


def test_fields_are_described_with_units_and_examples(app):
    boiler = app.test_client().get(PATH).json["components"]["schemas"]["Boiler"]["properties"]
    assert boiler["volume"]["example"] == "80 l"
    assert boiler["volume"]["description"] == "5 to 10000 l, such as '80 l'."
    assert boiler["energy_class"]["enum"] == ["A", "B", "C", "D"]


def test_it_is_shown_with_the_hosts_swagger_look(app):
    page = app.test_client().get("/smart-boiler-plugin/api/docs/").text
    assert PATH in page
    assert "smart-boiler-plugin" in page


@pytest.fixture
def described(app, monkeypatch):
    """The description as schemathesis reads it, of an app that limits nobody."""
    monkeypatch.setitem(app.config, "FLEXMEASURES_MODE", "play")
    return schemathesis.openapi.from_wsgi(PATH, app)


@pytest.fixture(params=["admin", "operator", "household"])
def token(app, request):
    """The token of an admin, who may call everything; of an operator with a customer; and of that household's user."""
    with app.app_context():
        tokens = {"operator": make_operator()[1]}
        operator = db.session.query(Account).one()
        tokens["admin"] = make_user(make_account("Administration"), "admin", roles=["admin"])[1]
        household = make_account("Ash", roles=[CUSTOMER_ROLE], consultancy=operator)
        make_household_boiler(household, "Boiler Ash")
        tokens["household"] = make_user(household, "ash", roles=["account-admin"])[1]
        return tokens[request.param]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_request_ends_in_a_5xx(described, token, mode):
    """By hand, as the pytest plugin of schemathesis 4.32 does not work with pytest 9.2."""
    sent = 0

    def send(case):
        nonlocal sent
        sent += 1
        answer = case.call(headers={"Authorization": token})
        assert answer.status_code < 500, case.as_curl_command()
        # werkzeug lets no path with a line break reach any route of ours
        if answer.status_code >= 400 and "%0A" not in answer.request.url:
            told = f"{answer.status_code} {case.method} {answer.request.url}"
            assert answer.headers["content-type"] == ["application/json"], told
            assert answer.json()["result"] == "Rejected"

    for operation in described.get_all_operations():
        cases = operation.ok().as_strategy(generation_mode=mode)
        QUICK(given(case=cases)(lambda case: send(case)))()  # noqa: PLW0108 (each needs a function of its own)
    print(f"{sent} {mode.value} requests")  # noqa: T201 (`make fuzz` shows it)
    assert sent >= 5 * EXAMPLES, f"only {sent} requests"
