"""Plans of many boilers at once: read together, solved together, stored together.

Each boiler gets the plan that a trigger with a start and a duration alone would give it. One with something unusual (a
site, a field that only the host knows, what nobody foresaw) is planned as by such a trigger, and stops no other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import pandas as pd
from flask import current_app
from flexmeasures import Account, Asset
from flexmeasures.data import db
from rq.timeouts import BaseTimeoutException
from sqlalchemy.orm import joinedload, load_only

from smart_boiler_plugin import host
from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.history import Steps
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.facts.sensors import load_sensors, price_ids
from smart_boiler_plugin.facts.store import Values, store
from smart_boiler_plugin.garbage import uncollected
from smart_boiler_plugin.plan.ahead import looks_ahead, problem_ahead
from smart_boiler_plugin.plan.alone import can_plan, gets_set_points
from smart_boiler_plugin.plan.handing_out import hand_out
from smart_boiler_plugin.plan.host_results import ROLE_BY_RESULT
from smart_boiler_plugin.plan.needed import Need
from smart_boiler_plugin.plan.noted import note
from smart_boiler_plugin.plan.prices import StepPrices, of_facts
from smart_boiler_plugin.plan.problem import Problem
from smart_boiler_plugin.plan.reading import Known, known_for_plans, policy
from smart_boiler_plugin.plan.scheduler import BoilerScheduler
from smart_boiler_plugin.plan.set_points import solve_by_set_points
from smart_boiler_plugin.plan.solve import Answer
from smart_boiler_plugin.plan.span import Span
from smart_boiler_plugin.plan.told import told_of
from smart_boiler_plugin.transactions import by_halves, is_away

SINGLY = 30
"""How many boilers with something unusual are planned in one transaction, at half a second each."""

ROLES = ("temperature", "fill-rate", "demand", "set-point")
"""Sensors that are read and written."""

DECIMALS = 6
"""To which what is planned is rounded, as the host does."""

PLANNED, TOLD, FAILED = "Planned", "Told", "Failed"

UNFORESEEN = "UNFORESEEN"
"""Why a plan failed that nobody foresaw; the server's log has the details."""


@dataclass(frozen=True)
class Outcome:
    """What came of one boiler.

    Parameters
    ----------
    asset_id, account_id, operator_id, name
        Of the boiler, of the account that owns it, and of its operator's, if it has one.
    reasons
        What is to be told, sentences by a word for the kind.
    failed
        Whether it has no new plan.
    singly
        Whether it was planned as by a trigger.

    """

    asset_id: int
    account_id: int | None
    operator_id: int | None
    name: str
    reasons: Mapping[str, str] = field(default_factory=dict)
    failed: bool = False
    singly: bool = False

    @property
    def result(self) -> str:
        """``PLANNED``; ``TOLD``: it was, and something is to be said; or ``FAILED``."""
        return FAILED if self.failed else TOLD if self.reasons else PLANNED


def plan_fleet(needs: Mapping[int, Need], start: datetime, moment: datetime) -> list[Outcome]:
    """Plan boilers, note what their plans rest on, and return what came of each. Commits nothing.

    A number of SQL statements that does not grow with the boilers, but for those with something unusual: of these,
    ``SINGLY`` are planned at most, and of the others nothing is returned.

    Parameters
    ----------
    needs
        Until when each is to be planned, and why, by the ids of their assets; some hundreds at most.
    start
        Of the plans, on a quarter of an hour.
    moment
        Of what they know: what was recorded later is left out, and what is planned is recorded then. The second time,
        nothing is written.

    """
    with uncollected():
        return _planned(Fleet(needs, start, moment), needs)


