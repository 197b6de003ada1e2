"""Planning an operator's boilers: here, or as a job that workers do in chunks, whatever becomes of them meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flexmeasures import Account, Asset
from flexmeasures.data import db
from flexmeasures.utils.time_utils import server_now
from rq import Retry

from smart_boiler_plugin import jobs, workers
from smart_boiler_plugin.clock.quarter import whole_quarters
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.facts.plans import plans_of
from smart_boiler_plugin.fleet.runs import Run, note_run
from smart_boiler_plugin.jobs import WORK, Result
from smart_boiler_plugin.plan.fleet import PLANNED, SINGLY, Outcome, plan_fleet
from smart_boiler_plugin.plan.needed import ALL, DEVIATING, MISSING, ONLY, needed
from smart_boiler_plugin.prices.files import FIRST_YEAR
from smart_boiler_plugin.transactions import transaction

KIND = "plans"
"""Of jobs."""

BY_DEFAULT = (MISSING, DEVIATING)
"""Which boilers are planned where nobody says."""

LONGEST = timedelta(days=7)
"""How long a plan may be, and how far ahead it may begin."""

UNCHANGED = "unchanged"
"""Outcome of boilers that needed no plan any more when it was their turn."""


@dataclass(frozen=True)
class Asked:
    """What was asked for.

    Parameters
    ----------
    moment
        Of what all plans know, be they made later: a second time, they are the same.
    only
        Some of ``ONLY``.
    start, until
        When plans begin and end; None as of ``needed``.

    """

    moment: datetime
    only: tuple[str, ...] = BY_DEFAULT
    start: datetime | None = None
    until: datetime | None = None

    @classmethod
    def now(
        cls, only: Collection[str] = BY_DEFAULT, start: datetime | None = None, until: datetime | None = None
    ) -> Asked:
        """Return what is asked for now; a plan that begins earlier knows what was known then, and nothing later.

        Raises
        ------
        SmartBoilerError
            If there are no such plans; the message names the field.

        """
        now = server_now()
        unknown = sorted(set(only) - set(ONLY))
        if unknown or not only:
            raise SmartBoilerError({"only": [f"Must be some of: {', '.join(ONLY)}."]})
        if start is not None and not (start.year >= FIRST_YEAR and start - now <= LONGEST):
            raise SmartBoilerError(
                {"from": [f"Must be at most {LONGEST.days} days ahead, and in {FIRST_YEAR} or later."]}
            )
        begin = start or now
        if until is not None and not begin < until <= begin + LONGEST:
            raise SmartBoilerError({"until": [f"Must be after the begin, and at most {LONGEST.days} days."]})
        return cls(min(now, begin), tuple(only), start, until)

    def as_json(self) -> dict[str, Any]:
        """Return it as it stands with a job."""
        moments = {name: getattr(self, name) for name in ("moment", "start", "until")}
        return {"only": list(self.only), **{name: each and each.isoformat() for name, each in moments.items()}}

    @classmethod
    def of_json(cls, known: Any) -> Asked:
        """Return what stands with a job."""
        moments = {name: known[name] and datetime.fromisoformat(known[name]) for name in ("moment", "start", "until")}
        return cls(only=tuple(known["only"]), **moments)

    def needing(self, asset_ids: Collection[int]) -> list[int]:
        """Return which of some boilers need a plan, by the ids of their assets, ascending."""
        return list(needed(asset_ids, self.moment, self.only, start=self.start, until=self.until))


def ask(account: Account, asset_ids: Collection[int], asked: Asked) -> str:
    """Note which of some boilers are to be planned, and ask workers for it; return the id of the job.

    Raises
    ------
    ConflictError
        If too much is waiting already.

    """
    waiting = list(enumerate(asked.needing(asset_ids)))
    with transaction():
        job_id = jobs.ask(account, KIND, waiting, [], asked.as_json())
        if not waiting:
            note_run(account, Run(server_now(), 0, 0, 0))
    jobs.wake_all(account.id)
    return job_id


def work(account_id: int, job_id: str, lane: int = 0) -> Retry | None:
    """Plan boilers of a lane of a job, chunk after chunk, for a while; a worker calls this. Return when to go on."""
    return workers.go_on(lambda: _do_chunk(account_id, job_id, lane))


def _do_chunk(account_id: int, job_id: str, lane: int) -> bool:
    """Plan the next boilers of a lane of a job, note what came of them, and return whether there were any."""
    with transaction():
        operator, job = db.session.get(Account, account_id), jobs.find(job_id, account_id)
        chunk = [each for each in (job.waiting if job else ()) if WORK[KIND].lane_of(each[0]) == lane]
        chunk = chunk[: WORK[KIND].chunk]
        if operator is None or job is None or not chunk:
            return False
        outcomes, unchanged = _plan([asset_id for _, asset_id in chunk], Asked.of_json(job.about))
        row_of = {asset_id: row for row, asset_id in chunk}
        planned = [outcome.asset_id for outcome in outcomes if outcome.result == PLANNED]
        jobs.note(
            operator,
            job_id,
            [told(row_of[outcome.asset_id], outcome) for outcome in outcomes if outcome.result != PLANNED],
            {PLANNED.lower(): [row_of[each] for each in planned], UNCHANGED: [row_of[each] for each in unchanged]},
        )
        done = jobs.find(job_id, account_id)
        if done is not None and not done.waiting:
            note_run(operator, _run(Counter(done.outcomes)))
    return True


def plan_here(asset_ids: Sequence[int], asked: Asked) -> Iterator[list[Outcome]]:
    """Plan boilers that need it in this process, and note what came of it for each operator.

    Yields
    ------
    list of Outcome
        Of some more, once they are committed; those that need no plan any more are left out.

    """
    waiting, counts = list(asset_ids), Counter[tuple[int | None, str]]()
    while waiting:
        chunk = waiting[: WORK[KIND].chunk]
        with transaction():
            outcomes, unchanged = _plan(chunk, asked)
        done = {*unchanged, *(outcome.asset_id for outcome in outcomes)}
        waiting = [each for each in chunk if each not in done] + waiting[len(chunk) :]
        counts += Counter((outcome.operator_id, outcome.result.lower()) for outcome in outcomes)
        yield outcomes
    with transaction():
        for operator_id in sorted({operator_id for operator_id, _ in counts if operator_id is not None}):
            operator = db.session.get(Account, operator_id)
            if operator is not None:
                note_run(operator, _run(Counter({name: n for (id_, name), n in counts.items() if id_ == operator_id})))


def plan_anew(asset_ids: Sequence[int]) -> list[Outcome]:
    """Plan boilers in this process whose household has changed what it wants: that is no run of their operator's."""
    with transaction():
        outcomes, _ = _plan(asset_ids, Asked.now([MISSING, ALL]))
    return outcomes


