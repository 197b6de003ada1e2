"""What earlier versions stored of a boiler, brought to today's form: small steps, each harmless to repeat.

A step is a function that changes a boiler where it must, and returns what it changed, for people; None where nothing
was to be done. Steps flush at most. Who runs them: ``fleet/upgrade.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from smart_boiler_plugin import stored
from smart_boiler_plugin.boiler import history
from smart_boiler_plugin.boiler.asset import (
    ATTRIBUTES_BY_ROLE,
    SCHEDULER,
    TEMPERATURES,
    UNIT_BY_ROLE,
    Boiler,
)
from smart_boiler_plugin.boiler.changing import change_boiler
from smart_boiler_plugin.boiler.data import FORMER_FLOOR_C
from smart_boiler_plugin.boiler.door import FLOOR_ON_PURPOSE
from smart_boiler_plugin.boiler.making import graphs, key_figures, make_missing_sensors, plots
from smart_boiler_plugin.boiler.parts import scheduler_of
from smart_boiler_plugin.stored import as_object

Step = Callable[[Boiler], "str | None"]


def add_missing_sensors(boiler: Boiler) -> str | None:
    """Make the sensors that were not there yet when the boiler was taken on."""
    missing = sorted(UNIT_BY_ROLE.keys() - boiler.sensors.keys())
    if not missing:
        return None
    boiler.sensors = make_missing_sensors(boiler.asset, boiler.timezone, boiler.price)
    return f"sensors: {', '.join(missing)}"


def rebuild_flex_model(boiler: Boiler) -> str | None:
    """Work the stored flex-model out from the boiler's data where it differs; what else stands in it stays."""
    now, ours = boiler.asset.flex_model, boiler.data.with_flex_model(boiler.asset.flex_model)
    changed = sorted(name for name in now.keys() | ours.keys() if now.get(name) != ours.get(name))
    if not changed:
        return None
    stored.lock_row(boiler.asset)
    boiler.asset.flex_model = boiler.data.with_flex_model(boiler.asset.flex_model)
    return f"flex-model: {', '.join(changed)}"


def name_scheduler(boiler: Boiler) -> str | None:
    """Say in the host's attributes of asset and sensors who plans, and in which direction power counts."""
    changed = _set(boiler.asset, "asset", {"custom-scheduler": SCHEDULER})
    for role, wanted in ATTRIBUTES_BY_ROLE.items():
        if role in boiler.sensors:
            changed += _set(boiler.sensors[role], role, wanted)
    return f"attributes: {', '.join(changed)}" if changed else None


def plan_site(boiler: Boiler) -> str | None:
    """Let our scheduler plan the site that the boiler is in, where none is named: the host's takes tanks for empty."""
    site = boiler.asset.parent_asset
    if site is None or scheduler_of(site) is not None:
        return None
    _set(site, "site", {"custom-scheduler": SCHEDULER})
    return f"scheduler of the site: {site.name} (asset {site.id})"


def _set(owner: stored.Owner, called: str, wanted: Mapping[str, Any]) -> list[str]:
    """Set attributes of an asset or sensor where they differ, and return which."""
    differing = {name: value for name, value in wanted.items() if stored.read(owner, name) != value}
    for name, value in differing.items():
        stored.change(owner, partial(_instead, value), name)
    return [f"{name} of {called}" for name in differing]


def _instead(value: Any, _: Any) -> Any:
    return value


def add_key_figures(boiler: Boiler) -> str | None:
    """Show the sums of cost and savings on the boiler's page, where nothing is shown."""
    if boiler.asset.sensors_to_show_as_kpis:
        return None
    boiler.asset.sensors_to_show_as_kpis = key_figures(boiler.sensors)
    return "key figures"


def add_graphs(boiler: Boiler) -> str | None:
    """Show graphs on the boiler's page, where none is shown."""
    if boiler.asset.sensors_to_show:
        return None
    boiler.asset.sensors_to_show = graphs(boiler.price, boiler.sensors)
    return "graphs"


def show_set_points(boiler: Boiler) -> str | None:
    """Show set-points beside the temperature, in a graph of the temperature alone as earlier versions made it."""
    alone, beside = plots(boiler.sensors, "temperature"), plots(boiler.sensors, *TEMPERATURES)
    shown = boiler.asset.sensors_to_show
    changed = [
        {**graph, "plots": beside} if as_object(graph).get("plots") == alone else graph
        for graph in (shown if isinstance(shown, list) else [])
    ]
    if not changed or changed == shown:
        return None
    boiler.asset.sensors_to_show = changed
    return "graph of set-points"


def take_former_floor_away(boiler: Boiler) -> str | None:
    """Take a floor away that an earlier version gave to whoever named none; one that was asked for stays."""
    if boiler.data.temperature_min_c != FORMER_FLOOR_C or as_object(stored.read(boiler.asset)).get(FLOOR_ON_PURPOSE):
        return None
    change_boiler(boiler, {"temperature_min_c": None}, {})
    useful_c = boiler.comfort.useful_temperature_c
    return f"floor of {FORMER_FLOOR_C:g} °C taken away: set-points serve water of {useful_c:g} °C"


def drop_broken_history(boiler: Boiler) -> str | None:
    """Take away what cannot be read of what held before: then what held after it held before, too."""
    kept = stored.read(boiler.asset, history.ATTRIBUTE)
    if history.is_readable(kept):
        return None
    boiler.change_history(history.readable)
    return "what cannot be read of its history"


STEPS: tuple[Step, ...] = (
    drop_broken_history,
    add_missing_sensors,
    rebuild_flex_model,
    name_scheduler,
    plan_site,
    add_key_figures,
    add_graphs,
    show_set_points,
)
"""In their order: the later ones need the sensors, and a price that can be told."""