def _planned(fleet: Fleet, needs: Mapping[int, Need]) -> list[Outcome]:
    boilers, outcomes = fleet.load()
    usual = [boiler for boiler in boilers if is_usual(boiler)]
    unusual = [boiler for boiler in boilers if not is_usual(boiler)]
    solved, failing = fleet.plan(usual)
    outcomes += [_outcome(each.boiler.asset, told_of(each.answer.account)) for each in solved]
    outcomes += [fleet.plan_singly(boiler) for boiler in [*failing, *unusual][:SINGLY]]
    planned = {outcome.asset_id: needs[outcome.asset_id].note for outcome in outcomes if not outcome.failed}
    # rows of assets are locked last
    fleet.hand_out(solved)
    note(dict(sorted(planned.items())), fleet.longest.start, fleet.longest.moment)
    return outcomes


def is_usual(boiler: Boiler) -> bool:
    """Return whether a trigger with a start and a duration alone gives a boiler set-points by its own data alone."""
    asset = boiler.asset
    entry, context = asset.flex_model, asset.flex_context
    return (
        asset.parent_asset_id is None
        and isinstance(entry, dict)
        and isinstance(context, dict)
        and "state-of-charge" not in entry
        and can_plan(entry, context, QUARTER)
        and gets_set_points(boiler, entry, QUARTER)
    )


@dataclass(frozen=True)
class Solved:
    """A boiler with its problem and its answer."""

    boiler: Boiler
    problem: Problem
    answer: Answer

    @cached_property
    def to_store(self) -> list[Values]:
        """What is stored of its plan: what the temperature says, too, is no state of charge beside it."""
        answer, sensors = self.answer, self.boiler.sensors
        starts = self.problem.device.moments[: len(answer.power_kw)]
        series = {
            "storage_schedule": answer.power_kw,
            "temperature": self.problem.data.tank.temperature_c(answer.mean_states_kwh),
            "set_point": answer.set_points_c,
        }
        return [
            Values(sensors[ROLE_BY_RESULT[name]], starts, values.round(DECIMALS))
            for name, values in series.items()
            if values is not None and ROLE_BY_RESULT[name] in sensors
        ]


