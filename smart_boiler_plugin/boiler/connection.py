"""How a boiler's device is reached over MQTT: what an operator says of it, checked, and kept with the boiler's asset.

It is kept sealed: who could write it could read a neighbour's temperature, and switch a neighbour's boiler.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from typing import Any

from flexmeasures import Asset
from flexmeasures.data import db
from marshmallow import ValidationError, fields, post_load, validate, validates_schema
from sqlalchemy.dialects.postgresql import array

from smart_boiler_plugin import stored
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
from smart_boiler_plugin.errors import ConflictError
from smart_boiler_plugin.fields import TrimmingSchema, printable
from smart_boiler_plugin.stored import as_object

ATTRIBUTE = "smart-boiler-device"
"""Attribute of a boiler's asset."""

KINDS = (*PROFILES, GENERIC)

LONGEST_TOPIC, LONGEST_TEXT = 200, 500
"""Of topics, and of paths and payloads [characters]."""

KEPT = 20_000
"""How many boilers' devices are kept as they were read."""


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
    """Refuse what is no JSON path; where nothing is there to read them with, what does not begin as one."""
    try:
        import jsonpath  # noqa: PLC0415 (of the extra that the bridge needs)
    except ImportError:
        valid = text.startswith("$")
    else:
        try:
            valid = bool(jsonpath.compile(text)) and text.startswith("$")
        except (jsonpath.JSONPathError, RecursionError):
            valid = False
    if not valid:
        raise ValidationError("Must be a JSON path, such as $.water.temperature; $ is the whole message.")


def _ends(text: str) -> None:
    if SECONDS not in text:
        told = f"Must contain {SECONDS}: after so many, the device must heat again by itself, whatever happens to us."
        raise ValidationError(told)


def _topic(**arguments: Any) -> fields.String:
    return fields.String(validate=[validate.Length(1, LONGEST_TOPIC), printable, _is_topic], **arguments)


def _text(*checks: Any) -> fields.String:
    return fields.String(validate=[validate.Length(1, LONGEST_TEXT), printable, *checks])


class DeviceSchema(TrimmingSchema):
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


def connection_of(asset: Asset | None) -> Connection | None:
    """Return how a boiler's device is reached; None where it has none, or somebody else wrote there."""
    kept = None if asset is None else as_object(stored.read(asset, ATTRIBUTE)).get("sealed")
    return None if asset is None or not isinstance(kept, str) else unsealed(kept, asset.id)


@lru_cache(maxsize=KEPT)
def unsealed(sealed: str, asset_id: int) -> Connection | None:
    """Return how the device of a boiler is reached, as it was sealed for this very asset; None where it was not."""
    try:
        kept = as_object(stored.unseal(sealed))
        return Connection(**kept["device"]) if kept["of"] == asset_id else None
    except (ValueError, KeyError, TypeError):
        return None


def connect(asset: Asset, connection: Connection | None) -> None:
    """Keep how a boiler's device is reached, None for none. Does not commit.

    Who calls holds the lock under which topics are given.

    Raises
    ------
    ConflictError
        If another boiler has one of its topics, whosever that is.

    """
    kept = None
    if connection is not None:
        refuse_taken_topics(connection, asset.id)
        sealed = stored.seal({"of": asset.id, "device": connection.as_json()})
        kept = {"topics": sorted(connection.all_topics), "sealed": sealed}
    stored.change(asset, lambda _: kept, ATTRIBUTE)


def refuse_taken_topics(connection: Connection, asset_id: int | None = None, given: Collection[str] = ()) -> None:
    """Refuse a device that has a topic of another boiler's, whosever that is.

    Parameters
    ----------
    connection
        How the device is reached.
    asset_id
        Of its own boiler; None where that is yet to be made.
    given
        Topics that are taken beside what is stored.

    Raises
    ------
    ConflictError
        If it has.

    """
    kept = Asset.attributes[ATTRIBUTE]
    query = db.select(Asset.id, kept["sealed"].astext)
    query = query.filter(kept["topics"].has_any(array(connection.all_topics)), Asset.id != (asset_id or 0))
    others = (unsealed(sealed, other) for other, sealed in db.session.execute(query).tuples() if sealed)
    if not connection.all_topics.isdisjoint(given) or any(others):
        raise ConflictError({"device": {"topic": ["Another boiler has this topic. Each needs its own."]}})
