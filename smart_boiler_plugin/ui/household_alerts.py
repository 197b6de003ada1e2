"""What holds at a household beside the usual, and what is wrong, in its language. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from smart_boiler_plugin.clock.quarter import HOUR
from smart_boiler_plugin.fleet.told import COLD, COLD_SOON, FAULT, NO_PLAN, OFF_PLAN, SILENT
from smart_boiler_plugin.physics.thermostat import SET_POINT_C
from smart_boiler_plugin.ui.household_times import AboutHome

LEAST_PLAN = HOUR
"""Prices that end sooner are none to plan by (``fleet/told.py``)."""


@dataclass(frozen=True)
class Alert:
    """A band that says what holds now, or what is wrong.

    Parameters
    ----------
    state
        Of which state it has the colour (``fleet/told.py``).
    icon
        Of Font Awesome 4.7.
    title, text
        What holds, and what follows from it.
    back
        Name of the form that ends it, or None; and what its button says.

    """

    state: str
    icon: str
    title: str
    text: str = ""
    back: str | None = None
    button: str = ""


class Alerts(AboutHome):
    """All bands of one page."""

    def all(self) -> list[Alert]:
        """Return what holds now beside the usual, and what is wrong: what the household has said itself comes first."""
        found = [self._paused(), self._boosted(), self._away(), self._cold(), self._silent(), self._no_plan()]
        return [each for each in [*found, self._fault()] if each is not None]

    def _paused(self) -> Alert | None:
        until = self.home.paused_until
        if until is None:
            return None
        return Alert(
            OFF_PLAN,
            "pause-circle-o",
            self._("Paused until %(when)s.", when=self.at(until)),
            self._("Until then no plan is followed: your boiler's own thermostat keeps the water warm."),
        )

    def _boosted(self) -> Alert | None:
        until = self.home.boost_until
        if until is None or self.home.paused_until:
            return None
        title = (
            self._("Heating now, warm at about %(time)s.", time=self.at(until))
            if self.home.state.seen.heats_now
            else self._("Warm now is on, until %(time)s.", time=self.at(until))
        )
        return Alert(COLD_SOON, "fire", title, back="stop", button=self._("Stop warming"))

    def _away(self) -> Alert | None:
        away = self.home.away
        if away is None:
            return None
        if away.begin > self.now:
            title = self._("Away from %(begin)s until %(end)s.", begin=self.at(away.begin), end=self.at(away.until))
            return Alert(OFF_PLAN, "suitcase", title, back="back", button=self._("I am not going"))
        days = self.days_ahead(away.until)
        if days == 0:
            title = self._("Away until %(time)s, warm again by then.", time=self.clock(away.until))
        else:
            day, time = self.day(away.until), self.clock(away.until)
            title = self._("Away until %(day)s, warm again at %(time)s.", day=day, time=time)
        return Alert(OFF_PLAN, "suitcase", title, back="back", button=self._("I am back already"))

    def _cold(self) -> Alert | None:
        home, seen = self.home, self.home.state.seen
        if seen.cold is None:
            return None
        too_cold = seen.cold.temperature_c < home.useful_c
        if home.boost_until and not too_cold:
            # it is to be as warm as it gets, and on the way there
            return None
        title = (
            self._("The water is too cold to shower.")
            if too_cold
            else self._("The water is not as warm as your programme says.")
        )
        warm_at = home.reaches(seen.cold.wanted_c) if home.has_plan else None
        wanted = self.reader.degrees(seen.cold.wanted_c)
        if warm_at is not None and seen.heats_now:
            text = self._(
                "It heats now and is warm enough (%(wanted)s) at about %(time)s.", wanted=wanted, time=self.at(warm_at)
            )
        elif seen.heats_now:
            text = self._("It heats now.")
        elif warm_at is not None:
            text = self._("It is warm enough (%(wanted)s) at about %(time)s.", wanted=wanted, time=self.at(warm_at))
        elif home.has_plan:
            text = self._("Press “Warm now”, and it heats at once.")
        else:
            text = ""
        return Alert(COLD, "thermometer-empty", title, text)

    def _silent(self) -> Alert | None:
        seen = self.home.state.seen
        if not seen.is_silent:
            return None
        if seen.silent_since is None:
            title = self._("We have not heard from your boiler yet.")
            return Alert(
                SILENT, "question-circle", title, self._("Until it reports, we plan from a guess, on the warm side.")
            )
        title = self._("Your boiler has not reported since %(when)s.", when=self.past(seen.silent_since))
        works = [self._("It still heats by plan.")] if self.home.has_plan and not self.home.paused_until else []
        check = self._("Is it switched on, and does its Wi-Fi work?")
        return Alert(SILENT, "question-circle", title, " ".join([*works, check, *self._operator_sees]))

    def _no_plan(self) -> Alert | None:
        home = self.home
        if home.has_plan or home.paused_until:
            return None
        known_until = home.state.seen.prices_until
        priced = known_until is not None and known_until - self.now >= LEAST_PLAN
        title = self._("No plan for now.") if priced else self._("No plan for now: prices are missing.")
        thermostat_c = min(SET_POINT_C, home.data.temperature_max_c)
        text = self._(
            "Your boiler's own thermostat keeps the water warm, at up to %(temperature)s, whatever it costs.",
            temperature=self.reader.degrees(thermostat_c),
        )
        return Alert(NO_PLAN, "calendar-times-o", title, text)

    def _fault(self) -> Alert | None:
        if FAULT not in (self.home.state.state, *self.home.state.also):
            return None
        text = " ".join(self._operator_sees)
        return Alert(FAULT, "wrench", self._("Something about your boiler needs a look."), text)

    @property
    def _operator_sees(self) -> list[str]:
        return [self._("%(operator)s sees this, too.", operator=self.operator)] if self.operator else []
