"""BoilerSavingsReporter, which FlexMeasures finds by name: ``flexmeasures add report --reporter ...``.

What a day came to: ``accounting.py``. Reports of a whole fleet: ``report.py``.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pandas as pd
import timely_beliefs as tb
from flask import current_app
from flexmeasures import Sensor, Source
from flexmeasures.data.models.reporting import Reporter
from flexmeasures.utils.time_utils import server_now

from smart_boiler_plugin.boiler.asset import Boiler, check_currency
from smart_boiler_plugin.clock.days import DAY, day_of, days_between, midnights
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.money.accounting import DayAccount, last_day, read_days


class BoilerSavingsReporter(Reporter):
    """What a boiler saved per day against an ordinary thermostat, at equal heat left in the tank.

    Input is the boiler's fill rate, output its daily savings, in the currency of its consumption price; days are local,
    and those that lie in the span as a whole are reported. ``accounting.DayAccount`` says what a day has beside its
    savings; each result has its accounts as ``accounts``.
    """

    __version__ = None  # as part of the source, a newer one's results would count more than an older one's
    __author__ = "smart-boiler-plugin"

    def _compute_report(
        self,
        start: datetime,
        end: datetime,
        input: list[dict[str, Any]],  # noqa: A002 (the host's word)
        output: list[dict[str, Any]],
        belief_time: datetime | None = None,
        **_: Any,
    ) -> list[dict[str, Any]]:
        """Return the savings per day.

        Raises
        ------
        SmartBoilerError
            If the input is no boiler's, if an output has another currency or is not daily, if no whole day lies in the
            span, or if for no day enough is known.

        """
        boiler = Boiler(input[0]["sensor"].generic_asset)
        for description in output:
            _check_output(description["sensor"], boiler.price)
        recorded_at = belief_time or server_now()
        days = _whole_days(start, end, boiler.timezone)
        outcomes = [day.accounts()[0] for day in read_days([boiler], days[0], days[-1], recorded_at)] if days else []
        accounts = [outcome for outcome in outcomes if isinstance(outcome, DayAccount)]
        failures = [outcome for outcome in outcomes if isinstance(outcome, SmartBoilerError)]
        for failure in failures:
            current_app.logger.warning("No savings of asset %s: %s", boiler.asset.id, failure)
        if not accounts:
            span = f"{start.isoformat()} and {end.isoformat()}"
            none = SmartBoilerError(f"No whole day of {boiler.timezone} that is over lies between {span}.")
            raise failures[0] if failures else none
        return [
            {
                "name": "savings",
                "column": "event_value",
                "sensor": description["sensor"],
                "data": savings_frame(accounts, description["sensor"], self.data_source, recorded_at),
                "accounts": accounts,
            }
            for description in output
        ]


def savings_frame(
    accounts: list[DayAccount], sensor: Sensor, source: Source, recorded_at: datetime
) -> tb.BeliefsDataFrame:
    """Return the savings of a boiler's days as data of a daily sensor in its time zone."""
    starts = pd.DatetimeIndex([midnights(account.day, sensor.timezone)[0] for account in accounts])
    values = pd.Series([account.savings for account in accounts], index=starts, name="event_value")
    return tb.BeliefsDataFrame(values, sensor=sensor, source=source, belief_time=recorded_at)


def _check_output(sensor: Sensor, price: Sensor) -> None:
    """Refuse a sensor that cannot hold savings: in the currency of the price, one value a day."""
    if sensor.event_resolution != DAY:
        raise SmartBoilerError(f"output: sensor {sensor.id} ({sensor.name}) has no daily values, as savings are.")
    check_currency(sensor, price)


def _whole_days(start: datetime, end: datetime, timezone: str) -> list[date]:
    """Return the local days that lie in a span as a whole, and are over."""
    spans = {day: midnights(day, timezone) for day in days_between(day_of(start, timezone), day_of(end, timezone))}
    over = last_day(timezone)
    return [day for day, (begin, until) in spans.items() if start <= begin and until <= end and day <= over]
