"""What an operator asked for that takes longer than a call: it stands with its account until it is done, and a while.

A job is a list of things to do, each with a number, and what came of those that are done. Workers do them in small
transactions that note what came of it (``note``): a crash loses nothing and does nothing twice. Where workers have
forgotten a job, ``wake`` asks them again. All users of an operator can write into the attributes of its account: a job
is sealed, so that nobody asks in the name of who may.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias
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


class Work(NamedTuple):
    """How jobs of a kind are done.

    Parameters
    ----------
    function
        Does a chunk after the other, given the account's and the job's id, and its lane.
    chunk
        How many things that follow each other are of one lane.
    lanes
        How many workers do chunks of one job at a time, each those of a lane.

    """

    function: str
    chunk: int = 1
    lanes: int = 1

    def lane_of(self, number: int) -> int:
        """Return the lane in which a thing is done."""
        return number // self.chunk % self.lanes


WORK = {
    "customers": Work("smart_boiler_plugin.customers.bulk.work"),
    "plans": Work("smart_boiler_plugin.fleet.planning.work", chunk=250, lanes=4),
}
"""By kind."""

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
    about
        What holds for all of it, as JSON.
    counted
        How many things are done of which there is nothing else to say, by the outcome.

    """

    id: str
    account_id: int
    kind: str
    asked_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    waiting: Sequence[tuple[int, Any]]
    results: Sequence[Result]
    about: Mapping[str, Any] = field(default_factory=dict)
    counted: Mapping[str, int] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """How far it is: "queued", "running" or "finished"."""
        return "finished" if not self.waiting else "running" if self.begun_at else "queued"

    @property
    def total(self) -> int:
        """How many things it has."""
        return len(self.waiting) + self.done

    @property
    def done(self) -> int:
        """How many of them are done."""
        return len(self.results) + sum(self.counted.values())

    @property
    def size(self) -> int:
        """How many things are kept of it."""
        return len(self.waiting) + len(self.results)

    @property
    def outcomes(self) -> dict[str, int]:
        """How often each outcome came of what is done."""
        told = Counter(str(result.get("result")).lower().replace(" ", "_") for result in self.results)
        return dict(Counter(self.counted) + told)


def ask(
    account: Account,
    kind: str,
    waiting: Sequence[tuple[int, Any]],
    results: Sequence[Result],
    about: Mapping[str, Any] | None = None,
) -> str:
    """Note what is asked for; return the id of the job. Does not commit: after the commit, ``wake`` it.

    Jobs that ended long ago are forgotten, and before others wait, those that ended last.

    Parameters
    ----------
    account
        The operator's.
    kind
        A key of ``WORK``.
    waiting, results, about
        As of ``Job``; what is known at once is among the results.

    Raises
    ------
    ConflictError
        If too much is waiting already.

    """
    now = server_now()
    ended = None if waiting else now
    new = Job(str(uuid4()), account.id, kind, now, None, ended, list(waiting), list(results), dict(about or {}))

    def changed(known: Any) -> dict[str, Any]:
        records = as_object(known)
        jobs = [job for job in (_read(account.id, *entry) for entry in records.items()) if job]
        # those that wait come first, and of the others the last ones
        jobs.sort(key=lambda job: (bool(job.waiting), job.asked_at), reverse=True)
        kept, things = {new.id: _sealed(new)}, new.size
        for job in jobs:
            things += job.size
            if things <= MOST_THINGS:
                kept[job.id] = records[job.id]
            elif job.waiting:
                raise ConflictError("Too much is waiting for workers already. Try again when some of it is done.")
        return kept

    stored.change(account, changed, ATTRIBUTE)
    return new.id


def note(
    account: Account, job_id: str, results: Sequence[Result], counted: Mapping[str, Collection[int]] | None = None
) -> None:
    """Note what came of things of a job, which then wait no more. Does not commit.

    What others have noted meanwhile stays as it is.

    Parameters
    ----------
    account, job_id
        Of the job.
    results
        As of ``Job``.
    counted
        Numbers of things of which there is nothing else to say, by the outcome.

    """

    def changed(known: Any) -> dict[str, Any]:
        records = as_object(known)
        job = _read(account.id, job_id, records.get(job_id))
        if job is None:
            return records
        open_rows = {number for number, _ in job.waiting}
        new = [result for result in results if result["row"] in open_rows]
        rows = {outcome: open_rows.intersection(numbers) for outcome, numbers in (counted or {}).items()}
        done = {result["row"] for result in new}.union(*rows.values())
        waiting = [(number, thing) for number, thing in job.waiting if number not in done]
        now = server_now()
        after = replace(
            job,
            begun_at=job.begun_at or now,
            ended_at=None if waiting else now,
            waiting=waiting,
            results=sorted([*job.results, *new], key=lambda result: int(result["row"])),
            counted=dict(Counter(job.counted) + Counter({outcome: len(some) for outcome, some in rows.items()})),
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
    if not job.waiting:
        return False
    work = WORK[job.kind]
    lanes = sorted({work.lane_of(number) for number, _ in job.waiting})
    names = {lane: f"smart-boiler-{job.id}{f'-{lane}' if lane else ''}" for lane in lanes}
    asked = [
        workers.ask(work.function, job.account_id, job.id, lane, job_id=names[lane])
        for lane in lanes
        if not workers.is_asked(names[lane])
    ]
    return any(asked)


def wake_all(account_id: int) -> None:
    """Ask workers for what is still to be done of an account's jobs: those that they have forgotten, too."""
    for job in all_jobs(account_id):
        wake(job)


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
