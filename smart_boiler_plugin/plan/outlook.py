"""Outlook: which draw-offs are to be expected in the quarters of a plan, and what serving them is worth. Pure.

How a household draws comes from its readings and a prior (``learning``); what somebody measured or foretold is certain.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smart_boiler_plugin.boiler.comfort import Comfort
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.facts.facts import Facts
from smart_boiler_plugin.learning.learn import Habits, quarter_of_day
from smart_boiler_plugin.learning.side_by_side import boilers_of
from smart_boiler_plugin.physics.envelope import Series
from smart_boiler_plugin.physics.set_points import (
    MEAN_PRICE_MIN,
    Ahead,
    price_of_unserved,
    set_points,
)
from smart_boiler_plugin.physics.thermostat import Floats
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.plan.prices import StepPrices


@dataclass(frozen=True)
class Outlook:
    """Draw-offs of n quarters as distributions, and what hot water is worth.

    Parameters
    ----------
    quarters
        Their starts, in the household's time zone.
    sizes_kwh, probabilities
        Of the draw-offs of each quarter, shape (n, sizes) [kWh] and [-].
    useful_kwh
        State of charge at which hot water is useful [kWh].
    unserved_price
        What a kWh that is not served counts [currency/kWh].
    account
        What the draw-offs rest on, as JSON.

    """

    quarters: pd.DatetimeIndex
    sizes_kwh: Floats
    probabilities: Floats
    useful_kwh: float
    unserved_price: float
    account: dict[str, Any]

    @property
    def mean_kwh(self) -> Series:
        """Heat that is drawn on average in each quarter, shape (n,) [kWh]."""
        mean: Series = (self.sizes_kwh * self.probabilities).sum(axis=1)
        return mean


def outlook(
    data: BoilerData,
    comfort: Comfort,
    facts: Facts,
    policy: Policy,
    *,
    habit: Habits,
    mean_price: float,
    start: datetime,
    end: datetime,
) -> Outlook:
    """Return what is to be expected of a household.

    Draw-offs that were measured, or that somebody foretold on ``demand``, are certain; while nobody is at home, only
    measured ones count. A forecaster's are passed over: means smear draw-offs away, and the distribution knows more.

    Parameters
    ----------
    data, comfort, facts
        The boiler, what its household wants, and what is known of it.
    policy
        What the server's settings say.
    habit
        How the household draws, of this boiler alone.
    mean_price
        Of a kWh of electricity [currency/kWh]; NaN where no price is known.
    start, end
        From when until when, on quarters of an hour, within the quarters of the facts.

    """
    span = facts.span(start, end)
    quarters = facts.quarters[span]
    nobody = np.zeros(len(facts.quarters), dtype=bool)
    if comfort.away:
        nobody[facts.span(comfort.away.begin, comfort.away.until)] = True
    nobody = nobody[span]
    sizes, probabilities = (
        each[:, 0].copy()
        for each in habit.draw_offs.ahead(
            _quarters_of_day(quarters[0], len(quarters), str(quarters.tz)), nobody[:, None]
        )
    )
    told = np.where(nobody, facts.demand_kwh[span], facts.draw_off_kwh[span])
    certain = ~np.isnan(told)
    sizes[certain], probabilities[certain] = 0.0, 0.0
    sizes[certain, 0], probabilities[certain, 0] = told[certain], 1.0
    account: dict[str, Any] = {
        "days_learned": int(habit.days[0]),
        "tapping_profile": data.tapping_profile,
        "weight_of_tapping_profile": round(float(habit.profile_weight[0]), 3),
        "steps_from_sensor": int(certain.sum()),
        "steps_expected": int((~nobody & ~certain).sum()),
    }
    if empty := int((nobody & ~certain).sum()):
        account["steps_nobody_at_home"] = empty
    if passed_over := int((~np.isnan(facts.forecast_kwh[span])).sum()):
        account["steps_of_forecast_passed_over"] = passed_over
    tank = data.tank
    # what lies above the ceiling cannot be wanted
    useful_c = min(comfort.useful_temperature_c, data.temperature_max_c)
    worth = price_of_unserved(policy.comfort_weight, np.nan_to_num(np.array([mean_price])))
    return Outlook(quarters, sizes, probabilities, tank.state_of_charge_kwh(useful_c), float(worth[0]), account)


@lru_cache(maxsize=64)
def _quarters_of_day(begin: pd.Timestamp, count: int, timezone: str) -> NDArray[np.int_]:
    """Return ``quarter_of_day`` of quarters ahead, which are the same for many boilers."""
    return quarter_of_day(pd.date_range(begin, periods=count, freq=QUARTER, tz=timezone))


def ahead_of(outlooks: list[Outlook], prices: list[Series], floors_kwh: list[Series]) -> Ahead:
    """Return what is known ahead of boilers side by side.

    Parameters
    ----------
    outlooks
        Of each, with equally many quarters.
    prices, floors_kwh
        Of each, shape (n,) [currency/kWh] and [kWh].

    """
    return Ahead(
        price=np.stack(prices, axis=1),
        sizes_kwh=np.stack([each.sizes_kwh for each in outlooks], axis=1),
        probabilities=np.stack([each.probabilities for each in outlooks], axis=1),
        useful_kwh=np.array([each.useful_kwh for each in outlooks]),
        unserved_price=np.array([each.unserved_price for each in outlooks]),
        floor_kwh=np.maximum(np.stack(floors_kwh, axis=1), 0.0),
    )


def reserve_kwh(data: BoilerData, seen: Outlook, prices: StepPrices) -> Series:
    """Return what is worth heating at any price: the least state of charge at the ends of quarters, (n - 1,) [kWh].

    It is the set-point of the same programme where every quarter costs as much as the dearest that is known, less what
    is drawn on average: the set-point counts before the draw-offs of its quarter, a floor after them. Of the last
    quarter nothing is said: what is heated in it at the price at which what is left counts would cost nothing.

    Parameters
    ----------
    data, seen
        The boiler, and what is to be expected of its household in n quarters.
    prices
        What one kWh costs; some are known.

    """
    n, boilers = len(seen.quarters), boilers_of([data])
    dearest = np.full(n, max(float(prices.of_each[~prices.assumed].max()), MEAN_PRICE_MIN))
    wishes = set_points(boilers, ahead_of([seen], [dearest], [np.zeros(n)])).states_kwh[:, 0]
    reserve: Series = np.maximum(wishes - seen.mean_kwh * boilers.late[0], 0.0)
    return reserve[:-1]
