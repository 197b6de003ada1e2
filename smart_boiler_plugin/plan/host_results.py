"""Results of a plan: as the host has them, and stored by us.

Ours carry no ``sensor``: the host would compare each quarter with all that was ever stored for it, which is most of the
time of a plan that is made again. They are stored by one statement once the host has stored the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from flexmeasures import Sensor, Source

from smart_boiler_plugin import host
from smart_boiler_plugin.boiler.asset import UNIT_BY_ROLE, Boiler
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.quarter import mean_per_step
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.facts.store import Values, store
from smart_boiler_plugin.physics.envelope import Series
from smart_boiler_plugin.plan.handing_out import hand_out
from smart_boiler_plugin.plan.problem import NOTICED_KWH, Problem
from smart_boiler_plugin.plan.solve import Answer

ROLE_BY_RESULT = {
    "storage_schedule": "fill-rate",
    "state_of_charge": "state-of-charge",
    "temperature": "temperature",
    "set_point": "set-point",
}
"""Names of results, and of the sensors on which they are stored."""


NOTICED_KW = 0.001
"""Power by which a boiler is told to heat."""


class Results:
    """Results of one plan.

    Parameters
    ----------
    round_to_decimals
        To which results are rounded, as the host does; None or 0 does not round.

    """

    def __init__(self, round_to_decimals: int | None) -> None:
        self._decimals = round_to_decimals
        self._job = JobResult()
        self._kept: list[tuple[Sensor, pd.Series[Any]]] = []
        self._followed: list[tuple[BoilerData, Sensor, pd.Series[Any]]] = []

    def of_answers(self, answers: Sequence[tuple[Boiler, Problem, Answer]]) -> list[dict[str, Any]]:
        """Return the results of boilers that were planned alone, in the host's form, and keep them to be stored."""
        results: list[dict[str, Any]] = []
        unresolved: list[dict[str, Any]] = []
        for boiler, problem, answer in answers:
            tank, steps = problem.data.tank, len(answer.power_kw)
            moments, ends = problem.device.moments[:steps], problem.device.ends[:steps]
            series = {
                "storage_schedule": pd.Series(answer.power_kw, index=moments),
                "state_of_charge": pd.Series(answer.states_kwh, index=moments.append(ends[-1:])),
                "temperature": pd.Series(tank.temperature_c(answer.mean_states_kwh), index=moments),
            }
            if answer.set_points_c is not None:
                series["set_point"] = pd.Series(answer.set_points_c, index=moments)
            else:
                floor_kwh = np.nan_to_num(np.clip(problem.wished_kwh[:steps], 0.0, None))
                self._follow(boiler, series["storage_schedule"], answer.states_kwh[1:], floor_kwh)
            results += [self._kept_result(boiler, name, values) for name, values in series.items()]
            unresolved += _unresolved(boiler, problem, answer.states_kwh[1:])
        self._job = JobResult(unresolved=unresolved)
        cost = sum(answer.cost or 0.0 for _, _, answer in answers)
        currency = _currency(answers[0][0])
        return [
            *results,
            {"name": "commitment_costs", "data": {host.ENERGY: cost}, "unit": currency},
            {"name": host.RESULT, "data": self._job},
        ]

    def of_host(self, results: list[dict[str, Any]], boilers: Collection[Boiler]) -> list[dict[str, Any]]:
        """Return the host's results, without the sensors of boilers, whose values are kept to be stored by us."""
        owner = {sensor.id: boiler for boiler in boilers for sensor in boiler.sensors.values()}
        ours: list[dict[str, Any]] = []
        for result in results:
            boiler = owner.get(result["sensor"].id) if "sensor" in result else None
            if boiler is None:
                ours.append(self._with_count(result))
                continue
            ours.append(self._kept_result(boiler, result["name"], result["data"]))
            if result["name"] == "state_of_charge":
                means = (result["data"].to_numpy()[:-1] + result["data"].to_numpy()[1:]) / 2
                temperature_c = pd.Series(boiler.data.tank.temperature_c(means), index=result["data"].index[:-1])
                ours.append(self._kept_result(boiler, "temperature", temperature_c))
        by_sensor = dict(self._kept)
        for boiler in boilers:
            power, states = (by_sensor.get(boiler.sensors.get(role)) for role in ("fill-rate", "state-of-charge"))
            if power is not None and states is not None and len(states) == len(power) + 1:
                self._follow(boiler, power, states.to_numpy()[1:], 0.0)
        return ours

    def _follow(self, boiler: Boiler, power_kw: pd.Series[Any], ends_kwh: Series, floor_kwh: Series | float) -> None:
        """Keep set-points by which a device does what is planned by powers, to be handed out.

        Where it heats, up to the state at the end of the step [kWh]; else up to the floor, if there is one.
        """
        if "set-point" in boiler.sensors:
            state_kwh = np.maximum(np.where(power_kw.to_numpy() > NOTICED_KW, ends_kwh, 0.0), floor_kwh)
            points_c = np.minimum(boiler.data.tank.temperature_c(state_kwh), boiler.data.temperature_max_c)
            points = pd.Series(points_c, index=power_kw.index)
            self._followed.append((boiler.data, boiler.sensors["set-point"], points))

    def _with_count(self, result: dict[str, Any]) -> dict[str, Any]:
        """Return a result of the host's; its account of the job is one to which we can add."""
        if result.get("name") != host.RESULT:
            return result
        self._job = JobResult(unresolved=result["data"].unresolved, resolved=result["data"].resolved)
        return {**result, "data": self._job}

    def _kept_result(self, boiler: Boiler, name: str, values: pd.Series[Any]) -> dict[str, Any]:
        """Return a result in the host's form, but for its sensor, and keep it to be stored."""
        rounded = values.round(self._decimals) if self._decimals else values
        role = ROLE_BY_RESULT.get(name)
        if role in boiler.sensors:
            self._kept.append((boiler.sensors[role], rounded))
        if role == "set-point" and role in boiler.sensors:
            self._followed.append((boiler.data, boiler.sensors[role], rounded))
        return {"name": name, "data": rounded, "asset": boiler.asset.id, "unit": UNIT_BY_ROLE.get(role or "", "")}

    def store(self, source: Source, recorded_at: datetime, step: timedelta) -> None:
        """Store what was kept, and hand out what devices are to follow; the job counts what was written. No commit.

        Parameters
        ----------
        source
            Of the scheduler.
        recorded_at
            The moment of the plan.
        step
            Length of its steps.

        """
        written = store((_events(sensor, values, step) for sensor, values in self._kept), source, recorded_at)
        hand_out([(data, _events(sensor, values, step)) for data, sensor, values in self._followed], recorded_at)
        self._job.document["num-beliefs"] += written


