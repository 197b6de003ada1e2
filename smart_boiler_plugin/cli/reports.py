"""Commands about costs and savings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

import click
from flask.cli import with_appcontext
from flexmeasures.cli.utils import MsgStyle
from tabulate import tabulate

from smart_boiler_plugin.boiler.owners import count_boilers
from smart_boiler_plugin.cli.accounts import find_account, find_customer
from smart_boiler_plugin.cli.dates import DATE
from smart_boiler_plugin.clock.days import days_between
from smart_boiler_plugin.money.accounting import EARLIEST, DayAccount, last_day, total_of
from smart_boiler_plugin.money.report import Outcome
from smart_boiler_plugin.money.report import report as report_fleet

HEADERS = [
    *("boiler", "name", "customer", "days", "electricity [kWh]"),
    *("cost", "thermostat's cost", "savings", "currency", "measured"),
]


@click.command("report")
@click.option(
    "--date", "only", type=DATE, help="The day, local time. [default: the last one that is over where each boiler is]"
)
@click.option("--from", "first", type=DATE, help="First of several days, local time.")
@click.option("--until", "last", type=DATE, help="Last of several days, included. [default: yesterday]")
@click.option("--operator", "operator_id", type=int, help="Account id of an operator. [default: all]")
@click.option("--customer", "customer_id", type=int, help="Account id of a customer. [default: all]")
@with_appcontext
def report(
    only: datetime | None,
    first: datetime | None,
    last: datetime | None,
    operator_id: int | None,
    customer_id: int | None,
) -> None:
    """Report what days of all boilers cost, and what they saved against an ordinary thermostat.

    Costs are worked out by FlexMeasures' ProfitOrLossReporter, from metered power and elsewhere as planned; savings at
    equal heat left in the tank. They are stored on the boilers' sensors "cost", "daily cost" and "daily savings".
    Running it again is harmless. What is wrong with one boiler stops no other, and is listed at the end.

    \b
    Examples:
      flexmeasures smart-boiler report
      flexmeasures smart-boiler report --date 2026-02-04
      flexmeasures smart-boiler report --from 2026-02-01 --until 2026-02-28 --customer 7
    """  # noqa: D301 (click wants the \b)
    days = _days(only, first, last)
    operator = None if operator_id is None else find_account(operator_id, "--operator")
    customer = None if customer_id is None else find_customer(customer_id, "--customer")
    count, number_of_days = count_boilers(operator, customer), len(days) if days else 1
    if not count:
        raise click.ClickException("There is no boiler. Take on a customer first, or choose another account.")
    with click.progressbar(
        report_fleet(days, operator, customer), length=count * number_of_days, label="Reports"
    ) as bar:
        outcomes = list(bar)
    formats = ("", "", "", "", ".2f", ".2f", ".2f", ".2f")
    rows = _rows(outcomes)
    if rows:
        # a name may look like a number: 1e3
        click.echo(tabulate(rows, headers=HEADERS, floatfmt=formats, disable_numparse=[0, 1, 2]))
    failed = [outcome for outcome in outcomes if outcome.account is None]
    for outcome in failed:
        click.secho(f"Boiler {outcome.asset_id} ({outcome.name}), {outcome.day}: {outcome.problem}", **MsgStyle.ERROR)
    done = len(outcomes) - len(failed)
    click.secho(
        f"{done} of {len(outcomes)} reports ({count} boilers, {number_of_days} days) are stored.",
        **(MsgStyle.WARN if failed else MsgStyle.SUCCESS),
    )
    if failed:
        raise click.exceptions.Exit(1)


def _days(only: datetime | None, first: datetime | None, last: datetime | None) -> list[date] | None:
    """Return the days that the options name, which must be over; None where they name none."""
    if only and (first or last):
        raise click.UsageError("Give either --date, or --from and --until.")
    last, first = only or last, only or first
    if not (first or last):
        return None
    yesterday = last_day()
    until = last.date() if last else yesterday
    begin = first.date() if first else until
    if until > yesterday:
        raise click.UsageError(f"{until} is not over yet; {yesterday} is the last day that can be reported.")
    if begin < EARLIEST:
        raise click.UsageError(f"{begin} is too early; {EARLIEST} is the first day that can be reported.")
    if until < begin:
        raise click.UsageError(f"--until ({until}) is before --from ({begin}).")
    return days_between(begin, until)


def _rows(outcomes: Sequence[Outcome]) -> list[list[object]]:
    """Return a row for each boiler with its totals over the days, and one for all boilers of a currency."""
    accounts: defaultdict[tuple[str, ...], list[DayAccount]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.account is not None:
            currency = outcome.account.currency
            accounts[currency, str(outcome.asset_id), outcome.name, outcome.customer].append(outcome.account)
            accounts[currency, "all", "", ""].append(outcome.account)
    rows = []
    # the totals of all boilers last
    for key in sorted(accounts, key=lambda key: key[1] == "all"):
        currency, *who = key
        total = total_of(accounts[key])
        money = [total.cost, total.baseline_cost, total.savings]
        rows.append([*who, total.days, total.electricity_kwh, *money, currency, f"{total.coverage:.0%}"])
    return rows
