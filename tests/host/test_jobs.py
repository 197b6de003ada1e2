"""More customers than a call can wait for are a job: noted before the answer, done by workers, told for a week."""

import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest
from flexmeasures import Account, Asset, User
from flexmeasures.data import db
from rq import Queue
from rq.job import Job
from sqlalchemy.exc import OperationalError

from smart_boiler_plugin import jobs, workers
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.customers import bulk, many, taking_on
from tests.factories import make_account, make_operator, make_user
from tests.host.children import child, wait_for
from tests.host.connections import redis_that_is_away

API = "/smart-boiler-plugin/api"
LONG = 2 * many.CHUNK + 3
"""How many rows are more than two chunks, and more than are taken on at once."""


def trees(count, first=0):
    """Rows of as many new customers."""
    return [
        {"name": f"Tree {n}", "user_name": f"tree{n}", "user_email": f"tree{n}@example.com"}
        for n in range(first, first + count)
    ]


@pytest.fixture
def post(app, operator):
    """A function that posts many customers as the operator's consultant."""

    def send(rows, token=operator[1]):
        return app.test_client().post(f"{API}/boiler-customers", json=rows, headers={"Authorization": token})

    return send


@pytest.fixture
def get(app, operator):
    """A function that gets a job of an answer, by default as the operator's consultant."""

    def look(answer, token=operator[1]):
        return app.test_client().get(answer.headers["Location"], headers={"Authorization": token} if token else {})

    return look


def count(app):
    """How many customers there are."""
    with app.app_context():
        return db.session.query(Account).filter(Account.account_roles.any(name=CUSTOMER_ROLE)).count()


def test_it_is_noted_before_the_answer_and_done_by_workers(app, post, get, work, mails):
    rows = trees(LONG)
    rows[7] = {"name": "Nobody"}
    rows[9] = {**rows[9], "tariff": "none such"}
    rows[11] = {**rows[11], "name": "TREE 10"}
    answer = post(rows)
    assert answer.status_code == 202
    assert answer.json == {"job": answer.json["job"], "href": answer.headers["Location"]}
    assert answer.json["href"] == f"{API}/jobs/{answer.json['job']}"
    job = get(answer).json
    assert (job["kind"], job["status"], job["total"], job["done"]) == ("customers", "queued", LONG, 1)
    assert [(result["row"], result["status"]) for result in job["results"]] == [(7, "UNPROCESSABLE_ENTITY")]
    assert count(app) == 0
    work()
    job = get(answer).json
    assert (job["job"], job["status"], job["done"]) == (answer.json["job"], "finished", LONG)
    assert job["outcomes"] == {"created": LONG - 3, "rejected": 3}
    assert [result["row"] for result in job["results"]] == list(range(LONG))
    refused = {result["row"]: result["message"]["json"] for result in job["results"] if "message" in result}
    assert {row: list(message) for row, message in refused.items()} == {
        7: ["user_email", "user_name"],
        9: ["tariff"],
        11: ["name"],
    }
    with app.app_context():
        for result in job["results"]:
            if result["result"] == "Created":
                assert db.session.get(Account, result["account"]).name == f"Tree {result['row']}"
                assert db.session.get(User, result["user"]).email == f"tree{result['row']}@example.com"
                assert db.session.get(Asset, result["boiler"]).account_id == result["account"]
    assert len(mails) == LONG - 3


def test_asking_again_is_harmless_and_tells_who_is_there_from_who_is_refused(app, post, get, work, contents):
    first = post(trees(21))
    work()
    made = [result["account"] for result in get(first).json["results"]]
    before = contents()
    rows = trees(21)
    rows[0] = {key: value.upper() for key, value in rows[0].items()}
    rows[1] = {**rows[1], "user_email": "another@example.com"}
    rows[2] = {**rows[2], "name": "Tree 3"}
    again = post(rows)
    work()
    results = get(again).json["results"]
    assert get(again).json["outcomes"] == {"already_there": 19, "rejected": 2}
    assert [result["account"] for result in results if result["status"] == "ALREADY_THERE"] == [made[0], *made[3:]]
    assert sorted(results[1]["message"]["json"]) == ["name", "user_name"]
    assert sorted(results[2]["message"]["json"]) == ["name", "user_email", "user_name"]
    after = contents()
    # the job alone
    assert {name for name in before if before[name] != after[name]} == {"account"}


