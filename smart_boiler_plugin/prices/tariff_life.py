"""How a tariff comes, changes and goes. What one is: ``tariffs.py``. Each in one transaction, and in the audit log."""

from __future__ import annotations

from datetime import date

import pytz
from flexmeasures import Account, Asset, AssetType, Sensor
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog
from flexmeasures.utils.time_utils import server_now
from marshmallow import ValidationError
from sqlalchemy import func
from sqlalchemy.dialects.postgresql import JSONPATH

from smart_boiler_plugin import stored
from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.clock.days import day_of
from smart_boiler_plugin.errors import ConflictError, SmartBoilerError
from smart_boiler_plugin.fields import without_markup
from smart_boiler_plugin.host import audit_text
from smart_boiler_plugin.prices.contract import Contract, Version
from smart_boiler_plugin.prices.sensors import (
    CONSUMPTION_SENSOR,
    TARIFF_TYPE,
    default_country,
    default_timezone,
    get_or_create_public_sensor,
    get_or_create_spot_price_sensor,
    lock_prices,
)
from smart_boiler_plugin.prices.switching import AHEAD, move_ahead, switch
from smart_boiler_plugin.prices.tariff_schema import check_spot_prices, needs_spot
from smart_boiler_plugin.prices.tariffs import (
    HOW_TO_LIST,
    LONGEST_NAME,
    SPOT_TARIFF,
    Tariff,
    all_tariffs,
    hold,
    is_tariff,
    make_tariff,
    seen_by,
)
from smart_boiler_plugin.prices.terms import ATTRIBUTE, MOST_VERSIONS, Terms
from smart_boiler_plugin.settings import DEFAULT_TARIFF
from smart_boiler_plugin.stored import rows_with
from smart_boiler_plugin.transactions import transaction
from smart_boiler_plugin.units import currency_of


def add(
    name: str,
    contract: Contract,
    *,
    operator: Account | None = None,
    country: str | None = None,
    price_sensor: int | None = None,
    timezone: str | None = None,
) -> Tariff:
    """Make a tariff. Its prices come with the next update.

    Parameters
    ----------
    name
        What it is to be called.
    contract
        What is paid, always; until another contract holds (``change``).
    operator
        Whose own it is; None means that everybody's customers can have it.
    country
        Whose spot prices it rests on, as the ENTSO-E plugin has it; by default that of its configuration.
    price_sensor
        In place of a country, id of a sensor with spot prices in money per energy.
    timezone
        In which hours and days are meant (IANA name); None means that of the spot prices, or of the default country.

    Raises
    ------
    ConflictError
        If a public asset, or a tariff that the operator's customers can have, has this name.
    SmartBoilerError
        If the name is wrong, the contract is in another currency than its spot prices, or there is no such country; the
        message names the field.

    """
    name = name.strip()
    _check_name(name)
    if timezone is not None and timezone not in pytz.all_timezones_set:
        raise SmartBoilerError({"timezone": ["Must be an IANA name, such as Europe/Brussels."]})
    with transaction():
        lock_prices()
        _refuse_taken(name, operator)
        spot, country = _spot_prices(contract, country, price_sensor)
        currency = currency_of(spot.unit) if spot else min(contract.currencies)
        sensor = get_or_create_public_sensor(
            name,
            TARIFF_TYPE,
            {"name": CONSUMPTION_SENSOR["name"], "unit": f"{currency}/kWh"},
            timezone=timezone or (spot.timezone if spot else default_timezone()),
            parent=operator and _assets_of(operator),
        )
        made = make_tariff(sensor, Terms((Version(None, contract),), spot), country=country, operator=operator)
        _log(made.asset, "added")
        return made


