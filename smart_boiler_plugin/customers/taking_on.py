"""Taking on one customer. All or nothing, with its invitation, which workers then send.

Many at once: ``many.py``, and as a job: ``bulk.py``. What a boiler consists of: ``boiler/making.py``. Who may call: the
host's access rules, checked in ``api``.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from flask import current_app
from flexmeasures import Account, AccountRole, Asset, AssetType, User
from flexmeasures.auth.policy import ACCOUNT_ADMIN_ROLE
from flexmeasures.data import db
from flexmeasures.data.models.user import Role
from flexmeasures.data.services.users import InvalidFlexMeasuresUser, create_user

from smart_boiler_plugin.boiler.asset import ASSET_TYPE
from smart_boiler_plugin.boiler.connecting import connect
from smart_boiler_plugin.boiler.connection import Connection
from smart_boiler_plugin.boiler.data import BoilerData, Place
from smart_boiler_plugin.boiler.making import make_boiler
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.customers import invitations, sending
from smart_boiler_plugin.customers.changes import NAMES_LOCK, log_change, one_change, refuse_what_is_taken
from smart_boiler_plugin.customers.directory import Customer, default_boiler_name
from smart_boiler_plugin.customers.invitations import server_url
from smart_boiler_plugin.customers.languages import keep_language
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.prices import tariffs
from smart_boiler_plugin.transactions import lock


@dataclass(frozen=True)
class NewCustomer:
    """Who is to become a customer.

    Parameters
    ----------
    name
        Of the account: the household.
    user_name, user_email
        Of the account's first user, who becomes its administrator.
    boiler, place
        What is known about the boiler, and where it is.
    tariff
        Name of what they pay; None means the server's default.
    language
        In which they are written to (ISO 639-1); None means the server's usual one.
    device
        How the boiler's device is reached over MQTT; None where it has none.

    """

    name: str
    user_name: str
    user_email: str
    boiler: BoilerData = field(default_factory=BoilerData)
    place: Place = field(default_factory=Place)
    tariff: str | None = None
    language: str | None = None
    device: Connection | None = None


def take_on(new: NewCustomer, operator: Account) -> Customer:
    """Take on a customer: account, user, boiler, sensors and an invitation that is due, in one transaction.

    Parameters
    ----------
    new
        Who.
    operator
        The account whose consultants will manage the customer.

    Raises
    ------
    ConflictError
        If the account name, the user name or the e-mail exists on this server, or another boiler has a topic of the
        device, whoever owns it. Nothing is changed.
    SmartBoilerError
        If there is no such tariff, or the boiler's data do not fit together. Nothing is changed.

    """
    url = server_url()
    with one_change():
        lock(NAMES_LOCK)
        customer = make_customer(new, operator, url)
    sending.ask_workers()
    return customer


def names_of(new: NewCustomer) -> dict[str, tuple[Any, str]]:
    """Return, by field, what is unique on the server, and where."""
    return {
        "name": (Account.name, new.name),
        "user_name": (User.username, new.user_name),
        "user_email": (User.email, new.user_email),
    }


def tariff_of(new: NewCustomer, operator: Account) -> tariffs.Tariff:
    """Return what a customer of an operator is to pay.

    Raises
    ------
    SmartBoilerError
        If there is no such tariff.

    """
    return tariffs.find(new.tariff, operator) if new.tariff else tariffs.default_tariff(operator)


def make_customer(new: NewCustomer, operator: Account, url: str | None) -> Customer:
    """Make all rows of a customer and flush them.

    Raises
    ------
    ConflictError
        If a name or the e-mail exists on this server.
    SmartBoilerError
        If there is no such tariff, or the boiler's data do not fit together.

    """
    new.boiler.check()
    refuse_what_is_taken(names_of(new))
    _make_what_all_share()
    tariff = tariffs.hold(tariff_of(new, operator))
    account = Account(name=new.name, consultancy_account_id=operator.id)
    account.account_roles.append(db.session.query(AccountRole).filter_by(name=CUSTOMER_ROLE).one())
    db.session.add(account)
    db.session.flush()
    log_change(account, f"Took on boiler customer '{new.name}': created account {account.id}")
    timezone = new.place.timezone or current_app.config["FLEXMEASURES_TIMEZONE"]
    user = _make_user(new, account, timezone)
    asset = Asset(
        name=new.place.name or default_boiler_name(new.name),
        account_id=account.id,
        latitude=new.place.latitude,
        longitude=new.place.longitude,
    )
    boiler = make_boiler(asset, timezone, tariff.sensor, new.boiler)
    if new.language:
        keep_language(boiler.asset, new.language)
    if new.device:
        connect(boiler.asset, new.device)
    invitations.make_due(boiler.asset, user, url)
    return Customer(account, boiler.asset, [user])


def _make_user(new: NewCustomer, account: Account, timezone: str) -> User:
    """Make the first user of an account that this very transaction has made, with a password that nobody knows."""
    try:
        return create_user(
            username=new.user_name,
            email=new.user_email,
            password=secrets.token_urlsafe(32),
            # joins the account of this name: it is ours, as names are unique
            account_name=account.name,
            user_roles=ACCOUNT_ADMIN_ROLE,
            timezone=timezone,
            # a DNS server that is down must not stop the business; an address that does not exist gets no invitation
            check_email_deliverability=False,
        )
    except InvalidFlexMeasuresUser as error:
        # the host looks once more whether name or e-mail exist: somebody may have taken them in between
        refuse_what_is_taken({"user_name": (User.username, new.user_name), "user_email": (User.email, new.user_email)})
        raise SmartBoilerError({"user_email": [str(error)]}) from error


def _make_what_all_share() -> None:
    """Make the rows that all customers share, if missing; the lock lets no two first customers make them twice."""
    needed = [
        (AssetType, ASSET_TYPE, "A device that stores energy."),
        (Role, ACCOUNT_ADMIN_ROLE, "Administers an account."),
        (AccountRole, CUSTOMER_ROLE, "A household whose boiler is managed with smart-boiler-plugin."),
    ]
    missing = [row for row in needed if db.session.query(row[0]).filter_by(name=row[1]).first() is None]
    db.session.add_all(model(name=name, description=description) for model, name, description in missing)
    db.session.flush()
