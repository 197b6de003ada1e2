"""Planning all boilers as operators ask for it: over the API, on the command line, by workers that are killed."""

import json
import signal
import time
from threading import Timer

import pytest
from flexmeasures import Account, Asset
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief

from smart_boiler_plugin import jobs
from smart_boiler_plugin.facts.plans import plans_of
from smart_boiler_plugin.fleet import planning
from smart_boiler_plugin.fleet.planning import Asked, ask
from smart_boiler_plugin.fleet.runs import last_run
from smart_boiler_plugin.jobs import Work
from smart_boiler_plugin.stored import ATTRIBUTE
from tests.factories import make_operator, make_user, store
from tests.host.boilers import stored_plan
from tests.host.children import child
from tests.host.fleets import BEGIN, DAY, NOW, QUARTER, make_boilers, make_prices
from tests.host.workers import start_worker

API = "/smart-boiler-plugin/api"
FROM = NOW.isoformat()


@pytest.fixture
def fleet(app, operator):
    """Ids of the boilers of the operator's three customers; the first one is measured. In an app context."""
    with app.app_context():
        make_prices()
        boilers = make_boilers(3, operator[0])
        store(boilers[0].sensors["temperature"], [50.0], BEGIN - QUARTER, "gateway", BEGIN)
        return [boiler.asset.id for boiler in boilers]


@pytest.fixture
def post(app, operator):
    """A function that asks for plans as the operator's consultant, or with another token."""

    def send(token=operator[1], **body):
        return app.test_client().post(f"{API}/plans", json={"from": FROM, **body}, headers={"Authorization": token})

    return send


@pytest.fixture
def show(app, operator):
    """A function that shows the job that an answer tells of."""

    def read(answer, token=operator[1]):
        assert answer.status_code == 202, answer.text
        assert answer.headers["Location"].endswith(answer.json["href"])
        return app.test_client().get(answer.json["href"], headers={"Authorization": token})

    return read


def accounts_of(ids):
    return [db.session.get(Asset, asset_id).account_id for asset_id in ids]


def break_one(asset_id):
    asset = db.session.get(Asset, asset_id)
    asset.attributes = {**asset.attributes, ATTRIBUTE: {"volume_l": "much"}}
    db.session.commit()


# --- over the API


def test_an_operator_has_its_boilers_planned_by_workers(app, operator, fleet, post, show, work):
    answer = post()
    queued = show(answer).json
    assert (queued["kind"], queued["status"], queued["total"], queued["done"]) == ("plans", "queued", 3, 0)
    work()
    shown = show(answer).json
    assert (shown["status"], shown["done"], shown["outcomes"]) == ("finished", 3, {"planned": 1, "told": 2})
    with app.app_context():
        told = {
            "row": 1,
            "account": accounts_of(fleet)[1],
            "boiler": fleet[1],
            "result": "Told",
            "status": "NO_READING",
            "message": "No reading is known: it is planned from 40.00 °C.",
        }
        assert shown["results"][0] == told
        assert len(plans_of(fleet, NOW)) == 3
        run = last_run(operator[0])
        assert (run.planned, run.told, run.failed) == (1, 2, 0)
    # nothing to do is done at once
    again = show(post()).json
    assert (again["status"], again["total"], again["outcomes"]) == ("finished", 0, {})
    with app.app_context():
        assert last_run(operator[0]).told == 0


def test_some_customers_can_be_named_and_all_be_planned_again(app, fleet, post, show, work):
    with app.app_context():
        some = accounts_of(fleet)[:2]
    first = post(customers=some)
    assert show(first).json["total"] == 2
    work()
    assert show(post(only=["missing"])).json["total"] == 1
    work()
    assert show(post(only=["all"], until=(NOW + DAY).isoformat())).json["total"] == 3


