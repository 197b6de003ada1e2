"""Which readings of a boiler are believed: what its tank and its element can do decides. Pure.

A tank falls as fast as somebody draws, down to its cold water, but rises only as fast as it is heated. So a reading is
doubted that rises faster than the element can heat, unless several that differ confirm it (there is another source of
heat), and so is one that falls and is back at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from smart_boiler_plugin.physics.tank import Tank
from smart_boiler_plugin.physics.thermostat import Floats

BELIEVED_C = (0.0, 100.0)
"""Readings outside of this are not believed [°C]: water would be ice or steam."""

NOISE_K = 1.5
"""How far two readings of one temperature may differ [K]: sensors with a noise of 0.3 K and steps of 0.5 K."""

OVERPOWER = 1.1
"""How much more than its rated power an element takes at most [-]: 5 % more voltage is 10 % more power."""

ABOVE_CEILING_K = 20.0
"""How far above its ceiling a tank may be [K]: solar heat or a coil does not ask for the element's ceiling."""

POWER_ON_C = 85.0
"""What a DS18B20 says after a reset, before it has measured [°C] (its datasheet, "Power-on reset value")."""

NEAR_K = 5.0
"""How near to ``POWER_ON_C`` the reading before must be, for a tank to have got there [K]."""

CONFIRMED_BY = 3
"""How many readings, that differ, show a rise that the element cannot have made."""

DIFFERENT_K = 0.05
"""Readings that are nearer to each other than this are the same [K]."""

COOLING_K_PER_H = 1.0
"""How fast a tank cools at most while nobody draws [K/h]; a dip must come back to what that leaves."""

FAHRENHEIT_WITHIN_H = 6.0
"""Readings this near to each other in time are in the same unit [h]."""

STUCK_K = 5.0
"""How far a tank must have been warmed without its reading moving, for that to be stuck [K]..."""

STUCK_WITHIN_H = 3.0
"""... and in what time [h]: in a longer one, draw-offs may have taken what was heated."""

STILL_K = 1.5
"""How far a tank must have cooled without its reading moving, for that to stand still [K]: steps are of 1 K at most."""

STUCK = "did not move while the boiler heated"
TOO_FAST = "a rise faster than the boiler can heat"
BACK_TOO_FAST = "a fall that is back faster than the boiler can heat"
HOTTER_NEXT = "what followed is hotter than the boiler can heat"
NO_WATER = "no temperature of water"
FUTURE = "from the future"
TOO_COLD = "colder than cold water"
TOO_HOT = "far above the ceiling"
AFTER_RESET = "what a DS18B20 says after a reset"
FAHRENHEIT = "°F sent as °C"
REASONS = (NO_WATER, FUTURE, TOO_COLD, TOO_HOT, AFTER_RESET, FAHRENHEIT, TOO_FAST, BACK_TOO_FAST, HOTTER_NEXT, STUCK)
"""Why a reading is not believed."""

NOT = {reason: number for number, reason in enumerate(REASONS, start=1)}
"""Their numbers: words in arrays are compared a hundred times as slowly; 0 is what is believed."""

Why: TypeAlias = "NDArray[np.int8]"

JUMPED = {TOO_FAST, BACK_TOO_FAST, HOTTER_NEXT}
"""Why readings are doubted for others around them."""


@dataclass(frozen=True)
class Vessel:
    """What a boiler can do to its water.

    Parameters
    ----------
    tank
        The tank.
    element_kw, heat_kw
        Rated power of the element, and heat that it makes of that [kW].
    ceiling_c
        Up to where the element heats [°C].

    """

    tank: Tank
    element_kw: float
    heat_kw: float
    ceiling_c: float

    @property
    def coldest_c(self) -> float:
        """No water in the tank is colder [°C]."""
        return min(self.tank.cold_water_c, self.tank.ambient_c) - NOISE_K

    @property
    def hottest_c(self) -> float:
        """No water in the tank is hotter [°C]."""
        return self.ceiling_c + ABOVE_CEILING_K

    @property
    def rise_k_per_h(self) -> float:
        """How fast the element warms the tank at most [K/h]."""
        return OVERPOWER * self.heat_kw / self.tank.heat_capacity_kwh_per_k


