"""The one door through which what is stored of a boiler is read: it is checked, whoever wrote it.

A household may write what it likes into the attributes of its asset. What else stands there than a boiler's data and
its comfort is passed over.
"""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields

from smart_boiler_plugin.boiler.comfort import Comfort
from smart_boiler_plugin.boiler.comfort_schema import ComfortSchema
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.boiler.data_schema import PLACE_FIELDS, BoilerSchema
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.fields import JsonNumber, Quantity

COMFORT = "comfort"
"""Where the household's wishes are, as JSON."""

FLOOR_ON_PURPOSE = "floor_on_purpose"
"""Where it stands that a floor, or none, was asked for, and is not what an earlier version made of nothing."""

DESCRIBED = {field.attribute or name: name for name, field in BoilerSchema(exclude=PLACE_FIELDS).fields.items()}
"""How the fields that are stored are called where a boiler is described."""

WORKED_OUT = "standing_loss_kwh_per_day"
"""The field that is worked out where it is null."""

ADDED = {"reports_change_k", "element", "hysteresis_k"}
"""Fields that a boiler which was taken on by an earlier version lacks."""

MAY_BE_NULL = {WORKED_OUT, "temperature_min_c", "reports_change_k"}


def _stored(name: str) -> fields.Field[Any]:
    """Return the field that is stored for one that is described: a number for a quantity, in the same bounds."""
    described = BoilerSchema().fields[DESCRIBED[name]]
    text = isinstance(described, fields.String) and not isinstance(described, Quantity)
    kind, validate = (fields.String if text else JsonNumber), getattr(described, "check", None) or described.validate
    return kind(validate=validate, required=name not in ADDED, allow_none=name in MAY_BE_NULL)


STORED_BOILER = Schema.from_dict({name: _stored(name) for name in DESCRIBED}, name="StoredBoilerSchema")()
"""A boiler's data as they are stored: the fields of ``BoilerData``, numbers in their units.

Schemas are made once: each time, that would cost more than reading ten boilers.
"""

STORED_COMFORT = ComfortSchema()


def data_of(stored: Any) -> BoilerData:
    """Return the data that is stored of a boiler.

    Raises
    ------
    SmartBoilerError
        If something is missing, wrong, or does not fit together; the message names the fields as they are described.

    """
    try:
        data = BoilerData(**STORED_BOILER.load(stored, unknown=EXCLUDE))
    except ValidationError as error:
        problems = {DESCRIBED.get(str(name), name): told for name, told in error.messages_dict.items()}
        raise SmartBoilerError({"boiler": problems}) from error
    except RecursionError as error:
        raise SmartBoilerError({"boiler": ["Is nested too deeply."]}) from error
    data.check()
    return data


def comfort_of(stored: Any) -> Comfort:
    """Return the comfort that is stored of a boiler; what is not stored is as by default.

    Raises
    ------
    SmartBoilerError
        If something is wrong; the message names the fields.

    """
    if not isinstance(stored, dict):
        raise SmartBoilerError({"boiler": ["Is no object with fields."]})
    try:
        comfort: Comfort = STORED_COMFORT.load(stored.get(COMFORT, {}))
    except ValidationError as error:
        raise SmartBoilerError({COMFORT: error.messages}) from error
    except RecursionError as error:
        raise SmartBoilerError({COMFORT: ["Is nested too deeply."]}) from error
    return comfort