def change(
    tariff: Tariff,
    contract: Contract,
    first: date,
    *,
    country: str | None = None,
    price_sensor: int | None = None,
    in_the_past: bool = False,
) -> Tariff:
    """Let another contract hold from a day on; a version that begins on the same day is replaced.

    Its prices come with the next update.

    Parameters
    ----------
    tariff
        Which.
    contract
        What is paid from then on.
    first
        The first day on which it holds, local time of the tariff.
    country, price_sensor
        Of a tariff that had no spot prices until now (``add``).
    in_the_past
        Whether the day may be over.

    Raises
    ------
    SmartBoilerError
        If the contract is in another currency, or the day is over; the message names the field.

    """
    today = day_of(server_now(), tariff.sensor.timezone)
    if first < today and not in_the_past:
        told = f"{first} is over, and what held on a day stays. Choose {today} or later, or say 'in the past'."
        raise SmartBoilerError({"from": [told]})
    with transaction():
        lock_prices()
        # what somebody else has changed until now is there
        stored.lock_row(tariff.asset)
        operator = db.session.get(Account, tariff.operator_id) if tariff.operator_id else None
        if operator is not None:
            stored.lock_row(operator)
        terms = tariff.terms
        if contract.currencies - {tariff.currency}:
            told = f"Is in {min(contract.currencies)}, but the tariff is in {tariff.currency}. Add another tariff."
            raise SmartBoilerError({"contract": [told]})
        if terms.price_sensor is None:
            spot, country = _spot_prices(contract, country, price_sensor)
        elif country is None and price_sensor is None:
            spot, country = terms.price_sensor, tariff.country
        else:
            field = "country" if country else "price_sensor"
            raise SmartBoilerError({field: ["The tariff has its spot prices already. Leave it out, or add another."]})
        if spot is not None and currency_of(spot.unit) != tariff.currency:
            told = f"Its prices are in {currency_of(spot.unit)}, but the tariff is in {tariff.currency}."
            raise SmartBoilerError({"country" if country else "price_sensor": [told]})
        changed = Terms(terms.versions, spot).with_version(first, contract)
        if len(changed.versions) > MOST_VERSIONS:
            raise SmartBoilerError({"from": [f"A tariff has {MOST_VERSIONS} versions at most. Add another tariff."]})
        made = make_tariff(tariff.sensor, changed, country=country, operator=operator)
        _log(made.asset, f"another contract from {first} on")
        return made


def remove(tariff: Tariff, move_to: Tariff | None = None) -> int:
    """Take a tariff away; what was paid with it stays. Return how many customers were moved.

    Its asset and its prices are kept under another name, as past days are accounted with them.

    Parameters
    ----------
    tariff
        Which.
    move_to
        What its customers have from now on.

    Raises
    ------
    ConflictError
        If customers have it and ``move_to`` is None, or in another currency; or if it is the server's default.
    SmartBoilerError
        If not all of the customers can have ``move_to``.

    """
    if tariff.operator_id is None and tariff.name.lower() == DEFAULT_TARIFF.value.lower():
        raise ConflictError({"tariff": [f"'{tariff.name}' is what {DEFAULT_TARIFF.name} names. Change that first."]})
    if move_to is not None and (move_to.asset.id == tariff.asset.id or move_to.operator_id not in _owners(tariff)):
        raise SmartBoilerError({"move_to": [f"Not all customers of '{tariff.name}' can have '{move_to.name}'."]})
    with transaction():
        lock_prices()
        # before its boilers are looked for: who is given it at this moment has it then, or finds it removed
        stored.lock_row(tariff.asset)
        if not is_tariff(tariff.asset):
            raise ConflictError({"tariff": ["It was removed just now."]})
        if move_to is not None:
            hold(move_to)
        boilers = _boilers_of(tariff.sensor)
        if boilers and move_to is None:
            told = f"{len(boilers)} customers have '{tariff.name}'. Say to which tariff they are to be moved."
            raise ConflictError({"tariff": [told]})
        for asset in boilers:
            _move(Boiler(asset), tariff, move_to)  # type: ignore[arg-type]  # None is refused above
        stored.change(tariff.asset, lambda kept: {**kept, "removed": server_now().isoformat()}, ATTRIBUTE)
        _log(tariff.asset, "removed" + (f", {len(boilers)} customers moved to '{move_to.name}'" if move_to else ""))
        mark = f" (removed, {tariff.asset.id})"
        tariff.asset.name = tariff.asset.name[: LONGEST_NAME - len(mark)] + mark
        return len(boilers)


