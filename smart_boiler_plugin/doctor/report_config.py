"""The configuration of a cost report of the host's: which ends in a bare AssertionError where units do not fit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml
from flexmeasures import Sensor
from flexmeasures.data.schemas.reporting.profit import ProfitOrLossReporterConfigSchema
from flexmeasures.utils.unit_utils import is_currency_unit, ur
from marshmallow import ValidationError

from smart_boiler_plugin.doctor.findings import Finding
from smart_boiler_plugin.prices import tariffs
from smart_boiler_plugin.units import currency_of

ABOUT = "report config"

ENERGY = "kWh"
"""What boilers take, whose fill rate is in kW."""


def check(file: Path) -> Iterator[Finding]:
    """Find out whether a configuration of ProfitOrLossReporter fits boilers, whose power is in kW.

    Parameters
    ----------
    file
        JSON or YAML, as ``flexmeasures add report --config`` reads it.

    """
    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        yield Finding(f"{file} cannot be read: {error}", "Write JSON, or YAML.", ABOUT)
        return
    try:
        config = ProfitOrLossReporterConfigSchema().load(said)
    except ValidationError as error:
        told = f"{file} is no configuration of ProfitOrLossReporter: {error.messages}"
        yield Finding(
            told, f'For example {{"consumption_price_sensor": {_examples()}, "loss_is_positive": true}}', ABOUT
        )
        return
    wrong = {config[name] for name in ("consumption_price_sensor", "production_price_sensor")} - {None}
    wrong = {sensor for sensor in wrong if not is_currency_unit(ur.Unit(sensor.unit) * ur.Unit(ENERGY))}
    for sensor in sorted(wrong, key=lambda each: each.id):
        yield Finding(
            f"Sensor {sensor.id} ('{sensor.name}' of {sensor.generic_asset.name}) is in {sensor.unit}, and boilers "
            "report in kW: the report ends in an AssertionError.",
            f"Name a consumption price in {currency_of(sensor.unit)}/kWh: sensor {_examples(sensor)}",
            ABOUT,
        )
    if not wrong:
        yield Finding(f"{file} fits boilers, whose power is in kW.", about=ABOUT)


def _examples(instead: Sensor | None = None) -> str:
    """Return which sensors of consumption prices there are: those made of a spot price, if there are any."""
    known = tariffs.all_tariffs()
    if instead is not None:
        of_it = [each for each in known if each.terms.price_sensor and each.terms.price_sensor.id == instead.id]
        same = [each for each in known if each.currency == currency_of(instead.unit)]
        known = of_it or same
    shown = " or ".join(f"{each.sensor.id} ({each.name})" for each in known[:3])
    if instead is None:
        return str(known[0].sensor.id) if known else "7"
    return shown or "of none yet: flexmeasures smart-boiler update-prices makes one"
