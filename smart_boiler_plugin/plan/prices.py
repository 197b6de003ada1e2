"""Prices of a plan's steps: what is known, and where nothing is, what is typical of the time of day. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smart_boiler_plugin.clock.quarter import QUARTER, mean_per_step
from smart_boiler_plugin.facts.facts import Facts
from smart_boiler_plugin.physics.envelope import Series
from smart_boiler_plugin.plan.span import Span

MEAN_OF = timedelta(days=28)
"""How far back from a plan the prices count of which the mean is that of unserved heat."""


@dataclass(frozen=True)
class StepPrices:
    """What one kWh costs in each of n steps.

    Parameters
    ----------
    of_each
        Price per kWh, shape (n,); typical where it is not known, NaN where no price is known at all.
    assumed
        Which of them are typical ones, shape (n,).
    mean
        Of what is known, of these steps and of earlier weeks; NaN where nothing is.

    """

    of_each: Series
    assumed: NDArray[np.bool_]
    mean: float = np.nan

    @property
    def known(self) -> bool:
        """Whether there is a price for any step."""
        return not np.isnan(self.of_each).all()


def with_typical(prices: pd.Series, before: pd.Series) -> StepPrices:
    """Return prices with the gaps filled by the mean price of the same local time of day, else by the mean price.

    Parameters
    ----------
    prices
        Of the steps, in local time; NaN where unknown. Where none is known, none is assumed.
    before
        Of earlier days, by which gaps are filled as well.

    """
    unknown = prices.isna().to_numpy()
    if unknown.all():
        return StepPrices(prices.to_numpy(dtype=float), np.zeros(len(prices), dtype=bool))
    mean = float(prices.mean())
    if not unknown.any():
        return StepPrices(prices.to_numpy(dtype=float), unknown, mean)
    there = pd.concat([before, prices]).dropna()
    by_time = there.groupby(pd.DatetimeIndex(there.index).time).mean()
    typical = [by_time.get(moment.time(), there.mean()) for moment in pd.DatetimeIndex(prices.index)]
    return StepPrices(np.where(unknown, typical, prices.to_numpy(dtype=float)), unknown, mean)


def of_facts(facts: Facts, span: Span) -> StepPrices:
    """Return the means of the quarters' prices over the steps of a plan, with typical ones in the gaps."""
    start, end = span.window
    before, within = facts.span(facts.quarters[0], start), facts.span(start, end)
    priced = pd.Series(facts.price, index=facts.quarters)
    quarters = with_typical(priced[within], priced[before])
    steps, length = round((end - start) / span.step), span.step / QUARTER
    assumed = mean_per_step(quarters.assumed.astype(float), 0.0, length, steps) > 0
    mean = quarters.mean if np.isnan(facts.mean_price) else facts.mean_price
    return StepPrices(mean_per_step(quarters.of_each, 0.0, length, steps), assumed, mean)
