"""The command that sees to what workers that died have left."""

from __future__ import annotations

import click
from flask.cli import with_appcontext
from flexmeasures.cli.utils import MsgStyle

from smart_boiler_plugin.plan import abandoned

ALL = 100_000
"""How many failed plans are looked at: those of all the time that RQ keeps them."""


@click.command("clean-up")
@with_appcontext
def clean_up() -> None:
    """Mark jobs of workers that died as failed, and queue their plans once more.

    A worker that is killed leaves its job "started". When the job has had no heartbeat for 90 seconds, this command
    marks it as failed, and queues it once more if it is a plan whose time is not over. A trigger over HTTP does the
    same. Running it again is harmless; in a crontab, it bounds how long a plan can hang.

    \b
    Example:
      flexmeasures smart-boiler clean-up
      */5 * * * *   /path/to/venv/bin/flexmeasures smart-boiler clean-up
    """  # noqa: D301 (click wants the \b)
    done = abandoned.clean_up(ALL)
    click.secho(
        f"Jobs of workers that died: {done.failed} marked as failed. Plans queued again: {done.queued_again}.",
        **MsgStyle.SUCCESS,
    )
    waiting = abandoned.waiting_for_nobody()
    if waiting:
        click.secho(
            f"Plans that wait: {waiting}. There is no worker for them: flexmeasures jobs run-worker --queue scheduling",
            **MsgStyle.WARN,
        )
