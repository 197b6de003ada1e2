"""The command that learns what households draw."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import click
from flask.cli import with_appcontext
from flexmeasures.cli.utils import MsgStyle
from tabulate import tabulate

from smart_boiler_plugin.boiler.owners import count_boilers
from smart_boiler_plugin.cli.accounts import find_account, find_customer
from smart_boiler_plugin.cli.dates import DATE
from smart_boiler_plugin.learning import daily
from smart_boiler_plugin.learning.learn import ENOUGH

MEANS = {
    daily.LEARNED: "draw-offs were inferred from temperatures and power, and are stored",
    daily.MEASURED: "a meter told the draw-offs; the day counts",
    daily.AWAY: "nobody was at home: the day does not count",
    daily.FEW_READINGS: f"less than {ENOUGH:.0%} of the day is known: it does not count",
    daily.NO_POWER: "neither metered nor planned power: the day does not count",
    daily.NOT_OVER: "run it again when it is",
    daily.BROKEN: "see below",
}
"""What outcomes mean, for people."""


@click.command("learn")
@click.option("--date", "day", type=DATE, help="The day, local time. [default: yesterday where each boiler is]")
@click.option("--operator", "operator_id", type=int, help="Account id of an operator. [default: all]")
@click.option("--customer", "customer_id", type=int, help="Account id of a customer. [default: all]")
@with_appcontext
def learn(day: datetime | None, operator_id: int | None, customer_id: int | None) -> None:
    """Learn what households drew on a day, for plans that suit them.

    What a tank was colder than it should have been was drawn: it is stored on the boilers' sensors "demand", with a
    data source of its own. Where a meter measured draw-offs, nothing is inferred. Once a day, after midnight, is
    enough; running it again is harmless. What is wrong with one boiler stops no other, and is listed at the end.

    \b
    Examples:
      flexmeasures smart-boiler learn
      flexmeasures smart-boiler learn --date 2026-02-04 --operator 3
      flexmeasures smart-boiler learn --customer 7
    """  # noqa: D301 (click wants the \b)
    operator = None if operator_id is None else find_account(operator_id, "--operator")
    customer = None if customer_id is None else find_customer(customer_id, "--customer")
    count = count_boilers(operator, customer)
    if not count:
        raise click.ClickException("There is no boiler. Take on a customer first, or choose another account.")
    with click.progressbar(daily.learn(day and day.date(), operator, customer), length=count, label="Boilers") as bar:
        outcomes = list(bar)
    found = Counter(outcome.what for outcome in outcomes)
    click.echo(
        tabulate(
            [[what, found[what], told] for what, told in MEANS.items() if what in found], ["outcome", "boilers", ""]
        )
    )
    broken = [outcome for outcome in outcomes if outcome.what == daily.BROKEN]
    for outcome in broken:
        click.secho(f"Boiler {outcome.asset_id} ({outcome.name}): {outcome.problem}", **MsgStyle.ERROR)
    counted = sum(found[what] for what in daily.COUNTED)
    click.secho(
        f"The day counts for {counted} of {len(outcomes)} boilers.",
        **(MsgStyle.SUCCESS if counted == len(outcomes) else MsgStyle.WARN),
    )
    if broken:
        raise click.exceptions.Exit(1)
