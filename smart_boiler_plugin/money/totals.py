"""What the days of many boilers cost and saved, as reported: sums by one statement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flexmeasures.data import db
from sqlalchemy import text

from smart_boiler_plugin.clock.days import DAY, midnight
from smart_boiler_plugin.facts.sql import array

REPORTED = text("""
    SELECT generic_asset_id, unit,
           sum(event_value) FILTER (WHERE is_cost AND is_last) AS last_cost,
           sum(event_value) FILTER (WHERE NOT is_cost AND is_last) AS last_savings,
           sum(event_value) FILTER (WHERE is_cost) AS cost,
           sum(event_value) FILTER (WHERE NOT is_cost) AS savings,
           least(count(*) FILTER (WHERE is_cost), count(*) FILTER (WHERE NOT is_cost)) AS days
    FROM (
        SELECT generic_asset_id, unit, name = 'daily cost' AS is_cost, event_start >= :last AS is_last, event_value
        FROM sensor CROSS JOIN LATERAL (
            SELECT DISTINCT ON (event_start) event_start, event_value FROM timed_belief
            WHERE sensor_id = sensor.id AND event_start >= :first AND event_start < :end
            ORDER BY event_start, belief_horizon, source_id DESC
        ) AS latest
        WHERE generic_asset_id = ANY(CAST(:asset_ids AS integer[])) AND name IN ('daily cost', 'daily savings')
              AND event_value BETWEEN -1e6 AND 1e6
    ) AS reported
    GROUP BY generic_asset_id, unit
    HAVING count(*) FILTER (WHERE is_cost) > 0 AND count(*) FILTER (WHERE NOT is_cost) > 0
""")
"""What was reported last of a day counts; what is no number, or no money of a boiler, does not."""


@dataclass(frozen=True)
class Money:
    """What days came to, in one currency.

    Parameters
    ----------
    cost, savings
        Sums.
    boiler_days
        Of how many days of boilers, each counted once.
    boilers
        Of how many boilers.

    """

    cost: float = 0.0
    savings: float = 0.0
    boiler_days: int = 0
    boilers: int = 0

    @property
    def baseline_cost(self) -> float:
        """What an ordinary thermostat would have cost, at equal heat left in the tank."""
        return self.cost + self.savings

    @property
    def saved_share(self) -> float | None:
        """Savings as a share of what a thermostat would have cost [-]; None where that is nothing."""
        return self.savings / self.baseline_cost if self.baseline_cost > 0 else None

    def __add__(self, other: Money) -> Money:
        return Money(*(getattr(self, name) + getattr(other, name) for name in vars(self)))


@dataclass(frozen=True)
class Totals:
    """What the last day and its month came to for boilers, in the currency that most of them pay in.

    Parameters
    ----------
    last, first
        The day, and the first of its month.
    currency
        As a code of ISO 4217; None where nothing is reported.
    of_last, of_month
        Sums of the day, and of the days from ``first`` to ``last``.
    last_costs
        What the day cost, by the ids of the boilers' assets.
    elsewhere
        How many boilers have money in another currency, and are left out.

    """

    last: date
    first: date
    currency: str | None
    of_last: Money
    of_month: Money
    last_costs: Mapping[int, float]
    elsewhere: int = 0


def totals_of(asset_ids: Collection[int], last: date, timezone: str) -> Totals:
    """Return what a day and its month up to it came to for boilers; one SQL statement.

    Parameters
    ----------
    asset_ids
        Of the boilers.
    last
        The day.
    timezone
        In which it is meant (IANA name). A boiler elsewhere has a midnight of its own: that which is nearest counts.

    """
    first = last.replace(day=1)
    asked = {
        "asset_ids": array(asset_ids),
        "first": midnight(first, timezone) - DAY / 2,
        "last": midnight(last, timezone) - DAY / 2,
        "end": midnight(last, timezone) + DAY / 2,
    }
    rows = db.session.execute(REPORTED, asked).all()
    currency = Counter(row.unit for row in rows).most_common(1)[0][0] if rows else None
    ours = [row for row in rows if row.unit == currency]
    last_costs = {row.generic_asset_id: row.last_cost for row in ours if row.last_cost is not None}
    return Totals(
        last=last,
        first=first,
        currency=currency,
        of_last=sum((_last(row) for row in ours if row.last_cost is not None), Money()),
        of_month=sum((Money(row.cost, row.savings, row.days, 1) for row in ours), Money()),
        last_costs=last_costs,
        elsewhere=len(rows) - len(ours),
    )


def _last(row: Any) -> Money:
    # a cost without savings was reported by somebody else, and is compared with nothing
    return Money(row.last_cost, row.last_savings, 1, 1) if row.last_savings is not None else Money()
