"""``python -m smart_boiler_plugin.doctor``: where the server does not start, or does not load the plugin."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import click
from flask import Flask

from smart_boiler_plugin.doctor.findings import Finding
from smart_boiler_plugin.doctor.packages import versions
from smart_boiler_plugin.doctor.telling import choosing, tell


@click.command()
@choosing
@click.pass_context
def main(context: click.Context, file: Path | None, *, as_json: bool) -> None:
    """Find out why a server does not start, or does not load this plugin; else do as `smart-boiler doctor`.

    \b
    Examples:
      python -m smart_boiler_plugin.doctor
      python -m smart_boiler_plugin.doctor --json
    """  # noqa: D301 (click wants the \b)
    logging.disable(logging.CRITICAL)
    # what is missing may be what all else is made of
    missing = [Finding(each.told, each.fix, versions.__name__) for each in versions() if not each.well]
    if missing:
        tell(missing, as_json=as_json)
    from smart_boiler_plugin.doctor.all_of_it import findings_of  # noqa: PLC0415

    app, before = _start()
    if app is None:
        tell(before, as_json=as_json)
        return
    context.with_resource(app.app_context())
    tell(findings_of(app), file, as_json=as_json)


def _start() -> tuple[Flask | None, list[Finding]]:
    """Return the app; or None and what was found, where it does not start or would not load the plugin."""
    from smart_boiler_plugin.doctor import written  # noqa: PLC0415
    from smart_boiler_plugin.doctor.asking import examine  # noqa: PLC0415

    bare = Flask("flexmeasures")
    told = list(_read(bare)) or list(examine(written.CHECKS, bare))
    if any(finding.about in {"configuration file", "plugins"} and not finding.well for finding in told):
        return None, told
    from flexmeasures.app import create  # noqa: PLC0415 (it is what may fail)

    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            return create(), []
    except (Exception, SystemExit) as error:  # noqa: BLE001 (whatever it is, a person reads it)
        said = f"{type(error).__name__}: {error}. {printed.getvalue()}".strip()
        fix = "Mend what is wrong above; else look for this error in the log."
        return None, [*told, Finding(f"FlexMeasures does not start: {said}", fix, "start")]


def _read(bare: Flask) -> Iterator[Finding]:
    """Read the host's configuration into a bare app, and yield what is wrong with the file itself."""
    from smart_boiler_plugin.host import read_configuration  # noqa: PLC0415

    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            read_configuration(bare)
    except SystemExit:
        lines = [line for line in printed.getvalue().splitlines() if line.startswith(("Missing", "Please", "You can"))]
        fix = "Copy .flexmeasures.cfg.example to ~/.flexmeasures.cfg, and fill it in."
        yield Finding(" ".join(lines) or printed.getvalue(), fix, "configuration file")
    except Exception as error:  # noqa: BLE001 (the file is Python, and may do anything)
        fix = "Mend the line that it names: the file is Python."
        yield Finding(f"The configuration cannot be read: {type(error).__name__}: {error}", fix, "configuration file")


if __name__ == "__main__":
    main()
