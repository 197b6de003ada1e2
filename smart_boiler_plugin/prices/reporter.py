"""ConsumptionPriceReporter, which FlexMeasures finds by name: ``flexmeasures add report --reporter ...``.

How a consumption price is calculated: ``consumption_price.py``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
import timely_beliefs as tb
from flexmeasures import Sensor
from flexmeasures.data.models.reporting import Reporter
from flexmeasures.data.schemas.io import Input, Output
from flexmeasures.data.schemas.reporting import ReporterParametersSchema
from flexmeasures.utils.time_utils import server_now
from flexmeasures.utils.unit_utils import convert_units, is_energy_price_unit
from marshmallow import ValidationError, fields, validate, validates

from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.prices.consumption_price import consumption_price, in_quarters
from smart_boiler_plugin.prices.sensors import known_prices
from smart_boiler_plugin.prices.tariff_schema import ConsumptionPriceConfigSchema
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
    """What customers on a tariff pay: (spot price * factor + fees) * (1 + VAT).

    Configuration: ``price_sensor`` with the spot prices, in money per energy; ``factor`` (1 if left out); ``fees``, as
    one text (``"0.05 EUR/kWh"``) or as a list of such texts and of fees that are paid in a part of the week, in the
    local time of the output (``{"days": "mon-fri", "from": "07:00", "until": "23:00", "fee": "0.05 EUR/kWh"}``), which
    all add up; ``vat`` (``"21 %"``).

    Parameters: ``output``, sensors in any money per energy of the same currency, per quarter of an hour; ``input``, if
    it is given, is the price sensor again, where ``sources``, ``source_types`` or ``exclude_source_types`` choose among
    its data; by default everything counts that is no forecast. A quarter without spot price gets no consumption price.
    """

    __version__ = None  # as part of the source, it would make newer prices count less than those of a higher version
    __author__ = "smart-boiler-plugin"

    _config_schema = ConsumptionPriceConfigSchema()
    _parameters_schema = ConsumptionPriceParametersSchema()

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
            If the input is not the price sensor, or an output is in another currency.

        """
        price_sensor: Sensor = self._config["price_sensor"]
        known_at = belief_time or server_now()
        spot = self._spot_prices(start, end, known_at, dict(input[0]) if input else {})
        return [
            {
                "name": "consumption price",
                "column": "event_value",
                "sensor": entry["sensor"],
                "data": self._beliefs(self._priced(spot, entry["sensor"], price_sensor), entry["sensor"], known_at),
            }
            for entry in output
        ]

    def _spot_prices(self, start: datetime, end: datetime, known_at: datetime, search: dict[str, Any]) -> pd.Series:
        """Return the spot prices [currency/kWh] per quarter of a span, where there are any."""
        sensor: Sensor = self._config["price_sensor"]
        if search.pop("sensor", sensor) != sensor:
            raise ValidationError({"input": [f"Must be the price sensor of the configuration, {sensor.id}."]})
        search["source"] = search.pop("sources", None)
        prices = known_prices(sensor, start, end, known_at, **search)
        quarters = in_quarters(prices, sensor.event_resolution)
        within = (quarters.index >= start) & (quarters.index <= pd.Timestamp(end) - QUARTER)
        spot: pd.Series = convert_units(quarters[within], sensor.unit, f"{currency_of(sensor.unit)}/kWh")
        return spot

    def _priced(self, spot: pd.Series, output: Sensor, price_sensor: Sensor) -> pd.Series:
        """Return the consumption prices in the unit of the output."""
        currency = currency_of(price_sensor.unit)
        if currency_of(output.unit) != currency:
            raise ValidationError(
                {"output": [f"Sensor {output.id} is in {output.unit}, but the prices are in {currency}."]}
            )
        config = self._config
        price = consumption_price(
            spot.tz_convert(output.timezone), factor=config["factor"], fees=config["fees"], vat=config["vat"]
        )
        converted: pd.Series = convert_units(price, f"{currency}/kWh", output.unit)
        return converted

    def _beliefs(self, price: pd.Series, output: Sensor, known_at: datetime) -> tb.BeliefsDataFrame:
        return tb.BeliefsDataFrame(price, sensor=output, source=self.data_source, belief_time=known_at)
