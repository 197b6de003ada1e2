"""The command that finds what makes a first day fail."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from smart_boiler_plugin.doctor.all_of_it import findings_of
from smart_boiler_plugin.doctor.telling import choosing, tell


@click.command("doctor")
@choosing
@with_appcontext
def doctor(file: Path | None, *, as_json: bool) -> None:
    """Find out what would make a first day fail, and say what mends it.

    Looked at are versions, configuration, plugins, time zone, links, database, tables, Redis, workers, clocks, mail,
    the operator, prices and buildings with boilers. Nothing is changed, and no mail is sent. Exits with 1 where
    something is wrong. Where there is no such command, as FlexMeasures does not start or does not load the plugin, run
    `python -m smart_boiler_plugin.doctor` (in a checkout that is not installed: in its folder).

    \b
    Examples:
      flexmeasures smart-boiler doctor
      flexmeasures smart-boiler doctor --report-config reporter-costs-config.json
      flexmeasures smart-boiler doctor --json
    """  # noqa: D301 (click wants the \b)
    tell(findings_of(current_app._get_current_object()), file, as_json=as_json)  # type: ignore[attr-defined]  # noqa: SLF001 (flask's own way)
