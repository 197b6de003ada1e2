"""Policy: what the server's settings say about all plans, as a value. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.days import DAY
from smart_boiler_plugin.facts.faults import SILENT_AFTER


@dataclass(frozen=True)
class Policy:
    """What holds for all plans of a server.

    Parameters
    ----------
    max_reading_age
        How old a reading may be to plan from it as it is.
    max_carried_age
        How old a reading may be to be carried forward.
    silent_after
        After how long without a reading a boiler that reports at intervals is silent.
    typical_price_span
        How far back typical prices are taken from, where a price is not known.
    comfort_weight
        What unserved heat counts, in mean prices of electricity [-].
    floor_c
        Floor for all boilers [°C]; None where there is none.
    hygiene_temperature_c, hygiene_duration, hygiene_interval
        How hot a tank is made [°C], for how long and how often.

    """

    max_reading_age: timedelta = timedelta(hours=2)
    max_carried_age: timedelta = timedelta(days=2)
    silent_after: timedelta = SILENT_AFTER
    typical_price_span: timedelta = timedelta(days=7)
    comfort_weight: float = 6.0
    floor_c: float | None = None
    hygiene_temperature_c: float = 60.0
    hygiene_duration: timedelta = timedelta(minutes=30)
    hygiene_interval: timedelta = timedelta(days=7)

    def floor_of(self, data: BoilerData) -> float | None:
        """Return the floor that holds for a boiler always, its own or that of all [°C]; None where there is none."""
        floors = [floor for floor in (self.floor_c, data.temperature_min_c) if floor is not None]
        return min(max(floors), data.temperature_max_c) if floors else None

    def looks_back(self, hygiene_interval: timedelta | None = None) -> timedelta:
        """Return how far back from its start a plan asks for facts, with a household's own interval of hygiene."""
        hygiene = (hygiene_interval or self.hygiene_interval) + DAY
        return max(hygiene, self.max_carried_age, self.max_reading_age, self.typical_price_span)
