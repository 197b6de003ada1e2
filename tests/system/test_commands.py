"""The host's commands in a stack that runs: what fails is told, and no secret with it."""

import pytest

from smart_boiler_plugin.embedded.processes import StackError
from tests.system.conftest import TOKEN


def test_a_failing_command_is_told_with_what_it_printed_but_not_with_the_token_of_entso_e(stack):
    with pytest.raises(StackError, match="No such command 'nonsense'"):
        stack.shell.run("nonsense")
    with pytest.raises(StackError, match=r"\*\*\*"):
        stack.shell.run(TOKEN)
    # what was asked for stands there as it was, what was printed does not
    assert "No such command '***'" in (stack.folder / "logs" / "commands.log").read_text()
