"""What is wrong with a boiler, in one state and one sentence: the worst counts, and others stand beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from smart_boiler_plugin.boiler.seen import DeviceSeen
from smart_boiler_plugin.clock.quarter import HOUR
from smart_boiler_plugin.facts.faults import SILENT as SILENT_FAULT
from smart_boiler_plugin.facts.faults import Fault
from smart_boiler_plugin.fleet.cold import Cold
from smart_boiler_plugin.fleet.members import Member

COLD, FAULT, COLD_SOON, NO_PLAN, SILENT, OFF_PLAN, WELL = (
    "cold",
    "fault",
    "cold_soon",
    "no_plan",
    "silent",
    "off_plan",
    "well",
)

WORDS = {
    COLD: "Cold",
    FAULT: "Fault",
    COLD_SOON: "Cold within 24 h",
    NO_PLAN: "No plan",
    SILENT: "Silent",
    OFF_PLAN: "Off plan",
    WELL: "Well",
}
"""All states, the worst first, as people read them."""

STATES = tuple(WORDS)

NEEDS_A_PERSON = (COLD, FAULT, COLD_SOON, NO_PLAN, SILENT)
"""States that no further plan mends by itself."""

SHOWN = "%Y-%m-%d %H:%M"
"""How moments are shown, local."""

PLANNED_AT_LEAST = HOUR
"""A plan that ends sooner than this is none."""


@dataclass(frozen=True)
class Span:
    """Some time in which a boiler heats: from ``begin`` on, until ``end``, in UTC."""

    begin: datetime
    end: datetime


@dataclass(frozen=True)
class Seen:
    """What is known of a boiler's water and plan at a moment; moments are in UTC, and None where nothing is known.

    Parameters
    ----------
    temperature_c, measured_at
        Last temperature that is believed [°C], and when its quarter of an hour began.
    silent_since
        Since when a boiler reports nothing that is silent; None also where it never did.
    is_silent
        Whether it reports nothing.
    faults
        What is wrong with it or its data.
    cold, cold_soon
        Whether it is or will be.
    heats_now
        Whether it heats: as metered, else as planned; None where neither is known.
    heats_until, next_heating
        When the heating ends that is planned for now, and when heating is planned next.
    coldest_planned_c, coldest_planned_at
        Lowest temperature of the plan ahead [°C], and when that quarter begins.
    planned_until
        When its plan ends.
    off_plan_k
        How much warmer the last reading is than planned, where a boiler follows a plan in kW and is off it [K].
    device
        What is known of its device; None where it has none that speaks with us.
    prices_until
        Until when its prices are known.

    """

    temperature_c: float | None = None
    measured_at: datetime | None = None
    is_silent: bool = False
    silent_since: datetime | None = None
    faults: tuple[Fault, ...] = ()
    cold: Cold | None = None
    cold_soon: Cold | None = None
    heats_now: bool | None = None
    heats_until: datetime | None = None
    next_heating: Span | None = None
    coldest_planned_c: float | None = None
    coldest_planned_at: datetime | None = None
    planned_until: datetime | None = None
    off_plan_k: float | None = None
    device: DeviceSeen | None = None
    prices_until: datetime | None = None


@dataclass(frozen=True)
class BoilerState:
    """One boiler of a fleet.

    Parameters
    ----------
    member
        Which, and what is stored of it.
    seen
        What is known of its water and plan.
    state
        One of ``STATES``: the worst that it is in.
    since
        Since when; None where that is not known, or it is yet to come.
    message
        One sentence for people: what, since or when, why; and then what else is. Empty where all is well.
    also
        Which other states it is in.

    """

    member: Member
    seen: Seen
    state: str
    since: datetime | None = None
    message: str = ""
    also: tuple[str, ...] = ()

    def local(self, moment: datetime | None) -> datetime | None:
        """Return a moment in the household's time zone."""
        return moment and moment.astimezone(_zone(self.member.timezone))


