"""Costs and savings of many boilers, worked out and stored in one process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
import pandas as pd
from flask import current_app
from flexmeasures import Account, Asset, Sensor, Source
from flexmeasures.data import db
from flexmeasures.data.models.reporting.profit import ProfitOrLossReporter
from flexmeasures.data.models.time_series import TimedBelief

from smart_boiler_plugin.boiler.asset import UNIT_BY_ROLE, Boiler, check_currency
from smart_boiler_plugin.boiler.making import make_missing_sensors
from smart_boiler_plugin.boiler.owners import boilers_of
from smart_boiler_plugin.clock.days import DAY
from smart_boiler_plugin.clock.quarter import QUARTER_H
from smart_boiler_plugin.errors import BrokenBoilerError, NoPowerError, NoPricesError, SmartBoilerError
from smart_boiler_plugin.facts.store import Values, confirm, store
from smart_boiler_plugin.money.accounting import Day, DayAccount, last_day, read_days
from smart_boiler_plugin.money.late import LateDay, late_days
from smart_boiler_plugin.money.reporter import BoilerSavingsReporter
from smart_boiler_plugin.transactions import by_halves, is_away, lock, told

REPORTED = ("cost", "daily cost", "daily savings")
"""Roles of the sensors on which reports are stored."""

HALF_A_DAY = DAY / 2
"""Daily values whose days begin nearer to each other than this are of the same day."""

REPORT_LOCK = 0x64617973
"""Key of the advisory lock under which a day is reported (the bytes of "days")."""


TOO_EARLY = "the boiler was taken on later"

REASONS: Mapping[type[Exception], str] = {
    NoPricesError: "no price is known",
    NoPowerError: "no power is known, neither metered nor planned",
    BrokenBoilerError: "what is stored of the boiler is wrong",
    SmartBoilerError: "it was refused",
    Exception: "something unexpected; the server's log has the details",
}
"""Why a day cannot be reported; the first kind that fits."""


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
    reason
        The kind of that, in words that are the same for all boilers (``REASONS``).
    late
        Whether the day was reported because its data came late.

    """

    asset_id: int
    name: str
    customer: str
    day: date
    account: DayAccount | None = None
    problem: str = ""
    reason: str = ""
    late: bool = False


def report(
    days: Iterable[date] | None = None, operator: Account | None = None, customer: Account | None = None
) -> Iterator[Outcome]:
    """Work out and store what days of boilers cost and saved. Harmless to repeat; commits after each day.

    What is wrong with one boiler stops no other. Of two reports at once, the second waits while the first is at a day.

    Parameters
    ----------
    days
        Local ones; None means the last one that is over where each boiler is, and those before it whose data have come
        since they were reported (``late.py``).
    operator, customer
        As of ``boilers_of``.

    Yields
    ------
    Outcome
        For each day and boiler; of a day that could not be reported before and still cannot, none.

    """
    late: list[LateDay] = []
    for day in [None] if days is None else days:
        # two at once would both find their sources missing; with two of the same, the host would find none ever after
        lock(REPORT_LOCK)
        # anew each day: after a commit, each boiler would be read again by itself
        by_timezone, failed = _ready_by_timezone(boilers_of(operator, customer), day)
        yield from failed
        for timezone, boilers in by_timezone.items():
            yield from _report_day(boilers, day or last_day(timezone))
            late += [] if day else late_days([Boiler(boiler.asset) for boiler in boilers], last_day(timezone))
        db.session.commit()
    for day in sorted({each.day for each in late}):
        was_reported = {each.asset_id: each.was_reported for each in late if each.day == day}
        lock(REPORT_LOCK)
        by_timezone, failed = _ready_by_timezone(boilers_of(ids=was_reported), day)
        outcomes = [*failed, *(each for some in by_timezone.values() for each in _report_day(some, day, late=True))]
        db.session.commit()
        told = [each for each in outcomes if each.account or was_reported[each.asset_id]]
        yield from (replace(each, late=True) for each in told)


def _ready_by_timezone(assets: Iterable[Asset], day: date | None) -> tuple[dict[str, list[Boiler]], list[Outcome]]:
    """Return the boilers that can be reported on, by their time zones, and what is wrong with the others."""
    by_timezone: defaultdict[str, list[Boiler]] = defaultdict(list)
    failed = []
    for asset in assets:
        try:
            boiler = _ready(asset, day)
        except Exception as error:
            if is_away(error):
                raise
            # whatever somebody wrote into its attributes
            failed.append(_failed(asset, day or last_day(), error))
        else:
            by_timezone[boiler.timezone].append(boiler)
    return by_timezone, failed


def _ready(asset: Asset, day: date | None) -> Boiler:
    """Return a boiler as it was on a day, if that can be reported; sensors of this version are made."""
    boiler = Boiler(asset)
    boiler = boiler.on(day or last_day(boiler.timezone))
    data, price = boiler.data, boiler.price
    data.check()
    if UNIT_BY_ROLE.keys() - boiler.sensors.keys():
        boiler.sensors = make_missing_sensors(asset, boiler.timezone, price)
    for role in REPORTED:
        check_currency(boiler.sensors[role], price)
    return boiler


