"""Commands about customers."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click
from flask.cli import with_appcontext
from flexmeasures import Account
from flexmeasures.cli.utils import MsgStyle
from tabulate import tabulate

from smart_boiler_plugin.cli.accounts import choosing_operator, find_chosen, find_customer, find_operator
from smart_boiler_plugin.cli.progress import INTERRUPTED, progress
from smart_boiler_plugin.cli.shown import show, show_json, with_json
from smart_boiler_plugin.customers import held, leaving, listing
from smart_boiler_plugin.customers.directory import of_account
from smart_boiler_plugin.customers.invitations import server_url as check_server_url
from smart_boiler_plugin.customers.many import ALREADY_THERE, CREATED, POSSIBLE, Outcome, find_out, take_on_many
from smart_boiler_plugin.customers.rows import load_rows, read_csv
from smart_boiler_plugin.customers.taking_on import NewCustomer
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.fleet import misuse
from smart_boiler_plugin.settings import SERVER_URL


@click.command("add-customers")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--operator", "operator_id", type=int, required=True, help="Account id of the operator.")
@click.option("--dry-run", is_flag=True, help="Find out what would happen, and change nothing.")
@click.option("--server-url", help="Address of the server, for the links in the invitations. [default: the setting]")
@with_appcontext
def add_customers(file: Path, operator_id: int, server_url: str | None, *, dry_run: bool) -> None:
    """Take on all customers of a CSV FILE; each row on its own, so that a bad one stops no other.

    The FILE has a header with the columns name, user_name and user_email, and any of volume, power, cop,
    temperature_min, temperature_max, ambient_temperature, cold_water_temperature, energy_class, standing_loss,
    tapping_profile, reports, element, hysteresis, boiler_name, timezone, latitude, longitude, tariff, language,
    device_kind, device_topic (docs/devices.md).
    Quantities have units: 80 l, 50 °C. What Excel writes is read: semicolons, decimal commas, Windows-1252.
    Running it again is harmless: it takes on who is missing. So it does after a Ctrl-C.

    \b
    Examples:
      flexmeasures smart-boiler add-customers customers.csv --operator 1 --dry-run
      flexmeasures smart-boiler add-customers customers.csv --operator 1 --server-url https://boilers.example.com
    """  # noqa: D301 (click wants the \b)
    url = server_url or SERVER_URL.value
    if not url and not dry_run:
        raise click.UsageError(
            "Give --server-url, or set SMART_BOILER_SERVER_URL: invitations need it for their links."
        )
    try:
        check_server_url(server_url)
    except SmartBoilerError as error:
        raise click.BadParameter(str(error), param_hint="--server-url") from error
    operator = find_operator(operator_id)
    try:
        rows = load_rows(read_csv(file.read_bytes()))
    except SmartBoilerError as error:
        raise click.ClickException(f"{file}: {error}") from error
    if dry_run:
        _tell(find_out(rows, operator), "could be taken on")
        return
    _take_on(rows, operator, server_url)


def _take_on(rows: Sequence[NewCustomer | SmartBoilerError], operator: Account, server_url: str | None) -> None:
    """Take on customers with a progress bar, and print what came of it."""
    outcomes: list[Outcome] = []
    try:
        # a chunk at a time, as they are committed: the estimate rests on what is done
        with progress("customers", len(rows)) as advance, ctrl_c_noted() as stopping:
            for chunk in take_on_many(rows, operator, server_url):
                outcomes += chunk
                advance(len(chunk))
                if stopping():
                    break
    except BaseException:
        _tell_stopped(f"at least {len(outcomes)}", len(rows))
        raise
    if any(outcome.result == CREATED for outcome in outcomes):
        click.echo("Workers send the invitations; without any: flexmeasures smart-boiler invite --due")
    if len(outcomes) < len(rows):
        _tell_stopped(str(len(outcomes)), len(rows))
        raise click.exceptions.Exit(INTERRUPTED)
    _tell(outcomes, "were taken on")


@contextmanager
def ctrl_c_noted() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether Ctrl-C was pressed, which then does not interrupt; twice, it does."""
    noted: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        if noted:
            raise KeyboardInterrupt
        noted.append(number)
        # no print: it may be within one that the signal has interrupted
        os.write(2, b"\nStopping after those that are being taken on now. Ctrl-C again: at once.\n")

    previous = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(noted)
    finally:
        signal.signal(signal.SIGINT, previous)


def _tell_stopped(done: str, of: int) -> None:
    """Print how far it came, and how to go on."""
    told = f"Stopped: {done} of {of} rows are done. The same command goes on with the others."
    click.secho(f"\n{told}", **MsgStyle.WARN)


