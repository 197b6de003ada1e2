"""What a day of each boiler came to.

Takes what is known of it (``facts``) and how it went (``course.py``), and works out what that cost and saved
(``savings.py``). Nothing is stored here: ``report.py`` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from functools import cached_property
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd
from flexmeasures.utils.time_utils import server_now

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.comfort import USEFUL_C
from smart_boiler_plugin.clock.days import DAY, day_of, days_between, midnights
from smart_boiler_plugin.clock.quarter import QUARTER, QUARTER_H
from smart_boiler_plugin.errors import BrokenBoilerError, NoPowerError, NoPricesError, SmartBoilerError
from smart_boiler_plugin.facts.read import read_facts
from smart_boiler_plugin.money import savings
from smart_boiler_plugin.money.course import Course, Known, Spans
from smart_boiler_plugin.money.fees import fees_of
from smart_boiler_plugin.physics.thermostat import Floats

EARLIEST = date(2000, 1, 1)
"""First day that is reported: before, there was no boiler here, and long before, pandas has no time."""


@dataclass(frozen=True)
class Amounts:
    """What some time came to, for one boiler or for many; money in one currency.

    Parameters
    ----------
    electricity_kwh, cost
        Electricity that was taken [kWh], as metered, else as planned, and what that cost.
    baseline_kwh, baseline_cost
        The same under an ordinary thermostat.
    missing_heat_kwh, missing_heat_cost
        Heat by which the tank fell behind the thermostat's in each day [kWh], at the day's mean price.
    savings
        ``baseline_cost`` less ``cost`` less ``missing_heat_cost``.
    unserved_kwh, baseline_unserved_kwh
        Heat that was drawn and not served at the useful temperature, and what a thermostat would not have served [kWh].
    mean_price
        Per kWh: of the day, or the mean of those of the days.
    fixed_fees
        What the tariff has per day or month, with VAT: no part of cost and savings. None where what is stored of the
        tariff is wrong.
    coverage
        Share of the time that rests on measurements: a price is known, power was metered, and draw-offs were measured
        or can be inferred from temperatures [-].

    """

    electricity_kwh: float
    cost: float
    baseline_kwh: float
    baseline_cost: float
    missing_heat_kwh: float
    missing_heat_cost: float
    savings: float
    unserved_kwh: float
    baseline_unserved_kwh: float
    mean_price: float
    fixed_fees: float | None
    coverage: float

    @property
    def total_cost(self) -> float | None:
        """Cost and fixed fees."""
        return None if self.fixed_fees is None else self.cost + self.fixed_fees

    @property
    def mean_price_paid(self) -> float | None:
        """Cost per kWh of electricity; None where there was none."""
        return self.cost / self.electricity_kwh if self.electricity_kwh else None


@dataclass(frozen=True)
class DayAccount(Amounts):
    """What a local day of one boiler came to, in the currency of its consumption price."""

    day: date
    currency: str


@dataclass(frozen=True)
class Total(Amounts):
    """What several boiler-days came to, and how many they are."""

    days: int


MEANS = {"mean_price", "coverage"}
"""Amounts of which a total has the mean; of all others it has the sum."""


def total_of(accounts: Sequence[DayAccount]) -> Total:
    """Return what days came to; there is at least one."""
    by_name = {each.name: [getattr(account, each.name) for account in accounts] for each in fields(Amounts)}
    amounts: dict[str, Any] = {
        name: fmean(values) if name in MEANS else sum_of(values) for name, values in by_name.items()
    }
    return Total(days=len(accounts), **amounts)


def sum_of(values: Iterable[float | None]) -> float | None:
    """Return the sum of numbers; None where one of them is not known."""
    numbers = list(values)
    return None if None in numbers else float(sum(number for number in numbers if number is not None))


class Day:
    """A local day of boilers in one time zone: what is known of it, and what it came to. Made by ``read_days``.

    Parameters
    ----------
    boilers
        Which, as they were on the day.
    moments
        Quarters of the day, local.
    known
        What is known of the day and around it (``course.Spans``).
    known_at
        What was recorded later is left out.
    fixed_fees
        Of each boiler (``fees.fees_of``), shape (boilers,).
    not_believed
        What was read of each boiler and not believed, and why, for people: of this day, or of those read with it.

    """

    def __init__(
        self,
        boilers: Sequence[Boiler],
        moments: pd.DatetimeIndex,
        known: Known,
        known_at: datetime,
        fixed_fees: Floats,
        not_believed: Sequence[tuple[str, ...]],
    ) -> None:
        self.boilers, self.moments, self._around, self.not_believed = boilers, moments, known, not_believed
        self.known_at = known_at
        self.fixed_fees = [None if np.isnan(fee) else float(fee) for fee in fixed_fees]
        self._known = known.rows(Spans(len(moments)).day)
        self.start, self.end = moments[0], moments[-1] + QUARTER
        self.date: date = self.start.date()

    @property
    def price(self) -> Floats:
        """Consumption price per kWh, NaN where it is not known; shape (quarters, boilers)."""
        return self._known.price

    @cached_property
    def power_kw(self) -> Floats:
        """Fill rate as metered, else as planned, NaN where neither is known; shape (quarters, boilers) [kW]."""
        return self._known.power_kw

    def accounts(self) -> list[DayAccount | SmartBoilerError]:
        """Return what the day of each boiler came to, or why that is not known, in their order."""
        course = Course([boiler.data for boiler in self.boilers], self.moments, self._around)
        day = course.spans.day
        covered = ~np.isnan(self.price) & ~np.isnan(self._known.metered_kw) & ~np.isnan(course.measured_kwh[day])
        coverage = np.mean(covered, axis=0)
        priceless, powerless = np.all(np.isnan(self.price), axis=0), np.all(np.isnan(self.power_kw), axis=0)
        baseline_start, heating = course.baseline_start()
        found = savings.day_of(
            course.boilers,
            start_kwh=course.start_kwh[day.start],
            baseline_start_kwh=baseline_start,
            heating=heating,
            power_kw=self.power_kw,
            drawn_kwh=course.drawn_kwh[day],
            # these days are not told; a number keeps the others' arithmetic going
            price=np.where(priceless, 0.0, self.price),
            useful_kwh=np.array([_useful_kwh(boiler) for boiler in self.boilers]),
            end_kwh=course.start_kwh[day.start + 1 : day.stop + 1],
            step_h=QUARTER_H,
        )
        return [
            self._no_price(boiler)
            if bool(priceless[i])
            else self._no_power(boiler, self.not_believed[i])
            if powerless[i]
            else DayAccount(
                day=self.date,
                currency=boiler.currency,
                fixed_fees=self.fixed_fees[i],
                coverage=float(coverage[i]),
                **{field.name: float(getattr(found, field.name)[i]) for field in fields(found)},
            )
            for i, boiler in enumerate(self.boilers)
        ]

    def _no_price(self, boiler: Boiler) -> SmartBoilerError:
        try:
            sensor = boiler.price
        except SmartBoilerError as none:
            return none
        return NoPricesError(
            f"No consumption price is known on {self.date} (sensor {sensor.id}). Import prices and run: "
            f"flexmeasures smart-boiler update-prices --from-date {self.date} --to-date {self.date}"
        )

    def _no_power(self, boiler: Boiler, not_believed: tuple[str, ...]) -> SmartBoilerError:
        told = f" Not believed: {'; '.join(not_believed)}." if not_believed else ""
        return NoPowerError(
            f"No power is known on {self.date}, neither metered nor planned (sensor 'fill-rate' of asset "
            f"{boiler.asset.id}).{told}"
        )


def _useful_kwh(boiler: Boiler) -> float:
    """Return the state of charge at which a household's hot water is useful [kWh]; the usual one if broken."""
    data = boiler.data
    try:
        useful_c = boiler.useful_temperature_c
    except BrokenBoilerError:
        # what it costs is known all the same, and so is what others' days came to
        useful_c = USEFUL_C
    return data.tank.state_of_charge_kwh(min(useful_c, data.temperature_max_c))


