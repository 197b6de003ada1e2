"""BoilerScheduler: what FlexMeasures calls to plan boilers. From facts to a problem, from a problem to an answer.

A boiler that is planned alone is solved here (``alone.py``, ``problem.py``, ``solve.py``). Where devices share a site,
where its limits come in, or where a trigger asks for what only the host knows, the host's StorageScheduler solves,
within the bounds of the same problem (``at_host.py``).
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
from flexmeasures.data.schemas.sensors import VariableQuantityField
from flexmeasures.data.utils import get_data_source
from flexmeasures.utils.time_utils import server_now
from marshmallow import ValidationError

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.clock.quarter import HOUR, whole_quarters
from smart_boiler_plugin.plan import alone, context, trigger
from smart_boiler_plugin.plan.at_host import AtHost
from smart_boiler_plugin.plan.host_results import ENERGY, Results
from smart_boiler_plugin.plan.prices import StepPrices
from smart_boiler_plugin.plan.problem import Problem, make_problem
from smart_boiler_plugin.plan.reading import facts_for_plans, policy
from smart_boiler_plugin.plan.solve import solve
from smart_boiler_plugin.plan.span import Span
from smart_boiler_plugin.plan.start import start_kwh
from smart_boiler_plugin.plan.table import KW_PER_MW, Table, headroom_kw
from smart_boiler_plugin.plan.trigger import GIVEN
from smart_boiler_plugin.stored import is_stored

SOFT_SOC = {"relax-constraints", "relax-soc-constraints", "soc-minima-breach-price", "soc-maxima-breach-price"}
"""Fields of a flex-context by which somebody asks for soft floors and ceilings; then they get them."""

OVERLAPS = (("soc_minima", "min", "max"), ("soc_maxima", "max", "min"), ("soc_targets", "equals", "first"))
"""Series of a flex-model, their column in the host's table, and which of two events counts at the same moment."""


