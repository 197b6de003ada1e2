"""What the schemas of contracts are made of: amounts of money, VAT, days, regions. As JSON, with errors."""

from __future__ import annotations

import math
from typing import Any

from flexmeasures.utils.unit_utils import convert_units, is_energy_price_unit
from marshmallow import ValidationError, fields

from smart_boiler_plugin.clock.public_holidays import check_region
from smart_boiler_plugin.fields import SHOWN_LENGTH
from smart_boiler_plugin.prices.contract import DAY, MONTH
from smart_boiler_plugin.prices.files import FIRST_YEAR, LAST_YEAR
from smart_boiler_plugin.units import currency_of, split

MOST_VAT_PERCENT = 100

MOST_STEPS = 50
"""How many fixed fees, and how many rates of VAT, a contract may have."""

LARGEST_AMOUNT = 1e6
"""How much a kWh or a day may cost, in any currency."""


def shown(value: Any) -> str:
    """Return a wrong value as its refusal repeats it."""
    text = str(value) if isinstance(value, (str, int, float)) else type(value).__name__
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}..."


class Rate(fields.Field):  # type: ignore[type-arg]  # not generic in marshmallow 3, which Python 3.10 has
    """Money per energy, such as "0.05 EUR/kWh": its amount [currency/kWh] and its currency."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> tuple[float, str]:  # noqa: ARG002
        number, unit = (split(value) if isinstance(value, str) else None) or (math.nan, None)
        if unit is None or not math.isfinite(number) or not is_energy_price_unit(unit):
            raise ValidationError(f"'{shown(value)}' is no money per energy. Expected, for example, '0.05 EUR/kWh'.")
        currency = currency_of(unit)
        amount = float(convert_units(number, unit, f"{currency}/kWh"))
        _refuse_beyond(amount, value)
        return amount, currency

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> str | None:  # noqa: ARG002
        return None if value is None else f"{value[0]:.12g} {value[1]}/kWh"


class FixedAmount(fields.Field):  # type: ignore[type-arg]  # as above
    """Money per day or month, such as "0.25 EUR/day": its amount, its currency, and per what."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> tuple[float, str, str]:  # noqa: ARG002
        number, unit = (split(value) if isinstance(value, str) else None) or (math.nan, None)
        currency, _slash, per = (unit or "").partition("/")
        # of a unit that the host knows as one of energy prices, the money is money
        if per not in {DAY, MONTH} or not math.isfinite(number) or not is_energy_price_unit(f"{currency}/kWh"):
            raise ValidationError(
                f"'{shown(value)}' is no money per day or month. Expected, for example, '0.25 EUR/day' or "
                "'7.50 EUR/month'."
            )
        code = currency_of(currency)
        amount = float(convert_units(number, currency, code))
        _refuse_beyond(amount, value)
        return amount, code, per

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> str:  # noqa: ARG002
        return f"{value[0]:.12g} {value[1]}/{value[2]}"


def _refuse_beyond(amount: float, value: Any) -> None:
    if abs(amount) > LARGEST_AMOUNT:
        raise ValidationError(f"'{shown(value)}' is not possible.")


def day(**arguments: Any) -> fields.Date:
    """Return a field for a local day."""

    def possible(value: Any) -> None:
        if not FIRST_YEAR <= value.year <= LAST_YEAR:
            raise ValidationError(f"{value} is not between {FIRST_YEAR} and {LAST_YEAR}.")

    told = "Must be a day such as 2026-01-31."
    return fields.Date(format="%Y-%m-%d", validate=possible, error_messages={"invalid": told}, **arguments)


class VatShare(fields.Field):  # type: ignore[type-arg]  # as above
    """Value-added tax: "21 %" for people, 0.21 for us. 0 to 100 %."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> float:  # noqa: ARG002
        text = value.replace("%", "percent") if isinstance(value, str) else ""
        number, unit = split(text) or (math.nan, None)
        if unit != "percent" or not 0 <= number <= MOST_VAT_PERCENT:
            raise ValidationError(f"'{shown(value)}' is no share from 0 to 100 %. Expected, for example, '21 %'.")
        return round(number / 100, 12)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> str:  # noqa: ARG002
        return f"{value * 100:.12g} %"


class Regions(fields.Field):  # type: ignore[type-arg]  # as above
    """Whose public holidays count: "ES", "DE-BY", or a list of those and of dates such as "12-25"."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> tuple[str, ...]:  # noqa: ARG002
        regions = value if isinstance(value, list) else [value]
        if not 1 <= len(regions) <= MOST_STEPS or not all(isinstance(region, str) for region in regions):
            raise ValidationError("Must be a country or region, such as ES or DE-BY, or a list of them and of dates.")
        for region in regions:
            try:
                check_region(region)
            except ValueError as error:
                raise ValidationError(str(error)) from error
        return tuple(regions)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> Any:  # noqa: ARG002
        return value[0] if len(value) == 1 else list(value)
