"""GET /fleet and GET /fleet/load, and the same on the command line: who sees what, by the page, in sums."""

import json
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from flexmeasures import Account
from flexmeasures.data import db

from smart_boiler_plugin import workers
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.fleet.runs import Run, note_run
from tests.factories import make_account, make_household_boiler, make_user, store
from tests.host.watched import course, make_member, now, priced
from tests.host.workers import kill_with_its_job, start_worker, wait_until

API = "/smart-boiler-plugin/api"


@pytest.fixture
def world(app):
    """Tokens by who it is. Operator A has Ash (well), Birch (no plan) and Cedar (silent), operator B has Dogwood."""
    with app.app_context():
        moment, tokens = now(), {"admin": make_user(make_account("Administration"), "admin", roles=["admin"])[1]}
        priced(moment)
        one, two = (make_account(f"Operator {letter}", roles=["Consultancy"]) for letter in "AB")
        for operator, letter in ((one, "A"), (two, "B")):
            tokens[f"operator {letter}"] = make_user(operator, f"consultant{letter}", roles=["consultant"])[1]
            tokens[f"clerk {letter}"] = make_user(operator, f"clerk{letter}")[1]
        tokens["stranger"] = make_user(make_account("Stranger"), "stranger")[1]
        ash = make_member(one, "Ash", moment, temperature_c=course(), heats=(4, 8))
        make_member(one, "Birch", moment - timedelta(minutes=30), temperature_c=course() + 3, hours=0)
        make_member(one, "Cedar", moment, hours=20, planned_c=[56.0] * 80)
        make_member(two, "Dogwood", moment, temperature_c=course())
        tokens["Ash"] = make_user(ash.asset.owner, "ash", roles=["account-admin"])[1]
        note_run(one, Run(moment.to_pydatetime(), 2, 0, 1))
        db.session.commit()
    return tokens


def get(app, token, path="/fleet", **options):
    """Call with a token."""
    return app.test_client().get(
        f"{API}{path}", headers={"Authorization": token, **options.pop("headers", {})}, **options
    )


def names(answer):
    """Names of the customers of an answer, in its order."""
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json["data"]]


def test_everybody_sees_the_own_boilers_the_worst_first(app, world):
    everybody = {
        "operator A": ["Birch", "Cedar", "Ash"],
        "operator B": ["Dogwood"],
        "admin": ["Birch", "Cedar", "Ash", "Dogwood"],
        "Ash": ["Ash"],
    }
    for who, seen in everybody.items():
        answer = get(app, world[who])
        assert names(answer) == seen
        assert (answer.json["num-records"], answer.json["filtered-records"]) == (len(seen), len(seen))
        # a household is told nothing of all others
        assert (answer.json["last_run"] is None) == (who in {"Ash", "operator B"})
        load = get(app, world[who], "/fleet/load")
        assert load.json["boilers"] == len(seen)
        assert max(load.json["planned_boilers"]) == sum(name in {"Ash", "Cedar", "Dogwood"} for name in seen)


def test_for_others_there_is_no_fleet(app, world):
    for path in ("/fleet", "/fleet/load"):
        for who in ("clerk A", "stranger"):
            answer = get(app, world[who], path)
            assert (answer.status_code, answer.json["status"]) == (404, "NOT_FOUND")
        assert app.test_client().get(f"{API}{path}").status_code == 401


