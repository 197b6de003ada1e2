"""What an answer of the Energy-Charts API says, and whether it can be believed. Pure: pandas alone.

An answer looks like this (https://api.energy-charts.info/openapi.json, path ``/price``; a recorded one stands in
https://github.com/mampfes/ha_epex_spot/issues/179)::

    {"license_info": "CC BY 4.0 (creativecommons.org/licenses/by/4.0) from Bundesnetzagentur | SMARD.de",
     "unix_seconds": [1733612400, 1733616000], "price": [93.91, 86.83], "unit": "EUR / MWh", "deprecated": false}

Each moment is the start of what its price is for. Days of the market are hourly before 2025-10-01 and mostly
quarter-hourly since; a zone's own days, such as Portugal's, may be both.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, cast

import pandas as pd

from smart_boiler_plugin.errors import PriceServiceError
from smart_boiler_plugin.prices.quarters import spread_over_quarters

QUARTER_S = 15 * 60

EUR_PER_MWH = {"EUR/MWh": 1.0, "EUR/kWh": 1000.0, "EUR/GWh": 0.001}

PRICE_MAX = 1e6
"""No price is believed beyond this, in whatever unit: the exchanges' own limit is at some 5,000 EUR/MWh."""

LICENCE_LENGTH = 1000


@dataclass(frozen=True)
class Answer:
    """Prices and what comes with them.

    Parameters
    ----------
    prices
        Prices [EUR/MWh] by the start of their quarter of an hour. Quarters without a price are left out.
    licence
        The conditions under which the prices may be used, as Energy-Charts words them; empty if it names none.
    deprecated
        Whether Energy-Charts announces the end of this interface.

    """

    prices: pd.Series[float]
    licence: str
    deprecated: bool


def parse(content: bytes, start: datetime, end: datetime) -> Answer:
    """Return what an answer says about a span.

    Parameters
    ----------
    content
        The answer's body.
    start, end
        The span, aware of its time zone. What lies outside is left out.

    Raises
    ------
    PriceServiceError
        If the body is not what is documented, or cannot be true: moments off the grid, twice or in disorder, another
        number of prices than of moments, a price that is no number, a unit that is none of EUR per energy.

    """
    answer = _object(content)
    moments, prices = _columns(answer)
    _refuse_wrong_moments(moments)
    within = {
        moment: _price(price)
        for moment, price in zip(moments, prices, strict=True)
        if start.timestamp() <= moment < end.timestamp()
    }
    known = pd.Series(list(within.values()), index=pd.to_datetime(list(within), unit="s", utc=True), dtype=float)
    return Answer(
        spread_over_quarters(known) * _eur_per_mwh(answer.get("unit")),
        _printable(answer.get("license_info")),
        answer.get("deprecated") is True,
    )


def _object(content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise PriceServiceError(
            f"Energy-Charts did not answer with JSON but with: {_printable(content)[:80]}"
        ) from error
    if not isinstance(answer, dict):
        raise PriceServiceError("Energy-Charts did not answer with a JSON object.")
    return answer


def _columns(answer: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Return moments and prices, which belong together one by one."""
    columns = [answer.get(name) for name in ("unix_seconds", "price")]
    for name, column in zip(("unix_seconds", "price"), columns, strict=True):
        if not isinstance(column, list):
            raise PriceServiceError(f"Energy-Charts did not answer as documented: '{name}' is no list.")
    moments, prices = cast("list[list[Any]]", columns)
    if len(moments) != len(prices):
        raise PriceServiceError(
            f"Energy-Charts answered with {len(moments)} moments but {len(prices)} prices: they do not belong together."
        )
    return moments, prices


def _refuse_wrong_moments(moments: list[Any]) -> None:
    for moment in moments:
        if type(moment) is not int:
            raise PriceServiceError("Energy-Charts did not answer as documented: 'unix_seconds' holds no whole number.")
        if moment % QUARTER_S:
            raise PriceServiceError(
                f"Energy-Charts answered with a moment at which no quarter of an hour starts: {moment}."
            )
    for one, following in pairwise(moments):
        if following <= one:
            raise PriceServiceError(
                f"Energy-Charts answered with moments twice or in disorder: {following} after {one}."
            )


def _price(price: object) -> float:
    """Return a price, NaN where there is none."""
    if price is None:
        return float("nan")
    if not isinstance(price, (int, float)) or isinstance(price, bool) or not -PRICE_MAX < price < PRICE_MAX:
        raise PriceServiceError(f"Energy-Charts answered with a price that is none: {str(price)[:80]}.")
    return float(price)


def _eur_per_mwh(unit: object) -> float:
    """Return what one of a unit is in EUR/MWh."""
    try:
        return EUR_PER_MWH[str(unit).replace(" ", "")]
    except KeyError:
        raise PriceServiceError(
            f"Energy-Charts answered with prices in '{_printable(unit)[:80]}' in place of EUR per energy (EUR / MWh)."
        ) from None


def _printable(text: object) -> str:
    """Return a text of strangers as one line that does nothing to a terminal."""
    if isinstance(text, bytes):
        text = text[:LICENCE_LENGTH].decode(errors="replace")
    words = " ".join(str(text if text is not None else "").split())
    return "".join(character for character in words if character.isprintable())[:LICENCE_LENGTH]