def _move(boiler: Boiler, tariff: Tariff, move_to: Tariff) -> None:
    """Give a boiler another tariff, now and where it was to come."""
    if tariff.sensor.id in {boiler.price_id, boiler.named_price_id}:
        switch(boiler, move_to)
    move_ahead(boiler, tariff.sensor.id, move_to.sensor.id)


def _owners(tariff: Tariff) -> set[int | None]:
    """Return whose tariffs all customers of a tariff can have."""
    return {None, tariff.operator_id}


def _spot_prices(contract: Contract, country: str | None, price_sensor: int | None) -> tuple[Sensor | None, str | None]:
    """Return the sensor with the spot prices of a contract, and the country if they are a country's."""
    if country is not None and price_sensor is not None:
        raise SmartBoilerError({"price_sensor": ["Give a country or a price sensor, not both."]})
    if price_sensor is None:
        if country is None and not needs_spot(contract):
            return None, None
        country = country or default_country()
        price_sensor = get_or_create_spot_price_sensor(country).id
    return check_spot_prices(price_sensor, contract), country


def _check_name(name: str) -> None:
    """Refuse a name that an asset cannot have, or should not."""
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise SmartBoilerError({"name": [f"Must have 1 to {LONGEST_NAME} characters, and no line breaks."]})
    try:
        without_markup(name)
    except ValidationError as error:
        raise SmartBoilerError({"name": error.messages}) from error
    kept = SPOT_TARIFF.fullmatch(name)
    if kept:
        raise SmartBoilerError({"name": [f"'{name}' is kept for the bare spot price of {kept[1]}. Choose another."]})


def _refuse_taken(name: str, operator: Account | None) -> None:
    """Refuse a name that the tariff's customers could not tell from another one."""
    query = db.select(Asset).filter(Asset.account_id.is_(None), func.lower(Asset.name) == func.lower(name))
    if operator is None:
        # an operator's own tariffs do not stand in the way of the server's
        taken = query.filter(Asset.parent_asset_id.is_(None))
        is_taken = db.session.execute(taken).scalars().first() is not None
    else:
        is_taken = any(tariff.name.lower() == name.lower() for tariff in seen_by(operator, all_tariffs()))
    if is_taken:
        raise ConflictError({"name": [f"'{name}' exists already. Choose another; see {HOW_TO_LIST}"]})


def _assets_of(operator: Account) -> Asset:
    """Return the public asset under which an operator's own tariffs stand: names are unique below one asset alone."""
    name = f"Tariffs of account {operator.id}"
    query = db.select(Asset).filter_by(name=name, account_id=None, parent_asset_id=None)
    found: Asset | None = db.session.execute(query).scalar_one_or_none()
    if found is None:
        kind = db.session.execute(db.select(AssetType).filter_by(name=TARIFF_TYPE)).scalar_one_or_none()
        found = Asset(name=name, generic_asset_type=kind or AssetType(name=TARIFF_TYPE))
        db.session.add(found)
        db.session.flush()
    return found


def _boilers_of(sensor: Sensor) -> list[Asset]:
    """Return the boilers that are planned with a consumption price, or are to be."""
    named = Asset.flex_context["consumption-price"]["sensor"] == db.func.to_jsonb(sensor.id)
    to_come = db.func.jsonb_path_exists(Asset.attributes, db.cast(f"{AHEAD} ? (@.value == {int(sensor.id)})", JSONPATH))
    query = db.select(Asset).filter(rows_with(Asset), named | to_come).order_by(Asset.id)
    return list(db.session.execute(query).scalars())


def _log(asset: Asset, what: str) -> None:
    AssetAuditLog.add_record(asset, audit_text(f"Tariff '{asset.name}': {asset.id}; {what}"))
