"""When a boiler's hygiene is due, and the floor of a plan with hygiene in it. Pure.

Where it costs least: ``physics/hygiene.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import numpy as np
import pandas as pd

from smart_boiler_plugin.boiler.comfort import Away, Hygiene
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.days import DAY
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.facts.facts import Facts
from smart_boiler_plugin.physics import hygiene
from smart_boiler_plugin.physics.envelope import Envelope, Series
from smart_boiler_plugin.plan.device import Device
from smart_boiler_plugin.plan.policy import Policy

MARGIN_K = 0.5
"""How much hotter than it must be a tank is planned to be [K]: a sensor that reads some tenths low would not see it."""

FOLLOWED_MARGIN_K = 1.5
"""The same for set-points [K]: an element also goes off where its sensor reads some tenths high."""

TOLERANCE_K = 0.01
"""A ceiling this little below the temperature of hygiene is not below it [K]: what rounding takes away."""

TOLD_AFTER = 2
"""After how many attempts that did not get hot enough that is told."""

LONGEST_WARM_UP = 10_000
"""A tank that takes longer to be made hot [steps] is as good as one that takes just that: no calendar ends before."""


@dataclass(frozen=True)
class Wanted:
    """Hygiene of one boiler: what the household wants, else what the server's settings say.

    Parameters
    ----------
    temperature_c, duration, interval
        How hot [°C], for how long, and how often.
    margin_k
        How much hotter it is planned to be [K].

    """

    temperature_c: float
    duration: timedelta
    interval: timedelta
    margin_k: float = MARGIN_K

    @classmethod
    def of(cls, household: Hygiene, policy: Policy, margin_k: float = MARGIN_K) -> Wanted:
        """Return what is wanted of a household's boiler."""
        return cls(
            household.temperature_c or policy.hygiene_temperature_c,
            household.duration or policy.hygiene_duration,
            household.interval or policy.hygiene_interval,
            margin_k,
        )


def last_done(wanted: Wanted, facts: Facts, begin: pd.Timestamp) -> pd.Timestamp | None:
    """Return when the last hygiene that a boiler's readings show before a plan begins had lasted its time, or None."""
    return hygiene.last_done(facts.readings_c(begin + QUARTER), wanted.temperature_c, wanted.duration, QUARTER)


def due(
    wanted: Wanted, facts: Facts, done: pd.Timestamp | None, away: Away | None, begin: pd.Timestamp
) -> tuple[pd.Timestamp | None, dict[str, Any]]:
    """Return when hygiene must be done at the latest, and for people why.

    Parameters
    ----------
    wanted, away
        What the household wants.
    facts, done
        Of the boiler, and when it was hot (``last_done``).
    begin
        Of the plan.

    Returns
    -------
    None for when, if the boiler was never seen: it may not be in service yet.

    """
    since = done if done is not None else facts.first_reading
    if since is None:
        return None, {"added": False, "due": None}
    # it may have been hot before the readings that were looked at
    latest = max(since, begin - wanted.interval - DAY) + wanted.interval
    if _waits(away, latest, begin):
        # nobody draws water; on return it is clean
        latest = pd.Timestamp(cast("Away", away).until).tz_convert(begin.tz)
    said: dict[str, Any] = {"added": False, "due": latest.isoformat()}
    if done is not None:
        said["last_done"] = done.isoformat()
    return latest, said


def _waits(away: Away | None, latest: pd.Timestamp, begin: pd.Timestamp) -> bool:
    """Return whether hygiene waits for a return: it falls into the absence, or was not done before it."""
    return away is not None and max(latest, begin) >= away.begin and max(latest, begin) < away.until


def outcome(wanted: Wanted, facts: Facts, done: pd.Timestamp | None, begin: pd.Timestamp) -> dict[str, Any]:
    """Return what is to be said of hygiene that was planned before a plan begins, and did not come about.

    Parameters
    ----------
    wanted
        What the household wants.
    facts, done
        Of the boiler, and when it was hot (``last_done``).
    begin
        Of the plan.

    """
    if np.isnan(facts.planned_c).all():
        return {}
    planned = facts.planned_readings_c(begin)
    since = planned if done is None else planned.iloc[planned.index.searchsorted(done) :]
    if since.empty:
        return {}
    readings = facts.readings_c(begin + QUARTER)
    got = hygiene.attempts(since, readings, wanted.temperature_c, QUARTER)
    if len(got) < TOLD_AFTER:
        return {}
    return {"problem": f"it was planned {len(got)} times, and the tank got no hotter than {max(got):.1f} °C"}


def floor_with_hygiene(
    wanted: Wanted,
    latest: pd.Timestamp,
    data: BoilerData,
    device: Device,
    bounds: Envelope,
    price: Series,
    away: Away | None,
) -> tuple[Series | None, dict[str, Any]]:
    """Return the floor [kWh] at the end of each step, shape (n,), with hygiene where it costs least, and what to say.

    Parameters
    ----------
    wanted, latest
        What is wanted, and when it must be done at the latest.
    data, device
        The boiler, in n steps.
    bounds
        Of the plan without hygiene.
    price
        Of heat, shape (n,) [currency/kWh].
    away
        When nobody is at home: what must be done by the return is done just before, and not when it is cheapest.

    Returns
    -------
    None for the floor where this plan has no hygiene.

    """
    tank, step, ends = data.tank, device.step, device.ends
    ceiling = float(bounds.highest_kwh.max())
    if tank.temperature_c(ceiling) < wanted.temperature_c - TOLERANCE_K:
        return None, {"problem": f"the ceiling is below {wanted.temperature_c:g} °C"}
    hot = min(tank.state_of_charge_kwh(wanted.temperature_c + wanted.margin_k), ceiling)
    heat_kwh = float(bounds.steps.heat_max_kwh.mean())
    if heat_kwh <= 0:
        return None, {"problem": "there is no power to heat with"}
    # what must be done before the next plan could do it is done in this one
    warm_up = min(hot / heat_kwh, LONGEST_WARM_UP) * step
    if latest > ends[-1] + warm_up + wanted.duration:
        return None, {}
    hold, deadline = -(-wanted.duration // step), int((latest - device.moments[0]) // step) - 1
    if away and latest == away.until and deadline < len(ends):
        floor = np.full(len(ends), -np.inf)
        floor[max(deadline - hold, 0) : deadline + 1] = hot
        return floor, {"added": True, **_planned(device, deadline - hold, deadline)}
    placed = hygiene.place(bounds, price, device.start_kwh, hot, hold, deadline=deadline)
    if placed is None:
        # beyond what this plan can do: as hot as possible as soon as possible, and the next plan goes on
        told = "it cannot be reached within this plan, which heats as much as it can"
        return np.full(len(ends), hot), {"added": True, "problem": told}
    floor = np.full(len(ends), -np.inf)
    floor[max(placed.first, 0) : placed.last + 1] = hot
    return floor, {"added": True, **_planned(device, placed.first, placed.last)}


def _planned(device: Device, first: int, last: int) -> dict[str, str]:
    """Return between the ends of which steps a tank is hot, for people."""
    begin, end = (device.moments[0] + (step + 1) * device.step for step in (first, last))
    return {"planned_from": begin.isoformat(), "planned_until": end.isoformat()}
