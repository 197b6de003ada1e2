"""Real RQ workers in processes of their own, which can be killed."""

import multiprocessing
import signal
import time
from contextlib import suppress

import psutil
from flexmeasures.data import db
from rq import Worker

TTL_S = 2
"""How long after a heartbeat a job counts as abandoned [s]; in a business, it is 60 to 90."""


class QuickWorker(Worker):
    """A worker whose jobs count as abandoned soon."""

    def get_heartbeat_ttl(self, *_, **__):
        """Return it."""
        return TTL_S


def start_worker(app, *, burst=False):
    """Start a worker for the queue of plans in a fork of this process, and return that."""

    def work():
        with app.app_context():
            # the connections are this process's parent's
            db.engine.dispose(close=False)
            worker = QuickWorker([app.queues["scheduling"]], connection=app.redis_connection, job_monitoring_interval=1)
            worker.work(burst=burst, logging_level="WARNING")

    process = multiprocessing.get_context("fork").Process(target=work, daemon=False)
    process.start()
    return process


def kill_with_its_job(process):
    """End a worker as a power failure does, with the process that works on its job."""
    started = psutil.Process(process.pid).children(recursive=True)
    for victim in (psutil.Process(process.pid), *started):
        with suppress(psutil.Error):
            victim.send_signal(signal.SIGKILL)
    process.join()


def wait_until(holds, timeout_s=60):
    """Wait until something holds."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "never"
        time.sleep(0.01)
