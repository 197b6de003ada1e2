"""A household's own users: who they are, and what is theirs to see and to change of their own account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_security import current_user
from flexmeasures import User
from flexmeasures.auth.policy import CONSULTANT_ROLE, user_has_admin_access

from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.customers.directory import Customer, find, of_account
from smart_boiler_plugin.errors import NotFoundError, NotYoursToChangeError
from smart_boiler_plugin.fleet.members import seen_by
from smart_boiler_plugin.stored import as_object

OWN_COMFORT = {"programme", "away", "boost", "useful_temperature"}
"""What a household may change of its comfort."""

OWN = {"comfort", "language"}
"""What a household may change of itself."""

OPERATORS_ALONE = ["Only your operator can change this."]


def find_own(account_id: int, permission: str) -> Customer:
    """Return a customer whom the current user manages, or the household that the current user is of.

    Raises
    ------
    NotFoundError
        As of ``find``.

    """
    return of_account(current_user.account) if _is_own(account_id) else find(account_id, permission)


def find_to_change(account_id: int, wanted: Mapping[str, Any]) -> Customer:
    """Return a customer whom the current user may change like this: a household itself, what is its own.

    Parameters
    ----------
    account_id
        Of the customer.
    wanted
        What is to be changed, as it was sent.

    Raises
    ------
    NotFoundError
        As of ``find``.
    NotYoursToChangeError
        If a household wants to change what is its operator's; the message names the fields.

    """
    customer = find_own(account_id, "update")
    if _is_own(account_id):
        comfort = as_object(wanted.get("comfort"))
        beyond: dict[str, Any] = {name: OPERATORS_ALONE for name in wanted if name not in OWN}
        wishes = {name: OPERATORS_ALONE for name in comfort if name not in OWN_COMFORT}
        if beyond or wishes:
            raise NotYoursToChangeError(beyond | ({"comfort": wishes} if wishes else {}))
    return customer


def _is_own(account_id: int) -> bool:
    """Return whether the current user is one of this household's own, and no admin."""
    return bool(current_user.account_id == account_id and is_household(current_user))


def whose_boilers() -> Any:
    """Return the SQL condition for the accounts whose boilers the current user sees (``fleet.members.seen_by``).

    Raises
    ------
    NotFoundError
        If the current user manages none and is of no household.

    """
    if not manages_boilers(current_user) and not is_household(current_user):
        raise NotFoundError("You have no boilers.")
    return seen_by(current_user)


def manages_boilers(user: User) -> bool:
    """Return whether a user may look at the boilers of many: an admin, or an operator's consultant."""
    return bool(user_has_admin_access(user, "read") or user.has_role(CONSULTANT_ROLE))


def is_household(user: User) -> bool:
    """Return whether a user is one of a customer's own, and no admin."""
    return bool(user.account.has_role(CUSTOMER_ROLE)) and not user_has_admin_access(user, "update")
