"""The command that brings what earlier versions stored to today's form."""

from __future__ import annotations

import click
from flask.cli import with_appcontext
from flexmeasures.cli.utils import MsgStyle
from tabulate import tabulate

from smart_boiler_plugin.boiler.owners import count_boilers
from smart_boiler_plugin.cli.progress import watched
from smart_boiler_plugin.fleet.upgrade import upgrade as upgrade_all


@click.command("upgrade")
@click.option("--dry-run", "--check", is_flag=True, help="Find out what would be changed, and change nothing.")
@click.option(
    "--set-points",
    is_flag=True,
    help="Take the floor of 50 °C away that earlier versions gave to whoever named none: set-points serve instead.",
)
@with_appcontext
def upgrade(*, dry_run: bool, set_points: bool) -> None:
    """Bring what earlier versions of this plugin stored to today's form, after an update of it.

    Boilers get the sensors, key figures and graphs that they lack, and their flex-model and scheduler as this version
    has them; spot tariffs get their data source. Running it again is harmless. What is wrong with one boiler stops no
    other, and is listed at the end.

    A boiler keeps its floor, unless --set-points is given: then a floor of 50 °C goes that nobody asked for, and hot
    water is served at the useful temperature of the household (40 °C, unless it says otherwise). A floor that was set
    since this version stays.

    \b
    Example:
      flexmeasures smart-boiler upgrade --dry-run
      flexmeasures smart-boiler upgrade
      flexmeasures smart-boiler upgrade --set-points --check
    """  # noqa: D301 (click wants the \b)
    kept = "They are stored; the same command goes on with the others."
    outcomes = watched(upgrade_all(dry_run=dry_run, set_points=set_points), "boilers", count_boilers(), kept)
    rows = [[outcome.asset_id, outcome.name, change] for outcome in outcomes for change in outcome.changes]
    done = "Would be changed" if dry_run else "Changed"
    if rows:
        # a name may look like a number: 1e3
        click.echo(tabulate(rows, headers=["asset", "name", done.lower()], disable_numparse=[1, 2]))
    broken = [outcome for outcome in outcomes if outcome.problems]
    for outcome in broken:
        for problem in outcome.problems:
            click.secho(f"Asset {outcome.asset_id} ({outcome.name}): {problem}", **MsgStyle.ERROR)
    changed = sum(1 for outcome in outcomes if outcome.changes)
    click.secho(
        f"{done}: {changed} of {len(outcomes)} boilers and tariffs." if changed else "Nothing to change.",
        **(MsgStyle.WARN if broken else MsgStyle.SUCCESS),
    )
    if broken:
        raise click.exceptions.Exit(1)
