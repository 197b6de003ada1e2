"""Who calls for boilers, and which are theirs: a user, a device with a token, or the bridge to MQTT."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from flexmeasures import Account, Source, User
from flexmeasures.auth.policy import CONSULTANT_ROLE, user_has_admin_access
from flexmeasures.data import db
from flexmeasures.data.services.data_sources import get_or_create_source

from smart_boiler_plugin.boiler import seen
from smart_boiler_plugin.boiler.seen import HTTP, DeviceSeen
from smart_boiler_plugin.devices.tokens import Device


@dataclass(frozen=True)
class Bridge:
    """The bridge to devices that speak MQTT.

    Parameters
    ----------
    customers
        Ids of the accounts whose boilers' devices do.

    """

    customers: Collection[int]


Sender: TypeAlias = "User | Device | Bridge"

GATEWAY = "gateway"
"""Type of the data source of what devices send."""


def theirs(sender: Sender, permission: str) -> Any:
    """Return the SQL condition that an account's boilers are the sender's.

    Parameters
    ----------
    sender
        An operator's user has those of its customers, a household's its own, an admin all; a device those that its
        token names, as long as they are its operator's; the bridge those whose devices speak MQTT.
    permission
        "read" or "update", in the host's words: there are admins who may only read.

    """
    if isinstance(sender, Bridge):
        return Account.id.in_(sender.customers)
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


def source_of(sender: Sender) -> Source:
    """Return the data source of what somebody sends; of a device, by the id of its token, which names nobody."""
    if isinstance(sender, Bridge):
        return get_or_create_source("MQTT bridge", source_type=GATEWAY)
    if isinstance(sender, Device):
        return get_or_create_source(f"device {sender.id}", source_type=GATEWAY)
    return get_or_create_source(sender)


def note_seen(sender: Sender, asset_ids: Iterable[int], now: datetime) -> None:
    """Note that the device of boilers was there, where it is one that calls with a token."""
    if isinstance(sender, Device):
        seen.note({asset_id: DeviceSeen(HTTP, now) for asset_id in asset_ids})
