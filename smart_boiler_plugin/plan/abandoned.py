"""Jobs whose worker died: marked as failed, and plans queued once more.

The host's jobs for plans have no retry. A worker that is killed (power, memory, ``kill -9``) leaves its job "started".
RQ notices when the job has had no heartbeat for 60 to 90 s, and then not by itself: it looks when a worker starts, and
every 10 minutes. Here it is done by whoever asks (``flexmeasures smart-boiler clean-up``), and whenever a plan is asked
for over HTTP (``api/before_plans.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from flexmeasures.utils.time_utils import server_now
from rq import Queue, Worker
from rq.exceptions import AbandonedJobError, InvalidJobOperation
from rq.job import Job, JobStatus
from rq.registry import BaseRegistry
from rq.utils import current_timestamp

PLANS = "scheduling"
"""Name of the host's queue for plans."""

QUEUED_AGAIN = "smart-boiler queued again"
"""Entry of a job's meta data that says that it was: a job that kills its worker is not to kill them all."""

DIED = (AbandonedJobError.__name__, "Work-horse terminated unexpectedly")
"""What RQ writes down of a job whose worker, or the worker's process for this job, was killed."""

RECENT = 20
"""How many of the last failed jobs are looked at: a worker that dies leaves one."""


@dataclass(frozen=True)
class CleanedUp:
    """What was done about jobs of workers that died.

    Parameters
    ----------
    failed
        How many were marked as failed now.
    queued_again
        How many plans were queued once more, of these and of those that RQ had marked before.
    """

    failed: int
    queued_again: int


def clean_up(recent: int = RECENT) -> CleanedUp:
    """Mark jobs of workers that died as failed, and queue their plans once more. Harmless to repeat.

    A plan whose time is over stays failed, and so does one that was queued again before.

    Parameters
    ----------
    recent
        How many of the last failed plans are looked at.

    Raises
    ------
    redis.exceptions.RedisError
        If Redis gives no answer.

    """
    queues: dict[str, Queue] = current_app.queues  # type: ignore[attr-defined]  # set by the host
    failed = sum(_fail_abandoned(queue) for queue in queues.values())
    plans = queues[PLANS]
    again = _put_back(plans) + sum(_queue_again(plans, job) for job in _died(plans, recent))
    return CleanedUp(failed, again)


def waiting_for_nobody() -> int:
    """Return how many plans wait while no worker is there for them."""
    plans: Queue = current_app.queues[PLANS]  # type: ignore[attr-defined]  # set by the host
    return 0 if Worker.all(queue=plans) else int(plans.count)


def _fail_abandoned(queue: Queue) -> int:
    """Let RQ mark the jobs of a queue whose last heartbeat has expired as failed; return how many these are."""
    started = queue.started_job_registry
    now = current_timestamp()
    expired = started.get_expired_job_ids(now)
    if not expired:
        return 0
    was_started = [job.id for job in _jobs(queue, expired) if job.get_status(refresh=False) == JobStatus.STARTED]
    started.cleanup(now)
    return len(was_started)


def _died(queue: Queue, recent: int) -> Iterator[Job]:
    """Yield those of the last failed jobs whose worker died."""
    newest: BaseRegistry = queue.failed_job_registry
    for job in _jobs(queue, newest.get_job_ids(0, recent - 1, desc=True, cleanup=False)):
        raised = job.meta.get("exception")
        # the host notes what a plan failed of; where nothing is noted, RQ knows
        if raised is None or isinstance(raised, AbandonedJobError):
            result = job.latest_result()
            if result is not None and any(reason in (result.exc_string or "") for reason in DIED):
                yield job


def _queue_again(queue: Queue, job: Job) -> bool:
    """Queue a failed plan once more; return whether that was done: not twice, and not for a time that is over."""
    if job.meta.get(QUEUED_AGAIN) or _is_over(job):
        return False
    job.meta.pop("exception", None)
    job.meta[QUEUED_AGAIN] = server_now().isoformat()
    job.save_meta()
    try:
        queue.failed_job_registry.requeue(job)
    except InvalidJobOperation:
        # somebody else has just done so
        return False
    return True


def _is_over(job: Job) -> bool:
    """Return whether the time that a job plans is over."""
    try:
        return bool(datetime.fromisoformat(job.meta["scheduler_kwargs"]["end"]) < server_now())
    except (KeyError, TypeError, ValueError):
        # nothing that is not planned by the host in its usual way
        return True


def _put_back(queue: Queue) -> int:
    """Put back what a worker that died had taken from a queue and not begun; return how much that is.

    RQ moves a job over an intermediate queue. One that was seen there a minute ago belongs to nobody.
    """
    between, put_back = queue.intermediate_queue, 0
    for job in _jobs(queue, between.get_job_ids()):
        lost = job.get_status(refresh=False) == JobStatus.QUEUED and not between.set_first_seen(job.id)
        if lost and between.should_be_cleaned_up(job.id) and queue.connection.lrem(between.key, 1, job.id):
            queue.push_job_id(job.id, at_front=True)
            put_back += 1
    return put_back


def _jobs(queue: Queue, ids: Iterable[str]) -> list[Job]:
    """Return the jobs with these ids that are still there."""
    found = Job.fetch_many(list(ids), connection=queue.connection, serializer=queue.serializer)
    return [job for job in found if job is not None]
