"""Whose boilers there are: those of all customers, of one operator's, or of one customer."""

from __future__ import annotations

from collections.abc import Collection

from flexmeasures import Account, AccountRole, Asset
from flexmeasures.data import db
from sqlalchemy import func
from sqlalchemy.orm import joinedload, subqueryload

from smart_boiler_plugin.stored import rows_with

CUSTOMER_ROLE = "Boiler customer"
"""Account role of all customers that were taken on here. Nothing in this plugin touches an account without it."""


def may_read(planned: Asset, named: Asset) -> bool:
    """Return whether a plan may read another asset's sensors: of the same account, of its operator, or public."""
    if named.account_id in {None, planned.account_id}:
        return True
    return planned.owner is not None and bool(named.account_id == planned.owner.consultancy_account_id)


def boilers_of(
    operator: Account | None = None, customer: Account | None = None, ids: Collection[int] | None = None
) -> list[Asset]:
    """Return the boilers of all customers, of one operator's, or of one; by name, with their sensors, at once.

    With ``ids``, only those of them whose assets have one of these.
    """
    query = _those_of(db.select(Asset), operator, customer)
    query = query if ids is None else query.filter(Asset.id.in_(ids))
    query = query.options(joinedload(Asset.owner), subqueryload(Asset.sensors)).order_by(Asset.name)
    return list(db.session.scalars(query))


def boiler_ids(operator: Account | None = None, customer: Account | None = None) -> list[int]:
    """Return the ids of the boilers that ``boilers_of`` returns, ascending, without reading them."""
    return list(db.session.scalars(_those_of(db.select(Asset.id), operator, customer).order_by(Asset.id)))


def count_boilers(operator: Account | None = None, customer: Account | None = None) -> int:
    """Return how many boilers ``boilers_of`` returns, without reading them."""
    return int(db.session.execute(_those_of(db.select(func.count(Asset.id)), operator, customer)).scalar_one())


def _those_of(query: db.Select, operator: Account | None, customer: Account | None) -> db.Select:
    """Return a query about assets for the boilers of customers alone: all, one operator's, or one."""
    query = query.join(Account, Asset.account_id == Account.id).filter(
        rows_with(Asset), Account.account_roles.any(AccountRole.name == CUSTOMER_ROLE)
    )
    if operator is not None:
        query = query.filter(Account.consultancy_account_id == operator.id)
    if customer is not None:
        query = query.filter(Account.id == customer.id)
    return query
