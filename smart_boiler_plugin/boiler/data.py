"""What is known about a boiler when it is taken on, and the same in the host's terms. Its asset: ``asset.py``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smart_boiler_plugin.clock.quarter import QUARTER_H
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.physics.following import HYSTERESIS_K
from smart_boiler_plugin.physics.tank import Tank, standing_loss_kwh_per_day

FORMER_FLOOR_C = 50.0
"""Floor of boilers that were taken on by an earlier version, where nobody named one [°C]."""

ELEMENTS = ("switched", "modulating")
"""What an element can be."""


@dataclass(frozen=True)
class BoilerData:
    """What is known about a boiler when it is taken on; the defaults are a common household boiler.

    Parameters
    ----------
    volume_l
        Volume of the tank [l].
    power_kw
        Electric power of the element [kW].
    temperature_min_c, temperature_max_c
        Floor and ceiling of the water temperature [°C]; the floor is hard, and None where nobody asked for one.
    ambient_c, cold_water_c
        Temperature around the tank and of the water that flows in [°C].
    energy_class
        Energy class of the tank, A to D (Regulation (EU) 812/2013).
    standing_loss_kwh_per_day
        Heat lost in 24 h at 45 K above ambient [kWh]; None means the most that the energy class allows.
    cop
        Heat into the tank per electricity: 1 for an element, more for a heat pump [-].
    tapping_profile
        How the household draws hot water, 3XS to XXL (Regulation (EU) 814/2013).
    reports_change_k
        What change of temperature it reports, where it reports nothing else [K]; None means at intervals, or that its
        readings tell.
    element
        "switched" where it is on or off, "modulating" where it takes any power up to its own.
    hysteresis_k
        How far below its set-point a switched element lets the temperature fall before it heats [K].

    """

    volume_l: float = 80.0
    power_kw: float = 1.5
    temperature_min_c: float | None = None
    temperature_max_c: float = 65.0
    ambient_c: float = 20.0
    cold_water_c: float = 10.0
    energy_class: str = "C"
    standing_loss_kwh_per_day: float | None = None
    cop: float = 1.0
    tapping_profile: str = "S"
    reports_change_k: float | None = None
    element: str = ELEMENTS[0]
    hysteresis_k: float = HYSTERESIS_K

    def check(self) -> None:
        """Find out whether the data fit together.

        Raises
        ------
        SmartBoilerError
            If they do not; the message names the field.

        """
        floor, ceiling, cold = self.temperature_min_c, self.temperature_max_c, self.cold_water_c
        if floor is not None and floor >= ceiling:
            problem = f"The floor ({floor:g} °C) must be below the ceiling ({ceiling:g} °C)."
            raise SmartBoilerError({"boiler": {"temperature_min": [problem]}})
        lowest, called = (ceiling, "ceiling") if floor is None else (floor, "floor")
        if cold >= lowest:
            problem = f"Cold water ({cold:g} °C) must be colder than the {called} ({lowest:g} °C)."
            raise SmartBoilerError({"boiler": {"cold_water_temperature": [problem]}})

    @property
    def tank(self) -> Tank:
        """The tank of this boiler."""
        loss = self.standing_loss_kwh_per_day
        return Tank(
            volume_l=self.volume_l,
            standing_loss_kwh_per_day=standing_loss_kwh_per_day(self.energy_class, self.volume_l)
            if loss is None
            else loss,
            cold_water_c=self.cold_water_c,
            ambient_c=self.ambient_c,
        )

    @property
    def flex_model(self) -> dict[str, Any]:
        """The boiler in the host's terms, so that a trigger needs a start and a duration alone.

        A floor is ``soc-minima``, which the host may breach at a price, and not ``soc-min``, which it may not: a tank
        that is colder than its floor would get no plan at all from the host's own scheduler. What else a household
        wants (``comfort.py``) and draws is added for each plan (``plan/scheduler.py``).
        """
        tank, floor_c = self.tank, self.temperature_min_c
        floor = {} if floor_c is None else {"soc-minima": f"{tank.state_of_charge_kwh(floor_c):.6f} kWh"}
        return {
            "soc-min": "0 kWh",
            **floor,
            "soc-max": f"{tank.state_of_charge_kwh(self.temperature_max_c):.6f} kWh",
            "soc-gain": [f"{tank.ambient_gain_kw:.6f} kW"],
            "storage-efficiency": f"{100 * tank.storage_efficiency(QUARTER_H):.6f} %",
            "power-capacity": f"{self.power_kw:g} kW",
            "consumption-capacity": f"{self.power_kw:g} kW",
            "production-capacity": "0 kW",
            "charging-efficiency": f"{100 * self.cop:g} %",
            # hot water loses heat: sooner is never better
            "prefer-charging-sooner": False,
        }

    def with_flex_model(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """Return a stored flex-model with the boiler's own fields; what else stands in it stays, but for a floor."""
        return {**{name: value for name, value in stored.items() if name != "soc-minima"}, **self.flex_model}


@dataclass(frozen=True)
class Place:
    """Where a boiler is, and what it is called.

    Parameters
    ----------
    name
        Of the boiler; None means after the customer.
    timezone
        IANA name; None means the server's.
    latitude, longitude
        In degrees; None means unknown.

    """

    name: str | None = None
    timezone: str | None = None
    latitude: float | None = None
    longitude: float | None = None
