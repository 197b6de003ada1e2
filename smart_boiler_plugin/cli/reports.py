"""The command about costs and savings."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import click
from flask.cli import with_appcontext
from flexmeasures import Account
from flexmeasures.cli.utils import MsgStyle
from marshmallow import ValidationError
from tabulate import tabulate

from smart_boiler_plugin.boiler.data_schema import PLACE_FIELDS, BoilerSchema
from smart_boiler_plugin.boiler.owners import count_boilers
from smart_boiler_plugin.cli.accounts import choosing_customer, choosing_operator, find_chosen, no_boiler
from smart_boiler_plugin.cli.dates import DATE
from smart_boiler_plugin.cli.progress import watched
from smart_boiler_plugin.cli.shown import show_json, with_json
from smart_boiler_plugin.clock.days import days_between
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.money.accounting import EARLIEST, DayAccount, last_day, total_of
from smart_boiler_plugin.money.correcting import report_again
from smart_boiler_plugin.money.report import TOO_EARLY, Outcome
from smart_boiler_plugin.money.report import report as report_fleet
from smart_boiler_plugin.prices import tariffs

HEADERS = [
    *("boiler", "name", "customer", "days", "electricity [kWh]"),
    *("cost", "thermostat's cost", "savings", "fixed fees", "currency", "measured"),
]

LONGEST_REASON = 300
"""How long a reason may be [characters], for the audit log to hold all of it."""


@click.command("report")
@click.option(
    "--date", "only", type=DATE, help="The day, local time. [default: the last one that is over where each boiler is]"
)
@click.option("--from", "first", type=DATE, help="First of several days, local time.")
@click.option("--until", "last", type=DATE, help="Last of several days, included. [default: yesterday]")
@choosing_operator
@choosing_customer
@click.option("--again", is_flag=True, help="Correct days that are over, on purpose; with --because.")
@click.option("--because", help="Why, for the audit log.")
@click.option("--tariff", help="With --again and --customer: name of the tariff that the customer had on these days.")
@click.option("--boiler", help="With --again and --customer: JSON of what the boiler was on these days.")
@click.option(
    "--verbose", is_flag=True, help="Name all boilers that could not be reported, and not one for each reason."
)
@with_json
@with_appcontext
def report(  # noqa: PLR0913 (one for each option)
    *,
    only: datetime | None,
    first: datetime | None,
    last: datetime | None,
    operator_id: int | None,
    customer_id: int | None,
    again: bool,
    because: str | None,
    verbose: bool,
    as_json: bool,
    **corrections: str | None,
) -> None:
    """Report what days of all boilers cost, and what they saved against an ordinary thermostat.

    Costs are worked out by FlexMeasures' ProfitOrLossReporter, from metered power and elsewhere as planned; savings at
    equal heat left in the tank. They are stored on the boilers' sensors "cost", "daily cost" and "daily savings".
    Running it again is harmless. What is wrong with one boiler stops no other, and is listed at the end.

    What could not be reported is one line for each reason; that a boiler was taken on later is none to worry about.
    With --verbose, all are named. Exits with 1 where something is not known.

    Without a date, days before the last one are reported, too, if their data (power, temperature, draw-offs, prices)
    have come in since they were reported, up to 35 days back.

    Each day is accounted with the tariff and the boiler that held on it, whatever has changed since. To correct that on
    purpose, say so with --again, and why with --because: it goes to the boilers' audit log.

    \b
    Examples:
      flexmeasures smart-boiler report
      flexmeasures smart-boiler report --date 2026-02-04
      flexmeasures smart-boiler report --from 2026-02-01 --until 2026-02-28 --customer 7
      flexmeasures smart-boiler report --again --because "on the wrong tariff since 1 February" --customer 7 \\
        --from 2026-02-01 --tariff "Day and night"
      flexmeasures smart-boiler report --again --because "new tank on 3 February, entered late" --customer 7 \\
        --from 2026-02-03 --boiler '{"volume": "100 l"}'
    """  # noqa: D301 (click wants the \b)
    days = _days(only, first, last)
    _check_again(again, because, days, corrections, customer_id)
    operator, customer = find_chosen(operator_id, customer_id)
    count, number_of_days = count_boilers(operator, customer), len(days) if days else 1
    if not count:
        raise no_boiler()
    try:
        if again:
            found = report_again(days or [], because or "", operator, customer, **_read(corrections, customer))
        else:
            found = report_fleet(days, operator, customer)
        kept = "Days that are finished are stored. Running it again is harmless."
        outcomes = watched(found, "reports", count * number_of_days, kept)
    except SmartBoilerError as error:
        raise click.ClickException(str(error)) from error
    failed = [outcome for outcome in outcomes if outcome.account is None and outcome.reason != TOO_EARLY]
    if as_json:
        _show_json(outcomes)
    else:
        _tell(outcomes, failed, verbose=verbose)
        usual = [outcome for outcome in outcomes if not outcome.late]
        done = sum(outcome.account is not None for outcome in usual)
        click.secho(
            f"{done} of {len(usual)} reports ({count} boilers, {number_of_days} days) are stored.",
            **(MsgStyle.WARN if failed else MsgStyle.SUCCESS),
        )
    if failed:
        raise click.exceptions.Exit(1)


def _tell(outcomes: Sequence[Outcome], failed: Sequence[Outcome], *, verbose: bool) -> None:
    """Print what was reported, and one line for each reason why others were not; their names where asked for."""
    _show([outcome for outcome in outcomes if not outcome.late])
    late = [outcome for outcome in outcomes if outcome.late]
    if any(outcome.account for outcome in late):
        click.echo("Reported anew, as data of these days came late:")
        _show(late)
    for reason, count in Counter(each.reason for each in outcomes if each.account is None).most_common():
        some = [each for each in outcomes if each.account is None and each.reason == reason]
        style = MsgStyle.ERROR if some[0] in failed else {}
        named = [f"Boiler {each.asset_id} ({each.name}), {each.day}: {each.problem}" for each in some]
        such_as = "" if verbose or some[0] not in failed else f" Such as: {named[0]}"
        click.secho(f"{count} not reported: {reason}.{such_as}", **style)
        for told in named if verbose else []:
            click.secho(f"  {told}", **style)


def _show_json(outcomes: Sequence[Outcome]) -> None:
    """Print what came of each boiler's day."""
    show_json(
        [
            {
                "boiler": each.asset_id,
                "name": each.name,
                "customer": each.customer,
                "day": each.day,
                "late": each.late,
                "account": each.account and asdict(each.account),
                "reason": each.reason or None,
                "problem": each.problem or None,
            }
            for each in outcomes
        ]
    )


