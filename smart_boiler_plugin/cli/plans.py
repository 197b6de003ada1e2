"""Commands that plan all boilers, and take away what plans have left behind."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

import click
from flask.cli import with_appcontext
from flexmeasures import Account
from flexmeasures.cli.utils import MsgStyle
from flexmeasures.data import db
from flexmeasures.utils.time_utils import server_now
from tabulate import tabulate

from smart_boiler_plugin import jobs, workers
from smart_boiler_plugin.boiler.owners import boiler_ids
from smart_boiler_plugin.cli.accounts import choosing_customer, choosing_operator, find_chosen, no_boiler
from smart_boiler_plugin.cli.dates import MOMENT, aware
from smart_boiler_plugin.cli.progress import progress
from smart_boiler_plugin.cli.shown import show_json, with_json
from smart_boiler_plugin.errors import ConflictError, SmartBoilerError
from smart_boiler_plugin.fleet import planning, pruning
from smart_boiler_plugin.fleet.planning import BY_DEFAULT, UNCHANGED, Asked
from smart_boiler_plugin.jobs import Result
from smart_boiler_plugin.plan.fleet import FAILED, PLANNED, TOLD
from smart_boiler_plugin.plan.needed import ONLY

MEANS = {
    PLANNED.lower(): "",
    TOLD.lower(): "planned, and there is something to say: see below",
    FAILED.lower(): "not planned: see below",
    UNCHANGED: "needed no plan any more when it was their turn",
}
"""What outcomes mean, for people."""

INSTEAD = "plan here: flexmeasures smart-boiler plan --here"

LOOK_EVERY_S = 1.0
"""How often it is looked how far workers are [s]."""

TOLD_AFTER_S = 3.0
"""After how long without a worker that is told [s]..."""

GIVEN_UP_AFTER_S = 45.0
"""... and after how long nobody waits for one any more [s]: one that is started anew takes up to half a minute."""


class Only(click.ParamType):  # type: ignore[type-arg]  # older clicks take no arguments
    """Words of ``ONLY``, with commas in between."""

    name = "|".join(ONLY)

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return the words."""
        if isinstance(value, tuple):
            return value
        words = tuple(word.strip() for word in str(value).split(","))
        if unknown := [word for word in words if word not in ONLY]:
            self.fail(f"{unknown[0]!r} is none of: {', '.join(ONLY)}.", param, ctx)
        return words


@click.command("plan")
@choosing_operator
@choosing_customer
@click.option(
    "--only",
    type=Only(),
    default=",".join(BY_DEFAULT),
    show_default=True,
    help="Plan boilers without a valid plan (missing), those off their plan (deviating), or all.",
)
@click.option("--from", "start", type=MOMENT, help="When plans begin; earlier than now, they know what was known then.")
@click.option("--until", type=MOMENT, help="When plans end. [default: as far as the prices of each tariff are known]")
@click.option("--here", is_flag=True, help="Plan in this process, and not by workers.")
@click.option("--wait", is_flag=True, help="Wait until workers are done, and tell what came of it.")
@click.option("--verbose", is_flag=True, help="Name the boilers of which there is something to say.")
@with_json
@with_appcontext
def plan(
    only: tuple[str, ...],
    start: datetime | None,
    until: datetime | None,
    *,
    here: bool,
    wait: bool,
    verbose: bool,
    as_json: bool,
    **whose: int | None,
) -> None:
    """Plan all boilers that need it, to the end of the known prices: the one line that an operator's day needs.

    A boiler needs a plan where it has none to the end of the known prices of its tariff, or where prices, tariff,
    comfort or boiler have changed since. One that is told powers, and no set-points, needs another where its
    temperature is off the plan by more than SMART_BOILER_DEVIATION, once a quarter of an hour at most. The host's
    workers plan (`flexmeasures jobs run-worker --queue scheduling`), or this process with --here. What is wrong with
    one boiler stops no other. Running it again is harmless. Exits with 1 where a boiler has no valid plan.

    \b
    Examples:
      flexmeasures smart-boiler plan
      flexmeasures smart-boiler plan --operator 3 --wait --verbose
      flexmeasures smart-boiler plan --customer 7 --only all --here
      7,22,37,52 * * * *   /path/to/venv/bin/flexmeasures smart-boiler plan
    """  # noqa: D301 (click wants the \b)
    operator, customer = find_chosen(**whose)
    ids = boiler_ids(operator, customer)
    if not ids:
        raise no_boiler()
    try:
        asked = Asked.now(only, aware(start), aware(until))
        needing = asked.needing(ids)
        if not needing:
            planning.note_nothing_to_do(planning.by_operator(ids).keys())
            if as_json:
                show_json({"looked_at": len(ids), "needing": 0, "outcomes": {}, "results": []})
                return
            click.secho(
                f"Nothing to do: {_boilers(len(ids))} looked at, and all have a valid plan.", **MsgStyle.SUCCESS
            )
            return
        if here:
            counts, said = _plan_here(needing, asked)
        else:
            counts, said = _ask(needing, asked, wait=wait, quiet=as_json)
    except SmartBoilerError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        show_json({"looked_at": len(ids), "needing": len(needing), "outcomes": counts, "results": said})
    elif counts:
        _tell(counts, said, verbose=verbose)
    failed = [each["boiler"] for each in said if each["result"] == FAILED]
    without = planning.without_plan(failed, server_now() if asked.start is None else asked.start)
    if without:
        click.secho(f"{_boilers(len(without))} without a valid plan.", err=as_json, **MsgStyle.ERROR)
        raise click.exceptions.Exit(1)