def test_few_tell_who_is_there_too(post):
    first = post(trees(2)).json["results"]
    second = post(trees(3)).json["results"]
    assert [result["status"] for result in second] == ["ALREADY_THERE", "ALREADY_THERE", "CREATED"]
    assert [result["account"] for result in second[:2]] == [result["account"] for result in first]


def test_a_customer_of_another_operator_is_not_there_already(app, post):
    with app.app_context():
        _, rival = make_operator("Rival", "rival")
    post(trees(1))
    answer = post(trees(1), token=rival).json["results"][0]
    assert (answer["status"], sorted(answer["message"]["json"])) == ("CONFLICT", ["name", "user_email", "user_name"])
    assert "account" not in answer


# --- who may see it


def test_a_job_is_seen_by_those_of_its_operator_who_may_take_on_and_by_admins(app, post, get, operator):
    answer = post(trees(21))
    with app.app_context():
        ours = db.session.get(Account, operator[0])
        house = make_account("House", roles=[CUSTOMER_ROLE], consultancy=ours)
        admins = make_account("Administration")
        seen = {
            "colleague": make_user(ours, "colleague", roles=["consultant"])[1],
            "admin": make_user(admins, "admin", roles=["admin"])[1],
            "reader": make_user(admins, "reader", roles=["admin-reader"])[1],
        }
        unseen = {
            "rival": make_operator("Rival", "rival")[1],
            "plain": make_user(ours, "plain")[1],
            "household": make_user(house, "house", roles=["account-admin"])[1],
        }
    assert {get(answer, token).status_code for token in seen.values()} == {200}
    none = app.test_client().get(f"{API}/jobs/{uuid4()}", headers={"Authorization": operator[1]})
    for token in unseen.values():
        told = get(answer, token)
        assert (told.status_code, told.json["status"]) == (404, "NOT_FOUND")
        assert told.json["message"].split("job")[0] == none.json["message"].split("job")[0]
    assert get(answer, None).status_code == 401


@pytest.mark.parametrize("garbage", ["7", "x", "%00", "../jobs", "0" * 36, "'; DROP TABLE account; --", "%F0%9F%94%A5"])
def test_an_id_that_is_none_is_a_404(app, operator, garbage):
    answer = app.test_client().get(f"{API}/jobs/{garbage}", headers={"Authorization": operator[1]})
    assert (answer.status_code, answer.json["result"]) == (404, "Rejected")


def test_what_users_of_an_operator_write_there_is_no_job(app, post, get, operator, work, flexmeasures):
    answer = post(trees(21))
    job_id = answer.json["job"]
    with app.app_context():
        rival_id, rival = make_operator("Rival", "rival")
        sealed = db.session.get(Account, operator[0]).attributes[jobs.ATTRIBUTE][job_id]
        db.session.get(Account, rival_id).attributes = {jobs.ATTRIBUTE: {job_id: sealed, str(uuid4()): sealed}}
        db.session.get(Account, operator[0]).attributes = {
            jobs.ATTRIBUTE: {job_id: {"kind": "customers", "waiting": trees(30)}, "x": 7, "y": sealed[:-1] + "x"}
        }
        db.session.commit()
    app.redis_connection.flushdb()
    assert get(answer).status_code == 404
    assert get(answer, rival).status_code == 404
    assert "Nothing was asked for" in flexmeasures("smart-boiler", "jobs").output
    work()
    assert count(app) == 0
    for nonsense in (7, "x", [], None, {"a": 1}):
        with app.app_context():
            db.session.get(Account, operator[0]).attributes = {jobs.ATTRIBUTE: nonsense}
            db.session.commit()
        assert flexmeasures("smart-boiler", "jobs").exit_code == 0
        assert get(answer).status_code == 404
        assert post(trees(21)).status_code == 202


