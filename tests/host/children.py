"""Processes that are killed: forked from this one, in which the app is made already, as starting it costs 9 s."""

import os
import signal
import time
import traceback
from contextlib import contextmanager

from flexmeasures.data import db


class Child:
    """A forked process."""

    def __init__(self, pid):
        self.pid = pid
        self.status = None

    def signal(self, number):
        """Send it a signal."""
        os.kill(self.pid, number)

    def wait(self, timeout_s=60):
        """Return its exit code once it has ended; negative for the signal that ended it."""
        deadline = time.monotonic() + timeout_s
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > deadline:
                raise TimeoutError("The child has not ended.")
            else:
                time.sleep(0.005)
        return self.status


@contextmanager
def child(app, work):
    """Yield a process that does some work with an app and exits with what it returns; killed at the end."""
    pid = os.fork()
    if not pid:
        code = 99
        try:
            with app.app_context():
                # those of this process are the other's, too
                db.engine.dispose(close=False)
            code = work() or 0
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
        finally:
            os._exit(code)
    started = Child(pid)
    try:
        yield started
    finally:
        if started.status is None:
            started.signal(signal.SIGKILL)
            started.wait()


def wait_for(holds, timeout_s=60):
    """Wait until something holds."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "never"
        time.sleep(0.02)
