"""What a plan rests on, noted with its boiler's asset: so it is known when that has changed, and why it was made.

Written and read for all boilers of a chunk by one statement each. A household may write there, too: whatever it does,
it is its own boiler that is planned once more, or not.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from flexmeasures import Asset
from flexmeasures.data import db
from sqlalchemy import text

from smart_boiler_plugin import stored
from smart_boiler_plugin.boiler import history
from smart_boiler_plugin.boiler.door import COMFORT, DESCRIBED
from smart_boiler_plugin.facts.sql import array
from smart_boiler_plugin.stored import as_object

ATTRIBUTE = "smart-boiler-plan"
"""Attribute of a boiler's asset."""

KEPT = 10
"""How many times it is kept why a plan was made anew."""

DIGESTS = ("boiler", COMFORT, "tariff")

_FIELDS = " || ".join(f"coalesce((own->'{field}')::text, '-')" for field in DESCRIBED)

RESTS_ON = text(f"""
    SELECT id, price,
           left(md5({_FIELDS} || coalesce(flex_model::text, '-')), 12) AS boiler,
           left(md5(coalesce((own->'{COMFORT}')::text, '-')), 12) AS comfort,
           left(md5(coalesce(flex_context::text, '-') || coalesce(ahead::text, '')), 12) AS tariff,
           CASE WHEN jsonb_typeof(noted) = 'object' THEN noted - 'history' END AS noted
    FROM (
        SELECT id, flex_model, flex_context,
               attributes->'{stored.ATTRIBUTE}' AS own, attributes->'{ATTRIBUTE}' AS noted,
               attributes->'{history.ATTRIBUTE}'->'{history.AHEAD}' AS ahead,
               flex_context->'consumption-price'->'sensor' AS price
        FROM generic_asset WHERE id = ANY(CAST(:asset_ids AS integer[]))
    ) AS boilers
    ORDER BY id
""")  # noqa: S608 (names of our own)
"""What the database makes of boilers' data as JSON is always the same text for the same data."""

NOTE = text(f"""
    WITH locked AS (
        SELECT id FROM generic_asset WHERE id = ANY(CAST(:asset_ids AS integer[])) ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE generic_asset SET attributes = attributes || jsonb_build_object('{ATTRIBUTE}', jsonb_build_object(
        'at', CAST(:at AS text), 'start', CAST(:start AS text), 'until', given.until, 'why', given.why,
        'rests_on', CAST(given.rests_on AS jsonb),
        'history', jsonb_build_array(jsonb_build_array(CAST(:at AS text), given.why)) || coalesce(
            jsonb_path_query_array(attributes->'{ATTRIBUTE}'->'history', '$[0 to {KEPT - 2}]'), '[]')))
    FROM locked JOIN unnest(
        CAST(:asset_ids AS integer[]), CAST(:untils AS text[]), CAST(:whys AS text[]), CAST(:rests_on AS text[])
    ) AS given (id, until, why, rests_on) USING (id)
    WHERE generic_asset.id = given.id AND jsonb_typeof(attributes) = 'object'
          AND coalesce(attributes->'{ATTRIBUTE}'->>'at', '') <= :at
""")  # noqa: S608 (names of our own)
"""A plan of an earlier moment takes nothing away from a later one. Rows are locked by one order, and last."""


@dataclass(frozen=True)
class RestsOn:
    """What a boiler's plan rests on.

    Parameters
    ----------
    asset_id
        Of the boiler.
    price_id
        Of the sensor of its consumption price, as its flex-context names it; None where it names none.
    digests
        Of what is stored of it now, by ``DIGESTS``.
    noted
        What is noted of its last plan, untrue until checked; empty where there is none.

    """

    asset_id: int
    price_id: int | None
    digests: Mapping[str, str]
    noted: Mapping[str, Any]


@dataclass(frozen=True)
class Note:
    """What is to be noted of a plan: until when it is, why it was made, and digests of what it rests on."""

    until: datetime
    why: str
    rests_on: Mapping[str, str]


def rests_on(asset_ids: Collection[int]) -> dict[int, RestsOn]:
    """Return what plans of boilers rest on, by the ids of their assets, ascending; one SQL statement."""
    rows = db.session.execute(RESTS_ON, {"asset_ids": array(asset_ids)})
    return {
        asset_id: RestsOn(
            asset_id, price if stored.is_id(price) else None, dict(zip(DIGESTS, digests, strict=True)), as_object(noted)
        )
        for asset_id, price, *digests, noted in rows
    }


def note(notes: Mapping[int, Note], start: datetime, at: datetime) -> None:
    """Note what plans rest on with their boilers' assets, by one SQL statement; commits nothing.

    Parameters
    ----------
    notes
        By the ids of the assets.
    start, at
        When the plans begin, and the moment of what they know.

    """
    if not notes:
        return
    given = list(notes.values())
    columns = {
        "untils": [iso(each.until) for each in given],
        "whys": [each.why for each in given],
        "rests_on": [json.dumps(dict(each.rests_on)) for each in given],
    }
    db.session.execute(NOTE, {"asset_ids": array(notes), "start": iso(start), "at": iso(at), **columns})


def history_of(asset: Asset) -> list[tuple[str, str]]:
    """Return when and why a boiler was planned the last times, the last one first; what is no such is left out."""
    known = as_object(stored.read(asset, ATTRIBUTE)).get("history")
    pairs = known if isinstance(known, list) else []
    return [
        (pair[0], pair[1])
        for pair in pairs
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(each, str) for each in pair)  # noqa: PLR2004
    ]


def iso(moment: datetime) -> str:
    """Return a moment in UTC as a text that sorts by time."""
    return moment.astimezone(timezone.utc).isoformat(timespec="microseconds")
