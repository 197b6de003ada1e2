"""One boiler in a plan: where it starts, what it must keep, where hygiene goes, and what the plan rests on.

Between the host's side (``scheduler.py``) and the pure modules.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.comfort import Comfort
from smart_boiler_plugin.clock.quarter import HOUR, QUARTER
from smart_boiler_plugin.facts.observations import Observations, Readings
from smart_boiler_plugin.physics import hygiene
from smart_boiler_plugin.physics.envelope import Envelope, Series, envelope
from smart_boiler_plugin.physics.thermostat import HYSTERESIS_K, SET_POINT_C, thermostat_within
from smart_boiler_plugin.plan.frames import Frame
from smart_boiler_plugin.settings import (
    HYGIENE_DURATION,
    HYGIENE_INTERVAL,
    HYGIENE_TEMPERATURE,
    MAX_CARRIED_AGE,
    MAX_READING_AGE,
)

HYGIENE_MARGIN_K = 0.5
"""How much hotter than it must be a tank is planned to be [K]: a sensor that reads some tenths low would not see it."""

NOTICED_K = 0.01
"""A floor that is missed by less counts as met [K]."""

NOTICED_KWH = 1e-6
"""A target that is missed by less is met [kWh]."""


class BoilerPlan:
    """One boiler in a plan.

    Parameters
    ----------
    boiler
        Which.
    known
        What is known of it.
    given
        Fields of the flex-model that the trigger gives.

    Attributes
    ----------
    has_prices
        Whether there is a price for any step.
    assumed_prices
        Starts of the steps whose price is a typical one.
    torn
        Whether the trigger alone says what is wanted, and not all of its floors and targets can be met.
    account
        What the plan rests on, for the scheduler's info: JSON.

    """

    def __init__(self, boiler: Boiler, known: Observations, given: frozenset[str]) -> None:
        self.boiler = boiler
        self.known = known
        self.given = given
        self.has_prices = True
        self.torn = False
        self.assumed_prices = pd.DatetimeIndex([])
        self.account: dict[str, Any] = {}
        if given & {"soc-at-start", "state-of-charge"}:
            self.account["start"] = {"from": "trigger"}

    @cached_property
    def comfort(self) -> Comfort:
        """What the household wants."""
        return self.boiler.comfort

    def _readings(self, until: datetime) -> Readings:
        """Return the readings up to a moment, as far back as any question needs them. One query for all."""
        if not hasattr(self, "_found"):
            since = until - max(
                self._hygiene_interval + timedelta(days=1), MAX_CARRIED_AGE.value, MAX_READING_AGE.value
            )
            self._found = self.known.readings(since, until + QUARTER)
            if self._found.not_believed:
                self.account["readings_not_believed"] = self._found.not_believed
        return self._found

    def start_kwh(self, start: datetime) -> float:
        """Return the state of charge at the start [kWh]: of the last reading, carried forward if old, or the floor."""
        temperature_c, self.account["start"] = self._start_c(start)
        return self.boiler.data.tank.state_of_charge_kwh(temperature_c)

    def _start_c(self, start: datetime) -> tuple[float, dict[str, str]]:
        readings = self._readings(start).believed_c
        if not readings.empty:
            measured_at, reading_c = readings.index[-1], float(readings.iloc[-1])
            said = {"reading": f"{reading_c:.2f} °C", "measured_at": measured_at.isoformat()}
            if pd.Timestamp(start) - measured_at <= MAX_READING_AGE.value:
                return reading_c, {"from": "reading", "temperature": f"{reading_c:.2f} °C", **said}
            if pd.Timestamp(start) - measured_at <= MAX_CARRIED_AGE.value:
                carried = self.known.carried_forward_c(reading_c, measured_at + QUARTER, start)
                return carried, {"from": "reading carried forward", "temperature": f"{carried:.2f} °C", **said}
        floor = self.boiler.data.temperature_min_c
        return floor, {"from": "floor", "temperature": f"{floor:.2f} °C"}

    def bound(self, frame: Frame, price_per_kw: Series, room_kw: Series | float) -> None:
        """Let the host plan this boiler within bounds that can be met, with draw-offs, comfort and hygiene.

        Parameters
        ----------
        frame
            The host's table; changed in place.
        price_per_kw
            Price of running at 1 kW for a step, shape (n,) [EUR/kW].
        room_kw
            Power that the site leaves [kW].

        """
        moments = pd.DatetimeIndex(frame.table.index).tz_convert(self.boiler.timezone)
        step = frame.step_h * HOUR
        tank = self.boiler.data.tank
        drawn_kw = self._drawn_kw(moments, step)
        frame.add_demand(drawn_kw)
        wished = self._floor_kwh(frame, moments + step)
        highest = frame.state_kwh("max", np.inf)
        targets = frame.targets_kwh()
        steps = frame.steps(room_kw)
        bounds = envelope(steps, frame.start_kwh, wished, highest, targets)
        price = price_per_kw / frame.heat_kwh_per_kw
        lowest = self._with_hygiene(bounds, wished, price, frame, moments + step)
        if lowest is wished:
            alone = bool(self.given & {"soc-min", "soc-minima"}) and "soc-targets" in self.given and not drawn_kw.any()
            misses = [abs(bounds.lowest_kwh[at] - target) for at, target in targets.items()]
            self.torn = alone and self.has_prices and max([*misses, *(wished - bounds.lowest_kwh)]) > NOTICED_KWH
        else:
            bounds = envelope(steps, frame.start_kwh, lowest, highest, targets)
        if self.has_prices:
            self.account["plan"] = "cheapest"
            frame.set_bounds(bounds)
        else:
            self.account["plan"] = "thermostat, as no price is known"
            full = tank.state_of_charge_kwh(SET_POINT_C)
            restart = tank.state_of_charge_kwh(SET_POINT_C - HYSTERESIS_K)
            frame.set_bounds(bounds)
            frame.set_heat(thermostat_within(bounds, frame.start_kwh, restart_kwh=restart, full_kwh=full))
        self._say_what_is_missed(bounds, wished, moments, step)

    def _drawn_kw(self, moments: pd.DatetimeIndex, step: timedelta) -> Series:
        """Return the draw-offs to plan with [kW], beside those that the trigger itself gave."""
        if "soc-usage" in self.given:
            return np.zeros(len(moments))
        # a trigger that brings its own standing loss describes the storage itself: nothing is added by assumption
        assume = "storage-efficiency" not in self.given
        drawn, from_sensor = self.known.drawn_kw(moments[0], moments[-1] + step, step, assume=assume)
        self.account["draw_offs"] = {"steps_from_sensor": from_sensor}
        if assume:
            self.account["draw_offs"]["steps_from_tapping_profile"] = len(drawn) - from_sensor
            self.account["draw_offs"]["tapping_profile"] = self.boiler.data.tapping_profile
        return drawn

    def _floor_kwh(self, frame: Frame, ends: pd.DatetimeIndex) -> Series:
        """Return the floor [kWh] at the end of each step: the trigger's, else the household's."""
        if self.given & {"soc-min", "soc-minima"}:
            return np.maximum(frame.state_kwh("min", 0.0), 0.0)
        data = self.boiler.data
        floor_c = self.comfort.lowest_allowed_c(
            ends, temperature_min_c=data.temperature_min_c, temperature_max_c=data.temperature_max_c
        )
        return np.maximum(data.tank.state_of_charge_kwh(floor_c), 0.0)

    @property
    def _hygiene_interval(self) -> timedelta:
        return self.comfort.hygiene.interval or HYGIENE_INTERVAL.value

    def _with_hygiene(
        self, bounds: Envelope, wished: Series, price: Series, frame: Frame, ends: pd.DatetimeIndex
    ) -> Series:
        """Return the floor [kWh] with hygiene in it, where it is due; the same object where it is not."""
        wants = self.comfort.hygiene
        if wants.off_because:
            self.account["hygiene"] = {"off": wants.off_because}
            return wished
        step = frame.step_h * HOUR
        begin = ends[0] - step
        temperature_c = wants.temperature_c or HYGIENE_TEMPERATURE.value
        duration = wants.duration or HYGIENE_DURATION.value
        due, said = self._hygiene_due(begin, temperature_c, duration)
        self.account["hygiene"] = said
        if due is None:
            return wished
        tank, ceiling = self.boiler.data.tank, float(bounds.highest_kwh.max())
        if tank.state_of_charge_kwh(temperature_c) > ceiling:
            said["problem"] = f"the ceiling is below {temperature_c:g} °C"
            return wished
        hot = min(tank.state_of_charge_kwh(temperature_c + HYGIENE_MARGIN_K), ceiling)
        # what must be done before the next plan could do it is done in this one
        warm_up = hot / max(float(bounds.steps.heat_max_kwh.mean()), 1e-9) * step
        if due > ends[-1] + warm_up + duration:
            return wished
        hold = -(-duration // step)
        deadline = int((due - begin) // step) - 1
        placed = hygiene.place(bounds, price, frame.start_kwh, hot, hold, deadline=deadline)
        lowest: Series = wished.copy()
        if placed is None:
            # beyond what this plan can do: as hot as possible as soon as possible, and the next plan goes on
            lowest[:] = np.maximum(lowest, hot)
            said.update(added=True, problem="it cannot be reached within this plan, which heats as much as it can")
            return lowest
        spot = slice(max(placed.first, 0), placed.last + 1)
        lowest[spot] = np.maximum(lowest[spot], hot)
        said["added"] = True
        said["planned_from"] = (begin + (placed.first + 1) * step).isoformat()
        said["planned_until"] = (begin + (placed.last + 1) * step).isoformat()
        return lowest

    def _hygiene_due(
        self, begin: pd.Timestamp, temperature_c: float, duration: timedelta
    ) -> tuple[pd.Timestamp | None, dict[str, Any]]:
        """Return when hygiene must be done at the latest, or None if the boiler was never seen, and what to say."""
        readings = self._readings(begin).believed_c
        done = hygiene.last_done(readings, temperature_c, duration, QUARTER)
        since = done if done is not None else self.known.first_reading()
        if since is None:
            return None, {"added": False, "due": None}
        # it may have been hot before the readings that were looked at
        due = max(since, begin - self._hygiene_interval - timedelta(days=1)) + self._hygiene_interval
        away = self.comfort.away
        if away and away.begin <= due < away.until:
            # nobody draws water; on return it is clean
            due = pd.Timestamp(away.until).tz_convert(self.boiler.timezone)
        said: dict[str, Any] = {"added": False, "due": due.isoformat()}
        if done is not None:
            said["last_done"] = done.isoformat()
        return due, said

    def _say_what_is_missed(self, bounds: Envelope, wished: Series, moments: pd.DatetimeIndex, step: timedelta) -> None:
        """Put into the account which floors are not met, which draw-offs not served and which prices assumed."""
        self._wished = wished, moments, step
        self.say_floors_not_met(bounds.lowest_kwh)
        unserved = bounds.not_served_kwh
        if unserved.any():
            self.account["draw_offs"] = {
                **self.account.get("draw_offs", {}),
                "not_served": [
                    {**span, "heat": f"{unserved[part].sum():.3f} kWh"}
                    for part, span in _spans(unserved > 0, moments, step)
                ],
            }
        assumed = moments.isin(self.assumed_prices)
        self.account["assumed_prices"] = [span for _, span in _spans(assumed, moments, step)]

    def say_floors_not_met(self, states_kwh: Series) -> None:
        """Put into the account which of the bounded plan's floors some states of charge [kWh] do not meet."""
        wished, moments, step = self._wished
        missed_k = (wished - states_kwh) / self.boiler.data.tank.heat_capacity_kwh_per_k
        self.account["floors_not_met"] = [
            {**span, "by": f"{missed_k[part].max():.1f} K"}
            for part, span in _spans(missed_k > NOTICED_K, moments, step)
        ]


def _spans(
    chosen: np.ndarray[Any, np.dtype[np.bool_]], moments: pd.DatetimeIndex, step: timedelta
) -> list[tuple[slice, dict[str, Any]]]:
    """Return the unbroken runs of chosen steps: as slices, and as from, until and minutes for people."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], chosen.astype(int), [0]])))
    return [
        (
            slice(int(begin), int(end)),
            {
                "from": moments[begin].isoformat(),
                "until": (moments[end - 1] + step).isoformat(),
                "minutes": round((end - begin) * (step / timedelta(minutes=1))),
            },
        )
        for begin, end in zip(edges[::2], edges[1::2], strict=True)
    ]
