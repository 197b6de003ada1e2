"""What a person sees of the demo: lines with times, a progress bar, a picture, a table."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
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
def timed(what: str) -> Iterator[Any]:
    """Print what is done in this block, and, when it is done, what came of it and how long it took.

    Yields a function to call with what came of it.
    """
    begin = time.monotonic()
    results: list[str] = []
    click.echo(f"  {what}", nl=False)
    try:
        yield results.append
    except BaseException:
        click.echo()
        raise
    click.echo(f"{': ' if results else ''}{', '.join(results)} ", nl=False)
    click.secho(f"({time.monotonic() - begin:.1f} s)", dim=True)


@contextmanager
def progress(label: str, length: int) -> Iterator[Callable[[int], object]]:
    """Show a progress bar while waiting, and how long it took; without a terminal, only the latter.

    Yields a function to call with how many steps more are done.
    """
    if not sys.stdout.isatty():
        with timed(label):
            yield lambda _: None
        return
    begin = time.monotonic()
    bar: Any = click.progressbar(
        length=length,
        label=f"  {label}",
        show_eta=False,
        width=20,
        item_show_func=lambda _: click.style(f"({time.monotonic() - begin:.1f} s)", dim=True),
    )
    with bar:
        yield bar.update


def picture(title: str, moments: pd.DatetimeIndex, values: Sequence[float], unit: str) -> None:
    """Draw values over local time."""
    local = moments.tz_localize(None).to_numpy()
    top = 1.1 * max(*values, 0.001)
    options = {"lines": True, "width": 72, "height": 7, "y_unit": f" {unit}", "y_min": min(*values, 0), "y_max": top}
    click.echo(plot_to_string(xs=local, ys=values, title=title, **options))


def table(rows: Sequence[Sequence[Any]], headers: Sequence[str]) -> None:
    """Print a table."""
    click.echo(tabulate(rows, headers=headers, floatfmt=".2f", tablefmt="simple"))


def next_steps(url: str, *, serving: bool) -> None:
    """Say where to look next."""
    heading("Where to look next")
    again = [] if serving else [("make serve", "this server, kept running, with these customers; then")]
    for where, what in (
        *again,
        (f"{url}/smart-boiler-plugin/", "its fleet, as the operator sees it"),
        ("docs/quickstart.md", "the same six steps by curl, one by one"),
        ("docs/installing.md", "in a server of your own; `flexmeasures smart-boiler doctor` tells what is missing"),
    ):
        note(f"{where:<44} {what}")
