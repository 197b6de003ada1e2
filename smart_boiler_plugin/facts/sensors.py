"""Which sensors tell what is known of boilers: their own, by role, and those of their prices. Two statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from flexmeasures import Sensor
from flexmeasures.data import db
from flexmeasures.utils.unit_utils import convert_units
from sqlalchemy import inspect
from sqlalchemy.orm import contains_eager, load_only
from sqlalchemy.sql.base import ExecutableOption

from smart_boiler_plugin.boiler.asset import RESOLUTION_BY_ROLE, UNIT_BY_ROLE, Boiler
from smart_boiler_plugin.boiler.owners import may_read
from smart_boiler_plugin.boiler.parts import NEEDED
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.units import currency_of

PRICE = "price"
"""What a boiler without a usable price is missing."""

LONGEST_PRICE = timedelta(days=366)
"""Longest time for which one price may hold."""


@dataclass(frozen=True)
class Price:
    """A sensor of a price per energy.

    Parameters
    ----------
    sensor
        Which.
    per_kwh
        What 1 in its unit is per kWh, in its currency [-].

    """

    sensor: Sensor
    per_kwh: float


@dataclass(frozen=True)
class Usable:
    """The sensors of a boiler that can be read.

    Parameters
    ----------
    asset_id
        Of the boiler.
    timezone
        Of the household (IANA name); UTC where none of its sensors tells.
    by_role
        Those of ``NEEDED`` that are as this plugin made them.
    price
        None where there is none that can be read per quarter of an hour.
    missing
        Roles of the others, and ``PRICE``.
    told
        What was found in their places, for people.

    """

    asset_id: int
    timezone: str
    by_role: dict[str, Sensor]
    price: Price | None
    missing: tuple[str, ...]
    told: tuple[str, ...]

    @property
    def temperature_id(self) -> int | None:
        """Id of the sensor of the temperature."""
        return self.by_role["temperature"].id if "temperature" in self.by_role else None


def usable_sensors(boilers: Sequence[Boiler]) -> list[Usable]:
    """Return which sensors of each boiler can be read: a household may delete, rename and change its own.

    Sensors and prices that the boilers have not loaded yet are loaded, by one statement each.
    """
    _load_missing_sensors(boilers)
    prices = _load_prices(boilers)
    return [_usable(boiler, prices.get(boiler.asset.id)) for boiler in boilers]


def usable_of_role(boilers: Sequence[Boiler], role: str) -> list[tuple[str, Sensor | None]]:
    """Return of each boiler its household's time zone (IANA name), and one sensor, None where it cannot be read.

    Sensors that the boilers have not loaded yet are loaded, by one statement.
    """
    _load_missing_sensors(boilers)
    return [(_timezone(boiler), _as_made(role, boiler.sensors.get(role))) for boiler in boilers]


def load_sensors(boilers: Sequence[Boiler], roles: Collection[str]) -> None:
    """Load the sensors of some roles that the boilers have, and what is needed to read and store alone.

    One statement; what else a boiler has is not known of it then.
    """
    needed = (Sensor.name, Sensor.unit, Sensor.timezone, Sensor.event_resolution, Sensor.generic_asset_id)
    horizon = (Sensor.knowledge_horizon_fnc, Sensor.knowledge_horizon_par)
    _load_sensors({boiler.asset.id: boiler for boiler in boilers}, roles, load_only(*needed, *horizon))


def _as_made(role: str, sensor: Sensor | None) -> Sensor | None:
    return None if sensor is None or _change(role, sensor) else sensor


def _load_missing_sensors(boilers: Sequence[Boiler]) -> None:
    _load_sensors({boiler.asset.id: boiler for boiler in boilers if not _has_loaded_sensors(boiler)})


def _has_loaded_sensors(boiler: Boiler) -> bool:
    loaded = "sensors" in vars(boiler) or "sensors" not in inspect(boiler.asset).unloaded
    # after a commit, each would be looked for by itself, and might be gone
    return loaded and not any(inspect(sensor).expired for sensor in boiler.sensors.values())


def _load_sensors(
    boiler_by_asset: dict[int, Boiler], roles: Collection[str] = tuple(UNIT_BY_ROLE), *options: ExecutableOption
) -> None:
    """Load the sensors of boilers by their roles."""
    if not boiler_by_asset:
        return
    sensors_of: dict[int, dict[str, Sensor]] = defaultdict(dict)
    query = db.select(Sensor).filter(Sensor.generic_asset_id.in_(boiler_by_asset), Sensor.name.in_(roles))
    for sensor in db.session.scalars(query.options(*options)):
        sensors_of[sensor.generic_asset_id][sensor.name] = sensor
    for asset_id, boiler in boiler_by_asset.items():
        boiler.sensors = sensors_of[asset_id]


def _load_prices(boilers: Sequence[Boiler]) -> dict[int, Sensor]:
    """Return the sensors of prices per energy by the ids of boilers' assets, and note them on the boilers.

    A price of somebody else's, that a household has named, is none.
    """
    named = _price_sensors({boiler.price_id for boiler in boilers if boiler.price_id})
    prices = {}
    for boiler in boilers:
        price = named.get(boiler.price_id or 0)
        if price and may_read(boiler.asset, price.generic_asset):
            boiler.price = prices[boiler.asset.id] = price
    return prices


def prices_of(sensor_ids: Collection[int]) -> dict[int, Price]:
    """Return the sensors of prices per energy that can be read per quarter of an hour, by their id; one statement."""
    found = {sensor_id: _price(sensor) for sensor_id, sensor in _price_sensors(sensor_ids).items()}
    return {sensor_id: price for sensor_id, price in found.items() if price}


def _price_sensors(sensor_ids: Collection[int]) -> dict[int, Sensor]:
    query = db.select(Sensor).filter(Sensor.id.in_(sensor_ids))
    query = query.join(Sensor.generic_asset).options(contains_eager(Sensor.generic_asset))
    return {sensor.id: sensor for sensor in db.session.scalars(query) if sensor.measures_energy_price}


def _usable(boiler: Boiler, price_sensor: Sensor | None) -> Usable:
    changes = {role: _change(role, sensor) for role, sensor in boiler.sensors.items() if role in NEEDED}
    by_role = {role: boiler.sensors[role] for role, change in changes.items() if not change}
    told = [change for change in changes.values() if change]
    price = price_sensor and _price(price_sensor)
    if price_sensor and not price:
        told.append(f"{_shown(price_sensor)} cannot be put in quarters of an hour and kWh")
    missing = [role for role in NEEDED if role not in by_role] + ([] if price else [PRICE])
    return Usable(boiler.asset.id, _timezone(boiler), by_role, price, tuple(missing), tuple(told))


def _timezone(boiler: Boiler) -> str:
    try:
        return ZoneInfo(boiler.timezone).key
    except (SmartBoilerError, ValueError, KeyError):
        return "UTC"


def _change(role: str, sensor: Sensor) -> str:
    """Return how a sensor is not as it was made, for people; empty where it is."""
    if is_as_made(role, sensor.unit, sensor.event_resolution):
        return ""
    return f"{_shown(sensor)} in place of {UNIT_BY_ROLE[role]} per {RESOLUTION_BY_ROLE.get(role, QUARTER)}"


def is_as_made(role: str, unit: str, resolution: timedelta) -> bool:
    """Return whether a sensor of a role has the unit and resolution with which this plugin made it."""
    return (unit, resolution) == (UNIT_BY_ROLE[role], RESOLUTION_BY_ROLE.get(role, QUARTER))


def _shown(sensor: Sensor) -> str:
    return f"sensor {sensor.id} ({sensor.name}): {sensor.unit} per {sensor.event_resolution}"


def _price(sensor: Sensor) -> Price | None:
    """Return a price that holds for whole quarters, or a whole number of times in a quarter; None if it is no such."""
    resolution = sensor.event_resolution
    in_quarters = timedelta(0) < resolution <= LONGEST_PRICE and not (resolution % QUARTER and QUARTER % resolution)
    try:
        # the host takes "EUR/MW*h" for a price per energy
        per_kwh = convert_units(1.0, sensor.unit, f"{currency_of(sensor.unit)}/kWh")
    except ValueError:
        return None
    return Price(sensor, per_kwh) if in_quarters else None
