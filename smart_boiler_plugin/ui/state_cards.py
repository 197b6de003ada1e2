"""The cards that filter the page of all boilers by state, and its first sentence."""

from __future__ import annotations

from dataclasses import dataclass

from smart_boiler_plugin.fleet.overview import Overview
from smart_boiler_plugin.fleet.told import COLD, NEEDS_A_PERSON, NO_PLAN, OFF_PLAN, SILENT
from smart_boiler_plugin.settings import DEVIATION, SILENT_AFTER
from smart_boiler_plugin.ui.reader import NBSP, Reader
from smart_boiler_plugin.ui.rows import ICONS, word_of

MEANINGS = {
    "cold": "colder than it wants",
    "fault": "does not do as told",
    "cold_soon": "in spite of its plan",
    "no_plan": "or it ends in an hour",
    "well": "warm and planned",
}
"""Of states whose meaning no setting changes."""


@dataclass(frozen=True)
class Card:
    """A card: the state that it filters by (empty: all), how many boilers are in it, and in words."""

    state: str
    count: int
    word: str
    meaning: str
    icon: str


def cards_of(shown: Overview) -> list[Card]:
    """Return the cards of a fleet: all, and then each state, the worst first; those that are empty, too."""
    need = sum(shown.counts[state] for state in NEEDS_A_PERSON)
    every = Card(
        "", len(shown.states), "All boilers", f"{need or 'none'} need{'' if need > 1 else 's'} a look", "list-ul"
    )
    return [
        every,
        *(Card(state, n, word_of(state), _meaning(state), ICONS[state]) for state, n in shown.counts.items()),
    ]


def sentence_of(shown: Overview) -> str:
    """Return the one sentence to begin with: how many need a look, and who has cold water."""
    need, cold = sum(shown.counts[state] for state in NEEDS_A_PERSON), shown.counts[COLD]
    count = Reader("en", "UTC").number
    if not need:
        return f"None of {count(len(shown.states))} needs a look"
    told = f"{count(need)} of {count(len(shown.states))} need{'s' if need == 1 else ''} a look"
    return f"{told}, {count(cold)} household{' has' if cold == 1 else 's have'} cold water now" if cold else told


def may_need_plans(shown: Overview) -> int:
    """Return how many boilers have no plan, or are off it."""
    return shown.counts[NO_PLAN] + shown.counts[OFF_PLAN]


def _meaning(state: str) -> str:
    if state == SILENT:
        return f"no reading for {SILENT_AFTER.value.total_seconds() / 3600:g}{NBSP}h"
    if state == OFF_PLAN:
        return f"by more than {DEVIATION.value:g}{NBSP}K"
    return MEANINGS[state]
