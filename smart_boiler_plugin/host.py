"""What we use of the host's inside: private names, and behaviour that it does not promise.

Nothing else in this package does so. Each entry has a canary of the same name in ``tests/host/test_host_canaries.py``,
which fails when a new version of the host has changed it. To add one: a name or a small function here, a canary there.

General: ``PLANNED``, ``config_of``. Audit log: ``active_user``, ``audit_text``, ``deletion_event``. Database:
``UNIQUE_NAMES``. Jobs: ``jobs_of``. Web: ``rate_limit``, ``host_limit``, ``PaginationSchema``, ``SearchFilterField``,
``forbidden_json``, ``forbidden_page``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import current_app
from flexmeasures import Asset
from flexmeasures.api.common.rate_limiting import default_key_func, default_limit, limiter
from flexmeasures.api.common.responses import invalid_sender
from flexmeasures.api.common.schemas.generic_schemas import PaginationSchema
from flexmeasures.api.common.schemas.search import SearchFilterField
from flexmeasures.data.models.audit_log import get_current_user_id_name, truncate_string
from flexmeasures.data.services.job_cache import NoRedisConfigured
from flexmeasures.ui.error_handlers import unauthorized_handler
from rq.job import Job

__all__ = [
    "PLANNED",
    "UNIQUE_NAMES",
    "PaginationSchema",
    "SearchFilterField",
    "active_user",
    "audit_text",
    "config_of",
    "deletion_event",
    "forbidden_json",
    "forbidden_page",
    "host_limit",
    "jobs_of",
    "rate_limit",
]

PLANNED = ["scheduler", "forecaster"]
"""Types of data sources that say what is planned or expected, and neither what was measured nor what is to be paid."""

UNIQUE_NAMES = {"account_name_key": "account", "fm_user_username_key": "username", "fm_user_email_key": "email"}
"""Unique constraints of the database, and what they guard."""

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
