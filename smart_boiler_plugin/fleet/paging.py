"""Some boilers of a fleet: those in a state, with a name, in an order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from smart_boiler_plugin.fleet.told import BoilerState

STATE = "state"
"""The worst first, as they come."""


def _moment(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


ORDERS: dict[str, Callable[[BoilerState], float | str | None]] = {
    "name": lambda each: each.member.customer.lower(),
    "temperature": lambda each: each.seen.temperature_c,
    "measured": lambda each: _moment(each.seen.measured_at),
    "coldest": lambda each: each.seen.coldest_planned_c,
    "until": lambda each: _moment(each.seen.planned_until),
}
"""By what else boilers can be sorted."""

OF_COMPLETED = {"coldest"}
"""Of these, those that are known of completed states alone (``state.completed``)."""


def chosen(
    states: Sequence[BoilerState],
    kinds: Collection[str] = (),
    terms: Collection[str] = (),
    *,
    by: str = STATE,
    descending: bool = False,
) -> list[BoilerState]:
    """Return some boilers of a fleet; those of which nothing is known that they are sorted by come last.

    Parameters
    ----------
    states
        All of them, the worst first.
    kinds
        In which states; none means all.
    terms
        Texts that must all be in the name of the customer or of the boiler, in whatever case.
    by
        ``STATE``, or one of ``ORDERS``.
    descending
        Whether the last one comes first.

    """
    wanted = [term.lower() for term in terms]
    some = [
        each
        for each in states
        if (not kinds or each.state in kinds)
        and all(term in f"{each.member.customer}\n{each.member.name}".lower() for term in wanted)
    ]
    if by == STATE:
        return some[::-1] if descending else some
    value = ORDERS[by]
    known = [each for each in some if value(each) is not None]
    unknown = [each for each in some if value(each) is None]
    return [*sorted(known, key=value, reverse=descending), *unknown]  # type: ignore[arg-type]
