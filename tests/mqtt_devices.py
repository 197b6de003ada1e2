"""Simulated devices that speak MQTT, written from the public descriptions of their protocols, not from our profiles.

Each hears messages and says what it says; time is what it is told, so that a week takes no week. No network here.
"""

import json
import re


class Device:
    """A relay before a boiler that is on by itself, and a sensor; ``heats``: whether the relay lets the boiler heat."""

    def __init__(self, topic, temperature_c=50.0, power_w=1500.0):
        self.topic, self.temperature_c, self.power_w = topic, temperature_c, power_w
        self.heats, self.until, self.commands = True, None, []

    def advance(self, now_s):
        """Let its own timer do what it does; return what it says of that."""
        if self.until is not None and now_s >= self.until:
            self.heats, self.until = not self.heats, None
            return self.relay_changed()
        return []

    def relay_changed(self):
        """What it says when its relay has switched."""
        return []


class Shelly(Device):
    """Shelly of the second generation with the add-on: JSON-RPC over MQTT.

    https://shelly-api-docs.shelly.cloud/gen2: General/RPCChannels (MQTT), ComponentsAndServices/Switch, Temperature.
    """

    @property
    def listens(self):
        """Topics that it subscribes to."""
        return [f"{self.topic}/rpc"]

    def switch(self):
        """Status of its switch."""
        power = self.power_w if self.heats else 0.0
        # the temperature of the device, not of the water
        inside = {"tC": 61.5, "tF": 142.7}
        return {
            "id": 0,
            "source": "MQTT",
            "output": self.heats,
            "apower": power,
            "voltage": 230.1,
            "temperature": inside,
        }

    def sensor(self):
        """What its sensor tells."""
        return {"id": 100, "tC": round(self.temperature_c, 1), "tF": round(self.temperature_c * 1.8 + 32, 1)}

    def says(self):
        """What it says by itself: topics and payloads."""
        return [
            (f"{self.topic}/status/switch:0", json.dumps(self.switch())),
            (f"{self.topic}/status/temperature:100", json.dumps(self.sensor())),
        ]

    def relay_changed(self):
        """What it says when its relay has switched."""
        return self.says()[:1]

    def hear(self, _topic, payload, now_s):
        """Do what a message says; return what it answers."""
        request = json.loads(payload)
        frame = {"id": request["id"], "src": f"shellyplus1pm-{id(self):x}", "dst": request["src"]}
        method, given = request["method"], request.get("params", {})
        said = []
        if method == "Switch.Set":
            self.commands.append((now_s, given))
            frame["result"] = {"was_on": self.heats}
            self.heats = given["on"]
            self.until = now_s + given["toggle_after"] if "toggle_after" in given else None
            said = self.relay_changed()
        elif method == "Shelly.GetStatus":
            frame["result"] = {"switch:0": self.switch(), "temperature:100": self.sensor(), "sys": {"uptime": 1}}
        else:
            frame["error"] = {"code": 404, "message": f"No handler for {method}"}
        return [(f"{request['src']}/rpc", json.dumps(frame)), *said]


class Tasmota(Device):
    """Tasmota with a DS18B20 and one relay. https://tasmota.github.io/docs/Commands and /MQTT.

    PulseTime: 1 to 111 are tenths of a second, 112 to 64900 are 100 more than seconds. PowerOnState 5: a relay that is
    turned off goes on after PulseTime.
    """

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.pulse, self.power_on_state, self.flash_writes = 0, 3, 0

    @property
    def listens(self):
        """Topics that it subscribes to."""
        return [f"cmnd/{self.topic}/{name}" for name in ("POWER", "Power1", "Backlog", "STATUS", "PulseTime1")]

    def sensor(self):
        """What its sensor tells."""
        return {
            # local time, without a zone, and wrong by an hour
            "Time": "2026-02-06T13:08:00",
            "DS18B20": {"Id": "0316A279B6FF", "Temperature": round(self.temperature_c, 1)},
            "ENERGY": {"Total": 3.1, "Power": self.power_w if self.heats else 0},
            "ESP32": {"Temperature": 48.3},
            "TempUnit": "C",
        }

    def says(self):
        """What it says by itself: topics and payloads."""
        state = {"Time": "2026-02-06T13:08:00", "POWER": "ON" if self.heats else "OFF", "Wifi": {"RSSI": 74}}
        return [
            (f"tele/{self.topic}/STATE", json.dumps(state)),
            (f"tele/{self.topic}/SENSOR", json.dumps(self.sensor())),
        ]

    def relay_changed(self):
        """What it says when its relay has switched."""
        power = "ON" if self.heats else "OFF"
        return [(f"stat/{self.topic}/RESULT", json.dumps({"POWER": power})), (f"stat/{self.topic}/POWER", power)]

    def _pulse_s(self):
        return self.pulse / 10 if self.pulse <= 111 else self.pulse - 100

    def _do(self, command, value, now_s):
        name = command.lower()
        if name in {"power", "power1"}:
            self.heats = value.upper() == "ON"
            starts = self.pulse and (not self.heats if self.power_on_state == 5 else self.heats)
            self.until = now_s + self._pulse_s() if starts else None
            return self.relay_changed()
        if name in {"pulsetime", "pulsetime1", "poweronstate"}:
            attribute = "power_on_state" if name == "poweronstate" else "pulse"
            self.flash_writes += getattr(self, attribute) != int(value)
            setattr(self, attribute, int(value))
            return [(f"stat/{self.topic}/RESULT", json.dumps({command: int(value)}))]
        if name == "status":
            return [(f"stat/{self.topic}/STATUS10", json.dumps({"StatusSNS": self.sensor()}))]
        return [(f"stat/{self.topic}/RESULT", json.dumps({"Command": "Unknown"}))]

    def hear(self, topic, payload, now_s):
        """Do what a message says; return what it answers."""
        command = topic.rpartition("/")[2]
        self.commands.append((now_s, command, payload))
        if command.lower() != "backlog":
            return self._do(command, payload, now_s)
        each = (re.split(r"\s+", one.strip(), maxsplit=1) for one in payload.split(";"))
        return [said for name, value in each for said in self._do(name, value, now_s)]


class Board(Device):
    """A board of a few lines, as ESPHome makes them: numbers on topics of its own, and a timer for "seconds"."""

    @property
    def listens(self):
        """Topics that it subscribes to."""
        return [f"{self.topic}/heat"]

    def says(self):
        """What it says by itself: topics and payloads."""
        return [(f"{self.topic}/temperature", f"{self.temperature_c:.1f}")]

    def hear(self, _topic, payload, now_s):
        """Do what a message says; return what it answers."""
        told = json.loads(payload)
        self.commands.append((now_s, told))
        self.heats = told["heat"]
        self.until = None if self.heats else now_s + told["seconds"]
        return []


KINDS = {"shelly-gen2": Shelly, "tasmota": Tasmota, "generic": Board}
