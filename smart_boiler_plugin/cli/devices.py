"""Commands about devices."""

from __future__ import annotations

from datetime import timedelta

import click
from flask.cli import with_appcontext
from flexmeasures.cli.utils import MsgStyle
from flexmeasures.utils.time_utils import server_now

from smart_boiler_plugin.boiler.owners import boiler_ids
from smart_boiler_plugin.cli.accounts import find_chosen, find_customer
from smart_boiler_plugin.devices.lease import LONGEST
from smart_boiler_plugin.devices.pausing import pause

LONGEST_PAUSE_H = 24 * 366


@click.command("pause")
@click.argument("account_ids", type=int, nargs=-1, metavar="[ACCOUNT]...")
@click.option("--operator", "operator_id", type=int, help="Account id of an operator: the boilers of its customers.")
@click.option("--all", "of_all", is_flag=True, help="All boilers of this server.")
@click.option(
    "--hours", type=click.FloatRange(0.1, LONGEST_PAUSE_H), default=4.0, show_default=True, help="For how long."
)
@click.option("--end", is_flag=True, help="End it now.")
@with_appcontext
def pause_boilers(
    account_ids: tuple[int, ...], operator_id: int | None, hours: float, *, of_all: bool, end: bool
) -> None:
    """Leave boilers alone for a while: a fitter is there, or something is wrong with all of them.

    Each is an ordinary boiler then, with its own thermostat, and follows no plan. Devices are told when they ask next;
    no device is forbidden to heat for more than 20 minutes. Plans are made as before. Running it again is harmless.

    \b
    Examples:
      flexmeasures smart-boiler pause 7
      flexmeasures smart-boiler pause --operator 1 --hours 48
      flexmeasures smart-boiler pause --all
      flexmeasures smart-boiler pause --all --end
    """  # noqa: D301 (click wants the \b)
    if [bool(account_ids), operator_id is not None, of_all].count(True) != 1:
        raise click.UsageError("Name the ACCOUNT of one customer or more, or say --operator or --all.")
    if account_ids:
        ids = [each for one in account_ids for each in boiler_ids(customer=find_customer(one, "ACCOUNT"))]
    else:
        ids = boiler_ids(*find_chosen(operator_id))
    until = server_now() + timedelta(hours=hours)
    done = pause(ids, None if end else until)
    if end:
        click.secho(f"{done} boilers follow their plans again.", **MsgStyle.SUCCESS)
        return
    told = f"{done} boilers are left alone until {until:%Y-%m-%d %H:%M %Z}: they heat by their own thermostats."
    click.secho(
        f"{told} The last device hears of it within {LONGEST // timedelta(minutes=1)} minutes.", **MsgStyle.SUCCESS
    )
