"""What a person or a program sees of findings, and the exit code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from smart_boiler_plugin.doctor.findings import Finding


def choosing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its options: what is looked at besides, and how it is told."""
    path = click.Path(exists=True, dir_okay=False, path_type=Path)
    told = "Check this configuration of ProfitOrLossReporter, too."
    with_file = click.option("--report-config", "file", type=path, help=told)
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(with_file(command))


def tell(findings: Iterable[Finding], file: Path | None = None, *, as_json: bool = False) -> None:
    """Print what was found, as it comes in; exit with 1 where something is wrong.

    Parameters
    ----------
    findings
        What was found.
    file
        A configuration of a report, which is checked as well; within an app context.
    as_json
        Print one JSON document.

    """
    told = []
    for finding in _all(findings, file):
        told.append(finding)
        if not as_json:
            _print(finding)
    wrong = sum(not finding.well for finding in told)
    if as_json:
        shown = [{**asdict(finding), "well": finding.well} for finding in told]
        click.echo(json.dumps({"wrong": wrong, "findings": shown}, indent=2, ensure_ascii=False))
    else:
        said = (
            f"{wrong} of {len(told)} things are wrong." if wrong else f"All {len(told)} things are as they should be."
        )
        click.secho(said, fg="red" if wrong else "green")
    if wrong:
        raise click.exceptions.Exit(1)


def _all(findings: Iterable[Finding], file: Path | None) -> Iterable[Finding]:
    yield from findings
    if file is not None:
        from smart_boiler_plugin.doctor import report_config  # noqa: PLC0415 (it needs FlexMeasures)

        yield from report_config.check(file)


def _print(finding: Finding) -> None:
    mark = click.style("well ", fg="green") if finding.well else click.style("WRONG", fg="red")
    click.echo(f"{mark}  {finding.about + ':':<15} {finding.told}")
    if not finding.well:
        click.echo(f"       {'':<15} -> {finding.fix}")