def doubts(
    starts: NDArray[np.datetime64[Any]],
    temperature_c: Floats,
    now: np.datetime64[Any],
    vessel: Vessel | None = None,
    heated_kwh: Floats | None = None,
) -> dict[int, str]:
    """Return why readings of one boiler are not believed, by their number in the series; all others are.

    Parameters
    ----------
    starts
        When each was read, ascending, shape (n,), in UTC.
    temperature_c
        Readings, shape (n,) [°C].
    now
        A quarter that begins later than this is yet to come: a clock that is fast shows there.
    vessel
        What the boiler can do; None where that is not known, and then whatever water can be is believed.
    heated_kwh
        Heat that was metered from the reading before to each, shape (n,) [kWh]; 0 where none was.

    """
    low, high = BELIEVED_C
    future = starts > now
    # what is no number is not between two
    no_water = ~((temperature_c >= low) & (temperature_c <= high))
    why = np.zeros(len(starts), dtype=np.int8)
    why[no_water] = NOT[NO_WATER]
    if vessel:
        hours = (starts - starts[:1]) / np.timedelta64(1, "h")
        _doubt_levels(hours, temperature_c, vessel, why)
    why[future] = NOT[FUTURE]
    if vessel:
        rest = np.flatnonzero(why == 0)
        why[rest] = _jumps(hours[rest], temperature_c[rest], vessel.rise_k_per_h)
        if heated_kwh is not None:
            rest = np.flatnonzero(why == 0)
            heated = np.diff(np.cumsum(heated_kwh)[rest], prepend=0.0)
            why[rest] = _stuck(hours[rest], temperature_c[rest], heated, vessel.tank)
    return {i: REASONS[why[i] - 1] for i in np.flatnonzero(why).tolist()}


def stands_still(hours: Floats, temperature_c: Floats, tank: Tank) -> bool:
    """Return whether the last readings stayed the same for longer than water in a tank does, whoever heats and draws.

    Parameters
    ----------
    hours
        When each was read, ascending, shape (n,) [h].
    temperature_c
        Readings, shape (n,), at least one [°C].
    tank
        The tank.

    """
    others = np.flatnonzero(np.abs(temperature_c - temperature_c[-1]) >= DIFFERENT_K)
    since = int(others[-1]) + 1 if len(others) else 0
    if len(hours) - since < CONFIRMED_BY:
        return False
    rate = tank.heat_loss_coefficient_kw_per_k / tank.heat_capacity_kwh_per_k
    left = np.exp(-rate * (hours[-1] - hours[since]))
    return bool(abs(temperature_c[-1] - tank.ambient_c) * (1 - left) >= STILL_K)


def _doubt_levels(hours: Floats, temperature_c: Floats, vessel: Vessel, why: Why) -> None:
    """Put in why readings cannot be where they are, whatever was before and after."""
    why[(why == 0) & (temperature_c < vessel.coldest_c)] = NOT[TOO_COLD]
    why[(why == 0) & (temperature_c > vessel.hottest_c)] = NOT[TOO_HOT]
    power_on = np.abs(temperature_c - POWER_ON_C) < DIFFERENT_K / 2
    if power_on.any():
        measured = np.flatnonzero((why == 0) & ~power_on)
        before = np.searchsorted(measured, np.flatnonzero(power_on)) - 1
        last_c = np.where(before >= 0, temperature_c[measured[before]], vessel.ceiling_c) if len(measured) else np.nan
        got_there = np.abs(last_c - POWER_ON_C) <= NEAR_K
        why[np.flatnonzero(power_on)[~got_there]] = NOT[AFTER_RESET]
    too_hot = temperature_c > BELIEVED_C[1]
    if too_hot.any():
        celsius = (temperature_c - 32) / 1.8
        in_tank = (celsius >= vessel.coldest_c) & (celsius <= vessel.hottest_c)
        why[mostly(too_hot & in_tank, np.isfinite(temperature_c), hours, FAHRENHEIT_WITHIN_H)] = NOT[FAHRENHEIT]


def mostly(
    suspect: NDArray[np.bool_], counted: NDArray[np.bool_], hours: Floats, within_h: float, *, least: int = 3
) -> NDArray[np.bool_]:
    """Return around which values of a series at least half are suspect, shape (n,).

    Parameters
    ----------
    suspect, counted
        Which are, and which say anything at all, shape (n,).
    hours
        When each was, ascending, shape (n,) [h].
    within_h
        How far around a value others are looked at [h].
    least
        How many must be suspect at least.

    """
    first = np.searchsorted(hours, hours - within_h, "left")
    last = np.searchsorted(hours, hours + within_h, "right")
    suspects, all_of_them = (np.concatenate([[0], np.cumsum(each)]) for each in (suspect, counted))
    found = suspects[last] - suspects[first]
    around: NDArray[np.bool_] = (found >= least) & (2 * found >= all_of_them[last] - all_of_them[first])
    return around


