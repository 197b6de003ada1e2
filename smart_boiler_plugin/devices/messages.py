"""What messages of devices say, by their profiles (``boiler/profiles.py``). Whatever comes is untrue until checked.

Pure but for python-jsonpath, which the extra ``mqtt`` brings.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from smart_boiler_plugin.boiler.connection import Connection
from smart_boiler_plugin.boiler.profiles import OUTPUT, POWER, REFUSAL, TEMPERATURE, Reads

if TYPE_CHECKING:
    from jsonpath import JSONPath

LARGEST_MESSAGE = 64 * 1024
"""A larger one is not looked at [bytes]."""

LARGEST = 1e6
"""Larger numbers are no readings of anything."""

LONGEST_NUMBER, LONGEST_REFUSAL = 32, 200
"""Of texts that are read [characters]."""

FAHRENHEIT = {"°F", "F"}

KILO = 1000.0

WORDS = {"on": True, "off": False, "true": True, "false": False, "1": True, "0": False}
"""What a relay may say of itself, in small letters."""

NO_JSON = object()


@dataclass(frozen=True)
class Said:
    """What a device has said.

    Parameters
    ----------
    asset_id
        Of its boiler.
    what
        As of ``profiles.Reads``.
    value
        A temperature [°C], a power [kW], whether its relay lets it heat, or why it refuses.

    """

    asset_id: int
    what: str
    value: float | bool | str


class Reader:
    """Reads messages of devices.

    Parameters
    ----------
    connections
        How devices are reached, by the ids of their boilers' assets.

    """

    def __init__(self, connections: Mapping[int, Connection]) -> None:
        self.topics: dict[str, list[_Place]] = {}
        for asset_id, connection in connections.items():
            for reads in connection.profile.reads:
                self.topics.setdefault(reads.topic, []).append(_Place.of(asset_id, reads))

    def read(self, topic: str, payload: Any) -> list[Said]:
        """Return what a message says; nothing where it is rubbish."""
        places = self.topics.get(topic)
        if not places or not isinstance(payload, (bytes, bytearray, str)) or len(payload) > LARGEST_MESSAGE:
            return []
        message = _parsed(payload)
        return [said for place in places for said in place.read(message)]


@dataclass(frozen=True)
class _Message:
    """A message: as JSON, and as a text where it is none."""

    value: Any
    text: str


@dataclass(frozen=True)
class _Place:
    """A value in messages of a device, ready to be read."""

    asset_id: int
    what: str
    path: JSONPath | None
    unit: str
    unit_path: JSONPath | None

    @classmethod
    def of(cls, asset_id: int, reads: Reads) -> _Place:
        unit_path = _compiled(reads.unit) if reads.unit.startswith("$") else None
        return cls(asset_id, reads.what, None if reads.path == "$" else _compiled(reads.path), reads.unit, unit_path)

    def read(self, message: _Message) -> Iterator[Said]:
        found = message.value if self.path is None else _at(self.path, message.value)
        if found is NO_JSON and self.path is None:
            found = message.text
        unit = _at(self.unit_path, message.value) if self.unit_path else self.unit
        value = self._value(found, unit)
        if value is not None:
            yield Said(self.asset_id, self.what, value)

    def _value(self, found: Any, unit: Any) -> float | bool | str | None:
        if self.what == REFUSAL:
            return found[:LONGEST_REFUSAL] if isinstance(found, str) and found.isprintable() else None
        if self.what == OUTPUT:
            return found if isinstance(found, bool) else WORDS.get(str(found)[:LONGEST_NUMBER].lower())
        number = _number(found)
        if number is not None and self.what == TEMPERATURE and unit in FAHRENHEIT:
            return (number - 32) / 1.8
        if number is not None and self.what == POWER and unit != "kW":
            return number / KILO
        return number


def _parsed(payload: bytes | bytearray | str) -> _Message:
    """Return a message; what is no JSON is a text alone, or nothing."""
    try:
        text = payload if isinstance(payload, str) else payload.decode()
    except ValueError:
        return _Message(NO_JSON, "")
    try:
        return _Message(json.loads(text), text)
    except (ValueError, RecursionError):
        return _Message(NO_JSON, text)


def _number(found: Any) -> float | None:
    if isinstance(found, str):
        if len(found) > LONGEST_NUMBER:
            return None
        try:
            found = float(found)
        except ValueError:
            return None
    if isinstance(found, bool) or not isinstance(found, (int, float)) or abs(found) > LARGEST:
        return None
    return float(found) if math.isfinite(found) else None


def _compiled(path: str) -> JSONPath:
    import jsonpath  # noqa: PLC0415 (the host imports this module at each start)

    return jsonpath.compile(path)  # type: ignore[return-value]  # one, not several


def _at(path: JSONPath, value: Any) -> Any:
    import jsonpath  # noqa: PLC0415 (as above)

    if not isinstance(value, (dict, list)):
        return None
    try:
        found = path.match(value)
    except (jsonpath.JSONPathError, RecursionError):
        return None
    return None if found is None else found.obj