class Fleet:
    """Boilers that are planned from one start, by what is known at one moment."""

    def __init__(self, needs: Mapping[int, Need], start: datetime, moment: datetime) -> None:
        self.spans = {asset_id: Span(start, need.until, QUARTER, moment) for asset_id, need in needs.items()}
        self.longest = Span(start, max((need.until for need in needs.values()), default=start), QUARTER, moment)
        self.rules = policy()

    def load(self) -> tuple[list[Boiler], list[Outcome]]:
        """Return the boilers, with the sensors that plans need; and what is wrong with those that are broken."""
        owner = joinedload(Asset.owner).load_only(Account.name, Account.consultancy_account_id)
        columns = (Asset.name, Asset.account_id, Asset.parent_asset_id)
        stored = (Asset.attributes, Asset.flex_model, Asset.flex_context)
        query = db.select(Asset).filter(Asset.id.in_(self.spans)).order_by(Asset.id)
        query = query.options(load_only(*columns, *stored), owner)
        boilers, broken = [], []
        for asset in db.session.scalars(query.execution_options(populate_existing=True)):
            try:
                boiler = Boiler(asset)
                boiler.data.check()
                _ = boiler.comfort
                boilers.append(boiler)
            except SmartBoilerError as error:
                broken.append(_outcome(asset, {"BROKEN_BOILER": str(error)}, failed=True))
        load_sensors(boilers, ROLES)
        return boilers, broken

    def plan(self, boilers: Sequence[Boiler]) -> tuple[list[Solved], list[Boiler]]:
        """Plan boilers together, as far as that can be, and store it; return the plans, and those that fail alone."""
        solved: list[Solved] = []
        failing: list[Boiler] = []
        for some, done in by_halves(boilers, self._plan_together) if boilers else ():
            planned, left = ([], some) if isinstance(done, Exception) else done
            solved += planned
            failing += left
        return solved, failing

    def _plan_together(self, boilers: Sequence[Boiler]) -> tuple[list[Solved], list[Boiler]]:
        solved, failing = self.solve(self.read(boilers))
        self.save(solved)
        return solved, failing

    def read(self, boilers: Sequence[Boiler]) -> dict[int, Known]:
        """Return what is known of boilers, by the ids of their assets."""
        return known_for_plans(boilers, self.longest, self.rules)

    def solve(self, known: Mapping[int, Known]) -> tuple[list[Solved], list[Boiler]]:
        """Return the plans of boilers, and those of which no problem could be made."""
        problems: dict[int, list[tuple[Boiler, Problem]]] = defaultdict(list)
        failing, prices = [], _SharedPrices()
        for asset_id, each in known.items():
            boiler, span = each.boiler, self.spans[asset_id]
            try:
                problem = problem_ahead(
                    boiler.data,
                    boiler.comfort,
                    each.facts,
                    self.rules,
                    habit=each.habit,
                    span=span,
                    prices=prices.of(each, span),
                )
            except Exception:
                current_app.logger.exception("Asset %s cannot be planned with others", asset_id)
                failing.append(boiler)
            else:
                problems[span.steps].append((boiler, problem))
        return [
            Solved(boiler, problem, answer)
            for steps, some in problems.items()
            for (boiler, problem), answer in zip(
                some, solve_by_set_points([problem for _, problem in some], steps), strict=True
            )
        ], failing

    def save(self, solved: Sequence[Solved]) -> int:
        """Store plans, as far as they say something else than the last ones; return how many values were written."""
        source = host.scheduler_source(BoilerScheduler.get_data_source_info())
        return store((values for each in solved for values in each.to_store), source, self.longest.moment)

    def hand_out(self, solved: Sequence[Solved]) -> None:
        """Keep what devices are to follow by plans."""
        followed = [(each.boiler.data, values) for each in solved for values in each.to_store]
        hand_out(followed, self.longest.moment)

    def plan_singly(self, boiler: Boiler) -> Outcome:
        """Plan a boiler as a trigger with a start and a duration alone would, and return what came of it."""
        span = self.spans[boiler.asset.id]
        try:
            with db.session.begin_nested():
                scheduler = BoilerScheduler(
                    asset_or_sensor=boiler.sensors["fill-rate"],
                    start=span.start,
                    end=span.end,
                    resolution=QUARTER,
                    belief_time=span.moment,
                    round_to_decimals=DECIMALS,
                    flex_model={},
                    flex_context={},
                    return_multiple=True,
                )
                scheduler.compute()
                scheduler.persist_flex_model()
        except Exception as error:
            if is_away(error) or isinstance(error, BaseTimeoutException):
                raise
            current_app.logger.exception("Asset %s cannot be planned", boiler.asset.id)
            told = str(error) if isinstance(error, SmartBoilerError) else f"{type(error).__name__}: {error}"
            return _outcome(boiler.asset, {UNFORESEEN: told.splitlines()[0]}, failed=True, singly=True)
        return _outcome(boiler.asset, told_of(scheduler.info), singly=True)


def _outcome(asset: Asset, reasons: Mapping[str, str], *, failed: bool = False, singly: bool = False) -> Outcome:
    operator_id = asset.owner and asset.owner.consultancy_account_id
    return Outcome(asset.id, asset.account_id, operator_id, asset.name, reasons, failed=failed, singly=singly)


class _SharedPrices:
    """Prices of plans: those of tariffs are the same for all boilers in a time zone that are planned until then."""

    def __init__(self) -> None:
        self._known: dict[tuple[Steps[int | None], str, pd.Timestamp], StepPrices] = {}

    def of(self, known: Known, span: Span) -> StepPrices:
        """Return the prices of a boiler's plan."""
        # one whose price cannot be read has none
        tariffs = () if "price" in known.facts.missing else price_ids(known.boiler)
        key = (tariffs, str(known.facts.quarters.tz), pd.Timestamp(span.end))
        if key not in self._known:
            self._known[key] = of_facts(known.facts, looks_ahead(span))
        return self._known[key]
