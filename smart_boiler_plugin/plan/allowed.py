"""What a plan may read and write: the sensors that a flex-model and a flex-context name are looked at first.

A household may have stored what it likes with its assets, and the host would write a plan onto whatever sensor stands
there. So results go to sensors of the boiler's own site alone: its asset, and those of the same account in the same
tree. What is read is of the same account, of its operator, or public.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flexmeasures import Asset, Sensor
from flexmeasures.data import db
from marshmallow import ValidationError

from smart_boiler_plugin.boiler.owners import may_read
from smart_boiler_plugin.stored import is_id

WRITTEN = {
    *("sensor", "consumption", "production", "state-of-charge"),
    *("aggregate-power", "aggregate-consumption", "aggregate-production"),
    # flex-models of their own
    *("sensor-flex-model", "sensor_flex_model"),
}
"""Fields whose sensors the host may write results onto."""

IDS = {"sensor", "sensors", "inflexible-device-sensors", "consumption-price-sensor", "production-price-sensor"}
"""Names under which sensors' ids stand as bare numbers."""

Config = dict[str, Any] | list[dict[str, Any]]
"""A flex-context or a flex-model, as JSON: of one device, or one part for each."""

Field = tuple[int, str]
"""Number of a part, and name of a field in it."""


def not_allowed(parts: Sequence[Mapping[str, Any]], planned: Asset) -> dict[Field, str]:
    """Return which fields name sensors that a plan may not use, and why.

    Parameters
    ----------
    parts
        A flex-context and the parts of a flex-model, as JSON. A sensor that does not exist is the host's to refuse.
    planned
        The asset of the boiler, or of the site, that is planned.

    Returns
    -------
    dict
        Per part and field, what is wrong, for people.

    """
    named = {
        (number, name): set(_ids_of(name, value)) for number, part in enumerate(parts) for name, value in part.items()
    }
    every = set().union(*named.values()) if named else set()
    query = db.select(Sensor.id, Asset).join(Asset, Sensor.generic_asset_id == Asset.id).filter(Sensor.id.in_(every))
    owners = {row.id: row.GenericAsset for row in db.session.execute(query)} if every else {}
    problems = {}
    for field, ids in named.items():
        may = _may_write if field[1] in WRITTEN else may_read
        wrong = sorted(one for one in ids if one in owners and not may(planned, owners[one]))
        if wrong:
            what = "results go to sensors of the same site alone" if may is _may_write else "it is somebody else's"
            problems[field] = f"Sensor {wrong[0]} cannot be used here: {what}."
    return problems


def refuse(context: Config, model: Config, planned: Asset) -> None:
    """Refuse what a trigger says where it names sensors that its plan may not use.

    Raises
    ------
    marshmallow.ValidationError
        The messages name the fields.

    """
    problems = not_allowed([*_parts(context), *_parts(model)], planned)
    if problems:
        raise ValidationError({name: [told] for (_, name), told in problems.items()})


def kept(context: Config, model: Config, planned: Asset) -> tuple[Config, Config, dict[str, str]]:
    """Return a flex-context and a flex-model without the fields that name what a plan may not use.

    Returns
    -------
    tuple
        Both, and what was left out and why, by field, for people.

    """
    contexts, models = _parts(context), _parts(model)
    problems = not_allowed([*contexts, *models], planned)
    if not problems:
        return context, model, {}
    left = [
        {name: value for name, value in part.items() if (number, name) not in problems}
        for number, part in enumerate([*contexts, *models])
    ]
    begin = len(contexts)
    told = {name: problem for (_, name), problem in problems.items()}
    return _in_form_of(context, left[:begin]), _in_form_of(model, left[begin:]), told


def _parts(config: Config) -> list[dict[str, Any]]:
    # the host has None where nobody has said anything
    return [config] if isinstance(config, dict) else list(config or [])


def _in_form_of(config: Config, parts: list[dict[str, Any]]) -> Config:
    return parts[0] if isinstance(config, dict) else parts or config


def _may_write(planned: Asset, owner: Asset) -> bool:
    same = owner.account_id == planned.account_id
    return bool(owner.id == planned.id or (same and _top(owner).id == _top(planned).id))


def _top(asset: Asset) -> Asset:
    """Return the highest asset of a site: the last one upwards that is the same account's."""
    while asset.parent_asset is not None and asset.parent_asset.account_id == asset.account_id:
        asset = asset.parent_asset
    return asset


def _ids_of(name: str, value: Any) -> Iterator[int]:
    """Yield the ids of all sensors that a field names, at any depth."""
    if isinstance(value, Mapping):
        for inner, deeper in value.items():
            yield from _ids_of(inner, deeper)
    elif isinstance(value, (list, tuple)):
        for deeper in value:
            yield from _ids_of(name, deeper)
    elif name in IDS:
        yield from _as_id(value)


def _as_id(value: Any) -> Iterator[int]:
    """Yield the id that the host would read: it takes "7" and 7.0 for 7."""
    try:
        number = int(value.id if isinstance(value, Sensor) else value)
    except (TypeError, ValueError, OverflowError):
        return
    if is_id(number):
        yield number
