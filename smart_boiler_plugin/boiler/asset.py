"""Boiler: one boiler asset of the host as an object (its tank, its limits, its sensors by role), now or on a past day.

How one is made: ``making.py``. Who owns it and who may see it: ``customers/directory.py``. What it will do:
``plan/scheduler.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import cached_property
from typing import Any, TypeVar

from flexmeasures import Asset, Sensor
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog
from flexmeasures.utils.time_utils import server_now
from marshmallow import ValidationError

from smart_boiler_plugin import stored
from smart_boiler_plugin.boiler import history
from smart_boiler_plugin.boiler.comfort import Comfort
from smart_boiler_plugin.boiler.comfort_schema import ComfortSchema
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.boiler.door import COMFORT, comfort_of, data_of
from smart_boiler_plugin.boiler.history import History, Steps
from smart_boiler_plugin.boiler.owners import may_read
from smart_boiler_plugin.clock.days import DAY, day_of
from smart_boiler_plugin.errors import BrokenBoilerError, SmartBoilerError
from smart_boiler_plugin.stored import as_object, is_id
from smart_boiler_plugin.units import currency_of

ASSET_TYPE = "battery"
"""The boiler is a heat battery; the host gives assets of this type a storage page and a storage scheduler."""

SCHEDULER = "BoilerScheduler"
"""Name of our scheduler's class, by which the host finds it."""

ANY_CURRENCY = "money"
"""Stands for the currency of the boiler's consumption price."""

UNIT_BY_ROLE = {
    "temperature": "°C",
    "set-point": "°C",
    "fill-rate": "kW",
    "demand": "kWh",
    "cost": ANY_CURRENCY,
    "state-of-charge": "kWh",
    "daily cost": ANY_CURRENCY,
    "daily savings": ANY_CURRENCY,
}
"""The sensors of a boiler, by name, which is also their role."""

RESOLUTION_BY_ROLE = {"state-of-charge": timedelta(0), "daily cost": DAY, "daily savings": DAY}
"""Roles whose values are not those of a quarter of an hour."""

TEMPERATURES = ("temperature", "set-point")
"""Roles that one graph shows: what is measured and expected, and up to where it heats."""

LONGEST_PROBLEM = 500
"""How much is told of what is wrong [characters]: anything may be stored."""

Checked = TypeVar("Checked")

ATTRIBUTES_BY_ROLE = {"fill-rate": {"consumption_is_positive": True, "custom-scheduler": SCHEDULER}}
"""What the host must know of a sensor: in which direction its power counts, and who plans it."""


