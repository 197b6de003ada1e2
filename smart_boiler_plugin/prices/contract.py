"""What a contract says: the price of a kWh as a sum of parts, then VAT, and fixed fees. One small language.

Pure: pandas and NumPy. As JSON: ``contract_schema.py``. Where it is stored: ``terms.py``. Which parts can be: a rate in
money per kWh, or a factor on the spot price; each always or in some hours, on some days, in some months, between two
dates. Further kinds (feed-in, capacity) would be further classes beside ``Part``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smart_boiler_plugin.clock.days import Span
from smart_boiler_plugin.clock.public_holidays import are_holidays
from smart_boiler_plugin.clock.quarter import HOUR, QUARTER
from smart_boiler_plugin.clock.week import EVERY_DAY, EVERY_MONTH, MIDNIGHT, Window

ONLY, NEVER, AS_SUNDAY = "only", "never", "as sunday"
"""What a part does on public holidays: holds on them alone; on all other days; on them as on a Sunday."""

SUNDAY = 6

EVER = Span()

DAY, MONTH = "day", "month"
"""For what a fixed fee is paid."""

Booleans: TypeAlias = NDArray[np.bool_]
Numbers: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Part(Window):
    """A part of the price of a kWh: a rate, or the spot price times a factor; always, or at some times.

    Parameters
    ----------
    days, begin, until
        Days of the week on which it begins, and hours; by default always.
    holidays
        ``ONLY``, ``NEVER`` or ``AS_SUNDAY``; None means that public holidays are days like others. As ``days`` do, it
        says on which days the part begins: what begins on a holiday may last till the next morning.
    months
        In which it holds, as 0 (January) to 11.
    valid
        When it holds.
    rate
        How much, negative for a discount [currency/kWh]; None where there is a factor.
    currency
        Of the rate, as a code of ISO 4217.
    factor
        What the spot price is multiplied with [-].
    hourly
        Whether that is the mean of the spot price over the hour by the clock.

    """

    days: frozenset[int] = EVERY_DAY
    begin: time = MIDNIGHT
    until: time = MIDNIGHT
    holidays: str | None = None
    months: frozenset[int] = EVERY_MONTH
    valid: Span = EVER
    rate: float | None = None
    currency: str | None = None
    factor: float | None = None
    hourly: bool = False

    def holds(self, moments: pd.DatetimeIndex, regions: Sequence[str]) -> Booleans:
        """Return at which moments (local time) it holds, shape (n,); ``regions`` say what a holiday is."""

        def begins_on(days: pd.DatetimeIndex) -> Booleans:
            usual = self.begins_on(days)
            if self.holidays is None:
                return usual
            festive = are_holidays(days, regions)
            on_sundays = np.full(len(days), SUNDAY in self.days)
            then = {ONLY: usual, NEVER: ~festive, AS_SUNDAY: on_sundays}[self.holidays]
            held: Booleans = (festive & then) | (~festive & usual & (self.holidays != ONLY))
            return held

        in_months = np.isin(np.asarray(moments.month) - 1, list(self.months))
        return self.covers(moments, begins_on=begins_on) & in_months & self.valid.covers(moments)


@dataclass(frozen=True)
class FixedFee:
    """What is paid for being a customer, without VAT [currency], per ``DAY`` or ``MONTH``; each day has its share."""

    amount: float
    currency: str
    per: str = DAY
    valid: Span = EVER

    def on(self, days: pd.DatetimeIndex) -> Numbers:
        """Return what it is on local days, without VAT [currency], shape (n,)."""
        share = np.ones(len(days)) if self.per == DAY else 1 / np.asarray(days.days_in_month)
        amounts: Numbers = self.amount * share * self.valid.covers(days)
        return amounts


@dataclass(frozen=True)
class Vat:
    """Value-added tax [-]: 0.21 for 21 %, from a local day on (None: always) until that of the next one."""

    share: float
    first: date | None = None


@dataclass(frozen=True)
class Contract:
    """Parts, which add up; VAT on their sum, in order of time; fixed fees; and whose public holidays count."""

    parts: tuple[Part, ...]
    vat: tuple[Vat, ...] = ()
    fixed_fees: tuple[FixedFee, ...] = ()
    holidays_of: tuple[str, ...] = ()

    @property
    def currencies(self) -> set[str]:
        """Of all amounts: a contract has one; or none yet, where all of it is a factor on the spot price."""
        return {part.currency for part in self.parts if part.currency} | {fee.currency for fee in self.fixed_fees}

    def price(self, spot: pd.Series) -> Numbers:
        """Return what one kWh costs [currency/kWh]; NaN where a spot price that counts is missing.

        Parameters
        ----------
        spot
            Spot prices [currency/kWh] by the start of their quarter of an hour, in local time; NaN where none is known.

        """
        moments = pd.DatetimeIndex(spot.index)
        total = np.zeros(len(spot))
        for part in self.parts:
            held = part.holds(moments, self.holidays_of)
            if part.factor is None:
                total += np.where(held, part.rate or 0.0, 0.0)
            else:
                total += np.where(held, part.factor * (_hourly_means(spot) if part.hourly else spot), 0.0)
        return total * (1 + self._vat_on(moments))

    def fixed(self, days: pd.DatetimeIndex) -> Numbers:
        """Return the fixed fees of local days, with VAT [currency], shape (n,)."""
        return sum((fee.on(days) for fee in self.fixed_fees), np.zeros(len(days))) * (1 + self._vat_on(days))

    def _vat_on(self, days: pd.DatetimeIndex) -> Numbers:
        share = np.zeros(len(days))
        for vat in self.vat:
            share[Span(first=vat.first).covers(days)] = vat.share
        return share


@dataclass(frozen=True)
class Version:
    """A contract that holds from a local day on (None: always), until that of the next version."""

    first: date | None
    contract: Contract


def consumption_price(versions: Sequence[Version], spot: pd.Series) -> pd.Series:
    """Return what one kWh costs by the version of its day [currency/kWh] (``Contract.price``); NaN before the first."""
    return _by_version(versions, pd.DatetimeIndex(spot.index), lambda contract: contract.price(spot))


def fixed_fees(versions: Sequence[Version], days: pd.DatetimeIndex) -> pd.Series:
    """Return the fixed fees of local days with VAT [currency], by the version of each day; 0 before the first."""
    fees: pd.Series = _by_version(versions, days, lambda contract: contract.fixed(days)).fillna(0.0)
    return fees


def _by_version(
    versions: Sequence[Version], moments: pd.DatetimeIndex, values_of: Callable[[Contract], Numbers]
) -> pd.Series:
    """Return for moments (local time) or days what the contract of their day gives; NaN before the first version."""
    values = np.full(len(moments), np.nan)
    for version in versions:
        # a later one takes the place of those before
        held = Span(first=version.first).covers(moments)
        if held.any():
            values[held] = values_of(version.contract)[held]
    by_moment: pd.Series = pd.Series(values, index=moments)
    return by_moment


def _hourly_means(spot: pd.Series) -> pd.Series:
    """Return for each quarter the mean of the quarters of its hour by the clock; NaN where not all four are known."""
    moments = pd.DatetimeIndex(spot.index)
    hours = moments - pd.to_timedelta(moments.minute, unit="min")
    known = spot.groupby(hours)
    means: pd.Series = known.transform("mean").where(known.transform("count") == HOUR / QUARTER)
    return means
