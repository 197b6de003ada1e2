"""A household's weekly programme: as bars and sentences, and as the fields of a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from babel.dates import get_day_names

from smart_boiler_plugin.boiler.comfort import Period
from smart_boiler_plugin.boiler.comfort_schema import MOST_PERIODS
from smart_boiler_plugin.clock.week import DAYS, MIDNIGHT
from smart_boiler_plugin.ui.household_times import Telling
from smart_boiler_plugin.ui.reader import UNKNOWN

MINUTES = 24 * 60
"""Of a day, whatever the clock does on it."""

A_RANGE = 3
"""So many days in a row are told as a range."""


@dataclass(frozen=True)
class Bar:
    """A part of a day that is warm, in per cent of it."""

    begin: float
    length: float


@dataclass(frozen=True)
class Row:
    """Days of the week that are the same: what they are called, the bars, and the same as a sentence."""

    days: str
    bars: tuple[Bar, ...]
    told: str


class Weeks(Telling):
    """How weeks are told."""

    def rows(self, programme: Sequence[Period]) -> list[Row]:
        """Return the programme, by days that are the same, the first one first; nothing where there is none."""
        if not programme:
            return []
        by_day = [_of_day(programme, day) for day in range(len(DAYS))]
        alike: dict[tuple[tuple[int, int], ...], list[int]] = {}
        for day, parts in enumerate(by_day):
            alike.setdefault(parts, []).append(day)
        return [
            Row(
                self.days(days),
                tuple(Bar(100 * begin / MINUTES, 100 * (end - begin) / MINUTES) for begin, end in parts),
                self._told(days, programme),
            )
            for parts, days in alike.items()
        ]

    def days(self, days: Sequence[int]) -> str:
        """Return what days are called: "Mon to Fri", "Sat, Sun"."""
        names = get_day_names("abbreviated", locale=self.reader.locale)
        runs: list[list[int]] = []
        for day in sorted(days):
            if runs and day == runs[-1][-1] + 1:
                runs[-1].append(day)
            else:
                runs.append([day])
        told = []
        for run in runs:
            called = [names[day].rstrip(".") for day in run]
            if len(run) >= A_RANGE:
                called = [self._("%(first)s to %(last)s", first=called[0], last=called[-1])]
            told += called
        return ", ".join(told)

    def _told(self, days: Sequence[int], programme: Sequence[Period]) -> str:
        parts = [
            self._(
                "%(begin)s to %(end)s, %(temperature)s",
                begin=f"{period.begin:%H:%M}",
                end="24:00" if period.until == MIDNIGHT else f"{period.until:%H:%M}",
                temperature=self.reader.degrees(period.temperature_c),
            )
            for period in sorted(programme, key=lambda period: period.begin)
            if period.days & set(days)
        ]
        return f"{self.days(days)}: {'; '.join(parts) or UNKNOWN}"


def _of_day(programme: Sequence[Period], day: int) -> tuple[tuple[int, int], ...]:
    """Return the parts of a day that are warm [min], without overlaps, ascending; some begin the day before."""
    parts = []
    for period in programme:
        begin, until = (each.hour * 60 + each.minute for each in (period.begin, period.until))
        ends_today = begin < until
        if day in period.days:
            parts.append((begin, until if ends_today else MINUTES))
        if (day - 1) % len(DAYS) in period.days and not ends_today and until:
            parts.append((0, until))
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(parts):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return tuple(merged)


@dataclass(frozen=True)
class Field:
    """A period as it stands in the form, as it was sent: whatever it is."""

    days: frozenset[str] = frozenset()
    begin: str = ""
    until: str = ""
    temperature: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nobody filled it in: neither days nor times."""
        return not (self.days or self.begin or self.until)


def fields_of(programme: Sequence[Period]) -> list[Field]:
    """Return a programme as the fields of a form."""
    return [
        Field(
            frozenset(DAYS[day] for day in period.days),
            f"{period.begin:%H:%M}",
            f"{period.until:%H:%M}",
            f"{period.temperature_c:g}",
        )
        for period in programme
    ]


def sent_fields(form: Mapping[str, Any]) -> list[Field]:
    """Return the fields of a form that was sent (``werkzeug.MultiDict``), without those that nobody filled in.

    A button ``remove`` names one that is to go.
    """
    sent = []
    for number in range(MOST_PERIODS + 1):
        if f"from-{number}" not in form:
            break
        days = frozenset(form.getlist(f"days-{number}"))  # type: ignore[attr-defined]  # of a MultiDict
        begin, until, temperature = (
            str(form.get(f"{name}-{number}", "")).strip() for name in ("from", "until", "temperature")
        )
        field = Field(days, begin, until, temperature)
        if not field.is_empty and form.get("remove") != str(number):
            sent.append(field)
    return sent


def as_json(fields: Sequence[Field]) -> list[dict[str, Any]]:
    """Return fields as the JSON of a programme (``PeriodSchema``), to be checked there."""
    return [
        {
            "days": ",".join(sorted(field.days)),
            "from": field.begin,
            "until": field.until,
            "temperature": f"{field.temperature} °C",
        }
        for field in fields
    ]