def test_it_is_kept_for_seven_days_after_its_end(app, post, get, work, monkeypatch):
    finished = post(trees(21))
    work()
    later = datetime.now(timezone.utc) + timedelta(days=7)
    monkeypatch.setattr(jobs, "server_now", lambda: later - timedelta(minutes=1))
    assert get(finished).status_code == 200
    monkeypatch.setattr(jobs, "server_now", lambda: later + timedelta(minutes=1))
    assert get(finished).status_code == 404
    waiting = post(trees(21, first=100))
    monkeypatch.setattr(jobs, "server_now", lambda: later + timedelta(days=30))
    assert get(waiting).json["status"] == "queued"


def test_of_more_than_an_account_can_hold_the_oldest_are_forgotten_and_none_that_waits(
    app, post, get, work, monkeypatch
):
    monkeypatch.setattr(jobs, "MOST_THINGS", 50)
    first, second = post(trees(21)), post(trees(21))
    work()
    assert [get(answer).status_code for answer in (first, second)] == [200, 200]
    third = post(trees(22))
    assert [get(answer).status_code for answer in (first, second, third)] == [404, 200, 200]
    fourth = post(trees(23))
    assert [get(answer).status_code for answer in (second, third, fourth)] == [404, 200, 200]
    refused = post(trees(21))
    assert (refused.status_code, "waiting for workers" in refused.json["message"]) == (409, True)


# --- whatever happens meanwhile


def forget(app):
    """Let Redis lose all that it has."""
    app.redis_connection.flushdb()


@pytest.mark.parametrize("who", ["look", "list", "ask"])
def test_where_redis_forgot_it_whoever_looks_puts_it_back(app, post, get, work, flexmeasures, who):
    answer = post(trees(21))
    forget(app)
    work()
    assert count(app) == 0
    if who == "look":
        assert get(answer).json["status"] == "queued"
    elif who == "list":
        assert "queued, asked again" in flexmeasures("smart-boiler", "jobs").output
    else:
        post(trees(21, first=100))
    # once is enough
    assert get(answer).json["status"] == "queued"
    assert app.queues["scheduling"].count == (2 if who == "ask" else 1)
    assert "asked again" not in flexmeasures("smart-boiler", "jobs").output
    work()
    assert get(answer).json["outcomes"] == {"created": 21}


def test_where_redis_cannot_be_reached_it_is_noted_all_the_same(app, post, get, work, monkeypatch):
    with monkeypatch.context() as gone:
        gone.setitem(app.queues, "scheduling", Queue("scheduling", connection=redis_that_is_away()))
        answer = post(trees(21))
        assert answer.status_code == 202
        assert get(answer).json["status"] == "queued"
    get(answer)
    work()
    assert get(answer).json["status"] == "finished"


def test_a_job_whose_worker_was_killed_is_taken_up_by_whoever_looks(app, post, get, work):
    answer = post(trees(21))
    name = f"smart-boiler-{answer.json['job']}"
    with app.app_context():
        job = Job.fetch(name, connection=app.redis_connection)
        app.queues["scheduling"].empty()
        job.save()
        job.set_status("started")
        for age, asked in ((timedelta(seconds=40), True), (timedelta(minutes=3), False)):
            job.heartbeat(datetime.now(timezone.utc) - age, 600)
            assert workers.is_asked(name) is asked
    get(answer)
    work()
    assert get(answer).json["outcomes"] == {"created": 21}


def test_our_jobs_are_tried_again_when_they_fail(app, post, operator):
    answer = post(trees(21))
    job = Job.fetch(f"smart-boiler-{answer.json['job']}", connection=app.redis_connection)
    assert (job.retries_left, job.retry_intervals) == (5, [10, 60, 300, 1800, 7200])
    assert job.origin == "scheduling"
    assert job.timeout == 180
    # nothing of anybody's is in Redis
    assert "tree" not in str(job.to_dict()).lower()


