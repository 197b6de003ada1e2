"""How devices of each kind speak MQTT, as data: where they say what, and what they are sent. Pure.

In topics and payloads, ``{topic}`` stands for the device's topic, ``{seconds}`` for how long heating is forbidden,
``{longest}`` for how long it ever is, ``{pulse}`` for the same as Tasmota counts it, and ``{number}`` for that of the
message. All that forbids heating ends by itself, in the device.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

TEMPERATURE, POWER, OUTPUT, REFUSAL = "temperature", "power", "output", "refusal"
"""What a message may say: of the water; of the element; whether the relay lets it heat; why it was not done."""

SET_POINTS = "{topic}/set-points"
"""Topic on which each boiler's set-points are retained."""

SECONDS = "{seconds}"


@dataclass(frozen=True)
class Reads:
    """A value in messages.

    Parameters
    ----------
    what
        ``TEMPERATURE``, ``POWER``, ``OUTPUT`` or ``REFUSAL``.
    topic
        Of the messages.
    path
        Where in the message, as a JSON path (RFC 9535); "$" is all of it, be it JSON or not.
    unit
        °C or °F, W or kW; a JSON path, where the message itself says "C" or "F".

    """

    what: str
    topic: str
    path: str = "$"
    unit: str = ""


@dataclass(frozen=True)
class Sends:
    """A message to a device: topic and payload."""

    topic: str
    payload: str

    def filled(self, **values: object) -> Sends:
        """Return it with values in place of their names in braces; other braces are JSON's."""
        topic, payload = self.topic, self.payload
        for name, value in values.items():
            topic, payload = (text.replace(f"{{{name}}}", str(value)) for text in (topic, payload))
        return Sends(topic, payload)


@dataclass(frozen=True)
class Profile:
    """How devices of a kind speak.

    Parameters
    ----------
    reads
        What they say.
    allow, forbid
        What lets them heat, and what forbids it for ``{seconds}``.
    ask
        What makes them say how they are; None where they do so by themselves.

    """

    reads: tuple[Reads, ...]
    allow: Sends
    forbid: Sends
    ask: Sends | None = None

    def at(self, topic: str) -> Profile:
        """Return the profile of a device with this topic."""
        fill = [each.filled(topic=topic) if each else None for each in (self.allow, self.forbid, self.ask)]
        allow, forbid, ask = fill
        assert allow is not None and forbid is not None  # noqa: S101, PT018 (as they were)
        reads = tuple(replace(each, topic=each.topic.replace("{topic}", topic)) for each in self.reads)
        return Profile(reads, allow, forbid, ask)

    def topics(self, topic: str) -> tuple[set[str], set[str]]:
        """Return the topics on which a device speaks, and those on which it is spoken to."""
        profile = self.at(topic)
        sends = (profile.allow, profile.forbid, profile.ask)
        spoken_to = {each.topic for each in sends if each} | {SET_POINTS.replace("{topic}", topic)}
        return {each.topic for each in profile.reads}, spoken_to


def _shelly(method: str, parameters: str) -> Sends:
    payload = f'{{"id": {{number}}, "src": "{{topic}}/bridge", "method": "{method}", "params": {parameters}}}'
    return Sends("{topic}/rpc", payload)


SHELLY_GEN2 = Profile(
    reads=(
        # not the temperature in switch:0, which is that of the device
        Reads(TEMPERATURE, "{topic}/status/temperature:100", "$.tC", "°C"),
        Reads(POWER, "{topic}/status/switch:0", "$.apower", "W"),
        Reads(OUTPUT, "{topic}/status/switch:0", "$.output"),
        # answers go to what was named as "src"
        Reads(TEMPERATURE, "{topic}/bridge/rpc", "$.result['temperature:100'].tC", "°C"),
        Reads(POWER, "{topic}/bridge/rpc", "$.result['switch:0'].apower", "W"),
        Reads(OUTPUT, "{topic}/bridge/rpc", "$.result['switch:0'].output"),
        Reads(REFUSAL, "{topic}/bridge/rpc", "$.error.message"),
    ),
    allow=_shelly("Switch.Set", '{"id": 0, "on": true}'),
    forbid=_shelly("Switch.Set", '{"id": 0, "on": false, "toggle_after": {seconds}}'),
    ask=_shelly("Shelly.GetStatus", "{}"),
)
"""Shelly, second generation and later: JSON-RPC 2.0 over MQTT, relay ``switch:0``, sensor 100 of the add-on.

Source: Shelly's public API documentation, "RPC over MQTT", "Switch", "Temperature". ``toggle_after`` flips the relay
back after so many seconds, in the device.
"""

TASMOTA = Profile(
    reads=(
        *(
            Reads(what, topic, f"${inside}{path}", unit.replace("$", f"${inside}"))
            for topic, inside in (("tele/{topic}/SENSOR", ""), ("stat/{topic}/STATUS10", ".StatusSNS"))
            for what, path, unit in (
                (TEMPERATURE, "['DS18B20','DS18B20-1'].Temperature", "$.TempUnit"),
                (POWER, ".ENERGY.Power", "W"),
            )
        ),
        Reads(OUTPUT, "tele/{topic}/STATE", "$['POWER','POWER1']"),
        Reads(OUTPUT, "stat/{topic}/POWER"),
        Reads(REFUSAL, "stat/{topic}/RESULT", "$.Command"),
    ),
    allow=Sends("cmnd/{topic}/POWER", "ON"),
    # one message, so that none forbids without an end; the pulse is always the same, as it is written to flash memory
    forbid=Sends("cmnd/{topic}/Backlog", "PowerOnState 5; PulseTime1 {pulse}; Power1 OFF"),
    ask=Sends("cmnd/{topic}/STATUS", "10"),
)
"""Tasmota with its usual FullTopic, a DS18B20, and its first relay.

Source: Tasmota's public documentation, "Commands": with ``PowerOnState 5``, ``PulseTime`` is the time after which a
relay that was turned off goes on.
"""

PROFILES = {"shelly-gen2": SHELLY_GEN2, "tasmota": TASMOTA}
"""Kinds of devices that need no more than their topic."""

GENERIC = "generic"
"""Kind of those that say themselves where what is: ESPHome, Home Assistant, boards of any sort."""

ON, OFF = '{"heat": true}', '{"heat": false, "seconds": {seconds}}'
"""What a generic device is sent where nothing else is named."""