def test_others_customers_do_not_exist_and_households_may_not_ask(app, operator, fleet, post, show):
    with app.app_context():
        rival, rivals_token = make_operator("Rival", "rival")
        (theirs,) = make_boilers(1, rival)
        their_account = theirs.asset.account_id
        _, households_token = make_user(theirs.asset.owner, "cedar", roles=["account-admin"])
        _, admins_token = make_user(db.session.get(Account, rival), "root", roles=["admin"])
        ours = accounts_of(fleet)
    refused = post(customers=[ours[0], their_account])
    assert (refused.status_code, refused.json["message"]) == (
        404,
        f"You have no boiler customer with account id {their_account}.",
    )
    assert post(customers=[10**9]).status_code == 404
    assert post(households_token).status_code == 403
    assert show(post(rivals_token), rivals_token).json["total"] == 1
    # of an operator's job others know nothing
    mine = post()
    assert show(mine, rivals_token).status_code == 404
    assert show(mine, admins_token).json["total"] == 3
    assert show(post(admins_token), admins_token).json["total"] == 4


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"only": ["everything"]}, "only"),
        ({"only": []}, "only"),
        ({"customers": ["seven"]}, "customers"),
        ({"customers": [0]}, "customers"),
        ({"from": "tomorrow"}, "from"),
        ({"from": "2099-01-01T00:00+00:00"}, "from"),
        ({"from": "0422-03-19T13:30:00+00:00"}, "from"),
        ({"until": FROM}, "until"),
        ({"until": "9999-12-31T23:59:59+00:00"}, "until"),
        ({"until": "0001-01-01T00:00:00+00:00"}, "until"),
        ({"until": "2025-12-01T00:00+00:00"}, "until"),
        ({"anything": 1}, "anything"),
    ],
)
def test_what_is_wrong_is_refused_by_the_name_of_its_field(fleet, post, body, field):
    answer = post(**body)
    assert (answer.status_code, list(answer.json["message"]["json"])) == (422, [field])


# --- jobs


def test_a_job_of_many_boilers_is_done_in_lanes_and_keeps_ids_alone(app, operator, work, monkeypatch):
    monkeypatch.setitem(jobs.WORK, "plans", Work(jobs.WORK["plans"].function, 2, lanes=3))
    with app.app_context():
        make_prices()
        ids = [boiler.asset.id for boiler in make_boilers(7, operator[0])]
        account = db.session.get(Account, operator[0])
        job_id = ask(account, ids, Asked.now(start=NOW.to_pydatetime()))
        assert jobs.find(job_id).waiting == [list(pair) for pair in enumerate(ids)]
        queued = sorted(app.queues["scheduling"].job_ids)
        assert queued == [f"smart-boiler-{job_id}", f"smart-boiler-{job_id}-1", f"smart-boiler-{job_id}-2"]
        # asked again while they wait, none is there twice
        assert jobs.wake(jobs.find(job_id)) is False
        # a worker that is asked twice does nothing twice
        planning.work(operator[0], job_id, 0)
        planning.work(operator[0], job_id, 0)
        assert [number for number, _ in jobs.find(job_id).waiting] == [2, 3, 4, 5]
    work()
    with app.app_context():
        job = jobs.find(job_id)
        assert (job.status, job.done, job.outcomes) == ("finished", 7, {"told": 7})
        assert len(plans_of(ids, NOW)) == 7


def test_who_was_planned_meanwhile_is_not_planned_again(app, operator, fleet, post, show, work):
    first, second = post(), post()
    work()
    assert show(first).json["outcomes"] == {"planned": 1, "told": 2}
    assert show(second).json["outcomes"] == {"unchanged": 3}


def test_two_workers_that_do_the_same_at_once_count_it_once(app, operator, fleet):
    with app.app_context():
        account = db.session.get(Account, operator[0])
        job_id = ask(account, fleet, Asked.now(start=NOW.to_pydatetime()))
        for _ in range(2):
            jobs.note(account, job_id, [{"row": 1, "result": "Told"}], {"planned": [0]})
        db.session.commit()
        job = jobs.find(job_id)
        assert (job.done, job.outcomes, len(job.waiting)) == (2, {"planned": 1, "told": 1}, 1)


