"""BoilerScheduler: the host's StorageScheduler for a boiler, which knows how warm the water is.

It translates and delegates; the optimisation is the host's.
"""

from __future__ import annotations

from typing import Any

from flexmeasures.data.models.planning.storage import StorageScheduler

from smart_boiler_plugin.boiler import Boiler
from smart_boiler_plugin.settings import MAX_READING_AGE

KINDS = (
    {"soc-at-start", "state-of-charge"},
    {"soc-min", "soc-minima"},
    {"soc-max", "soc-maxima"},
    {"soc-usage"},
    # the gain is the constant part of the standing loss: with another storage efficiency it means nothing
    {"storage-efficiency", "soc-gain"},
    {"power-capacity", "consumption-capacity"},
)
"""Fields of a flex-model that say the same kind of thing: what a trigger says replaces all of the boiler's own."""

CURRENT_NAMES = {"consumption-price-sensor": "consumption-price", "production-price-sensor": "production-price"}
"""Old names of fields of a flex-context, which the host takes in a trigger but not beside a stored new one."""


class BoilerScheduler(StorageScheduler):
    """Plans a boiler. A trigger needs a start and a duration alone; all else is stored on the asset, or measured.

    A starting state of charge in the trigger counts. Without one, it is worked out from the last temperature reading
    that is not older than SMART_BOILER_MAX_READING_AGE; without such a reading, the tank is taken to be at its floor.
    Draw-offs are those on the boiler's ``demand`` sensor, measured or expected, if the trigger names no others.
    """

    __version__ = "1"
    __author__ = "smart-boiler-plugin"

    flex_model: dict[str, Any] | list[dict[str, Any]]
    flex_context: dict[str, Any] | list[dict[str, Any]]

    def collect_flex_config(self) -> None:
        """Merge what the trigger says with what is stored and measured; the trigger counts more, kind by kind."""
        given = set(self.flex_model) if isinstance(self.flex_model, dict) else set()
        if isinstance(self.flex_context, dict):
            self.flex_context = {
                CURRENT_NAMES.get(name, name): {"sensor": value} if name in CURRENT_NAMES else value
                for name, value in self.flex_context.items()
            }
        super().collect_flex_config()
        if isinstance(self.flex_model, dict):
            replaced = set().union(*(kind - given for kind in KINDS if kind & given))
            kept = {name: value for name, value in self.flex_model.items() if name not in replaced}
            self.flex_model = {**self._measured(kept), **kept}

    def _measured(self, known: dict[str, Any]) -> dict[str, Any]:
        """Return what is measured of the boiler and not known already: where it starts, and what is drawn."""
        boiler = Boiler(self.sensor.generic_asset)
        measured: dict[str, Any] = {}
        if not {"soc-at-start", "state-of-charge"} & known.keys():
            temperature_c = boiler.last_temperature_c(self.start, MAX_READING_AGE.value, known_at=self.belief_time)
            if temperature_c is None:
                temperature_c = boiler.data.temperature_min_c
            measured["soc-at-start"] = f"{boiler.data.tank.state_of_charge_kwh(temperature_c):.6f} kWh"
        if "soc-usage" not in known:
            measured["soc-usage"] = [{"sensor": boiler.sensors["demand"].id}]
        return measured
