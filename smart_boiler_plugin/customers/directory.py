"""Customers of an operator: find, invite again.

How they begin: ``taking_on.py``. How they change: ``changing.py``. Many at once: ``listing.py``. How they end:
``leaving.py``. All that is kept of one: ``exporting.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask_security import current_user
from flexmeasures import Account, AccountRole, Asset, Sensor, User
from flexmeasures.auth.policy import FlexMeasuresPlatform, check_access
from flexmeasures.data import db
from sqlalchemy.orm import Query
from werkzeug.exceptions import Forbidden

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.connecting import connection_of
from smart_boiler_plugin.boiler.connection import Connection
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.customers import invitations, sending
from smart_boiler_plugin.customers.changes import log_change, one_change
from smart_boiler_plugin.customers.invitations import Invitation, server_url
from smart_boiler_plugin.customers.languages import language_of
from smart_boiler_plugin.errors import BrokenBoilerError, NotFoundError, SmartBoilerError
from smart_boiler_plugin.stored import LARGEST_ID, rows_with


@dataclass(frozen=True)
class Customer:
    """A household that an operator has taken on.

    Parameters
    ----------
    account
        As the host has it.
    asset
        Of the boiler; None where somebody deleted it.
    users
        Of the account, the first one first.

    """

    account: Account
    asset: Asset | None
    users: Sequence[User]

    @property
    def user(self) -> User:
        """The first user."""
        return self.users[0]

    @property
    def invitation(self) -> Invitation | None:
        """How the invitation of the first user stands; None where an earlier version took the customer on."""
        return invitations.of(self.asset)

    @property
    def language(self) -> str:
        """In which language they are written to (ISO 639-1)."""
        return language_of(self.asset)

    @property
    def device(self) -> Connection | None:
        """How the boiler's device is reached over MQTT; None where it is not."""
        return connection_of(self.asset)

    @cached_property
    def boiler(self) -> Boiler:
        """The boiler.

        Raises
        ------
        BrokenBoilerError
            If somebody deleted it, or took from it what makes it one.

        """
        if self.asset is None:
            raise BrokenBoilerError(f"Account {self.account.id} ({self.account.name}) has no boiler any more.")
        return Boiler(self.asset)

    @property
    def problem(self) -> str | None:
        """What is wrong with what is stored of the boiler, and how to mend it; None where nothing is."""
        for read in (lambda: self.boiler.data, lambda: self.boiler.comfort, lambda: self.boiler.history):
            try:
                read()
            except BrokenBoilerError as error:
                return str(error)
        return None

    @property
    def price(self) -> Sensor | None:
        """The sensor with what they pay; None where somebody deleted it, or gave the boiler a price of its own."""
        try:
            return self.boiler.price
        except BrokenBoilerError:
            return None

    @property
    def tariff(self) -> str | None:
        """Name of what they pay; None where they have no ``price``."""
        return str(self.price.generic_asset.name) if self.price else None


def visible_customers() -> Query[Account]:
    """Return a query for the accounts of the current user's customers; an admin's are all.

    Who manages customers is the host's rule for creating accounts, and whose they are is its rule for accounts.
    """
    ours = Account.account_roles.any(AccountRole.name == CUSTOMER_ROLE)
    query: Query[Account] = db.session.query(Account).filter(ours)
    if may(FlexMeasuresPlatform.init(), "read"):  # admins and admin-readers
        return query
    if may(FlexMeasuresPlatform.init(), "create-children"):
        return query.filter(Account.consultancy_account_id == current_user.account_id)
    return query.filter(db.false())


def find(account_id: int, permission: str) -> Customer:
    """Return a customer whom the current user manages.

    Parameters
    ----------
    account_id
        Of the customer.
    permission
        What is to be done, in the host's words: "read" or "update".

    Raises
    ------
    NotFoundError
        If there is none with this id, or it is none of the current user's: which of both is not told.

    """
    possible = account_id <= LARGEST_ID
    account = visible_customers().filter(Account.id == account_id).one_or_none() if possible else None
    # who may see customers may read them
    manages = permission == "read" or may(FlexMeasuresPlatform.init(), "create-children")
    if account is None or not manages or not may(account, permission):
        raise NotFoundError(f"You have no boiler customer with account id {account_id}.")
    return of_account(account)


def of_account(account: Account) -> Customer:
    """Return the customer of an account that was taken on here."""
    users = db.session.query(User).filter_by(account_id=account.id).order_by(User.id).all()
    return Customer(account, boiler_of(account), users)


def boiler_of(account: Account) -> Asset | None:
    """Return the asset of the boiler of an account; None where somebody deleted it."""
    query = db.session.query(Asset).filter(belongs_to([account.id]))
    asset: Asset | None = query.order_by(rows_with(Asset).desc(), Asset.id).first()
    return asset


def belongs_to(account_ids: Sequence[int]) -> Any:
    """Return the SQL condition that an asset is, or was, a boiler of one of these accounts."""
    # a household may have taken the attribute that makes an asset a boiler from it
    was_one = Asset.sensors.any(Sensor.name == "fill-rate")
    return Asset.account_id.in_(account_ids) & (rows_with(Asset) | was_one)


def invite_again(customer: Customer, given_url: str | None = None, *, later: bool = True) -> Customer:
    """Let the customer's first user be sent a link to choose a password once more, and log that.

    Parameters
    ----------
    customer
        Whom.
    given_url
        Address of the server, for the link; None means the setting's.
    later
        Whether workers send it.

    Raises
    ------
    ConflictError
        If the user has chosen a password already.
    SmartBoilerError
        If somebody deleted all users, or the boiler.

    """
    if not customer.users:
        raise SmartBoilerError(f"Account {customer.account.id} has no user any more. Add one on the server's page.")
    with one_change():
        invitations.make_due_again(customer.boiler.asset, customer.user, server_url(given_url))
        log_change(customer.account, f"Invited user {customer.user.id} again")
    if later:
        sending.ask_workers()
    return of_account(customer.account)


def make_failed_due(given_url: str | None = None) -> list[int]:
    """Let all invitations that failed be due again, but those of users who have a password; return the boilers' ids.

    Parameters
    ----------
    given_url
        As of ``invite_again``.

    """
    made = []
    for asset_id in invitations.in_state(invitations.FAILED):
        asset = db.session.get(Asset, asset_id)
        with suppress(SmartBoilerError):
            if asset is not None and asset.owner is not None:
                invite_again(of_account(asset.owner), given_url, later=False)
                made.append(asset_id)
    return made


def default_boiler_name(customer_name: str) -> str:
    """Return what the boiler of a customer is called, so that an operator can tell many apart."""
    return f"Boiler {customer_name}"


def may(context: Any, permission: str) -> bool:
    """Return whether the host's rules let the current user do something."""
    try:
        check_access(context, permission)
    except Forbidden:
        return False
    return True
