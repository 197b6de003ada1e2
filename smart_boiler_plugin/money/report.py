"""Costs and savings of many boilers, worked out and stored in one process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from flask import current_app
from flexmeasures import Account, Asset
from flexmeasures.data import db
from flexmeasures.utils.time_utils import server_now

from smart_boiler_plugin.boiler.asset import UNIT_BY_ROLE, Boiler, check_currency, make_missing_sensors
from smart_boiler_plugin.boiler.owners import boilers_of
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.money.accounting import DayAccount, last_day, read_days
from smart_boiler_plugin.money.costs import Costs
from smart_boiler_plugin.money.reporter import BoilerSavingsReporter, savings_frame
from smart_boiler_plugin.plan.results import Results
from smart_boiler_plugin.transactions import lock

REPORTED = ("cost", "daily cost", "daily savings")
"""Roles of the sensors on which reports are stored."""

REPORT_LOCK = 0x64617973
"""Key of the advisory lock under which a day is reported (the bytes of "days")."""


@dataclass(frozen=True)
class Outcome:
    """What came of the report of one boiler's day.

    Parameters
    ----------
    asset_id, name, customer
        Of the boiler, and the name of the account that owns it.
    day
        Local.
    account
        What the day came to; None where it could not be worked out.
    problem
        Why not; empty where it could.

    """

    asset_id: int
    name: str
    customer: str
    day: date
    account: DayAccount | None = None
    problem: str = ""


def report(
    days: Iterable[date] | None = None, operator: Account | None = None, customer: Account | None = None
) -> Iterator[Outcome]:
    """Work out and store what days of boilers cost and saved. Harmless to repeat; commits after each day.

    What is wrong with one boiler stops no other. Of two reports at once, the second waits while the first is at a day.

    Parameters
    ----------
    days
        Local ones; None means the last one that is over where each boiler is.
    operator, customer
        As of ``boilers_of``.

    Yields
    ------
    Outcome
        For each day and boiler.

    """
    for day in [None] if days is None else days:
        # two at once would both find their sources missing; with two of the same, the host would find none ever after
        lock(REPORT_LOCK)
        by_timezone = defaultdict(list)
        # anew each day: after a commit, each boiler would be read again by itself
        for asset in boilers_of(operator, customer):
            try:
                boiler = _ready(asset)
            except Exception as error:  # noqa: BLE001 (whatever somebody wrote into its attributes)
                yield _failed(asset, day or last_day(), error)
            else:
                by_timezone[boiler.timezone].append(boiler)
        for timezone, boilers in by_timezone.items():
            yield from _report_day(boilers, day or last_day(timezone))
        db.session.commit()


def _ready(asset: Asset) -> Boiler:
    """Return a boiler that can be reported on: what must be there is, and sensors of this version are made."""
    boiler = Boiler(asset)
    data, price = boiler.data, boiler.price
    data.check()
    if UNIT_BY_ROLE.keys() - boiler.sensors.keys():
        boiler.sensors = make_missing_sensors(asset, boiler.timezone, price)
    for role in REPORTED:
        check_currency(boiler.sensors[role], price)
    return boiler


def _report_day(boilers: list[Boiler], date_of_day: date) -> Iterator[Outcome]:
    """Report a day of boilers in one time zone: together, and each alone where that fails."""
    if date_of_day > last_day(boilers[0].timezone):
        unfinished = SmartBoilerError(f"{date_of_day} is not over yet in {boilers[0].timezone}.")
        yield from (_failed(boiler.asset, date_of_day, unfinished) for boiler in boilers)
        return
    try:
        with db.session.begin_nested():
            (day,) = read_days(boilers, date_of_day)
            accounts = day.accounts()
    except Exception as error:  # noqa: BLE001 (whatever is wrong with one of them)
        for boiler in boilers:
            yield from (
                [_failed(boiler.asset, date_of_day, error)] if len(boilers) == 1 else _report_day([boiler], date_of_day)
            )
        return
    sensors = [boiler.sensors[role] for boiler in boilers for role in REPORTED]
    results = Results(sensors, day.start, day.end)
    costs, source, recorded_at = Costs(day, results), BoilerSavingsReporter().data_source, server_now()
    for number, (boiler, account) in enumerate(zip(boilers, accounts, strict=True)):
        if isinstance(account, SmartBoilerError):
            yield _failed(boiler.asset, date_of_day, account)
            continue
        try:
            with db.session.begin_nested():
                costs.store(number)
                results.save(savings_frame([account], boiler.sensors["daily savings"], source, recorded_at))
        except Exception as error:  # noqa: BLE001 (whatever it is, the other boilers go on)
            yield _failed(boiler.asset, date_of_day, error)
        else:
            yield _outcome(boiler.asset, date_of_day, account)


def _failed(asset: Asset, day: date, error: Exception) -> Outcome:
    """Return that a boiler could not be reported on; what was not foreseen goes to the server's log as well."""
    if isinstance(error, SmartBoilerError):
        return _outcome(asset, day, problem=str(error))
    current_app.logger.error("No report of asset %s on %s", asset.id, day, exc_info=error)
    # the further lines of a database's error are the whole statement
    first_line = f"{type(error).__name__}: {error}".splitlines()[0]
    return _outcome(asset, day, problem=f"{first_line} (the server's log has the details)")


def _outcome(asset: Asset, day: date, account: DayAccount | None = None, problem: str = "") -> Outcome:
    return Outcome(asset.id, asset.name, asset.owner.name, day, account, problem)
