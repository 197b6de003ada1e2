"""Changes of a boiler: its data, from today on, and where it is. Its comfort: ``Boiler.change_comfort``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flexmeasures.data.models.audit_log import AssetAuditLog

from smart_boiler_plugin import stored
from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.boiler.door import FLOOR_ON_PURPOSE, WORKED_OUT, data_of
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.stored import as_object


def change_boiler(boiler: Boiler, data: dict[str, Any], place: dict[str, Any]) -> None:
    """Change what is given of a boiler, and nothing else; the stored flex-model follows. Does not commit.

    Data are changed from today on, where the boiler is: past days keep what they had (``history.py``).

    Parameters
    ----------
    boiler
        Which.
    data, place
        New values of fields of ``BoilerData`` and ``Place``, by field name.

    Raises
    ------
    SmartBoilerError
        If they do not fit together with the rest.

    """
    asset = boiler.asset
    for name, value in place.items():
        if name == "timezone":
            for sensor in boiler.sensors.values():
                sensor.timezone = value
        else:
            setattr(asset, name, value)
        AssetAuditLog.add_record(asset, f"Updated asset '{asset.name}': {asset.id}; {name} to '{value}'")
    if data:
        stored.lock_row(asset)
        before = _data_or_none(boiler)
        stored.change(asset, lambda known: _with_data(known, data))
        vars(boiler).pop("data", None)
        # what was broken held on no day: what mends it does
        if before not in {None, boiler.data}:
            boiler.note(boiler=before)
        for name, value in data.items():
            AssetAuditLog.add_record(asset, f"Updated asset '{asset.name}': {asset.id}; {name} to '{value}'")
        asset.flex_model = boiler.data.with_flex_model(asset.flex_model)


def _data_or_none(boiler: Boiler) -> BoilerData | None:
    try:
        return data_of(stored.read(boiler.asset))
    except SmartBoilerError:
        return None


def _with_data(known: Any, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is stored of a boiler with other data; where it was broken, these must mend it."""
    # an energy class that is given counts, whatever loss was known before
    forgotten = {WORKED_OUT: None} if "energy_class" in data else {}
    changed = {**as_object(known), **forgotten, **data}
    on_purpose = {FLOOR_ON_PURPOSE: True} if "temperature_min_c" in data else {}
    return {**changed, **asdict(data_of(changed)), **on_purpose}
