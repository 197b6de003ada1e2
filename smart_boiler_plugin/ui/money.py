"""The fleet's money of yesterday and of its month, in words."""

from __future__ import annotations

from typing import Any

from babel.dates import format_date

from smart_boiler_plugin.money.totals import Money, Totals
from smart_boiler_plugin.ui.reader import Reader

CENTS_BELOW = 1000.0
"""From this on, cents say nothing."""


def money_of(totals: Totals, boilers: int, reader: Reader) -> dict[str, Any]:
    """Return what the page shows of money.

    Parameters
    ----------
    totals
        What is reported.
    boilers
        How many there are.
    reader
        Who reads.

    """
    return {
        "totals": totals,
        "month": format_date(totals.last, "LLLL", locale=reader.locale),
        "sums": [_sums(each, totals.currency, reader) for each in (totals.of_last, totals.of_month)],
        "boiler_days": boilers * ((totals.last - totals.first).days + 1),
    }


def _sums(money: Money, currency: str | None, reader: Reader) -> dict[str, str]:
    def told(value: float) -> str:
        known = value if money.boilers else None
        return reader.money(known, currency or "", decimals=0 if abs(value) >= CENTS_BELOW else 2)

    return {
        "cost": told(money.cost),
        "baseline": told(money.baseline_cost),
        "saved": told(money.savings),
        "share": reader.number(None if money.saved_share is None else 100 * money.saved_share, "%"),
    }
