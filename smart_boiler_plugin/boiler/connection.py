"""How a boiler's device is reached over MQTT, as an operator says it, checked. Pure. Kept by ``connecting.py``."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from smart_boiler_plugin.boiler.profiles import (
    GENERIC,
    OFF,
    ON,
    POWER,
    PROFILES,
    SECONDS,
    TEMPERATURE,
    Profile,
    Reads,
    Sends,
)
from smart_boiler_plugin.fields import TrimmingSchema, printable

KINDS = (*PROFILES, GENERIC)

LONGEST_TOPIC, LONGEST_TEXT = 200, 500
"""Of topics, and of paths and payloads [characters]."""

PATH = re.compile(r"\$(\.[^\W\d]\w*|\[\d{1,4}\]|\['[^'\\]+'\])*")
"""A JSON path that names one place: by names and numbers."""


@dataclass(frozen=True)
class Connection:
    """How a device is reached.

    Parameters
    ----------
    kind
        One of ``KINDS``.
    topic
        With which its own topics begin.
    temperature_topic, temperature_path, temperature_unit
        Of a generic one: where it says how warm the water is, and in what unit (°C or °F).
    power_topic, power_path, power_unit
        Likewise the power of its element (W or kW).
    command_topic, on, off
        Likewise where it is told to heat and not to heat, and by what; None means the usual.

    """

    kind: str
    topic: str
    temperature_topic: str | None = None
    temperature_path: str | None = None
    temperature_unit: str | None = None
    power_topic: str | None = None
    power_path: str | None = None
    power_unit: str | None = None
    command_topic: str | None = None
    on: str | None = None
    off: str | None = None

    @cached_property
    def profile(self) -> Profile:
        """How it speaks, with its own topics."""
        return self._profile.at(self.topic)

    @property
    def _profile(self) -> Profile:
        if self.kind in PROFILES:
            return PROFILES[self.kind]
        temperature = self.temperature_topic or "{topic}/temperature"
        reads = [Reads(TEMPERATURE, temperature, self.temperature_path or "$", self.temperature_unit or "°C")]
        if self.power_topic or self.power_path:
            reads.append(Reads(POWER, self.power_topic or temperature, self.power_path or "$", self.power_unit or "W"))
        command = self.command_topic or "{topic}/heat"
        return Profile(tuple(reads), Sends(command, self.on or ON), Sends(command, self.off or OFF))

    @property
    def topics(self) -> tuple[set[str], set[str]]:
        """Topics on which it speaks, and those on which it is spoken to."""
        return self._profile.topics(self.topic)

    @property
    def all_topics(self) -> set[str]:
        """All of these: they are its own, and no other boiler's."""
        return set().union(*self.topics)

    def as_json(self) -> dict[str, str]:
        """Return what was said of it."""
        return {name: value for name, value in asdict(self).items() if value is not None}


UNCHANGED = Connection("", "")
"""Stands for the device that a boiler has already."""


def _is_topic(text: str) -> None:
    """Refuse what is no topic of one device."""
    if "+" in text or "#" in text:
        raise ValidationError("Must be the topic of one device: without the wildcards + and #.")
    if any(character in text for character in '{}"\\'):
        raise ValidationError('Must not contain {, }, " or a backslash.')
    if text.startswith("$"):
        raise ValidationError("Must not begin with $: these topics are the broker's own.")
    if not all(text.split("/")):
        raise ValidationError("Must not begin or end with /, nor have // in it.")


def _is_path(text: str) -> None:
    """Refuse what is no JSON path to one place: one that searches could take for ever."""
    if not PATH.fullmatch(text):
        raise ValidationError("Must be a JSON path, such as $.water.temperature; $ is the whole message.")


def _ends(text: str) -> None:
    if SECONDS not in text:
        told = f"Must contain {SECONDS}: after so many, the device must heat again by itself, whatever happens to us."
        raise ValidationError(told)


def _topic(**arguments: Any) -> fields.String:
    return fields.String(validate=[validate.Length(1, LONGEST_TOPIC), printable, _is_topic], **arguments)


def _text(*checks: Any) -> fields.String:
    return fields.String(validate=[validate.Length(1, LONGEST_TEXT), printable, *checks])


class ConnectionSchema(TrimmingSchema):
    """The device of a boiler, and how it is reached over MQTT. All but kind and topic is for the kind "generic"."""

    kind = fields.String(required=True, validate=validate.OneOf(KINDS), metadata={"example": KINDS[0]})
    topic = _topic(required=True, metadata={"description": "With which its topics begin.", "example": "boilers/7"})
    temperature_topic = _topic(metadata={"description": "By default, <topic>/temperature."})
    temperature_path = _text(_is_path)
    temperature_unit = fields.String(validate=validate.OneOf(["°C", "°F"]))
    power_topic = _topic(metadata={"description": "By default, where the temperature is, if power_path says where."})
    power_path = _text(_is_path)
    power_unit = fields.String(validate=validate.OneOf(["W", "kW"]))
    command_topic = _topic(metadata={"description": "By default, <topic>/heat."})
    on = _text()
    off = _text(_ends)

    @validates_schema
    def fits(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what is another kind's, and a device that is told where it speaks."""
        if data["kind"] != GENERIC:
            beyond = {name: [f"Is for the kind '{GENERIC}' alone."] for name in data.keys() - {"kind", "topic"}}
            if beyond:
                raise ValidationError(beyond)
        speaks, is_told = Connection(**data).topics
        if speaks & is_told:
            both = ", ".join(sorted(speaks & is_told))
            raise ValidationError({"topic": [f"It would be told where it speaks itself: {both}."]})

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Connection:
        """Return how the device is reached."""
        return Connection(**data)
