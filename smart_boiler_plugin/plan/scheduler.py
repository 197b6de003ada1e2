"""BoilerScheduler: what FlexMeasures calls to plan boilers. From facts to a problem, from a problem to an answer.

A boiler that is planned alone is solved here (``alone.py``, ``problem.py``): by set-points where nobody says what is
wanted (``set_points.py``), else exactly (``solve.py``). Where devices share a site,
where its limits come in, or where a trigger asks for what only the host knows, the host's StorageScheduler solves,
within the bounds of the same problem (``site.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from flask import current_app
from flexmeasures import Asset
from flexmeasures.data import db
from flexmeasures.data.models.planning.exceptions import InfeasibleProblemException
from flexmeasures.data.models.planning.storage import StorageScheduler
from flexmeasures.data.schemas.sensors import VariableQuantityField
from flexmeasures.utils.time_utils import server_now
from marshmallow import ValidationError

from smart_boiler_plugin import host
from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.parts import missing_parts
from smart_boiler_plugin.clock.quarter import whole_quarters
from smart_boiler_plugin.plan import allowed, alone, context, trigger
from smart_boiler_plugin.plan.host_results import Results
from smart_boiler_plugin.plan.problem import Problem
from smart_boiler_plugin.plan.reading import known_for_plans, per_step, policy
from smart_boiler_plugin.plan.set_points import solve_by_set_points
from smart_boiler_plugin.plan.site import AtSite, Site, state_is_unknown, told_of
from smart_boiler_plugin.plan.solve import solve
from smart_boiler_plugin.plan.span import Span
from smart_boiler_plugin.plan.trigger import GIVEN
from smart_boiler_plugin.stored import is_stored


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

    __version__ = "3"
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
        self._site = Site({}, policy(), self._span)

    # --- what is asked for

    def collect_flex_config(self) -> None:
        """Merge what the trigger says with what is stored; the trigger counts more, kind by kind (``trigger.py``)."""
        if self.asset is not None and not self.flex_model:
            # a trigger on the asset with a start and a duration alone: a boiler, or all that is stored of a site
            boiler = Boiler(self.asset) if is_stored(self.asset) else None
            self.flex_model = [{"sensor": boiler.sensors["fill-rate"].id}] if boiler else []
        self._each_boiler(
            lambda entry, boiler: trigger.understood(
                entry, boiler, lambda reference: self._events_c(boiler, reference), marked=self._collected
            )
        )
        named: set[str] = set()
        if isinstance(self.flex_context, dict):
            self.flex_context = trigger.with_current_names(self.flex_context)
            named = self.flex_context.keys() & {context.CONSUMPTION, context.PRODUCTION}
        allowed.refuse(self.flex_context, self.flex_model, self._planned_asset)
        super().collect_flex_config()
        site = self._planned_asset.parent_asset if is_stored(self._planned_asset) else None
        if site is not None and isinstance(self.flex_context, dict):
            self.flex_context = trigger.with_prices_of_site(self.flex_context, site.get_flex_context(), named)
        self.flex_context, self.flex_model, unused = allowed.kept(
            self.flex_context, self.flex_model, self._planned_asset
        )
        if unused:
            self.info["not_used"] = unused
        if named == {context.CONSUMPTION} and isinstance(self.flex_context, dict):
            # as for the host, it counts for both: prices that cross need integers, and are solved to 1e-4 alone
            self.flex_context.pop(context.PRODUCTION, None)
        # what the host found by itself in a planned site is marked as given by nobody
        self._each_boiler(lambda entry, _: trigger.without_replaced({GIVEN: [], **entry}))
        if self.asset is not None:
            # the host makes one device of a list no list, and then looks for the sensor of the trigger
            self.flex_model = self._entries
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
    def _entries(self) -> list[dict[str, Any]]:
        """The parts of the flex-model, one for each device."""
        return [self.flex_model] if isinstance(self.flex_model, dict) else self.flex_model

    @property
    def _planned_asset(self) -> Asset:
        return self.asset if self.asset is not None else self.sensor.generic_asset

    def _events_c(self, boiler: Boiler, reference: dict[str, Any]) -> list[dict[str, Any]]:
        """Return what a temperature sensor has in the window, as events of a flex-model."""
        span = Span(self.start, self.end + self._step, self._step, self._moment)
        values = per_step(VariableQuantityField("°C").deserialize(reference), "°C", span).dropna()
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
        own = self._alone()
        if own is None:
            return self._by_host()
        boiler, problem = own
        if problem.contradictory:
            try:
                return self._as_the_host_would(problem)
            except InfeasibleProblemException:
                # ours is left, in which a floor counts more than a target
                pass
        # the plan may look further ahead than it was asked for
        (answer,) = solve_by_set_points([problem], self._span.steps) if problem.seen else [solve(problem)]
        self.info.update(answer.account)
        results = self._results.of_answers([(boiler, problem, answer)])
        return results if self.return_multiple else results[0]["data"]

    def persist_flex_model(self) -> None:
        """Store the plan; the host has stored what is not ours, and commits next."""
        self._results.store(host.scheduler_source(self.get_data_source_info()), self._moment, self._step)

    def _alone(self) -> tuple[Boiler, Problem] | None:
        """Return a boiler that can be planned alone, and its problem; None where the host must solve."""
        if self.config_deserialized or not isinstance(self.flex_context, dict):
            return None
        self.collect_flex_config()
        entry = self._entries[0] if len(self._entries) == 1 else {}
        boiler = self._boiler_of(entry) if entry else None
        if boiler is None or boiler.asset != self._planned_asset:
            return None
        own_states = boiler.sensors.get("state-of-charge")
        if entry.get("state-of-charge") not in (None, {"sensor": own_states.id} if own_states else None):
            return None
        if not alone.can_plan(entry, self.flex_context, self._step):
            return None
        for told in missing_parts(boiler.asset):
            current_app.logger.warning("Boiler %s (asset %s): %s", boiler.asset.name, boiler.asset.id, told)
        said = alone.said_of(boiler, entry, self.start)
        self.possibly_extend_end(soc_targets=said.get("soc_targets"), sensor=boiler.sensors["fill-rate"])
        rules, span = policy(), self._span
        known = known_for_plans([boiler], span, rules)[boiler.asset.id]
        return boiler, alone.problem_of(known, entry, said, self.flex_context, rules, span)

    # --- the host's road

    def _deserialize_flex_model(self) -> Any:
        """Add what is known of each boiler, before the host reads the flex-model."""
        left_out = [each for each in self._entries if not self._boiler_of(each) and state_is_unknown(each, self._span)]
        if left_out and isinstance(self.flex_model, list):
            self.flex_model = [entry for entry in self.flex_model if entry not in left_out]
            self.info["left_out"] = [f"{told_of(entry)}: its state of charge is not known" for entry in left_out]
        entries = [(self._boiler_of(entry), entry) for entry in self._entries]
        ours = {boiler.asset.id: (boiler, entry) for boiler, entry in entries if boiler is not None}
        rules, span = policy(), self._span
        known = known_for_plans([boiler for boiler, _ in ours.values()], span, rules)
        at_site = {id_: AtSite(known[id_], entry, rules, span) for id_, (_, entry) in ours.items()}
        self._site = Site(at_site, rules, span)
        self._each_boiler(lambda _, boiler: at_site[boiler.asset.id].for_host(with_wishes=self._leave_to_host))
        return super()._deserialize_flex_model()

    def _deserialize_flex_context(self) -> None:
        """Complete the flex-context, once the host knows how long the plan is; the host reads it next."""
        if isinstance(self.flex_context, dict) and self._site.boilers:
            # the host has kept the collected one, for the worker to find out anew what is known
            self.flex_context = self._site.complete(self.flex_context)
        super()._deserialize_flex_context()

    def _prepare(self, skip_validation: bool = False) -> tuple[Any, ...]:  # noqa: FBT001, FBT002 (the host's)
        """Return the host's problem, with bounds that can be met.

        This is the one place where we reach into the host: ``_prepare`` is where all of a flex-model, sensors included,
        has become numbers and nothing is solved yet (``host.Prepared``).
        """
        prepared = host.Prepared(*super()._prepare(skip_validation=skip_validation))
        if not self._leave_to_host:
            self._site.bound(prepared, self.ems_constraint_groups)
            self.info.update(self._site.account)
        return prepared

    def _by_host(self) -> Any:
        """Return the host's plan within our bounds; where it finds none, a plan of each boiler by itself."""
        try:
            results = super().compute(skip_validation=True)
        except ValidationError:
            raise
        except Exception as error:
            if self._leave_to_host or not self._site.boilers or not self.return_multiple:
                raise
            # whatever stands in the way of another device's plan is no reason for a household to wash cold
            current_app.logger.exception("No plan of %s as a whole: each boiler is planned alone", self._planned_asset)
            answers = self._site.each_alone()
            told = f"{type(error).__name__}: {error}".splitlines()[0]
            self.info.update(self._site.account, solver="exact", other_devices_not_planned=told)
            return self._results.of_answers(answers)
        boilers = [at_site.boiler for at_site in self._site.boilers.values()]
        return self._results.of_host(results, boilers) if self.return_multiple else results

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
