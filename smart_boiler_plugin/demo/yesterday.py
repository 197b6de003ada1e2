"""Yesterday, as it would have been with a plan: simulated boilers follow set-points, and there are savings to report.

The plan knows yesterday's prices, which were published the day before, and what a tank was like at midnight. Of the
draw-offs it knows what any plan of a new household knows: the tapping profile.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd

from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.demo import household
from smart_boiler_plugin.demo.household import History
from smart_boiler_plugin.demo.http import Api

LABEL = (
    "Nobody has a boiler here: these are simulated, by set-points and draw-offs that the plan did not know. "
    "It says what a day is like, and not what a year saves (docs/evaluation.md)."
)


def set_points(operator: Api, ids: dict[str, int], start: datetime, end: datetime) -> dict[datetime, float]:
    """Let the server plan a boiler for a span that is over, and return its set-points [°C] by quarter of an hour.

    Parameters
    ----------
    operator
        The API on behalf of the boiler's operator.
    ids
        Of its sensors, as the answer to taking on has them.
    start, end
        The span.

    """
    duration = pd.Timedelta(end - start).isoformat()
    trigger = {"start": start.isoformat(), "duration": duration, "force-new-job-creation": True}
    job = operator.trigger_schedule(ids["fill_rate"], trigger)
    operator.wait_for_schedule(ids["fill_rate"], job, duration)
    path = f"/api/v3_0/sensors/{ids['set_point']}/data"
    values = operator.get(path, start=start.isoformat(), duration=duration, unit="°C")["values"]
    moments = pd.date_range(start, periods=len(values), freq=QUARTER)
    return {moment: value for moment, value in zip(moments, values, strict=True) if value is not None}


def lived(begin: datetime, since: datetime, until: datetime, planned: dict[datetime, float], seed: int) -> History:
    """Return what a boiler did since a moment, following set-points; before, it was under its ordinary thermostat.

    Parameters
    ----------
    begin
        When its simulation begins.
    since, until
        The span that is returned; the draw-offs go on, as of ``household.simulate``.
    planned
        Set-points [°C].
    seed
        Of the household.

    """
    whole = household.simulate(begin, until, seed=seed, set_points_c=planned)
    known = (since - begin) // timedelta(minutes=15)
    return History(whole.temperature_c[known:], whole.power_kw[known:], whole.demand_kwh[known:])