def read_days(
    boilers: Sequence[Boiler], first: date, last: date | None = None, known_at: datetime | None = None
) -> Iterator[Day]:
    """Read what is known of local days of boilers in one time zone, at once, and yield them.

    Each day is told by what held on it: data, price and useful temperature. The number of queries depends neither on
    the number of boilers nor on that of days, but on how often anything changed in these.

    Parameters
    ----------
    boilers
        Which.
    first, last
        The days, both included; None means the first alone.
    known_at
        What was recorded later is left out; None leaves nothing out.

    Raises
    ------
    BrokenBoilerError
        If what is stored of what one of them had before is wrong.

    """
    moment, last = known_at or pd.Timestamp.now("UTC"), last or first
    changes = set().union(*(boiler.history.changes for boiler in boilers))
    begins = [first, *sorted(day for day in changes if first < day <= last)]
    for begin, following in zip(begins, [*begins[1:], last + DAY], strict=True):
        yield from _read_days([boiler.on(begin) for boiler in boilers], begin, following - DAY, moment)


def _read_days(boilers: Sequence[Boiler], first: date, last: date, moment: datetime) -> Iterator[Day]:
    """Read and yield days of boilers on which nothing changed."""
    timezone = boilers[0].timezone
    start, end = midnights(first, timezone)[0], midnights(last, timezone)[1]
    moments = pd.date_range(start, end, freq=QUARTER, inclusive="left")
    around = Spans(len(moments))
    begin = start - around.day.start * QUARTER
    facts = read_facts(boilers, moment, begin, begin + around.count * QUARTER)
    known, not_believed, days = Known.of(facts), [each.not_believed for each in facts], days_between(first, last)
    for day, fees in zip(days, fees_of(boilers, days), strict=True):
        i, j = (int((midnight - start) / QUARTER) for midnight in midnights(day, timezone))
        yield Day(boilers, moments[i:j], known.rows(slice(i, i + Spans(j - i).count)), moment, fees, not_believed)


def last_day(timezone: str | None = None) -> date:
    """Return the last local day that is over, in a time zone (IANA name); None means the server's."""
    now = server_now()
    return (day_of(now, timezone) if timezone else now.date()) - timedelta(days=1)
