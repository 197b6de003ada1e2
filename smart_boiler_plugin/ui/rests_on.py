"""What a boiler's plans rest on, in sentences: from the account of a plan (``plan.problem.Problem.account``)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.ui.reader import NBSP, Reader

FROM_GUESS = {
    "floor": "No reading is known: a plan starts from the floor, {}.",
    "useful temperature": "No reading is known: a plan starts from the useful temperature, {}.",
}


def rests_on(account: Mapping[str, Any], policy: Policy, reader: Reader, now: datetime) -> list[str]:
    """Return what a plan of now would rest on: where it starts, who draws, which prices, and what is not believed.

    Parameters
    ----------
    account
        Of the plan's problem.
    policy
        What the server's settings say.
    reader, now
        Who reads, when.

    """
    told = [_start(account.get("start", {}), reader, now), *_draw_offs(account.get("draw_offs", {}), reader)]
    told += _prices(account.get("assumed_prices", ()), policy, reader, now)
    told += [f"Not believed: {each}" for each in account.get("readings_not_believed", ())]
    missing = [role for role in account.get("missing", ()) if role != "price"]
    told += [f"Missing or changed sensors: {', '.join(missing)}."] if missing else []
    return told


def hygiene_told(
    account: Mapping[str, Any], data: BoilerData, policy: Policy, reader: Reader, now: datetime
) -> list[str]:
    """Return what is known of a boiler's hygiene: when it was done, when it is due, and when it is planned.

    Parameters
    ----------
    account
        Of the plan's problem.
    data
        The boiler.
    policy
        What the server's settings say.
    reader, now
        Who reads, when.

    """
    known = account.get("hygiene", {})
    if off := known.get("off"):
        return [f"Switched off: {off}"]
    told = []
    if done := _moment(known.get("last_done")):
        told.append(f"Last done {reader.at(done, now)}.")
    else:
        told.append(f"Not seen in the last days: {reader.degrees(policy.hygiene_temperature_c)} were not read.")
    if due := _moment(known.get("due")):
        told.append(f"Due by {reader.until(due, now)}.")
    begin, end = (_moment(known.get(name)) for name in ("planned_from", "planned_until"))
    if begin and end:
        told.append(f"In the next plan: hot from {reader.at(begin, now)} to {reader.time(end)}.")
    if problem := known.get("problem"):
        told.append(f"Problem: {problem}.")
    if data.temperature_max_c < policy.hygiene_temperature_c and not known.get("problem"):
        told.append(f"The ceiling of {reader.degrees(data.temperature_max_c)} is below what hygiene needs.")
    return told


def _start(start: Mapping[str, Any], reader: Reader, now: datetime) -> str:
    origin, temperature = start.get("from"), str(start.get("temperature", "")).replace(" ", NBSP)
    measured = _moment(start.get("measured_at"))
    if origin in FROM_GUESS:
        return FROM_GUESS[origin].format(temperature)
    at = f" of {reader.at(measured, now)}" if measured else ""
    if origin == "reading":
        more = f", which reports {start['reports']}" if start.get("reports") else ""
        return f"A plan starts from the reading{at}, {temperature}{more}."
    reading = str(start.get("reading", "")).replace(" ", NBSP)
    return (
        f"A plan starts from {temperature}: the reading{at}, {reading}, carried forward by what was heated and drawn."
    )


def _draw_offs(drawn: Mapping[str, Any], reader: Reader) -> list[str]:
    days, profile = drawn.get("days_learned"), drawn.get("tapping_profile")
    if days is None:
        return []
    share = reader.number(100 * float(drawn.get("weight_of_tapping_profile", 1.0)), "%")
    learned = f"{days} day{'' if days == 1 else 's'} of readings"
    if not days:
        told = f"What is drawn is expected as of the tapping profile {profile}: nothing is learned yet."
    else:
        told = f"What is drawn is learned from {learned}; the tapping profile {profile} counts {share}."
    away = drawn.get("steps_nobody_at_home", 0)
    return [told, f"Nobody is at home in {reader.number(away / 4, 'h')} of it."] if away else [told]


def _prices(assumed: Any, policy: Policy, reader: Reader, now: datetime) -> list[str]:
    if not assumed:
        return ["All prices ahead are known."]
    days = reader.number(policy.typical_price_span.total_seconds() / 86400)
    since = _moment(assumed[0]["from"])
    return [
        f"Prices are not known from {reader.until(since, now)} on: what was typical of the last {days} days counts."
    ]


def _moment(told: Any) -> datetime | None:
    return datetime.fromisoformat(told) if told else None
