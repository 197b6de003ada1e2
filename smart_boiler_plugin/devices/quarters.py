"""From what a meter says at any interval to quarters of an hour that add up. Pure: NumPy alone.

Times are microseconds since 1970 in UTC, as whole numbers: quarters of an hour begin at multiples of ``QUARTER_US``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SECOND_US = 1_000_000

QUARTER_US = 900 * SECOND_US

Times = NDArray[np.int64]

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Quarters:
    """Values of quarters of an hour.

    Parameters
    ----------
    starts_us
        When they begin, ascending, shape (n,) [µs since 1970].
    values
        Of each, shape (n,).

    """

    starts_us: Times
    values: Values


def means(begins_us: Times, ends_us: Times, values: Values) -> Quarters:
    """Return the means of quarters, over what of each is covered, of values that hold for intervals.

    Parameters
    ----------
    begins_us, ends_us
        Of intervals that do not overlap, ascending, shape (n,) [µs since 1970].
    values
        Of each, shape (n,): power, or a temperature.

    """
    sums, covered_us = _per_quarter(begins_us, ends_us, values)
    return Quarters(covered_us.starts_us, sums.values / covered_us.values)


def sums(begins_us: Times, ends_us: Times, amounts: Values) -> Quarters:
    """Return the amounts of quarters, of amounts of intervals that are spread evenly; arguments as of ``means``."""
    rates, _ = _per_quarter(begins_us, ends_us, amounts / (ends_us - begins_us))
    return rates


def counted(at_us: Times, amounts: Values) -> Quarters:
    """Return the amounts of quarters, each of which has all that falls in it, shapes (n,)."""
    starts, which = np.unique(at_us // QUARTER_US, return_inverse=True)
    return Quarters(starts * QUARTER_US, np.bincount(which, weights=amounts, minlength=len(starts)).astype(float))


def last_of_each(at_us: Times, values: Values) -> Quarters:
    """Return the last value of each quarter, times ascending, shapes (n,)."""
    quarter = at_us // QUARTER_US
    last = np.flatnonzero(np.diff(quarter, append=np.iinfo(np.int64).max))
    return Quarters(quarter[last] * QUARTER_US, values[last])


def _per_quarter(begins_us: Times, ends_us: Times, rates: Values) -> tuple[Quarters, Quarters]:
    """Return the integrals of rates over quarters, and how long each is covered [µs]; where it is at all."""
    aligned = (begins_us % QUARTER_US == 0) & (ends_us - begins_us == QUARTER_US)
    if aligned.all():
        long = np.full(len(rates), float(QUARTER_US))
        return Quarters(begins_us, rates * long), Quarters(begins_us, long)
    first, last = begins_us // QUARTER_US, (ends_us - 1) // QUARTER_US
    number = last - first + 1
    of = np.repeat(np.arange(len(rates)), number)
    quarter = first[of] + np.arange(len(of)) - np.repeat(np.cumsum(number) - number, number)
    begin = np.maximum(begins_us[of], quarter * QUARTER_US)
    long = np.minimum(ends_us[of], (quarter + 1) * QUARTER_US) - begin
    covered = counted(quarter * QUARTER_US, long.astype(float))
    return counted(quarter * QUARTER_US, rates[of] * long), covered


@dataclass(frozen=True)
class Metered:
    """What a running total tells.

    Parameters
    ----------
    begins_us, ends_us, amounts
        Intervals and what was metered in each, shape (n,).
    refused
        Why some totals are not taken, by their number.

    """

    begins_us: Times
    ends_us: Times
    amounts: Values
    refused: dict[int, str]


def metered(at_us: Times, totals: Values, before: tuple[int, float] | None) -> Metered:
    """Return what was metered between running totals. A meter may begin anew at 0: then the total is what it metered.

    Parameters
    ----------
    at_us, totals
        Ascending times [µs since 1970] and totals, shape (n,).
    before
        The last total that is known from before, with its time; None where there is none.

    """
    numbers = np.arange(len(at_us))
    if before is not None:
        later = at_us > before[0]
        refused = {int(i): "No later than the last total that is known." for i in numbers[~later]}
        at_us, totals = np.r_[before[0], at_us[later]], np.r_[before[1], totals[later]]
    else:
        refused = {0: "The first total: nothing was metered before."} if len(at_us) else {}
    amounts = np.diff(totals)
    return Metered(at_us[:-1], at_us[1:], np.where(amounts < 0, totals[1:], amounts), refused)
