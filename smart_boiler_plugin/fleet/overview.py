"""One look at a fleet: all boilers, the worst first, and the service around them."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smart_boiler_plugin import workers
from smart_boiler_plugin.facts.prices_until import prices_until
from smart_boiler_plugin.fleet.members import Member, members
from smart_boiler_plugin.fleet.runs import Run, last_runs
from smart_boiler_plugin.fleet.state import states_of
from smart_boiler_plugin.fleet.told import NEEDS_A_PERSON, STATES, BoilerState, worst_first


@dataclass(frozen=True)
class KnownPrices:
    """Name of a tariff, and until when its prices are known, in UTC."""

    name: str
    until: datetime


@dataclass(frozen=True)
class Overview:
    """A fleet at a moment.

    Parameters
    ----------
    at
        The moment.
    states
        Of all boilers, the worst first.
    tariffs
        Until when prices are known that some boilers pay, by the ids of their sensors; those of a boiler that has none
        are not among them.
    last_run
        When they were last planned together, and what came of it; None where that is not known.
    workers
        How many workers are alive; None where Redis gives no answer.
    waiting
        How many jobs wait for one; None likewise.

    """

    at: datetime
    states: Sequence[BoilerState]
    tariffs: Mapping[int, KnownPrices]
    last_run: Run | None
    workers: int | None
    waiting: int | None

    @property
    def prices_known_until(self) -> datetime | None:
        """Until when prices of all boilers are known: the first of their tariffs to end; None where one has none."""
        ends = [self.tariffs.get(each.member.price_id or 0) for each in self.states]
        return min((known.until for known in ends if known), default=None) if all(ends) else None

    @property
    def most_paid(self) -> int | None:
        """Id of the sensor of the price that most boilers pay; None where none is known."""
        paid = Counter(each.member.price_id for each in self.states if each.member.price_id in self.tariffs)
        return paid.most_common(1)[0][0] if paid else None

    @property
    def counts(self) -> dict[str, int]:
        """How many boilers are in each state, the worst first; each counts once."""
        found = Counter(each.state for each in self.states)
        return {state: found[state] for state in STATES}

    @property
    def needs_a_person(self) -> bool:
        """Whether something is wrong that goes not away by the next plan."""
        return any(each.state in NEEDS_A_PERSON for each in self.states)


def overview(whose: Any, moment: datetime, *, runs: bool = True) -> Overview:
    """Return one look at the boilers of all accounts for which a condition holds (``members.py``).

    Some twenty-five SQL statements, however many boilers there are.

    Parameters
    ----------
    whose
        SQL condition for accounts.
    moment
        Now.
    runs
        Whether to tell of the last run: it is an operator's, and no household's.

    """
    with _uncollected():
        fleet = members(whose)
        tariffs = _prices_of(fleet)
        states = worst_first(states_of(fleet, moment, {each: known.until for each, known in tariffs.items()}))
    operators = {member.operator_id for member in fleet if member.operator_id is not None} if runs else set()
    alive, waiting = workers.alive()
    return Overview(
        at=moment,
        states=states,
        tariffs=tariffs,
        last_run=_last(operators),
        workers=alive,
        waiting=waiting,
    )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let Python look for no garbage meanwhile: while 10,000 boilers come in, that would take a third of the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _prices_of(fleet: Sequence[Member]) -> dict[int, KnownPrices]:
    """Return until when prices are known, by the ids of sensors, of those that their boilers may be planned with."""
    known = prices_until({member.price_id for member in fleet if member.price_id is not None})
    may_read = {(member.price_id, owner) for member in fleet for owner in (None, member.account_id, member.operator_id)}
    return {
        sensor_id: KnownPrices(priced.name, priced.until)
        for sensor_id, priced in known.items()
        if priced.until is not None and (sensor_id, priced.owner_id) in may_read
    }


def _last(operators: Collection[int]) -> Run | None:
    return max(last_runs(operators).values(), key=lambda run: run.at, default=None)