@pytest.mark.parametrize("kills", [4, pytest.param(40, marks=pytest.mark.long)])
def test_whenever_it_is_killed_no_plan_is_half_and_running_again_completes(app, operator, work, monkeypatch, kills):
    monkeypatch.setitem(jobs.WORK, "plans", Work(jobs.WORK["plans"].function, 3, lanes=1))
    with app.app_context():
        make_prices()
        ids = [boiler.asset.id for boiler in make_boilers(9, operator[0])]
        account = db.session.get(Account, operator[0])
        job_id = ask(account, ids, Asked.now(start=NOW.to_pydatetime()))

    def working():
        with app.app_context():
            planning.work(operator[0], job_id)

    def planned():
        """Each boiler has a whole plan and what it rests on, or neither; return how many have."""
        with app.app_context():
            assets = [db.session.get(Asset, asset_id) for asset_id in ids]
            noted = ["smart-boiler-plan" in asset.attributes for asset in assets]
            for asset, is_noted in zip(assets, noted, strict=True):
                sensors = {sensor.name: sensor for sensor in asset.sensors}
                rows = [len(stored_plan(sensors[role], start=BEGIN, hours=48)) for role in ("set-point", "fill-rate")]
                assert rows == [136 * is_noted] * 2
            assert jobs.find(job_id).done == sum(noted)
            return sum(noted)

    killed = 0
    for number in range(kills):
        with child(app, working) as process:
            time.sleep(0.1 + 0.15 * number % 0.6)
            if process.status is None:
                process.signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
        planned()
    assert killed
    app.redis_connection.flushdb()
    with app.app_context():
        jobs.wake(jobs.find(job_id))
    work()
    assert planned() == 9
    with app.app_context():
        assert jobs.find(job_id).outcomes == {"told": 9}


# --- on the command line


def test_the_command_plans_here_and_tells_what_came_of_it(app, fleet, boilers):
    with app.app_context():
        break_one(fleet[2])
    result = boilers("plan", "--from", FROM, "--here", "--verbose")
    assert result.exit_code == 1, result.output
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert "planned 1" in lines
    assert "told 1 planned, and there is something to say: see below" in lines
    assert "failed 1 not planned: see below" in lines
    assert any(line.startswith("failed BROKEN_BOILER 1 What is stored of boiler") for line in lines)
    assert any(line.startswith("told NO_READING 1 No reading is known") for line in lines)
    assert any(f"Boiler {fleet[1]} (Boiler 1 1): No reading is known" in line for line in lines), result.output
    assert lines[-1] == "1 boiler without a valid plan."


def test_nothing_to_do_is_one_line(app, operator, fleet, boilers):
    assert boilers("plan", "--from", FROM, "--here").exit_code == 0
    result = boilers("plan", "--from", FROM)
    assert (result.exit_code, result.output) == (
        0,
        "Nothing to do: 3 boilers looked at, and all have a valid plan.\n",
    )
    with app.app_context():
        assert last_run(operator[0]).told == 0


def test_a_boiler_that_fails_and_has_a_valid_plan_is_no_reason_to_wake_anybody(app, fleet, boilers):
    assert boilers("plan", "--from", FROM, "--here").exit_code == 0
    with app.app_context():
        break_one(fleet[2])
    result = boilers("plan", "--from", FROM, "--here", "--only", "all")
    assert result.exit_code == 0, result.output
    assert "BROKEN_BOILER" in result.output


def test_the_command_asks_workers_for_each_operator_and_waits_for_them(app, fleet, boilers):
    with app.app_context():
        rival, _ = make_operator("Rival", "rival")
        make_boilers(1, rival)
        make_boilers(1)
    asked = boilers("plan", "--from", FROM)
    assert asked.exit_code == 0, asked.output
    # one has no operator with whom a job could stand: it is planned at once
    assert "told" in asked.output
    assert "4 boilers to be planned by workers. How far they are: flexmeasures smart-boiler jobs\n" in asked.output
    process = start_worker(app)
    try:
        result = boilers("plan", "--from", FROM, "--only", "all", "--wait", "--operator", rival)
    finally:
        process.terminate()
        process.join()
    assert result.exit_code == 0, result.output
    assert "told" in result.output
    with app.app_context():
        kinds = sorted((job.account_id == rival, job.status, job.total) for job in jobs.all_jobs())
        assert kinds == [(False, "finished", 3), (True, "finished", 1), (True, "finished", 1)]
    assert "3 of 3" in boilers("jobs").output


