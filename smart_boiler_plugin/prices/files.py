"""Day-ahead prices from a CSV file. Pure."""

from __future__ import annotations

import csv
import math
from datetime import datetime, timezone
from pathlib import Path
from typing import cast

import pandas as pd

from smart_boiler_plugin.errors import BadFileError

UNIT = "EUR/MWh"

FIRST_YEAR, LAST_YEAR = 1990, 2200
"""Before there were day-ahead prices, and before the calendars of pandas end."""

EXAMPLE = "2025-10-29T00:00+01:00,65.45"


def read_prices(file: Path) -> pd.Series[float]:
    """Return the prices [EUR/MWh] of a CSV file, by the start of their quarter.

    Raises
    ------
    BadFileError
        If it is no such file; names the line and what is wrong with it.

    """
    prices: dict[datetime, float] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines)
            _refuse_other_header(file, next(reader, []))
            for row in reader:
                if row:
                    _add_price(prices, row, where=f"{file}, line {reader.line_num}")
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadFileError(f"{file} is no CSV file in UTF-8: {error}") from error
    if not prices:
        raise BadFileError(f"{file} has no prices.")
    return cast("pd.Series[float]", pd.Series(prices).sort_index())


def _refuse_other_header(file: Path, header: list[str]) -> None:
    """Refuse a first line that is none of ours, or is no header but a price."""
    if len(header) != 2 or any(character.isdigit() for character in header[0]):  # noqa: PLR2004 (start and price)
        raise BadFileError(f"{file}, line 1: {','.join(header)} is no header. It must name two columns: start,EUR/MWh")
    if "/" in header[1] and UNIT not in header[1]:
        raise BadFileError(f"{file}, line 1: the prices are in {header[1]}. Expected: {UNIT}.")


def _add_price(prices: dict[datetime, float], row: list[str], where: str) -> None:
    """Add a row to the prices [EUR/MWh] by start, or refuse it and say where it stands and what is wrong."""
    try:
        start, price = _parse_price(row)
    except ValueError as error:
        raise BadFileError(f"{where}: {','.join(row)}: {error}. Expected, for example, {EXAMPLE}") from error
    if start in prices:
        raise BadFileError(f"{where}: {','.join(row)}: this quarter stands in the file before.")
    prices[start] = price


def _parse_price(row: list[str]) -> tuple[datetime, float]:
    """Return start (UTC) and price [EUR/MWh] of a row, or raise a ValueError that says what is wrong."""
    if len(row) != 2:  # noqa: PLR2004 (start and price)
        raise ValueError(f"{len(row)} columns in place of two")
    # Python 3.10 does not know the Z
    start = datetime.fromisoformat(row[0].strip().replace("Z", "+00:00"))
    if start.tzinfo is None:
        raise ValueError("the UTC offset is missing")
    if not FIRST_YEAR <= start.year <= LAST_YEAR:
        raise ValueError(f"no day-ahead prices are from the year {start.year}")
    start = start.astimezone(timezone.utc)
    if start.minute % 15 or start.second or start.microsecond:
        raise ValueError("no quarter of an hour starts then")
    price = float(row[1])
    if not math.isfinite(price):
        raise ValueError("the price is no number")
    return start, price
