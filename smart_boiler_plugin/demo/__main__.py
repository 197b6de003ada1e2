"""From the command line to a running stack, through the six steps, and back to nothing left running."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import click

from smart_boiler_plugin.demo import show
from smart_boiler_plugin.demo.business import credentials, open_business
from smart_boiler_plugin.demo.steps import Demo, entsoe_settings
from smart_boiler_plugin.embedded.processes import StackError
from smart_boiler_plugin.embedded.stack import Stack, clear

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
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        _run(port, folder, serve=serve)
    except KeyboardInterrupt:
        click.echo("\nEnded: nothing is left running.")
        sys.exit(0 if serve else 130)
    except StackError as error:
        click.secho(f"\nerror: {error}", fg="red", err=True)
        if (folder / "logs").exists():
            click.echo(f"Logs are in {folder / 'logs'}", err=True)
        sys.exit(1)


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise KeyboardInterrupt


def _run(port: int, folder: Path, *, serve: bool) -> None:
    begin = time.monotonic()
    fresh = not (serve and (folder / COMPLETE).exists())
    if fresh:
        clear(folder)
    show.heading("Start PostgreSQL, Redis, FlexMeasures and a worker")
    with ExitStack() as running:
        with show.timed() as say:
            stack = running.enter_context(Stack(folder, port=port, settings=entsoe_settings()))
            say(f"database, Redis and mailbox in {folder}")
        # interrupted once is enough: what runs must then be ended in order
        running.callback(_ignore_interrupts)
        if fresh:
            with show.timed() as say:
                open_business(stack)
                say("tables, an operator and an admin: flexmeasures db upgrade, add account, add user")
        with show.timed() as say:
            stack.start_server()
            say(f"server and worker: {stack.url}")
        if fresh:
            _walk(stack)
            (folder / COMPLETE).touch()
            click.echo(f"\nAll six steps done in {time.monotonic() - begin:.0f} s.")
        if serve:
            _serve(stack)


def _ignore_interrupts() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _walk(stack: Stack) -> None:
    for number, (title, step) in enumerate(Demo(stack).steps, start=1):
        show.heading(f"{number}. {title}")
        try:
            step()
        except Exception as error:
            raise StackError(f"Step {number} failed ({title}):\n{error}") from error


def _serve(stack: Stack) -> None:
    known = credentials(stack)
    show.heading(f"FlexMeasures runs at {stack.url}")
    for who in ("operator", "admin"):
        show.note(f"{who}: {known[who]['email']}  password: {known[who]['password']}")
    show.note(f"(also in {stack.folder / 'credentials.json'}; end with Ctrl-C)")
    click.echo("ready")
    stack.wait()


if __name__ == "__main__":
    main()
