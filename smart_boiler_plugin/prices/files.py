"""Day-ahead prices from a CSV file. Pure."""

from __future__ import annotations

import csv
import math
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import cast

import pandas as pd

from smart_boiler_plugin.errors import BadFileError

EUR_PER_MWH = {"eur/mwh": 1.0, "€/mwh": 1.0, "eur/kwh": 1000.0, "€/kwh": 1000.0, "ct/kwh": 10.0, "cent/kwh": 10.0}
"""What one of a unit is in EUR/MWh. Other money, such as öre/kWh, cannot be stored among EUR."""

QUARTER = timedelta(minutes=15)

STEPS = (timedelta(minutes=30), timedelta(minutes=60))
"""Steps of a file that are longer than a quarter."""

FIRST_YEAR, LAST_YEAR = 1990, 2200
"""Before there were day-ahead prices, and before the calendars of pandas end."""

EXAMPLE = "2025-10-29T00:00+01:00,65.45"


def read_prices(file: Path) -> pd.Series[float]:
    """Return the prices [EUR/MWh] of a CSV file, by the start of their row (UTC), in the file's own steps.

    Columns are separated by commas, or by semicolons: then a price may have a decimal comma.

    Raises
    ------
    BadFileError
        If it is no such file; names the line and what is wrong with it.

    """
    prices: dict[datetime, float] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            header = lines.readline()
            delimiter = ";" if ";" in header else ","
            factor = _factor(file, next(csv.reader([header], delimiter=delimiter), []))
            reader = csv.reader(lines, delimiter=delimiter)
            for row in reader:
                if row:
                    where = f"{file}, line {reader.line_num + 1}"
                    _add_price(prices, _with_point(row) if delimiter == ";" else row, factor, where)
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadFileError(f"{file} is no CSV file in UTF-8: {error}") from error
    if not prices:
        raise BadFileError(f"{file} has no prices.")
    return cast("pd.Series[float]", pd.Series(prices).sort_index())


def _factor(file: Path, header: list[str]) -> float:
    """Return what one of the header's unit is in EUR/MWh, or refuse a first line that names none."""
    if len(header) != 2 or any(character.isdigit() for character in header[0]):  # noqa: PLR2004 (start and price)
        raise BadFileError(f"{file}, line 1: {','.join(header)} is no header. It must name two columns: start,EUR/MWh")
    known = "EUR/MWh, EUR/kWh or ct/kWh"
    unit = re.search(r"[^\s()\[\]]+\s*/\s*[^\s()\[\]]+", header[1])
    if unit is None:
        raise BadFileError(f"{file}, line 1: {header[1]} names no unit. Name it, for example: start,EUR/MWh")
    factor = EUR_PER_MWH.get("".join(unit[0].split()).lower())
    if factor is None:
        raise BadFileError(f"{file}, line 1: the prices are in {unit[0]}. Expected: {known}.")
    return factor


def _with_point(row: list[str]) -> list[str]:
    """Return a row between semicolons with a decimal point in place of the comma."""
    return [row[0], *(cell.replace(",", ".") for cell in row[1:])]


def _add_price(prices: dict[datetime, float], row: list[str], factor: float, where: str) -> None:
    """Add a row to the prices [EUR/MWh] by start, or refuse it and say where it stands and what is wrong."""
    try:
        start, price = _parse_price(row)
    except ValueError as error:
        raise BadFileError(f"{where}: {','.join(row)}: {error}. Expected, for example, {EXAMPLE}") from error
    if start in prices:
        raise BadFileError(f"{where}: {','.join(row)}: this quarter stands in the file before.")
    prices[start] = price * factor


def _parse_price(row: list[str]) -> tuple[datetime, float]:
    """Return start (UTC) and price, in the file's unit, of a row, or raise a ValueError that says what is wrong."""
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
