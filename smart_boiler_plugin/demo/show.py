"""What a person sees of the demo: lines with times, a progress bar, a picture, a table."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
import pandas as pd
from tabulate import tabulate
from uniplot import plot_to_string


def heading(text: str) -> None:
    """Print what comes next."""
    click.secho(f"\n{text}", bold=True)


def note(text: str) -> None:
    """Print a remark."""
    click.echo(f"  {text}")


@contextmanager
def timed() -> Iterator[Any]:
    """Print one line for what is done in this block, with how long it took.

    Yields a function to call with the line's text.
    """
    begin = time.monotonic()
    lines: list[str] = []
    yield lines.append
    for line in lines:
        click.echo(f"  {line} ", nl=False)
        click.secho(f"({time.monotonic() - begin:.1f} s)", dim=True)


@contextmanager
def progress(label: str, length: int) -> Iterator[Any]:
    """Show a progress bar while waiting; without a terminal, the label alone."""
    with click.progressbar(length=length, label=f"  {label}", show_eta=False, width=30) as bar:
        yield bar


def picture(title: str, moments: pd.DatetimeIndex, values: Sequence[float], unit: str) -> None:
    """Draw values over local time."""
    local = moments.tz_localize(None).to_numpy()
    top = 1.1 * max(*values, 0.001)
    options = {"lines": True, "width": 72, "height": 7, "y_unit": f" {unit}", "y_min": min(*values, 0), "y_max": top}
    click.echo(plot_to_string(xs=local, ys=values, title=title, **options))


def table(rows: Sequence[Sequence[Any]], headers: Sequence[str]) -> None:
    """Print a table."""
    click.echo(tabulate(rows, headers=headers, floatfmt=".2f", tablefmt="simple"))