def test_a_row_says_what_is_wrong_how_warm_it_is_and_what_is_planned(app, world):
    answer = get(app, world["operator A"]).json
    rows = {row["name"]: row for row in answer["data"]}
    with app.app_context():
        quarter = now().floor("15min")
    ash = rows["Ash"]
    assert (ash["state"], ash["since"], ash["message"], ash["faults"], ash["also"]) == ("well", None, "", [], [])
    assert ash["temperature_c"] == pytest.approx(course()[-1], abs=0.01)
    assert (ash["heats_now"], ash["heats_until"], ash["useful_c"]) == (False, None, 40.0)
    assert (ash["coldest_planned_c"], ash["boiler_name"]) == (55.0, "Boiler Ash")
    begin, until = (pd.Timestamp(ash["next_heating"][name]) for name in ("from", "until"))
    assert until - begin == timedelta(hours=1)
    assert begin.utcoffset() == begin.tz_convert("Europe/Amsterdam").utcoffset()
    assert timedelta(minutes=45) <= begin - quarter <= timedelta(hours=1)
    birch = rows["Birch"]
    assert (birch["state"], birch["planned_until"], birch["heats_now"], birch["next_heating"]) == (
        "no_plan",
        None,
        None,
        None,
    )
    cedar = rows["Cedar"]
    assert (cedar["state"], cedar["temperature_c"], cedar["measured_at"]) == ("silent", None, None)
    counts = {"cold": 0, "fault": 0, "cold_soon": 0, "no_plan": 1, "silent": 1, "off_plan": 0, "well": 1}
    assert answer["counts"] == counts
    assert {name: answer["last_run"][name] for name in ("planned", "told", "failed")} == {
        "planned": 2,
        "told": 0,
        "failed": 1,
    }
    assert pd.Timestamp(answer["prices_known_until"]) - quarter >= timedelta(hours=35, minutes=45)
    assert (answer["workers"], answer["waiting"]) == (0, 0)


def test_some_of_them_in_an_order_by_the_page(app, world):
    for query, expected in (
        ({"state": "well"}, ["Ash"]),
        ({"state": "cold"}, []),
        ({"per-page": 2}, ["Birch", "Cedar"]),
        ({"per-page": 2, "page": 2}, ["Ash"]),
        ({"per-page": 2, "page": 3}, []),
        ({"filter": "BIR"}, ["Birch"]),
        ({"filter": "boiler c"}, ["Birch", "Cedar"]),
        ({"sort-by": "state", "sort-dir": "desc"}, ["Ash", "Cedar", "Birch"]),
        ({"sort-by": "name"}, ["Ash", "Birch", "Cedar"]),
        ({"sort-by": "name", "sort-dir": "desc"}, ["Cedar", "Birch", "Ash"]),
        ({"sort-by": "temperature"}, ["Ash", "Birch", "Cedar"]),
        ({"sort-by": "temperature", "sort-dir": "desc"}, ["Birch", "Ash", "Cedar"]),
        ({"sort-by": "measured"}, ["Birch", "Ash", "Cedar"]),
        ({"sort-by": "until"}, ["Cedar", "Ash", "Birch"]),
        ({"sort-by": "coldest"}, ["Ash", "Cedar", "Birch"]),
    ):
        answer = get(app, world["operator A"], query_string=query)
        assert names(answer) == expected, query
        assert answer.json["num-records"] == 3
        assert answer.json["counts"]["no_plan"] == 1


def test_what_cannot_be_is_refused_and_named(app, world):
    for query, field in (
        ({"state": "warm"}, "state"),
        ({"page": 0}, "page"),
        ({"per-page": 1001}, "per-page"),
        ({"sort-by": "cost"}, "sort-by"),
        ({"filter": "a\x00"}, "filter"),
    ):
        answer = get(app, world["operator A"], query_string=query)
        assert answer.status_code == 422, answer.text
        assert field in json.dumps(answer.json["message"])


# --- load


DAY = pd.Timestamp("2025-10-29", tz="Europe/Amsterdam")


