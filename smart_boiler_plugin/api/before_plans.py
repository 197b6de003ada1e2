"""What is done before the host makes, or shows, a plan: jobs of workers that died are seen to (``plan/abandoned.py``).

The host answers the same trigger within an hour with the job of the first, whatever became of that, and whoever waits
for its plan would wait for up to ten minutes more.
"""

from __future__ import annotations

from flask import current_app, request
from redis.exceptions import RedisError

from smart_boiler_plugin.plan.abandoned import clean_up

ENDPOINTS = {
    "AssetAPI:trigger_schedule",
    "SensorAPI:trigger_schedule",
    "SensorAPI:get_schedule",
    "JobAPI:get_job_status",
}
"""The host's endpoints that queue plans, and that show what became of them."""


def clean_up_before() -> None:
    """Look after jobs of workers that died, where a plan is asked for. Without Redis, the host says so itself."""
    if request.endpoint in ENDPOINTS:
        try:
            clean_up()
        except RedisError as error:
            current_app.logger.warning("No look after jobs of workers that died: %r", error)
