"""Changing a customer: what is given, and nothing else. What belongs to every change: ``changes.py``."""

from __future__ import annotations

from datetime import date
from typing import Any

from flexmeasures import Account
from marshmallow import ValidationError

from smart_boiler_plugin import stored
from smart_boiler_plugin.boiler.changing import change_boiler
from smart_boiler_plugin.boiler.connecting import connect
from smart_boiler_plugin.boiler.connection import UNCHANGED, Connection
from smart_boiler_plugin.customers.changes import NAMES_LOCK, check_day, log_change, one_change, refuse_what_is_taken
from smart_boiler_plugin.customers.directory import Customer, default_boiler_name, of_account
from smart_boiler_plugin.customers.languages import keep_language
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.prices import tariffs
from smart_boiler_plugin.prices.switching import switch
from smart_boiler_plugin.stored import as_object
from smart_boiler_plugin.transactions import lock


def change(  # noqa: PLR0913 (what may be changed, each by its name)
    customer: Customer,
    name: str | None,
    boiler: dict[str, Any],
    place: dict[str, Any],
    comfort: dict[str, Any] | None = None,
    tariff: str | None = None,
    language: str | None = None,
    *,
    device: Connection | None = UNCHANGED,
    first: date | None = None,
) -> Customer:
    """Change what is given of a customer, and nothing else; stored flex-model, graphs and names follow.

    Parameters
    ----------
    customer
        Whom.
    name
        New name of the account; None keeps it.
    boiler, place
        New values of fields of ``BoilerData`` and ``Place``, by field name.
    comfort
        What the household wants, as JSON (``Boiler.change_comfort``).
    tariff
        Name of another tariff; None keeps it.
    language
        In which they are written to (ISO 639-1); None keeps it.
    device
        How the boiler's device is reached over MQTT; None takes it away.
    first
        The first local day on which they have the tariff; None means today.

    Raises
    ------
    ConflictError
        If the name exists on this server, another boiler has a topic of the device, or the tariff is in another
        currency.
    SmartBoilerError
        If there is no such tariff, the new data do not fit together with the rest, or the day is over.

    """
    with one_change():
        account = customer.account
        _hold_topics(device)
        if first is not None:
            check_day(first, customer.boiler.today, changes_tariff=tariff is not None, changes_boiler=bool(boiler))
        # before the boiler: in this order it is taken by whoever removes a tariff
        paid = tariffs.hold(tariffs.find(tariff, account.consultancy_account)) if tariff is not None else None
        if name is not None and name != account.name:
            place = {**_rename(customer, name), **place}
        if boiler and customer.asset is not None and not stored.is_stored(customer.asset):
            # what makes the asset a boiler is put back where it was taken away
            stored.change(customer.asset, as_object)
        if language is not None:
            keep_language(customer.boiler.asset, language)
            log_change(account, f"Changed language of boiler customer '{account.name}' to '{language}'")
        _connect(customer, device)
        if boiler or place:
            change_boiler(customer.boiler, boiler, place)
        if paid is not None:
            switch(customer.boiler, paid, first)
        if comfort:
            try:
                customer.boiler.change_comfort(comfort)
            except ValidationError as error:
                raise SmartBoilerError({"comfort": error.messages}) from error
    return of_account(customer.account)


def _hold_topics(device: Connection | None) -> None:
    """Let topics be given as names are, one transaction after the other: before any row is locked."""
    if device is not UNCHANGED:
        lock(NAMES_LOCK)


def _connect(customer: Customer, device: Connection | None) -> None:
    """Give a customer's boiler another device, or none, and log that."""
    if device is not UNCHANGED:
        connect(customer.boiler.asset, device)
        told = f"to '{device.kind} at {device.topic}'" if device else "to none"
        log_change(customer.account, f"Changed device of boiler customer '{customer.account.name}' {told}")


def _rename(customer: Customer, name: str) -> dict[str, str]:
    """Give a customer another name, and return what its boiler is to be called, if it is called after the customer."""
    account = customer.account
    if name.lower() != account.name.lower():
        refuse_what_is_taken({"name": (Account.name, name)})
    log_change(account, f"Renamed boiler customer '{account.name}' to '{name}'")
    named_after = customer.asset is not None and customer.asset.name == default_boiler_name(account.name)
    account.name = name
    return {"name": default_boiler_name(name)} if named_after else {}
