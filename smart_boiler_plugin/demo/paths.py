"""How boilers of the demo are connected: by a gateway with a device token, and by MQTT; else, ``household.py``."""

from __future__ import annotations

import time
from datetime import datetime
from zoneinfo import ZoneInfo

from smart_boiler_plugin.demo import board
from smart_boiler_plugin.demo.household import History
from smart_boiler_plugin.demo.http import Api, DeviceApi
from smart_boiler_plugin.embedded.processes import StackError
from smart_boiler_plugin.embedded.stack import Stack

OURS = "/smart-boiler-plugin/api"

BOARD = "boilers/smiths"
"""Topic of the board."""

TIMEOUT_S = 60
"""How long it may take until a reading of the board is stored [s]: the bridge has only just been started."""


class Paths:
    """Devices and what they send and get.

    Parameters
    ----------
    stack
        Where the server runs.
    operator
        Who says which boiler has which device.
    broker_port
        Of the MQTT broker.

    """

    def __init__(self, stack: Stack, operator: Api, broker_port: int) -> None:
        self.stack, self.operator, self.broker_port = stack, operator, broker_port
        self._gateway: DeviceApi | None = None

    def report_by_gateway(self, account: int, start: datetime, history: History) -> None:
        """Send what was measured in one call, with a device token that is good for little else."""
        if self._gateway is None:
            made = self.operator.post(f"{OURS}/device-tokens", {"name": "gateway", "customers": [account]})
            self._gateway = DeviceApi(self.stack.url, made["token"])
        rows = [
            ("temperature", "°C", history.temperature_c),
            ("power", "kW", history.power_kw),
            ("demand", "kWh", history.demand_kwh[: len(history.power_kw)]),
        ]
        same = {"account": account, "start": start.isoformat(), "resolution": "PT15M"}
        readings = [{**same, "kind": kind, "unit": unit, "values": values} for kind, unit, values in rows]
        self._gateway.post(f"{OURS}/readings", {"readings": readings})

    def asked_by_gateway(self, account: int, timezone: str) -> str:
        """Return what the gateway is told when it asks whether its boiler may heat, for people of a time zone."""
        assert self._gateway is not None  # noqa: S101 (it has reported)
        now = self._gateway.get(f"{OURS}/boiler-customer/{account}/now")
        until = datetime.fromisoformat(now["until"]).astimezone(ZoneInfo(timezone))
        return f"GET /now: {'it may heat' if now['heat'] else 'it may not heat'} until {until:%H:%M}"

    def say_by_mqtt(self, account: int, temperature_c: float) -> str:
        """Let a board say how warm the water is, in °F, until the bridge has heard it; return that, for people."""
        device = {"kind": "generic", "topic": BOARD, "temperature_unit": "°F"}
        self.operator.patch(f"{OURS}/boiler-customer/{account}", {"device": device})
        deadline = time.monotonic() + TIMEOUT_S
        while not self._is_seen(account):
            if time.monotonic() > deadline:
                raise StackError(f"The bridge stored no reading. Its log is in {self.stack.folder / 'logs'}")
            board.say(self.broker_port, BOARD, temperature_c * 9 / 5 + 32)
            time.sleep(0.5)
        return f"{BOARD}/temperature {temperature_c * 9 / 5 + 32:.1f}"

    def told_by_mqtt(self) -> str:
        """Return what the board is told, for people."""
        points = board.told(self.broker_port, BOARD, "set-points")["set_points_c"]
        return f"{len(points)} set-points, retained at {BOARD}/set-points: it follows them alone"

    def _is_seen(self, account: int) -> bool:
        found = self.operator.get(f"{OURS}/fleet", **{"per-page": 100})["data"]
        device = next(row["device"] for row in found if row["account"] == account)
        return bool(device and device["last_seen"])