def _jumps(hours: Floats, temperature_c: Floats, rise_k_per_h: float) -> Why:
    """Return why readings are doubted for what was before and after; 0 where they are not."""
    if not (np.diff(temperature_c) > rise_k_per_h * np.diff(hours) + NOISE_K).any():
        return np.zeros(len(hours), dtype=np.int8)
    why, shown_k_per_h = _one_by_one(hours.tolist(), temperature_c.tolist(), rise_k_per_h)
    # where another source of heat has shown itself, it explains what it does at other times
    return _one_by_one(hours.tolist(), temperature_c.tolist(), shown_k_per_h)[0] if shown_k_per_h else why


def _one_by_one(at: list[float], read: list[float], rise_k_per_h: float) -> tuple[Why, float]:
    """Return why readings are doubted, and how fast another source was seen to heat [K/h], 0 where none was."""
    why = np.zeros(len(at), dtype=np.int8)

    def reaches(i: int, j: int) -> bool:
        return read[j] - read[i] <= rise_k_per_h * (at[j] - at[i]) + NOISE_K

    def rises(risen: list[int]) -> list[float]:
        return [(read[k] - read[j]) / (at[k] - at[j]) for j, k in pairwise(risen) if not reaches(j, k)]

    # the last two that are believed, and those above them that wait for more
    believed: list[int] = []
    waiting: list[int] = []
    faster: list[float] = []
    for i in range(len(at)):
        if not believed or reaches(believed[-1], i):
            stayed = [*waiting, i]
            if not (waiting and _is_back(at, read, waiting[-1], i) and _confirmed([read[each] for each in stayed])):
                why[waiting] = NOT[TOO_FAST]
            else:
                faster += rises([believed[-1], *stayed])
            believed, waiting = [*believed[-1:], i], []
        elif not waiting and len(believed) > 1 and _is_back(at, read, believed[0], i):
            why[believed[-1]] = NOT[BACK_TOO_FAST]
            believed = [believed[0], i]
        else:
            waiting.append(i)
            if len(believed) == 1 and len(waiting) > 1 and reaches(waiting[0], i):
                why[believed[-1]] = NOT[HOTTER_NEXT]
            elif _confirmed([read[each] for each in waiting]):
                faster += rises([*believed[-1:], *waiting])
            else:
                continue
            believed, waiting = waiting[-2:], []
    why[waiting] = NOT[TOO_FAST]
    # a single rise may be a sensor that was moved
    return why, OVERPOWER * max(faster) if len(faster) > 1 else 0.0


def _is_back(at: list[float], read: list[float], before: int, now: int) -> bool:
    """Return whether a reading is where an earlier one was, as if nothing had been in between."""
    return abs(read[now] - read[before]) <= NOISE_K + COOLING_K_PER_H * (at[now] - at[before])


def _confirmed(waiting_c: list[float]) -> bool:
    """Return whether readings show together what none of them could alone."""
    last = waiting_c[-CONFIRMED_BY:]
    return len(last) == CONFIRMED_BY and max(last) - min(last) >= DIFFERENT_K


def _stuck(hours: Floats, temperature_c: Floats, heated_kwh: Floats, tank: Tank) -> Why:
    """Return which readings stayed what they were while the tank was warmed."""
    why = np.zeros(len(hours), dtype=np.int8)
    if not heated_kwh.any():
        return why
    lost_k = tank.heat_loss_coefficient_kw_per_k * (temperature_c - tank.ambient_c) * np.diff(hours, prepend=hours[:1])
    warmed_k = (heated_kwh - lost_k) / tank.heat_capacity_kwh_per_k
    edges = np.flatnonzero(np.abs(np.diff(temperature_c, prepend=np.nan, append=np.nan)) >= DIFFERENT_K)
    edges = np.unique(np.concatenate([[0], edges, [len(hours)]]))
    begins, ends = edges[:-1], edges[1:]
    gained_k = np.concatenate([[0.0], np.cumsum(np.maximum(warmed_k, 0))])
    long = (ends - begins >= CONFIRMED_BY) & (gained_k[ends] - gained_k[np.minimum(begins + 1, ends)] >= STUCK_K)
    for begin, end in zip(begins[long].tolist(), ends[long].tolist(), strict=True):
        came_k = np.cumsum(warmed_k[begin:end])
        for i in range(1, end - begin):
            window = slice(int(np.searchsorted(hours[begin:end], hours[begin + i] - STUCK_WITHIN_H)), i)
            least = window.start + int(np.argmin(came_k[window])) if window.stop > window.start else i
            if came_k[i] - came_k[least] >= STUCK_K:
                why[begin + least + 1 : end] = NOT[STUCK]
                break
    return why
