"""Who calls for boilers, and which are theirs: a user, or a device with a token."""

from __future__ import annotations

from typing import Any

from flexmeasures import Account, Source, User
from flexmeasures.auth.policy import CONSULTANT_ROLE, user_has_admin_access
from flexmeasures.data import db
from flexmeasures.data.services.data_sources import get_or_create_source

from smart_boiler_plugin.devices.tokens import Device

GATEWAY = "gateway"
"""Type of the data source of what devices send."""


def theirs(sender: User | Device, permission: str) -> Any:
    """Return the SQL condition that an account's boilers are the sender's.

    Parameters
    ----------
    sender
        An operator's user has those of its customers, a household's its own, an admin all; a device those that its
        token names, as long as they are its operator's.
    permission
        "read" or "update", in the host's words: there are admins who may only read.

    """
    if isinstance(sender, Device):
        return Account.id.in_(sender.customers) & Account.consultancy_account_id.is_not_distinct_from(
            sender.operator_id
        )
    if user_has_admin_access(sender, permission):
        return db.true()
    own = Account.id == sender.account_id
    if sender.has_role(CONSULTANT_ROLE):
        own |= Account.consultancy_account_id == sender.account_id
    return own


def source_of(sender: User | Device) -> Source:
    """Return the data source of what somebody sends; of a device, by the id of its token, which names nobody."""
    if isinstance(sender, Device):
        return get_or_create_source(f"device {sender.id}", source_type=GATEWAY)
    return get_or_create_source(sender)
