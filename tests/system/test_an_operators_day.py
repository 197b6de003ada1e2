"""An operator's day on a real stack: fifty boilers, the cron lines of the README, and three that need a person.

Each test stands on those before.
"""

import shlex
import time
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smart_boiler_plugin.demo import household
from smart_boiler_plugin.embedded.processes import StackError
from tests.system.processes import kill

API = "/smart-boiler-plugin/api"
README = Path(__file__).parents[2] / "README.md"
TIMEZONE = "Europe/Amsterdam"
BOILERS = 50
NOW = pd.Timestamp.now(TIMEZONE)
BEGIN = NOW.tz_convert("UTC").floor("15min").tz_convert(TIMEZONE) - pd.Timedelta(days=1)
COLD, SILENT, DEAD = "Household 3", "Household 7", "Household 11"


def commands(word):
    """Return the commands of the README's cron line that has a word, as lists of words after ``$FM``."""
    table = README.read_text().partition("### An operator's day")[2]
    lines = [line for line in table.partition("```cron")[2].partition("```")[0].splitlines() if word in line]
    assert len(lines) == 1, lines
    return [shlex.split(each)[1:] for each in lines[0][lines[0].index("$FM") :].split(";")]


def run(stack, word):
    """Run a cron line; return what it printed."""
    return "".join(stack.shell.run(*words) for words in commands(word))


def import_prices(stack, first, last):
    """What the first cron line does where no ENTSO-E can be reached: prices come from a file."""
    moments = pd.date_range(first, last + pd.DateOffset(days=1), freq="15min", inclusive="left", tz=TIMEZONE)
    spot = 80 + 50 * np.cos(np.arange(len(moments)) / 96 * 2 * np.pi)
    file = stack.folder / f"prices-{first:%Y-%m-%d}.csv"
    rows = [f"{moment.isoformat()},{price:.3f}" for moment, price in zip(moments, spot, strict=True)]
    file.write_text("\n".join(["start,EUR/MWh", *rows]))
    stack.shell.run("smart-boiler", "import-prices", str(file))
    days = ("--from-date", f"{first:%Y-%m-%d}", "--to-date", f"{last:%Y-%m-%d}")
    stack.shell.run("smart-boiler", "update-prices", *days)


def readings(customers):
    """Return what boilers report of a day, as rows of ``POST /readings``: one is cold, one silent, one dead."""
    rows = []
    for number, (name, account) in enumerate(sorted(customers.items())):
        history = household.simulate(BEGIN, BEGIN + pd.Timedelta(days=1), seed=number)
        temperature_c, power_kw = history.temperature_c, history.power_kw
        if name == COLD:
            # a bath in the last hours, and the fuse is out
            temperature_c = temperature_c[:-8] + np.linspace(45, 24, 8).round(2).tolist()
            power_kw = power_kw[:-8] + [0.0] * 8
        if name == SILENT:
            temperature_c, power_kw = temperature_c[:-24], power_kw[:-24]
        if name == DEAD:
            temperature_c, power_kw = np.linspace(58, 46, 96).round(2).tolist(), []
        told = {"account": account, "start": BEGIN.isoformat(), "resolution": "PT15M"}
        rows.append({**told, "kind": "temperature", "unit": "°C", "values": temperature_c})
        rows += [{**told, "kind": "power", "unit": "kW", "values": power_kw}] if power_kw else []
    return rows


def fleet(api):
    """Return the page of all boilers, and these by the names of their customers."""
    page = api.get(f"{API}/fleet", **{"per-page": 100})
    return page, {each["name"]: each for each in page["data"]}


@pytest.fixture(scope="module")
def customers(stack, operator_api):
    """Accounts of fifty customers, taken on from a CSV file as Excel writes it, by their names."""
    operator = next(each["id"] for each in operator_api.get("/api/v3_0/accounts") if "Energy" in each["name"])
    file = stack.folder / "customers.csv"
    rows = [f"Household {n};home{n};home{n}@example.com;80 l;1,5 kW" for n in range(BOILERS)]
    file.write_text("\ufeff" + "\n".join(["name;user_name;user_email;volume;power", *rows]))
    options = ("--operator", str(operator), "--server-url", stack.url)
    stack.shell.run("smart-boiler", "add-customers", str(file), *options)
    listed = operator_api.get(f"{API}/boiler-customer", **{"per-page": 100})["data"]
    return {each["name"]: each["account"] for each in listed}


TODAY = NOW.normalize().tz_localize(None)
END = (TODAY + pd.DateOffset(days=2)).tz_localize(TIMEZONE)


