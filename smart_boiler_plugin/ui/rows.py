"""The rows of the page of all boilers: each cell in words, for its reader."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from smart_boiler_plugin.fleet.told import COLD, FAULT, NO_PLAN, OFF_PLAN, SHOWN, SILENT, WORDS, BoilerState, Span
from smart_boiler_plugin.physics.thermostat import SET_POINT_C
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.ui.reader import NBSP, UNKNOWN, Reader

ICONS = {
    "cold": "thermometer-empty",
    "fault": "wrench",
    "cold_soon": "clock-o",
    "no_plan": "calendar-times-o",
    "silent": "question-circle",
    "off_plan": "random",
    "well": "check-circle",
}
"""Of states, by their names in Font Awesome 4.7."""

PLANNING_HELPS = (COLD, FAULT, "cold_soon", NO_PLAN, OFF_PLAN)
"""States in which a new plan can change something: on a small screen, others have no button."""

SHOWN_MOMENT = re.compile(r"(until )?(\d{4}-\d{2}-\d{2} \d{2}:\d{2})")
"""How moments stand in what is told of boilers (``fleet.told.SHOWN``)."""

LOWEST_C, HIGHEST_C = 10.0, 75.0
"""What the bar of a tank's temperature reaches from and to [°C]."""

BAR_PX = 94

NEARLY_K = 4.0
"""A tank that is less than this above what is wanted is shown as one that is soon too cold [K]."""


@dataclass(frozen=True)
class Bar:
    """A tank's temperature as a bar: how much of it is filled, where what is wanted is [px], and its kind.

    ``kind`` is "cold", "near", "warm", "old" (a reading that is too old), or "none" (no reading).
    """

    filled: float
    wanted: float | None
    kind: str


@dataclass(frozen=True)
class Cell:
    """A cell: its text, a second line below, and whether the boiler is heating."""

    text: str
    sub: str = ""
    on: bool = False


@dataclass(frozen=True)
class Row:
    """One boiler in words; see the heads of the table for the meaning of its cells."""

    account_id: int
    customer: str
    about: str
    state: str
    word: str
    icon: str
    message: str
    water: Cell
    bar: Bar
    measured: Cell
    heats: Cell
    coldest: Cell
    until: Cell
    cost: str
    helps: bool


def row_of(
    each: BoilerState, now: datetime, rules: Policy, costs: Mapping[int, float], currency: str | None, home: str
) -> Row:
    """Return a boiler in words, in its household's time zone.

    Parameters
    ----------
    each
        The boiler; completed (``fleet.state.completed``).
    now, rules
        The moment, and what the server's settings say.
    costs, currency
        What the last day cost, by the ids of assets.
    home
        The reader's own time zone: another one is named.

    """
    member, seen, reader = each.member, each.seen, Reader("en", each.member.timezone)
    wanted_c = wanted_of(each, rules)
    return Row(
        account_id=member.account_id,
        customer=member.customer,
        about=_about(each, reader, home),
        state=each.state,
        word=word_of(each.state),
        icon=ICONS[each.state],
        message=nearer(each.message, reader, now),
        water=_water(each, wanted_c, reader),
        bar=_bar(each, wanted_c),
        measured=Cell(_ago(seen.measured_at or seen.silent_since, now, reader)),
        heats=_heats(each, now, reader),
        coldest=_coldest(each, now, reader),
        until=Cell(reader.until(seen.planned_until, now) if seen.planned_until else "none"),
        cost=reader.money(costs.get(member.asset_id), currency) if currency else UNKNOWN,
        helps=each.state in PLANNING_HELPS,
    )


def word_of(state: str) -> str:
    """Return a state as people read it, on one line."""
    return WORDS[state].replace(" h", f"{NBSP}h")


def nearer(message: str, reader: Reader, now: datetime) -> str:
    """Return what is told of a boiler with its moments as near as they are: "14:05" of today, "Thu 14:05"."""

    def shown(found: re.Match[str]) -> str:
        until, told = found.groups()
        moment = datetime.strptime(told, SHOWN).replace(tzinfo=ZoneInfo(reader.timezone))
        return f"{until}{reader.until(moment, now)}" if until else reader.at(moment, now)

    return SHOWN_MOMENT.sub(shown, message).replace(" °C", f"{NBSP}°C").replace(" K ", f"{NBSP}K ")


