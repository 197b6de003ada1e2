"""The shell blocks of all pages, run as they stand there, on a server and worker of their own (`make docs`)."""

import json
import os
import shutil
import socketserver
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import cache

import pandas as pd
import pytest

from scripts import docs
from smart_boiler_plugin.demo.http import Api
from smart_boiler_plugin.demo.sample_prices import write_sample_prices
from smart_boiler_plugin.embedded.processes import StackError
from tests.databases import open_folder

pytestmark = pytest.mark.long

# customers are let go last; README and quick start count on a new server's ids
FIRST, LAST = ("README.md", "quickstart.md", "tariffs.md"), ("customers.md",)

FLEXMEASURES = """#!{python} -SE
import json, socket, sys
with socket.socket(socket.AF_UNIX) as way:
    way.connect({path!r})
    with way.makefile("rw") as file:
        file.write(json.dumps(sys.argv[1:]) + "\\n")
        file.flush()
        told = json.loads(file.readline())
sys.stdout.write(told["output"])
sys.exit(told["exit_code"])
"""
"""Stands in for the program on the path: the commands are the host's own, in a process that has started already."""

CURL = """#!/bin/sh
exec {curl} --silent --show-error --fail-with-body "$@"
"""
"""What a server refuses is a failure."""


@contextmanager
def programs(stack):
    """Yield a folder with `flexmeasures`, `python` and `curl`."""

    class Answer(socketserver.StreamRequestHandler):
        def handle(self):
            words = json.loads(self.rfile.readline())
            try:
                # a person would type the name of the account that is to be let go
                told = {"output": stack.shell.run(*words, typed="Fam. Seven\n"), "exit_code": 0}
            except StackError as error:
                told = {"output": str(error), "exit_code": 1}
            self.wfile.write(json.dumps(told).encode() + b"\n")

    with open_folder() as folder:
        path = str(folder / "commands")
        for name, text in (
            ("flexmeasures", FLEXMEASURES.format(python=sys.executable, path=path)),
            ("curl", CURL.format(curl=shutil.which("curl"))),
            ("python", f'#!/bin/sh\nexec {sys.executable} "$@"\n'),
        ):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        with socketserver.UnixStreamServer(path, Answer) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield folder
            server.shutdown()


def blocks():
    """Return all shell blocks that are to be run, with their pages, in an order in which they can be."""
    pages = sorted(docs.pages(), key=lambda page: (page.name in LAST, page.name not in FIRST, page.name))
    return [
        (page.name, comment, block)
        for page in pages
        for comment, block in docs.shell_blocks(page)
        if not docs.NOT_RUN.fullmatch(comment)
    ]


@pytest.fixture(scope="module")
def environment(stack, operator):
    """What the pages count on: a token, prices, files that somebody has."""
    (stack.folder / "customers.csv").write_text("name,user_name,user_email\nNew,new,new@example.com\n")
    (stack.folder / "new.json").write_text('{"parts": [{"rate": "0.25 EUR/kWh"}]}')
    token = Api(operator)._client.headers["Authorization"]
    with programs(stack) as folder:
        config = {"HOME": str(stack.folder), "PATH": f"{folder}:{os.environ['PATH']}"}
        yield {**os.environ, **config, "URL": stack.url, "TOKEN": token, "PYTHONPATH": str(docs.ROOT)}


@pytest.fixture(scope="module")
def ready(stack, operator_api):
    """A function that brings in prices, and customers up to account 7, of whom some pages speak; once."""

    @cache
    def make():
        today = pd.Timestamp.now("Europe/Amsterdam").normalize()
        file = stack.folder / "sample.csv"
        write_sample_prices(file, today - pd.DateOffset(days=1), today + pd.DateOffset(days=2))
        for country in ("NL", "BE"):
            stack.shell.run("smart-boiler", "import-prices", "--country", country, str(file))
            days = ("--from", f"{today - pd.DateOffset(days=1):%Y-%m-%d}")
            stack.shell.run("smart-boiler", "update-prices", "--country", country, *days)
        accounts = {each["id"] for each in operator_api.get("/api/v3_0/accounts")}
        while max(accounts) < 7:
            name = "Fam. Seven" if max(accounts) == 6 else f"Household {len(accounts)}"
            user = name.replace(". ", "").replace(" ", "").lower()
            body = {"name": name, "user_name": user, "user_email": f"{user}@example.com"}
            accounts.add(operator_api.post("/smart-boiler-plugin/api/boiler-customer", body)["account"])

    return make


@pytest.mark.parametrize(("page", "comment", "block"), blocks(), ids=lambda each: str(each).split("\n")[0][:40])
def test_a_shell_block_does_what_its_page_says(stack, environment, ready, page, comment, block):
    # the first customer has the ids that the quick start shows: nothing else is there yet
    if not (page in FIRST and ("doctor" in block or "boiler-customer" in block)):
        ready()
    result = subprocess.run(
        [shutil.which("bash"), "-euo", "pipefail", "-c", block],
        cwd=stack.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    said = f"{page}:\n{block}\n{result.stdout}\n{result.stderr}"
    assert result.returncode == bool(comment), said
    assert "Traceback" not in said
    if page == "quickstart.md" and "boiler-customer" in block:
        text = (docs.ROOT / "docs" / page).read_text()
        shown = json.loads(text.partition("```json\n")[2].partition("```")[0])
        assert {name: value for name, value in json.loads(result.stdout).items() if name != "status"} == shown
    if "--report-config" in block:
        assert "reporter-costs-config.json fits boilers" in result.stdout


def test_some_blocks_of_most_pages_are_run():
    assert len({page for page, *_ in blocks()}) > 7
