"""Many boilers at once: their state. Their reports: ``money/report.py``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flexmeasures import Account, Asset, User
from flexmeasures.auth.policy import CONSULTANT_ROLE, user_has_admin_access
from flexmeasures.data import db
from flexmeasures.utils.time_utils import server_now
from sqlalchemy.orm import joinedload, selectinload

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.parts import missing_parts
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.errors import BrokenBoilerError
from smart_boiler_plugin.facts.facts import Facts
from smart_boiler_plugin.facts.faults import Fault, faults_of
from smart_boiler_plugin.facts.read import read_facts
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
        Last temperature that is believed [°C], and when its quarter of an hour began; None where the last day has none.
    faults
        What is wrong with it or its data.
    missing
        What is missing of it, for people, with what mends it.

    """

    asset_id: int
    name: str
    customer: str
    temperature_c: float | None
    measured_at: datetime | None
    faults: tuple[Fault, ...] = ()
    missing: tuple[str, ...] = ()


def states(user: User) -> list[BoilerState]:
    """Return all boilers that a user may see, by name, in a number of queries that does not grow with theirs.

    An admin sees all, a consultant those of the own account and its clients, everybody else those of the own account:
    as the host's rules have it for single assets (``Account.__acl__``), put into SQL for many.
    """
    query = (
        db.select(Asset, Account.name)
        .join(Account, Asset.account_id == Account.id)
        .options(selectinload(Asset.sensors), joinedload(Asset.parent_asset))
        .filter(rows_with(Asset))
        .order_by(Asset.name)
    )
    if not user_has_admin_access(user, "read"):
        visible = Account.id == user.account_id
        if user.has_role(CONSULTANT_ROLE):
            visible |= Account.consultancy_account_id == user.account_id
        query = query.filter(visible)
    found = [(Boiler(asset), str(customer)) for asset, customer in db.session.execute(query).unique()]
    now = server_now()
    facts = read_facts([boiler for boiler, _ in found], now, now - RECENT, now) if found else []
    return [_state(boiler, customer, known) for (boiler, customer), known in zip(found, facts, strict=True)]


def _state(boiler: Boiler, customer: str, facts: Facts) -> BoilerState:
    readings = facts.readings_c(facts.moment + QUARTER)
    temperature_c = float(readings.iloc[-1]) if len(readings) else None
    measured_at = readings.index[-1].to_pydatetime() if len(readings) else None
    try:
        faults = tuple(faults_of(boiler.data, facts))
    except BrokenBoilerError:
        # what is wrong with it is told where customers are listed
        faults = ()
    missing = tuple(missing_parts(boiler.asset))
    return BoilerState(boiler.asset.id, boiler.asset.name, customer, temperature_c, measured_at, faults, missing)
