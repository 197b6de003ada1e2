"""A boiler as JSON, with errors that name the field: how it is described to us. What it means: ``data.py``."""

from __future__ import annotations

from typing import Any

import pytz
from flexmeasures import Asset
from marshmallow import ValidationError, fields, validate, validates_schema

from smart_boiler_plugin.boiler.data import ELEMENTS
from smart_boiler_plugin.fields import Quantity, TrimmingSchema, line
from smart_boiler_plugin.physics.following import HYSTERESIS_K
from smart_boiler_plugin.physics.tank import STANDING_LOSS_W_BY_ENERGY_CLASS
from smart_boiler_plugin.physics.tapping_profiles import TAPPING_PROFILES


class Reports(fields.Nested):
    """How a boiler reports: ``{"on_change": "0.5 K"}``; as a number [K] for us, null where it reports at intervals.

    A cell of a table has the change alone: ``"0.5 K"``.
    """

    def __init__(self, **arguments: Any) -> None:
        change = Quantity(unit="delta_degC", shown_unit="K", lowest=0.01, highest=5, usual=0.5, required=True)
        schema = TrimmingSchema.from_dict({"on_change": change}, name="Reports")
        super().__init__(schema, allow_none=True, **arguments)
        self._change = change

    def _deserialize(self, value: Any, *place: Any, **arguments: Any) -> Any:
        spelt_out = {"on_change": value} if isinstance(value, str) else value
        return super()._deserialize(spelt_out, *place, **arguments)["on_change"]

    def _serialize(self, nested_obj: Any, *_: Any, **__: Any) -> Any:  # type: ignore[override]
        return None if nested_obj is None else {"on_change": f"{nested_obj:g} K"}

    def check(self, number: float) -> None:
        """Refuse what is no change in degrees; arguments as of ``Quantity``."""
        self._change.check(number)


PLACE_FIELDS = ("name", "timezone", "latitude", "longitude")


class BoilerSchema(TrimmingSchema):
    """A boiler as an operator describes it. Everything may be left out; the defaults are a common household boiler."""

    volume = Quantity(unit="liter", shown_unit="l", lowest=5, highest=10_000, usual=80, attribute="volume_l")
    power = Quantity(unit="kW", shown_unit="kW", lowest=0.05, highest=1_000, usual=1.5, attribute="power_kw")
    cop = fields.Float(
        validate=validate.Range(0.5, 10),
        metadata={"description": "Heat into the tank per electricity: 1 for an element.", "example": 1},
    )
    temperature_min = Quantity(
        unit="degC",
        shown_unit="°C",
        lowest=15,
        highest=90,
        usual=50,
        attribute="temperature_min_c",
        allow_none=True,
        metadata={"description": "Hard floor, 15 to 90 °C, whatever it costs; null or left out: none."},
    )
    temperature_max = Quantity(
        unit="degC", shown_unit="°C", lowest=20, highest=95, usual=65, attribute="temperature_max_c"
    )
    ambient_temperature = Quantity(
        unit="degC", shown_unit="°C", lowest=-40, highest=60, usual=20, attribute="ambient_c"
    )
    cold_water_temperature = Quantity(
        unit="degC", shown_unit="°C", lowest=0, highest=40, usual=10, attribute="cold_water_c"
    )
    energy_class = fields.String(
        validate=validate.OneOf(list(STANDING_LOSS_W_BY_ENERGY_CLASS)), metadata={"example": "C"}
    )
    standing_loss = Quantity(
        unit="kWh/day", shown_unit="kWh/day", lowest=0, highest=100, usual=1.1, attribute="standing_loss_kwh_per_day"
    )
    tapping_profile = fields.String(validate=validate.OneOf(list(TAPPING_PROFILES)), metadata={"example": "S"})
    reports = Reports(attribute="reports_change_k")
    element = fields.String(
        validate=validate.OneOf(ELEMENTS),
        metadata={"description": "Whether it is on or off, or takes any power.", "example": ELEMENTS[0]},
    )
    hysteresis = Quantity(
        unit="delta_degC", shown_unit="K", lowest=0.1, highest=20, usual=HYSTERESIS_K, attribute="hysteresis_k"
    )
    name = line(Asset.name.type.length)
    timezone = fields.String(
        validate=validate.OneOf(pytz.all_timezones, error="Must be an IANA name, such as Europe/Amsterdam.")
    )
    latitude = fields.Float(validate=validate.Range(-90, 90))
    longitude = fields.Float(validate=validate.Range(-180, 180))

    @validates_schema
    def one_loss(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse two statements of the standing loss."""
        if "energy_class" in data and "standing_loss_kwh_per_day" in data:
            raise ValidationError({"standing_loss": ["Give either this or energy_class, not both."]})


def split_boiler(boiler: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what was said of a boiler as fields of ``BoilerData`` and as fields of ``Place``."""
    place = {name: boiler[name] for name in PLACE_FIELDS if name in boiler}
    return {name: value for name, value in boiler.items() if name not in place}, place