class BoilerScheduler(StorageScheduler):
    """Plans boilers. A trigger needs a start and a duration alone; all else is stored on the asset, or measured.

    Every field of the host's flex-model is accepted, and each field about the state of charge has a twin in degrees
    (``degrees.TWINS``). What a trigger says of a kind (``trigger.KINDS``) replaces the boiler's own of that kind.

    Where the host would find no plan, there is one here for the problem that is nearest to the wished one: a boiler
    that is too cold is heated at full power, one that is too hot waits, draw-offs that the tank cannot serve are cut.
    Floors and ceilings are hard within that, so a floor is worth more than any price; where all wishes can be met, the
    optimum is that of the host's own problem. Where floors and targets of the trigger itself exclude each other, the
    host weighs them (``_as_the_host_would``).
    """

    __version__ = "2"
    __author__ = "smart-boiler-plugin"

    flex_model: dict[str, Any] | list[dict[str, Any]]
    flex_context: dict[str, Any] | list[dict[str, Any]]
    start: datetime
    end: datetime
    _leave_to_host = False
    _collected = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # the host finds no prices for steps that begin between the quarters
        self.start, self.end = whole_quarters(self.start, self.end)
        self._results = Results(None)
        self._boilers: dict[int, AtHost] = {}
        self._sensor_prices: StepPrices | None = None

    # --- what is asked for

    def collect_flex_config(self) -> None:
        """Merge what the trigger says with what is stored; the trigger counts more, kind by kind (``trigger.py``)."""
        if self.asset is not None and not self.flex_model and is_stored(self.asset):
            # a trigger on the asset with a start and a duration alone
            self.flex_model = [{"sensor": Boiler(self.asset).sensors["fill-rate"].id}]
        self._each_boiler(
            lambda entry, boiler: trigger.understood(
                entry, boiler, lambda reference: self._events_c(boiler, reference), marked=self._collected
            )
        )
        named: set[str] = set()
        if isinstance(self.flex_context, dict):
            self.flex_context = trigger.with_current_names(self.flex_context)
            named = self.flex_context.keys() & {context.CONSUMPTION, context.PRODUCTION}
        super().collect_flex_config()
        if named == {context.CONSUMPTION} and isinstance(self.flex_context, dict):
            # as for the host, it counts for both: prices that cross need integers, and are solved to 1e-4 alone
            self.flex_context.pop(context.PRODUCTION, None)
        # what the host found by itself in a planned site is marked as given by nobody
        self._each_boiler(lambda entry, _: trigger.without_replaced({GIVEN: [], **entry}))
        if isinstance(self.flex_model, list):
            self._each_boiler(lambda entry, boiler: {"sensor": boiler.sensors["fill-rate"].id, **entry})
        self._collected = True

    def _each_boiler(self, change: Callable[[dict[str, Any], Boiler], dict[str, Any]]) -> None:
        """Change each boiler's part of the flex-model; those of other devices stay."""

        def changed(entry: dict[str, Any]) -> dict[str, Any]:
            boiler = self._boiler_of(entry)
            return entry if boiler is None else change(entry, boiler)

        if isinstance(self.flex_model, dict):
            self.flex_model = changed(self.flex_model)
        else:
            self.flex_model = [changed(entry) for entry in self.flex_model]

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
        if asset != self._planned_asset and asset not in self._planned_asset.offspring:
            # the host asks who may plan an asset, and not what they name in the flex-model
            raise ValidationError({"flex-model": [f"Asset {asset.id} is no part of asset {self._planned_asset.id}."]})
        return Boiler(asset)

    @property
    def _planned_asset(self) -> Asset:
        return self.asset if self.asset is not None else self.sensor.generic_asset

    def _events_c(self, boiler: Boiler, reference: dict[str, Any]) -> list[dict[str, Any]]:
        """Return what a temperature sensor has in the window, as events of a flex-model."""
        span = Span(self.start, self.end + self._step, self._step, self._moment)
        values = get_continuous_series_sensor_or_quantity(
            variable_quantity=VariableQuantityField("°C").deserialize(reference),
            unit="°C",
            query_window=span.window,
            resolution=span.step,
            beliefs_before=span.moment,
        ).dropna()
        moments = pd.DatetimeIndex(values.index).tz_convert(boiler.timezone)
        return [
            {"datetime": moment.isoformat(), "value": f"{value} °C"}
            for moment, value in zip(moments, values, strict=True)
        ]

    @property
    def _step(self) -> timedelta:
        step: timedelta = self.resolution or (
            self.sensor.event_resolution if self.sensor is not None else self.default_resolution
        )
        return step

    @property
    def _moment(self) -> datetime:
        moment: datetime = self.belief_time or server_now()
        return moment

    @property
    def _span(self) -> Span:
        return Span(self.start, self.end, self._step, self._moment)

    # --- a boiler alone

    def compute(self, skip_validation: bool = True) -> Any:  # noqa: ARG002, FBT001, FBT002 (the host's)
        """Return the plan, with the planned temperature beside the host's results; our own carry no sensor.

        The host's validation is left out: it costs time, takes draw-offs for violations, and what it would refuse has
        been made possible.
        """
        self._results = Results(self.round_to_decimals)
        alone = self._alone()
        if alone is None:
            return self._by_host()
        boiler, problem = alone
        if problem.contradictory:
            try:
                return self._as_the_host_would(problem)
            except InfeasibleProblemException:
                # ours is left, in which a floor counts more than a target
                pass
        answer = solve(problem)
        self.info.update(answer.account)
        results = self._results.of_answer(boiler, problem, answer, boiler.currency)
        return results if self.return_multiple else results[0]["data"]

    def persist_flex_model(self) -> None:
        """Store the plan; the host has stored what is not ours, and commits next."""
        info = self.get_data_source_info()
        source = get_data_source(info["name"], info["model"], info["version"], "scheduler")
        self._results.store(source, self._moment, self._step)

    def _alone(self) -> tuple[Boiler, Problem] | None:
        """Return a boiler that can be planned alone, and its problem; None where the host must solve."""
        if self.config_deserialized or not isinstance(self.flex_context, dict):
            return None
        self.collect_flex_config()
        entries = [self.flex_model] if isinstance(self.flex_model, dict) else self.flex_model
        boiler = self._boiler_of(entries[0]) if len(entries) == 1 else None
        if boiler is None or boiler.asset != self._planned_asset:
            return None
        (entry,) = entries
        own_states = boiler.sensors.get("state-of-charge")
        if entry.get("state-of-charge") not in (None, {"sensor": own_states.id} if own_states else None):
            return None
        if not alone.can_plan(entry, self.flex_context, self._step):
            return None
        said = alone.said_of(boiler, entry, self.start)
        self.possibly_extend_end(soc_targets=said.get("soc_targets"), sensor=boiler.sensors["fill-rate"])
        rules, span = policy(), self._span
        facts = facts_for_plans([boiler], span.moment, span.start, span.end, rules)[boiler.asset.id]
        start = start_kwh(boiler.data, facts, rules, pd.Timestamp(span.start), boiler.comfort.away)
        device = alone.device_of(boiler, entry, said, start, span)
        prices = context.prices_alone(self.flex_context, boiler, facts, rules, span)
        return boiler, make_problem(boiler.data, boiler.comfort, facts, rules, device, prices)

    # --- the host's road

    def _deserialize_flex_model(self) -> Any:
        """Add what is known of each boiler, before the host reads the flex-model."""
        entries = [self.flex_model] if isinstance(self.flex_model, dict) else self.flex_model
        boilers = [boiler for boiler in map(self._boiler_of, entries) if boiler is not None]
        rules, span = policy(), self._span
        facts = facts_for_plans(boilers, span.moment, span.start, span.end, rules) if boilers else {}
        self._boilers = {boiler.asset.id: AtHost(boiler, facts[boiler.asset.id], rules) for boiler in boilers}
        self._each_boiler(lambda entry, boiler: self._boilers[boiler.asset.id].completed(entry, self.start))
        return super()._deserialize_flex_model()

    def _deserialize_flex_context(self) -> None:
        """Complete the flex-context, once the host knows how long the plan is; the host reads it next."""
        if isinstance(self.flex_context, dict) and self._boilers:
            # the host has kept the collected one, for the worker to find out anew what is known
            self.flex_context = dict(self.flex_context)
            timezone = next(iter(self._boilers.values())).boiler.timezone
            self._sensor_prices = context.complete(self.flex_context, policy(), self._span, timezone)
            if not self._leave_to_host and not SOFT_SOC & self.flex_context.keys():
                # soft floors and ceilings take the host most of its time, and here hard ones can always be met
                self.flex_context["relax-soc-constraints"] = False
                if not any(name.startswith("site-") for name in self.flex_context):
                    self.flex_context["relax-site-capacity-constraints"] = False
        super()._deserialize_flex_context()

    def _prepare(self, skip_validation: bool = False) -> tuple[Any, ...]:  # noqa: FBT001, FBT002 (the host's)
        """Return the host's problem, with bounds that can be met.

        This is the one place where we reach into the host: ``_prepare`` is where all of a flex-model, sensors included,
        has become numbers and nothing is solved yet. ``tests/host/test_host_canaries.py`` fails when it changes.
        """
        prepared: tuple[Any, ...] = super()._prepare(skip_validation=skip_validation)
        if self._leave_to_host:
            return prepared
        sensors, _, _, resolution, soc_at_start, devices, sites, commitments = prepared
        energy = next((c.upwards_deviation_price for c in commitments if c.name == ENERGY), None)
        prices = self._prices(energy, len(devices[0]), resolution)
        for d, sensor in enumerate(sensors):
            at_host = self._boilers.get(sensor.generic_asset.id) if sensor is not None else None
            if at_host is None or soc_at_start[d] is None:
                continue
            table = Table(devices[d], soc_at_start[d] * KW_PER_MW, resolution)
            self._resolve_overlaps(table, self._device_models[d], resolution)
            headroom = headroom_kw(d, devices, zip(sites, self.ems_constraint_groups, strict=True))
            at_host.bound(table, prices, headroom)
        self._tell()
        return prepared

    def _prices(self, energy: pd.Series | None, steps: int, resolution: timedelta) -> StepPrices:
        """Return what the host will count per kWh, with what is known of where it is from."""
        if energy is None or (self._sensor_prices and not self._sensor_prices.known):
            return StepPrices(np.full(steps, np.nan), np.zeros(steps, dtype=bool))
        # currency per MW and step -> currency per kWh
        per_kwh = energy.to_numpy(dtype=float) / KW_PER_MW / (resolution / HOUR)
        assumed = self._sensor_prices.assumed if self._sensor_prices else np.zeros(steps, dtype=bool)
        return StepPrices(per_kwh, assumed)

    def _tell(self) -> None:
        """Put what each boiler's plan rests on into the scheduler's info."""
        told = {str(asset_id): at_host.account for asset_id, at_host in self._boilers.items()}
        self.info.update({"solver": "host"})
        self.info.update(next(iter(told.values())) if len(told) == 1 else {"boilers": told})

    def _resolve_overlaps(self, table: Table, model: dict[str, Any], resolution: timedelta) -> None:
        """Let the stricter of two events count where they meet, and the first of two targets.

        The host does so where floors and ceilings are soft, which is its default. Where they are hard, the later event
        of a list overwrites the earlier one, also at the moment at which one ends and the next begins (FlexMeasures
        1.0.1, ``build_device_soc_values``; ``tests/host/test_same_optimum.py`` fails without this).
        """
        for field, column, resolve in OVERLAPS:
            if not isinstance(model.get(field), list):
                continue
            values = get_continuous_series_sensor_or_quantity(
                variable_quantity=model[field],
                unit="MWh",
                query_window=(table.moments[0] + resolution, table.moments[-1] + 2 * resolution),
                resolution=resolution,
                as_instantaneous_events=True,
                resolve_overlaps=resolve,
            )
            table.tighten(column, values.to_numpy(dtype=float) * KW_PER_MW)

    def _by_host(self) -> Any:
        """Return the host's plan within our bounds."""
        results = super().compute(skip_validation=True)
        return self._results.of_host(results, self._planned_boilers) if self.return_multiple else results

    def _as_the_host_would(self, problem: Problem) -> Any:
        """Return the host's own plan for a trigger whose own floors and targets exclude each other.

        Which to miss is no question of comfort then, and for the host a kWh of either is the same.

        Raises
        ------
        InfeasibleProblemException
            If the host finds no plan, either.

        """
        self._leave_to_host = True
        results = self._by_host()
        by_name = {result["name"]: result["data"] for result in results} if self.return_multiple else {}
        self.info.update(problem.account, solver="host")
        self.info["plan"] = "the host's own: not all floors and targets of the trigger can be met"
        if "state_of_charge" in by_name:
            self.info["floors_not_met"] = problem.floors_not_met(by_name["state_of_charge"].to_numpy()[1:])
        return results

    @property
    def _planned_boilers(self) -> list[Boiler]:
        return [at_host.boiler for at_host in self._boilers.values()]
