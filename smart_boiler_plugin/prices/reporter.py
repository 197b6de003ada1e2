"""ConsumptionPriceReporter, which FlexMeasures finds by name: ``flexmeasures add report --reporter ...``.

How a consumption price is calculated: ``contract.py``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import timely_beliefs as tb
from flexmeasures import Sensor
from flexmeasures.data.models.reporting import Reporter
from flexmeasures.data.schemas.io import Input, Output
from flexmeasures.data.schemas.reporting import ReporterParametersSchema
from flexmeasures.utils.time_utils import server_now
from flexmeasures.utils.unit_utils import convert_units, is_energy_price_unit
from marshmallow import ValidationError, fields, validate, validates

from smart_boiler_plugin.clock.quarter import HOUR, QUARTER
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.prices.contract import Version, consumption_price
from smart_boiler_plugin.prices.quarters import in_quarters
from smart_boiler_plugin.prices.sensors import known_prices
from smart_boiler_plugin.prices.tariff_schema import ConsumptionPriceConfigSchema, contract_of
from smart_boiler_plugin.prices.terms import Terms, terms_of
from smart_boiler_plugin.units import currency_of


class ConsumptionPriceParametersSchema(ReporterParametersSchema):
    """Parameters of ``ConsumptionPriceReporter``.

    ``{"output": [{"sensor": 7}], "start": "2026-02-04T00:00+01:00", "end": "2026-02-05T00:00+01:00"}``
    """

    input = fields.List(
        fields.Nested(Input(only=("sensor", "sources", "source_types", "exclude_source_types"))),
        validate=validate.Length(max=1),
    )
    output = fields.List(fields.Nested(Output()), required=True, validate=validate.Length(min=1))

    @validates("output")
    def _check_output(self, value: list[dict[str, Any]], **_: Any) -> None:
        for entry in value:
            sensor: Sensor = entry["sensor"]
            if not is_energy_price_unit(sensor.unit) or sensor.event_resolution != QUARTER:
                raise ValidationError(f"Sensor {sensor.id} does not hold prices of energy per quarter of an hour.")


class ConsumptionPriceReporter(Reporter):
    """What customers on a tariff pay for a kWh: a sum of parts, and VAT on it; each day by the version that held.

    Configuration: ``tariff``, the id of a tariff's asset; or ``contract`` (docs/tariffs.md), and ``price_sensor`` with
    spot prices, in money per energy, where the contract rests on them. In place of a contract, its simple form, (spot
    price * factor + fees) * (1 + VAT): ``factor`` (1 if left out); ``fees``, as one text (``"0.05 EUR/kWh"``) or as a
    list of such texts and of fees that are paid at some times, in the local time of the output (``{"days": "mon-fri",
    "from": "07:00", "until": "23:00", "fee": "0.05 EUR/kWh"}``); ``vat`` (``"21 %"``).

    Parameters: ``output``, sensors in any money per energy of the same currency, per quarter of an hour; ``input``, if
    it is given, is the price sensor again, where ``sources``, ``source_types`` or ``exclude_source_types`` choose among
    its data; by default everything counts that is no forecast. A quarter whose spot price counts and is not known gets
    no consumption price.
    """

    __version__ = None  # as part of the source, it would make newer prices count less than those of a higher version
    __author__ = "smart-boiler-plugin"

    _config_schema = ConsumptionPriceConfigSchema()
    _parameters_schema = ConsumptionPriceParametersSchema()

    @property
    def terms(self) -> Terms:
        """What the prices are made of.

        Raises
        ------
        SmartBoilerError
            If the tariff is gone, or what is stored of it is wrong.

        """
        if "tariff" in self._config:
            return terms_of(self._config["tariff"])
        return Terms((Version(None, contract_of(self._config)),), self._config.get("price_sensor"))

    def _compute_report(
        self,
        start: datetime,
        end: datetime,
        output: list[dict[str, Any]],
        input: list[dict[str, Any]] | None = None,  # noqa: A002 (the host's)
        belief_time: datetime | None = None,
        **_: Any,
    ) -> list[dict[str, Any]]:
        """Return the consumption prices of a span, for each sensor of the output.

        Raises
        ------
        marshmallow.ValidationError
            If the input is not the price sensor, an output is in another currency, or the tariff is broken.

        """
        try:
            terms = self.terms
        except SmartBoilerError as error:
            raise ValidationError(error.message) from error  # type: ignore[arg-type]  # a sentence, or by field
        known_at = belief_time or server_now()
        # whole hours, as a contract may settle their means; in UTC, as all clocks here change by whole hours
        begin, until = pd.Timestamp(start).tz_convert("UTC"), pd.Timestamp(end).tz_convert("UTC")
        spot = _spot_prices(terms.price_sensor, begin - HOUR, until + HOUR, known_at, dict(input[0]) if input else {})
        wanted = (spot.index >= begin) & (spot.index <= until - QUARTER)
        return [
            {
                "name": "consumption price",
                "column": "event_value",
                "sensor": entry["sensor"],
                "data": self._beliefs(_priced(terms, spot, entry["sensor"])[wanted], entry["sensor"], known_at),
            }
            for entry in output
        ]

    def _beliefs(self, price: pd.Series, output: Sensor, known_at: datetime) -> tb.BeliefsDataFrame:
        return tb.BeliefsDataFrame(price.dropna(), sensor=output, source=self.data_source, belief_time=known_at)


def _spot_prices(
    sensor: Sensor | None, start: pd.Timestamp, end: pd.Timestamp, known_at: datetime, search: dict[str, Any]
) -> pd.Series:
    """Return the spot prices [currency/kWh] of all quarters of a span (UTC); NaN where there is none."""
    quarters = pd.date_range(start.ceil(QUARTER), end, freq=QUARTER, inclusive="left")
    if search.pop("sensor", sensor) != sensor:
        expected = f"Must be the price sensor, {sensor.id}." if sensor else "There is no price sensor: leave it out."
        raise ValidationError({"input": [expected]})
    if sensor is None:
        none: pd.Series = pd.Series(np.nan, index=quarters)
        return none
    search["source"] = search.pop("sources", None)
    prices = known_prices(sensor, start, end, known_at, **search)
    known = in_quarters(prices, sensor.event_resolution)
    spot: pd.Series = convert_units(known.reindex(quarters), sensor.unit, f"{currency_of(sensor.unit)}/kWh")
    return spot


def _priced(terms: Terms, spot: pd.Series, output: Sensor) -> pd.Series:
    """Return the consumption prices in the unit of the output; NaN where there is none."""
    currencies = {currency for version in terms.versions for currency in version.contract.currencies}
    currencies |= {currency_of(terms.price_sensor.unit)} if terms.price_sensor else set()
    currency = currency_of(output.unit)
    if currencies != {currency}:
        told = f"Sensor {output.id} is in {output.unit}, but the prices are in {', '.join(sorted(currencies))}."
        raise ValidationError({"output": [told]})
    price = consumption_price(terms.versions, spot.tz_convert(output.timezone))
    converted: pd.Series = convert_units(price, f"{currency}/kWh", output.unit)
    return converted