def _report_day(boilers: list[Boiler], date_of_day: date, *, late: bool = False) -> Iterator[Outcome]:
    """Report a day of boilers in one time zone: together, and by halves where that fails, down to who is to blame.

    Of one that is reported because its data came late, what has not changed is noted to hold still.
    """
    if date_of_day > last_day(boilers[0].timezone):
        unfinished = SmartBoilerError(f"{date_of_day} is not over yet in {boilers[0].timezone}.")
        yield from (_failed(boiler.asset, date_of_day, unfinished) for boiler in boilers)
        return

    def report_together(some: Sequence[Boiler]) -> Sequence[DayAccount | SmartBoilerError]:
        (day,) = read_days(some, date_of_day)
        accounts = day.accounts()
        store_day(day, accounts, confirms=late)
        return accounts

    for some, done in by_halves(boilers, report_together):
        # whatever is wrong with one of them
        accounts = [done] if isinstance(done, Exception) else done
        for boiler, account in zip(some, accounts, strict=True):
            if isinstance(account, Exception):
                yield _failed(boiler.asset, date_of_day, account)
            else:
                yield _outcome(boiler.asset, date_of_day, account)


def store_day(day: Day, accounts: Sequence[DayAccount | SmartBoilerError], *, confirms: bool = False) -> int:
    """Store what a day of boilers cost and saved, if it differs from what is stored; return how many rows are new.

    What a quarter cost is stored where its power and its price are known. What a day cost and saved takes the place of
    all that was stored for that local day. Commits nothing. The number of statements grows with that of prices, and
    not with that of boilers.

    Parameters
    ----------
    day
        Of which boilers.
    accounts
        What it came to for each; of a boiler for which that is not known, nothing is stored.
    confirms
        Whether what a day cost and saved is also to be said anew where it has not changed.

    """
    quarters, midnight = day.power_kw * day.price * QUARTER_H, pd.DatetimeIndex([day.start])
    costs: defaultdict[Sensor, list[Values]] = defaultdict(list)
    savings: list[Values] = []
    for boiler, account, cost in zip(day.boilers, accounts, quarters.T, strict=True):
        if isinstance(account, DayAccount):
            costs[boiler.price] += [
                Values(boiler.sensors["cost"], day.moments, cost),
                Values(boiler.sensors["daily cost"], midnight, np.array([account.cost])),
            ]
            savings.append(Values(boiler.sensors["daily savings"], midnight, np.array([account.savings])))
    by_source = {_source_of_costs(price): values for price, values in costs.items()}
    if savings:
        by_source[BoilerSavingsReporter().data_source] = savings
    rows = 0
    for source, values in by_source.items():
        daily = [each.sensor for each in values if each.starts is midnight]
        _forget_others([sensor.id for sensor in daily], source, day.start)
        _forget_other_tariffs([each.sensor.id for each in values if each.starts is not midnight], source, day)
        rows += store(values, source, day.known_at)
        if confirms:
            confirm(daily, day.start, source, day.known_at)
    return rows


def _source_of_costs(price: Sensor) -> Source:
    """Return the data source of the host's report with a price from the command line: there is one, whoever reports."""
    config = {"consumption_price_sensor": price.id, "loss_is_positive": True}
    return ProfitOrLossReporter(config=config).data_source


def _forget_others(daily_sensor_ids: list[int], source: Source, midnight: datetime) -> None:
    """Take away what other values there are for a day: of other sources, or of another time zone's midnight.

    The key figures of FlexMeasures 1.0.1 add up all sources of a day, such as the reporters of two tariffs; to see
    whether it still does: `search_beliefs` in its `get_kpis` names no ``one_deterministic_belief_per_event``.
    """
    start = TimedBelief.event_start
    db.session.execute(
        db.delete(TimedBelief)
        .filter(TimedBelief.sensor_id.in_(daily_sensor_ids))
        .filter(start > midnight - HALF_A_DAY, start < midnight + HALF_A_DAY)
        .filter((TimedBelief.source_id != source.id) | (start != midnight))
        .execution_options(synchronize_session=False)
    )


def _forget_other_tariffs(sensor_ids: list[int], source: Source, day: Day) -> None:
    """Take away what the quarters of a day cost with the price of another tariff, by which they were once reported."""
    if sensor_ids:
        start = TimedBelief.event_start
        db.session.execute(
            db.delete(TimedBelief)
            .filter(TimedBelief.sensor_id.in_(sensor_ids), start >= day.start, start < day.end)
            .filter(TimedBelief.source_id != source.id)
            .execution_options(synchronize_session=False)
        )


def _failed(asset: Asset, day: date, error: Exception) -> Outcome:
    """Return that a boiler could not be reported on; what was not foreseen goes to the server's log as well."""
    reason = next(told for kind, told in REASONS.items() if isinstance(error, kind))
    if isinstance(error, (NoPricesError, NoPowerError)) and _taken_on_after(asset, day):
        reason = TOO_EARLY
    if isinstance(error, SmartBoilerError):
        return _outcome(asset, day, problem=str(error), reason=reason)
    current_app.logger.error("No report of asset %s on %s", asset.id, day, exc_info=error)
    return _outcome(
        asset, day, problem=f"{type(error).__name__}: {told(error)} (the server's log has the details)", reason=reason
    )


def _taken_on_after(asset: Asset, day: date) -> bool:
    taken_on = Boiler(asset).history.taken_on
    return taken_on is not None and taken_on > day


def _outcome(
    asset: Asset, day: date, account: DayAccount | None = None, problem: str = "", reason: str = ""
) -> Outcome:
    return Outcome(asset.id, asset.name, asset.owner.name, day, account, problem, reason)
