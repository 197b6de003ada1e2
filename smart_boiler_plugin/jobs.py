"""What an operator asked for that takes longer than a call: it stands with its account until it is done, and a while.

A job is a list of things to do, each with a number, and what came of those that are done. Workers do them in small
transactions that note what came of it (``note``): a crash loses nothing and does nothing twice. Where workers have
forgotten a job, ``wake`` asks them again. All users of an operator can write into the attributes of its account: a job
is sealed, so that nobody asks in the name of who may.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import uuid4

from flexmeasures import Account
from flexmeasures.data import db
from flexmeasures.utils.time_utils import server_now

from smart_boiler_plugin import stored, workers
from smart_boiler_plugin.errors import ConflictError
from smart_boiler_plugin.stored import as_object

ATTRIBUTE = "smart-boiler-jobs"
"""Attribute of an operator's account: its jobs, by their id."""

KEPT = timedelta(days=7)
"""For how long it is told what came of a job."""

MOST_THINGS = 20_000
"""How many things all jobs of an operator hold: each call of its users reads its account."""

WORK = {"customers": "smart_boiler_plugin.customers.bulk.work"}
"""By kind: the function that does a chunk after the other, given the account's and the job's id."""

Result: TypeAlias = "dict[str, Any]"


@dataclass(frozen=True)
class Job:
    """A job as it stands at a moment.

    Parameters
    ----------
    id, account_id, kind
        Which, whose, and of which kind (a key of ``WORK``).
    asked_at, begun_at, ended_at
        When it was asked for, when the first, and when all of it was done; None: not yet.
    waiting
        What is to be done: number and thing, in their order.
    results
        What came of what is done: each has the number as ``row``, and the word for it as ``status``.

    """

    id: str
    account_id: int
    kind: str
    asked_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    waiting: Sequence[tuple[int, Any]]
    results: Sequence[Result]

    @property
    def status(self) -> str:
        """How far it is: "queued", "running" or "finished"."""
        return "finished" if not self.waiting else "running" if self.begun_at else "queued"

    @property
    def total(self) -> int:
        """How many things it has."""
        return len(self.waiting) + len(self.results)

    @property
    def outcomes(self) -> dict[str, int]:
        """How often each outcome is among the results."""
        return dict(Counter(str(result.get("result")).lower().replace(" ", "_") for result in self.results))


def ask(account: Account, kind: str, waiting: Sequence[tuple[int, Any]], results: Sequence[Result]) -> str:
    """Note what is asked for; return the id of the job. Does not commit: after the commit, ``wake`` it.

    Jobs that ended long ago are forgotten, and before others wait, those that ended last.

    Parameters
    ----------
    account
        The operator's.
    kind
        A key of ``WORK``.
    waiting, results
        As of ``Job``; what is known at once is among the results.

    Raises
    ------
    ConflictError
        If too much is waiting already.

    """
    now = server_now()
    new = Job(str(uuid4()), account.id, kind, now, None, None if waiting else now, list(waiting), list(results))

    def changed(known: Any) -> dict[str, Any]:
        records = as_object(known)
        jobs = [job for job in (_read(account.id, *entry) for entry in records.items()) if job]
        # those that wait come first, and of the others the last ones
        jobs.sort(key=lambda job: (bool(job.waiting), job.asked_at), reverse=True)
        kept, things = {new.id: _sealed(new)}, new.total
        for job in jobs:
            things += job.total
            if things <= MOST_THINGS:
                kept[job.id] = records[job.id]
            elif job.waiting:
                raise ConflictError("Too much is waiting for workers already. Try again when some of it is done.")
        return kept

    stored.change(account, changed, ATTRIBUTE)
    return new.id


def note(account: Account, job_id: str, results: Sequence[Result]) -> None:
    """Note what came of things of a job, which then wait no more. Does not commit."""

    def changed(known: Any) -> dict[str, Any]:
        records = as_object(known)
        job = _read(account.id, job_id, records.get(job_id))
        if job is None:
            return records
        done = {result["row"] for result in results}
        waiting = [(number, thing) for number, thing in job.waiting if number not in done]
        now = server_now()
        after = replace(
            job,
            begun_at=job.begun_at or now,
            ended_at=None if waiting else now,
            waiting=waiting,
            results=sorted([*job.results, *results], key=lambda result: int(result["row"])),
        )
        return {**records, job_id: _sealed(after)}

    stored.change(account, changed, ATTRIBUTE)


def find(job_id: str, account_id: int | None = None) -> Job | None:
    """Return a job as it stands now in the database; None where there is none, or none of this account's."""
    jobs = Account.attributes[ATTRIBUTE]
    query = db.select(Account.id, jobs[job_id].astext).filter(jobs.has_key(job_id))
    if account_id is not None:
        query = query.filter(Account.id == account_id)
    found = db.session.execute(query).first()
    return _read(found[0], job_id, found[1]) if found else None


def all_jobs(account_id: int | None = None) -> list[Job]:
    """Return the jobs of an account, or of all; the last ones last."""
    query = db.select(Account.id, Account.attributes[ATTRIBUTE]).filter(stored.rows_with(Account, ATTRIBUTE))
    if account_id is not None:
        query = query.filter(Account.id == account_id)
    jobs = [
        _read(owner, *entry) for owner, records in db.session.execute(query) for entry in as_object(records).items()
    ]
    return sorted((job for job in jobs if job), key=lambda job: job.asked_at)


def wake(job: Job) -> bool:
    """Ask workers for what is still to be done of a job, unless they are at it; return whether they were asked."""
    name = f"smart-boiler-{job.id}"
    if not job.waiting or workers.is_asked(name):
        return False
    return workers.ask(WORK[job.kind], job.account_id, job.id, job_id=name)


def _sealed(job: Job) -> str:
    """Return a job as it is stored."""
    moments = {name: value.isoformat() for name, value in vars(job).items() if isinstance(value, datetime)}
    return stored.seal({**vars(job), **moments})


def _read(account_id: int, job_id: str, sealed: Any) -> Job | None:
    """Return what is stored of a job; None where it was not stored here, or ended so long ago that it is forgotten."""
    try:
        known = stored.unseal(sealed)
    except ValueError:
        return None
    if (known["account_id"], known["id"]) != (account_id, job_id):
        return None
    moments = {
        name: known[name] and datetime.fromisoformat(known[name]) for name in ("asked_at", "begun_at", "ended_at")
    }
    job = Job(**{**known, **moments})
    return None if job.ended_at is not None and server_now() - job.ended_at > KEPT else job
