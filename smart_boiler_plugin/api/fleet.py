"""One look at the caller's fleet, and its load."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from flask import Response, current_app, jsonify, request
from flask_security import current_user
from flexmeasures.utils.time_utils import server_now
from marshmallow import Schema, ValidationError, fields, validate

from smart_boiler_plugin.api.customer_crud import no_nul
from smart_boiler_plugin.api.guards import guarded, takes
from smart_boiler_plugin.customers.households import is_household, whose_boilers
from smart_boiler_plugin.fleet.load import DECIMALS, LONGEST, Load, csv_of, load_of
from smart_boiler_plugin.fleet.members import members
from smart_boiler_plugin.fleet.overview import overview
from smart_boiler_plugin.fleet.overview_schema import document
from smart_boiler_plugin.fleet.paging import OF_COMPLETED, ORDERS, STATE, chosen
from smart_boiler_plugin.fleet.state import completed
from smart_boiler_plugin.fleet.told import STATES
from smart_boiler_plugin.host import PaginationSchema, SearchFilterField

FORMATS = ("application/json", "text/csv")

BACK, AHEAD = timedelta(hours=6), timedelta(hours=30)
"""What is shown of the load where nobody says from or until when."""


class FleetQuerySchema(PaginationSchema):
    """Query of ``GET /fleet``, in the host's words."""

    state = fields.String(
        validate=validate.OneOf(STATES), metadata={"description": "Boilers in this state alone.", "example": "cold"}
    )
    page = fields.Integer(load_default=1, validate=validate.Range(1, 1_000_000))
    per_page = fields.Integer(data_key="per-page", load_default=25, validate=validate.Range(1, 1_000))
    filter = SearchFilterField(
        validate=no_nul, metadata={"description": "Texts in the name of the customer or the boiler."}
    )
    sort_by = fields.String(
        data_key="sort-by", validate=validate.OneOf([STATE, *ORDERS]), metadata={"description": "By default, by state."}
    )


class Moment(fields.Field[datetime]):
    """A moment with its time zone; or a day, which is its midnight on the server."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> datetime:  # noqa: ARG002
        zone = server_zone()
        try:
            if len(str(value)) == len("2026-02-01"):
                return datetime.combine(date.fromisoformat(str(value)), time(), zone)
            # a plus that was not quoted in a query comes as a space
            moment = pd.Timestamp(str(value).replace(" ", "+")).to_pydatetime()
        except (ValueError, OverflowError) as error:
            raise ValidationError("Not a day or a moment, such as 2026-02-01 or 2026-02-01T14:30+01:00.") from error
        if not isinstance(moment, datetime) or moment.tzinfo is None:
            raise ValidationError("Name the time zone, as in 2026-02-01T14:30+01:00.")
        if not FIRST <= moment.year <= LAST:
            raise ValidationError(f"Must be of the years {FIRST} to {LAST}.")
        return moment.astimezone(zone)


FIRST, LAST = 2000, 2100
"""Years of which there are values."""


class LoadQuerySchema(Schema):
    """Query of ``GET /fleet/load``."""

    begin = Moment(
        data_key="from",
        metadata={
            "type": "string",
            "description": "A moment with its time zone, or a day: its midnight on the server. By default, 6 h ago.",
            "example": "2026-02-01",
        },
    )
    end = Moment(
        data_key="until",
        metadata={
            "type": "string",
            "description": f"Likewise; until then, {LONGEST.days} days later at most. By default, 36 h later.",
            "example": "2026-02-02T00:00+01:00",
        },
    )


class LoadSchema(Schema):
    """Answer of ``GET /fleet/load``: sums of all boilers, one for each quarter of an hour."""

    start = fields.String(data_key="from")
    end = fields.String(data_key="until")
    resolution = fields.String()
    planned_kw = fields.List(fields.Float(allow_none=True), metadata={"description": "Planned power [kW]; null: none."})
    metered_kw = fields.List(fields.Float(allow_none=True), metadata={"description": "Metered power [kW]; null: none."})
    planned_boilers = fields.List(fields.Integer(), metadata={"description": "Of how many boilers planned_kw is."})
    metered_boilers = fields.List(fields.Integer(), metadata={"description": "Of how many boilers metered_kw is."})
    boilers = fields.Integer(metadata={"description": "How many there are."})


@guarded
@takes(query=FleetQuerySchema())
def show_fleet(
    *,
    state: str | None = None,
    page: int,
    per_page: int,
    filter: list[str] | None = None,  # noqa: A002
    sort_by: str = STATE,
    sort_dir: str = "asc",
) -> dict[str, Any]:
    """Show the state of the caller's boilers, the worst first, and of the service around them."""
    whose = whose_boilers()
    shown = overview(whose, server_now(), runs=not is_household(current_user))
    states = completed(shown.states, shown.at) if sort_by in OF_COMPLETED else shown.states
    found = chosen(states, [state] if state else [], filter or [], by=sort_by, descending=sort_dir == "desc")
    some = found[(page - 1) * per_page : page * per_page]
    return document(shown, completed(some, shown.at), len(found), server_zone())


@guarded
@takes(query=LoadQuerySchema())
def show_fleet_load(*, begin: datetime | None = None, end: datetime | None = None) -> Response:
    """Show the planned and metered power of all of the caller's boilers per quarter, as JSON or CSV ('Accept')."""
    now = server_now()
    if begin is None:
        begin = now - BACK if end is None else end - BACK - AHEAD
    load = load_of(members(whose_boilers()), begin, begin + BACK + AHEAD if end is None else end, now)
    if request.accept_mimetypes.best_match(FORMATS) == "text/csv":
        return _csv(load)
    return jsonify(LoadSchema().dump(_as_json(load)))


def _as_json(load: Load) -> dict[str, Any]:
    return {
        "start": load.quarters[0].isoformat(),
        "end": load.end.isoformat(),
        "resolution": "PT15M",
        "planned_kw": _numbers(load.planned_kw),
        "metered_kw": _numbers(load.metered_kw),
        "planned_boilers": load.planned_boilers.tolist(),
        "metered_boilers": load.metered_boilers.tolist(),
        "boilers": load.boilers,
    }


def _csv(load: Load) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="load-{load.quarters[0]:%Y-%m-%d}.csv"'}
    return Response(csv_of(load), mimetype="text/csv", headers=headers)


def _numbers(values: Any) -> list[float | None]:
    return [None if pd.isna(value) else round(float(value), DECIMALS) for value in values]


def server_zone() -> ZoneInfo:
    """Return the server's time zone, in which sums of many households are told."""
    return ZoneInfo(current_app.config["FLEXMEASURES_TIMEZONE"])
