"""What workers do for us: functions of ours as jobs of RQ, on a queue that each worker of the host runs.

Nothing rests on Redis. What is to be done stands in PostgreSQL before a worker is asked, and is found there again by
whoever looks; so a worker may be asked twice, and a Redis that is gone is told in the log and forgiven.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

from flask import current_app
from flexmeasures.data import db
from flexmeasures.utils.job_utils import get_job_timeout
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry as RedisRetry
from rq import Queue, Retry, Worker
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus
from sqlalchemy.exc import DBAPIError

QUEUE = "scheduling"
"""The host has queues for forecasting, scheduling and ingestion; that of the plans has a worker for sure."""

LIMIT_S = 60.0
"""How long one job of ours works before others have their turn [s]: well below the host's limit of 180 s."""

RETRY_AFTER_S = (10, 60, 300, 1_800, 7_200)
"""When a job that failed, or whose worker was killed, is tried again [s], each time after the one before."""

SILENT = timedelta(minutes=2)
"""How old the last heartbeat of a job is where its worker is gone; a living one has one every 30 s."""

IMPATIENT = {"socket_connect_timeout": 3, "socket_timeout": 3}
"""How long whoever asks workers waits for Redis [s]; the host's own connection waits for ever, and tries again."""

WAITING = {JobStatus.QUEUED, JobStatus.SCHEDULED, JobStatus.DEFERRED}


def ask(function: str, *arguments: int | str, job_id: str | None = None) -> bool:
    """Ask workers to call a function, and return whether they can be asked.

    Parameters
    ----------
    function
        Its dotted name: what workers do is in rooms above this one.
    arguments
        Ids alone, as all of it stands in Redis and in logs: nothing that is anybody's.
    job_id
        Of the job in Redis; by default, a new one.

    """
    try:
        _queue().enqueue(function, *arguments, job_id=job_id, retry=later())
    except RedisError as error:
        current_app.logger.warning("No worker could be asked to call %s: %s", function, type(error).__name__)
        return False
    return True


def later() -> Retry:
    """Return how often and when a job is tried again that failed. A job that returns it is, too, and has not failed."""
    return Retry(max=len(RETRY_AFTER_S), interval=list(RETRY_AFTER_S))


def soon() -> Retry:
    """Return what a job returns that has more to do: other jobs have their turn, and then it goes on."""
    return Retry(max=10_000)


def go_on(do_next: Callable[[], bool]) -> Retry | None:
    """Do what comes next, again and again while there is more, for ``LIMIT_S``; return when to go on.

    Parameters
    ----------
    do_next
        Does some of it, and returns whether there may be more.

    """
    until = time.monotonic() + LIMIT_S
    with job():
        while do_next():
            if time.monotonic() > until:
                return soon()
    return None


def is_asked(job_id: str) -> bool:
    """Return whether a job waits for a worker, or has one that lives; true where Redis cannot be asked."""
    try:
        job = Job.fetch(job_id, connection=_queue().connection)
        status = job.get_status(refresh=False)
    except NoSuchJobError:
        return False
    except RedisError as error:
        current_app.logger.warning("What workers do is not known: %s", type(error).__name__)
        return True
    if status == JobStatus.STARTED and job.last_heartbeat is not None:
        heard = job.last_heartbeat.replace(tzinfo=job.last_heartbeat.tzinfo or timezone.utc)
        return datetime.now(timezone.utc) - heard < SILENT
    return status in WAITING


def alive() -> tuple[int | None, int | None]:
    """Return how many workers of our queue are alive, and how many jobs wait for one; None where Redis cannot be asked.

    RQ forgets a worker when its heartbeat is overdue: one that is killed while it has nothing to do, after 8 minutes.
    """
    queue = _queue()
    try:
        return len(Worker.all(queue=queue)), len(queue)
    except RedisError as error:
        current_app.logger.warning("What workers do is not known: %s", type(error).__name__)
        return None, None


def nobody_works() -> str | None:
    """Return why nothing of what waits is done, and what mends it, for people; None where a worker is alive."""
    living, _ = alive()
    if living is None:
        return "Redis gives no answer, so no worker can be asked. Start it, or see the settings FLEXMEASURES_REDIS_..."
    if living == 0:
        return f"No worker is alive. Start one: flexmeasures jobs run-worker --queue {QUEUE}"
    return None


class DatabaseError(Exception):
    """The database failed a job of ours, which is tried again. Says nothing of what was being stored."""


@contextmanager
def job() -> Iterator[None]:
    """Surround what a job does: with connections of its own, and with errors that tell nobody's data.

    What fails a job is kept in Redis and in the worker's log; errors of the database hold all that was to be stored.

    Raises
    ------
    DatabaseError
        In place of an error of the database.

    """
    # those of before the fork are the worker's: both would talk on them
    db.engine.dispose(close=False)
    try:
        yield
    except DBAPIError as error:
        raise DatabaseError(f"{type(error).__name__} ({type(error.orig).__name__})") from None


def _queue() -> Queue:
    """Return the host's queue, over a connection that does not wait: whoever asks has a caller who waits, too."""
    queue: Queue = current_app.queues[QUEUE]  # type: ignore[attr-defined]  # set by the host
    settings = {**queue.connection.connection_pool.connection_kwargs, **IMPATIENT, "retry": RedisRetry(NoBackoff(), 0)}
    return Queue(QUEUE, connection=Redis(**settings), default_timeout=get_job_timeout(QUEUE))
