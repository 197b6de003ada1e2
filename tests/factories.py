"""Makes what tests need in the host's database. Call inside an app context."""

import numpy as np
import pandas as pd
from flexmeasures import Account, Asset, AssetType, Source
from flexmeasures.data import db
from flexmeasures.data.models.user import AccountRole
from flexmeasures.data.services.users import create_user

from smart_boiler_plugin import stored
from smart_boiler_plugin.boiler import history
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.boiler.making import make_boiler
from smart_boiler_plugin.facts.store import Values
from smart_boiler_plugin.facts.store import store as store_values
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor

PASSWORD = "correct horse battery staple"


def make_account(name, *, roles=(), consultancy=None):
    """Make an account; roles are names of account roles, made if missing."""
    account = Account(name=name, consultancy_account_id=consultancy and consultancy.id)
    for role in roles:
        found = db.session.query(AccountRole).filter_by(name=role).one_or_none()
        account.account_roles.append(found or AccountRole(name=role))
    db.session.add(account)
    db.session.commit()
    return account


def make_user(account, name, *, roles=()):
    """Make a user of an account, and return it with its token."""
    user = create_user(
        username=name,
        email=f"{name}@example.com",
        password=PASSWORD,
        account_name=account.name,
        user_roles=list(roles),
        check_email_deliverability=False,
    )
    db.session.commit()
    return user, user.get_auth_token()


def make_operator(name="Warm Water Energy", user="operator"):
    """Make an operator: a Consultancy account with a consultant; return the account's id and the consultant's token."""
    account = make_account(name, roles=["Consultancy"])
    _, token = make_user(account, user, roles=["consultant"])
    return account.id, token


def make_household_boiler(owner, name, data=None, timezone="Europe/Amsterdam"):
    """Make a boiler for an account, by default of the usual kind, without going through a take-on."""
    if db.session.query(AssetType).filter_by(name="battery").one_or_none() is None:
        db.session.add(AssetType(name="battery"))
    price = get_or_create_consumption_price_sensor("NL")
    boiler = make_boiler(Asset(name=name, account_id=owner.id), timezone, price, data or BoilerData())
    db.session.commit()
    return boiler


def taken_on_long_ago(asset):
    """Let a boiler have been taken on before the days that tests speak of."""
    stored.change(asset, lambda kept: {**kept, "taken_on": "2025-01-01"}, history.ATTRIBUTE)


def store(sensor, values, start, source_type="market", recorded_at=None):
    """Store values on a sensor as of a source of a type.

    By ``facts.store``, which ``test_store.py`` holds equal to the host's ``save_to_db``: in a tenth of its time.
    """
    source = db.session.query(Source).filter_by(name="test", type=source_type).one_or_none()
    if source is None:
        db.session.add(source := Source(name="test", type=source_type))
        db.session.flush()
    starts = pd.date_range(start, periods=len(values), freq=sensor.event_resolution)
    store_values([Values(sensor, starts, np.asarray(values, dtype=float))], source, recorded_at or start)
    db.session.commit()