class JobResult(host.JobResult):
    """The host's account of a scheduling job, to which the number of values that we store ourselves can be added."""

    @cached_property
    def document(self) -> dict[str, Any]:
        """The account as JSON: always the same object, which the host completes and keeps."""
        document: dict[str, Any] = super().to_dict()
        return document

    def to_dict(self) -> dict[str, Any]:
        """Return the document."""
        return self.document


def _events(sensor: Sensor, values: pd.Series[Any], step: timedelta) -> Values:
    """Return values per step of a plan as events of a sensor: the means, where these are longer or shorter."""
    starts, resolution = pd.DatetimeIndex(values.index), sensor.event_resolution
    numbers: Series = values.to_numpy(dtype=float)
    if resolution in (step, timedelta(0)):
        return Values(sensor, starts, numbers)
    count = int(len(numbers) * step / resolution)
    means = mean_per_step(numbers, 0.0, resolution / step, count)
    return Values(sensor, pd.date_range(starts[0], periods=count, freq=resolution), means)


def _unresolved(boiler: Boiler, problem: Problem, states_kwh: Series) -> list[dict[str, Any]]:
    """Return which floors are not met, in the host's form (``host.JobResult``)."""
    steps = len(states_kwh)
    missed = problem.wished_kwh[:steps] - states_kwh
    spots = [
        {"datetime": moment.tz_convert("UTC").isoformat(), "violation": f"{missing:.3f} kWh"}
        for moment, missing in zip(problem.device.ends[:steps], missed.tolist(), strict=True)
        if missing > NOTICED_KWH
    ]
    return [{"asset": boiler.asset.id, "soc-minima": spots}] if spots else []


def _currency(boiler: Boiler) -> str:
    """Return the currency of a plan's cost; that of the boiler's own sensor where no price can be used."""
    try:
        return boiler.currency
    except SmartBoilerError:
        cost = boiler.sensors.get("cost")
        return str(cost.unit) if cost else ""
