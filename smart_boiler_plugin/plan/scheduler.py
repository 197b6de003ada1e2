"""BoilerScheduler: the host's StorageScheduler for a boiler, which speaks degrees and never leaves it without a plan.

It translates and delegates; the optimisation is the host's. What a boiler can do is in ``physics/envelope.py``, what
its household wants in ``boiler/comfort.py``, what is known of it in ``facts``; ``boiler_plan.py`` puts these together.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from flexmeasures import Asset
from flexmeasures.data import db
from flexmeasures.data.models.planning.exceptions import InfeasibleProblemException
from flexmeasures.data.models.planning.storage import StorageScheduler
from flexmeasures.data.models.planning.utils import get_continuous_series_sensor_or_quantity
from flexmeasures.data.schemas.scheduling import FlexContextSchema
from flexmeasures.data.schemas.sensors import VariableQuantityField
from flexmeasures.utils.time_utils import server_now
from marshmallow import ValidationError

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.clock.quarter import whole_quarters
from smart_boiler_plugin.facts.observations import Observations
from smart_boiler_plugin.plan.assumed_prices import complete_prices
from smart_boiler_plugin.plan.boiler_plan import BoilerPlan
from smart_boiler_plugin.plan.degrees import in_kwh
from smart_boiler_plugin.plan.frames import KW_PER_MW, Frame, room_kw
from smart_boiler_plugin.stored import is_stored

KINDS = (
    {"soc-at-start", "state-of-charge"},
    {"soc-min", "soc-minima"},
    {"soc-usage"},
    # the gain is the constant part of the standing loss: with another storage efficiency it means nothing
    {"storage-efficiency", "soc-gain"},
    {"power-capacity", "consumption-capacity"},
    {"charging-efficiency", "roundtrip-efficiency"},
)
"""Fields of a flex-model that say the same kind of thing: what a trigger says replaces all of the boiler's own.

Not so ``soc-maxima``: what somebody wishes for some hours lifts no limit of the tank, which only ``soc-max`` names.
"""

GIVEN = "given-by-trigger"
"""Field of a flex-model, ours alone, that lists what the trigger itself gave."""

CURRENT_NAMES = {"consumption-price-sensor": "consumption-price", "production-price-sensor": "production-price"}
"""Old names of fields of a flex-context, which the host takes in a trigger but not beside a stored new one."""

SOFT_SOC = {"relax-constraints", "relax-soc-constraints", "soc-minima-breach-price", "soc-maxima-breach-price"}
"""Fields of a flex-context by which somebody asks for soft floors and ceilings; then they get them."""

OVERLAPS = (("soc_minima", "min", "max"), ("soc_maxima", "max", "min"), ("soc_targets", "equals", "first"))
"""Series of a flex-model, their column in the host's table, and which of two events counts at the same moment."""

ENERGY = "electricity net energy"
"""The host's name of the commitment that holds the energy price."""


