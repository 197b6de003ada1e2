"""CSV files as spreadsheets write them in all of Europe: encodings, separators, decimal commas. Pure."""

from __future__ import annotations

import codecs
import re

from smart_boiler_plugin.errors import BadFileError

NOT_WINDOWS_1252 = re.compile(rb"[\x00\xff]|[\xc3-\xf4][\x80-\xbf]")
"""What says that a text which is not in UTF-8 is not in Windows-1252 either: binary data, or UTF-8 in part."""

WITH_COMMA = re.compile(r"\s*([+-]?\d*),(\d+)((?:[^\d,.][^,]*)?)")

THOUSANDS = 3
"""Digits behind a comma that may as well separate thousands."""


def decode(content: bytes) -> str:
    """Return the text of a CSV file: in UTF-8, with or without a byte-order mark, or as Excel writes it by default.

    That is Windows-1252 in Western Europe, and UTF-16 where "Unicode text" is chosen.

    Raises
    ------
    BadFileError
        If it is in none of these; nothing is guessed.

    """
    try:
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return content.decode("utf-16")
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            if NOT_WINDOWS_1252.search(content):
                raise
            return content.decode("windows-1252")
    except UnicodeDecodeError as error:
        raise BadFileError(f"This is no CSV file in UTF-8, UTF-16 or Windows-1252: {error}.") from error


def separator_of(text: str) -> str:
    """Return what separates the columns of a text, by its first line: a semicolon, a tab or a comma."""
    header = text.partition("\n")[0]
    return next((separator for separator in (";", "\t") if separator in header), ",")


def with_point(cell: str, separator: str) -> str:
    """Return a number, with its unit if it has one, with a point in place of a decimal comma; else the cell as it is.

    Where commas separate columns, too, a comma before three digits stays: it may separate thousands.
    """
    found = WITH_COMMA.fullmatch(cell)
    if found is None or (separator == "," and len(found[2]) == THOUSANDS):
        return cell
    return f"{found[1]}.{found[2]}{found[3]}"
