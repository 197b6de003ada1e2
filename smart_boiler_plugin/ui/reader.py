"""Numbers, money, days and times as a reader has them: in a language, and in a time zone. Pure.

What is not known is a dash, and never 0. Between a number and its unit stands a space that breaks no line.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import isfinite
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_currency, format_decimal

UNKNOWN = "\N{EN DASH}"
"""What stands for what is not known."""

NBSP = "\N{NO-BREAK SPACE}"

WEEK = 7

EUROPEAN = {"en": "en_GB"}
"""English as in Europe: day before month, and 24 hours."""


@dataclass(frozen=True)
class Reader:
    """Who reads.

    Parameters
    ----------
    language
        One of ``texts.LANGUAGES``.
    timezone
        IANA name.

    """

    language: str
    timezone: str

    @property
    def locale(self) -> str:
        """For Babel."""
        return EUROPEAN.get(self.language, self.language)

    def local(self, moment: datetime) -> datetime:
        """Return a moment in the reader's time zone."""
        return moment.astimezone(ZoneInfo(self.timezone))

    def number(self, value: float | None, unit: str = "", *, decimals: int = 0) -> str:
        """Return a number with its unit, rounded."""
        if value is None or not isfinite(value):
            return UNKNOWN
        rounded = round(value, decimals) + 0.0  # no "-0"
        pattern = "#,##0" + ("." + decimals * "0" if decimals else "")
        return f"{format_decimal(rounded, pattern, locale=self.locale)}{NBSP + unit if unit else ''}"

    def degrees(self, value_c: float | None, *, decimals: int = 0) -> str:
        """Return a temperature [°C]."""
        return self.number(value_c, "°C", decimals=decimals)

    def money(self, value: float | None, currency: str, *, decimals: int = 2) -> str:
        """Return money, rounded."""
        if value is None or not isfinite(value):
            return UNKNOWN
        pattern = Locale.parse(self.locale).currency_formats["standard"].pattern
        shown = round(value, decimals) + 0.0  # no "-0"
        places = f".{decimals * '0'}" if decimals else ""
        told = format_currency(shown, currency, pattern.replace(".00", places), self.locale, currency_digits=False)
        return told.replace(" ", NBSP)

    def time(self, moment: datetime | None) -> str:
        """Return the time of day: "14:05"."""
        return UNKNOWN if moment is None else f"{self.local(moment):%H:%M}"

    def day(self, day: date | datetime | None, *, weekday: bool = True) -> str:
        """Return a day, as "Wed 25 Nov"."""
        if day is None:
            return UNKNOWN
        local = self.local(day).date() if isinstance(day, datetime) else day
        shown = format_skeleton("MMMEd" if weekday else "MMMd", local, locale=self.locale)
        return shown.replace(",", "").replace(" ", NBSP)

    def long_day(self, day: date | datetime) -> str:
        """Return a day, as "25 November 2026"."""
        local = self.local(day).date() if isinstance(day, datetime) else day
        return format_date(local, "long", locale=self.locale)

    def at(self, moment: datetime | None, now: datetime) -> str:
        """Return a moment as near as it is: "14:05" today, "Thu 14:05" yesterday and in the next days, else a date."""
        if moment is None:
            return UNKNOWN
        days = (self.local(moment).date() - self.local(now).date()).days
        if days == 0:
            return self.time(moment)
        if -1 <= days < WEEK:
            return f"{self._weekday(moment)}{NBSP}{self.time(moment)}"
        return f"{self.day(moment)}{NBSP}{self.time(moment)}"

    def until(self, moment: datetime | None, now: datetime) -> str:
        """Return the end of something, as ``at``; midnight is 24:00 of the day that ends."""
        if moment is None or self.local(moment).time() != datetime.min.time():
            return self.at(moment, now)
        last = moment - timedelta(seconds=1)
        return self.at(last, now)[: -len("23:59")] + "24:00"

    def _weekday(self, moment: datetime) -> str:
        return format_skeleton("E", self.local(moment).date(), locale=self.locale).rstrip(".")
