"""Commands about what readings teach: of draw-offs, and of tanks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import click
from flask.cli import with_appcontext
from flexmeasures import Asset
from flexmeasures.cli.utils import MsgStyle
from flexmeasures.data import db
from flexmeasures.utils.time_utils import server_now
from tabulate import tabulate

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.owners import boiler_ids, count_boilers
from smart_boiler_plugin.cli.accounts import choosing_customer, choosing_operator, find_chosen, no_boiler
from smart_boiler_plugin.cli.dates import DATE
from smart_boiler_plugin.cli.progress import progress, watched
from smart_boiler_plugin.cli.shown import show, with_json
from smart_boiler_plugin.facts.believed import vessel_of
from smart_boiler_plugin.learning import daily
from smart_boiler_plugin.learning.learn import ENOUGH
from smart_boiler_plugin.learning.tanks import TankSeen, tanks_seen

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
@choosing_operator
@choosing_customer
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
    operator, customer = find_chosen(operator_id, customer_id)
    count = count_boilers(operator, customer)
    if not count:
        raise no_boiler()
    outcomes = watched(daily.learn(day and day.date(), operator, customer), "boilers", count)
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


TANKS = {
    "boiler": "boiler",
    "name": "name",
    "standing_loss": "standing loss",
    "heat_capacity": "heat capacity",
    "nights": "nights",
    "note": "note",
}

TANKS_AT_ONCE = 50
"""How many boilers' readings of four weeks are in memory at once."""


@click.command("tanks")
@choosing_operator
@choosing_customer
@click.option("--all", "every", is_flag=True, help="List all boilers, and not only what should be looked at.")
@with_json
@with_appcontext
def tanks(operator_id: int | None, customer_id: int | None, *, every: bool, as_json: bool) -> None:
    """Tell which tanks are not as they were entered: a leak, lime, a wrong volume.

    Standing loss and heat capacity are worked out from readings and metered power of the last 28 days, while nobody
    drew hot water. Nothing is stored, and plans do not use it. It takes a second for some thirty boilers.

    \b
    Examples:
      flexmeasures smart-boiler tanks --operator 3
      flexmeasures smart-boiler tanks --customer 7 --all
    """  # noqa: D301 (click wants the \b)
    operator, customer = find_chosen(operator_id, customer_id)
    ids = boiler_ids(operator, customer)
    if not ids:
        raise no_boiler()
    rows, known, noted = [], 0, 0
    with progress("tanks", len(ids), "Nothing is stored.") as advance:
        for boiler, seen in _seen(ids):
            advance(1)
            loss, capacity = (
                (each, each.told(unit, decimals)) if each else (None, "")
                for each, unit, decimals in ((seen.standing_loss, "kWh/day", 2), (seen.heat_capacity, "kWh/K", 4))
            )
            known += bool(loss[0] or capacity[0])
            noted += bool(seen.notes)
            if every or seen.notes:
                notes = " ".join(seen.notes)
                rows.append([str(boiler.asset.id), boiler.asset.name, loss[1], capacity[1], seen.nights, notes])
    if as_json:
        show(TANKS, rows, as_json=True)
        return
    if rows:
        show(TANKS, rows, as_json=False, disable_numparse=True, maxcolwidths=[None] * 5 + [60])
    click.secho(
        f"{noted} of {len(ids)} tanks should be looked at. Of {len(ids) - known} nothing is known yet: that takes "
        "readings and metered power of each quarter of an hour, of a week and more.",
        **(MsgStyle.WARN if noted else MsgStyle.SUCCESS),
    )


def _seen(ids: list[int]) -> Iterator[tuple[Boiler, TankSeen]]:
    """Yield boilers that are not broken, and what is seen of their tanks."""
    for begin in range(0, len(ids), TANKS_AT_ONCE):
        query = db.select(Asset).filter(Asset.id.in_(ids[begin : begin + TANKS_AT_ONCE])).order_by(Asset.id)
        boilers = [boiler for boiler in map(Boiler, db.session.scalars(query)) if vessel_of(boiler)]
        yield from zip(boilers, tanks_seen(boilers, server_now()), strict=True)
