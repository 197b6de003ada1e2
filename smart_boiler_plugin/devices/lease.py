"""The lease: whether a boiler may heat now, and until when that is true. Pure. One rule for all paths to devices.

A lost connection costs savings, never comfort. A device that knows on and off alone is an ordinary boiler, with its own
thermostat; all that we can do is forbid it to heat, and that ends by itself. Whoever asks again in time is told anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from smart_boiler_plugin.clock.quarter import QUARTER

LONGEST = timedelta(minutes=20)
"""For how long heating is forbidden at most."""

RENEWED = timedelta(minutes=5)
"""How often a lease should be renewed. It begins at full five minutes, so that answers between are the same."""

ON_BELOW_C, OFF_AT_C = 55.0, 60.0
"""The thermostat of a device that is left alone [°C]."""

HALF = 0.5
"""Which share of a quarter its element must be needed for a relay to be on [-] (``physics/following.relay``)."""

PLAN, FALLBACK, NO_READING, LEFT_ALONE = "plan", "no plan", "no reading", "left alone"
"""Why it is as it is."""


@dataclass(frozen=True)
class Lease:
    """What a device that knows on and off is told.

    Parameters
    ----------
    heat
        Whether it may heat. Its own limiter ends that, nothing that we say does.
    until
        When it is to be asked again at the latest. Where heating is forbidden, it may heat from then on.
    why
        ``PLAN``; ``FALLBACK``, where no plan says anything of now; ``NO_READING``, where the temperature is not known;
        ``LEFT_ALONE``, where somebody boosts or has paused it.

    """

    heat: bool
    until: datetime
    why: str


def lease_of(
    now: datetime,
    set_points_c: Sequence[float],
    temperature_c: float | None,
    *,
    rise_k: float = 0.0,
    rising: bool = False,
    left_alone_until: datetime | None = None,
) -> Lease:
    """Return what a device is told.

    Parameters
    ----------
    now
        In a time zone of whole quarters of an hour.
    set_points_c
        Up to which it heats in this quarter and in those to come [°C]; empty where nothing is planned. NaN: the same.
    temperature_c
        Of its water [°C]; None where that is not known, or not believed.
    rise_k
        What its element warms the tank by in a quarter [K].
    rising
        Whether it is heating now, as the temperature tells.
    left_alone_until
        Until when somebody boosts or has paused it; None where nobody does.

    """
    until = ends_at(now)
    if left_alone_until is not None and left_alone_until > now:
        return Lease(heat=True, until=min(until, left_alone_until), why=LEFT_ALONE)
    planned = [point for point in set_points_c[:1] if point == point]  # noqa: PLR0124 (not NaN)
    why = PLAN if planned else FALLBACK
    if temperature_c is None:
        return Lease(heat=True, until=until, why=NO_READING if planned else FALLBACK)
    if not planned:
        on = temperature_c < ON_BELOW_C or (rising and temperature_c < OFF_AT_C)
        return Lease(on, until, why)
    if _needed(planned[0], temperature_c, rise_k):
        return Lease(heat=True, until=until, why=why)
    # not beyond the moment at which it is to heat, nor beyond what is planned
    following = set_points_c[1:2]
    if not len(following) or following[0] != following[0] or _needed(following[0], temperature_c, rise_k):
        until = min(until, next_quarter(now))
    return Lease(heat=False, until=until, why=why)


def ends_at(now: datetime) -> datetime:
    """Return when what is said now is no longer true."""
    return _floor(now, RENEWED) + LONGEST


def next_quarter(now: datetime) -> datetime:
    """Return when the next quarter of an hour begins."""
    return _floor(now, QUARTER) + QUARTER


def _needed(set_point_c: float, temperature_c: float, rise_k: float) -> bool:
    """Return whether the element is needed for more than half of a quarter."""
    return set_point_c - temperature_c > HALF * rise_k


def _floor(moment: datetime, step: timedelta) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return moment - (moment - midnight) % step
