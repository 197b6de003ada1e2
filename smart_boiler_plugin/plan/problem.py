"""From facts to a problem: what a boiler is to do, in numbers that a solver takes. Pure.

Boiler, comfort, facts and what a trigger said go in; out comes a ``Problem``: bounds that can all be met, prices, and
an account of what they rest on. Whatever a household wishes and a tank can do, there is a plan within these bounds
(``physics/envelope.py``). How it is solved: ``solve.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smart_boiler_plugin.boiler.comfort import Away, Comfort
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.quarter import QUARTER, QUARTER_H, mean_per_step
from smart_boiler_plugin.clock.runs import runs
from smart_boiler_plugin.facts.facts import Facts
from smart_boiler_plugin.facts.faults import faults_of
from smart_boiler_plugin.physics.envelope import Envelope, Series, envelope
from smart_boiler_plugin.plan import hygiene
from smart_boiler_plugin.plan.device import Device
from smart_boiler_plugin.plan.draw_offs import draw_offs
from smart_boiler_plugin.plan.outlook import Outlook
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.plan.prices import StepPrices

NOTICED_K = 0.01
"""A floor that is missed by less counts as met [K]."""

NOTICED_KWH = 1e-6
"""A target that is missed by less is met [kWh]."""

FLOORS = {"soc-min", "soc-minima"}
"""Fields of a flex-model by which a trigger replaces the household's floor."""


@dataclass(frozen=True)
class Problem:
    """What a solver takes. Arrays have shape (n,).

    Parameters
    ----------
    data
        The boiler.
    device
        In n steps, with draw-offs.
    bounds
        Floors and ceilings that can all be met at once, hygiene included.
    wished_kwh
        Floor at the end of each step before it was bent to what is possible, without hygiene [kWh].
    least_kwh
        The same with hygiene, and with what else is worth keeping [kWh].
    price
        What one kWh costs, typical where it is not known; None where no price is known at all.
    contradictory
        Whether the trigger alone says what is wanted, and not all of its floors and targets can be met at once. Which
        to miss is no question of comfort then: the host weighs them.
    account
        What the problem rests on, as JSON.
    seen
        Which draw-offs are to be expected, where set-points are wanted; those of the device are their means.

    """

    data: BoilerData
    device: Device
    bounds: Envelope
    wished_kwh: Series
    least_kwh: Series
    price: Series | None
    contradictory: bool
    account: dict[str, Any]
    seen: Outlook | None = None

    def floors_not_met(self, states_kwh: Series) -> list[dict[str, Any]]:
        """Return which floors some states of charge [kWh] at the ends of the first steps do not meet, for people."""
        missed_k = (self.wished_kwh[: len(states_kwh)] - states_kwh) / self.data.tank.heat_capacity_kwh_per_k
        return [
            {**span, "by": f"{missed_k[part].max():.1f} K"} for part, span in spans(missed_k > NOTICED_K, self.device)
        ]


def make_problem(
    data: BoilerData,
    comfort: Comfort,
    facts: Facts,
    policy: Policy,
    device: Device,
    prices: StepPrices,
    *,
    seen: Outlook | None = None,
    reserve_kwh: Series | None = None,
) -> Problem:
    """Return the problem of a boiler.

    Parameters
    ----------
    data, comfort
        The boiler, and what its household wants.
    facts
        What is known of it.
    policy
        What the server's settings say.
    device
        The boiler in steps of time, and what the trigger said of it.
    prices
        What one kWh costs in these steps.
    seen
        Which draw-offs are to be expected; else the tapping profile's are, where none is known.
    reserve_kwh
        What is worth keeping at the end of each step beside the floors, shape (n,) [kWh].

    """
    account: dict[str, Any] = {"start": dict(device.start_from)}
    if facts.not_believed:
        account["readings_not_believed"] = list(facts.not_believed)
    if faults := faults_of(data, facts, policy.silent_after):
        account["faults"] = [fault.as_json() for fault in faults]
    if facts.missing:
        account["missing"] = list(facts.missing)
    drawn_kw = _drawn_kw(data, comfort.away, facts, seen, device, account)
    device = device.with_draw_offs(drawn_kw)
    wished = _floor_kwh(data, comfort, policy, device)
    least = wished if reserve_kwh is None else np.maximum(wished, reserve_kwh)
    bounds = envelope(device.steps, device.start_kwh, least, device.highest_kwh, device.targets_kwh)
    heat_price = prices.of_each / device.heat_per_power if prices.known else np.zeros(len(wished))
    wanted = hygiene.Wanted.of(comfort.hygiene, policy)
    floor = _hygiene_floor(wanted, data, comfort, facts, device, bounds, heat_price, account)
    contradictory = False
    if floor is not None:
        least = np.maximum(least, floor)
        bounds = envelope(device.steps, device.start_kwh, least, device.highest_kwh, device.targets_kwh)
    elif prices.known and not drawn_kw.any():
        contradictory = _contradicts_itself(device, bounds, wished)
    if bounds.not_served_kwh.any():
        account["draw_offs"] = {**account.get("draw_offs", {}), "not_served": _not_served(bounds, device)}
    account["assumed_prices"] = [span for _, span in spans(prices.assumed, device)]
    price = prices.of_each if prices.known else None
    return Problem(data, device, bounds, wished, least, price, contradictory, account)


