"""The guard: what a household may do on the host, asked before each request.

The host lets an account's users do more than a household should (``SECURITY.md`` says what, and where). What is left to
them stands in ``guard_rules.py``. The other lock is the door through which what is stored is read (``boiler/door.py``,
``plan/allowed.py``): it holds without the guard, too.
"""

from __future__ import annotations

from typing import Any

from flask import request
from flask_security import current_user
from flexmeasures import Account, Asset, Sensor, User
from flexmeasures.auth.policy import check_access
from flexmeasures.data import db
from werkzeug.exceptions import Forbidden, NotFound

from smart_boiler_plugin.boiler.schedulers import scheduler_problem
from smart_boiler_plugin.customers.guard_rules import Rule, rule_of
from smart_boiler_plugin.customers.households import is_household
from smart_boiler_plugin.host import forbidden_json, forbidden_page
from smart_boiler_plugin.settings import GUARD
from smart_boiler_plugin.stored import is_id

NAMED = {"Asset": Asset, "Sensor": Sensor, "Account": Account, "User": User}
"""What an endpoint's name begins with, and what its id is one of."""


def guard() -> Any:
    """Refuse a request that the table does not leave to its sender; None lets it through to the host.

    Whoever is not logged in is the host's to refuse.

    Returns
    -------
    None, or an answer of 403 or 422: JSON under /api, a page elsewhere.

    Raises
    ------
    NotFound
        If the request names what its sender may not know of.

    """
    if request.endpoint is None or request.method == "OPTIONS" or not GUARD.value:
        return None
    rule = rule_of(request.method, request.endpoint)
    if rule is Rule.HOST or not current_user.is_authenticated:
        return None
    if rule is Rule.READS_SENSOR:
        _must(_named(), "read")
    elif rule is Rule.TRIGGERS:
        return _refused_scheduler()
    elif rule is Rule.DELETES_ASSET:
        _must(_named(), "delete")
        # a picture or a link on another site, which the browser of somebody who may has followed
        crossed = request.headers.get("Sec-Fetch-Site") == "cross-site"
        return forbidden_page() if crossed or is_household(current_user) else None
    elif is_household(current_user):
        return _refused()
    return None


def _refused() -> Any:
    """Return that this is not for households; of what is another's, not even that it exists."""
    if str((request.view_args or {}).get("id", "")).isdecimal():
        _must(_named(), "read")
    return forbidden_json() if request.path.startswith("/api") else forbidden_page()


def _named() -> Any:
    """Return the asset, sensor, account or user that the request's path names; None where there is none such."""
    model = next((model for prefix, model in NAMED.items() if str(request.endpoint).startswith(prefix)), None)
    text = str((request.view_args or {}).get("id", ""))
    named = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(2**31)) else None
    return db.session.get(model, named) if model and is_id(named) else None


def _must(named: Any, permission: str) -> None:
    """Say that there is no such thing where the host's own rules do not let the sender do this with it."""
    if named is None:
        raise NotFound
    try:
        check_access(named, permission)
    except Forbidden as error:
        raise NotFound from error


def _refused_scheduler() -> Any:
    """Return a 422 where a household's asset or sensor names a scheduler that the host would import from anywhere.

    The host imports the module that is named there before any scheduler of a plugin is asked.
    """
    named = _named()
    if named is None:
        return None
    told = [problem for owner in _planned_with(named) for problem in [scheduler_problem(owner)] if problem]
    return ({"result": "Rejected", "status": "UNPROCESSABLE_ENTITY", "message": told[0]}, 422) if told else None


def _planned_with(named: Asset | Sensor) -> list[Asset | Sensor]:
    """Return the assets and sensors whose scheduler may be asked when a plan is made for one of them."""
    if isinstance(named, Sensor):
        return [named]
    assets = [named, *named.offspring]
    return [*assets, *(sensor for asset in assets for sensor in asset.sensors)]
