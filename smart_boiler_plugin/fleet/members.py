"""Whose boilers are looked at, and what is stored of them: by three statements, however many they are.

Assets and sensors are read as columns: ten thousand of the host's objects would take longer than all else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, cached_property, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from flexmeasures import Account, Asset, Sensor, User
from flexmeasures.auth.policy import CONSULTANT_ROLE, user_has_admin_access
from flexmeasures.data import db
from sqlalchemy import ARRAY, Integer, Text, cast, func
from sqlalchemy.types import NullType

from smart_boiler_plugin.boiler import connecting
from smart_boiler_plugin.boiler.asset import told_of
from smart_boiler_plugin.boiler.comfort import Comfort
from smart_boiler_plugin.boiler.connecting import unsealed
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.boiler.door import COMFORT, comfort_of, data_of
from smart_boiler_plugin.boiler.parts import NEEDED, missing_sensors, unplanned_site
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.facts.sensors import is_as_made
from smart_boiler_plugin.stored import ATTRIBUTE, is_id, rows_with

KEPT = 20_000
"""How many boilers' data are kept as they were read: looking at a fleet again, most are what they were."""

ANYWHERE = "UTC"
"""Time zone of a boiler none of whose sensors tells."""


@dataclass(frozen=True)
class Member:
    """A boiler of a fleet, as far as something is stored of it.

    Parameters
    ----------
    asset_id, name
        Of the boiler.
    account_id, customer, operator_id
        The account that owns it, its name, and the account that manages it; None where there is none.
    data, comfort
        The boiler, and what its household wants; None where what is stored is wrong.
    timezone
        Of the household (IANA name).
    sensors
        Ids of its sensors that are as this plugin made them, by role.
    price_id
        Of the sensor with what it pays, whosever that is; None where it names none.
    problems
        What is wrong with what is stored, or missing, for people, with what mends it.
    device_kind
        Of its device, where that is reached over MQTT.

    """

    asset_id: int
    name: str
    account_id: int
    customer: str
    operator_id: int | None
    data: BoilerData | None
    comfort: Comfort | None
    timezone: str
    sensors: dict[str, int] = field(default_factory=dict)
    price_id: int | None = None
    problems: tuple[str, ...] = ()
    device_kind: str | None = None

    @cached_property
    def useful_c(self) -> float:
        """Useful temperature, never above the ceiling [°C]; NaN where that is not known."""
        if self.data is None or self.comfort is None:
            return float("nan")
        return min(self.comfort.useful_temperature_c, self.data.temperature_max_c)


def seen_by(user: User) -> Any:
    """Return the SQL condition that an account is one whose boilers a user may see.

    An admin sees all, a consultant those of the own account and its clients, everybody else those of the own account:
    as the host's rules have it for single assets (``Account.__acl__``), put into SQL for many.
    """
    if user_has_admin_access(user, "read"):
        return db.true()
    if user.has_role(CONSULTANT_ROLE):
        return (Account.id == user.account_id) | (Account.consultancy_account_id == user.account_id)
    return Account.id == user.account_id


def of_operator(operator: Account | None) -> Any:
    """Return the SQL condition that an account is a client of an operator; None means all."""
    return db.true() if operator is None else Account.consultancy_account_id == operator.id


def operators() -> list[Account]:
    """Return the accounts that manage boilers, by their ids."""
    client = db.aliased(Account)
    manages = db.select(client.consultancy_account_id).join(Asset, Asset.account_id == client.id)
    query = db.select(Account).filter(Account.id.in_(manages.filter(rows_with(Asset)))).order_by(Account.id)
    return list(db.session.scalars(query))


def members(whose: Any) -> list[Member]:
    """Return the boilers of all accounts for which a condition holds, by their ids; three SQL statements at most."""
    query = (
        db.select(
            Asset.id,
            Asset.name,
            Asset.account_id,
            Account.name,
            Account.consultancy_account_id,
            # as a text: one that nobody can read stops no other
            cast(Asset.attributes[ATTRIBUTE], Text),
            Asset.parent_asset_id,
            cast(Asset.flex_context["consumption-price"]["sensor"], Text),
            Asset.attributes[connecting.ATTRIBUTE]["sealed"].astext,
        )
        .join(Account, Asset.account_id == Account.id)
        .filter(rows_with(Asset), whose)
        .order_by(Asset.id)
    )
    rows = db.session.execute(query).all()
    sensors = _sensors_of([row[0] for row in rows])
    site_ids = {row[6] for row in rows if row[6] is not None}
    sites = {site.id: site for site in db.session.scalars(db.select(Asset).filter(Asset.id.in_(site_ids)))}
    return [_member(row, sensors.get(row[0], []), sites.get(row[6])) for row in rows]


def _sensors_of(asset_ids: Sequence[int]) -> dict[int, list[Any]]:
    """Return id, name, unit, resolution and time zone of the sensors of boilers, by the ids of assets."""
    seconds = func.date_part("epoch", Sensor.event_resolution)
    # a row for each boiler; without types, as SQLAlchemy would look at each single value
    columns = (
        func.array_agg(each, type_=NullType())
        for each in (Sensor.id, Sensor.name, Sensor.unit, seconds, Sensor.timezone)
    )
    ids = cast(list(asset_ids), ARRAY(Integer))
    query = db.select(Sensor.generic_asset_id, *columns).group_by(Sensor.generic_asset_id)
    query = query.filter(Sensor.generic_asset_id == func.any(ids), Sensor.name.in_(NEEDED))
    return {asset_id: list(zip(*each, strict=True)) for asset_id, *each in db.session.execute(query)}


def _member(row: Any, sensors: list[Any], site: Asset | None) -> Member:
    asset_id, name, account_id, customer, operator_id, text, _, price, sealed = row
    data, comfort, wrong = _stored(text)
    problems = [] if wrong is None else [told_of(asset_id, name, account_id, wrong)]
    problems += [*missing_sensors({sensor[1] for sensor in sensors}), *unplanned_site(site)]
    usable = {}
    for sensor_id, role, unit, seconds, _ in sensors:
        resolution = timedelta(seconds=seconds)
        if is_as_made(role, unit, resolution):
            usable[role] = sensor_id
        else:
            problems.append(f"Sensor '{role}' ({sensor_id}) was changed: it is in {unit} per {resolution}.")
    price_id = _read(price)
    connected = unsealed(sealed, asset_id) if sealed else None
    return Member(
        asset_id=asset_id,
        name=name,
        account_id=account_id,
        customer=customer,
        operator_id=operator_id,
        data=data,
        comfort=comfort,
        timezone=_timezone(sensor[4] for sensor in sensors),
        sensors=usable,
        price_id=price_id if is_id(price_id) else None,
        problems=tuple(problems),
        device_kind=connected.kind if connected else None,
    )


@lru_cache(maxsize=KEPT)
def _stored(text: str | None) -> tuple[BoilerData | None, Comfort | None, SmartBoilerError | None]:
    """Return what is stored of a boiler, as far as it can be read, and what is wrong with it."""
    stored = _read(text)
    try:
        data = data_of(stored)
        return data, Comfort() if COMFORT not in stored else comfort_of(stored), None
    except SmartBoilerError as error:
        return None, None, error


def _read(text: str | None) -> Any:
    """Return a JSON value; None for one that cannot be read, however deep it is."""
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return None


def _timezone(named: Iterable[Any]) -> str:
    """Return the first time zone that there is: a household may have changed that of a sensor to anything."""
    return next((str(name) for name in named if _is_timezone(name)), ANYWHERE)


@cache
def _is_timezone(name: Any) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, KeyError, TypeError, OSError):
        return False
    return True
