"""One process: start it with its output in a log file, wait until it answers, stop it, and say why it died."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path


class StackError(Exception):
    """The embedded stack cannot do what was asked; the message says why, and what to do."""


class Process:
    """A process with its output in a log file, which starts anew.

    It gets no Ctrl-C of the terminal: its owner stops it, in order.

    Parameters
    ----------
    name
        What it is, for people.
    command
        Program and arguments.
    log
        File for its output; for what it prints as errors alone, if ``stdout`` is a pipe.
    folder
        Its working directory.
    environment
        Its environment variables.
    stdin, stdout
        As of ``subprocess.Popen``.

    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        folder: Path,
        environment: Mapping[str, str],
        stdin: int = subprocess.DEVNULL,
        stdout: int | None = None,
    ) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as output:
            self.popen = subprocess.Popen(  # noqa: S603 (the commands are ours)
                command,
                stdin=stdin,
                stdout=output if stdout is None else stdout,
                stderr=output,
                cwd=folder,
                env=dict(environment),
                start_new_session=True,
                text=True,
            )

    def wait_until(self, answers: Callable[[], bool], timeout_s: float) -> None:
        """Wait until a check holds.

        Raises
        ------
        StackError
            If the process ends before, or the check does not hold in time [s].

        """
        deadline = time.monotonic() + timeout_s
        while not answers():
            self.raise_if_ended()
            if time.monotonic() > deadline:
                raise StackError(f"The {self.name} did not answer within {timeout_s:g} s. Its log is {self.log}")
            time.sleep(0.05)

    def raise_if_ended(self) -> None:
        """Raise a StackError if the process has ended."""
        if self.popen.poll() is not None:
            raise StackError(f"The {self.name} ended with exit code {self.popen.returncode}. Its log is {self.log}")

    def stop(self, timeout_s: float = 10) -> None:
        """End the process and all that it started; kill what is still there after a time [s]."""
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.popen.wait(timeout_s)
        # what it forked (a worker's job) is in its session still
        self._signal(signal.SIGKILL)
        self.popen.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, number)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait for the end of this block, also in the programs that are run in it.

    For programs of others in our process group, which would end halfway and leave behind what they started.
    """
    held = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, held)


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_taken(port: int) -> bool:
    """Return whether somebody listens on a TCP port of this machine's loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False
