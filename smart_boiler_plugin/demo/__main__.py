"""From the command line to a running stack, through the six steps, and back to nothing left running."""

from __future__ import annotations

import signal
import sys
import time
import traceback
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType

import click
from importlib_metadata import version

import smart_boiler_plugin
from smart_boiler_plugin.demo import show
from smart_boiler_plugin.demo.business import COMMANDS, credentials, open_business
from smart_boiler_plugin.demo.steps import Demo, entsoe_settings
from smart_boiler_plugin.embedded.broker import Broker
from smart_boiler_plugin.embedded.processes import INTERRUPTS, StackError, free_port
from smart_boiler_plugin.embedded.stack import Stack

COMPLETE = "demo-complete"
"""File in the folder that says that all six steps were done there."""


@click.command()
@click.option("--port", default=5000, show_default=True, type=click.IntRange(1, 65535), help="Port of the server.")
@click.option(
    "--folder",
    default=".smart-boiler",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where data, logs, mails and credentials are kept.",
)
@click.option("--serve", is_flag=True, help="Keep the server running; an earlier demo's data is used again.")
def main(port: int, folder: Path, *, serve: bool) -> None:
    """Run the six steps of a boiler business on this machine: PostgreSQL, Redis, FlexMeasures, worker and all.

    \b
    Examples:
      python -m smart_boiler_plugin.demo
      python -m smart_boiler_plugin.demo --serve --port 5001
    """  # noqa: D301 (click wants the \b)
    # SIGINT, too: a shell starts what runs in its background with Ctrl-C ignored
    for number in INTERRUPTS:
        signal.signal(number, _interrupt)
    try:
        _run(port, folder, serve=serve)
    except KeyboardInterrupt:
        click.echo("\nEnded: nothing is left running.")
        sys.exit(0 if serve else 130)
    except Exception as error:  # noqa: BLE001 (whatever it is, a person reads it)
        _tell(error, folder)
        sys.exit(1)


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    # once is enough: what runs must now be ended in order
    _ignore_interrupts()
    raise KeyboardInterrupt


def _ignore_interrupts() -> None:
    for number in INTERRUPTS:
        signal.signal(number, signal.SIG_IGN)


def _tell(error: Exception, folder: Path) -> None:
    """Say what went wrong and where the logs are; what nobody expected goes there with its stack trace."""
    logs = folder / "logs"
    if isinstance(error, StackError):
        click.secho(f"\nerror: {error}", fg="red", err=True)
    else:
        click.secho(f"\nunexpected error: {type(error).__name__}: {error}", fg="red", err=True)
        with suppress(OSError):
            (logs / "demo.log").write_text(traceback.format_exc())
    if logs.exists():
        click.echo(f"Logs are in {logs}", err=True)


def _run(port: int, folder: Path, *, serve: bool) -> None:
    begin = time.monotonic()
    complete = folder / COMPLETE
    # data of another version may not fit
    fresh = not (serve and complete.exists() and complete.read_text() == _versions())
    show.heading("Start PostgreSQL, Redis, FlexMeasures and a worker")
    with ExitStack() as running:
        with show.timed(f"database, Redis and mailbox in {folder}"):
            broker_port = free_port()
            settings = {**entsoe_settings(), "SMART_BOILER_MQTT_URL": f"mqtt://127.0.0.1:{broker_port}"}
            stack = running.enter_context(Stack(folder, port=port, settings=settings, fresh=fresh))
            running.callback(Broker(broker_port).stop)
        running.callback(_ignore_interrupts)
        if fresh:
            with show.progress("tables, an operator and an admin", COMMANDS) as step:
                open_business(stack, step)
        with show.progress(f"server and worker: {stack.url}", 2) as step:
            # it looks what devices are to be told each 5 s: nobody waits for a demo
            stack.start_bridge("--longest-lease", "20")
            stack.start_server(step)
        if fresh:
            _walk(stack, broker_port)
            complete.write_text(_versions())
            click.echo(f"\nAll six steps done in {time.monotonic() - begin:.0f} s.")
            show.next_steps(stack.url, serving=serve)
        if serve:
            _serve(stack)


def _versions() -> str:
    return f"flexmeasures {version('flexmeasures')}, smart-boiler-plugin {smart_boiler_plugin.__version__}"


def _walk(stack: Stack, broker_port: int) -> None:
    for number, (title, step) in enumerate(Demo(stack, broker_port).steps, start=1):
        show.heading(f"{number}. {title}")
        try:
            step()
        except Exception as error:
            raise StackError(f"Step {number} failed ({title}):\n{error}") from error


def _serve(stack: Stack) -> None:
    logins = credentials(stack)
    show.heading(f"FlexMeasures runs at {stack.url}")
    for who in ("operator", "admin"):
        show.note(f"{who}: {logins[who]['email']}  password: {logins[who]['password']}")
    show.note(f"(also in {stack.folder / 'credentials.json'}; end with Ctrl-C)")
    click.echo("ready")
    stack.wait()


if __name__ == "__main__":
    main()