def state_of(member: Member, seen: Seen, moment: datetime) -> BoilerState:
    """Return the state of a boiler at a moment.

    Parameters
    ----------
    member, seen
        What is stored and known of it.
    moment
        Now.

    """
    found = [each for each in _all_of(member, seen, moment) if each]
    if not found:
        return BoilerState(member, seen, WELL)
    (state, since, message), *others = sorted(found, key=lambda each: STATES.index(each[0]))
    more = "".join(f" {WORDS[other]}, too: {told}" for other, _, told in others)
    return BoilerState(member, seen, state, since, message + more, tuple(other for other, _, _ in others))


def worst_first(states: Iterable[BoilerState]) -> list[BoilerState]:
    """Return states by how bad they are, the longest first, and then by the name of the customer."""
    return sorted(
        states,
        key=lambda each: (
            STATES.index(each.state),
            each.since.timestamp() if each.since else float("inf"),
            each.member.customer,
            each.member.asset_id,
        ),
    )


Found = tuple[str, "datetime | None", str]


def _all_of(member: Member, seen: Seen, moment: datetime) -> list[Found]:
    """Return all states but "well" that a boiler is in, each with since when, and a sentence."""
    zone = _zone(member.timezone)
    found: list[Found] = []
    if seen.cold:
        found.append((COLD, seen.cold.at, _cold(seen.cold, seen, zone)))
    faults = [fault for fault in seen.faults if fault.kind != SILENT_FAULT]
    if faults:
        since = min((fault.since for fault in faults if fault.since is not None), default=None)
        found.append((FAULT, since, " ".join(fault.message for fault in faults)))
    if seen.cold_soon:
        found.append((COLD_SOON, None, _cold_soon(seen.cold_soon)))
    if seen.planned_until is None or seen.planned_until - moment < PLANNED_AT_LEAST:
        found.append((NO_PLAN, None, _no_plan(member, seen, moment, zone)))
    if seen.is_silent:
        found.append((SILENT, seen.silent_since, _silent(seen, zone)))
    if seen.off_plan_k is not None and not seen.is_silent:
        how = "colder" if seen.off_plan_k < 0 else "warmer"
        told = f"{abs(seen.off_plan_k):.1f} K {how} than planned{_at(seen.measured_at, zone)}."
        found.append((OFF_PLAN, seen.measured_at, told))
    return found


def _cold(cold: Cold, seen: Seen, zone: ZoneInfo) -> str:
    told = f"{cold.temperature_c:.1f} °C, below the {cold.wanted_c:g} °C that are wanted, since {cold.at:{SHOWN}}."
    if seen.heats_now:
        return f"{told} It heats{f' until {seen.heats_until.astimezone(zone):{SHOWN}}' if seen.heats_until else ''}."
    if seen.next_heating:
        return f"{told} It heats next at {seen.next_heating.begin.astimezone(zone):{SHOWN}}."
    return f"{told} No heating is planned."


def _cold_soon(cold: Cold) -> str:
    return f"{cold.temperature_c:.1f} °C are planned for {cold.at:{SHOWN}}, below the {cold.wanted_c:g} °C wanted then."


def _no_plan(member: Member, seen: Seen, moment: datetime, zone: ZoneInfo) -> str:
    until = seen.planned_until
    told = "It has no plan" if until is None else f"Its plan ends at {until.astimezone(zone):{SHOWN}}"
    if seen.prices_until is None:
        return f"{told}: {'no price of it is known' if member.price_id else 'it has no price'}."
    if seen.prices_until - moment < PLANNED_AT_LEAST:
        return f"{told}: its prices are known until {seen.prices_until.astimezone(zone):{SHOWN}}."
    return f"{told}, and its prices are known until {seen.prices_until.astimezone(zone):{SHOWN}}: it can be planned."


def _silent(seen: Seen, zone: ZoneInfo) -> str:
    if seen.silent_since is None:
        return "It has never sent a reading."
    told = f"No reading is believed since {seen.silent_since.astimezone(zone):{SHOWN}}"
    told = f"{told}." if seen.temperature_c is None else f"{told}; the last was {seen.temperature_c:.1f} °C."
    there = seen.device and seen.device.at
    return f"{told} Its device was there{_at(there, zone)}." if there else told


def _at(moment: datetime | None, zone: ZoneInfo) -> str:
    return "" if moment is None else f" at {moment.astimezone(zone):{SHOWN}}"


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
