"""Bring what earlier versions stored to today's form, for all boilers and tariffs.

The steps: ``boiler/upgrading.py``, and ``misuse.py`` for what households should not have stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flask import current_app
from flexmeasures import Asset
from flexmeasures.data import db

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.owners import boiler_ids
from smart_boiler_plugin.boiler.upgrading import STEPS, Step, take_former_floor_away
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.fleet.misuse import MENDING
from smart_boiler_plugin.prices.tariffs import adopt_former
from smart_boiler_plugin.transactions import is_away, transaction


@dataclass(frozen=True)
class Upgraded:
    """What was changed of one boiler or tariff.

    Parameters
    ----------
    asset_id, name
        Of its asset.
    changes
        What was changed, for people; empty where nothing was to be done.
    problems
        What could not be done, and why.

    """

    asset_id: int
    name: str
    changes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def upgrade(*, dry_run: bool = False, set_points: bool = False) -> Iterator[Upgraded]:
    """Bring all that is stored to today's form. Harmless to repeat; commits after each boiler.

    What is wrong with one boiler stops no other, and no other step of its own.

    Parameters
    ----------
    dry_run
        Find out what would be changed, and change nothing.
    set_points
        Move those boilers over to set-points alone that had a floor by default.

    Yields
    ------
    Upgraded
        For each tariff that got its data source, and then for each boiler.

    """
    with transaction(commit=not dry_run):
        adopted = [Upgraded(one.asset.id, one.name, ("data source of the tariff",)) for one in adopt_former()]
        if dry_run:
            db.session.rollback()
    yield from adopted
    for asset_id in boiler_ids():
        with transaction(commit=not dry_run):
            upgraded = _upgrade(asset_id, (*MENDING, *((take_former_floor_away,) if set_points else ()), *STEPS))
            if dry_run:
                db.session.rollback()
        yield upgraded


def _upgrade(asset_id: int, steps: Iterable[Step]) -> Upgraded:
    """Take steps with one boiler, each in a savepoint of its own."""
    name, changes, problems = "", [], []
    for step in steps:
        try:
            with db.session.begin_nested():
                asset = db.session.get_one(Asset, asset_id)
                name = asset.name
                changed = step(Boiler(asset))
        except Exception as error:
            if is_away(error):
                raise
            # whatever somebody wrote into its attributes
            problems.append(_told(asset_id, error))
        else:
            changes += [changed] if changed else []
    # one thing that is wrong may stop several steps
    return Upgraded(asset_id, name, tuple(changes), tuple(dict.fromkeys(problems)))


def _told(asset_id: int, error: Exception) -> str:
    """Return what went wrong, for people; what was not foreseen goes to the server's log as well."""
    if isinstance(error, SmartBoilerError):
        return str(error)
    current_app.logger.error("Asset %s could not be upgraded", asset_id, exc_info=error)
    return f"{type(error).__name__}: {error}".splitlines()[0] + " (the server's log has the details)"
