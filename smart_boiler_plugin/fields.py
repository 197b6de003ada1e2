"""What the schemas of several rooms are made of: lines of text, and quantities with a unit.

Pure: marshmallow and pint alone.
"""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, pre_load, validate

from smart_boiler_plugin.units import convert, split

SHOWN_LENGTH = 40
"""How much of a wrong text its refusal repeats."""


class TrimmingSchema(Schema):
    """Strips white space around all text before anything else."""

    @pre_load
    def trim(self, data: Any, **_: Any) -> Any:
        """Strip white space around all text."""
        if not isinstance(data, dict):
            return data  # refused by marshmallow itself
        return {key: value.strip() if isinstance(value, str) else value for key, value in data.items()}


def line(length: int, **arguments: Any) -> fields.String:
    """Return a field for a line of text that fits a column of the host's database."""
    return fields.String(
        validate=[
            validate.Length(min=1, max=length, error=f"Must have 1 to {length} characters."),
            printable,
            without_markup,
        ],
        **arguments,
    )


def printable(text: str) -> None:
    """Refuse line feeds, NUL, surrogates and the like: a name is one line, and PostgreSQL takes no NUL."""
    if not text.isprintable():
        raise ValidationError("Must not contain control characters or line breaks.")


def without_markup(text: str) -> None:
    """Refuse what begins or ends a tag: names stand unescaped in scripts of three of the host's pages."""
    if "<" in text or ">" in text:
        raise ValidationError("Must not contain < or >.")


class JsonNumber(fields.Float):
    """A number as JSON has it, and neither a text nor a truth value. No NaN, no infinity."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **arguments: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **arguments)


class Quantity(fields.String):
    """A quantity: a text with a unit for people, such as ``"20 gal"``; a plain number in one unit for us.

    Parameters
    ----------
    unit
        The unit of the number, as pint knows it. Any unit that can be converted to it is accepted.
    shown_unit
        How the unit is written in answers and messages.
    lowest, highest
        What is possible, in that unit.
    usual
        What a common household has, in that unit: the example in messages and documentation.

    """

    def __init__(
        self, *, unit: str, shown_unit: str, lowest: float, highest: float, usual: float, **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        self.unit = unit
        self.shown_unit = shown_unit
        self.lowest = lowest
        self.highest = highest
        example, possible = f"{usual:g} {shown_unit}", f"{lowest:g} to {highest:g} {shown_unit}"
        self._expected = f"Expected, for example, '{example}'; {possible} is possible."
        self.metadata = {"example": example, "description": f"{possible}, such as '{example}'.", **self.metadata}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **arguments: Any) -> Any:
        text = super()._deserialize(value, attr, data, **arguments)
        number, unit = split(text) or (None, None)
        text = text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}..."
        if number is None or unit is None:
            raise ValidationError(f"'{text}' is no number with a unit. {self._expected}")
        number = convert(number, unit, self.unit)
        if number is None:
            raise ValidationError(f"'{text}' cannot be given in {self.shown_unit}. {self._expected}")
        self.check(number, text)
        # 122 degF is 49.99999999999997 °C to the computer
        return round(number, 9)

    def check(self, number: float, text: str | None = None) -> None:
        """Refuse what is not possible; NaN and infinities are not.

        Parameters
        ----------
        number
            In ``unit``.
        text
            As it was given; by default, the number as it is shown.

        Raises
        ------
        marshmallow.ValidationError
            If it is beyond ``lowest`` or ``highest``.

        """
        if not self.lowest <= number <= self.highest:
            shown = text or f"{number:g} {self.shown_unit}"
            raise ValidationError(f"'{shown}' is not possible. {self._expected}")

    def _serialize(self, value: Any, attr: str | None, obj: Any, **arguments: Any) -> str | None:  # noqa: ARG002
        return None if value is None else f"{round(value, 6):g} {self.shown_unit}"
