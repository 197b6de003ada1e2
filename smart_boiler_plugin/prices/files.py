"""Day-ahead prices from a CSV file. Pure."""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from datetime import datetime, timezone
from pathlib import Path
from typing import cast

import pandas as pd

from smart_boiler_plugin.errors import BadFileError
from smart_boiler_plugin.spreadsheets import decode, separator_of, with_point

MONEY = {
    "€": (1.0, "EUR"),
    "ct": (0.01, "EUR"),
    "cent": (0.01, "EUR"),
    "öre": (0.01, "SEK"),
    "øre": (0.01, "DKK NOK"),
    "kr": (1.0, "DKK NOK SEK"),
    "£": (1.0, "GBP"),
    "p": (0.01, "GBP"),
    "pence": (0.01, "GBP"),
    "zł": (1.0, "PLN"),
    "gr": (0.01, "PLN"),
    "kč": (1.0, "CZK"),
    "ft": (1.0, "HUF"),
    "rp": (0.01, "CHF"),
}
"""What one of a unit of money is in its currency, and which currencies (codes of ISO 4217) have such a unit."""

PER_MWH = {"mwh": 1.0, "kwh": 1000.0}

FIRST_YEAR, LAST_YEAR = 1990, 2200
"""Before there were day-ahead prices, and before the calendars of pandas end."""

EXAMPLE = "2025-10-29T00:00+01:00,65.45"


def read_prices(file: Path, currency: str = "EUR") -> pd.Series[float]:
    """Return the prices [currency/MWh] of a CSV file, by the start of their row (UTC), in the file's own steps.

    Columns are separated by commas, semicolons or tabs; a price may have a decimal comma (``spreadsheets``).

    Parameters
    ----------
    file
        Its header names the start and the unit of the price: ``start,EUR/MWh``.
    currency
        In which the prices must be (code of ISO 4217).

    Raises
    ------
    BadFileError
        If it is no such file, or its prices are in other money; names the line and what is wrong with it.

    """
    try:
        text = decode(file.read_bytes())
    except BadFileError as error:
        raise BadFileError(f"{file}: {error}") from error
    separator = separator_of(text)
    prices: dict[datetime, float] = {}
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        factor = _factor(file, next(reader, []), currency)
        for row in reader:
            if any(cell.strip() for cell in row):
                where = f"{file}, line {reader.line_num}"
                _add_price(prices, [*row[:1], *(with_point(cell, separator) for cell in row[1:])], factor, where)
    except csv.Error as error:
        raise BadFileError(f"{file} is no CSV file: {error}") from error
    if not prices:
        raise BadFileError(f"{file} has no prices.")
    return cast("pd.Series[float]", pd.Series(prices).sort_index())


def _factor(file: Path, header: list[str], currency: str) -> float:
    """Return what one of the header's unit is [currency/MWh], or refuse a first line that names none."""
    where = f"{file}, line 1"
    if len(header) != 2 or any(character.isdigit() for character in header[0]):  # noqa: PLR2004 (start and price)
        raise BadFileError(f"{where}: {','.join(header)} is no header. It must name two columns: start,{currency}/MWh")
    unit = re.search(r"([^\s()\[\]/]+)\s*/\s*([^\s()\[\]/]+)", unicodedata.normalize("NFC", header[1]))
    if unit is None:
        raise BadFileError(f"{where}: {header[1]} names no unit. Name it, for example: start,{currency}/MWh")
    money, energy = unit[1].lower(), unit[2].lower()
    parts, currencies = MONEY.get(money, (1.0, money.upper()))
    if energy not in PER_MWH or currency not in currencies.split():
        raise BadFileError(f"{where}: the prices are in {unit[0]}. Expected: {_known_units(currency)}.")
    return float(parts * PER_MWH[energy])


def _known_units(currency: str) -> str:
    """Return the units in which prices of a currency may be, for people."""
    pennies = [name for name, (parts, currencies) in MONEY.items() if parts < 1 and currency in currencies.split()]
    *others, last = [f"{currency}/MWh", f"{currency}/kWh", *(f"{name}/kWh" for name in pennies[:1])]
    return f"{', '.join(others)} or {last}"


def _add_price(prices: dict[datetime, float], row: list[str], factor: float, where: str) -> None:
    """Add a row to the prices [currency/MWh] by start, or refuse it and say where it stands and what is wrong."""
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
