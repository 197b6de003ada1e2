"""Taking on many customers as a job: it is noted, and workers do it in chunks, whatever becomes of them meanwhile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flexmeasures import Account
from flexmeasures.data import db
from rq import Retry

from smart_boiler_plugin import jobs, workers
from smart_boiler_plugin.customers import sending
from smart_boiler_plugin.customers.changes import NAMES_LOCK, one_change
from smart_boiler_plugin.customers.invitations import server_url
from smart_boiler_plugin.customers.many import CHUNK, REJECTED, Outcome, take_on_chunk
from smart_boiler_plugin.customers.rows import load_rows
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.jobs import Job, Result
from smart_boiler_plugin.transactions import lock, transaction

KIND = "customers"
"""Of jobs."""

LONGEST_MESSAGE = 1_000
"""How much is kept of what is wrong with a row [characters]: names of fields are whatever was sent."""


def ask(rows: Sequence[Any], operator: Account) -> str:
    """Note that customers are to be taken on, and ask workers for it; return the id of the job.

    What is wrong with a row is noted at once; the others wait.

    Parameters
    ----------
    rows
        As JSON (``NewCustomerSchema``).
    operator
        The account whose consultants will manage the customers.

    Raises
    ------
    ConflictError
        If too much is waiting already.
    SmartBoilerError
        If the setting says no address of a server.

    """
    url = server_url()
    waiting, results = [], []
    for number, new in enumerate(load_rows(rows)):
        if isinstance(new, SmartBoilerError):
            results.append(told(number, Outcome(REJECTED, refusal=new)))
        else:
            waiting.append((number, {"row": rows[number], "url": url}))
    with transaction():
        job_id = jobs.ask(operator, KIND, waiting, results)
    jobs.wake_all(operator.id)
    return job_id


def work(account_id: int, job_id: str, _lane: int = 0) -> Retry | None:
    """Take on customers of a job, chunk after chunk, for a while; a worker calls this. Return when to go on."""
    return workers.go_on(lambda: _do_chunk(account_id, job_id))


def _do_chunk(account_id: int, job_id: str) -> bool:
    """Take on the next customers of a job, note what came of them, and return whether there are more."""
    with one_change():
        # two workers at once: the second one waits here, and then finds what is left
        lock(NAMES_LOCK)
        operator = db.session.get(Account, account_id)
        job: Job | None = jobs.find(job_id, account_id)
        if operator is None or job is None or not job.waiting:
            return False
        chunk = job.waiting[:CHUNK]
        news = load_rows(thing["row"] for _, thing in chunk)
        outcomes = take_on_chunk(news, operator, chunk[0][1]["url"])
        jobs.note(
            operator, job_id, [told(number, outcome) for (number, _), outcome in zip(chunk, outcomes, strict=True)]
        )
    sending.ask_workers()
    return len(job.waiting) > len(chunk)


def told(row: int, outcome: Outcome) -> Result:
    """Return what is kept of one row: ids where there is a customer, else what is wrong."""
    customer, refusal = outcome.customer, outcome.refusal
    result: Result = {"row": row, "result": outcome.result, "status": outcome.status}
    if customer is not None:
        ids = {
            "account": customer.account.id,
            "user": customer.users[0].id if customer.users else None,
            "boiler": customer.asset and customer.asset.id,
        }
        return {**result, **ids}
    if refusal is not None:
        message = refusal.message if isinstance(refusal.message, str) else {"json": dict(refusal.message)}
        short = len(json.dumps(message)) <= LONGEST_MESSAGE
        return {**result, "message": message if short else f"{str(refusal)[:LONGEST_MESSAGE]}..."}
    return result
