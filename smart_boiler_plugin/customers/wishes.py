"""What a household wishes on its page: warm now, away until, other times of the week. Its plan is made anew at once.

The wishes are those of its comfort (``boiler/comfort.py``), changed as ``PATCH /boiler-customer`` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from smart_boiler_plugin.clock.quarter import HOUR, QUARTER, whole_quarters
from smart_boiler_plugin.customers.changing import change
from smart_boiler_plugin.customers.directory import Customer
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.fleet.at_home import Home
from smart_boiler_plugin.fleet.planning import plan_anew

LONGEST_ABSENCE = timedelta(days=366)
"""Whoever is away for longer has mistyped the year, or moves."""

LONGEST_BOOST = timedelta(hours=24)
"""A boost ends by then, be the tank full or not."""


def warm_now(customer: Customer, home: Home) -> datetime:
    """Let a boiler heat to its ceiling from now on, and return when it is to be there."""
    until = boost_until(home)
    _wish(customer, boost={"until": until.isoformat()})
    return until


def boost_until(home: Home) -> datetime:
    """Return when a boiler that heats from now on is full, at the end of that quarter.

    Where nobody knows how warm it is, it is taken to be cold.
    """
    found = home.warm_now
    if found is not None:
        full = found.until
    elif home.water is None:
        data = home.data
        hours = data.tank.state_of_charge_kwh(data.temperature_max_c) / (data.cop * data.power_kw)
        full = home.moment + min(hours * HOUR, LONGEST_BOOST)
    else:
        full = home.moment + QUARTER
    until: datetime = whole_quarters(full, full)[1].tz_convert(home.timezone).to_pydatetime()
    return until


def stop_warming(customer: Customer) -> None:
    """End a boost."""
    _wish(customer, boost=None)


def leave(customer: Customer, now: datetime, until: datetime) -> None:
    """Let nobody be at home from now until a moment, at which the water is warm again.

    Raises
    ------
    SmartBoilerError
        If that moment is not to come, or further away than ``LONGEST_ABSENCE``; the message names the field.

    """
    if not timedelta(0) < until - now <= LONGEST_ABSENCE:
        raise SmartBoilerError({"until": [f"Must be to come, and within {LONGEST_ABSENCE.days} days."]})
    begin = whole_quarters(now, now)[0]
    _wish(customer, away={"from": begin.isoformat(), "until": until.isoformat()})


def come_back(customer: Customer) -> None:
    """End an absence."""
    _wish(customer, away=None)


def keep_week(customer: Customer, programme: Sequence[dict[str, Any]], useful_temperature: str | None) -> None:
    """Keep other times of the week, and from which temperature on hot water serves the household; both as JSON.

    Raises
    ------
    SmartBoilerError
        If something of it is wrong; the message names the field.

    """
    _wish(customer, programme=list(programme), useful_temperature=useful_temperature)


def _wish(customer: Customer, **comfort: Any) -> None:
    """Change comfort, and make the plan anew; each in its own transaction: a wish counts, planned or not."""
    change(customer, None, {}, {}, comfort)
    plan_anew([customer.boiler.asset.id])
