"""Customers of an operator: take on. All or nothing: one transaction each, the invitation after it.

What a boiler consists of: ``boiler.py``. Who may call: the host's access rules, checked in ``api``.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import current_app
from flask_security.recoverable import send_reset_password_instructions
from flexmeasures import Account, AssetType, Sensor, User
from flexmeasures.auth.policy import ACCOUNT_ADMIN_ROLE
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AuditLog, get_current_user_id_name, truncate_string
from flexmeasures.data.models.user import Role
from flexmeasures.data.services.users import create_user
from flexmeasures.utils.time_utils import server_now
from sqlalchemy import func
from sqlalchemy.exc import IntegrityError

from smart_boiler_plugin.boiler import ASSET_TYPE, Boiler, BoilerData, make_boiler
from smart_boiler_plugin.errors import ConflictError
from smart_boiler_plugin.prices import default_country, get_or_create_consumption_price_sensor

FIELD_BY_CONSTRAINT = {
    "account_name_key": "name",
    "fm_user_username_key": "user_name",
    "fm_user_email_key": "user_email",
}
"""Which field of a new customer a unique constraint of the host's database guards."""

TAKE_ON_LOCK = 0x626F696C
"""Key of the advisory lock under which rows that all customers share are made (the bytes of "boil")."""


@dataclass(frozen=True)
class NewCustomer:
    """Who is to become a customer.

    Parameters
    ----------
    name
        Of the account: the household.
    user_name, user_email
        Of the account's first user, who becomes its administrator.

    """

    name: str
    user_name: str
    user_email: str


@dataclass(frozen=True)
class Customer:
    """A household that an operator has taken on.

    Parameters
    ----------
    account, user, boiler
        As the host has them.
    consumption_price
        The sensor with what one kWh costs them [EUR/kWh].
    invitation
        "sent", or "failed" when the mail server did not take the mail; it can be sent again.

    """

    account: Account
    user: User
    boiler: Boiler
    consumption_price: Sensor
    invitation: str


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

    """
    with _transaction():
        _refuse_what_is_taken(new)
        _make_what_all_share()
        price = get_or_create_consumption_price_sensor(default_country())
        account = _make_account(new.name, operator)
        timezone = current_app.config["FLEXMEASURES_TIMEZONE"]
        user = create_user(
            username=new.user_name,
            email=new.user_email,
            password=secrets.token_urlsafe(32),
            # joins the account of this name: it is ours, made and flushed by this very transaction
            account_name=account.name,
            user_roles=ACCOUNT_ADMIN_ROLE,
            timezone=timezone,
            # a DNS server that is down must not stop the business; an address that does not exist gets no invitation
            check_email_deliverability=False,
        )
        boiler = make_boiler(account, f"Boiler {new.name}", timezone, price, BoilerData())
    return Customer(account, user, boiler, price, invitation=_invite(user))


@contextmanager
def _transaction() -> Iterator[None]:
    """Commit at the end, or roll everything back. A uniqueness lost to somebody else becomes a ConflictError."""
    try:
        yield
        db.session.commit()
    except IntegrityError as error:
        db.session.rollback()
        field = FIELD_BY_CONSTRAINT.get(_constraint(error) or "")
        if field is None:
            raise
        raise ConflictError({field: ["Was taken by somebody else just now."]}) from error
    except BaseException:
        db.session.rollback()
        raise


def _constraint(error: IntegrityError) -> str | None:
    """Return the name of the constraint that was violated, as PostgreSQL tells it."""
    return getattr(getattr(error.orig, "diag", None), "constraint_name", None)


def _refuse_what_is_taken(new: NewCustomer) -> None:
    """Raise a ConflictError that names all fields whose value exists, in whatever case: logging in ignores the case."""
    rows = {"name": (Account.name, new.name), "user_name": (User.username, new.user_name)}
    rows["user_email"] = (User.email, new.user_email)
    taken = {
        field: [f"'{value}' exists already on this server. Choose another."]
        for field, (column, value) in rows.items()
        if db.session.query(db.session.query(column).filter(func.lower(column) == value.lower()).exists()).scalar()
    }
    if taken:
        raise ConflictError(taken)


def _make_what_all_share() -> None:
    """Make the rows that all customers share, if missing. Two first customers at once must not make them twice."""
    needed = [(AssetType, ASSET_TYPE, "A heat battery counts as one."), (Role, ACCOUNT_ADMIN_ROLE, "")]

    def missing() -> list[tuple[type, str, str]]:
        return [row for row in needed if db.session.query(row[0]).filter_by(name=row[1]).first() is None]

    if missing():
        db.session.execute(db.select(func.pg_advisory_xact_lock(TAKE_ON_LOCK)))
        db.session.add_all(model(name=name, description=description) for model, name, description in missing())
        db.session.flush()


def _make_account(name: str, operator: Account) -> Account:
    account = Account(name=name, consultancy_account_id=operator.id)
    db.session.add(account)
    db.session.flush()
    active_user_id, active_user_name = get_current_user_id_name()
    db.session.add(
        AuditLog(
            event_datetime=server_now(),
            event=truncate_string(f"Took on boiler customer '{name}': created account {account.id}", 500),
            active_user_id=active_user_id,
            active_user_name=active_user_name,
            affected_account_id=account.id,
        )
    )
    return account


def _invite(user: User) -> str:
    """Mail the user a link to choose a password. A customer outlives a mail server that is down."""
    try:
        send_reset_password_instructions(user)
    except OSError as error:  # all that smtplib raises is one, too
        # without a stack trace: the reason says it all
        current_app.logger.error("The invitation of user %s could not be mailed: %r", user.id, error)  # noqa: TRY400
        return "failed"
    return "sent"