def test_a_chunk_that_breaks_in_the_middle_leaves_nothing_tells_nobody_and_is_done_anew(
    app, post, get, work, contents, monkeypatch, capfd, caplog
):
    monkeypatch.setattr(bulk, "CHUNK", 25)
    answer = post(trees(25))
    before = contents()
    made = []
    real = taking_on.make_boiler

    def break_off(*words):
        made.append(words)
        if len(made) == 13:
            raise OperationalError(
                "INSERT", {"email": "tree12@example.com"}, Exception("Key (email)=(tree12@example.com)")
            )
        return real(*words)

    monkeypatch.setattr(taking_on, "make_boiler", break_off)
    work()
    assert len(made) == 13
    assert contents() == before
    assert get(answer).json["done"] == 0
    assert app.queues["scheduling"].scheduled_job_registry.count == 1
    name = f"smart-boiler-{answer.json['job']}"
    told = f"{capfd.readouterr()} {caplog.text} {Job.fetch(name, connection=app.redis_connection).to_dict()}"
    assert "OperationalError (Exception)" in told
    assert "tree12" not in told
    with app.app_context():
        assert bulk.work(jobs.all_jobs()[0].account_id, answer.json["job"]) is None
    assert get(answer).json["outcomes"] == {"created": 25}


def test_what_nobody_foresaw_of_one_row_stops_no_other(post, get, work, monkeypatch, caplog):
    real = taking_on.make_boiler

    def fail(asset, *words):
        if asset.name == "Boiler Tree 4":
            raise ZeroDivisionError("secret detail")
        return real(asset, *words)

    monkeypatch.setattr(taking_on, "make_boiler", fail)
    answer = post(trees(21))
    work()
    job = get(answer).json
    assert job["outcomes"] == {"created": 20, "failed": 1}
    assert job["results"][4] == {
        "row": 4,
        "result": "Failed",
        "status": "INTERNAL_SERVER_ERROR",
        "message": "Something went wrong on the server. Its log has the details.",
    }
    assert "secret detail" in caplog.text


def test_two_workers_at_once_take_each_on_once(app, post, get, operator, monkeypatch):
    monkeypatch.setattr(bulk, "CHUNK", 5)
    answer = post(trees(23))

    def run():
        with app.app_context():
            return bulk.work(operator[0], answer.json["job"])

    with ThreadPoolExecutor(3) as pool:
        assert [done.result() for done in [pool.submit(run) for _ in range(3)]] == [None] * 3
    assert get(answer).json["outcomes"] == {"created": 23}
    assert count(app) == 23


def test_who_was_taken_on_by_somebody_else_meanwhile_is_told(app, post, get, work):
    with app.app_context():
        _, rival = make_operator("Rival", "rival")
    answer = post(trees(21))
    post(trees(1, first=3), token=rival)
    post(trees(1, first=4))
    work()
    results = get(answer).json["results"]
    assert (results[3]["status"], results[4]["status"]) == ("CONFLICT", "ALREADY_THERE")
    assert get(answer).json["outcomes"] == {"created": 19, "already_there": 1, "rejected": 1}


def test_a_worker_gives_others_their_turn_and_goes_on(app, post, get, operator, work, monkeypatch):
    monkeypatch.setattr(workers, "LIMIT_S", 0.0)
    answer = post(trees(25))
    with app.app_context():
        assert bulk.work(operator[0], answer.json["job"]).max > 1_000
    assert (get(answer).json["status"], get(answer).json["done"]) == ("running", 10)
    work()
    assert get(answer).json["outcomes"] == {"created": 25}


def test_what_is_wrong_with_a_row_is_kept_shortly_and_without_names(app, post, get, work, contents):
    rows = trees(21)
    rows[3] = {"x" * 50_000: 1}
    post(trees(1, first=20))
    answer = post(rows)
    work()
    results = get(answer).json["results"]
    assert len(str(results[3]["message"])) < 1_100
    assert (results[20]["status"], "tree" in str(results).lower()) == ("ALREADY_THERE", False)