def _tell(outcomes: Sequence[Outcome], done: str) -> None:
    """Print what came of all rows, and exit with 1 where some were refused."""
    refused = [(number, outcome.refusal) for number, outcome in enumerate(outcomes, start=1) if outcome.refusal]
    for number, refusal in refused:
        click.secho(f"Row {number}: {refusal}", **MsgStyle.ERROR)
    made = sum(outcome.result in {CREATED, POSSIBLE} for outcome in outcomes)
    there = sum(outcome.result == ALREADY_THERE for outcome in outcomes)
    told = f"{made} of {len(outcomes)} customers {done}" + (f", {there} were there already." if there else ".")
    click.secho(told, **(MsgStyle.WARN if refused else MsgStyle.SUCCESS))
    if refused:
        raise click.exceptions.Exit(1)


@click.command("list-customers")
@choosing_operator
@click.option("--check", is_flag=True, help="Tell what households have stored that they should not.")
@click.option("--page", type=click.IntRange(1, 1_000_000), default=1, show_default=True, help="Which page.")
@click.option(
    "--per-page", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many customers on a page."
)
@with_json
@with_appcontext
def list_customers(operator_id: int | None, page: int, per_page: int, *, check: bool, as_json: bool) -> None:
    """List the customers of all or one operator; or, with --check, what they have stored that they should not.

    That is: sensors of others in a flex-model or flex-context, schedulers from anywhere, names with markup, changed
    roles. All but the roles is mended by `flexmeasures smart-boiler upgrade`. Exits with 1 where there is any.

    \b
    Example:
      flexmeasures smart-boiler list-customers --operator 1 --page 2
      flexmeasures smart-boiler list-customers --check
    """  # noqa: D301 (click wants the \b)
    operator, _ = find_chosen(operator_id)
    if check:
        found = [(account.id, account.name, problem) for account, problem in misuse.found_of(operator)]
        if not found and not as_json:
            click.secho("Nothing to mend.", **MsgStyle.SUCCESS)
            return
        columns = {"account": "account", "customer": "customer", "problem": "problem"}
        show(columns, found, as_json=as_json, disable_numparse=[1, 2])
        raise click.exceptions.Exit(1 if found else 0)
    rows = listing.names_of_all(operator, page, per_page)
    total = listing.count_of_all(operator)
    # a name may look like a number: 1e3
    names = ["account", "customer", "operator", "boiler", "name", "invitation"]
    show(dict(zip(names, names, strict=True)), rows, as_json=as_json, disable_numparse=[1, 2, 4])
    if total > per_page and not as_json:
        click.echo(f"Page {page} of {-(-total // per_page)}, of {total} customers: --page and --per-page show others.")


@click.command("show-customer")
@click.argument("account_id", type=int, metavar="ACCOUNT")
@with_json
@with_appcontext
def show_customer(account_id: int, *, as_json: bool) -> None:
    """Show what a customer has and had, from which day on: tariff, boiler and useful temperature.

    What held on a day stays: costs and savings of past days rest on it.

    \b
    Example:
      flexmeasures smart-boiler show-customer 7
    """  # noqa: D301 (click wants the \b)
    customer = of_account(find_customer(account_id, "ACCOUNT"))
    account, boiler = customer.account, customer.asset and customer.asset.id
    known = held.shown(customer)
    if as_json and known is not None:
        show_json({"account": account.id, "name": account.name, "boiler": boiler, "history": known})
        return
    click.echo(f"{account.name} (account {account.id}), boiler {boiler}")
    if known is None:
        raise click.ClickException(customer.problem or "Nothing is known of the boiler.")
    for steps in known.values():
        rows = [
            [
                step["from"] or "ever",
                ", ".join(f"{name} {_shown(value)}" for name, value in step.items() if name != "from"),
            ]
            for step in steps
        ]
        click.echo(tabulate(rows, headers=["since", ""], disable_numparse=True, maxcolwidths=[None, 90]))


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, type(None))) else str(value)


@click.command("remove-customer")
@click.argument("account_id", type=int, metavar="ACCOUNT")
@click.option("--confirm", prompt="Name of the account, to be sure", help="Name of the account.")
@with_appcontext
def remove_customer(account_id: int, confirm: str) -> None:
    """Let go of a customer: erase users, boiler, sensors, all their data and jobs, and the ACCOUNT.

    \b
    Example:
      flexmeasures smart-boiler remove-customer 7 --confirm "Fam. de Boer"
    """  # noqa: D301 (click wants the \b)
    try:
        erased = leaving.let_go(of_account(find_customer(account_id, "ACCOUNT")), confirm)
    except SmartBoilerError as error:
        raise click.ClickException(str(error)) from error
    click.secho(f"Erased: {erased}", **MsgStyle.SUCCESS)
