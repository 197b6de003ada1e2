"""A household as its page knows it, made by hand: no database."""

from datetime import timedelta

import numpy as np
import pandas as pd

from smart_boiler_plugin.boiler.comfort import Comfort
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.facts.facts import Facts
from smart_boiler_plugin.fleet.at_home import Home
from smart_boiler_plugin.fleet.members import Member
from smart_boiler_plugin.fleet.told import Seen, Span, state_of
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.texts import translator
from smart_boiler_plugin.ui.reader import Reader

NOW = pd.Timestamp("2026-11-25T14:20", tz="Europe/Amsterdam")
"""A Wednesday."""

DATA = BoilerData(volume_l=120.0, power_kw=2.0, standing_loss_kwh_per_day=0.0, ambient_c=10.0)
QUARTER = timedelta(minutes=15)
POLICY = Policy(
    max_reading_age=timedelta(hours=2),
    max_carried_age=timedelta(days=2),
    silent_after=timedelta(hours=2),
    typical_price_span=timedelta(days=7),
    comfort_weight=6.0,
    floor_c=None,
    hygiene_temperature_c=60.0,
    hygiene_duration=timedelta(minutes=30),
    hygiene_interval=timedelta(days=7),
)


def at(text):
    """A moment in Amsterdam."""
    return pd.Timestamp(text, tz="Europe/Amsterdam")


def span(begin, end):
    """Some time in which it heats."""
    return Span(at(begin).to_pydatetime(), at(end).to_pydatetime())


def make_home(  # noqa: PLR0913 (each test says the few that matter)
    *,
    now=NOW,
    read_c=52.0,
    read_at=None,
    planned_c=55.0,
    price=0.18,
    heats=(),
    plan_ends="2026-11-27T00:00",
    comfort=None,
    data=DATA,
    currency="EUR",
    **seen,
):
    """Make a household of which one reading is known, and one planned temperature and price, but where others are told.

    ``planned_c`` and ``price`` may be dicts by the begin of the quarter from which on they hold; ``heats`` are spans.
    """
    midnight = now.normalize()
    quarters = pd.date_range(midnight - pd.DateOffset(days=3), midnight + pd.DateOffset(days=2), freq="15min")[:-1]
    read_at = (now.floor("15min") - QUARTER) if read_at is None and read_c is not None else read_at
    series = {
        name: np.full(len(quarters), np.nan)
        for name in ("temperature_c", "metered_kw", "planned_kw", "demand_kwh", "expected_kwh", "forecast_kwh")
    }
    if read_at is not None:
        series["temperature_c"][quarters.get_loc(read_at)] = read_c
    planned = stepwise(planned_c, quarters)
    planned[quarters < now.floor("15min")] = np.nan
    series["planned_kw"] = np.zeros(len(quarters))
    for each in heats:
        series["planned_kw"][(quarters >= each.begin) & (quarters < each.end)] = data.power_kw
    facts = Facts(
        asset_id=1,
        moment=now,
        quarters=quarters,
        price=stepwise(price, quarters),
        planned_c=planned,
        first_reading=None,
        **series,
    )
    comfort = comfort or Comfort()
    member = Member(1, "Boiler", 2, "Mulder", 3, data, comfort, "Europe/Amsterdam")
    known = {
        "temperature_c": read_c,
        "measured_at": read_at and read_at.to_pydatetime(),
        "planned_until": plan_ends and at(plan_ends).to_pydatetime(),
        "prices_until": at("2026-11-27T00:00").to_pydatetime(),
        "heats_now": False,
        "next_heating": next((each for each in heats if each.begin > now), None),
    }
    state = state_of(member, Seen(**{**known, **seen}), now.to_pydatetime())
    return Home(state, now, data, comfort, facts, POLICY, currency)


def stepwise(value, quarters):
    """Values of quarters that hold from a moment on each."""
    if not isinstance(value, dict):
        return np.full(len(quarters), float(value))
    found = np.full(len(quarters), np.nan)
    for begin, each in value.items():
        found[quarters >= at(begin)] = each
    return found


def told(kind, home, language="en", operator="Noorderwarmte"):
    """Sentences of a kind (``Words``, ``Alerts``, ``Charts``) about a household, as somebody reads them."""
    return kind(home, Reader(language, "Europe/Amsterdam"), translator(language), operator)
