"""Fields of a flex-model in degrees: twins of the host's fields in kWh, and how they become these.

What the fields mean: ``scheduler.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import ValidationError

from smart_boiler_plugin.boiler.comfort_schema import celsius
from smart_boiler_plugin.physics.tank import Tank

TWINS = {
    "temperature-at-start": "soc-at-start",
    "temperature-min": "soc-min",
    "temperature-max": "soc-max",
    "temperature-minima": "soc-minima",
    "temperature-maxima": "soc-maxima",
    "temperature-targets": "soc-targets",
}
"""Field in degrees, and the host's field of the same meaning."""

SERIES = {"temperature-minima", "temperature-maxima", "temperature-targets"}
"""Twins that may change over time: lists of events, or a sensor."""

NOT_BELOW_ZERO = {"soc-min", "soc-minima"}
"""Fields that the host refuses below 0; water colder than cold water is no floor to keep anyway."""


def in_kwh(
    flex_model: Mapping[str, Any], tank: Tank, read: Callable[[dict[str, Any]], list[dict[str, Any]]]
) -> dict[str, Any]:
    """Return a flex-model (as a trigger has it) with its degrees as states of charge; nothing else is changed.

    Parameters
    ----------
    flex_model
        With fields as in ``TWINS``: texts with a unit ("55 °C", "131 °F"), numbers in °C, and for those over time lists
        of the host's events whose ``value`` is such a text or number, or ``{"sensor": id}``.
    tank
        Of the boiler.
    read
        Returns the events of a sensor, by a reference as the host has it, with values in °C.

    Raises
    ------
    marshmallow.ValidationError
        If a field is no temperature, or stands beside its twin. Its messages name the fields.

    """
    errors: dict[str, list[Any]] = {}
    converted = {name: value for name, value in flex_model.items() if name not in TWINS}
    for name in TWINS.keys() & flex_model.keys():
        twin = TWINS[name]
        if twin in flex_model:
            errors[name] = [f"'{name}' and '{twin}' say the same. Give one of them."]
            continue
        try:
            converted[twin] = _convert(name, flex_model[name], tank, read)
        except ValidationError as error:
            errors[name] = error.messages  # type: ignore[assignment]
    if errors:
        raise ValidationError(errors)
    return converted


def _convert(name: str, value: Any, tank: Tank, read: Callable[[dict[str, Any]], list[dict[str, Any]]]) -> Any:
    def to_kwh(temperature: Any) -> str:
        state = tank.state_of_charge_kwh(celsius(temperature))
        return f"{max(state, 0.0) if TWINS[name] in NOT_BELOW_ZERO else state:.9f} kWh"

    if name not in SERIES:
        return to_kwh(value)
    if isinstance(value, dict):
        value = read(value)
    if not isinstance(value, list):
        return to_kwh(value)
    if not all(isinstance(event, dict) and "value" in event for event in value):
        raise ValidationError("Expected, for example, [{'datetime': ..., 'value': '60 °C'}].")
    return [{**event, "value": to_kwh(event["value"])} for event in value]
