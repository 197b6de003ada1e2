"""Numbers with a unit, as people write them: "80 l", "122 degF", "EUR/MWh". Pure: pint alone."""

from __future__ import annotations

import re
from threading import Lock

import pint

# a unit, or one per another: pint would also calculate with whole expressions of strangers
NUMBER_AND_UNIT = re.compile(
    r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-zµ°³]{1,20}(?:/[A-Za-z]{1,20})?)?\s*"
)


ONE_AT_A_TIME = Lock()
"""pint's registry is not safe for threads: of two requests at once, one was told that litres are no litres."""

CURRENCY_CODE_LENGTH = 3
"""Letters of a code of ISO 4217."""


def currency_of(unit: str) -> str:
    """Return the currency of a price unit, as a code of ISO 4217: "EUR" of "EUR/MWh" and of "cEUR/kWh"."""
    return unit.split("/", maxsplit=1)[0].strip()[-CURRENCY_CODE_LENGTH:]


def split(text: str) -> tuple[float, str | None] | None:
    """Return the number and the unit of a text, the unit being None where there is none; None if it is no number."""
    found = NUMBER_AND_UNIT.fullmatch(text)
    return (float(found[1]), found[2]) if found else None


def convert(number: float, unit: str, to: str) -> float | None:
    """Return a number in another unit, or None where that cannot be."""
    try:
        # in two parts: pint refuses to parse "50 degC", as degrees cannot be multiplied
        with ONE_AT_A_TIME:
            return float(pint.application_registry.Quantity(number, unit).to(to).magnitude)
    except (pint.errors.PintError, ValueError, TypeError, AttributeError, AssertionError, ArithmeticError):
        return None