class Boiler:
    """A boiler asset of the host.

    Parameters
    ----------
    asset
        Which.
    day
        As of which local day its data, its price and its useful temperature are those that held then (``on``); None
        means now.

    Raises
    ------
    BrokenBoilerError
        If the asset is no boiler that this plugin made; or, from all that is read of it, if it is wrong.

    """

    def __init__(self, asset: Asset, day: date | None = None) -> None:
        if not stored.is_stored(asset):
            raise BrokenBoilerError(
                f"Asset {asset.id} ({asset.name}) is no boiler: it has no attribute '{stored.ATTRIBUTE}'."
            )
        self.asset, self.day = asset, day

    def on(self, day: date) -> Boiler:
        """Return the boiler as it was on a local day: what it had, and what the household paid."""
        if day == self.day:
            return self
        then = Boiler(self.asset, day)
        # what is loaded already is not looked for once more
        vars(then).update({name: vars(self)[name] for name in ("sensors", "history") if name in vars(self)})
        return then

    @property
    def today(self) -> date:
        """The household's local day; the server's where none of the sensors is left that would tell."""
        try:
            return day_of(server_now(), self.timezone)
        except BrokenBoilerError:
            day: date = server_now().date()
            return day

    @cached_property
    def history(self) -> History:
        """What held before, and which tariffs are to come."""
        return self._checked(history.history_of, history.ATTRIBUTE)

    @cached_property
    def data(self) -> BoilerData:
        """What is known about the boiler."""
        return self._data_now() if self.day is None else self.history.boiler.on(self.day, self._data_now)

    def _data_now(self) -> BoilerData:
        return self._checked(data_of)

    @property
    def data_steps(self) -> Steps[BoilerData]:
        """What is known about the boiler, from which local day on, ascending; the first one since ever."""
        return ((None, self.data),) if self.day else self.history.boiler.steps(self.data)

    @cached_property
    def comfort(self) -> Comfort:
        """What the household wants now."""
        return self._checked(comfort_of)

    @property
    def useful_temperature_c(self) -> float:
        """From which temperature on hot water serves the household [°C]."""

        def now() -> float:
            return self.comfort.useful_temperature_c

        return now() if self.day is None else self.history.useful_c.on(self.day, now)

    def _checked(self, door: Callable[[Any], Checked], attribute: str = stored.ATTRIBUTE) -> Checked:
        """Return what comes through a door of what is stored."""
        try:
            return door(stored.read(self.asset, attribute))
        except SmartBoilerError as error:
            raise BrokenBoilerError(
                told_of(self.asset.id, self.asset.name, self.asset.account_id, error, attribute)
            ) from error

    def change_comfort(self, changes: Mapping[str, Any]) -> Comfort:
        """Change what the household wants, and return all of it. Flushes, does not commit.

        Parameters
        ----------
        changes
            As JSON (``ComfortSchema``): any of ``programme``, ``away``, ``boost``, ``pause``, ``hygiene``
            and ``useful_temperature``. What is not named stays; ``None`` goes back to the default.

        Raises
        ------
        marshmallow.ValidationError
            If something is wrong; nothing is changed then. Its messages name the field.

        """
        schema = ComfortSchema()

        def changed(known: Any) -> dict[str, Any]:
            known = as_object(known)
            merged = {**as_object(known.get(COMFORT)), **changes}
            comfort = schema.load({name: value for name, value in merged.items() if value is not None})
            if "useful_temperature" in changes:
                self._check_useful(comfort.useful_temperature_c)
            return {**known, COMFORT: schema.dump(comfort)}

        stored.lock_row(self.asset)
        # others may have changed it meanwhile
        vars(self).pop("comfort", None)
        before_c = self._useful_or_none()
        stored.change(self.asset, changed)
        vars(self).pop("comfort", None)
        # what was broken held on no day
        if before_c not in {None, self._useful_or_none()}:
            self.note(useful_temperature=before_c)
        AssetAuditLog.add_record(self.asset, f"Changed comfort: {', '.join(sorted(changes))}")
        db.session.flush()
        return self.comfort

    def _useful_or_none(self) -> float | None:
        try:
            return self.comfort.useful_temperature_c
        except BrokenBoilerError:
            return None

    def note(self, until: date | None = None, **held: Any) -> None:
        """Keep what held until a local day, by default today, and does no more, by kind. Does not commit."""
        self.change_history(lambda known: history.noted(known, until or self.today, **held))

    def change_history(self, changed: Callable[[Any], Any]) -> None:
        """Change what is stored of what held (``stored.change``). Does not commit."""
        stored.change(self.asset, changed, history.ATTRIBUTE)
        vars(self).pop("history", None)

    def _check_useful(self, useful_c: float) -> None:
        ceiling_c = self.data.temperature_max_c
        if useful_c >= ceiling_c:
            problem = f"The useful temperature ({useful_c:g} °C) must be below the ceiling ({ceiling_c:g} °C)."
            raise ValidationError({"useful_temperature": [problem]})

    @cached_property
    def sensors(self) -> dict[str, Sensor]:
        """The boiler's sensors, by role."""
        return {sensor.name: sensor for sensor in self.asset.sensors if sensor.name in UNIT_BY_ROLE}

    @property
    def timezone(self) -> str:
        """The household's time zone (IANA name), which all of its sensors have.

        Raises
        ------
        BrokenBoilerError
            If it has none of them.

        """
        sensor = self.sensors.get("fill-rate") or next(iter(self.sensors.values()), None)
        if sensor is None:
            raise BrokenBoilerError(f"Asset {self.asset.id} ({self.asset.name}) has none of the sensors of a boiler.")
        return str(sensor.timezone)

    @property
    def named_price_id(self) -> int | None:
        """Id of the sensor that the flex-context names as the consumption price; None where it names none."""
        named = as_object(as_object(self.asset.flex_context).get("consumption-price")).get("sensor")
        return named if is_id(named) else None

    @property
    def price_id(self) -> int | None:
        """Id of the sensor of the consumption price that holds; None where there is none."""
        if self.day is not None:
            return self.history.tariff_on(self.day, self.named_price_id)
        try:
            # of one that was to come the day may have come
            to_come = as_object(stored.read(self.asset, history.ATTRIBUTE)).get(history.AHEAD)
            return self.history.tariff_on(self.today, self.named_price_id) if to_come else self.named_price_id
        except BrokenBoilerError:
            return self.named_price_id

    @property
    def price_steps(self) -> Steps[int | None]:
        """Ids of the sensors of the consumption price, from which local day on, ascending; the first one since ever."""
        return ((None, self.price_id),) if self.day else self.history.tariff_steps(self.named_price_id)

    @cached_property
    def price(self) -> Sensor:
        """The sensor with what one kWh costs the household.

        Raises
        ------
        BrokenBoilerError
            If the boiler's flex-context names none, or somebody else's.

        """
        sensor = db.session.get(Sensor, self.price_id) if self.price_id else None
        if sensor is None or not sensor.measures_energy_price or not may_read(self.asset, sensor.generic_asset):
            raise BrokenBoilerError(
                f"The flex-context of asset {self.asset.id} names no sensor of a price per energy: 'consumption-price'."
            )
        return sensor

    @property
    def currency(self) -> str:
        """Of all its money, as a code of ISO 4217."""
        return currency_of(self.price.unit)


def told_of(
    asset_id: int, name: str, account_id: int | None, error: SmartBoilerError, attribute: str = stored.ATTRIBUTE
) -> str:
    """Return what is wrong with what is stored of a boiler, and how to mend it, for people."""
    what = str(error)
    what = what if len(what) <= LONGEST_PROBLEM else f"{what[:LONGEST_PROBLEM]}..."
    mends = (
        f"Change these fields: PATCH /smart-boiler-plugin/api/boiler-customer/{account_id}"
        if attribute == stored.ATTRIBUTE
        else "To take away what cannot be read: flexmeasures smart-boiler upgrade"
    )
    return f"What is stored of boiler {asset_id} ({name}) is wrong. {what} {mends}"


def check_currency(sensor: Sensor, price: Sensor) -> None:
    """Find out whether a sensor can hold what is worked out with a consumption price.

    Raises
    ------
    SmartBoilerError
        If they are in different currencies.

    """
    currency = currency_of(price.unit)
    if sensor.unit != currency:
        raise SmartBoilerError(
            f"Sensor {sensor.id} ({sensor.name}) is in {sensor.unit}, but the consumption price (sensor {price.id}) in "
            f"{currency}. Choose a price in {sensor.unit}, or rename the sensor: the report makes a new one."
        )
