"""What is to be told of a plan to whoever looks after many: what stands in its account and asks for somebody. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

GUESSED_STARTS = {"floor", "useful temperature"}
"""Where a plan starts that knows no reading."""


def told_of(account: Mapping[str, Any]) -> dict[str, str]:
    """Return what is to be told of a plan, sentences by a word for the kind; nothing, most of the time.

    Parameters
    ----------
    account
        What the plan rests on (``Answer.account``).

    """
    told: dict[str, str] = {}
    if str(account.get("plan", "")).startswith("thermostat"):
        told["NO_PRICES"] = "No price is known: it is planned as a thermostat."
    elif spans := account.get("assumed_prices"):
        told["ASSUMED_PRICES"] = f"Prices are not known from {spans[0]['from']} on: typical ones are assumed."
    start = account.get("start", {})
    if start.get("from") in GUESSED_STARTS:
        told["NO_READING"] = f"No reading is known: it is planned from {start.get('temperature')}."
    if missing := [role for role in account.get("missing", ()) if role != "price"]:
        told["MISSING_SENSOR"] = f"Missing or changed sensors: {', '.join(missing)}."
    for fault in account.get("faults", ()):
        told[fault["kind"].replace(" ", "_").upper()] = fault["message"]
    if problem := account.get("hygiene", {}).get("problem"):
        told["HYGIENE"] = f"Hygiene: {problem}."
    if floors := account.get("floors_not_met"):
        told["FLOOR_NOT_MET"] = f"From {floors[0]['from']} on it is colder than it should be, by {floors[0]['by']}."
    if unused := account.get("other_devices_not_planned"):
        told["OTHER_DEVICES"] = f"Other devices of its site are not planned: {unused}"
    return told
