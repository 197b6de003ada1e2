"""Device tokens: with one, a boiler or a gateway reads its set-points and sends its readings, and can do nothing else.

A token is shown once; what is kept is its hash. That of one boiler stands with the boiler's asset, and goes with it;
that of a gateway with several stands with the operator's account. Both are sealed, as others can write there. It is
good for customers that are its operator's still.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from flask import current_app
from flexmeasures import Account, Asset
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog
from redis.exceptions import RedisError

from smart_boiler_plugin import stored
from smart_boiler_plugin.errors import ConflictError, NotFoundError, SmartBoilerError
from smart_boiler_plugin.stored import LARGEST_ID, as_object, is_id
from smart_boiler_plugin.transactions import transaction

ATTRIBUTE = "smart-boiler-device-tokens"
"""Attribute of a boiler's asset, or of an operator's account."""

TOKEN = re.compile(r"sb_(g?[1-9][0-9]{0,9})_([A-Za-z0-9_-]{43})")
"""The id of the boiler's asset, or "g" and the id of the operator's account; and the secret."""

TOKEN_ID = re.compile(r"(g?[1-9][0-9]{0,9})-[0-9a-f]{8}")

MOST_OF_BOILER, MOST_OF_OPERATOR = 10, 1_000
"""How many tokens one boiler may have, and how many gateways an operator."""

MOST_CUSTOMERS = 10_000
"""Of how many customers a gateway may have boilers."""

SEEN = "smart-boiler:devices-seen"
"""Key in Redis of when each device was last there."""


@dataclass(frozen=True)
class Device:
    """A device that has a token.

    Parameters
    ----------
    id
        Of the token.
    name
        For people.
    customers
        Ids of the accounts whose boilers it has.
    operator_id
        Of the operator's account whose customers they were when the token was made; None where they had none.
    hashed
        SHA-256 of the token, as hexadecimal digits.
    made_at
        When the token was made.

    """

    id: str
    name: str
    customers: tuple[int, ...]
    operator_id: int | None
    hashed: str
    made_at: datetime

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return {**vars(self), "customers": list(self.customers), "made_at": self.made_at.isoformat()}


def make(name: str, boilers: Sequence[Asset], now: datetime) -> tuple[Device, str]:
    """Make a token, and commit; return whose it is and the token itself, which nobody can be told again.

    Parameters
    ----------
    name
        For people.
    boilers
        Assets of boilers of one operator's customers, at least one.
    now
        When it is made.

    Raises
    ------
    SmartBoilerError
        If the boilers are not of one operator's customers; the message names the field.
    ConflictError
        If there are too many.

    """
    operators = {boiler.owner.consultancy_account_id for boiler in boilers}
    if len(operators) > 1 or (len(boilers) > 1 and None in operators):
        raise SmartBoilerError({"customers": ["They must be the customers of one operator."]})
    (operator_id,) = operators
    of_one = len(boilers) == 1
    owner = boilers[0] if of_one else db.session.get(Account, operator_id)
    where = str(owner.id) if of_one else f"g{owner.id}"
    token = f"sb_{where}_{secrets.token_urlsafe(32)}"
    customers = tuple(sorted({boiler.account_id for boiler in boilers}))
    device = Device(f"{where}-{secrets.token_hex(4)}", name, customers, operator_id, _hashed(token), now)

    def added(known: list[Device]) -> list[Device]:
        most = MOST_OF_BOILER if of_one else MOST_OF_OPERATOR
        if len(known) >= most:
            raise ConflictError(f"There are {most} device tokens already. Take away one that is not used.")
        return [*known, device]

    with transaction():
        _change(owner, where, added)
        for boiler in boilers:
            AssetAuditLog.add_record(boiler, f"Made device token {device.id}")
    return device, token


def take_away(device: Device) -> None:
    """Take a token away, and commit: its device can do nothing any more.

    Raises
    ------
    NotFoundError
        If somebody else has just done so.

    """
    owner, where = _owner(device.id.partition("-")[0])
    if owner is None:
        raise NotFoundError(f"You have no device token {device.id}.")

    def without(known: list[Device]) -> list[Device]:
        if device.id not in {each.id for each in known}:
            raise NotFoundError(f"You have no device token {device.id}.")
        return [each for each in known if each.id != device.id]

    with transaction():
        _change(owner, where, without)
        its_boilers = Asset.account_id.in_(device.customers) & stored.rows_with(Asset)
        for boiler in db.session.scalars(db.select(Asset).filter(its_boilers)).unique():
            AssetAuditLog.add_record(boiler, f"Took device token {device.id} away")
    with suppress(RedisError):
        current_app.redis_connection.hdel(SEEN, device.id)  # type: ignore[attr-defined]  # set by the host


def device_of(token: str) -> Device | None:
    """Return the device that has a token; None where it is none, or was taken away. One SQL statement."""
    found = TOKEN.fullmatch(token)
    if found is None:
        return None
    hashed = _hashed(token)
    known = _known(_kept(found[1]), found[1])
    return next((device for device in known if compare_digest(device.hashed, hashed)), None)


def find(token_id: str) -> Device | None:
    """Return the device with a token of this id; None where there is none."""
    found = TOKEN_ID.fullmatch(token_id)
    known = _known(_kept(found[1]), found[1]) if found else []
    return next((device for device in known if device.id == token_id), None)


def devices_of(boilers: Any, operators: Any) -> list[Device]:
    """Return all devices, those that were made first first; two SQL statements.

    Parameters
    ----------
    boilers, operators
        SQL conditions: of which boilers' assets, and of which operators' accounts.

    """
    of_boilers = db.select(Asset.id, Asset.attributes[ATTRIBUTE].astext)
    of_boilers = of_boilers.filter(stored.rows_with(Asset, ATTRIBUTE), boilers)
    of_operators = db.select(Account.id, Account.attributes[ATTRIBUTE].astext)
    of_operators = of_operators.filter(stored.rows_with(Account, ATTRIBUTE), operators)
    found = [
        device
        for query, kind in ((of_boilers, ""), (of_operators, "g"))
        for owner_id, kept in db.session.execute(query).tuples()
        for device in _known(kept, f"{kind}{owner_id}")
    ]
    return sorted(found, key=lambda device: (device.made_at, device.id))


def note_seen(device: Device, now: datetime) -> None:
    """Note that a device was there; where Redis is away, nobody does."""
    with suppress(RedisError):
        current_app.redis_connection.hset(SEEN, device.id, now.isoformat())  # type: ignore[attr-defined]  # as above


def last_seen(devices: Iterable[Device]) -> dict[str, datetime]:
    """Return when devices were last there, by the id of their token, of those of which that is known."""
    ids = [device.id for device in devices]
    if not ids:
        return {}
    try:
        seen = current_app.redis_connection.hmget(SEEN, ids)  # type: ignore[attr-defined]  # as above
    except RedisError:
        return {}
    return {id_: datetime.fromisoformat(at.decode()) for id_, at in zip(ids, seen, strict=True) if at}


def _hashed(token: str) -> str:
    # 32 random bytes: nobody guesses them, however fast the hash is
    return sha256(token.encode()).hexdigest()


def _owner(where: str) -> tuple[Asset | Account | None, str]:
    """Return with whom tokens are kept, by what their ids begin with."""
    model, number = (Account, where[1:]) if where.startswith("g") else (Asset, where)
    return (db.session.get(model, int(number)) if int(number) <= LARGEST_ID else None), where


def _kept(where: str) -> Any:
    """Return what is kept by the begin of a token, without reading all of its owner."""
    model, number = (Account, where[1:]) if where.startswith("g") else (Asset, where)
    if not is_id(int(number)):
        return None
    return db.session.execute(db.select(model.attributes[ATTRIBUTE].astext).filter_by(id=int(number))).scalar()


def _known(kept: Any, where: str) -> list[Device]:
    """Return the devices that were sealed here for this very owner."""
    if kept is None:
        return []
    try:
        sealed = as_object(stored.unseal(kept))
    except ValueError:
        return []
    if sealed.get("of") != where:
        return []
    return [
        Device(**{**each, "customers": tuple(each["customers"]), "made_at": datetime.fromisoformat(each["made_at"])})
        for each in sealed["devices"]
    ]


def _change(owner: Asset | Account, where: str, changed: Callable[[list[Device]], list[Device]]) -> None:
    """Change what is kept of devices, under a lock of their owner's row."""
    stored.change(
        owner,
        lambda kept: stored.seal(
            {"of": where, "devices": [device.as_json() for device in changed(_known(kept, where))]}
        ),
        ATTRIBUTE,
    )
