"""Which tariffs the current user sees, which it may change, and whose those are that it makes.

An operator sees its own and the public ones, and changes its own; admins see and change all, and make public ones.
Others see none: what their household pays is on its own sensor.
"""

from __future__ import annotations

from flask_security import current_user
from flexmeasures import Account, Sensor
from flexmeasures.auth.policy import FlexMeasuresPlatform, check_access, user_has_admin_access
from flexmeasures.data import db
from werkzeug.exceptions import Forbidden

from smart_boiler_plugin.errors import NotFoundError, NotYoursToChangeError, SmartBoilerError
from smart_boiler_plugin.prices.tariffs import Tariff, all_tariffs, seen_by
from smart_boiler_plugin.stored import is_id


def seen_tariffs() -> list[Tariff]:
    """Return the tariffs that the current user sees.

    Raises
    ------
    werkzeug.exceptions.Forbidden
        If the user manages no customers.

    """
    if user_has_admin_access(current_user, "read"):
        return all_tariffs()
    check_access(FlexMeasuresPlatform.init(), "create-children")
    return seen_by(current_user.account, all_tariffs())


def find_seen(asset_id: int) -> Tariff:
    """Return the tariff with this asset, if the current user sees it.

    Raises
    ------
    NotFoundError
        If there is none, or it is another operator's: which of both is not told.
    werkzeug.exceptions.Forbidden
        As of ``seen_tariffs``.

    """
    found = next((tariff for tariff in seen_tariffs() if tariff.asset.id == asset_id), None)
    if found is None:
        raise NotFoundError(f"You have no tariff with id {asset_id}.")
    return found


def find_own(asset_id: int) -> Tariff:
    """Return the tariff with this asset, if the current user may change it.

    Raises
    ------
    NotYoursToChangeError
        If the user sees it and may not change it.
    NotFoundError, werkzeug.exceptions.Forbidden
        As of ``find_seen``.

    """
    found = find_seen(asset_id)
    if not is_own(found):
        raise NotYoursToChangeError("Only an administrator of the server can change a public tariff.")
    return found


def is_own(tariff: Tariff) -> bool:
    """Return whether the current user may change a tariff."""
    if user_has_admin_access(current_user, "update"):
        return True
    return tariff.operator_id is not None and tariff.operator_id == current_user.account_id and _manages()


def owner_of_new() -> Account | None:
    """Return whose a tariff is that the current user makes; None means everybody's.

    Raises
    ------
    werkzeug.exceptions.Forbidden
        If the user may make none.

    """
    check_access(FlexMeasuresPlatform.init(), "create-children")
    return None if user_has_admin_access(current_user, "update") else current_user.account


def check_readable(sensor_id: int | None) -> None:
    """Refuse spot prices that the current user may not see, as if there were none: a tariff would show them.

    Raises
    ------
    SmartBoilerError
        If there is no such sensor, or it is somebody else's.

    """
    if sensor_id is None:
        return
    sensor = db.session.get(Sensor, sensor_id) if is_id(sensor_id) else None
    try:
        if sensor is not None:
            check_access(sensor, "read")
            return
    except Forbidden:
        pass
    raise SmartBoilerError({"price_sensor": [f"No sensor found with ID {sensor_id}."]})


def _manages() -> bool:
    try:
        check_access(FlexMeasuresPlatform.init(), "create-children")
    except Forbidden:
        return False
    return True
