"""Accounts that commands name by their id."""

from __future__ import annotations

import click
from flexmeasures import Account
from flexmeasures.data import db

from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE


def find_account(account_id: int, parameter: str) -> Account:
    """Return an account, or say which parameter names none."""
    account = db.session.get(Account, account_id)
    if account is None:
        raise click.BadParameter(f"There is no account {account_id}.", param_hint=parameter)
    return account


def find_customer(account_id: int, parameter: str) -> Account:
    """Return the account of a boiler customer, or say which parameter names none."""
    account = find_account(account_id, parameter)
    if not account.has_role(CUSTOMER_ROLE):
        raise click.BadParameter(f"Account {account.id} is no boiler customer.", param_hint=parameter)
    return account
