"""Server, worker, Redis, mail and PostgreSQL as they run in a business, talked to over the network."""

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


@pytest.fixture(scope="module")
def stack():
    """A running stack with an operator and an admin."""
    with open_folder() as folder, new_database() as uri, Stack(folder / "stack", database_uri=uri) as running:
        open_business(running)
        running.start_server()
        yield running


@pytest.fixture(scope="module")
def operator(stack):
    """Login of the operator's consultant."""
    logins = credentials(stack)
    return Login(stack.url, logins["operator"]["email"], logins["operator"]["password"])


@pytest.fixture(scope="module")
def operator_api(operator):
    """The API on behalf of the operator's consultant."""
    return Api(operator)