def _show(outcomes: Sequence[Outcome]) -> None:
    """Print a table of what was reported, if anything was."""
    rows = _rows(outcomes)
    if rows:
        formats = ("", "", "", "", ".2f", ".2f", ".2f", ".2f", ".2f")
        # a name may look like a number: 1e3
        click.echo(tabulate(rows, headers=HEADERS, floatfmt=formats, disable_numparse=[0, 1, 2], missingval="?"))


def _check_again(
    again: bool,  # noqa: FBT001 (an option)
    because: str | None,
    days: list[date] | None,
    corrections: Mapping[str, str | None],
    customer_id: int | None,
) -> None:
    """Refuse a correction without a reason or without days, and what only a correction can have."""
    given = [f"--{option}" for option, value in corrections.items() if value is not None]
    if not again:
        if because is not None or given:
            raise click.UsageError(f"{(given or ['--because'])[0]} is for corrections: give --again, too.")
        return
    if days is None:
        raise click.UsageError("Say which days are to be reported again: --date, or --from and --until.")
    if because is None or not because.strip():
        raise click.UsageError('Say why, for the audit log: --because "on the wrong tariff since 1 February".')
    if len(because) > LONGEST_REASON or not because.isprintable():
        raise click.UsageError(f"--because must have {LONGEST_REASON} characters at most, and no line breaks.")
    if given and customer_id is None:
        raise click.UsageError(f"{given[0]} is of one customer: give --customer, too.")


def _read(corrections: Mapping[str, str | None], customer: Account | None) -> dict[str, Any]:
    """Return what a customer is to have had: its tariff, and fields of its boiler's data."""
    name, text = corrections["tariff"], corrections["boiler"]
    return {
        "tariff": tariffs.find(name, customer.consultancy_account) if name and customer else None,
        "data": _read_boiler(text) if text else None,
    }


def _read_boiler(text: str) -> dict[str, Any]:
    """Return what is said of a boiler as fields of its data."""
    try:
        said: dict[str, Any] = BoilerSchema(exclude=PLACE_FIELDS).load(json.loads(text))
    except json.JSONDecodeError as error:
        raise click.UsageError(
            f'--boiler is no JSON: {error}. Expected, for example, \'{{"volume": "100 l"}}\'.'
        ) from error
    except ValidationError as error:
        raise SmartBoilerError({"--boiler": error.messages}) from error
    return said


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
    rows: list[list[object]] = []
    # the totals of all boilers last
    for key in sorted(accounts, key=lambda key: key[1] == "all"):
        currency, *who = key
        total = total_of(accounts[key])
        money: list[object] = [total.cost, total.baseline_cost, total.savings, total.fixed_fees]
        rows.append([*who, total.days, total.electricity_kwh, *money, currency, f"{total.coverage:.0%}"])
    return rows