def _plan_here(needing: Sequence[int], asked: Asked) -> tuple[Counter[str], list[Result]]:
    """Plan boilers in this process, with a progress bar."""
    counts, said = Counter[str](), []
    with progress("plans", len(needing), "They are stored; the same command makes the others.") as advance:
        for outcomes in planning.plan_here(needing, asked):
            counts += Counter(outcome.result.lower() for outcome in outcomes)
            said += [planning.told(0, outcome) for outcome in outcomes if outcome.result != PLANNED]
            advance(len(outcomes))
    return counts, said


def _ask(needing: Sequence[int], asked: Asked, *, wait: bool, quiet: bool) -> tuple[Counter[str], list[Result]]:
    """Ask workers to plan boilers, a job for each operator; those of no operator are planned here."""
    counts, said, asked_for = Counter[str](), list[Result](), list[str]()
    for operator_id, ids in planning.by_operator(needing).items():
        operator = None if operator_id is None else db.session.get(Account, operator_id)
        if operator is None:
            of_some, of_them = _plan_here(ids, asked)
            counts, said = counts + of_some, said + of_them
            continue
        try:
            asked_for.append(planning.ask(operator, ids, asked))
        except ConflictError as error:
            click.secho(f"{operator.name}: {error}", err=True, **MsgStyle.ERROR)
    if not asked_for:
        return counts, said
    if not wait:
        total = sum(job.total for job in _jobs(asked_for))
        told = f"{_boilers(total)} to be planned by workers. How far they are: flexmeasures smart-boiler jobs"
        click.echo(told, err=quiet)
        if why := workers.nobody_works():
            click.secho(f"{why}, or {INSTEAD}", err=quiet, **MsgStyle.WARN)
        return counts, said
    known, why = _watched(asked_for)
    for job in known:
        counts += Counter(job.outcomes)
        said += job.results
    if why:
        if not quiet:
            _tell(counts, said, verbose=False)
        left = _boilers(sum(len(job.waiting) for job in known))
        raise click.ClickException(f"{left} still to be planned, and nobody does it. {why}, or {INSTEAD}")
    return counts, said


def _watched(job_ids: Sequence[str]) -> tuple[list[jobs.Job], str | None]:
    """Wait with a progress bar until jobs are done, or nobody works; return them, and in the latter case why."""
    known, seen_at, told = _jobs(job_ids), time.monotonic(), False
    kept = "Workers go on with the others. How far they are: flexmeasures smart-boiler jobs"
    with progress("plans", sum(job.total for job in known), kept) as advance:
        while any(job.waiting for job in known):
            time.sleep(LOOK_EVERY_S)
            done, known = sum(job.done for job in known), _jobs(job_ids)
            more = sum(job.done for job in known) - done
            advance(more)
            why = workers.nobody_works()
            alone_s = time.monotonic() - seen_at
            if why is None or more:
                seen_at, told = time.monotonic(), False
            elif alone_s > GIVEN_UP_AFTER_S:
                return known, why
            elif alone_s > TOLD_AFTER_S and not told:
                told = True
                text = f"\n{why}. Waiting for {GIVEN_UP_AFTER_S - alone_s:.0f} s more."
                click.secho(text, err=True, **MsgStyle.WARN)
            for job in known:
                # should workers have forgotten it
                jobs.wake(job)
    return known, None


def _jobs(job_ids: Iterable[str]) -> list[jobs.Job]:
    db.session.rollback()
    return [job for job in map(jobs.find, job_ids) if job]


def _tell(counts: Counter[str], said: Sequence[Result], *, verbose: bool) -> None:
    """Print a table of outcomes, and the reasons, grouped and counted."""
    click.echo(
        tabulate([[what, counts[what], told] for what, told in MEANS.items() if counts[what]], ["", "boilers", ""])
    )
    by_reason: defaultdict[tuple[str, str], list[Result]] = defaultdict(list)
    for each in said:
        by_reason[each["result"].lower(), each["status"]].append(each)
    if by_reason:
        rows = [(result, status, len(some), some[0]["message"]) for (result, status), some in by_reason.items()]
        rows.sort(key=lambda row: (row[0] != FAILED.lower(), -row[2]))
        click.echo()
        click.echo(tabulate(rows, ["", "reason", "boilers", "such as"], maxcolwidths=[None, None, None, 70]))
    if verbose:
        names = planning.names_of([each["boiler"] for each in said])
        for each in said:
            style = MsgStyle.ERROR if each["result"] == FAILED else MsgStyle.WARN
            click.secho(f"Boiler {each['boiler']} ({names.get(each['boiler'])}): {each['message']}", **style)


def _boilers(count: int) -> str:
    return f"{count} boiler{'' if count == 1 else 's'}"


@click.command("prune")
@click.option("--all-times", is_flag=True, help="Look at all years, and not at the last weeks alone.")
@with_appcontext
def prune(*, all_times: bool) -> None:
    """Take away what plans have left behind: what was replaced, and expected temperatures that are long over.

    Of each quarter of an hour that is over for a day, what was planned last stays; temperatures that were planned for
    more than SMART_BOILER_PLANS_KEPT ago go. What was measured, paid and reported is left alone. It goes in small steps
    that nobody has to wait for; running it again, or ending it, is harmless. Once a night is enough; the first time,
    and after weeks without it, look at --all-times.

    \b
    Examples:
      flexmeasures smart-boiler prune
      30 3 * * *   /path/to/venv/bin/flexmeasures smart-boiler prune
    """  # noqa: D301 (click wants the \b)
    ids, counts = boiler_ids(), Counter(dict.fromkeys(pruning.PRUNE, 0))
    with progress("steps", pruning.steps(ids)) as advance:
        for gone in pruning.prune(ids, all_times=all_times):
            counts.update(gone)
            advance(1)
    told = ", ".join(f"{count} {what}" for what, count in counts.items())
    click.secho(f"Taken away: {told}.", **MsgStyle.SUCCESS)
