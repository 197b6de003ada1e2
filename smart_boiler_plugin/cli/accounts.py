"""Accounts that commands name by their id: how options are called, and what is said of an id that names none."""

from __future__ import annotations

import click
from flexmeasures import Account
from flexmeasures.auth.policy import CONSULTANCY_ACCOUNT_ROLE
from flexmeasures.data import db

from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.cli.shown import Decorator

choosing_operator: Decorator = click.option(
    "--operator", "operator_id", type=int, help="Account id of an operator. [default: all]"
)
choosing_customer: Decorator = click.option(
    "--customer", "customer_id", type=int, help="Account id of a customer. [default: all]"
)


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


def find_operator(account_id: int, parameter: str = "--operator") -> Account:
    """Return the account of an operator, or say which parameter names none."""
    account = find_account(account_id, parameter)
    if not account.has_role(CONSULTANCY_ACCOUNT_ROLE):
        raise click.BadParameter(f"Account {account.id} has no role {CONSULTANCY_ACCOUNT_ROLE}.", param_hint=parameter)
    return account


def find_chosen(operator_id: int | None, customer_id: int | None = None) -> tuple[Account | None, Account | None]:
    """Return the accounts that ``--operator`` and ``--customer`` name; None where they name none."""
    return (
        None if operator_id is None else find_operator(operator_id),
        None if customer_id is None else find_customer(customer_id, "--customer"),
    )


def no_boiler() -> click.ClickException:
    """Return what is said where there is no boiler that was asked for."""
    return click.ClickException("There is no boiler. Take on a customer first, or choose another account.")
