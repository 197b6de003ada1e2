"""What we use of the host's inside: private names, and behaviour that it does not promise.

Nothing else in this package does so. Each entry has a canary of the same name in ``tests/host/test_host_canaries.py``,
which fails when a new version of the host has changed it. To add one: a name or a small function here, a canary there.

General: ``PLANNED``, ``config_of``. Audit log: ``active_user``, ``audit_text``, ``deletion_event``. Database:
``UNIQUE_NAMES``. Jobs: ``jobs_about``,
``delete_jobs``. Web: ``rate_limit``, ``host_limit``, ``caller_key``, ``PaginationSchema``, ``SearchFilterField``,
``forbidden_json``, ``forbidden_page``. Plans: ``Prepared``, ``ENERGY``, ``RESULT``, ``STATE_LOOKUP_STEPS``,
``JobResult``, ``storage_schema``, ``has_points_between_steps``, ``series``, ``scheduler_source``. Start:
``read_configuration``, ``schema_heads``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pandas as pd
from flask import Flask, current_app
from flexmeasures import Asset, Sensor, Source
from flexmeasures.api.common.rate_limiting import default_key_func, default_limit, limiter
from flexmeasures.api.common.responses import invalid_sender
from flexmeasures.api.common.schemas.generic_schemas import PaginationSchema
from flexmeasures.api.common.schemas.search import SearchFilterField
from flexmeasures.data.models.audit_log import get_current_user_id_name, truncate_string
from flexmeasures.data.models.planning.storage import SCHEDULING_RESULT_KEY
from flexmeasures.data.models.planning.utils import get_continuous_series_sensor_or_quantity
from flexmeasures.data.schemas.scheduling.storage import StorageFlexModelSchema
from flexmeasures.data.schemas.scheduling.utils import flex_model_has_off_tick_soc_constraints
from flexmeasures.data.services.job_cache import NoRedisConfigured
from flexmeasures.data.services.scheduling_result import SchedulingJobResult
from flexmeasures.data.utils import get_data_source, get_database_schema_revision_status
from flexmeasures.ui.error_handlers import unauthorized_handler
from flexmeasures.utils.config_utils import read_config
from redis.exceptions import RedisError
from rq import Queue
from rq.job import Job

__all__ = [
    "ENERGY",
    "PLANNED",
    "RESULT",
    "STATE_LOOKUP_STEPS",
    "UNIQUE_NAMES",
    "JobResult",
    "PaginationSchema",
    "Prepared",
    "SearchFilterField",
    "active_user",
    "audit_text",
    "caller_key",
    "config_of",
    "delete_jobs",
    "deletion_event",
    "forbidden_json",
    "forbidden_page",
    "has_points_between_steps",
    "host_limit",
    "jobs_about",
    "rate_limit",
    "read_configuration",
    "scheduler_source",
    "schema_heads",
    "series",
    "storage_schema",
]

PLANNED = ["scheduler", "forecaster"]
"""Types of data sources that say what is planned or expected, and neither what was measured nor what is to be paid."""

UNIQUE_NAMES = {"account_name_key": "account", "fm_user_username_key": "username", "fm_user_email_key": "email"}
"""Unique constraints of the database, and what they guard."""

ENERGY = "electricity net energy"
"""Name of the commitment of a StorageScheduler that holds the price of energy [currency/MW and step]."""

RESULT = SCHEDULING_RESULT_KEY
"""Name of the result of a scheduler that becomes the account of its job."""

STATE_LOOKUP_STEPS = 4
"""How many steps around the start of a plan a StorageScheduler looks for a state of charge; it fails without one."""

JobResult = SchedulingJobResult
"""That account. What its ``to_dict`` returns is completed by the host and kept as the result of the job."""

JOBS_AT_ONCE = 500
"""How many jobs are read from Redis at once."""

AUDIT_TEXT_LENGTH = 500
"""How much the audit log holds of what was done [characters]."""

forbidden_json, forbidden_page = invalid_sender, unauthorized_handler
"""Return what the host answers to who may not: as JSON in its API, and as a page."""

caller_key = default_key_func
"""Returns for whom the host counts a call: the user, or the address of who is not logged in."""

host_limit = default_limit
"""Returns how often an account may call the host's own API, as its plan or the server's settings say."""


def config_of(reporter: Any) -> dict[str, Any]:
    """Return the configuration of a reporter as it was deserialized. The host stores it, and shows it as JSON alone."""
    config: dict[str, Any] = reporter._config  # noqa: SLF001 (what this module is for)
    return config


def active_user() -> tuple[int | None, str | None]:
    """Return id and name of who is logged in, for the audit log; None where nobody is, as on the command line."""
    user_id, name = get_current_user_id_name()
    return user_id, name


def audit_text(event: str) -> str:
    """Return what was done as the audit log can hold it: of a long text, the middle is left out."""
    return str(truncate_string(event, AUDIT_TEXT_LENGTH))


def deletion_event(asset: Asset) -> str:
    """Return what the host has written into the audit log of a deleted asset."""
    return f"Deleted asset '{asset.name}': {asset.id}"


def jobs_about(assets: Collection[int], sensors: Collection[int], names: Collection[str] = ()) -> list[Job]:
    """Return the jobs of the host that are about assets or sensors (their ids), or hold names; waiting or done.

    Where Redis cannot be reached there is none; that is logged.
    """
    app: Any = current_app
    known = [("asset", assets, "scheduling"), ("sensor", sensors, "scheduling"), ("sensor", sensors, "forecasting")]
    try:
        remembered = [job for kind, ids, queue in known for one in ids for job in app.job_cache.get(one, queue, kind)]
        others = [job for queue in app.queues.values() for job in _jobs_of(queue)]
        about = [job for job in others if _is_about(job, assets, sensors, names)]
        return list({job.id: job for job in [*remembered, *about]}.values())
    except NoRedisConfigured:
        app.logger.error("Redis cannot be reached: jobs of assets and sensors expire by themselves")  # noqa: TRY400
        return []
    except RedisError as error:
        current_app.logger.error("Redis cannot be reached: jobs of assets and sensors expire by themselves: %r", error)  # noqa: TRY400
        return []


def _jobs_of(queue: Queue) -> Iterator[Job]:
    """Yield all jobs of a queue, in whatever state."""
    registries = [
        *(queue.started_job_registry, queue.finished_job_registry, queue.failed_job_registry),
        *(queue.deferred_job_registry, queue.scheduled_job_registry, queue.canceled_job_registry),
    ]
    ids = {*queue.job_ids, *(job_id for each in registries for job_id in each.get_job_ids(cleanup=False))}
    ordered = sorted(ids)
    for begin in range(0, len(ordered), JOBS_AT_ONCE):
        some = ordered[begin : begin + JOBS_AT_ONCE]
        fetched = Job.fetch_many(some, connection=queue.connection, serializer=queue.serializer)
        yield from (job for job in fetched if job is not None)


def _is_about(job: Job, assets: Collection[int], sensors: Collection[int], names: Collection[str]) -> bool:
    """Return whether a job plans, forecasts or stores data of assets or sensors, or holds names in what it says."""
    try:
        kwargs = job.kwargs
    except Exception:  # noqa: BLE001 (whatever a pickle of another version raises)
        kwargs = {}
    planned = [job.meta.get("asset_or_sensor"), kwargs.get("asset_or_sensor")]
    if any(_is_one_of(each, assets, sensors) for each in planned):
        return True
    if kwargs.get("sensor_id") in sensors or job.meta.get("sensor_id") in sensors:
        return True
    said = [repr(kwargs), repr(job.meta), job.description or ""]
    if names and job.is_failed:
        said += [result.exc_string or "" for result in job.results()]
    text = " ".join(said).lower()
    return any(re.search(rf"(?<!\w){re.escape(name.lower())}(?!\w)", text) for name in names)


def _is_one_of(named: Any, assets: Collection[int], sensors: Collection[int]) -> bool:
    return isinstance(named, dict) and named.get("id") in (sensors if named.get("class") == "Sensor" else assets)


def delete_jobs(jobs: Iterable[Job], assets: Iterable[int], sensors: Iterable[int]) -> None:
    """Delete jobs, and what the host remembers of the jobs of assets and sensors (their ids), where Redis is there."""
    try:
        for job in jobs:
            job.delete()
        named = [*(f"asset:{some_id}" for some_id in assets), *(f"sensor:{some_id}" for some_id in sensors)]
        keys = [f"{queue}:{each}" for each in named for queue in ("scheduling", "forecasting")]
        if keys:
            current_app.redis_connection.delete(*keys)  # type: ignore[attr-defined]  # set by the host
    except RedisError as error:
        current_app.logger.error("Redis cannot be reached: jobs of assets and sensors expire by themselves: %r", error)  # noqa: TRY400


def rate_limit(limit: Callable[[], str], scope: str, key: Callable[[], str] = default_key_func) -> Callable[[Any], Any]:
    """Return a decorator of views that share a budget of calls, counted by user as for the host's own API.

    On a server for simulations nobody is limited.

    Parameters
    ----------
    limit
        Returns how many calls in which time, as of flask-limiter.
    scope
        Name of the budget.
    key
        Returns for whom a call is counted; by default ``caller_key``.

    """
    decorator: Callable[[Any], Any] = limiter.shared_limit(
        limit, scope=scope, key_func=key, exempt_when=_is_play_server
    )
    return decorator


def _is_play_server() -> bool:
    return bool(current_app.config.get("FLEXMEASURES_MODE") == "play")


class Prepared(NamedTuple):
    """What ``StorageScheduler._prepare`` returns: all of a flex-config as numbers, and nothing solved yet.

    Parameters
    ----------
    sensors
        Power sensor of each device; None where it has none.
    start, end, resolution
        Of the plan.
    soc_at_start
        Of each device [MWh]; None where it has no state of charge.
    devices
        Table of constraints of each device (``StorageScheduler.COLUMNS``): powers [MW], states of charge as changes
        since the start [MWh per hour of a step]. Changed in place, it is what the host solves.
    sites
        Table of constraints of each group of devices.
    commitments
        What deviations cost.

    """

    sensors: list[Sensor | None]
    start: datetime
    end: datetime
    resolution: timedelta
    soc_at_start: list[float | None]
    devices: list[pd.DataFrame]
    sites: list[pd.DataFrame]
    commitments: list[Any]


def storage_schema(start: datetime, sensor: Sensor) -> StorageFlexModelSchema:
    """Return the schema by which the host reads a storage's flex-model: names with underscores, energy in MWh."""
    return StorageFlexModelSchema(start=start, sensor=sensor)


