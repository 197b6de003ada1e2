"""What comes in from outside: bodies without end, forms of other sites, and several calls at the same moment."""

import re
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Barrier

import pytest
from flexmeasures import Account, User
from flexmeasures.data import db
from sqlalchemy import func

from smart_boiler_plugin.api.bodies import LARGEST
from smart_boiler_plugin.api.routes import ROUTES
from smart_boiler_plugin.boiler.asset import Boiler
from tests.factories import PASSWORD
from tests.host.households import API, World

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def world(app):
    return World(app)


def send(world, method, path, data, content_type="application/json", who="operator"):
    headers = {"Authorization": world.tokens[who], "Content-Type": content_type}
    return world.app.test_client().open(API + path, method=method, data=data, headers=headers)


def deep(levels):
    """A body that is a list within lists."""
    return '{"name": ' + "[" * levels + "]" * levels + "}"


MANY = "9" * 1_000_000
BODIES = {
    "21 levels": (deep(21), 400),
    "900 levels": (deep(900), 400),
    "too deep to be read": (deep(30_000), 400),
    "digits": ('{"name": ' + "9" * 5_000 + "}", 400),
    "a million digits": ('{"name": ' + MANY + "}", 413),
    "long": ('{"name": "' + "x" * 262_144 + '"}', 413),
    "no JSON": ("{", 400),
    "no text": (b"\xff\xfe\x00", 400),
    "a number": ("7", 422),
    "a list": ("[]", 422),
    "not a number": ('{"name": NaN}', 422),
}


@pytest.mark.parametrize("case", BODIES)
@pytest.mark.parametrize(("method", "path"), [("POST", "/boiler-customer"), ("PATCH", "/boiler-customer/{}")])
def test_no_body_is_too_much(world, contents, method, path, case):
    body, code = BODIES[case]
    before = contents()
    answer = send(world, method, path.format(world.ash.account), body)
    assert (answer.status_code, answer.json["result"]) == (code, "Rejected"), answer.text
    assert contents() == before


def test_of_a_body_without_a_length_no_more_than_allowed_is_read(world):
    body = BytesIO(b'{"name": "' + b"x" * 10_000_000)
    answer = world.app.test_client().post(
        f"{API}/boiler-customer",
        input_stream=body,
        headers={"Authorization": world.tokens["operator"], **JSON, "Transfer-Encoding": "chunked"},
        environ_base={"wsgi.input_terminated": True},
    )
    assert (answer.status_code, answer.json["result"]) in {(400, "Rejected"), (413, "Rejected")}
    assert body.closed or body.tell() <= 2 * 65_536


GREEDY = {"objects": "{}", "lists": "[]", "texts": '"a"', "numbers": "1e5", "nested": "[[[]]]"}
MEMORY = 256 * 1024 * 1024


BODY_OF = {
    "/boiler-customers": ("[", "]"),
    "/readings": ('{"readings": [', "]}"),
    "/boiler-customer": ('{"name": [', "]}"),
}
QUICK = {("/boiler-customers", "objects"), ("/readings", "texts"), ("/boiler-customer", "nested")}
"""The others take half a minute together, as memory is traced."""


@pytest.mark.parametrize(
    ("path", "what"),
    [
        pytest.param(path, what, marks=() if (path, what) in QUICK else pytest.mark.long)
        for path in BODY_OF
        for what in GREEDY
    ],
)
def test_the_memory_that_a_body_takes_is_bounded(world, path, what):
    """As many small things as the longest body can hold: each takes many times its letters once it is read."""
    (begin, end), item = BODY_OF[path], GREEDY[what]
    largest = next((route.largest for route in ROUTES if route.path == path and route.method == "POST"), 0) or LARGEST
    body = begin + ",".join([item] * ((largest - len(begin) - len(end)) // (len(item) + 1))) + end
    assert len(body) > 0.99 * largest
    tracemalloc.start()
    try:
        answer = send(world, "POST", path, body.encode())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (answer.status_code, answer.json["result"]) in {(400, "Rejected"), (422, "Rejected")}
    assert peak < MEMORY


HEADER = "name,user_name,user_email\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (HEADER + "x" * 200_000 + ",a,a@example.com\n", 400),
        ("x" * 200_000 + "\n", 400),
        (HEADER + "x" * 5_000_000, 413),
    ],
)
def test_a_csv_file_with_a_field_without_end_is_refused(world, contents, text, code):
    before = contents()
    answer = send(world, "POST", "/boiler-customers", text, "text/csv")
    assert (answer.status_code, answer.json["result"]) == (code, "Rejected")
    assert contents() == before