def test_the_command_waits_no_longer_than_somebody_works(app, fleet, boilers, monkeypatch):
    for name, seconds in (("LOOK_EVERY_S", 0.05), ("TOLD_AFTER_S", 0.1), ("GIVEN_UP_AFTER_S", 0.6)):
        monkeypatch.setattr(f"smart_boiler_plugin.cli.plans.{name}", seconds)
    nobody = "No worker is alive. Start one: flexmeasures jobs run-worker --queue scheduling"
    begun = time.monotonic()
    result = boilers("plan", "--from", FROM, "--wait")
    assert result.exit_code == 1
    assert time.monotonic() - begun < 10
    assert result.output.count(f"{nobody}. Waiting for") == 1
    assert f"Error: 3 boilers still to be planned, and nobody does it. {nobody}, or plan here: " in result.output
    # whoever does not wait is told at once, and the work is still there when a worker comes
    assert nobody in boilers("plan", "--from", FROM).output
    assert nobody in boilers("jobs").output
    monkeypatch.setattr("smart_boiler_plugin.cli.plans.GIVEN_UP_AFTER_S", 60)
    late = Timer(0.5, lambda: workers.append(start_worker(app)))
    workers = []
    late.start()
    try:
        result = boilers("plan", "--from", FROM, "--only", "all", "--wait")
    finally:
        late.join()
        workers[0].terminate()
        workers[0].join()
    assert result.exit_code == 0, result.output
    assert f"{nobody}. Waiting for" in result.output
    assert nobody not in boilers("jobs").output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--only", "some"], "'some' is none of: missing, deviating, all."),
        (["--from", "tomorrow"], "is no moment such as"),
        (["--from", "1800-01-01"], "is not between"),
        (["--from", FROM, "--until", FROM], "until: Must be after the begin"),
        (["--operator", "99"], "There is no account 99."),
    ],
)
def test_what_is_wrong_is_told_by_the_command(app, fleet, boilers, words, told):
    result = boilers("plan", *words)
    assert result.exit_code != 0
    assert told in result.output


def test_without_a_boiler_it_says_so(app, boilers):
    assert "There is no boiler." in boilers("plan").output


# --- pruning


def test_pruning_leaves_what_was_said_last_and_what_was_measured(app, fleet, boilers, monkeypatch):
    with app.app_context():
        boiler = db.session.get(Asset, fleet[0])
        sensors = {sensor.name: sensor for sensor in boiler.sensors}
        temperature_id = sensors["temperature"].id
        long_ago, lately = (BEGIN.normalize() - days * DAY for days in (60, 3))
        for begin in (long_ago, lately):
            for role in ("set-point", "temperature", "fill-rate"):
                store(sensors[role], [1.0, 2.0], begin, "scheduler", begin - DAY)
                store(sensors[role], [3.0], begin, "scheduler", begin - DAY / 2)
            store(sensors["temperature"], [50.0, 51.0], begin, "gateway")
            store(sensors["temperature"], [52.0], begin, "gateway", begin + DAY)
        made = [*planning.plan_here(fleet, Asked.now(["all"], NOW.to_pydatetime()))]
        assert len(made[0]) == 3
        now = NOW.to_pydatetime()
        monkeypatch.setattr("smart_boiler_plugin.fleet.pruning.server_now", lambda: now)
        ahead = db.session.query(TimedBelief).filter(TimedBelief.event_start >= BEGIN).count()
    result = boilers("prune")
    # of two times three sensors one value was replaced; of long ago, the last two temperatures go as well
    assert result.output.splitlines()[-1] == (
        "Taken away: 6 values of plans that were replaced, 2 expected temperatures."
    )
    assert boilers("prune").output.splitlines()[-1] == (
        "Taken away: 0 values of plans that were replaced, 0 expected temperatures."
    )
    with app.app_context():
        left = db.session.query(TimedBelief.event_value).filter(TimedBelief.sensor_id == temperature_id)
        assert sorted(value for (value,) in left.filter(TimedBelief.event_start == long_ago)) == [50.0, 52.0]
        assert sorted(value for (value,) in left.filter(TimedBelief.event_start == lately)) == [3.0, 50.0, 52.0]
        assert db.session.query(TimedBelief).filter(TimedBelief.event_start >= BEGIN).count() == ahead


def test_pruning_looks_further_back_where_asked(app, fleet, boilers):
    with app.app_context():
        sensor = next(each for each in db.session.get(Asset, fleet[0]).sensors if each.name == "temperature")
        store(sensor, [50.0], BEGIN - 100 * DAY, "scheduler", BEGIN - 101 * DAY)
    assert "0 expected temperatures" in boilers("prune").output
    assert "1 expected temperatures" in boilers("prune", "--all-times").output


def test_what_an_account_holds_of_plans_of_many_is_small(app, operator, fleet):
    with app.app_context():
        account = db.session.get(Account, operator[0])
        waiting = [(number, 100_000 + number) for number in range(10_000)]
        jobs.ask(account, "plans", waiting, [], Asked.now().as_json())
        db.session.commit()
        assert len(json.dumps(account.attributes)) < 60_000
