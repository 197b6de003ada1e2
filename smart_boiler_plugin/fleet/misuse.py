"""What households have stored on the host that they should not: found, and mended by small steps of the upgrade.

The guard (``customers/guard.py``) keeps them from it; here is what was stored before it was there.
"""

from __future__ import annotations

from collections.abc import Iterator

from flexmeasures import Account, AccountRole, Asset, Sensor
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog

from smart_boiler_plugin import stored
from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.boiler.schedulers import SCHEDULED_BY, scheduler_problem
from smart_boiler_plugin.boiler.upgrading import Step
from smart_boiler_plugin.plan.allowed import not_allowed
from smart_boiler_plugin.stored import as_object, rows_with

MARKUP = "<>"
"""Characters that the host's pages take for markup where a name stands in a script."""

COLUMNS = ("flex_model", "flex_context")
"""Where sensors are named, of an asset."""


def found_of(operator: Account | None = None) -> Iterator[tuple[Account, str]]:
    """Yield what households of all or one operator have stored that they should not, for people.

    Households are the accounts with the customers' role, and those that own a boiler of ours, by account id.
    """
    owns = Account.id.in_(db.select(Asset.account_id).filter(rows_with(Asset)))
    query = db.select(Account).filter(Account.account_roles.any(AccountRole.name == CUSTOMER_ROLE) | owns)
    if operator is not None:
        query = query.filter(Account.consultancy_account_id == operator.id)
    for account in db.session.scalars(query.order_by(Account.id)):
        assets = _assets_of(account.id)
        problems = [*_of_roles(account), *_of_names(account, assets)]
        for asset in assets:
            problems += [f"{column} of asset {asset.id}, {name}: {told}" for column, name, told in _foreign(asset)]
            problems += filter(None, map(scheduler_problem, (asset, *asset.sensors)))
        yield from ((account, problem) for problem in problems)


def drop_foreign_sensors(boiler: Boiler) -> str | None:
    """Take what names sensors that a plan may not use out of the flex-models and flex-contexts of a household."""
    changed = []
    for asset in _assets_of(boiler.asset.account_id):
        for column, name, _ in list(_foreign(asset)):
            stored.lock_row(asset)
            kept = {field: value for field, value in as_object(getattr(asset, column)).items() if field != name}
            setattr(asset, column, kept)
            changed.append(f"{name} of asset {asset.id}")
    return f"names sensors of others: {', '.join(changed)}" if changed else None


def drop_schedulers(boiler: Boiler) -> str | None:
    """Take schedulers that the host would import from anywhere from a household's assets and sensors."""
    changed = []
    for asset in _assets_of(boiler.asset.account_id):
        for owner in (asset, *asset.sensors):
            if scheduler_problem(owner):
                stored.lock_row(owner)
                owner.attributes = {name: value for name, value in owner.attributes.items() if name != SCHEDULED_BY}
                changed.append(f"{'sensor' if isinstance(owner, Sensor) else 'asset'} {owner.id}")
    return f"schedulers from anywhere: {', '.join(changed)}" if changed else None


def take_markup_out(boiler: Boiler) -> str | None:
    """Take markup out of the names of a household's account, assets and sensors."""
    assets = _assets_of(boiler.asset.account_id)
    changed = []
    for what, owner in _named(boiler.asset.owner, assets):
        if _has_markup(owner.name):
            owner.name = owner.name.translate(dict.fromkeys(map(ord, MARKUP))).strip() or f"{what} {owner.id}"
            changed.append(f"{what} {owner.id}")
    if changed:
        AssetAuditLog.add_record(boiler.asset, f"Took markup out of names: {', '.join(changed)}"[:255])
        db.session.flush()
    return f"markup in names: {', '.join(changed)}" if changed else None


MENDING: tuple[Step, ...] = (drop_foreign_sensors, drop_schedulers, take_markup_out)
"""The steps, before those that give a boiler its own scheduler back."""


def _assets_of(account_id: int) -> list[Asset]:
    query = db.select(Asset).filter(Asset.account_id == account_id).order_by(Asset.id)
    return list(db.session.scalars(query))


def _foreign(asset: Asset) -> Iterator[tuple[str, str, str]]:
    """Yield column, field and what is wrong where an asset names sensors that its plan may not use."""
    problems = not_allowed([as_object(getattr(asset, column)) for column in COLUMNS], asset)
    yield from ((COLUMNS[number], name, told) for (number, name), told in problems.items())


def _of_roles(account: Account) -> Iterator[str]:
    """Yield how an account is no plain customer of an operator, for people."""
    roles = {role.name for role in account.account_roles}
    if CUSTOMER_ROLE not in roles:
        yield f"It has a boiler, and not the role '{CUSTOMER_ROLE}' (any more): nothing here manages it."
    elif account.consultancy_account_id is None:
        yield "It has no operator (any more)."
    for role in sorted(roles - {CUSTOMER_ROLE}):
        yield f"It has the role '{role}' as well."


def _of_names(account: Account, assets: list[Asset]) -> Iterator[str]:
    for what, owner in _named(account, assets):
        if _has_markup(owner.name):
            yield f"The name of {what} {owner.id} has markup: {owner.name!r}."


def _named(account: Account, assets: list[Asset]) -> Iterator[tuple[str, stored.Owner]]:
    yield "account", account
    for asset in assets:
        yield "asset", asset
        yield from (("sensor", sensor) for sensor in asset.sensors)


def _has_markup(name: str) -> bool:
    return any(character in name for character in MARKUP)