@pytest.fixture
def metered(app):
    """Token of an operator with three boilers of 1.5 kW, metered and planned on a day of the past."""
    with app.app_context():
        operator = make_account("Operator", roles=["Consultancy"])
        boilers = []
        for name in ("Ash", "Birch", "Cedar"):
            owner = make_account(name, roles=[CUSTOMER_ROLE], consultancy=operator)
            boilers.append(make_household_boiler(owner, f"Boiler {name}"))
        ash, birch, cedar = (boiler.sensors["fill-rate"] for boiler in boilers)
        store(ash, [1.5, 0.75, 0.0], DAY, "gateway", recorded_at=DAY + timedelta(hours=1))
        store(birch, [0.5, np.nan, 0.25], DAY, "gateway", recorded_at=DAY + timedelta(hours=1))
        # W taken for kW, and a meter with its sign turned
        store(cedar, [1500.0, -1.5], DAY, "gateway", recorded_at=DAY + timedelta(hours=1))
        store(ash, [1.0] * 4, DAY, "scheduler", recorded_at=DAY - timedelta(hours=12))
        # a later plan counts, a forecast does not
        store(ash, [0.25], DAY, "scheduler", recorded_at=DAY - timedelta(hours=2))
        store(birch, [1.5, 1.5], DAY, "scheduler", recorded_at=DAY - timedelta(hours=12))
        store(birch, [0.9], DAY, "forecaster", recorded_at=DAY - timedelta(hours=1))
        return make_user(operator, "consultant", roles=["consultant"])[1]


def load(app, token, first, last, **headers):
    """Get the load of a span."""
    return get(app, token, "/fleet/load", query_string={"from": first, "until": last}, headers=headers)


def test_the_load_is_the_sum_of_what_is_planned_and_metered(app, metered):
    answer = load(app, metered, "2025-10-29T00:00+01:00", "2025-10-29T01:15+01:00").json
    assert answer == {
        "from": "2025-10-29T00:00:00+01:00",
        "until": "2025-10-29T01:15:00+01:00",
        "resolution": "PT15M",
        "planned_kw": [1.75, 2.5, 1.0, 1.0, None],
        "metered_kw": [2.0, 0.75, 0.25, None, None],
        "planned_boilers": [2, 2, 1, 1, 0],
        "metered_boilers": [2, 1, 2, 0, 0],
        "boilers": 3,
    }


def test_as_csv_it_has_a_line_for_each_quarter(app, metered):
    answer = load(app, metered, "2025-10-28T23:00Z", "2025-10-28T23:30+00:00", Accept="text/csv")
    assert answer.mimetype == "text/csv"
    assert answer.text.splitlines() == [
        "start,planned_kw,metered_kw",
        "2025-10-29T00:00:00+01:00,1.75,2.0",
        "2025-10-29T00:15:00+01:00,2.5,0.75",
    ]


def test_a_day_is_that_of_the_server_and_may_have_23_or_25_hours(app, metered):
    for day, after, count in (
        ("2025-10-29", "2025-10-30", 96),
        ("2025-10-26", "2025-10-27", 100),
        ("2025-03-30", "2025-03-31", 92),
    ):
        answer = load(app, metered, day, after).json
        assert len(answer["planned_kw"]) == len(answer["metered_kw"]) == count
        assert answer["from"].startswith(f"{day}T00:00:00+0")
        assert answer["until"].startswith(f"{after}T00:00:00+0")
        assert pd.Timestamp(answer["until"]) - pd.Timestamp(answer["from"]) == count * timedelta(minutes=15)


def test_parts_of_quarters_count_as_whole_ones_and_by_default_it_is_some_hours_around_now(app, metered):
    answer = load(app, metered, "2025-10-29T00:14+01:00", "2025-10-29T00:16+01:00").json
    assert answer["planned_kw"] == [1.75, 2.5]
    answer = get(app, metered, "/fleet/load").json
    assert len(answer["planned_kw"]) in {36 * 4, 36 * 4 + 1}
    begin = pd.Timestamp.now("UTC") - timedelta(hours=6)
    assert timedelta(0) <= begin - pd.Timestamp(answer["from"]) < timedelta(minutes=16)