def test_a_list_in_bulk_is_bounded_in_depth_too(world):
    answer = send(world, "POST", "/boiler-customers", f"[{deep(1_000)}]")
    assert (answer.status_code, answer.json["result"]) == (400, "Rejected")


@pytest.mark.parametrize("email", ["ä@exämple.com", "ä@example.com", "a b@example.com", "a@", "a@example"])
def test_a_mailbox_that_no_mail_can_reach_is_refused_at_taking_on(world, email):
    body = {"name": "New", "user_name": "new", "user_email": email}
    answer = world.call("operator", "POST", f"{API}/boiler-customer", body)
    assert (answer.status_code, list(answer.json["message"]["json"])) == (422, ["user_email"])


# --- at the same moment


def at_once(world, calls):
    """Make calls at the same moment; return their answers in the same order."""
    barrier = Barrier(len(calls))

    def one(call):
        barrier.wait()
        return world.call(*call)

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def test_two_changes_at_once_both_count(world):
    path = f"{API}/boiler-customer/{world.ash.account}"
    for number in range(8):
        volume, power = f"{100 + number} l", f"{1 + number / 10:g} kW"
        boost = f"2100-01-{number + 1:02}T00:00:00+00:00"
        wanted = [
            {"boiler": {"volume": volume}},
            {"boiler": {"power": power}},
            {"comfort": {"boost": {"until": boost}}},
        ]
        answers = at_once(world, [("operator", "PATCH", path, body) for body in wanted])
        assert [answer.status_code for answer in answers] == [200, 200, 200], [
            answer.json.get("message") for answer in answers
        ]
        shown = world.call("operator", "GET", path).json
        assert (shown["boiler"]["volume"], shown["boiler"]["power"]) == (volume, power)
        assert shown["comfort"]["boost"]["until"][:10] == boost[:10]
        with world.app.app_context():
            asset = db.session.get(Account, world.ash.account).generic_assets[0]
            assert asset.flex_model == Boiler(asset).data.flex_model


def test_erasing_four_times_at_once_does_it_once(world):
    path = f"{API}/boiler-customer/{world.ash.account}"
    answers = at_once(world, [("operator", "DELETE", path, {"confirm": "Ash"})] * 4)
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404], [a.text for a in answers]


def test_the_same_address_in_other_letters_at_once_is_one_customer(world):
    for number in range(4):
        bodies = [
            {"name": f"{word}{number}", "user_name": f"{word}{number}", "user_email": address.format(number)}
            for word, address in (("Elm", "Elm{}@Example.com"), ("Fir", "elm{}@example.com"))
        ]
        answers = at_once(world, [("operator", "POST", f"{API}/boiler-customer", body) for body in bodies])
        assert sorted(answer.status_code for answer in answers) == [201, 409], [a.text for a in answers]
    with world.app.app_context():
        addresses = db.session.query(func.lower(User.email)).filter(User.email.ilike("elm%")).all()
        assert len(addresses) == len(set(addresses)) == 4


def test_lists_of_the_same_rows_in_other_orders_wait_for_none(world):
    rows = [{"name": f"New {n}", "user_name": f"new{n}", "user_email": f"new{n}@example.com"} for n in range(12)]
    orders = [rows, rows[::-1], rows[6:] + rows[:6], rows[::2] + rows[1::2]]
    answers = at_once(world, [("operator", "POST", f"{API}/boiler-customers", order) for order in orders])
    assert [answer.status_code for answer in answers] == [200] * 4, [answer.text[:300] for answer in answers]
    results = [row["status"] for answer in answers for row in answer.json["results"]]
    assert (results.count("CREATED"), results.count("ALREADY_THERE")) == (12, 36)


def test_a_dry_run_says_what_the_real_run_will_say_across_its_chunks(world, monkeypatch):
    monkeypatch.setattr("smart_boiler_plugin.customers.many.CHUNK", 2)
    rows = [{"name": f"New {n % 3}", "user_name": f"new{n}", "user_email": f"new{n}@example.com"} for n in range(5)]
    dry, real = (
        world.call("operator", "POST", f"{API}/boiler-customers?dry_run={run}", rows).json["results"]
        for run in ("true", "false")
    )
    assert [row["status"] for row in dry] == ["OK", "OK", "OK", "CONFLICT", "CONFLICT"]
    assert [row["status"] for row in real] == ["CREATED", "CREATED", "CREATED", "CONFLICT", "CONFLICT"]


