"""Taking away what plans have left behind: what others replaced, and expected temperatures that are long over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from flexmeasures.data import db
from flexmeasures.utils.time_utils import server_now
from sqlalchemy import text

from smart_boiler_plugin.clock.days import DAY
from smart_boiler_plugin.facts.sql import array
from smart_boiler_plugin.settings import PLANS_KEPT
from smart_boiler_plugin.transactions import transaction

AT_ONCE = 50
"""Of how many boilers one transaction takes values away."""

LEAST_KEPT = timedelta(days=9)
"""Plans are asked whether hygiene came about for this long."""

LOOKED_AT = timedelta(days=30)
"""How far back from what is kept it is looked, each time: what is older was taken away before."""

REPLACED, TEMPERATURES = "values of plans that were replaced", "expected temperatures"

PRUNE = {
    REPLACED: text("""
        DELETE FROM timed_belief AS old USING sensor, data_source
        WHERE old.sensor_id = sensor.id AND sensor.generic_asset_id = ANY(CAST(:asset_ids AS integer[]))
              AND sensor.name IN ('set-point', 'fill-rate', 'temperature', 'state-of-charge')
              AND old.source_id = data_source.id AND data_source.type = 'scheduler'
              AND old.event_start >= :since AND old.event_start < :over
              AND EXISTS (
                  SELECT FROM timed_belief AS later
                  WHERE later.sensor_id = old.sensor_id AND later.event_start = old.event_start
                        AND later.source_id = old.source_id AND later.belief_horizon < old.belief_horizon
              )
    """),
    TEMPERATURES: text("""
        DELETE FROM timed_belief AS old USING sensor, data_source
        WHERE old.sensor_id = sensor.id AND sensor.generic_asset_id = ANY(CAST(:asset_ids AS integer[]))
              AND sensor.name IN ('temperature', 'state-of-charge')
              AND old.source_id = data_source.id AND data_source.type = 'scheduler'
              AND old.event_start >= :since AND old.event_start < :kept_since
    """),
}
"""What is taken away. Of a quarter, what a source said last stays; a state of charge is the temperature said twice."""


def prune(
    asset_ids: Sequence[int], *, now: datetime | None = None, all_times: bool = False
) -> Iterator[dict[str, int]]:
    """Take away what plans of boilers have left behind, in small transactions. Harmless to repeat, and to end.

    Parameters
    ----------
    asset_ids
        Of the boilers.
    now
        Quarters that were over a day before are looked at; None means now.
    all_times
        Whether it is looked further back than ``LOOKED_AT``.

    Yields
    ------
    dict
        How many values were taken away of some more boilers (``steps`` times).

    """
    moment = now or server_now()
    kept_since = moment - max(PLANS_KEPT.value, LEAST_KEPT)
    span = {
        "over": moment - DAY,
        "kept_since": kept_since,
        "since": datetime.min.replace(year=1900, tzinfo=moment.tzinfo) if all_times else kept_since - LOOKED_AT,
    }
    for begin in range(0, len(asset_ids), AT_ONCE):
        some = {"asset_ids": array(asset_ids[begin : begin + AT_ONCE]), **span}
        with transaction():
            gone = {
                what: db.session.execute(
                    statement, {name: value for name, value in some.items() if f":{name}" in str(statement)}
                ).rowcount
                for what, statement in PRUNE.items()
            }
        yield gone


def steps(asset_ids: Sequence[int]) -> int:
    """Return how many times ``prune`` yields."""
    return -(-len(asset_ids) // AT_ONCE)
