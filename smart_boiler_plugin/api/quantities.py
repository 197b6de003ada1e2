"""Quantities as texts with a unit, in and out: ``"80 l"``, ``"20 gal"``, ``"122 degF"``."""

from __future__ import annotations

import math
from typing import Any

from marshmallow import ValidationError, fields

from smart_boiler_plugin.units import convert, split

SHOWN_LENGTH = 40
"""How much of a wrong text its refusal repeats."""


class Quantity(fields.String):
    """A quantity: a text with a unit for people, a plain number in one unit for us.

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
        if not (math.isfinite(number) and self.lowest <= number <= self.highest):
            raise ValidationError(f"'{text}' is not possible. {self._expected}")
        # 122 degF is 49.99999999999997 °C to the computer
        return round(number, 9)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **arguments: Any) -> str | None:  # noqa: ARG002
        return None if value is None else f"{round(value, 6):g} {self.shown_unit}"
