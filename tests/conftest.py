"""How many processes share the tests (``make test`` says ``-n logical``, and this what that is), and one app each."""

import os
from pathlib import Path

import pytest

MANY = 8
"""More give nothing: each starts a FlexMeasures of its own, for some forty files of tests."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """Return one for each core, and 0 (no further process) for one file or the unit tests, which are soon done."""
    asked = [Path(word.partition("::")[0]) for word in config.args]
    if (len(asked) == 1 and asked[0].is_file()) or all("unit" in path.parts for path in asked):
        return 0
    return min(os.cpu_count() or 1, MANY)


def pytest_collection_modifyitems(items):
    """Begin with the files that take longest: whoever gets one last keeps all others waiting."""
    items.sort(key=lambda item: (item.path.stem != "test_stack_on_one_machine", "system" not in item.path.parts))


@pytest.fixture(scope="session")
def _running_app(tmp_path_factory):
    from tests.host.apps import running  # noqa: PLC0415 (FlexMeasures takes seconds, and unit tests none of it)

    with running(tmp_path_factory.mktemp("host")) as app:
        yield app
