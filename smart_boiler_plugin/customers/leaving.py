"""How customers end: everything that is kept about one as one document, and letting go of it all."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from flexmeasures import Account, Asset, Sensor, Source, User
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog, AuditLog
from flexmeasures.data.models.time_series import TimedBelief
from flexmeasures.data.models.user import RolesAccounts
from flexmeasures.data.services.generic_assets import delete_asset
from flexmeasures.data.services.users import delete_user
from flexmeasures.utils.time_utils import duration_isoformat
from sqlalchemy import or_

from smart_boiler_plugin.customers import notes
from smart_boiler_plugin.customers.changes import log_change, one_change
from smart_boiler_plugin.customers.directory import Customer
from smart_boiler_plugin.errors import NotFoundError, SmartBoilerError
from smart_boiler_plugin.host import deletion_event, jobs_of

ERASED = "(erased)"
"""What stands in the audit log in place of names."""


@dataclass(frozen=True)
class Erased:
    """How much was erased."""

    users: int
    assets: int
    sensors: int
    beliefs: int
    jobs: int


def let_go(customer: Customer, confirmed_name: str) -> Erased:
    """Erase a customer: users, boiler, sensors, all their data and jobs, and the account. In one transaction.

    The audit log keeps what happened to the account and when, without names and addresses.

    Parameters
    ----------
    customer
        Whom.
    confirmed_name
        The name of the account, as whoever asked has typed it.

    Raises
    ------
    SmartBoilerError
        If that is not its name.
    NotFoundError
        If somebody else has just erased it.

    """
    account = customer.account
    if confirmed_name != account.name:
        raise SmartBoilerError({"confirm": ["This is not the name of the account. Nothing was erased."]})
    account_id = account.id
    with one_change():
        locked = db.select(Account.id).filter_by(id=account_id).with_for_update()
        if db.session.execute(locked).scalar_one_or_none() is None:
            raise NotFoundError(f"You have no boiler customer with account id {account_id}.")
        users = list(customer.users)
        assets = _children_first(db.session.query(Asset).filter_by(account_id=account.id).all())
        sensors = [sensor for asset in assets for sensor in asset.sensors]
        beliefs = db.session.query(TimedBelief).filter(TimedBelief.sensor_id.in_([s.id for s in sensors])).count()
        jobs = jobs_of([asset.id for asset in assets], [sensor.id for sensor in sensors])
        erased = Erased(len(users), len(assets), len(sensors), beliefs, len(jobs))
        names = [account.name, *(name for user in users for name in (user.username, user.email))]
        # before the assets go, as the log then no longer knows which ones its entries are about
        asset_entries = _entries_about_assets(assets, users)
        log_change(account, f"Let go of boiler customer {account.id}: erased {asdict(erased)}")
        noted = notes.of(account, assets, sensors, users)
        _let_go_of_children_of_others(account, assets)
        for asset in assets:
            delete_asset(asset)
            asset_entries += db.session.query(AssetAuditLog).filter_by(event=deletion_event(asset))
        for user in users:
            delete_user(user)
        db.session.flush()
        _take_names_out([*asset_entries, *_entries_about_account(account, users)], names, users)
        notes.erase(account, noted)
        _forget_sources(account, users)
        db.session.execute(db.delete(RolesAccounts).filter_by(account_id=account.id))
        db.session.execute(db.delete(Account).filter_by(id=account.id))
    # after the commit: a job of a boiler that is still there must not be lost
    for job in jobs:
        job.delete()
    return erased


def _children_first(assets: list[Asset]) -> list[Asset]:
    """Return assets so that none comes after the one above it: the database deletes what is below along with it."""
    parents = {asset.id: asset.parent_asset_id for asset in assets}

    def depth(asset_id: int | None) -> int:
        return 0 if asset_id not in parents else 1 + depth(parents[asset_id])

    return sorted(assets, key=lambda asset: (-depth(asset.id), asset.id))


def _let_go_of_children_of_others(account: Account, assets: list[Asset]) -> None:
    """Leave what others have put below a customer's assets where it is, without them."""
    below = Asset.parent_asset_id.in_([asset.id for asset in assets])
    others = db.session.query(Asset).filter(below, Asset.account_id.is_distinct_from(account.id))
    others.update({"parent_asset_id": None}, synchronize_session="fetch")


def _entries_about_assets(assets: list[Asset], users: list[User]) -> list[AssetAuditLog]:
    """Return what the audit log has about assets, and what users did to any."""
    about = AssetAuditLog.affected_asset_id.in_([asset.id for asset in assets])
    by = AssetAuditLog.active_user_id.in_([user.id for user in users])
    return list(db.session.query(AssetAuditLog).filter(or_(about, by)))


