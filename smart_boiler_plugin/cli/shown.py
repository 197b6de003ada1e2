"""What a command shows: a table for people, or the same as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
from tabulate import tabulate

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

with_json: Decorator = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def show(columns: Mapping[str, str], rows: Sequence[Sequence[Any]], *, as_json: bool, **options: Any) -> None:
    """Print rows.

    Parameters
    ----------
    columns
        Names of the columns: in JSON, and what stands above them for people.
    rows
        A value for each column.
    as_json
        Print a list of objects.
    options
        Of the table.

    """
    if as_json:
        show_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        # tabulate cannot leave single columns as they are where there is no row
        click.echo(tabulate(rows, headers=list(columns.values()), **(options if rows else {})))


def show_json(document: Any) -> None:
    """Print a JSON document; what JSON does not know (days, moments, quantities) as text."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))
