"""Comfort as JSON: how it is sent to the API and kept on the asset, with errors that name the field.

Pure: marshmallow and pint alone. What it means: ``comfort.py``.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, pre_dump, validate, validates_schema

from smart_boiler_plugin.boiler.comfort import USEFUL_C, Away, Comfort, Hygiene, Period
from smart_boiler_plugin.clock.week_schema import WindowSchema
from smart_boiler_plugin.units import convert, split

LONGEST = {"duration": (timedelta(days=1), "1440 minutes"), "interval": (timedelta(days=366), "366 days")}
"""Bounds of hygiene, beyond which dates of a plan would end."""

EARLIEST, LATEST = (datetime(year, 1, 1, tzinfo=timezone.utc) for year in (2000, 2200))
"""Between these an absence and a boost are: pandas' dates end in 1677 and 2262."""

USEFUL_FROM_TO = (35.0, 55.0)
"""What can be the useful temperature [°C]: a hand is warm at the one, and scalded at the other."""

MOST_PERIODS = 100
"""Of a programme: each costs time in each plan."""


def celsius(value: Any) -> float:
    """Return a temperature [°C] that is given as a text with a unit ("55 °C", "131 degF") or as a number in °C.

    Raises
    ------
    marshmallow.ValidationError
        If it is no temperature.

    """
    parts = split(str(value)) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None
    number = convert(parts[0], parts[1] or "degC", "degC") if parts else None
    if number is None or not math.isfinite(number):
        raise ValidationError(f"'{value}' is no temperature. Expected, for example, '55 °C' or '131 °F'.")
    return round(number, 9)


class Temperature(fields.Field):  # type: ignore[type-arg]  # not generic in marshmallow 3, which Python 3.10 has
    """A temperature: a text with a unit for people, °C for us. 0 to 100 °C."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> float:  # noqa: ARG002
        number = celsius(value)
        if not 0 <= number <= 100:  # noqa: PLR2004 (water)
            raise ValidationError(f"'{value}' is not from 0 to 100 °C. Expected, for example, '55 °C'.")
        return number

    def _serialize(self, value: float | None, attr: str | None, obj: Any, **_: Any) -> str | None:  # noqa: ARG002
        return None if value is None else f"{value:g} °C"


class UsefulTemperature(Temperature):
    """A temperature at which hot water is useful: 35 to 55 °C."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **arguments: Any) -> float:
        number = super()._deserialize(value, attr, data, **arguments)
        lowest, highest = USEFUL_FROM_TO
        if not lowest <= number <= highest:
            raise ValidationError(
                f"'{value}' is not from {lowest:g} to {highest:g} °C. Expected, for example, '40 °C'."
            )
        return number


class Span(fields.TimeDelta):
    """A span of time; one that no computer can tell is refused as any other that is none."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **arguments: Any) -> timedelta:
        try:
            return super()._deserialize(value, attr, data, **arguments)
        except OverflowError as error:
            raise self.make_error("invalid") from error


def _moment(**arguments: Any) -> fields.AwareDateTime:
    """Return a field for a moment that is not so far away that plans could not tell it."""
    told = f"Must be in the years {EARLIEST.year} to {LATEST.year - 1}."
    return fields.AwareDateTime(format="iso", validate=validate.Range(EARLIEST, LATEST, error=told), **arguments)


class PeriodSchema(WindowSchema):
    """One period of a programme: ``{"days": "mon-fri", "from": "06:30", "until": "08:30", "temperature": "55 °C"}``."""

    temperature_c = Temperature(data_key="temperature", required=True, metadata={"example": "55 °C"})

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Period:
        return Period(**data)


class AwaySchema(Schema):
    """An absence: ``{"from": "2026-07-01T08:00+02:00", "until": "2026-07-15T18:00+02:00"}``."""

    begin = _moment(data_key="from", required=True)
    until = _moment(required=True)

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        if data["until"] <= data["begin"]:
            raise ValidationError("Must be later than 'from'.", field_name="until")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Away:
        return Away(**data)


class UntilSchema(Schema):
    """Hot now, or left alone: ``{"until": "2026-07-01T22:00+02:00"}``."""

    until = _moment(required=True)


def _storable(text: str) -> None:
    """Refuse what PostgreSQL cannot keep: NUL and halves of characters, and what nobody can read."""
    if not all(character.isprintable() or character in "\n\t" for character in text):
        raise ValidationError("Must not contain control characters.")


class HygieneSchema(Schema):
    """Hygiene of one boiler: ``{"temperature": "60 °C", "minutes": 30, "days": 7}``.

    ``{"off": "why"}`` switches it off, and keeps why.
    """

    temperature_c = Temperature(data_key="temperature", allow_none=True)
    duration = Span(precision="minutes", data_key="minutes", allow_none=True, metadata={"example": 30})
    interval = Span(precision="days", data_key="days", allow_none=True, metadata={"example": 7})
    off_because = fields.String(
        data_key="off",
        allow_none=True,
        validate=[
            validate.Regexp(r"(?s).*\S", error="Say why: hygiene is switched off with a reason only."),
            _storable,
        ],
        metadata={"example": "fresh water station: no drinking water in this tank"},
    )

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        for name, (most, in_words) in LONGEST.items():
            if data.get(name) is not None and not timedelta(0) < data[name] <= most:
                problem = f"Must be above 0, and {in_words} at most."
                raise ValidationError(problem, field_name=self.fields[name].data_key or name)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Hygiene:
        return Hygiene(**data)


class ComfortSchema(Schema):
    """All of it. What is left out is as by default; ``null`` takes an absence, a boost or a pause away."""

    programme = fields.List(fields.Nested(PeriodSchema), load_default=list, validate=validate.Length(max=MOST_PERIODS))
    away = fields.Nested(AwaySchema, allow_none=True, load_default=None)
    boost = fields.Nested(UntilSchema, allow_none=True, load_default=None)
    pause = fields.Nested(UntilSchema, allow_none=True, load_default=None)
    hygiene = fields.Nested(HygieneSchema, load_default=Hygiene)
    useful_temperature = UsefulTemperature(load_default=USEFUL_C, metadata={"example": "40 °C"})

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Comfort:
        boost, pause = data["boost"], data["pause"]
        return Comfort(
            tuple(data["programme"]),
            data["away"],
            boost and boost["until"],
            data["hygiene"],
            data["useful_temperature"],
            pause and pause["until"],
        )

    @pre_dump
    def _flatten(self, comfort: Comfort, **_: Any) -> dict[str, Any]:
        boost, pause = (until and {"until": until} for until in (comfort.boost_until, comfort.pause_until))
        return {
            "programme": comfort.programme,
            "away": comfort.away,
            "boost": boost,
            "pause": pause,
            "hygiene": comfort.hygiene,
            "useful_temperature": comfort.useful_temperature_c,
        }
