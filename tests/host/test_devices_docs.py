"""The lines for a board in docs/devices.md, run as they are: with our server, and a stand-in for a Shelly's relay."""

import os
import shutil
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest
from flexmeasures import Asset
from flexmeasures.data import db
from werkzeug.serving import make_server

from smart_boiler_plugin.plan.handing_out import ATTRIBUTE, HandedOut
from tests.factories import store
from tests.host.households import API, World

DOCS = Path(__file__).parents[2] / "docs" / "devices.md"

pytestmark = pytest.mark.skipif(
    not all(shutil.which(program) for program in ("bash", "curl", "jq")), reason="bash, curl and jq are not there"
)


@contextmanager
def serving(server):
    """Serve on a thread."""
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def relay():
    """A stand-in for a relay: what it was told, in order, and its address."""
    told = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            told.append({name: value[0] for name, value in parse_qs(urlsplit(self.path).query).items()})
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with serving(server):
        yield told, f"http://127.0.0.1:{server.server_port}"


def wait_for(condition):
    """Wait until it is true, for ten seconds at most."""
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_board_keeps_the_lease_and_its_end_and_does_nothing_without_the_server(app, relay):
    told, address = relay
    world = World(app)
    account = world.ash.account
    token = world.call("operator", "POST", f"{API}/device-tokens", {"name": "board", "customers": [account]}).json
    now = pd.Timestamp.now("UTC").floor("15min")

    def plan(point):
        with app.app_context():
            asset = db.session.get(Asset, world.ash.boiler)
            out = HandedOut(now, now.to_pydatetime(), np.full(8, point), 2.0, 4.0, 65.0)
            asset.attributes = {**asset.attributes, ATTRIBUTE: out.as_json()}
            db.session.commit()

    plan(10.0)
    with app.app_context():
        (sensor,) = [s for s in db.session.get(Asset, world.ash.boiler).sensors if s.name == "temperature"]
        store(sensor, [50.0] * 2, now - pd.Timedelta("15min"))
    script = DOCS.read_text().partition("while sleep 240")[2].partition("```")[0]
    script = script.replace("http://shelly.local", address).replace("boiler-customer/3/", f"boiler-customer/{account}/")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    environment = {**os.environ, "TOKEN": token["token"], "SERVER": f"http://127.0.0.1:{server.server_port}"}
    with serving(server):
        board = subprocess.Popen(
            ["bash", "-c", f"while sleep 0.2{script}"],  # noqa: S607 (whichever is there)
            env=environment,
            start_new_session=True,
        )
        try:
            wait_for(lambda: told)
            assert told[0]["on"] == "false"
            assert 0 < int(told[0]["toggle_after"]) <= 1200
            plan(65.0)
            wait_for(lambda: told[-1] == {"id": "0", "on": "true"})
            server.shutdown()
            server.socket.close()
            time.sleep(1)
            commands = len(told)
            time.sleep(1)
            assert len(told) == commands
        finally:
            os.killpg(board.pid, signal.SIGKILL)
            board.wait()
