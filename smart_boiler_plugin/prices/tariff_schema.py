"""Tariffs as JSON, with errors that name the field: the configuration of ``ConsumptionPriceReporter``.

What it means: ``consumption_price.py``.
"""

from __future__ import annotations

import math
from datetime import time, timedelta
from typing import Any

from flexmeasures import Sensor
from flexmeasures.data.schemas.reporting import ReporterConfigSchema
from flexmeasures.data.schemas.sensors import SensorIdField
from flexmeasures.utils.unit_utils import convert_units, is_energy_price_unit
from marshmallow import ValidationError, fields, post_dump, post_load, validate, validates_schema

from smart_boiler_plugin.clock.quarter import HOUR, QUARTER
from smart_boiler_plugin.clock.week import EVERY_DAY, MIDNIGHT, show_days
from smart_boiler_plugin.clock.week_schema import WindowSchema, clock_time
from smart_boiler_plugin.prices.consumption_price import Fee
from smart_boiler_plugin.units import currency_of, split

MOST_VAT_PERCENT = 100

LONGEST = HOUR
"""For how long a spot price may hold: days are not all equally long."""


class FeeAmount(fields.Field):  # type: ignore[type-arg]  # not generic in marshmallow 3, which Python 3.10 has
    """Money per energy, such as "0.05 EUR/kWh": its amount [currency/kWh] and its currency."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> tuple[float, str]:  # noqa: ARG002
        number, unit = (split(value) if isinstance(value, str) else None) or (math.nan, None)
        if unit is None or not math.isfinite(number) or not is_energy_price_unit(unit):
            raise ValidationError(f"'{value}' is no money per energy. Expected, for example, '0.05 EUR/kWh'.")
        currency = currency_of(unit)
        return float(convert_units(number, unit, f"{currency}/kWh")), currency

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> str:  # noqa: ARG002
        return f"{value[0]:.12g} {value[1]}/kWh"


def _full_quarter(moment: time) -> None:
    """Refuse a time within a quarter of an hour: a part of it has no price of its own."""
    if timedelta(minutes=moment.minute) % QUARTER:
        raise ValidationError("Must be a full quarter of an hour, as prices are: 07:00 or 07:15.")


class FeeSchema(WindowSchema):
    """One fee: ``{"fee": "0.05 EUR/kWh"}``, or in a part of the week.

    ``{"fee": "0.05 EUR/kWh", "days": "mon-fri", "from": "07:00", "until": "23:00"}``
    """

    begin = clock_time(data_key="from", validate=_full_quarter, metadata={"example": "07:00"})
    until = clock_time(validate=_full_quarter, metadata={"example": "23:00"})
    amount = FeeAmount(data_key="fee", required=True, metadata={"example": "0.05 EUR/kWh"})

    @validates_schema
    def _both_or_none(self, data: dict[str, Any], **_: Any) -> None:
        for one, other, key in (("begin", "until", "until"), ("until", "begin", "from")):
            if one in data and other not in data:
                raise ValidationError("Give both 'from' and 'until', or none of them.", key)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Fee:
        per_kwh, currency = data.pop("amount")
        return Fee(per_kwh=per_kwh, currency=currency, **data)

    def get_attribute(self, obj: Fee, attr: str, default: Any) -> Any:
        """Return what is dumped of a fee."""
        return (obj.per_kwh, obj.currency) if attr == "amount" else super().get_attribute(obj, attr, default)

    @post_dump
    def _leave_out_defaults(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Leave out what holds anyway, so that one fee is always written in one way."""
        whole = {"days": show_days(EVERY_DAY)}
        if data["from"] == data["until"] == f"{MIDNIGHT:%H:%M}":
            whole.update({"from": data["from"], "until": data["until"]})
        return {name: value for name, value in data.items() if whole.get(name) != value}


class Fees(fields.List):  # type: ignore[type-arg]  # as above
    """Fees that add up; one that always holds may be written without more, as "0.05 EUR/kWh"."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(fields.Nested(FeeSchema), **arguments)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **arguments: Any) -> Any:
        entries = value if isinstance(value, list) else [value]
        spelt_out = [{"fee": entry} if isinstance(entry, str) else entry for entry in entries]
        return super()._deserialize(spelt_out, attr, data, **arguments)


class Vat(fields.Field):  # type: ignore[type-arg]  # not generic in marshmallow 3, which Python 3.10 has
    """Value-added tax: "21 %" for people, 0.21 for us. 0 to 100 %."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> float:  # noqa: ARG002
        text = value.replace("%", "percent") if isinstance(value, str) else ""
        number, unit = split(text) or (math.nan, None)
        if unit != "percent" or not 0 <= number <= MOST_VAT_PERCENT:
            raise ValidationError(f"'{value}' is no share from 0 to 100 %. Expected, for example, '21 %'.")
        return round(number / 100, 12)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> str:  # noqa: ARG002
        return f"{value * 100:.12g} %"


class ConsumptionPriceConfigSchema(ReporterConfigSchema):
    """Configuration of ``ConsumptionPriceReporter``.

    ``{"price_sensor": 5, "factor": 1.02, "fees": "0.05 EUR/kWh", "vat": "21 %"}``
    """

    price_sensor = SensorIdField(required=True, metadata={"description": "Where the spot prices are.", "example": 5})
    factor = fields.Float(load_default=1.0, validate=validate.Range(0))
    fees = Fees(load_default=list)
    vat = Vat(load_default=0.0, metadata={"example": "21 %"})

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        sensor: Sensor = data["price_sensor"]
        if not is_energy_price_unit(sensor.unit):
            raise ValidationError(
                f"Sensor {sensor.id} is in {sensor.unit or 'no unit'}, which is no money per energy, such as EUR/MWh.",
                "price_sensor",
            )
        resolution: timedelta = sensor.event_resolution
        if not resolution or resolution > LONGEST or (resolution % QUARTER and QUARTER % resolution):
            raise ValidationError(
                f"Prices of sensor {sensor.id} hold for {resolution}. Expected, for example, 1:00:00 or 0:15:00.",
                "price_sensor",
            )
        currency = currency_of(sensor.unit)
        strange = {
            i: {"fee": [f"Is in {fee.currency}, but the prices of sensor {sensor.id} are in {currency}."]}
            for i, fee in enumerate(data["fees"])
            if fee.currency != currency
        }
        if strange:
            raise ValidationError({"fees": strange})
