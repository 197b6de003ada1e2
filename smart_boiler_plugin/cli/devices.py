"""Commands about devices."""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta
from importlib.util import find_spec

import click
from flask import current_app
from flask.cli import with_appcontext
from flexmeasures.cli.utils import MsgStyle
from flexmeasures.utils.time_utils import server_now

from smart_boiler_plugin.boiler.owners import boiler_ids
from smart_boiler_plugin.cli.accounts import find_chosen, find_customer
from smart_boiler_plugin.devices.bridge import Bridge
from smart_boiler_plugin.devices.broker import Broker
from smart_boiler_plugin.devices.lease import LONGEST
from smart_boiler_plugin.devices.pausing import pause
from smart_boiler_plugin.errors import SmartBoilerError

LONGEST_PAUSE_H = 24 * 366

LONGEST_LEASE_S = round(LONGEST.total_seconds())


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


@click.command("mqtt-bridge")
@click.option("--url", help="Address of the broker, in place of the setting SMART_BOILER_MQTT_URL.")
@click.option("--ca", help="File with the authorities that may vouch for it, in place of SMART_BOILER_MQTT_CA.")
@click.option(
    "--longest-lease",
    "longest_s",
    type=click.IntRange(4, LONGEST_LEASE_S),
    default=LONGEST_LEASE_S,
    show_default=True,
    help="For how many seconds heating is forbidden at most, to try out what happens when something is gone.",
)
@with_appcontext
def run_mqtt_bridge(url: str | None, ca: str | None, longest_s: int) -> None:
    """Carry readings and commands between boilers that speak MQTT and their plans, until it is ended.

    Which boiler has which device is said by PATCH /boiler-customer/<account> (docs/devices.md). Devices are forbidden
    to heat for 20 minutes at most, each 5 minutes anew: ended, killed or without a connection, it leaves ordinary
    boilers behind. It connects again by itself. Run one, by systemd or the like; a second one is harmless.

    User and password are read from the environment: SMART_BOILER_MQTT_USER, SMART_BOILER_MQTT_PASSWORD.

    \b
    Examples:
      flexmeasures smart-boiler mqtt-bridge
      SMART_BOILER_MQTT_USER=bridge SMART_BOILER_MQTT_PASSWORD=... \\
        flexmeasures smart-boiler mqtt-bridge --url mqtts://mqtt.example.com
    """  # noqa: D301 (click wants the \b)
    missing = [name for name in ("aiomqtt", "jsonpath") if find_spec(name) is None]
    if missing:
        raise click.ClickException("The bridge needs further packages: pip install aiomqtt python-jsonpath")
    try:
        broker = Broker.of(url, ca)
        broker.tls()
    except SmartBoilerError as error:
        raise click.ClickException(str(error)) from error
    asyncio.run(_bridge(broker, timedelta(seconds=longest_s)))


async def _bridge(broker: Broker, longest: timedelta) -> None:
    """Run the bridge until somebody ends this process."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 (Flask's way to the app)
    bridge = Bridge(app, broker, longest=longest, tell=lambda text: click.echo(f"{server_now():%H:%M:%S} {text}"))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, bridge.stop.set)
    await bridge.run()
    click.echo("Ended: what forbids boilers to heat ends by itself.")
