"""The line of state: prices, the last run, workers; and what has become of what was just asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from smart_boiler_plugin.fleet.overview import Overview
from smart_boiler_plugin.fleet.told import NO_PLAN
from smart_boiler_plugin.jobs import Job
from smart_boiler_plugin.ui.reader import Reader

PRICES_AT_LEAST = timedelta(hours=9)
"""How long prices must be known: those of tomorrow come at about 13:00, so that by 15:00 they are missed."""

RUN_WITHIN = timedelta(hours=3)
"""How long ago the last run may be: plans are made anew each hour (``docs/operating.md``)."""

GOOD, WARNS, BAD = "good", "warns", "bad"


@dataclass(frozen=True)
class Told:
    """One thing of the service, in words; ``how`` it is is one of GOOD, WARNS and BAD.

    A ``link`` is a state that shows more, and ``linked`` its words.
    """

    how: str
    text: str
    link: str = ""
    linked: str = ""


def service_of(shown: Overview, reader: Reader) -> list[Told]:
    """Return how prices, the last run and workers are."""
    return [_prices(shown, reader), _run(shown, reader), _workers(shown, reader)]


def _prices(shown: Overview, reader: Reader) -> Told:
    until = shown.prices_known_until
    if until is None:
        missing = sum(each.member.price_id not in shown.tariffs for each in shown.states)
        return Told(BAD, f"No price is known of {reader.number(missing)} boiler{'s' if missing > 1 else ''}")
    first = min(shown.tariffs.values(), key=lambda known: known.until).name
    when = reader.until(until, shown.at)
    if until - shown.at < PRICES_AT_LEAST:
        return Told(BAD, f"No prices after {when} ({first}): those of the next day usually come by 13:30")
    return Told(GOOD, f"Prices known until {when} ({first})")


def _run(shown: Overview, reader: Reader) -> Told:
    run = shown.last_run
    if run is None:
        return Told(WARNS, "No run yet that plans all boilers")
    planned = f"{reader.number(run.planned + run.told)} planned"
    told = f"Last run {reader.at(run.at, shown.at)}: {planned}"
    if run.failed:
        return Told(WARNS, f"{told}, ", NO_PLAN, f"{reader.number(run.failed)} failed")
    return Told(GOOD if shown.at - run.at < RUN_WITHIN else WARNS, f"{told}, none failed")


def _workers(shown: Overview, reader: Reader) -> Told:
    if shown.workers is None or shown.waiting is None:
        return Told(BAD, "Redis gives no answer: nothing is planned until it does")
    waiting = f"{reader.number(shown.waiting)} job{' waits' if shown.waiting == 1 else 's wait'}"
    if not shown.workers:
        return Told(BAD, f"No worker is alive, {waiting if shown.waiting else 'nothing waits yet'}")
    alive = "Worker alive" if shown.workers == 1 else f"{reader.number(shown.workers)} workers alive"
    return Told(GOOD, f"{alive}, {waiting if shown.waiting else 'nothing waiting'}")


def job_told(job: Job | None) -> Told | None:
    """Return how far a job of plans is, for people; None where there is none."""
    if job is None or job.kind != "plans":
        return None
    boilers = f"{job.total} boiler{'' if job.total == 1 else 's'}"
    if not job.total:
        return Told(GOOD, "No boiler needed a new plan.")
    if job.waiting:
        how_far = f"{job.done} done, " if job.done else ""
        return Told(WARNS, f"New plans were asked for, of {boilers}: {how_far}{len(job.waiting)} waiting for a worker.")
    failed = job.outcomes.get("failed", 0)
    why = next((str(each.get("message", "")) for each in job.results if each.get("result") == "Failed"), "")
    if failed:
        return Told(BAD, f"Planned anew: {job.total - failed} of {boilers}, {failed} failed. {why}")
    return Told(GOOD, f"Planned anew: {boilers}.")