def test_what_cannot_be_done_at_all_is_told_at_once(app, post, contents, monkeypatch):
    monkeypatch.setitem(app.config, "SMART_BOILER_SERVER_URL", "boilers.example.com")
    before = contents()
    assert post(trees(21)).status_code == 422
    assert contents() == before


def test_a_list_in_which_all_is_wrong_is_finished_at_once(app, post, get):
    answer = post([{}] * 21)
    assert answer.status_code == 202
    assert (get(answer).json["status"], get(answer).json["outcomes"]) == ("finished", {"rejected": 21})
    assert app.queues["scheduling"].count == 0


# --- dry, and on the command line


def test_a_dry_run_of_many_is_answered_at_once(app, operator, contents):
    before = contents()
    rows = [*trees(30), *trees(2), {"name": "Nobody"}]
    answer = app.test_client().post(
        f"{API}/boiler-customers?dry_run=true", json=rows, headers={"Authorization": operator[1]}
    )
    assert (answer.status_code, answer.json["possible"]) == (200, 30)
    results = [result["status"] for result in answer.json["results"]]
    assert results == [*["OK"] * 30, *["ALREADY_THERE"] * 2, "UNPROCESSABLE_ENTITY"]
    assert contents() == before


@pytest.fixture
def file(tmp_path):
    """A CSV file of 25 customers, one of whom is wrong; that are more than two chunks."""
    lines = [f"{row['name']},{row['user_name']},{row['user_email']},nl" for row in trees(24)]
    lines[5:5] = ["Nobody,nobody,no address,nl"]
    path = tmp_path / "customers.csv"
    path.write_text("\n".join(["name,user_name,user_email,language", *lines]))
    return path


def add_customers(file, operator):
    """The words of the command that takes on the customers of a file."""
    told = ["--operator", str(operator[0]), "--server-url", "https://b.example"]
    return ["smart-boiler", "add-customers", str(file), *told]


def test_after_ctrl_c_the_command_tells_how_many_are_done_and_goes_on(app, operator, file, tmp_path, flexmeasures):
    """A real process and a real signal, in the middle of the second chunk."""
    words = add_customers(file, operator)
    output = tmp_path / "output"

    def run():
        result = app.test_cli_runner().invoke(args=words)
        output.write_text(result.output)
        return result.exit_code

    with child(app, run) as process:
        wait_for(lambda: count(app) == 9)
        process.signal(signal.SIGINT)
        assert process.wait() == 130
    done = count(app) + 1
    assert done in {10, 20}
    assert f"Stopped: {done} of 25 rows are done. The same command goes on" in output.read_text()
    again = flexmeasures(*words)
    assert again.exit_code == 1  # for the one who is wrong
    assert f"{25 - done} of 25 customers were taken on, {done - 1} were there already." in again.output
    assert "Row 6: user_email:" in again.output
    third = flexmeasures(*words)
    assert "0 of 25 customers were taken on, 24 were there already." in third.output
    assert count(app) == 24
    with app.app_context():
        languages = {
            asset.attributes["smart-boiler"]["language"]
            for asset in db.session.query(Asset).filter(Asset.account_id.isnot(None), Asset.name.like("Boiler Tree%"))
        }
    assert languages == {"nl"}


def test_the_bar_moves_by_what_is_committed(app, operator, file, monkeypatch):
    """So its estimate rests on a chunk's time for a chunk's rows, and not on rows that come at once."""
    moved = []

    class Bar:
        def __init__(self, **words):
            moved.append(words["length"])

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

        def update(self, rows):
            moved.append((rows, count(app)))

    monkeypatch.setattr("click.progressbar", Bar)
    monkeypatch.setattr("smart_boiler_plugin.cli.progress._is_watched", lambda: True)
    words = add_customers(file, operator)
    app.test_cli_runner().invoke(args=words)
    assert moved == [25, (10, 9), (10, 19), (5, 24)]


@pytest.mark.long
def test_a_thousand_are_taken_on(app, post, get, work, mails):
    answer = post(trees(1_000))
    assert answer.status_code == 202
    work()
    assert get(answer).json["outcomes"] == {"created": 1_000}
    assert len(mails) == 1_000
