"""Parts of the week as JSON, with errors that name the field. Pure: marshmallow alone. What they mean: ``week.py``."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields

from smart_boiler_plugin.clock.week import EVERY_DAY, parse_days, parse_months, show_days, show_months


class Days(fields.String):
    """Days of the week: a text for people, a set of numbers for us."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **arguments: Any) -> Any:
        try:
            return parse_days(super()._deserialize(value, attr, data, **arguments))
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> str | None:  # noqa: ARG002
        return None if value is None else show_days(value)


class Months(fields.String):
    """Months: a text for people, a set of numbers for us."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **arguments: Any) -> Any:
        try:
            return parse_months(super()._deserialize(value, attr, data, **arguments))
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> str | None:  # noqa: ARG002
        return None if value is None else show_months(value)


def clock_time(**arguments: Any) -> fields.Time:
    """Return a field for a local time of day."""
    told = "Must be a time such as 06:30; the end of a day is 00:00."
    return fields.Time(format="%H:%M", error_messages={"invalid": told}, **arguments)


class WindowSchema(Schema):
    """A part of the week: ``{"days": "mon-fri", "from": "06:30", "until": "08:30"}``."""

    days = Days(load_default=EVERY_DAY, metadata={"example": "mon-fri"})
    begin = clock_time(data_key="from", required=True, metadata={"example": "06:30"})
    until = clock_time(required=True, metadata={"example": "08:30"})
