"""The host's command line, many commands in one process.

Starting ``flexmeasures`` costs seconds, whatever the command then does. ``Shell`` starts it once, sends it one
command after the other and returns what each printed. The commands are the host's own, parsed from the same words.

Run as ``python -m smart_boiler_plugin.embedded.shell``, this module is the other end: a line of JSON in, one out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from smart_boiler_plugin.embedded.processes import Process, StackError, interrupts_held


class Shell:
    """Runs commands of the host's command line, one after the other. Its process starts with the first one.

    Parameters
    ----------
    folder
        Where the commands run.
    log
        File that keeps the commands and what they printed.
    environment
        Environment variables of the commands.

    """

    def __init__(self, *, folder: Path, log: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._log = log
        self._environment = environment
        self._process: Process | None = None

    def run(self, *words: str, typed: str = "") -> str:
        """Run ``flexmeasures WORDS`` and return what it printed.

        Parameters
        ----------
        words
            The command's words.
        typed
            What a person would type when it asks (a password).

        Raises
        ------
        StackError
            If the command fails; the message ends with what it printed.

        """
        popen = self._running().popen
        assert popen.stdin is not None and popen.stdout is not None  # noqa: S101, PT018 (pipes, as asked for)
        try:
            popen.stdin.write(json.dumps({"words": words, "typed": typed}) + "\n")
            popen.stdin.flush()
            line = popen.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise StackError(f"The FlexMeasures command line ended early. Its log is {self._log}")
        answer = json.loads(line)
        if answer["exit_code"] != 0:
            raise StackError(f"`flexmeasures {' '.join(words)}` failed:\n{answer['output']}")
        return str(answer["output"])

    def stop(self) -> None:
        """End the process, if there is one."""
        if self._process:
            self._process.stop()

    def _running(self) -> Process:
        """Return the process; a server that is used again needs no command, and starts sooner without one."""
        if self._process is None:
            with interrupts_held():
                self._process = Process(
                    "FlexMeasures command line",
                    [sys.executable, "-m", __name__],
                    log=self._log,
                    folder=self._folder,
                    environment=self._environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
        return self._process


def _serve() -> None:
    """Run the commands that come on standard input, until it ends."""
    # the answers have this pipe for themselves: all else that is printed in this process, also by libraries in C and by
    # its children, goes to the log
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    from flexmeasures.app import create  # noqa: PLC0415 (needs seconds: only in the process that runs commands)

    app = create()
    runner = app.test_cli_runner()
    # flexmeasures-entsoe 0.10 prints its token when a request fails (seen in the message of the HTTP client's error);
    # to see whether it still does, run its import with a wrong token
    token = app.config.get("ENTSOE_AUTH_TOKEN")
    for line in sys.stdin:
        command = json.loads(line)
        result = runner.invoke(args=command["words"], input=command["typed"])
        output = result.output
        if result.exception and not isinstance(result.exception, SystemExit):
            output += f"{type(result.exception).__name__}: {result.exception}\n"
        if token:
            output = output.replace(token, "***")
        print(f"$ flexmeasures {' '.join(command['words'])}\n{output}", file=sys.stderr, flush=True)  # noqa: T201
        answers.write(json.dumps({"exit_code": result.exit_code, "output": output}) + "\n")
        answers.flush()


if __name__ == "__main__":
    _serve()
