"""Many boilers at once: their state. Their reports: ``money/report.py``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flexmeasures import Account, Asset, Sensor, Source, User
from flexmeasures.auth.policy import CONSULTANT_ROLE, user_has_admin_access
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from flexmeasures.utils.time_utils import server_now
from sqlalchemy.orm import joinedload, selectinload

from smart_boiler_plugin.boiler.parts import missing_parts
from smart_boiler_plugin.host import PLANNED
from smart_boiler_plugin.stored import rows_with

RECENT = timedelta(days=1)
"""How far back a last reading is looked for."""


@dataclass(frozen=True)
class BoilerState:
    """One boiler of a fleet.

    Parameters
    ----------
    asset_id, name, customer
        Of the boiler, and the name of the account that owns it.
    temperature_c, measured_at
        Last measured temperature [°C], and when its quarter of an hour began; None where the last day has none.
    missing
        What is missing of the boiler, for people, with what mends it.

    """

    asset_id: int
    name: str
    customer: str
    temperature_c: float | None
    measured_at: datetime | None
    missing: tuple[str, ...] = ()


def states(user: User) -> list[BoilerState]:
    """Return all boilers that a user may see, by name; as many queries for all as for one.

    An admin sees all, a consultant those of the own account and its clients, everybody else those of the own account:
    as the host's rules have it for single assets (``Account.__acl__``), put into SQL for many.
    """
    now = server_now()
    last = (
        db.select(TimedBelief.sensor_id, TimedBelief.event_value, TimedBelief.event_start)
        .distinct(TimedBelief.sensor_id)
        .join(Source)
        .join(Sensor, Sensor.id == TimedBelief.sensor_id)
        .filter(Sensor.name == "temperature", db.func.coalesce(Source.type, "").not_in(PLANNED))
        .filter(TimedBelief.event_start.between(now - RECENT, now))
        .order_by(TimedBelief.sensor_id, TimedBelief.event_start.desc(), TimedBelief.belief_horizon)
        .subquery()
    )
    query = (
        db.select(Asset.id, Asset.name, Account.name, last.c.event_value, last.c.event_start)
        .join(Account, Asset.account_id == Account.id)
        # a boiler whose sensor was deleted is still one
        .outerjoin(Sensor, (Sensor.generic_asset_id == Asset.id) & (Sensor.name == "temperature"))
        .outerjoin(last, last.c.sensor_id == Sensor.id)
        .filter(rows_with(Asset))
        .order_by(Asset.name)
    )
    if not user_has_admin_access(user, "read"):
        visible = Account.id == user.account_id
        if user.has_role(CONSULTANT_ROLE):
            visible |= Account.consultancy_account_id == user.account_id
        query = query.filter(visible)
    found = [BoilerState(*row) for row in db.session.execute(query)]
    parts = db.select(Asset).filter(Asset.id.in_([each.asset_id for each in found]))
    parts = parts.options(selectinload(Asset.sensors), joinedload(Asset.parent_asset))
    missing = {asset.id: tuple(missing_parts(asset)) for asset in db.session.scalars(parts)}
    return [replace(each, missing=missing[each.asset_id]) for each in found]
