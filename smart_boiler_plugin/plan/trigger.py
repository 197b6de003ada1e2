"""What a trigger says of boilers, kept apart from what is stored on their assets.

The host merges the two when a plan is asked for, hands the result to the worker, and merges there again: what the
trigger itself said is remembered in a field of the flex-model that is ours alone (``GIVEN``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from marshmallow import ValidationError
from rq import get_current_job

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.plan.degrees import in_kwh

GIVEN = "given-by-trigger"
"""Field of a flex-model, ours alone, that lists what the trigger itself gave."""

KINDS = (
    {"soc-at-start", "state-of-charge"},
    {"soc-min", "soc-minima"},
    {"soc-usage"},
    # the gain is the constant part of the standing loss: with another storage efficiency it means nothing
    {"storage-efficiency", "soc-gain"},
    {"power-capacity", "consumption-capacity"},
    {"charging-efficiency", "roundtrip-efficiency"},
)
"""Fields of a flex-model that say the same kind of thing: what a trigger says replaces all of the boiler's own.

Not so ``soc-maxima``: what somebody wishes for some hours lifts no limit of the tank, which only ``soc-max`` names.
"""

CURRENT_NAMES = {"consumption-price-sensor": "consumption-price", "production-price-sensor": "production-price"}
"""Old names of fields of a flex-context, which the host takes in a trigger but not beside a stored new one."""


def understood(
    entry: Mapping[str, Any],
    boiler: Boiler,
    read: Callable[[dict[str, Any]], list[dict[str, Any]]],
    *,
    marked: bool,
) -> dict[str, Any]:
    """Return a boiler's part of a flex-model without degrees, which remembers what the trigger gave.

    Parameters
    ----------
    entry
        As the trigger has it, or as it was marked before.
    boiler
        Which.
    read
        Returns the events of a temperature sensor (``degrees.in_kwh``).
    marked
        Whether we have marked it ourselves.

    Raises
    ------
    marshmallow.ValidationError
        If a temperature is none, or the trigger names our own field: outside of a job, nobody has marked anything.

    """
    if GIVEN in entry and not marked and get_current_job() is None:
        raise ValidationError({GIVEN: ["Unknown field."]})
    in_energy = in_kwh(entry, boiler.data.tank, read)
    return {GIVEN: sorted(in_energy), **in_energy}


def without_replaced(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a merged flex-model without those of the boiler's own fields that the trigger replaced."""
    given = set(entry.get(GIVEN, ()))
    replaced = set().union(*(kind - given for kind in KINDS if kind & given))
    return {name: value for name, value in entry.items() if name not in replaced}


def with_prices_of_site(
    context: Mapping[str, Any], of_site: Mapping[str, Any], named: Collection[str]
) -> dict[str, Any]:
    """Return a boiler's flex-context with its site's prices, but for those that the trigger names.

    A boiler in a site has no prices of its own: they would shadow what the site pays and is paid. Where the site has
    none, the boiler's stay.
    """
    if "consumption-price" not in of_site:
        return dict(context)
    stays = {name: value for name, value in context.items() if name not in CURRENT_NAMES.values() or name in named}
    return {**{name: of_site[name] for name in CURRENT_NAMES.values() if name in of_site}, **stays}


def with_current_names(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return a flex-context with the names that its fields have today."""
    return {
        CURRENT_NAMES.get(name, name): {"sensor": value} if name in CURRENT_NAMES else value
        for name, value in context.items()
    }
