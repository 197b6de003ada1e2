"""What we use of the host's inside: private names, and behaviour that it does not promise.

Nothing else in this package does so. Each entry has a canary of the same name in ``tests/host/test_host_canaries.py``,
which fails when a new version of the host has changed it. To add one: a name or a small function here, a canary there.

General: ``PLANNED``, ``config_of``. Audit log: ``active_user``, ``audit_text``, ``deletion_event``. Database:
``UNIQUE_NAMES``. Jobs: ``jobs_of``. Web: ``rate_limit``, ``host_limit``, ``PaginationSchema``, ``SearchFilterField``,
``forbidden_json``, ``forbidden_page``. Plans: ``Prepared``, ``ENERGY``, ``RESULT``, ``STATE_LOOKUP_STEPS``,
``JobResult``, ``storage_schema``, ``has_points_between_steps``, ``series``, ``scheduler_source``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pandas as pd
from flask import current_app
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
from flexmeasures.data.utils import get_data_source
from flexmeasures.ui.error_handlers import unauthorized_handler
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
    "config_of",
    "deletion_event",
    "forbidden_json",
    "forbidden_page",
    "has_points_between_steps",
    "host_limit",
    "jobs_of",
    "rate_limit",
    "scheduler_source",
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

AUDIT_TEXT_LENGTH = 500
"""How much the audit log holds of what was done [characters]."""

forbidden_json, forbidden_page = invalid_sender, unauthorized_handler
"""Return what the host answers to who may not: as JSON in its API, and as a page."""

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


def jobs_of(assets: Iterable[int], sensors: Iterable[int]) -> list[Job]:
    """Return the jobs that the host has for these ids of assets and sensors, waiting or done.

    Where Redis cannot be reached there is none; that is logged.
    """
    cache = current_app.job_cache  # type: ignore[attr-defined]  # set by the host
    try:
        return [
            job
            for kind, ids in (("asset", assets), ("sensor", sensors))
            for some_id in ids
            for queue in ("scheduling", "forecasting")
            for job in cache.get(some_id, queue, kind)
        ]
    except NoRedisConfigured:
        current_app.logger.error("Redis cannot be reached: jobs of assets and sensors expire by themselves")  # noqa: TRY400
        return []


def rate_limit(limit: Callable[[], str], scope: str) -> Callable[[Any], Any]:
    """Return a decorator of views that share a budget of calls, counted by account as for the host's own API.

    On a server for simulations nobody is limited.

    Parameters
    ----------
    limit
        Returns how many calls in which time, as of flask-limiter.
    scope
        Name of the budget.

    """
    decorator: Callable[[Any], Any] = limiter.shared_limit(
        limit, scope=scope, key_func=default_key_func, exempt_when=_is_play_server
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
