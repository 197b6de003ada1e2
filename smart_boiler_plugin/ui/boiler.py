"""The operator's page of one boiler: its state and its plan, above the host's graphs of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pandas as pd
from flask import Response, abort, request
from flask_security import current_user, login_required
from flexmeasures import Account, Asset
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog
from flexmeasures.utils.time_utils import server_now

from smart_boiler_plugin import jobs
from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.clock.days import DAY, day_of, midnight
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.facts.glimpses import quarter_of
from smart_boiler_plugin.fleet.members import seen_by
from smart_boiler_plugin.fleet.overview import overview
from smart_boiler_plugin.fleet.state import completed
from smart_boiler_plugin.plan.ahead import problem_ahead
from smart_boiler_plugin.plan.noted import history_of
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.plan.reading import known_for_plans, policy
from smart_boiler_plugin.plan.span import Span
from smart_boiler_plugin.ui.boilers import LANGUAGE, may_plan, must_manage
from smart_boiler_plugin.ui.charting import axis_of, days_of, numbers
from smart_boiler_plugin.ui.page import render
from smart_boiler_plugin.ui.reader import Reader
from smart_boiler_plugin.ui.rests_on import hygiene_told, rests_on
from smart_boiler_plugin.ui.rows import row_of, wanted_of
from smart_boiler_plugin.ui.service import job_told
from smart_boiler_plugin.ui.tariff import tariff_told
from smart_boiler_plugin.ui.wanted import Wanted

CHANGES = 20
"""How many of the last entries of the host's audit log are shown."""


@login_required
def show_boiler(account_id: int) -> Response:
    """Show the boiler of a customer: its state, what its plans rest on, and who changed what."""
    must_manage()
    now = server_now()
    shown = overview(seen_by(current_user) & (Account.id == account_id), now)
    if not shown.states:
        abort(404)
    (each,) = completed(shown.states[:1], now)
    asset = db.session.get_one(Asset, each.member.asset_id)
    rules, reader = policy(), Reader(LANGUAGE, each.member.timezone)
    job = Wanted.of(request.args).job
    return render(
        "boiler.html",
        each=each,
        asset_id=asset.id,
        reader=reader,
        row=row_of(each, now, rules, {}, None, each.member.timezone),
        since=reader.at(each.since, now) if each.since else "",
        now=now,
        job=job_told(jobs.find(job, current_user.account_id)) if job else None,
        may_plan=may_plan(),
        history=[(_at(when, reader, now), why) for when, why in history_of(asset)],
        changes=_changes(asset, reader, now),
        graphs=_graphs(asset, now, reader),
        **_known(Boiler(asset), rules, reader, now, wanted_of(each, rules)),
    )


def _known(boiler: Boiler, rules: Policy, reader: Reader, now: datetime, wanted_c: float | None) -> dict[str, Any]:
    """Return what is read of one boiler; of one that is broken nothing: its state says why."""
    try:
        return _read(boiler, rules, reader, now, wanted_c)
    except SmartBoilerError as error:
        return {"rests_on": [str(error)], "hygiene": [], "tariff": None, "chart": None, "gist": ""}


def _read(boiler: Boiler, rules: Policy, reader: Reader, now: datetime, wanted_c: float | None) -> dict[str, Any]:
    begin, end = _today_and_tomorrow(now, reader)
    span = Span(quarter_of(now).tz_convert(reader.timezone), end, QUARTER, now)
    known = known_for_plans([boiler], span, rules)[boiler.asset.id]
    account = problem_ahead(boiler.data, boiler.comfort, known.facts, rules, habit=known.habit, span=span).account
    part = known.facts.span(begin, end)
    ceiling_c = boiler.data.temperature_max_c
    series = {
        "measured": known.facts.temperature_c[part],
        "expected": known.facts.planned_c[part],
        "metered": known.facts.metered_kw[part],
        "planned": known.facts.planned_kw[part],
        "price": 100 * known.facts.price[part],
    }
    return {
        "rests_on": rests_on(account, rules, reader, now),
        "hygiene": hygiene_told(account, boiler.data, rules, reader, now),
        "tariff": tariff_told(boiler, reader, now),
        "chart": _chart(known.facts.quarters[part], series, reader, now, wanted_c, ceiling_c),
        "gist": _gist(known.facts.quarters[part], series, reader, now),
    }


def _chart(
    quarters: pd.DatetimeIndex,
    series: Mapping[str, Any],
    reader: Reader,
    now: datetime,
    wanted_c: float | None,
    ceiling_c: float,
) -> dict[str, Any]:
    """Return what the chart draws, as JSON; what nothing is known of is left out, so that no box is empty."""
    return {
        **axis_of(quarters, now, reader),
        "count": len(quarters),
        "days": days_of(quarters),
        "useful": wanted_c,
        "ceiling": ceiling_c,
        "series": {name: numbers(values) for name, values in series.items() if not np.isnan(values).all()},
    }


def _gist(quarters: pd.DatetimeIndex, series: Mapping[str, Any], reader: Reader, now: datetime) -> str:
    """Return what the chart says in a sentence."""
    ahead = (quarters + QUARTER > now) & ~np.isnan(series["expected"])
    if not ahead.any():
        return "No temperature is planned ahead."
    coldest = int(np.argmin(np.where(ahead, series["expected"], np.inf)))
    hottest = int(np.argmax(np.where(ahead, series["expected"], -np.inf)))
    return (
        f"Planned ahead: coldest {reader.degrees(series['expected'][coldest])} at {reader.at(quarters[coldest], now)}, "
        f"warmest {reader.degrees(series['expected'][hottest])} at {reader.at(quarters[hottest], now)}."
    )


def _at(told: str, reader: Reader, now: datetime) -> str:
    """Return a moment that stands in a history: what somebody else wrote there is shown as it is."""
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        return told[:20]
    return reader.at(moment, now) if moment.tzinfo else told[:20]


def _changes(asset: Asset, reader: Reader, now: datetime) -> list[tuple[str, str, str]]:
    """Return the last entries of the host's audit log: when, who, and what."""
    query = db.select(AssetAuditLog).filter_by(affected_asset_id=asset.id)
    query = query.order_by(AssetAuditLog.event_datetime.desc(), AssetAuditLog.id.desc()).limit(CHANGES)
    return [
        # the host notes moments in UTC, without saying so
        (reader.at(_utc(each.event_datetime), now), each.active_user_name or "the server", each.event)
        for each in db.session.scalars(query)
    ]


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment


def _graphs(asset: Asset, now: datetime, reader: Reader) -> str:
    """Return the address of the host's graphs, of today and tomorrow: by itself it shows what ends with the data."""
    begin, end = _today_and_tomorrow(now, reader)
    window = urlencode({"start_time": begin.isoformat(), "end_time": end.isoformat()}, safe=":")
    return f"/assets/{asset.id}/graphs?{window}"


def _today_and_tomorrow(now: datetime, reader: Reader) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the begin and the end of the two local days that the page shows."""
    today = day_of(now, reader.timezone)
    return midnight(today, reader.timezone), midnight(today + 2 * DAY, reader.timezone)
