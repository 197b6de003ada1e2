"""How customers end: letting go of one erases all that is kept. What there is: ``exporting.py``."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from flexmeasures import Account, Asset, User
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog
from flexmeasures.data.models.time_series import TimedBelief
from flexmeasures.data.models.user import RolesAccounts
from flexmeasures.data.services.generic_assets import delete_asset
from flexmeasures.data.services.users import delete_user

from smart_boiler_plugin.customers import notes, traces
from smart_boiler_plugin.customers.changes import log_change, one_change
from smart_boiler_plugin.customers.directory import Customer
from smart_boiler_plugin.errors import NotFoundError, SmartBoilerError
from smart_boiler_plugin.host import delete_jobs, deletion_event, jobs_about


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

    The audit log keeps what happened to the account and when, without names and addresses, old or new.

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
        names = traces.names_of(account, users)
        asset_ids, sensor_ids = {asset.id for asset in assets}, {sensor.id for sensor in sensors}
        jobs = jobs_about(asset_ids, sensor_ids, names)
        erased = Erased(len(users), len(assets), len(sensors), beliefs, len(jobs))
        # before the assets go, as the log then no longer knows which ones its entries are about
        asset_entries = traces.entries_of_assets(assets, users)
        counts = ", ".join(f"{count} {what}" for what, count in asdict(erased).items())
        log_change(account, f"Let go of boiler customer {account.id}: erased {counts}")
        noted = notes.of(account, assets, sensors, users)
        _let_go_of_children_of_others(account, assets)
        _take_names_off(assets, users)
        for asset in assets:
            delete_asset(asset)
            asset_entries += db.session.query(AssetAuditLog).filter_by(event=deletion_event(asset))
        for user in users:
            delete_user(user)
        db.session.flush()
        traces.take_names_out([*asset_entries, *traces.entries_of_account(account, users)], names, users)
        traces.take_names_out_elsewhere(names, account.consultancy_account_id)
        traces.take_names_from_operator(account.consultancy_account, names)
        notes.erase(account, noted)
        traces.forget_sources(account, users)
        db.session.execute(db.delete(RolesAccounts).filter_by(account_id=account.id))
        db.session.execute(db.delete(Account).filter_by(id=account.id))
    # after the commit: a job of a boiler that is still there must not be lost
    delete_jobs(jobs, asset_ids, sensor_ids)
    return erased


def _take_names_off(assets: list[Asset], users: list[User]) -> None:
    """Rename what is about to be deleted: the host writes what it deletes into its log."""
    for asset in assets:
        asset.name = f"Asset {asset.id}"
    for user in users:
        user.username = user.email = f"{traces.ERASED} {user.id}"
    db.session.flush()


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
