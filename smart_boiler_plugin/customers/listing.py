"""Many customers at once, by the page: in a number of SQL statements that does not grow with them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from flexmeasures import Account, AccountRole, Asset, Sensor, User
from flexmeasures.data import db
from sqlalchemy.orm import joinedload, selectinload

from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.customers import invitations
from smart_boiler_plugin.customers.directory import Customer, belongs_to, visible_customers
from smart_boiler_plugin.customers.invitations import Invitation
from smart_boiler_plugin.errors import NotFoundError
from smart_boiler_plugin.stored import as_object, is_id, rows_with


@dataclass(frozen=True)
class Page:
    """Some of the current user's customers.

    Parameters
    ----------
    customers
        On this page.
    total, filtered
        How many there are in all, and how many of these fit what was looked for.
    prices
        The sensors of what they pay: held here, so that the session keeps them, and none is read for itself.

    """

    customers: Sequence[Customer]
    total: int
    filtered: int
    prices: Sequence[Sensor]


def page_of(number: int, size: int, terms: Sequence[str] = (), *, by: str = "id", descending: bool = False) -> Page:
    """Return a page of the current user's customers, from six SQL statements at most.

    Parameters
    ----------
    number
        Of the page, from 1.
    size
        How many customers a page has.
    terms
        Texts that must all be in the name of the account, in whatever case.
    by
        "id" or "name".
    descending
        Whether the last one comes first.

    """
    query = visible_customers()
    total = query.count()
    for term in terms:
        query = query.filter(Account.name.icontains(term, autoescape=True))
    filtered = query.count() if terms else total
    column = {"id": Account.id, "name": Account.name}[by]
    query = query.order_by(column.desc() if descending else column.asc(), Account.id)
    customers, prices = _of_accounts(query.limit(size).offset((number - 1) * size).all())
    return Page(customers, total, filtered, prices)


def _of_accounts(accounts: Sequence[Account]) -> tuple[list[Customer], list[Sensor]]:
    """Return the customers of accounts that were taken on here, in their order, and the sensors of what they pay."""
    ids = [account.id for account in accounts]
    users: dict[int, list[User]] = {account_id: [] for account_id in ids}
    for user in db.session.scalars(db.select(User).filter(User.account_id.in_(ids)).order_by(User.id)):
        users[user.account_id].append(user)
    query = db.select(Asset).options(selectinload(Asset.sensors)).filter(belongs_to(ids))
    boilers: dict[int, Asset] = {}
    for asset in db.session.scalars(query.order_by(rows_with(Asset).desc(), Asset.id)):
        boilers.setdefault(asset.account_id, asset)
    # a household may have written anything there
    named = [
        as_object(as_object(each.flex_context).get("consumption-price")).get("sensor") for each in boilers.values()
    ]
    wanted = db.select(Sensor).options(joinedload(Sensor.generic_asset)).filter(Sensor.id.in_(filter(is_id, named)))
    prices = list(db.session.scalars(wanted))
    return [Customer(account, boilers.get(account.id), users[account.id]) for account in accounts], prices


def boilers_to_plan(account_ids: Collection[int] | None = None) -> list[int]:
    """Return the ids of the boilers of the current user's customers, of all or some; ascending.

    Raises
    ------
    NotFoundError
        If one is none of the current user's.

    """
    customers = visible_customers().with_entities(Account.id)
    if account_ids is not None:
        customers = customers.filter(Account.id.in_(account_ids))
    visible = {account_id for (account_id,) in customers}
    unknown = sorted(set(account_ids or ()) - visible)
    if unknown:
        raise NotFoundError(f"You have no boiler customer with account id {unknown[0]}.")
    query = db.select(Asset.id).filter(Asset.account_id.in_(visible), rows_with(Asset)).order_by(Asset.id)
    return list(db.session.scalars(query))


def count_of_all(operator: Account | None = None) -> int:
    """Return how many customers there are, of all or one operator."""
    return int(_those_of(db.session.query(Account.id), operator).count())


def names_of_all(operator: Account | None = None, number: int = 1, size: int | None = None) -> list[tuple[Any, ...]]:
    """Return ids and names of all or one operator's customers: account, operator and boiler, from one query.

    Parameters
    ----------
    operator
        Whose; None means all.
    number, size
        Which page, from 1, of how many customers; None means all.

    Returns
    -------
    list of tuple
        (account id, its name, name of the operator, boiler's asset id, its name, how the invitation stands), by account
        id; the boiler's are None where somebody took it away, the invitation where nothing is known of any.

    """
    consultancy = db.aliased(Account)
    some = _those_of(db.session.query(Account.id), operator).order_by(Account.id)
    some = some if size is None else some.limit(size).offset((number - 1) * size)
    query = (
        db.session.query(Account.id, Account.name, consultancy.name, Asset)
        .outerjoin(consultancy, Account.consultancy_account_id == consultancy.id)
        .outerjoin(Asset, (Asset.account_id == Account.id) & rows_with(Asset))
        .filter(Account.id.in_(some))
        .order_by(Account.id, Asset.id)
    )
    return [
        (*names, boiler and boiler.id, boiler and boiler.name, _shortly(invitations.of(boiler)))
        for *names, boiler in query
    ]


def _shortly(invitation: Invitation | None) -> str | None:
    """Return how an invitation stands in a line."""
    return ": ".join(filter(None, [invitation.state, invitation.why])) if invitation else None


def _those_of(query: Any, operator: Account | None) -> Any:
    query = query.filter(Account.account_roles.any(AccountRole.name == CUSTOMER_ROLE))
    return query if operator is None else query.filter(Account.consultancy_account_id == operator.id)
