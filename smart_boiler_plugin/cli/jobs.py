"""Commands about what workers do for the plugin: jobs of operators, and invitations."""

from __future__ import annotations

import click
from flask.cli import with_appcontext
from flexmeasures import Account
from flexmeasures.cli.utils import MsgStyle
from flexmeasures.data import db

from smart_boiler_plugin import jobs, workers
from smart_boiler_plugin.cli.accounts import choosing_operator, find_chosen, find_customer
from smart_boiler_plugin.cli.progress import progress
from smart_boiler_plugin.cli.shown import show, with_json
from smart_boiler_plugin.customers import invitations, sending
from smart_boiler_plugin.customers.directory import invite_again, make_failed_due, of_account
from smart_boiler_plugin.customers.invitations import DUE, SENT
from smart_boiler_plugin.errors import SmartBoilerError

JOBS = {
    "job": "job",
    "operator": "operator",
    "asked_at": "asked for",
    "status": "status",
    "done": "done",
    "outcomes": "outcomes",
}


@click.command("jobs")
@choosing_operator
@with_json
@with_appcontext
def list_jobs(operator_id: int | None, *, as_json: bool) -> None:
    """List what was asked for in bulk, and how far it is; and ask workers again for what they have forgotten.

    It is in the database until it is done: after Redis has lost its queues, this command puts it back there.

    \b
    Example:
      flexmeasures smart-boiler jobs
    """  # noqa: D301 (click wants the \b)
    find_chosen(operator_id)
    known = jobs.all_jobs(operator_id)
    rows = []
    for job in known:
        told = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in job.outcomes.items())
        status = f"{job.status}, asked again" if jobs.wake(job) else job.status
        operator = db.session.get(Account, job.account_id)
        rows.append(
            (
                job.id,
                operator and operator.name,
                f"{job.asked_at:%Y-%m-%d %H:%M %Z}",
                status,
                f"{job.done} of {job.total}",
                told,
            )
        )
    if not rows and not as_json:
        click.echo("Nothing was asked for in the last 7 days.")
        return
    # an operator may be called 1e3
    show(JOBS, rows, as_json=as_json, disable_numparse=True)
    if any(job.waiting for job in known) and (why := workers.nobody_works()):
        click.secho(why, err=True, **MsgStyle.WARN)


@click.command("invite")
@click.argument("account_id", type=int, metavar="[ACCOUNT]", required=False)
@click.option("--due", is_flag=True, help="Send those that are due, and that no worker has sent.")
@click.option("--failed", is_flag=True, help="Send those again that failed.")
@click.option("--server-url", help="Address of the server, for the links. [default: the setting, else as it was]")
@with_appcontext
def invite(account_id: int | None, server_url: str | None, *, due: bool, failed: bool) -> None:
    """Send invitations here and now: those that are due (workers do that, too), that failed, or an ACCOUNT's.

    Whoever has chosen a password already is not invited again. Exits with 1 where one was not sent; why is told, and
    in `list-customers`.

    \b
    Examples:
      flexmeasures smart-boiler invite --due
      flexmeasures smart-boiler invite --failed
      flexmeasures smart-boiler invite 7
    """  # noqa: D301 (click wants the \b)
    if (account_id is not None) + due + failed != 1:
        raise click.UsageError("Say whom: --due, --failed, or the id of an account.")
    try:
        if account_id is not None:
            customer = invite_again(of_account(find_customer(account_id, "ACCOUNT")), server_url, later=False)
            ids = [customer.boiler.asset.id]
        else:
            ids = make_failed_due(server_url) if failed else invitations.in_state(DUE)
        problems = _send(ids)
    except SmartBoilerError as error:
        raise click.ClickException(str(error)) from error
    for problem in problems:
        click.secho(problem, **MsgStyle.ERROR)
    click.secho(
        f"{len(ids) - len(problems)} of {len(ids)} invitations were sent.",
        **(MsgStyle.WARN if problems else MsgStyle.SUCCESS),
    )
    if problems:
        raise click.exceptions.Exit(1)


def _send(ids: list[int]) -> list[str]:
    """Send invitations, with a progress bar, and return what was not sent and why."""
    problems = []
    kept = "They are noted; the same command sends the others."
    with progress("invitations", len(ids), kept) as advance:
        for asset_id, invitation in sending.send(ids, at_once=True):
            advance(1)
            if invitation is None:
                problems.append(f"Boiler {asset_id}: somebody else sends it, or has erased it.")
            elif invitation.state != SENT:
                problems.append(f"Boiler {asset_id}: {invitation.state}: {invitation.why}")
    return problems
