"""Costs of boilers, by the host's own ProfitOrLossReporter: from metered power, and where none was metered, as planned.

The reporter asks its sensors for data. Here it gets sensors that have been read already: one query for a whole fleet in
place of a dozen for each boiler; and power is metered where it was metered and planned elsewhere, quarter by quarter,
which no choice of sources could say.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import timely_beliefs as tb
from flexmeasures import Sensor
from flexmeasures.data.models.reporting.profit import ProfitOrLossReporter

from smart_boiler_plugin.money.accounting import Day
from smart_boiler_plugin.plan.results import Results
from smart_boiler_plugin.units import currency_of


class ReadSensor:
    """A sensor whose data have been read: answers like the sensor, but without asking the database, and in UTC.

    In local time, pandas could not tell the reporter which quarters a day has where the clock changes at midnight.

    Parameters
    ----------
    sensor
        Which.
    values
        Its data, by the start of the events; NaN where there are none.
    unit
        Of the values.

    """

    timezone = "UTC"

    def __init__(self, sensor: Sensor, values: pd.Series, unit: str) -> None:
        self._values: pd.Series = values.dropna().tz_convert(self.timezone).rename("event_value")
        self._sensor, self.unit = sensor, unit

    def search_beliefs(self, **_: Any) -> tb.BeliefsDataFrame:
        """Return the data, whichever span is asked for: they are those of the report."""
        source, known_at = tb.BeliefSource("read"), self._values.index.max()
        return tb.BeliefsDataFrame(self._values, sensor=self._sensor, source=source, belief_time=known_at)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sensor, name)


class Costs:
    """What a day cost, by the host's reporter.

    Parameters
    ----------
    day
        Of which boilers.
    results
        Where it is stored.

    """

    def __init__(self, day: Day, results: Results) -> None:
        self._day, self._results = day, results
        prices = {boiler.price.id: boiler.price for boiler in day.boilers}
        self._reporters = {price_id: self._reporter(price) for price_id, price in prices.items()}
        # now: one that is made while the first boiler's costs are stored is gone if those are rolled back
        self._sources = {price_id: reporter.data_source for price_id, reporter in self._reporters.items()}

    def _reporter(self, price: Sensor) -> ProfitOrLossReporter:
        """Return the host's reporter; its data source is that of a report with this price from the command line."""
        number = [boiler.price.id for boiler in self._day.boilers].index(price.id)
        known = pd.Series(self._day.price[:, number], index=self._day.moments)
        # a quarter without a price counts at the mean, as in the day's account
        read = ReadSensor(price, known.fillna(known.mean()), unit=f"{currency_of(price.unit)}/kWh")
        return ProfitOrLossReporter(consumption_price_sensor=read, production_price_sensor=read, loss_is_positive=True)

    def store(self, number: int) -> None:
        """Store what a boiler, by its number, cost in each quarter and in the day. Flushes, does not commit."""
        day, boiler = self._day, self._day.boilers[number]
        power = pd.Series(day.power_kw[:, number], index=day.moments)
        known = day.moments[(power.notna() & ~np.isnan(day.price[:, number])).to_numpy()]
        reporter = self._reporters[boiler.price.id]
        (found,) = reporter._compute_report(  # noqa: SLF001 (what a Reporter defines)
            start=day.start,
            end=day.end,
            input=[{"sensor": ReadSensor(boiler.sensors["fill-rate"], power, unit="kW")}],
            output=[{"sensor": boiler.sensors["cost"]}],
        )
        costs = found["data"]
        # the host has summed up gaps to 0
        self._results.save(costs[costs.event_starts.isin(known)])
        total = pd.Series([costs["event_value"].sum()], index=pd.DatetimeIndex([day.start]), name="event_value")
        daily, source = boiler.sensors["daily cost"], self._sources[boiler.price.id]
        self._results.save(tb.BeliefsDataFrame(total, sensor=daily, source=source, belief_time=costs.belief_times[0]))
