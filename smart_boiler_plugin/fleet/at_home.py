"""One boiler as its household sees it: how warm, for how long, what it heats next and what that costs.

It stands on the state that its operator sees (``state.py``); the number of SQL statements is always the same. What it
says in words: ``ui/household_words.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import pandas as pd
from flexmeasures import Asset
from numpy.typing import NDArray

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.comfort import Away, Comfort
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.days import DAY, day_of, midnight
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.facts.facts import Facts
from smart_boiler_plugin.facts.glimpses import quarter_of
from smart_boiler_plugin.facts.prices_until import prices_until
from smart_boiler_plugin.facts.read import read_facts
from smart_boiler_plugin.fleet.members import members
from smart_boiler_plugin.fleet.state import HEATS, completed, states_of
from smart_boiler_plugin.fleet.told import NO_PLAN, BoilerState, Span
from smart_boiler_plugin.physics.showers import shower_minutes
from smart_boiler_plugin.physics.thermostat import Floats
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.plan.reading import policy
from smart_boiler_plugin.plan.start import CARRIED, MEASURED, start_kwh
from smart_boiler_plugin.plan.warm_now import Warming, warming

DAYS = 2
"""How many local days are shown: today and tomorrow."""


@dataclass(frozen=True)
class Water:
    """How warm the water in a tank is.

    Parameters
    ----------
    temperature_c
        Now, as measured or estimated [°C].
    minutes
        Of a warm shower that it gives [min].
    share
        The same over what it gives at the ceiling, from the tank's cold to its full [-].
    estimated
        Whether the last reading is so old that it was carried forward through plan and draw-offs.

    """

    temperature_c: float
    minutes: float
    share: float
    estimated: bool


@dataclass(frozen=True)
class Lowest:
    """The coldest that a plan lets the water become [°C], and for how many minutes of a shower that is [min]."""

    temperature_c: float
    minutes: float


@dataclass(frozen=True, eq=False)
class Home:
    """A boiler and its household at a moment.

    Parameters
    ----------
    state
        As the operator sees it.
    moment
        Now, local.
    data, comfort
        The boiler, and what is wanted.
    facts
        Of today and tomorrow, and of the days before by which old readings are carried forward.
    rules
        What the server's settings say.
    currency
        Of its price (ISO 4217); None where it has none.

    """

    state: BoilerState
    moment: pd.Timestamp
    data: BoilerData
    comfort: Comfort
    facts: Facts
    rules: Policy
    currency: str | None

    @property
    def timezone(self) -> str:
        """The household's (IANA name)."""
        return self.state.member.timezone

    @property
    def useful_c(self) -> float:
        """Below it, hot water serves nobody [°C]."""
        return self.state.member.useful_c

    def minutes(self, temperature_c: float) -> float:
        """Return for how many minutes the tank gives a warm shower at a temperature [°C]."""
        return shower_minutes(self.data.tank, temperature_c, self.useful_c)

    @property
    def full_minutes(self) -> float:
        """For how many minutes it does at its ceiling."""
        return self.minutes(self.data.temperature_max_c)

    @cached_property
    def water(self) -> Water | None:
        """How warm the water is; None where no reading is known that tells."""
        start = self.facts.quarters[self._now]
        state_kwh, said = start_kwh(self.data, self.comfort, self.facts, self.rules, start)
        if said["from"] not in {MEASURED, CARRIED}:
            return None
        temperature_c = self.data.tank.temperature_c(state_kwh)
        minutes = self.minutes(temperature_c)
        share = min(minutes / self.full_minutes, 1.0) if self.full_minutes else 0.0
        return Water(temperature_c, minutes, share, estimated=said["from"] == CARRIED)

    @property
    def has_plan(self) -> bool:
        """Whether it has one that its operator would call a plan."""
        return NO_PLAN not in (self.state.state, *self.state.also)

    @property
    def paused_until(self) -> datetime | None:
        """Until when no plan is followed; None where that is not so."""
        return self._to_come(self.comfort.pause_until)

    @property
    def boost_until(self) -> datetime | None:
        """Until when it is to be as warm as it gets; None where that is not so."""
        return self._to_come(self.comfort.boost_until)

    @property
    def away(self) -> Away | None:
        """Nobody is at home, now or later; None where all are and nobody has said otherwise."""
        away = self.comfort.away
        return away if away and away.until > self.moment else None

    def _to_come(self, until: datetime | None) -> datetime | None:
        return until if until is not None and until > self.moment else None

    @property
    def price_now(self) -> float:
        """What one kWh costs now; NaN where that is not known."""
        return float(self.facts.price[self._now])

    def price_of(self, span: Span) -> float:
        """Return the mean price per kWh of a span; NaN where one of it is not known."""
        prices = self.facts.price[self.facts.span(span.begin, span.end)]
        return float(prices.mean()) if len(prices) else np.nan

    @cached_property
    def lowest(self) -> Lowest | None:
        """How cold the water becomes before it heats next, or to the end of its plan; None where no plan tells."""
        seen = self.state.seen
        until = seen.next_heating.begin if seen.next_heating else seen.planned_until
        if until is None or not self.has_plan:
            return None
        begin = max(self.moment, seen.heats_until) if seen.heats_until else self.moment
        planned = self.facts.planned_c[self.facts.span(quarter_of(begin), until)]
        known = planned[~np.isnan(planned)]
        if not len(known):
            return None
        lowest_c = float(known.min())
        return Lowest(lowest_c, self.minutes(lowest_c))

    def reaches(self, temperature_c: float) -> pd.Timestamp | None:
        """Return when the plan first reaches a temperature [°C], at the end of that quarter; None where it does not."""
        ahead = slice(self._now, None)
        warm = np.flatnonzero(self.facts.planned_c[ahead] >= temperature_c)
        return self.facts.quarters[ahead][warm[0]] + QUARTER if len(warm) else None

    @cached_property
    def warm_now(self) -> Warming | None:
        """What it takes to heat to the ceiling from now on; None where the tank is full, or nobody knows how warm."""
        if self.water is None:
            return None
        prices = pd.Series(self.facts.price, index=self.facts.quarters)
        return warming(self.data, self.water.temperature_c, self.moment, prices)

    @cached_property
    def shown(self) -> slice:
        """Where today and tomorrow stand among the quarters of the facts."""
        today = day_of(self.moment, self.timezone)
        return self.facts.span(*(midnight(today + days * DAY, self.timezone) for days in (0, DAYS)))

    @cached_property
    def _now(self) -> int:
        """Where the quarter of now stands among those of the facts."""
        return int(self.facts.quarters.searchsorted(self.moment, side="right")) - 1

    @property
    def quarters_over(self) -> int:
        """How many of the quarters that are shown have begun."""
        return self._now + 1 - int(self.shown.start)

    @property
    def heats(self) -> NDArray[np.bool_]:
        """Whether it heats in each quarter that is shown: as metered, else as planned."""
        power: Floats = self.facts.power_kw[self.shown]
        with np.errstate(invalid="ignore"):
            return power >= HEATS * self.data.power_kw


def at_home(asset: Asset, moment: datetime) -> Home | None:
    """Return what a household sees of its boiler; None where what is stored of it cannot be read.

    Parameters
    ----------
    asset
        Of the boiler.
    moment
        Now.

    """
    member, rules = next(iter(members(Asset.id == asset.id)), None), policy()
    if member is None or member.data is None or member.comfort is None:
        return None
    known = prices_until([member.price_id or 0])
    until = {sensor_id: each.until for sensor_id, each in known.items() if each.until is not None}
    (state,) = completed(states_of([member], moment, until), moment)
    local = pd.Timestamp(moment).tz_convert(member.timezone)
    today = day_of(local, member.timezone)
    begin = min(midnight(today, member.timezone), local - rules.max_carried_age - QUARTER)
    boiler = Boiler(asset)
    (facts,) = read_facts([boiler], moment, begin, midnight(today + DAYS * DAY, member.timezone))
    try:
        currency = boiler.currency
    except SmartBoilerError:
        currency = None
    return Home(state, local, member.data, member.comfort, facts, rules, currency)
