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


ON_ONE_STACK = ["test_an_operators_day", "test_a_building", "test_six_steps", "test_commands"]
"""Files that share a running server, whose start takes longer than most of them. The first counts all boilers of it."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep a file in one process, and all files that share a server."""
    # here, as a plain pytest has no xdist; its own `loadgroup` does nothing with pytest 9.2 (no test is in a group)
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415

    class Sharing(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = Path(super()._split_scope(nodeid))
            return "one stack" if file.stem in ON_ONE_STACK else str(file)

    return Sharing(config, log)


def pytest_collection_modifyitems(items):
    """Begin with what takes longest: whoever gets it last keeps all others waiting."""
    items.sort(key=lambda item: (_rank(item.path.stem), "system" not in item.path.parts))


def _rank(name):
    return ON_ONE_STACK.index(name) if name in ON_ONE_STACK else len(ON_ONE_STACK)


@pytest.fixture(scope="session")
def _running_app(tmp_path_factory):
    from tests.host.apps import running  # noqa: PLC0415 (FlexMeasures takes seconds, and unit tests none of it)

    with running(tmp_path_factory.mktemp("host")) as app:
        yield app
