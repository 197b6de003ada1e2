"""Pytest plugin for the host's own tests, which its wheel ships: what they need, and our plugin in their app.

``make test-host`` runs them. With ``WITHOUT_PLUGIN=1`` in the environment they run as the host made them, to see what
fails without us (``failing_without_us.txt``).
"""

import os
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from flexmeasures.tests import utils
from flexmeasures.utils.config_defaults import TestingConfig

from smart_boiler_plugin.embedded.redis import Redis
from tests.databases import new_database, open_folder

WITHOUT = bool(os.environ.get("WITHOUT_PLUGIN"))

FAILING = Path(__file__).parent / "failing_without_us.txt"
"""A test in each line, as pytest names it below the host's folder; after a number sign, why it fails."""

CLOSED_BY_THE_GUARD = {
    "ui/tests/test_sensor_views.py::test_trigger_forecast_panel_hidden_for_other_account",
    "ui/tests/test_sensor_views.py::test_get_timerange_not_called_without_permission",
}
"""Tests of pages that show anybody the sensors of others. The guard closes them: these run without it."""

running = ExitStack()


def pytest_configure(config):
    """Give this process a database and a Redis of its own, and put our plugin where an app for tests reads no file."""
    if not hasattr(config, "workerinput") and getattr(config.option, "numprocesses", None):
        return  # others run the tests
    os.environ["SQLALCHEMY_TEST_DATABASE_URI"] = running.enter_context(new_database())
    server = Redis(running.enter_context(open_folder()))
    running.callback(server.stop)
    # fakeredis knows no scripts, which RQ needs to empty a queue, unless an interpreter of Lua is there
    utils.RQCompatibleFakeStrictRedis = lambda **_: redis.Redis(port=server.port, password=server.password)
    TestingConfig.FLEXMEASURES_PLUGINS = [] if WITHOUT else ["smart_boiler_plugin"]


def pytest_unconfigure():
    """End both."""
    running.close()


def pytest_collection_modifyitems(items):
    """Expect the tests to fail that fail without us, and no other."""
    expected = {line.partition("#")[0].strip() for line in FAILING.read_text().splitlines()}
    for item in items:
        if item.nodeid in expected and not WITHOUT:
            item.add_marker(pytest.mark.xfail(reason="fails without our plugin, too", strict=False))


@pytest.fixture
def client(app):
    """A client of the app, as of pytest-flask, with which the host's developers run these tests."""
    with app.test_client() as client:
        yield client


@pytest.fixture(autouse=True)
def _request_context(app):
    """A request around each test, likewise: they call ``url_for``."""
    with app.test_request_context():
        yield


@pytest.fixture(autouse=True)
def _guard(request, app, monkeypatch):
    if request.node.nodeid in CLOSED_BY_THE_GUARD:
        monkeypatch.setitem(app.config, "SMART_BOILER_GUARD", value=False)
