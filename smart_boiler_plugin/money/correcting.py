"""Correcting days that are over, on purpose: what held on them is said anew, and they are reported again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from flexmeasures import Account
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog

from smart_boiler_plugin import stored
from smart_boiler_plugin.boiler import history
from smart_boiler_plugin.boiler.asset import Boiler, check_currency
from smart_boiler_plugin.boiler.door import WORKED_OUT
from smart_boiler_plugin.boiler.owners import boilers_of
from smart_boiler_plugin.clock.days import DAY
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.host import audit_text
from smart_boiler_plugin.money.report import Outcome, report
from smart_boiler_plugin.prices.switching import settle
from smart_boiler_plugin.prices.tariffs import Tariff, hold
from smart_boiler_plugin.transactions import transaction


def report_again(
    days: Sequence[date],
    because: str,
    operator: Account | None = None,
    customer: Account | None = None,
    *,
    tariff: Tariff | None = None,
    data: Mapping[str, Any] | None = None,
) -> Iterator[Outcome]:
    """Correct what held on days that are over, write why into the audit log of each boiler, and report them again.

    Parameters
    ----------
    days
        Local ones, one after the other.
    because
        Why, for people.
    operator, customer
        As of ``report``.
    tariff
        Which the customer had on these days; None: as it is known.
    data
        Fields of ``BoilerData`` that were otherwise on these days; none: as they are known.

    Yields
    ------
    Outcome
        As of ``report``.

    Raises
    ------
    SmartBoilerError
        If a day is not over where a boiler is, the tariff is in another currency than its costs, or the data do not fit
        together; nothing is changed then.

    """
    with transaction():
        if tariff is not None:
            hold(tariff)
        for asset in boilers_of(operator, customer):
            told = _correct(Boiler(asset), days[0], days[-1], tariff, data or {})
            event = f"Reported {days[0]} to {days[-1]} again{told}, because '{because}'"
            AssetAuditLog.add_record(asset, audit_text(event))
    yield from report(days, operator, customer)


def _correct(boiler: Boiler, first: date, last: date, tariff: Tariff | None, data: Mapping[str, Any]) -> str:
    """Change what held on days, and return what that was, for people."""
    if tariff is None and not data:
        return ""
    if last >= boiler.today:
        raise SmartBoilerError(f"{last} is not over yet where boiler {boiler.asset.id} is ({boiler.timezone}).")
    stored.lock_row(boiler.asset)
    settle(boiler)
    told = []
    if tariff is not None:
        for sensor in (boiler.sensors[role] for role in ("cost", "daily cost") if role in boiler.sensors):
            check_currency(sensor, tariff.sensor)
        _say(boiler, history.TARIFF, (first, last), tariff.sensor.id)
        told.append(f"tariff '{tariff.name}'")
    if data:
        begins = [first, *sorted(day for day in boiler.history.changes if first < day <= last)]
        for begin, following in zip(begins, [*begins[1:], last + DAY], strict=True):
            # an energy class that is given counts, whatever loss was known before
            forgotten: dict[str, Any] = {WORKED_OUT: None} if "energy_class" in data else {}
            changed = replace(boiler.on(begin).data, **forgotten, **data)
            changed.check()
            _say(boiler, history.BOILER, (begin, following - DAY), changed)
        told.append(f"boiler {', '.join(f'{name} {value}' for name, value in data.items())}")
    db.session.flush()
    return f" with {' and '.join(told)}"


def _say(boiler: Boiler, kind: str, span: tuple[date, date], value: Any) -> None:
    """Say what of a kind held on days."""
    now: Any = boiler.named_price_id if kind == history.TARIFF else boiler.data
    past: Any = boiler.history.tariff if kind == history.TARIFF else boiler.history.boiler
    boiler.change_history(lambda known: history.corrected(known, kind, past, now, span, value))