# --- links in mails


def test_links_in_mails_begin_with_the_settings_address_whatever_the_request_names(world, work, mails, monkeypatch):
    monkeypatch.setitem(world.app.config, "SMART_BOILER_SERVER_URL", "https://boilers.example.com")
    headers = {"Authorization": world.tokens["operator"], "Host": "evil.example"}
    path = f"{API}/boiler-customer/{world.ash.account}/invitation"
    assert world.app.test_client().post(path, headers=headers).json == {"invitation": "due"}
    work()
    mails = [mail for mail in mails if mail.recipients == ["ash@example.com"]]
    assert "https://boilers.example.com/reset/" in mails[-1].body
    assert "evil" not in mails[-1].body + mails[-1].html


@pytest.mark.parametrize("url", ["boilers.example.com", "ftp://boilers.example.com", "https://", "//x"])
def test_a_server_url_that_is_none_is_refused_before_anybody_is_taken_on(world, contents, tmp_path, monkeypatch, url):
    file = tmp_path / "customers.csv"
    file.write_text(f"{HEADER}New,new,new@example.com\n")
    before = contents()
    with world.app.app_context():
        operator = db.session.query(Account).filter_by(name="Warm Water Energy").one().id
    words = ["smart-boiler", "add-customers", str(file), "--operator", str(operator), "--server-url", url]
    result = world.app.test_cli_runner().invoke(args=words)
    assert result.exit_code == 2
    assert "is no address of a server" in result.output
    monkeypatch.setitem(world.app.config, "SMART_BOILER_SERVER_URL", url)
    new = {"name": "New", "user_name": "new", "user_email": "new@example.com"}
    assert world.call("operator", "POST", f"{API}/boiler-customer", new).status_code == 422
    assert world.call("operator", "POST", f"{API}/boiler-customers", [new]).status_code == 422
    assert contents() == before


# --- sessions and caches


def test_a_form_of_another_site_cannot_call_in_the_name_of_a_session(world, work, mails):
    browser = world.browser("operator@example.com")
    path = f"{API}/boiler-customer/{world.ash.account}"
    work()
    sent = len(mails)
    for content in (None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        headers = {"Content-Type": content} if content else {}
        assert browser.post(f"{path}/invitation", data="x=1" if content else None, headers=headers).status_code == 403
    work()
    assert len(mails) == sent
    with browser.session_transaction() as session:
        assert "_user_id" in session
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', world.app.test_client().get("/login").text)
    assert browser.post(f"{path}/invitation", headers={"X-CSRFToken": token[1]}).status_code == 403  # another session's
    assert browser.post(f"{path}/invitation", json={}).status_code == 200
    assert browser.patch(path, json={"boiler": {"volume": "90 l"}}).status_code == 200
    work()
    assert len(mails) == sent + 1
    assert PASSWORD not in mails[-1].body


def test_a_call_by_session_with_the_hosts_csrf_token_is_let_through(world):
    browser = world.browser("operator@example.com")
    from flask_wtf.csrf import generate_csrf  # noqa: PLC0415

    with browser.session_transaction() as session:
        raw = session["csrf_token"]
    with world.app.test_request_context():
        from flask import session as own  # noqa: PLC0415

        own["csrf_token"] = raw
        token = generate_csrf()
    path = f"{API}/boiler-customer/{world.ash.account}/invitation"
    assert browser.post(path, headers={"X-CSRFToken": token}).status_code == 200


def test_nothing_personal_is_kept_by_a_cache(world):
    path = f"{API}/boiler-customer"
    for where in (path, f"{path}/{world.ash.account}", f"{path}/{world.ash.account}/export", f"{path}/999999", "/x"):
        answer = world.call("operator", "GET", where if where != "/x" else f"{API}/x")
        assert answer.headers["Cache-Control"] == "no-store", where
    assert world.browser("operator@example.com").get("/smart-boiler-plugin/").headers["Cache-Control"] == "no-store"
    assert "Cache-Control" not in world.call("operator", "GET", f"{API}/openapi.json").headers


def test_each_operation_describes_its_answer(world):
    described = world.call("operator", "GET", f"{API}/openapi.json").json
    bare = [
        (path, method)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        for code, answer in operation["responses"].items()
        if code.startswith("2") and not answer.get("content", {}).get("application/json", {}).get("schema")
    ]
    assert bare == []