def wanted_of(each: BoilerState, rules: Policy) -> float | None:
    """Return below which temperature a tank is too cold for its household [°C]; None where that is not known."""
    if each.seen.cold:
        return each.seen.cold.wanted_c
    data = each.member.data
    useful_c = each.member.useful_c
    if data is None or useful_c != useful_c:  # noqa: PLR0124 (not a number is equal to nothing)
        return None
    return max(useful_c, rules.floor_of(data) or useful_c)


def _about(each: BoilerState, reader: Reader, home: str) -> str:
    data = each.member.data
    told = [reader.number(data.volume_l, "l"), reader.number(data.power_kw, "kW", decimals=1)] if data else []
    told += [each.member.timezone] if each.member.timezone != home else []
    return ", ".join(told)


def _water(each: BoilerState, wanted_c: float | None, reader: Reader) -> Cell:
    wants = f"wants{NBSP}{reader.degrees(wanted_c)}" if wanted_c is not None else ""
    if each.seen.temperature_c is None:
        return Cell(UNKNOWN, "no reading of today" if each.seen.silent_since else "no reading yet")
    last = "last known" if each.seen.is_silent else ""
    return Cell(reader.degrees(each.seen.temperature_c, decimals=1), ", ".join(filter(None, [last, wants])))


def _bar(each: BoilerState, wanted_c: float | None) -> Bar:
    at_c, wanted = each.seen.temperature_c, None if wanted_c is None else _px(wanted_c)
    if at_c is None:
        return Bar(0.0, None, "none")
    if each.seen.is_silent:
        return Bar(_px(at_c), wanted, "old")
    kind = "warm"
    if wanted_c is not None and at_c < wanted_c + NEARLY_K:
        kind = "cold" if at_c < wanted_c else "near"
    return Bar(_px(at_c), wanted, kind)


def _px(at_c: float) -> float:
    return round(BAR_PX * min(max((at_c - LOWEST_C) / (HIGHEST_C - LOWEST_C), 0.0), 1.0), 1)


def _ago(moment: datetime | None, now: datetime, reader: Reader) -> str:
    """Return how long ago a boiler was measured; "never" where it was not."""
    if moment is None:
        return "never"
    minutes = max(int((now - moment) / timedelta(minutes=1)), 0)
    if minutes < LONG_IN_MINUTES:
        return f"{minutes}{NBSP}min ago"
    if minutes < LONG_IN_HOURS * 60:
        return f"{minutes // 60}{NBSP}h ago"
    return reader.day(moment, weekday=False)


LONG_IN_MINUTES, LONG_IN_HOURS = 120, 72


def _heats(each: BoilerState, now: datetime, reader: Reader) -> Cell:
    seen = each.seen
    following = _span(seen.next_heating, now, reader) if seen.next_heating else ""
    if seen.heats_now:
        until = f"until {reader.until(seen.heats_until, now)}" if seen.heats_until else "not as planned"
        return Cell("On now", until, on=True)
    if following:
        return Cell(f"Next {following}")
    if seen.planned_until is None or each.state == NO_PLAN:
        return Cell("Thermostat", f"at most {reader.degrees(_thermostat_c(each))}")
    return Cell("No heating", "is planned")


def _thermostat_c(each: BoilerState) -> float:
    data: Any = each.member.data
    return min(SET_POINT_C, data.temperature_max_c) if data else SET_POINT_C


def _span(span: Span, now: datetime, reader: Reader) -> str:
    return f"{reader.at(span.begin, now)}\N{EN DASH}{reader.until(span.end, now)[-5:]}"


def _coldest(each: BoilerState, now: datetime, reader: Reader) -> Cell:
    seen = each.seen
    if seen.coldest_planned_c is None or seen.coldest_planned_at is None:
        return Cell(UNKNOWN, "not known" if each.state == SILENT else "not planned")
    return Cell(reader.degrees(seen.coldest_planned_c), reader.at(seen.coldest_planned_at, now))
