"""One process: start it with its output in a log file, wait until it answers, stop it, and say why it died."""

from __future__ import annotations

import errno
import signal
import socket
import subprocess
import threading
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
        import psutil  # noqa: PLC0415 (see the package's docstring)

        # a worker's job is in a process group of its own, so the group alone is not enough
        started = []
        with suppress(psutil.Error):
            started = psutil.Process(self.popen.pid).children(recursive=True)
        self.popen.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.popen.wait(timeout_s)
        self.popen.kill()
        self.popen.wait()
        for pipe in (self.popen.stdin, self.popen.stdout):
            if pipe:
                with suppress(OSError):  # what was not flushed has no reader any more
                    pipe.close()
        for child in started:
            with suppress(psutil.Error):
                child.kill()


INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals with which people and systems end a program: Ctrl-C, kill, a closed terminal."""


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Let interrupts of this process wait for the end of this block.

    For blocks that start something and remember to end it, which must not be left halfway.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread alone
        return
    noted: list[int] = []
    previous = {number: signal.signal(number, lambda number, _: noted.append(number)) for number in INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        if noted:
            signal.raise_signal(noted[0])


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on, and that nobody else is given for a minute.

    A connection to it is made and ended here first: while the port waits out what may come late (TIME_WAIT, 60 s on
    Linux), the system gives it to nobody who asks for any port, and to whoever asks for this one.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        port = int(listener.getsockname()[1])
        with socket.create_connection(("127.0.0.1", port)) as other:
            listener.accept()[0].close()  # whoever ends a connection first is the one that waits
            other.recv(1)
    return port


def port_is_taken(port: int) -> bool:
    """Return whether somebody listens on a TCP port of this machine's loopback interface.

    Raises
    ------
    StackError
        If this user may not listen there.

    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise StackError(f"Port {port} cannot be used: {error.strerror}. Choose another: PORT=5001") from error
        return False
