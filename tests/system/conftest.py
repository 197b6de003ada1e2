"""Server, worker, Redis, mail and PostgreSQL as they run in a business, talked to over the network."""

from contextlib import ExitStack

import pytest

from smart_boiler_plugin.demo.business import credentials, open_business
from smart_boiler_plugin.demo.http import Api, Login
from smart_boiler_plugin.embedded.stack import Stack
from tests.databases import new_database, open_folder


@pytest.fixture
def tmp_path():
    """A folder of each test, in place of pytest's own, which PostgreSQL cannot always reach."""
    with open_folder() as folder:
        yield folder


TOKEN = "very-secret"
"""A token of ENTSO-E, which no log may show."""


@pytest.fixture(scope="session")
def stack():
    """A running stack with an operator and an admin, which all share who can (tests/conftest.py)."""
    with ExitStack() as all_parts:
        folder, uri = all_parts.enter_context(open_folder()), all_parts.enter_context(new_database())
        settings = {"ENTSOE_AUTH_TOKEN": TOKEN}
        running = all_parts.enter_context(Stack(folder / "stack", database_uri=uri, settings=settings))
        open_business(running)
        running.start_server()
        yield running


@pytest.fixture(scope="session")
def operator(stack):
    """Login of the operator's consultant."""
    logins = credentials(stack)
    return Login(stack.url, logins["operator"]["email"], logins["operator"]["password"])


@pytest.fixture(scope="session")
def operator_api(operator):
    """The API on behalf of the operator's consultant."""
    return Api(operator)
