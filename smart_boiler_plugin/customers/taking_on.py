"""Taking on customers, one or many. All or nothing: one transaction each, the invitation after it.

What a boiler consists of: ``boiler/asset.py``. Who may call: the host's access rules, checked in ``api``.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from flask import current_app
from flexmeasures import Account, AccountRole, Asset, AssetType, User
from flexmeasures.auth.policy import ACCOUNT_ADMIN_ROLE
from flexmeasures.data import db
from flexmeasures.data.models.user import Role
from flexmeasures.data.services.users import InvalidFlexMeasuresUser, create_user
from sqlalchemy.exc import IntegrityError

from smart_boiler_plugin.boiler.asset import ASSET_TYPE, make_boiler
from smart_boiler_plugin.boiler.data import BoilerData, Place
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.customers.changes import NAMES_LOCK, conflict, log_change, one_change, refuse_what_is_taken
from smart_boiler_plugin.customers.directory import Customer, default_boiler_name
from smart_boiler_plugin.customers.invitations import invite, server_url
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.prices import tariffs
from smart_boiler_plugin.transactions import lock

CHUNK = 50
"""How many customers of a long list are taken on in one transaction, so that a crash loses no more than these."""


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

    """

    name: str
    user_name: str
    user_email: str
    boiler: BoilerData = field(default_factory=BoilerData)
    place: Place = field(default_factory=Place)
    tariff: str | None = None


def take_on(new: NewCustomer, operator: Account) -> Customer:
    """Take on a customer: account, user, boiler and sensors in one transaction, then the invitation by mail.

    Parameters
    ----------
    new
        Who.
    operator
        The account whose consultants will manage the customer.

    Raises
    ------
    ConflictError
        If the account name, the user name or the e-mail exists on this server, whoever owns it. Nothing is changed.
    SmartBoilerError
        If there is no such tariff, or the boiler's data do not fit together. Nothing is changed.

    """
    server_url()
    with one_change():
        lock(NAMES_LOCK)
        customer = _make_customer(new, operator)
    return replace(customer, invitation=invite([customer.user])[customer.user.id])


def take_on_many(
    news: Sequence[NewCustomer | SmartBoilerError],
    operator: Account,
    *,
    dry_run: bool = False,
    given_url: str | None = None,
) -> Iterator[Customer | SmartBoilerError]:
    """Take on many customers, each on its own: what is wrong with one stops no other.

    They are committed and invited in chunks of ``CHUNK``.

    Parameters
    ----------
    news
        Who; or, in place of one, what was wrong with it when it was read, which is handed through.
    operator
        The account whose consultants will manage the customers.
    dry_run
        Find out what would happen, and change nothing.
    given_url
        Address of the server, for the links in the invitations; None means the setting's.

    Yields
    ------
    Customer or SmartBoilerError
        For each of ``news`` in their order, what came of it. In a dry run the ids are those of rows that never were.

    """
    server_url(given_url)
    # what a dry run makes must be there for its later rows, too
    chunk = max(len(news), 1) if dry_run else CHUNK
    for begin in range(0, len(news), chunk):
        outcomes: list[Customer | SmartBoilerError] = []
        with one_change(commit=not dry_run):
            lock(NAMES_LOCK)
            for new in news[begin : begin + chunk]:
                try:
                    outcomes.append(new if isinstance(new, SmartBoilerError) else _try_to_make(new, operator))
                except SmartBoilerError as error:
                    outcomes.append(error)
            if dry_run:
                yield from outcomes
                db.session.rollback()
        if not dry_run:
            states = invite([made.user for made in outcomes if isinstance(made, Customer)], given_url)
            for made in outcomes:
                yield replace(made, invitation=states[made.user.id]) if isinstance(made, Customer) else made


def _make_customer(new: NewCustomer, operator: Account) -> Customer:
    """Make all rows of a customer and flush them.

    Raises
    ------
    ConflictError
        If a name or the e-mail exists on this server.
    SmartBoilerError
        If there is no such tariff, or the boiler's data do not fit together.

    """
    new.boiler.check()
    refuse_what_is_taken(
        {
            "name": (Account.name, new.name),
            "user_name": (User.username, new.user_name),
            "user_email": (User.email, new.user_email),
        }
    )
    _make_what_all_share()
    tariff = tariffs.find(new.tariff, operator) if new.tariff else tariffs.default_tariff(operator)
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
    return Customer(account, make_boiler(asset, timezone, tariff.sensor, new.boiler).asset, [user])


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


def _try_to_make(new: NewCustomer, operator: Account) -> Customer:
    """Make all rows of a customer, or none of them and raise a ConflictError."""
    try:
        with db.session.begin_nested():
            return _make_customer(new, operator)
    except IntegrityError as error:
        raise conflict(error) from error


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
