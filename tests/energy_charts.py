"""A stand-in for the Energy-Charts API on the loopback interface, which answers what it is told to."""

import json
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pandas as pd

from smart_boiler_plugin.prices.energy_charts.fetch import Patience

# as recorded in https://github.com/mampfes/ha_epex_spot/issues/179 (DE-LU) ...
CC_BY = "CC BY 4.0 (creativecommons.org/licenses/by/4.0) from Bundesnetzagentur | SMARD.de"
# ... and as https://github.com/enoch85/ge-spot quotes it for the other zones
PRIVATE = (
    "The data provided herein is for private and internal use only. The utilization of any data, whether in its raw or "
    "derived form, for external or commercial purposes is expressly prohibited."
)

LITTLE_PATIENCE = Patience(connect_s=1, read_s=0.1, retries=2, backoff_s=0.005, backoff_max_s=0.02, overall_s=5)


def answer(day="2025-10-29", days=1, freq="15min", prices=None, timezone="Europe/Amsterdam", **changes):
    """Return an answer of the API: prices [EUR/MWh] of 10, 10.1, 10.2 ... where no others are given."""
    start = pd.Timestamp(day, tz=timezone)
    moments = pd.date_range(start, start + pd.DateOffset(days=days), freq=freq, inclusive="left")
    return {
        "license_info": CC_BY,
        "unix_seconds": [int(moment.timestamp()) for moment in moments],
        "price": prices or [round(10 + i / 10, 1) for i in range(len(moments))],
        "unit": "EUR / MWh",
        "deprecated": False,
        **changes,
    }


def say(content=None, status=200, **headers):
    """Return an answer: JSON of an object, or bytes as they are. Names of headers with _ for -."""

    def respond(handler):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return respond


def hang_up(handler):
    """Close the connection without an answer."""
    handler.close_connection = True


def break_off(handler):
    """Close the connection in the middle of an answer."""
    say(b'{"unix_seconds": [', Content_Length="1000")(handler)
    handler.close_connection = True


def fall_asleep(handler):
    """Answer too late."""
    handler.server.closing.wait(2)


def drip(handler):
    """Send a byte now and then, so that no single one is late."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    while not handler.server.closing.is_set():
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.02)


def redirect_without_end(handler):
    """Redirect, and go on talking."""
    handler.send_response(302)
    handler.send_header("Location", handler.path)
    handler.end_headers()
    while not handler.server.closing.is_set():
        handler.wfile.write(b" " * 2**10)
        time.sleep(0.005)


class Handler(BaseHTTPRequestHandler):
    """Gives the next answer; the last one again and again."""

    def do_GET(self):
        """Note what is asked for, and answer."""
        asked = urlsplit(self.path)
        self.server.asked.append((asked.path, {name: values[0] for name, values in parse_qs(asked.query).items()}))
        answers = self.server.answers
        respond = answers.pop(0) if len(answers) > 1 else answers[0]
        with suppress(ConnectionError):
            respond(self)

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def energy_charts():
    """Yield a server: set its ``answers``, read what it was ``asked``; its ``url`` is where it listens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.asked, server.answers, server.closing = [], [], threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