def test_a_span_that_cannot_be_is_refused_and_named(app, metered):
    for first, last, field in (
        ("yesterday", "2025-10-29", "from"),
        ("2025-10-29T00:00", "2025-10-30", "from"),
        ("2025-10-30", "2025-10-29", "until"),
        ("2025-10-29", "2025-10-29", "until"),
        ("2025-10-01", "2025-11-03", "until"),
        ("0001-01-01", "2025-11-03", "from"),
        ("2025-10-29", "9999-12-31", "until"),
        ("NaT", "2025-10-29", "from"),
    ):
        answer = load(app, metered, first, last)
        assert answer.status_code == 422, answer.text
        assert field in json.dumps(answer.json["message"])


# --- the command line


def test_the_command_prints_who_is_not_well_and_exits_with_1(app, world, boilers):
    answer = boilers("status", "--operator", account_of(app, "Operator A"))
    assert answer.exit_code == 1, answer.output
    lines = answer.output.splitlines()
    assert lines[2].split()[:4] == ["No", "plan", str(account_of(app, "Birch")), "Birch"]
    assert any(line.split()[:3] == ["Silent", str(account_of(app, "Cedar")), "Cedar"] for line in lines)
    assert "It has never sent a reading." in answer.output
    assert "Ash" not in answer.output
    assert "3 boilers: 1 no plan, 1 silent, 1 well." in answer.output
    assert "Prices are known until" in answer.output
    assert ": 2 planned, 1 failed." in answer.output
    assert "No worker is alive, 0 jobs wait." in answer.output


def test_the_command_exits_with_0_where_all_are_well(app, world, boilers):
    answer = boilers("status", "--operator", account_of(app, "Operator B"))
    assert answer.exit_code == 0, answer.output
    assert "1 boilers: 1 well." in answer.output
    assert "Dogwood" not in answer.output
    assert "Dogwood" in boilers("status", "--state", "well").output


def test_off_its_plan_needs_no_person(app, world, boilers):
    with app.app_context():
        moment = now()
        operator = make_account("Operator C", roles=["Consultancy"])
        elm = make_member(operator, "Elm", moment, temperature_c=course(), set_points=False)
        store(elm.sensors["temperature"], [20.0], moment.floor("15min") - timedelta(minutes=15), "scheduler")
    answer = boilers("status", "--operator", account_of(app, "Operator C"))
    assert "1 boilers: 1 off plan." in answer.output
    assert answer.exit_code == 0


def test_as_json_it_is_what_the_api_answers(app, world, boilers):
    answer = boilers("status", "--operator", account_of(app, "Operator A"), "--json")
    assert answer.exit_code == 1
    printed, answered = json.loads(answer.output), get(app, world["operator A"]).json
    assert {**printed, "at": None} == {**answered, "at": None}
    some = json.loads(boilers("status", "--json", "--state", "silent", "--state", "no_plan").output)
    assert [row["name"] for row in some["data"]] == ["Birch", "Cedar"]
    assert (some["num-records"], some["filtered-records"]) == (4, 2)


def test_what_the_command_cannot_do_is_said(app, world, boilers):
    for words, told in (
        (("--operator", 999), "There is no account 999."),
        (("--state", "warm"), "'warm' is not one of"),
        (("--mail", "nobody"), "An email address must have an @-sign."),
        (("--mail", "a@example.com", "--json"), "neither --state nor --json"),
    ):
        answer = boilers("status", *words)
        assert answer.exit_code == 2, answer.output
        assert told in answer.output
    assert "Examples:" in boilers("status", "--help").output


def account_of(app, name):
    """Id of an account."""
    with app.app_context():
        return db.session.query(Account).filter_by(name=name).one().id


def test_a_worker_that_is_alive_is_counted_and_one_that_is_gone_is_not(app):
    with app.app_context():
        assert workers.alive() == (0, 0)
        process = start_worker(app)
        try:
            wait_until(lambda: workers.alive() == (1, 0))
        finally:
            kill_with_its_job(process)
        # its heartbeat is overdue, as it will be in eight minutes
        for key in app.redis_connection.keys("rq:worker:*"):
            app.redis_connection.delete(key)
        workers.ask("builtins.print")
        assert workers.alive() == (0, 1)
