"""What a day of each boiler came to: takes what is known of it (``facts``) and works it out (``savings.py``).

Nothing is stored here: ``report.py`` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from functools import cached_property
from statistics import fmean

import numpy as np
import pandas as pd
from flexmeasures.utils.time_utils import server_now
from numpy.typing import NDArray

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.clock.days import day_of, days_between, midnights
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.errors import NoPricesError, SmartBoilerError
from smart_boiler_plugin.facts import measured
from smart_boiler_plugin.facts.measured import Measured
from smart_boiler_plugin.money import savings
from smart_boiler_plugin.physics.tapping_profiles import drawn_kwh
from smart_boiler_plugin.physics.thermostat import Floats

STEP_H = QUARTER / timedelta(hours=1)

EARLIEST = date(2000, 1, 1)
"""First day that is reported: before, there was no boiler here, and long before, pandas has no time."""

LONGEST_GAP = timedelta(hours=2) // QUARTER
"""How many quarters may lie between two readings of a boiler whose draw-offs are inferred from them."""

WARM_UP = timedelta(hours=24) // QUARTER
"""For how many quarters before a day the thermostat runs, from the state that the boiler really had then."""


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
    mean_price
        Per kWh: of the day, or the mean of those of the days.
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
    mean_price: float
    coverage: float

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
    amounts = {name: fmean(values) if name in MEANS else sum(values) for name, values in by_name.items()}
    return Total(days=len(accounts), **amounts)


class Day:
    """A local day of boilers in one time zone: what is known of it, and what it came to. Made by ``read_days``.

    Parameters
    ----------
    boilers
        Which.
    moments
        Quarters of the day, local.
    known
        What was measured and planned in the day and in its ``WARM_UP``, and in ``LONGEST_GAP`` quarters before and
        after both: the state at midnight shows in the readings on both sides of it.
    price_by_id
        Consumption price per kWh and quarter, by id of its sensor; NaN where it is not known.

    """

    def __init__(
        self, boilers: Sequence[Boiler], moments: pd.DatetimeIndex, known: Measured, price_by_id: dict[int, pd.Series]
    ) -> None:
        self.boilers, self.moments, self._known, self.price_by_id = boilers, moments, known, price_by_id
        self._of_day = known.rows(WARM_UP + LONGEST_GAP, WARM_UP + LONGEST_GAP + len(moments))
        self.start, self.end = moments[0], moments[-1] + QUARTER
        self.date: date = self.start.date()

    @cached_property
    def power_kw(self) -> Floats:
        """Fill rate as metered, else as planned, NaN where neither is known; shape (quarters, boilers) [kW]."""
        return self._of_day.power_kw

    @cached_property
    def price(self) -> Floats:
        """Consumption price per kWh, NaN where it is not known; shape (quarters, boilers)."""
        return np.column_stack([self.price_by_id[boiler.price.id] for boiler in self.boilers])

    def accounts(self) -> list[DayAccount | SmartBoilerError]:
        """Return what the day of each boiler came to, or why that is not known, in their order."""
        boilers, price = self._side_by_side(), self.price
        between = self._states_between()
        drawn = self._drawn_kwh(boilers, between)
        filled = np.where(np.isnan(drawn), self._assumed_kwh(), drawn)
        covered = ~np.isnan(price) & ~np.isnan(self._of_day.metered_kw) & ~np.isnan(drawn[WARM_UP:])
        coverage = np.mean(covered, axis=0)
        baseline_start, heating = self._baseline_start(boilers, between[0], filled[:WARM_UP])
        priceless, powerless = np.all(np.isnan(price), axis=0), np.all(np.isnan(self.power_kw), axis=0)
        found = savings.day_of(
            boilers,
            start_kwh=between[WARM_UP],
            baseline_start_kwh=baseline_start,
            heating=heating,
            power_kw=self.power_kw,
            drawn_kwh=filled[WARM_UP:],
            # these days are not told; a number keeps the others' arithmetic going
            price=np.where(priceless, 0.0, price),
            step_h=STEP_H,
        )
        return [
            self._no_price(boiler)
            if bool(priceless[i])
            else self._no_power(boiler)
            if powerless[i]
            else DayAccount(
                day=self.date,
                currency=boiler.currency,
                coverage=float(coverage[i]),
                **{field.name: float(getattr(found, field.name)[i]) for field in fields(found)},
            )
            for i, boiler in enumerate(self.boilers)
        ]

    def _baseline_start(
        self, boilers: savings.Boilers, warm_up_start_kwh: Floats, drawn_kwh: Floats
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """Return where a thermostat would be when the day begins [kWh], NaN if not known, and whether it would heat."""
        was_heating = np.nan_to_num(self._known.power_kw) > 0
        state, heats = savings.after_thermostat(
            boilers,
            start_kwh=warm_up_start_kwh,
            heating=was_heating[LONGEST_GAP - 1],
            drawn_kwh=drawn_kwh,
            step_h=STEP_H,
        )
        return state, np.where(np.isnan(state), was_heating[WARM_UP + LONGEST_GAP - 1], heats)

    def _states_between(self) -> Floats:
        """Return the states of charge at the start of each quarter and at the end of the day [kWh], by readings.

        They begin with the day's warm-up, as do the draw-offs.
        """
        tanks = [boiler.data.tank for boiler in self.boilers]
        capacity = np.array([tank.heat_capacity_kwh_per_k for tank in tanks])
        above_cold = self._known.temperature_c - np.array([tank.cold_water_c for tank in tanks])
        return savings.states_between(capacity * above_cold, LONGEST_GAP)[LONGEST_GAP - 1 : -LONGEST_GAP + 1]

    def _drawn_kwh(self, boilers: savings.Boilers, between: Floats) -> Floats:
        """Return the heat drawn per quarter [kWh], as measured, else inferred; NaN where it is neither."""
        known = self._known.rows(LONGEST_GAP, LONGEST_GAP + WARM_UP + len(self.moments))
        inferred = savings.inferred_draw_offs_kwh(boilers, between, known.metered_kw, STEP_H)
        return savings.draw_offs_kwh(known.demand_kwh, inferred)

    def _assumed_kwh(self) -> Floats:
        """Return the heat that is drawn per quarter by the tapping profiles [kWh]."""
        profiles = {boiler.data.tapping_profile for boiler in self.boilers}
        moments = pd.date_range(end=self.moments[-1], periods=WARM_UP + len(self.moments), freq=QUARTER)
        usual = {profile: drawn_kwh(profile, moments, STEP_H) for profile in profiles}
        return np.column_stack([usual[boiler.data.tapping_profile] for boiler in self.boilers])

    def _side_by_side(self) -> savings.Boilers:
        data = [boiler.data for boiler in self.boilers]
        return savings.Boilers.of(
            [each.tank for each in data],
            power_kw=[each.power_kw for each in data],
            cop=[each.cop for each in data],
            temperature_max_c=[each.temperature_max_c for each in data],
            step_h=STEP_H,
        )

    def _no_price(self, boiler: Boiler) -> SmartBoilerError:
        return NoPricesError(
            f"No consumption price is known on {self.date} (sensor {boiler.price.id}). Import prices and run: "
            f"flexmeasures smart-boiler update-prices --from-date {self.date} --to-date {self.date}"
        )

    def _no_power(self, boiler: Boiler) -> SmartBoilerError:
        return SmartBoilerError(
            f"No power is known on {self.date}, neither metered nor planned (sensor 'fill-rate' of asset "
            f"{boiler.asset.id})."
        )


def read_days(
    boilers: Sequence[Boiler], first: date, last: date | None = None, known_at: datetime | None = None
) -> Iterator[Day]:
    """Read what is known of local days of boilers in one time zone, at once, and yield them.

    The number of queries depends neither on the number of boilers nor on that of days.

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
    SmartBoilerError
        If a boiler has no sensor with a consumption price.

    """
    timezone = boilers[0].timezone
    start, end = midnights(first, timezone)[0], midnights(last or first, timezone)[1]
    before, after = (WARM_UP + LONGEST_GAP) * QUARTER, LONGEST_GAP * QUARTER
    known = measured.read(boilers, start - before, end + after, known_at)
    price_by_id = {
        price.id: measured.prices(price, start, end, known_at)
        for price in {boiler.price.id: boiler.price for boiler in boilers}.values()
    }
    moments = pd.date_range(start, end, freq=QUARTER, inclusive="left")
    for day in days_between(first, last or first):
        i, j = (int((midnight - start) / QUARTER) for midnight in midnights(day, timezone))
        price_of_day = {price_id: price.iloc[i:j] for price_id, price in price_by_id.items()}
        yield Day(boilers, moments[i:j], known.rows(i, j + WARM_UP + 2 * LONGEST_GAP), price_of_day)


def last_day(timezone: str | None = None) -> date:
    """Return the last local day that is over, in a time zone (IANA name); None means the server's."""
    now = server_now()
    return (day_of(now, timezone) if timezone else now.date()) - timedelta(days=1)
