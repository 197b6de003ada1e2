"""The configuration of ``ConsumptionPriceReporter`` as JSON, with errors that name the field.

Its simple form (``factor``, ``fees``, ``vat``) is another way to write a contract. What that means: ``contract.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from flexmeasures import Sensor
from flexmeasures.data.schemas.reporting import ReporterConfigSchema
from flexmeasures.data.schemas.sensors import SensorIdField
from flexmeasures.utils.unit_utils import is_energy_price_unit
from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from smart_boiler_plugin.clock.quarter import HOUR, QUARTER
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.prices.contract import Contract, Part
from smart_boiler_plugin.prices.contract_fields import Rate
from smart_boiler_plugin.prices.contract_schema import LARGEST_FACTOR, ContractSchema, TimedRateSchema, Vats
from smart_boiler_plugin.units import currency_of

LONGEST = HOUR
"""For how long a spot price may hold: days are not all equally long."""

SIMPLE = {"factor": 1.0, "fees": [], "vat": ()}
"""The simple form, and what holds where something is left out."""


class FeeSchema(TimedRateSchema):
    """One fee of the simple form: ``{"fee": "0.05 EUR/kWh"}``, always or at some times.

    ``{"fee": "0.05 EUR/kWh", "days": "mon-fri", "from": "07:00", "until": "23:00", "months": "oct-mar"}``
    """

    amount = Rate(data_key="fee", required=True, metadata={"example": "0.05 EUR/kWh"})


class Fees(fields.List):  # type: ignore[type-arg]  # not generic in marshmallow 3, which Python 3.10 has
    """Fees that add up; one that always holds may be written without more, as "0.05 EUR/kWh"."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(fields.Nested(FeeSchema), **arguments)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **arguments: Any) -> Any:
        entries = value if isinstance(value, list) else [value]
        spelt_out = [{"fee": entry} if isinstance(entry, str) else entry for entry in entries]
        return super()._deserialize(spelt_out, attr, data, **arguments)


class TermsSchema(ReporterConfigSchema):
    """What is paid for a kWh: a contract, or its simple form.

    ``{"contract": {...}}``, or ``{"factor": 1.02, "fees": "0.05 EUR/kWh", "vat": "21 %"}``
    """

    contract = fields.Nested(ContractSchema)
    factor = fields.Float(validate=validate.Range(0, LARGEST_FACTOR))
    fees = Fees()
    vat = Vats(metadata={"example": "21 %"})

    @validates_schema
    def _one_form(self, data: dict[str, Any], **_: Any) -> None:
        _refuse_beside("contract", data, SIMPLE)

    @post_load
    def _fill_in(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Spell the simple form out, so that it is written in one way only."""
        return data if "tariff" in data or "contract" in data else {**SIMPLE, **data}


class ConsumptionPriceConfigSchema(TermsSchema):
    """Configuration of ``ConsumptionPriceReporter``: terms and where their spot prices are, or the id of a tariff.

    ``{"price_sensor": 5, "contract": {...}}``, ``{"price_sensor": 5, "factor": 1.02, "fees": "0.05 EUR/kWh", "vat":
    "21 %"}``, or ``{"tariff": 7}``.
    """

    tariff = fields.Integer(strict=True, metadata={"description": "Asset of a tariff.", "example": 7})
    price_sensor = SensorIdField(metadata={"description": "Where the spot prices are.", "example": 5})

    @validates_schema
    def _has_spot_prices(self, data: dict[str, Any], **_: Any) -> None:
        _refuse_beside("tariff", data, {*data} - {"tariff"})
        if "tariff" not in data and "price_sensor" not in data and needs_spot(contract_of(data)):
            raise ValidationError("Missing data for required field.", "price_sensor")

    @validates_schema
    def _check_sensor(self, data: dict[str, Any], **_: Any) -> None:
        sensor: Sensor | None = data.get("price_sensor")
        if sensor is None:
            return
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
        currency, told = currency_of(sensor.unit), f"but the prices of sensor {sensor.id} are in"
        strange = {
            i: {"fee": [f"Is in {fee.currency}, {told} {currency}."]}
            for i, fee in enumerate(data.get("fees", []))
            if fee.currency != currency
        }
        if strange:
            raise ValidationError({"fees": strange})
        for other in contract_of(data).currencies - {currency} if "tariff" not in data else ():
            raise ValidationError(f"Is in {other}, {told} {currency}.", "contract")


def _refuse_beside(name: str, data: Mapping[str, Any], others: Iterable[str]) -> None:
    """Refuse a field where there are others that say the same in another way."""
    beside = sorted({*data} & {*others})
    if name in data and beside:
        raise ValidationError(f"Goes without {', '.join(beside)}.", name)


def load_contract(terms: Mapping[str, Any]) -> Contract:
    """Return the contract of terms as JSON (``TermsSchema``).

    Raises
    ------
    SmartBoilerError
        If they are wrong; the message names the field.

    """
    try:
        return contract_of(TermsSchema().load(dict(terms)))
    except ValidationError as error:
        raise SmartBoilerError(error.messages_dict) from error


def check_spot_prices(sensor_id: int, contract: Contract) -> Sensor:
    """Return the sensor of an id, as one on whose prices a contract can rest.

    Raises
    ------
    SmartBoilerError
        If it cannot, or there is none.

    """
    config = {"price_sensor": sensor_id, "contract": ContractSchema().dump(contract)}
    try:
        sensor: Sensor = ConsumptionPriceConfigSchema().load(config)["price_sensor"]
    except ValidationError as error:
        raise SmartBoilerError(error.messages_dict) from error
    return sensor


def contract_of(terms: Mapping[str, Any]) -> Contract:
    """Return the contract of a configuration that names no tariff: its own, or what its simple form says."""
    if "contract" in terms:
        contract: Contract = terms["contract"]
        return contract
    simple = {**SIMPLE, **terms}
    # without a factor, there is no spot price to wait for
    spot = [Part(factor=simple["factor"])] if simple["factor"] or not simple["fees"] else []
    return Contract(parts=(*spot, *simple["fees"]), vat=tuple(simple["vat"]))


def needs_spot(contract: Contract) -> bool:
    """Return whether a contract has a part on the spot price."""
    return any(part.factor is not None for part in contract.parts)