def has_points_between_steps(flex_model: Mapping[str, Any], resolution: timedelta) -> bool:
    """Return whether a flex-model names points in time that lie between two steps of a plan."""
    return bool(flex_model_has_off_tick_soc_constraints(dict(flex_model), resolution=resolution))


def series(variable_quantity: Any, unit: str, **options: Any) -> pd.Series[Any]:
    """Return a quantity, a list of events or a sensor of a flex-config as one number per step of a plan, in a unit.

    Parameters
    ----------
    variable_quantity
        As the host's schemas return it.
    unit
        Of the result; "MW" of a sensor in kWh per quarter is right, too.
    options
        ``query_window``, ``resolution``, ``beliefs_before``, and what to do with overlaps and at the sides.

    """
    found: pd.Series[Any] = get_continuous_series_sensor_or_quantity(
        variable_quantity=variable_quantity, unit=unit, **options
    )
    return found.astype(float)


def scheduler_source(info: Mapping[str, str]) -> Source:
    """Return the data source under which the host stores what a scheduler returns (``get_data_source_info``)."""
    return get_data_source(info["name"], info["model"], info["version"], "scheduler")


def read_configuration(app: Flask) -> None:
    """Read the server's configuration into a bare app, as the host does when it starts.

    Raises
    ------
    SystemExit
        If a setting is missing that the host needs; it has printed which.

    """
    read_config(app, custom_path_to_config=None)


def schema_heads(app: Flask) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """Return of which revisions the tables are (None where the database does not say), and of which they should be."""
    status = get_database_schema_revision_status(app)
    return None if status.inspection_error else status.current_heads, status.expected_heads
