"""Numbers, times and money within a household's sentences: "tonight, 02:15 to 03:45", "8 ct", "8 minutes ago". Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import isfinite

from babel.dates import format_date, format_skeleton, format_timedelta
from babel.units import format_unit

from smart_boiler_plugin.clock.days import DAY
from smart_boiler_plugin.fleet.at_home import Home
from smart_boiler_plugin.fleet.told import Span
from smart_boiler_plugin.texts import Translator
from smart_boiler_plugin.ui.reader import NBSP, UNKNOWN, Reader

MORNING_H, EVENING_H = 6, 18
"""Before and from which hour on it is night and evening."""

CENTS = {"EUR": "ct", "USD": "¢"}
"""How people call a hundredth of a currency, where prices of electricity are told in it."""

GERMAN = "de"
"""Has a comma after the weekday, which Babel knows of short names alone."""

A_WEEK = timedelta(days=6)
"""Within it, a weekday says enough."""


class Telling:
    """How things are told to a household.

    Parameters
    ----------
    reader, say
        Who reads, and in which language.
    now
        What "today" is told from.
    currency
        Of all money (ISO 4217); None where it is not known.

    """

    def __init__(self, reader: Reader, say: Translator, now: datetime, currency: str | None) -> None:
        self.reader, self._, self.now, self.currency = reader, say, now, currency

    def duration(self, minutes: float) -> str:
        """Return some minutes, in whole ones: "22 minutes"."""
        return str(format_unit(round(minutes), "duration-minute", locale=self.reader.locale)).replace(" ", NBSP)

    def ago(self, moment: datetime) -> str:
        """Return how long ago a moment was: "8 minutes ago"."""
        past = max(self.now - moment, timedelta(0))
        if past < timedelta(minutes=1):
            return self._("just now")
        return str(
            format_timedelta(-past, granularity="minute", threshold=1, add_direction=True, locale=self.reader.locale)
        ).replace(" ", NBSP)

    def clock(self, moment: datetime) -> str:
        """Return a time of day that stands alone in a sentence."""
        hour, minute = self.reader.time(moment).split(":")
        return self._("%(hour)s:%(minute)s", hour=hour, minute=minute).replace(" ", NBSP)

    def at(self, moment: datetime) -> str:
        """Return day and time of a moment, of today the time alone."""
        time, days = self.clock(moment), self.days_ahead(moment)
        if days == 0:
            return time
        if days == 1:
            return self._("tomorrow at %(time)s", time=time)
        return self._("%(day)s at %(time)s", day=self.day(moment), time=time)

    def day(self, moment: datetime) -> str:
        """Return a day with its name: "Sunday 29 November"."""
        local, locale = self.reader.local(moment), self.reader.locale
        weekday, day = format_date(local, "EEEE", locale=locale), format_skeleton("MMMMd", local, locale=locale)
        return f"{weekday}{', ' if self.reader.language == GERMAN else ' '}{day}"

    def daytime(self, moment: datetime) -> str:
        """Return when a moment is, as people say: "tonight", "this evening", "tomorrow", "on Thursday"."""
        local, ahead = self.reader.local(moment), self.days_ahead(moment)
        night = -1 if self.reader.local(self.now).hour < MORNING_H else 0
        if local.hour < MORNING_H and ahead == night + 1:
            return self._("tonight")
        if ahead == 0:
            return self._("this evening") if local.hour >= EVENING_H else self._("today")
        if ahead == 1:
            return self._("tomorrow")
        return self._("on %(weekday)s", weekday=format_date(local, "EEEE", locale=self.reader.locale))

    def past(self, moment: datetime) -> str:
        """Return day and time of what was: of today the time alone, of this week the weekday."""
        if self.days_ahead(moment) == 0:
            return self.clock(moment)
        local = self.reader.local(moment)
        near = self.now - moment < A_WEEK
        day = format_date(local, "EEEE", locale=self.reader.locale) if near else self.day(moment)
        return self._("%(time)s on %(day)s", time=self.clock(moment), day=day)

    def days_ahead(self, moment: datetime) -> int:
        """Return how many local days after today a moment is."""
        return (self.reader.local(moment).date() - self.reader.local(self.now).date()) // DAY

    def span(self, span: Span) -> str:
        """Return when some time is: "tonight, 02:15 to 03:45"."""
        return self._(
            "%(day)s, %(begin)s to %(end)s",
            day=self.daytime(span.begin),
            begin=self.reader.time(span.begin),
            end=self.reader.time(span.end),
        )

    def price(self, per_kwh: float) -> str:
        """Return a price of a kWh: "8 ct", and in a currency without such cents "0.60 kr."."""
        if isfinite(per_kwh) and self.currency in CENTS:
            return self.reader.number(100 * per_kwh, CENTS[self.currency])
        return self.money(per_kwh)

    def money(self, value: float | None) -> str:
        """Return an amount of money in the household's currency."""
        return self.reader.money(value, self.currency) if self.currency else UNKNOWN


class AboutHome(Telling):
    """How things of one boiler are told to its household.

    Parameters
    ----------
    home
        What is known.
    reader, say
        Who reads, and in which language.
    operator
        Name of who manages the boiler; None where nobody does.

    """

    def __init__(self, home: Home, reader: Reader, say: Translator, operator: str | None) -> None:
        super().__init__(reader, say, home.moment.to_pydatetime(), home.currency)
        self.home, self.operator = home, operator
