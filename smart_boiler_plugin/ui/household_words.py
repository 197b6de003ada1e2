"""What a household reads on its page, in its language: from values (``fleet/at_home.py``) to sentences.

Pure. What is not known is not said, or is a dash; a price of nothing is never made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.customers.wishes import boost_until
from smart_boiler_plugin.fleet.told import COLD_SOON, WELL, Span
from smart_boiler_plugin.ui.household_times import AboutHome
from smart_boiler_plugin.ui.reader import NBSP, UNKNOWN

CENT = 0.01


@dataclass(frozen=True)
class Line:
    """What happens next: one sentence in bold or none, others, and an icon in the colour of a state or in none."""

    icon: str
    text: str
    strong: str = ""
    state: str = ""


class Words(AboutHome):
    """Sentences about how warm the water is, what happens next, and what "warm now" does."""

    # --- how warm

    @property
    def figure(self) -> tuple[str, str]:
        """Minutes of shower, and their unit."""
        water = self.home.water
        if water is None:
            return UNKNOWN, ""
        count = round(water.minutes)
        if water.estimated:
            return f"≈{NBSP}{count}", "min"
        return str(count), self._("minute") if count == 1 else self._("minutes")

    @property
    def of_what(self) -> str:
        """What the minutes are of."""
        home = self.home
        if home.water is None:
            return self._("no reading of the last days") if home.state.seen.silent_since else self._("no reading yet")
        if home.water.estimated:
            return self._("of warm shower, estimated")
        if not home.water.minutes:
            return self._("of warm shower, for now")
        if home.away and home.away.begin <= home.moment:
            return self._("of warm shower, kept low while you are away")
        return self._("of warm shower in the tank")

    @property
    def measured(self) -> str:
        """How warm the water was measured, and when; empty where it never was."""
        seen = self.home.state.seen
        if seen.measured_at is None or seen.temperature_c is None:
            return ""
        temperature = self.reader.degrees(seen.temperature_c)
        # what a quarter of an hour holds was measured in it
        until = min(seen.measured_at + QUARTER, self.now)
        if seen.is_silent:
            return self._(
                "%(temperature)s %(ago)s, at %(when)s",
                temperature=temperature,
                ago=self.ago(until),
                when=self.past(until),
            )
        return self._("%(temperature)s, measured %(ago)s", temperature=temperature, ago=self.ago(until))

    # --- what happens next

    @cached_property
    def lines(self) -> list[Line]:
        """What happens next; nothing where no plan says so."""
        home, seen = self.home, self.home.state.seen
        if not home.has_plan or home.paused_until:
            return []
        found = []
        if seen.heats_now:
            strong = (
                self._("Heats now, until %(time)s", time=self.at(seen.heats_until))
                if seen.heats_until
                else self._("Heats now")
            )
            found.append(Line("fire", self._costs_now(), strong))
        if seen.next_heating:
            strong = self._("Heats next %(when)s", when=self.span(seen.next_heating))
            found.append(Line("bolt", self._costs_next(seen.next_heating), strong))
        elif not seen.heats_now and seen.planned_until:
            found.append(Line("bolt", "", self._("No heating before %(time)s", time=self.at(seen.planned_until))))
        if home.water is not None or not seen.is_silent:
            found += self._lasts()
        return found

    def _costs_now(self) -> str:
        price = self.price(self.home.price_now)
        return "" if price == UNKNOWN else self._("at %(price)s per kWh.", price=price)

    def _costs_next(self, span: Span) -> str:
        price, now = self.price(self.home.price_of(span)), self.price(self.home.price_now)
        if price == UNKNOWN:
            return self._("Its price is not known yet.")
        told = self._("at %(price)s per kWh.", price=price)
        if now == UNKNOWN or self.home.state.seen.heats_now:
            return told
        otherwise = self._("Now it would cost %(price)s.", price=now)
        return f"{told} {otherwise}"

    def _lasts(self) -> list[Line]:
        lowest, soon = self.home.lowest, self.home.state.seen.cold_soon
        if self.home.state.seen.cold is not None:
            return []
        if soon is not None and soon.temperature_c < self.home.useful_c:
            told = self._(
                "It may be too cold at about %(time)s: %(temperature)s.",
                time=self.at(soon.at),
                temperature=self.reader.degrees(soon.temperature_c),
            )
            return [Line("clock-o", told, state=COLD_SOON)]
        if lowest is None:
            return []
        temperature = self.reader.degrees(lowest.temperature_c)
        if lowest.minutes < 1:
            told = self._(
                "It may cool to %(temperature)s until then, when you hardly use hot water.", temperature=temperature
            )
            return [Line("moon-o", told)]
        told = self._(
            "Warm enough until then: at least %(temperature)s, that is %(minutes)s of shower.",
            temperature=temperature,
            minutes=self.duration(lowest.minutes),
        )
        return [Line("check-circle", told, state=WELL)]

    # --- what a button does

    @property
    def can_warm(self) -> bool:
        """Whether "warm now" would change anything."""
        home = self.home
        return home.boost_until is None and home.paused_until is None and (home.water is None or bool(home.warm_now))

    @property
    def before_warming(self) -> str:
        """What "warm now" does and costs, before it is pressed."""
        home, found = self.home, self.home.warm_now
        if home.water is None:
            top = self.reader.degrees(home.data.temperature_max_c)
            return self._("Heats to %(temperature)s at once, whatever that costs.", temperature=top)
        if found is None:
            return self._("The water is as warm as it gets.")
        told = self._(
            "%(minutes)s of shower by %(time)s.",
            minutes=self.duration(home.full_minutes),
            time=self.at(boost_until(home)),
        )
        return f"{told} {self._cost_of_warming()}"

    def _cost_of_warming(self) -> str:
        home, found = self.home, self.home.warm_now
        if found is None or found.cost is None or home.currency is None:
            return self._("What that costs is not known yet.")
        cost, following = self.money(found.cost), home.state.seen.next_heating
        more = found.more_than(home.price_of(following)) if following and home.has_plan else None
        if following is None or more is None:
            return self._("Costs about %(cost)s.", cost=cost)
        when = (
            self._("later today") if self.daytime(following.begin) == self._("today") else self.daytime(following.begin)
        )
        if abs(more) < CENT / 2:
            return self._("Costs about %(cost)s, as much as %(when)s.", cost=cost, when=when)
        difference = self.money(abs(more))
        if more < 0:
            return self._(
                "Costs about %(cost)s, that is %(less)s less than %(when)s.", cost=cost, less=difference, when=when
            )
        return self._(
            "Costs about %(cost)s, that is %(more)s more than %(when)s.", cost=cost, more=difference, when=when
        )
