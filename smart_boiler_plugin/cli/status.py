"""The command that shows a fleet at one look, and tells by mail what has begun and ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import click
from email_validator import EmailNotValidError, validate_email
from flask.cli import with_appcontext
from flexmeasures import Account
from flexmeasures.cli.utils import MsgStyle
from flexmeasures.utils.time_utils import get_timezone, server_now
from tabulate import tabulate

from smart_boiler_plugin.cli.accounts import choosing_operator, find_chosen
from smart_boiler_plugin.cli.shown import show_json
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.fleet.digest import tell
from smart_boiler_plugin.fleet.members import of_operator, operators
from smart_boiler_plugin.fleet.overview import Overview, overview
from smart_boiler_plugin.fleet.overview_schema import document
from smart_boiler_plugin.fleet.paging import chosen
from smart_boiler_plugin.fleet.state import completed
from smart_boiler_plugin.fleet.told import SHOWN, STATES, WELL, WORDS, BoilerState

UNKNOWN = "-"


def _address(_: click.Context, __: click.Parameter, address: str | None) -> str | None:
    if address is None:
        return None
    try:
        return str(validate_email(address, check_deliverability=False).normalized)
    except EmailNotValidError as error:
        raise click.BadParameter(str(error)) from error


@click.command("status")
@choosing_operator
@click.option(
    "--state", "kinds", type=click.Choice(STATES), multiple=True, help="Boilers in this state. [default: all but well]"
)
@click.option("--json", "as_json", is_flag=True, help="Print all that GET /fleet answers, of all boilers.")
@click.option("--mail", "address", callback=_address, help="Mail there which problems have begun and ended since.")
@with_appcontext
def show_status(operator_id: int | None, kinds: tuple[str, ...], address: str | None, *, as_json: bool) -> None:
    """Show which boilers are not well, the worst first, and how the service around them is.

    Each boiler counts once, in its worst state: cold (below what is wanted now), fault (it or its data), cold_soon
    (within 24 h, in spite of its plan), no_plan (or it ends within an hour), silent (no reading for 2 h, or as the
    setting says), off_plan (of those that follow a plan in kW), well. Exits with 1 where one needs a person: in any of
    these but off_plan, which the next plan mends, and well.

    With --mail, nothing is printed of boilers: whoever is named gets a mail when problems begin, or have been gone for
    an hour, one for each operator, and none where nothing has changed. Exits with 1 only where a mail was not taken.

    \b
    Examples:
      flexmeasures smart-boiler status
      flexmeasures smart-boiler status --operator 3 --state cold --state silent
      flexmeasures smart-boiler status --json > fleet.json
      flexmeasures smart-boiler status --mail night-shift@example.com
    """  # noqa: D301 (click wants the \b)
    operator, _ = find_chosen(operator_id)
    if address is not None:
        if kinds or as_json:
            raise click.UsageError("With --mail, neither --state nor --json can be given.")
        _mail(operators() if operator is None else [operator], address)
        return
    shown = overview(of_operator(operator), server_now())
    some = chosen(shown.states, kinds or (STATES if as_json else [state for state in STATES if state != WELL]))
    states = completed(some, shown.at)
    if as_json:
        show_json(document(shown, states, len(states), get_timezone()))
    else:
        _print(shown, states)
    if shown.needs_a_person:
        raise click.exceptions.Exit(1)


def _mail(whose: Sequence[Account], address: str) -> None:
    if not whose:
        raise click.ClickException("There is no operator with a boiler.")
    failed = False
    for operator in whose:
        try:
            told = tell(operator, overview(of_operator(operator), server_now()), address)
        except SmartBoilerError as error:
            failed = True
            click.secho(f"{operator.name}: {error}", **MsgStyle.ERROR)
        else:
            click.echo(f"{operator.name}: {told}.")
    if failed:
        raise click.exceptions.Exit(1)


def _print(shown: Overview, states: Sequence[BoilerState]) -> None:
    if not shown.states:
        click.echo("There is no boiler. Take on a customer first, or choose another account.")
    counts = ", ".join(f"{count} {WORDS[state].lower()}" for state, count in shown.counts.items() if count)
    if states:
        rows = [_row(each) for each in states]
        headers = ["state", "account", "customer", "water", "measured", "heats", "planned until", "why"]
        # a name may look like a number: 1e3
        widths = [None, None, 30, None, None, None, None, 70]
        click.echo(tabulate(rows, headers=headers, disable_numparse=True, maxcolwidths=widths))
        click.echo()
    if shown.states:
        style = MsgStyle.WARN if shown.needs_a_person else MsgStyle.SUCCESS
        click.secho(f"{len(shown.states)} boilers: {counts}.", **style)
    for told, well in _service(shown):
        click.secho(told, **({} if well else MsgStyle.WARN))


def _row(each: BoilerState) -> list[str]:
    seen, coming = each.seen, each.seen.next_heating
    heats = f"now, until {_at(each, seen.heats_until)}" if seen.heats_until else "now" if seen.heats_now else ""
    if not heats and coming:
        heats = f"{_at(each, coming.begin)} to {_at(each, coming.end)[-5:]}"
    return [
        WORDS[each.state],
        str(each.member.account_id),
        each.member.customer,
        UNKNOWN if seen.temperature_c is None else f"{seen.temperature_c:.1f} °C",
        _at(each, seen.measured_at),
        heats or UNKNOWN,
        _at(each, seen.planned_until),
        each.message,
    ]


def _at(each: BoilerState, moment: datetime | None) -> str:
    local = each.local(moment)
    return UNKNOWN if local is None else f"{local:{SHOWN}}"


def _service(shown: Overview) -> list[tuple[str, bool]]:
    """Return how the service is, each with whether that is as it should be."""
    zone, run = get_timezone(), shown.last_run
    known = shown.prices_known_until
    lines = [
        (f"Prices are known until {known.astimezone(zone):{SHOWN}}.", known > shown.at)
        if known
        else ("Not all boilers have a price that is known.", not shown.states)
    ]
    if run:
        told = f"Last run {run.at.astimezone(zone):{SHOWN}}: {run.planned + run.told} planned, {run.failed} failed."
        lines.append((told, not run.failed))
    else:
        lines.append(("No run is known that has planned all of them.", True))
    if shown.workers is None:
        lines.append(("Redis gives no answer: whether a worker is alive is not known.", False))
    elif shown.workers == 0:
        lines.append((f"No worker is alive, {shown.waiting} jobs wait.", False))
    else:
        workers = "1 worker is" if shown.workers == 1 else f"{shown.workers} workers are"
        lines.append((f"{workers} alive, {shown.waiting or 'nothing'} waiting.", True))
    return lines