def _plan(asset_ids: Sequence[int], asked: Asked) -> tuple[list[Outcome], list[int]]:
    """Plan boilers that still need it; return what came of it, and which needed none. Commits nothing."""
    needs = needed(asset_ids, asked.moment, asked.only, start=asked.start, until=asked.until)
    begin = whole_quarters(asked.start or asked.moment, asked.moment)[0].tz_convert("UTC")
    outcomes = plan_fleet(needs, begin, asked.moment) if needs else []
    unchanged = [asset_id for asset_id in asset_ids if asset_id not in needs]
    if sum(outcome.singly for outcome in outcomes) < SINGLY:
        # nobody is left for later: their assets were deleted meanwhile
        unchanged += needs.keys() - {outcome.asset_id for outcome in outcomes}
    return outcomes, unchanged


def _run(outcomes: Counter[str]) -> Run:
    return Run(server_now(), outcomes["planned"], outcomes["told"], outcomes["failed"])


def told(row: int, outcome: Outcome) -> Result:
    """Return what is kept of a boiler of which there is something to say."""
    return {
        "row": row,
        "account": outcome.account_id,
        "boiler": outcome.asset_id,
        "result": outcome.result,
        "status": next(iter(outcome.reasons), ""),
        "message": " ".join(outcome.reasons.values())[:LONGEST_MESSAGE],
    }


LONGEST_MESSAGE = 300
"""How much is kept of what is to be told of a boiler [characters]: there may be ten thousand."""


def without_plan(asset_ids: Collection[int], moment: datetime) -> set[int]:
    """Return which boilers have no plan now, by what is stored."""
    return set(asset_ids) - plans_of(asset_ids, moment).keys()


def note_nothing_to_do(operator_ids: Collection[int | None]) -> None:
    """Note for operators that none of their boilers needed a plan."""
    with transaction():
        for operator_id in sorted(each for each in operator_ids if each is not None):
            operator = db.session.get(Account, operator_id)
            if operator is not None:
                note_run(operator, Run(server_now(), 0, 0, 0))


def names_of(asset_ids: Collection[int]) -> dict[int, str]:
    """Return the names of boilers by the ids of their assets."""
    query = db.select(Asset.id, Asset.name).filter(Asset.id.in_(asset_ids))
    return {asset_id: name for asset_id, name in db.session.execute(query)}  # noqa: C416 (a Result has keys of its own)


def by_operator(asset_ids: Collection[int]) -> dict[int | None, list[int]]:
    """Return the ids of boilers' assets by the ids of their operators' accounts; None where there is none."""
    query = db.select(Account.consultancy_account_id, Asset.id).join(Account, Account.id == Asset.account_id)
    found: dict[int | None, list[int]] = {}
    for operator_id, asset_id in db.session.execute(query.filter(Asset.id.in_(asset_ids)).order_by(Asset.id)):
        found.setdefault(operator_id, []).append(asset_id)
    return found