def _entries_about_account(account: Account, users: list[User]) -> list[AuditLog]:
    """Return what the audit log has about an account and users, and what these did."""
    user_ids = [user.id for user in users]
    about = or_(AuditLog.affected_account_id == account.id, AuditLog.affected_user_id.in_(user_ids))
    return list(db.session.query(AuditLog).filter(or_(about, AuditLog.active_user_id.in_(user_ids))))


def _take_names_out(entries: list[AuditLog | AssetAuditLog], names: list[str], users: list[User]) -> None:
    """Leave of audit log entries that something happened, and when: no names, quoted texts, old or new values."""
    personal = re.compile("|".join([r"'.*'", r"\b(?:From|To)\b.*", *(rf"(?<!\w){re.escape(n)}(?!\w)" for n in names)]))
    for entry in entries:
        entry.event = personal.sub(ERASED, entry.event)
        if entry.active_user_name in {user.username for user in users}:
            entry.active_user_name = ERASED


def _forget_sources(account: Account, users: list[User]) -> None:
    """Delete the data sources of an account and users; one whose data others have stays, without a name."""
    ids = [
        source.id
        for source in db.session.query(Source).filter(
            or_(Source.user_id.in_([user.id for user in users]), Source.account_id == account.id)
        )
    ]
    used = db.select(TimedBelief.source_id).filter(TimedBelief.source_id == Source.id).exists()
    db.session.execute(db.delete(Source).filter(Source.id.in_(ids), ~used))
    db.session.execute(
        db.update(Source).filter(Source.id.in_(ids)).values(name=ERASED, user_id=None, account_id=None, version=None)
    )


def export(customer: Customer) -> dict[str, Any]:
    """Return everything that is kept about a customer, but for passwords, as one document that JSON can hold."""
    account = customer.account
    assets = db.session.query(Asset).filter_by(account_id=account.id).order_by(Asset.id).all()
    sensors = [sensor for asset in assets for sensor in asset.sensors]
    log = [*_entries_about_account(account, list(customer.users)), *_entries_about_assets(assets, list(customer.users))]
    return {
        "account": {"id": account.id, "name": account.name, "attributes": dict(account.attributes)},
        "users": [
            {
                "id": user.id,
                "user_name": user.username,
                "user_email": user.email,
                "timezone": user.timezone,
                "roles": [role.name for role in user.roles],
                "last_login_at": _iso(user.last_login_at),
                "last_seen_at": _iso(user.last_seen_at),
            }
            for user in customer.users
        ],
        "assets": [
            {
                "id": asset.id,
                "name": asset.name,
                "latitude": asset.latitude,
                "longitude": asset.longitude,
                "attributes": dict(asset.attributes),
                "flex_model": dict(asset.flex_model),
                "flex_context": dict(asset.flex_context),
                "sensors": [_export_sensor(sensor) for sensor in asset.sensors],
            }
            for asset in assets
        ],
        "annotations": [notes.shown(note) for note in notes.of(account, assets, sensors, customer.users)],
        "audit_log": [
            {"at": _iso(entry.event_datetime), "event": entry.event, "by": entry.active_user_name} for entry in log
        ],
    }


def _export_sensor(sensor: Sensor) -> dict[str, Any]:
    """Return a sensor with all its data: start, value, when it was recorded, and by which source."""
    rows = db.session.execute(
        db.select(
            TimedBelief.event_start, TimedBelief.event_value, TimedBelief.belief_horizon, Source.name, Source.type
        )
        .join(Source)
        .filter(TimedBelief.sensor_id == sensor.id)
        .order_by(TimedBelief.event_start, TimedBelief.belief_horizon)
    )
    return {
        "id": sensor.id,
        "name": sensor.name,
        "unit": sensor.unit,
        "timezone": sensor.timezone,
        "resolution": duration_isoformat(sensor.event_resolution),
        "data": [
            {
                "start": start.isoformat(),
                "value": value if value is not None and math.isfinite(value) else None,
                "recorded_at": (sensor.knowledge_time(start) - horizon).isoformat(),
                "source": name,
                "source_type": kind,
            }
            for start, value, horizon, name, kind in rows
        ],
    }


def _iso(moment: datetime | None) -> str | None:
    """Return a moment that the host keeps without its time zone, UTC, as a text."""
    return None if moment is None else moment.replace(tzinfo=timezone.utc).isoformat()