@pytest.fixture(scope="module")
def measured(stack, operator_api, customers):
    """Prices until tonight, and what all boilers have reported since yesterday."""
    import_prices(stack, TODAY - pd.DateOffset(days=1), TODAY)
    # what the element of one was told while nobody knew that it is dead
    span = ("--from", (BEGIN + pd.Timedelta(hours=1)).isoformat(), "--until", (NOW - pd.Timedelta(hours=1)).isoformat())
    chosen = ("--customer", str(customers[DEAD]), "--only", "all")
    stack.shell.run("smart-boiler", "plan", *chosen, *span, "--here")
    operator_api.patch(f"{API}/boiler-customer/{customers[COLD]}", {"boiler": {"temperature_min": "40 °C"}})
    told = readings(customers)
    stored = operator_api.post(f"{API}/readings", {"readings": told})
    assert stored["stored"] == sum(len(row["values"]) for row in told)


def test_plans_outlive_the_worker_that_was_to_make_them(stack, operator_api, customers, measured):
    assert len(customers) == BOILERS
    kill(stack, "worker")
    kill(stack, "server")
    run(stack, "plan")
    stack.start_server()
    deadline = time.monotonic() + 120
    while without := [name for name, each in fleet(operator_api)[1].items() if not each["planned_until"]]:
        assert time.monotonic() < deadline, without
        time.sleep(1)
    assert run(stack, "plan").startswith("Nothing to do: 50 boilers")


def test_when_tomorrows_prices_come_in_all_are_planned_to_their_end(stack, operator_api):
    import_prices(stack, TODAY + pd.DateOffset(days=1), TODAY + pd.DateOffset(days=1))
    stack.shell.run("smart-boiler", "plan", "--wait")
    page, boilers = fleet(operator_api)
    assert {pd.Timestamp(each["planned_until"]) for each in boilers.values()} == {END}
    assert pd.Timestamp(page["prices_known_until"]) == END
    assert page["last_run"]["planned"] + page["last_run"]["told"] == BOILERS
    # the one that was killed counts until its heartbeat is overdue
    assert page["workers"] in {1, 2}


def test_who_needs_a_person_is_seen_at_one_look(stack, operator_api):
    page, boilers = fleet(operator_api)
    states = {name: each["state"] for name, each in boilers.items() if each["state"] != "well"}
    assert states == {COLD: "cold", SILENT: "silent", DEAD: "fault"}
    assert page["counts"]["well"] == BOILERS - 3
    assert page["data"][0]["name"] == COLD
    with pytest.raises(StackError, match=r"(?s)Cold.*Household 3.*Fault.*Household 11.*Silent.*Household 7"):
        stack.shell.run("smart-boiler", "status")


def test_it_is_told_once_by_mail(stack):
    run(stack, "status")
    run(stack, "status")
    (digest,) = [mail for mail in stack.mailbox if mail["To"] == "night-shift@example.com"]
    content = digest.get_content()
    assert all(name in content for name in (COLD, SILENT, DEAD))
    assert "Household 4" not in content


def test_what_is_to_be_bought_is_the_sum_of_all_plans(operator_api, customers):
    start = NOW.tz_convert("UTC").ceil("15min")
    load = operator_api.get(f"{API}/fleet/load", **{"from": start.isoformat(), "until": END.isoformat()})
    planned = np.zeros(len(load["planned_kw"]))
    for account in customers.values():
        fill_rate = operator_api.get(f"{API}/boiler-customer/{account}")["sensors"]["fill_rate"]
        span = {"start": start.isoformat(), "duration": pd.Timedelta(END - start).isoformat(), "unit": "kW"}
        planned += np.array(operator_api.get(f"/api/v3_0/sensors/{fill_rate}/data", **span)["values"], float)
    assert load["planned_kw"] == pytest.approx(planned.tolist(), abs=0.01)
    assert max(planned) > 1


def test_the_night_is_reported_and_tidied(stack):
    assert "Household 4" in run(stack, "report")
    assert run(stack, "prune")


def test_the_readmes_cron_lines_are_commands_that_exist(stack):
    table = README.read_text().partition("### An operator's day")[2].partition("```cron")[2].partition("```")[0]
    words = [word for word in ("plan", "status", "report", "prune", "update-prices") if word in table]
    for command in chain.from_iterable(commands(word) for word in words):
        if command[0] == "smart-boiler":
            assert stack.shell.run(*command[:2], "--help").startswith("Usage: flexmeasures smart-boiler")