class BoilerScheduler(StorageScheduler):
    """Plans boilers. A trigger needs a start and a duration alone; all else is stored on the asset, or measured.

    Every field of the host's flex-model is accepted, and each field about the state of charge has a twin in degrees
    (``degrees.TWINS``). What a trigger says of a kind (``KINDS``) replaces the boiler's own of that kind.

    Where the host would find no plan, it gets the problem that is nearest to the wished one and has a plan: a boiler
    that is too cold is heated at full power, one that is too hot waits, draw-offs that the tank cannot serve are cut.
    Floors and ceilings are hard within that, so a floor is worth more than any price; where all wishes can be met, it
    is the host's own problem, with the host's own optimum. Where floors and targets of the trigger itself exclude each
    other, the host weighs them (``_as_the_host_would``).
    """

    __version__ = "2"
    __author__ = "smart-boiler-plugin"

    flex_model: dict[str, Any] | list[dict[str, Any]]
    flex_context: dict[str, Any] | list[dict[str, Any]]
    start: datetime
    end: datetime
    _leave_to_host = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # the host finds no prices for steps that begin between the quarters
        self.start, self.end = whole_quarters(self.start, self.end)

    def collect_flex_config(self) -> None:
        """Merge what the trigger says with what is stored; the trigger counts more, kind by kind.

        The host does so when a plan is asked for, and gives the result to the worker, which does so again: what the
        trigger itself said is remembered in the field ``GIVEN``. What is measured is added by the worker alone.
        """
        if self.asset is not None and not self.flex_model and is_stored(self.asset):
            # a trigger on the asset with a start and a duration alone
            self.flex_model = [{"sensor": Boiler(self.asset).sensors["fill-rate"].id}]
        self._each_entry(self._understood)
        if isinstance(self.flex_context, dict):
            self.flex_context = {
                CURRENT_NAMES.get(name, name): {"sensor": value} if name in CURRENT_NAMES else value
                for name, value in self.flex_context.items()
            }
        prices = set(self.flex_context) & set(CURRENT_NAMES.values()) if isinstance(self.flex_context, dict) else set()
        super().collect_flex_config()
        if prices == {"consumption-price"} and isinstance(self.flex_context, dict):
            # as for the host, it counts for both: prices that cross need integers, and are solved to 1e-4 alone
            self.flex_context.pop("production-price", None)
        self._each_entry(self._without_replaced)
        self._each_entry(self._with_sensor)

    def _each_entry(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Change each device's part of the flex-model, of which there is one, or a list."""
        if isinstance(self.flex_model, dict):
            self.flex_model = change(self.flex_model)
        else:
            self.flex_model = [change(entry) for entry in self.flex_model]

    def _boiler_of(self, entry: dict[str, Any]) -> Boiler | None:
        """Return the boiler that a device's part of the flex-model is about, if it is one of ours."""
        if "sensor" in entry:
            asset = self._get_sensor_or_raise(entry["sensor"]).generic_asset
        elif "asset" in entry:
            asset = db.session.get(Asset, entry["asset"])
        else:
            asset = self.sensor.generic_asset if self.sensor is not None else None
        if asset is None or not (is_stored(asset) or self.sensor is not None):
            return None
        planned = self.asset or self.sensor.generic_asset
        if asset != planned and asset not in planned.offspring:
            # the host asks who may plan an asset, and not what they name in the flex-model
            raise ValidationError({"flex-model": [f"Asset {asset.id} is no part of asset {planned.id}."]})
        return Boiler(asset)

    def _understood(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Return a device's part of the trigger without degrees; that of a boiler remembers what it says."""
        boiler = self._boiler_of(entry)
        if boiler is None:
            return entry
        entry = in_kwh(entry, boiler.data.tank, lambda reference: self._events_c(boiler, reference))
        remembered = entry.get(GIVEN)
        return {**entry, GIVEN: remembered if isinstance(remembered, list) else sorted(entry)}

    def _events_c(self, boiler: Boiler, reference: dict[str, Any]) -> list[dict[str, Any]]:
        """Return what a temperature sensor has in the window, as events of a flex-model."""
        sensor = VariableQuantityField("°C").deserialize(reference)
        step = self._step
        known = Observations(boiler, self.belief_time or server_now())
        values = known.series(sensor, "°C", self.start, self.end + step, step).dropna()
        moments = pd.DatetimeIndex(values.index)
        return [
            {"datetime": moment.isoformat(), "value": f"{value} °C"}
            for moment, value in zip(moments, values, strict=True)
        ]

    @staticmethod
    def _without_replaced(entry: dict[str, Any]) -> dict[str, Any]:
        """Return a merged flex-model without those of the boiler's own fields that the trigger replaced."""
        given = set(entry.get(GIVEN, ()))
        replaced = set().union(*(kind - given for kind in KINDS if kind & given))
        return {name: value for name, value in entry.items() if name not in replaced}

    def _with_sensor(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Return a merged flex-model with its sensor, where the host found a boiler of a planned site by itself."""
        if isinstance(self.flex_model, dict) or "sensor" in entry:
            return entry
        boiler = self._boiler_of(entry)
        return {"sensor": boiler.sensors["fill-rate"].id, **entry} if boiler else entry

    def _deserialize_flex_model(self) -> Any:
        """Add what is measured of each boiler, before the host reads the flex-model."""
        self._plans: dict[int, BoilerPlan] = {}
        self._each_entry(self._completed)
        return super()._deserialize_flex_model()

    def _completed(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Return a merged flex-model with where the boiler starts, and where its planned state is stored."""
        boiler = self._boiler_of(entry)
        if boiler is None:
            return entry
        known = Observations(boiler, self.belief_time or server_now())
        plan = self._plans[boiler.asset.id] = BoilerPlan(boiler, known, frozenset(entry.get(GIVEN, ())))
        entry = {name: value for name, value in entry.items() if name != GIVEN}
        states = boiler.sensors.get("state-of-charge")
        own = {"sensor": states.id} if states is not None else None
        # on our own sensor is what was planned: that is where the host stores it, and nothing to start from
        if "soc-at-start" not in entry and entry.get("state-of-charge", own) == own:
            entry["soc-at-start"] = f"{plan.start_kwh(self.start):.9f} kWh"
        return {"state-of-charge": own, **entry} if own else entry

    @property
    def _step(self) -> timedelta:
        step: timedelta = self.resolution or (
            self.sensor.event_resolution if self.sensor is not None else self.default_resolution
        )
        return step

    def _deserialize_flex_context(self) -> None:
        """Complete the flex-context, once the host knows how long the plan is; the host reads it next."""
        if isinstance(self.flex_context, dict) and self._plans:
            # the host has kept the collected one, for the worker to find out anew what is known
            self.flex_context = dict(self.flex_context)
            complete_prices(self.flex_context, self._plans.values(), self.start, self.end, self._step)
            self._soft_context = dict(self.flex_context)
            if not SOFT_SOC & self.flex_context.keys():
                # soft floors and ceilings take the host most of its time, and here hard ones can always be met
                self.flex_context["relax-soc-constraints"] = False
                if not any(name.startswith("site-") for name in self.flex_context):
                    self.flex_context["relax-site-capacity-constraints"] = False
        super()._deserialize_flex_context()

    def _prepare(self, skip_validation: bool = False) -> tuple[Any, ...]:  # noqa: FBT001, FBT002 (the host's)
        """Return the host's problem, with bounds that can be met.

        This is the one place where we reach into the host: ``_prepare`` is where all of a flex-model, sensors included,
        has become numbers and nothing is solved yet. ``tests/host/test_scheduling.py`` fails when it changes.
        """
        prepared: tuple[Any, ...] = super()._prepare(skip_validation=skip_validation)
        if self._leave_to_host:
            return prepared
        sensors, _, _, resolution, soc_at_start, devices, sites, commitments = prepared
        step_h = resolution / timedelta(hours=1)
        price = next((c.upwards_deviation_price for c in commitments if c.name == ENERGY), None)
        for d, sensor in enumerate(sensors):
            plan = self._plans.get(sensor.generic_asset.id) if sensor is not None else None
            if plan is None or soc_at_start[d] is None:
                continue
            frame = Frame(devices[d], soc_at_start[d] * KW_PER_MW, step_h)
            self._resolve_overlaps(frame, self._device_models[d], resolution)
            # EUR per MW and step -> EUR per kW and step
            price_per_kw = np.zeros(len(devices[d])) if price is None else price.to_numpy(dtype=float) / KW_PER_MW
            plan.bound(frame, price_per_kw, room_kw(d, devices, zip(sites, self.ems_constraint_groups, strict=True)))
        accounts = {str(plan.boiler.asset.id): plan.account for plan in self._plans.values()}
        self.info.update(next(iter(accounts.values())) if len(accounts) == 1 else {"boilers": accounts})
        return prepared

    def _resolve_overlaps(self, frame: Frame, model: dict[str, Any], resolution: timedelta) -> None:
        """Let the stricter of two events count where they meet, and the first of two targets.

        The host does so where floors and ceilings are soft, which is its default. Where they are hard, the later event
        of a list overwrites the earlier one, also at the moment at which one ends and the next begins (FlexMeasures
        1.0.1, ``build_device_soc_values``; ``tests/host/test_same_optimum.py`` fails without this).
        """
        moments = pd.DatetimeIndex(frame.table.index)
        for field, column, resolve in OVERLAPS:
            if not isinstance(model.get(field), list):
                continue
            values = get_continuous_series_sensor_or_quantity(
                variable_quantity=model[field],
                unit="MWh",
                query_window=(moments[0] + resolution, moments[-1] + 2 * resolution),
                resolution=resolution,
                as_instantaneous_events=True,
                resolve_overlaps=resolve,
            )
            frame.tighten(column, values.to_numpy(dtype=float) * KW_PER_MW)

    def compute(self, skip_validation: bool = True) -> Any:  # noqa: ARG002, FBT001, FBT002 (the host's)
        """Return the plan, with the planned temperature beside the host's results.

        The host's validation is left out: it costs time, takes draw-offs for violations, and what it would refuse has
        been made possible.
        """
        results = super().compute(skip_validation=True)
        if not self.return_multiple:
            return results
        if len(self._plans) == 1 and all(plan.torn for plan in self._plans.values()):
            results = self._as_the_host_would(results)
        by_sensor = {result["sensor"].id: result["data"] for result in results if "sensor" in result}
        for plan in self._plans.values():
            states = plan.boiler.sensors.get("state-of-charge")
            if states is not None and states.id in by_sensor:
                results.append(self._temperature(plan.boiler, by_sensor[states.id]))
        return results

    def _as_the_host_would(self, ours: Any) -> Any:
        """Return the host's own plan, where it has one, for a trigger whose own floors and targets exclude each other.

        Which to miss is no question of comfort then, and for the host a kWh of either is the same. Our plan, in which a
        floor counts more, is what is left where the host finds none.
        """
        kept = self.flex_context
        self.flex_context, self._leave_to_host = FlexContextSchema().load(self._soft_context), True
        try:
            theirs = super().compute(skip_validation=True)
        except InfeasibleProblemException:
            self.flex_context = kept
            return ours
        (plan,) = self._plans.values()
        states = next((result["data"] for result in theirs if result["name"] == "state_of_charge"), None)
        if states is not None:
            plan.say_floors_not_met(states.to_numpy()[1:])
        self.info.update(plan.account)
        self.info["plan"] = "the host's own: not all floors and targets of the trigger can be met"
        return theirs

    @staticmethod
    def _temperature(boiler: Boiler, states_kwh: pd.Series) -> dict[str, Any]:
        """Return the planned temperature: the mean of each step, as a boiler would report it."""
        mean = (states_kwh.to_numpy()[:-1] + states_kwh.to_numpy()[1:]) / 2
        temperature = pd.Series(boiler.data.tank.temperature_c(mean), index=states_kwh.index[:-1]).round(3)
        sensor = boiler.sensors["temperature"]
        return {"name": "temperature", "sensor": sensor, "data": temperature, "unit": sensor.unit}