def _drawn_kw(
    data: BoilerData, away: Away | None, facts: Facts, seen: Outlook | None, device: Device, account: dict[str, Any]
) -> Series:
    """Return the draw-offs to plan with [kW], beside those that the trigger itself gave."""
    if "soc-usage" in device.given:
        return np.zeros(len(device.moments))
    if seen is not None:
        account["draw_offs"] = dict(seen.account)
        return _per_step(seen.mean_kwh / QUARTER_H, seen.quarters, device)
    # a trigger that brings its own standing loss describes the storage itself: nothing is added by assumption
    assume = "storage-efficiency" not in device.given
    found = draw_offs(data, facts, assume=assume, away=away)
    drawn_kw = _per_step(found.kwh / QUARTER_H, facts.quarters, device)
    from_sensor = int((_per_step(found.told, facts.quarters, device) > 0).sum())
    account["draw_offs"] = {"steps_from_sensor": from_sensor}
    empty = int((_per_step(found.nobody, facts.quarters, device) == 1).sum())
    if empty:
        account["draw_offs"]["steps_nobody_at_home"] = empty
    if assume:
        account["draw_offs"]["steps_from_tapping_profile"] = len(drawn_kw) - from_sensor - empty
        account["draw_offs"]["tapping_profile"] = data.tapping_profile
    if found.forecasts_not_believed:
        account["draw_offs"]["forecasts_not_believed"] = list(found.forecasts_not_believed)
    return drawn_kw


def _per_step(by_quarter: NDArray[Any], quarters: pd.DatetimeIndex, device: Device) -> Series:
    """Return the means over the device's steps of values by quarters of an hour."""
    begin = (device.moments[0] - quarters[0]) / QUARTER
    return mean_per_step(by_quarter.astype(float), begin, device.step / QUARTER, len(device.moments))


def _floor_kwh(data: BoilerData, comfort: Comfort, policy: Policy, device: Device) -> Series:
    """Return the floor [kWh] at the end of each step: the trigger's, else the household's, or that of all."""
    if device.given & FLOORS:
        return np.maximum(device.lowest_kwh, 0.0)
    floor_c = comfort.lowest_allowed_c(
        device.ends, temperature_min_c=policy.floor_of(data), temperature_max_c=data.temperature_max_c
    )
    return np.maximum(data.tank.state_of_charge_kwh(floor_c), 0.0)


def _hygiene_floor(
    wanted: hygiene.Wanted,
    data: BoilerData,
    comfort: Comfort,
    facts: Facts,
    device: Device,
    bounds: Envelope,
    heat_price: Series,
    account: dict[str, Any],
) -> Series | None:
    """Return the floor [kWh] that hygiene adds, if it is due, and put into the account what is to be said of it."""
    if comfort.hygiene.off_because:
        account["hygiene"] = {"off": comfort.hygiene.off_because}
        return None
    begin = device.moments[0]
    done = hygiene.last_done(wanted, facts, begin)
    latest, account["hygiene"] = hygiene.due(wanted, facts, done, comfort.away, begin)
    if latest is None:
        return None
    floor, said = hygiene.floor_with_hygiene(wanted, latest, data, device, bounds, heat_price, comfort.away)
    # what came of earlier ones matters more than what is difficult with this one
    account["hygiene"] = {**account["hygiene"], **said, **hygiene.outcome(wanted, facts, done, begin)}
    return floor


def _contradicts_itself(device: Device, bounds: Envelope, wished: Series) -> bool:
    """Return whether the trigger's own floors and targets cannot all be met."""
    if not (device.given & FLOORS and "soc-targets" in device.given):
        return False
    misses = [abs(bounds.lowest_kwh[at] - target) for at, target in device.targets_kwh.items()]
    return bool(max([*misses, *(wished - bounds.lowest_kwh)]) > NOTICED_KWH)


def _not_served(bounds: Envelope, device: Device) -> list[dict[str, Any]]:
    unserved = bounds.not_served_kwh
    return [{**span, "heat": f"{unserved[part].sum():.3f} kWh"} for part, span in spans(unserved > 0, device)]


def spans(chosen: NDArray[np.bool_], device: Device) -> list[tuple[slice, dict[str, Any]]]:
    """Return the unbroken runs of chosen steps: as slices, and as from, until and minutes for people."""
    return [
        (
            run,
            {
                "from": device.moments[run.start].isoformat(),
                "until": (device.moments[run.stop - 1] + device.step).isoformat(),
                "minutes": round((run.stop - run.start) * (device.step / timedelta(minutes=1))),
            },
        )
        for run in runs(chosen)
    ]
