"""BoilerScheduler: the host's StorageScheduler for a boiler, which knows how warm the water is.

It translates and delegates; the optimisation is the host's.
"""

from __future__ import annotations

from typing import Any

from flexmeasures.data.models.planning.storage import StorageScheduler

from smart_boiler_plugin.boiler import Boiler
from smart_boiler_plugin.settings import MAX_READING_AGE


class BoilerScheduler(StorageScheduler):
    """Plans a boiler. A trigger needs a start and a duration alone; all else is stored on the asset, or measured.

    A starting state of charge in the trigger counts. Without one, it is worked out from the last temperature reading
    that is not older than SMART_BOILER_MAX_READING_AGE; without such a reading, the tank is taken to be at its floor.
    Draw-offs are those on the boiler's ``demand`` sensor, measured or expected, if the trigger names no others.
    """

    flex_model: dict[str, Any] | list[dict[str, Any]]

    __version__ = "1"
    __author__ = "smart-boiler-plugin"

    def deserialize_flex_config(self) -> None:
        """Add what the trigger left out, then let the host check and complete it."""
        if isinstance(self.flex_model, dict):
            boiler = Boiler(self.sensor.generic_asset)
            given = {**boiler.asset.flex_model, **self.flex_model}
            if not {"soc-at-start", "state-of-charge"} & given.keys():
                measured = f"{self._measured_state_of_charge_kwh(boiler):.6f} kWh"
                self.flex_model = {**self.flex_model, "soc-at-start": measured}
            if "soc-usage" not in given:
                self.flex_model = {**self.flex_model, "soc-usage": [{"sensor": boiler.sensors["demand"].id}]}
        super().deserialize_flex_config()

    def _measured_state_of_charge_kwh(self, boiler: Boiler) -> float:
        """Return the state of charge at the start [kWh], from the last reading or else the floor."""
        temperature_c = boiler.last_temperature_c(self.start, MAX_READING_AGE.value, known_at=self.belief_time)
        if temperature_c is None:
            temperature_c = boiler.data.temperature_min_c
        return boiler.data.tank.state_of_charge_kwh(temperature_c)
