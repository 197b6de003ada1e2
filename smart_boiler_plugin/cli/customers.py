"""Commands about customers."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from flexmeasures.auth.policy import CONSULTANCY_ACCOUNT_ROLE
from flexmeasures.cli.utils import MsgStyle
from tabulate import tabulate

from smart_boiler_plugin.cli.accounts import find_account, find_customer
from smart_boiler_plugin.customers import leaving, listing
from smart_boiler_plugin.customers.directory import Customer, of_account
from smart_boiler_plugin.customers.invitations import FAILED
from smart_boiler_plugin.customers.invitations import server_url as check_server_url
from smart_boiler_plugin.customers.rows import load_rows, read_csv
from smart_boiler_plugin.customers.taking_on import take_on_many
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
    tapping_profile, boiler_name, timezone, latitude, longitude, tariff. Quantities have units: 80 l, 50 °C.
    Running it again takes on who is missing, and says of the others that they exist.

    \b
    Example:
      flexmeasures smart-boiler add-customers customers.csv --operator 1 --dry-run
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
    operator = find_account(operator_id, "--operator")
    if not operator.has_role(CONSULTANCY_ACCOUNT_ROLE):
        raise click.BadParameter(
            f"Account {operator.id} has no role {CONSULTANCY_ACCOUNT_ROLE}.", param_hint="--operator"
        )
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = load_rows(read_csv(lines))
    except (SmartBoilerError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file}: {error}") from error
    made, failed, refused = 0, 0, []
    with (
        current_app.test_request_context(base_url=url or None),
        click.progressbar(
            take_on_many(rows, operator, dry_run=dry_run, given_url=server_url), length=len(rows), label="Customers"
        ) as bar,
    ):
        for number, outcome in enumerate(bar, start=1):
            if isinstance(outcome, Customer):
                made += 1
                failed += outcome.invitation == FAILED
            else:
                refused.append((number, outcome))
    for number, refusal in refused:
        click.secho(f"Row {number}: {refusal}", **MsgStyle.ERROR)
    done = "could be taken on" if dry_run else "were taken on"
    click.secho(f"{made} of {len(rows)} customers {done}.", **(MsgStyle.WARN if refused else MsgStyle.SUCCESS))
    if failed:
        click.secho(
            f"{failed} invitations failed; the server's log says why. Send them again by the API.", **MsgStyle.WARN
        )
    if refused:
        raise click.exceptions.Exit(1)


@click.command("list-customers")
@click.option("--operator", "operator_id", type=int, help="Account id of an operator. [default: all]")
@click.option("--check", is_flag=True, help="Tell what households have stored that they should not.")
@click.option("--page", type=click.IntRange(1, 1_000_000), default=1, show_default=True, help="Which page.")
@click.option(
    "--per-page", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many customers on a page."
)
@with_appcontext
def list_customers(operator_id: int | None, page: int, per_page: int, *, check: bool) -> None:
    """List the customers of all or one operator; or, with --check, what they have stored that they should not.

    That is: sensors of others in a flex-model or flex-context, schedulers from anywhere, names with markup, changed
    roles. All but the roles is mended by `flexmeasures smart-boiler upgrade`. Exits with 1 where there is any.

    \b
    Example:
      flexmeasures smart-boiler list-customers --operator 1 --page 2
      flexmeasures smart-boiler list-customers --check
    """  # noqa: D301 (click wants the \b)
    operator = None if operator_id is None else find_account(operator_id, "--operator")
    if check:
        found = [(account.id, account.name, problem) for account, problem in misuse.found_of(operator)]
        if not found:
            click.secho("Nothing to mend.", **MsgStyle.SUCCESS)
            return
        click.echo(tabulate(found, headers=["account", "customer", "problem"], disable_numparse=[1, 2]))
        raise click.exceptions.Exit(1)
    rows = listing.names_of_all(operator, page, per_page)
    # a name may look like a number: 1e3
    headers = ["account", "customer", "operator", "boiler", "name"]
    click.echo(tabulate(rows, headers=headers, disable_numparse=[1, 2, 4]))
    total = listing.count_of_all(operator)
    if total > per_page:
        click.echo(f"Page {page} of {-(-total // per_page)}, of {total} customers: --page and --per-page show others.")


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
