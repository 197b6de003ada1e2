"""One look at a fleet as JSON: the same for the API and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from marshmallow import Schema, fields

from smart_boiler_plugin.fleet.overview import Overview
from smart_boiler_plugin.fleet.told import STATES, BoilerState

DECIMALS = 2
"""Of temperatures [K]."""


class _Local(fields.DateTime):
    """A moment, in the time zone of the household."""

    def __init__(self, meaning: str, *, attribute: str) -> None:
        super().__init__(format="iso", allow_none=True, attribute=attribute, metadata={"description": meaning})

    def _serialize(self, value: Any, attr: str | None, obj: Any, **arguments: Any) -> Any:
        return super()._serialize(obj.local(value), attr, obj, **arguments)


class _Degrees(fields.Float):
    """A temperature [°C]."""

    def __init__(self, meaning: str, *, attribute: str) -> None:
        super().__init__(allow_none=True, attribute=attribute, metadata={"description": f"{meaning} [°C]."})

    def _serialize(self, value: Any, attr: str | None, obj: Any, **arguments: Any) -> Any:
        return super()._serialize(None if value is None else round(value, DECIMALS), attr, obj, **arguments)


class SpanSchema(Schema):
    """Some time in which a boiler is planned to heat."""

    begin = fields.DateTime(data_key="from", format="iso")
    end = fields.DateTime(data_key="until", format="iso")


class BoilerStateSchema(Schema):
    """One boiler of a fleet. Moments are in the household's time zone, null where nothing is known."""

    account = fields.Integer(attribute="member.account_id")
    name = fields.String(attribute="member.customer", metadata={"description": "Of the customer."})
    boiler = fields.Integer(attribute="member.asset_id")
    boiler_name = fields.String(attribute="member.name")
    state = fields.String(metadata={"enum": list(STATES), "description": "The worst that it is in."})
    since = _Local("Since when; null where that is not known, or it is yet to come.", attribute="since")
    message = fields.String(metadata={"description": "What, since or when, why; empty where all is well."})
    also = fields.List(fields.String(), metadata={"description": "Which other states it is in."})
    faults = fields.Function(
        lambda state: [fault.as_json() for fault in state.seen.faults],
        metadata={"type": "array", "items": {"type": "object"}},
    )
    temperature_c = _Degrees("Last temperature that is believed, of the last day", attribute="seen.temperature_c")
    measured_at = _Local("When the quarter of that reading began.", attribute="seen.measured_at")
    useful_c = fields.Function(lambda state: _known(state.member.useful_c), metadata={"type": ["number", "null"]})
    heats_now = fields.Boolean(
        attribute="seen.heats_now",
        allow_none=True,
        metadata={"description": "As metered in the last half hour, else as planned."},
    )
    heats_until = _Local("When the heating ends that is planned for now.", attribute="seen.heats_until")
    next_heating = fields.Method("dump_next_heating", metadata={"type": ["object", "null"]})
    coldest_planned_c = _Degrees("Lowest temperature of its plan in the next day", attribute="seen.coldest_planned_c")
    coldest_planned_at = _Local("When that quarter begins.", attribute="seen.coldest_planned_at")
    device = fields.Method(
        "dump_device",
        metadata={
            "type": ["object", "null"],
            "description": "Its device: 'kind' (of MQTT, or 'http' for one with a token) and 'last_seen'; null: none.",
        },
    )
    planned_until = _Local("When its plan ends.", attribute="seen.planned_until")

    def dump_device(self, state: BoilerState) -> dict[str, Any] | None:
        """Return what is known of the boiler's device."""
        device = state.seen.device
        if device is None:
            return None
        at = state.local(device.at)
        return {"kind": device.kind, "last_seen": at and at.isoformat()}

    def dump_next_heating(self, state: BoilerState) -> dict[str, Any] | None:
        """Return when heating is planned next."""
        span = state.seen.next_heating
        if span is None:
            return None
        shown: dict[str, Any] = SpanSchema().dump({"begin": state.local(span.begin), "end": state.local(span.end)})
        return shown


class RunSchema(Schema):
    """The last time that all boilers of an operator were planned."""

    at = fields.DateTime(format="iso")
    planned = fields.Integer()
    told = fields.Integer()
    failed = fields.Integer()


class OverviewSchema(Schema):
    """Answer of ``GET /fleet``, and what ``flexmeasures smart-boiler status --json`` prints."""

    data = fields.List(fields.Nested(BoilerStateSchema))
    num_records = fields.Integer(data_key="num-records")
    filtered_records = fields.Integer(data_key="filtered-records")
    counts = fields.Dict(
        keys=fields.String(), values=fields.Integer(), metadata={"description": "Of all boilers, by their states."}
    )
    at = fields.DateTime(format="iso", metadata={"description": "As of when."})
    prices_known_until = fields.DateTime(
        format="iso",
        allow_none=True,
        metadata={"description": "The first end of those of all boilers; null where one has no price."},
    )
    last_run = fields.Nested(RunSchema, allow_none=True)
    workers = fields.Integer(
        allow_none=True, metadata={"description": "How many are alive; null where Redis gives no answer."}
    )
    waiting = fields.Integer(allow_none=True, metadata={"description": "How many jobs wait for one."})


def document(shown: Overview, states: Sequence[BoilerState], filtered: int, zone: Any) -> dict[str, Any]:
    """Return one look as JSON.

    Parameters
    ----------
    shown
        The whole.
    states
        The boilers that are listed.
    filtered
        How many there are of that kind.
    zone
        Time zone of what is about all of them.

    """

    def local(moment: datetime | None) -> datetime | None:
        return moment and moment.astimezone(zone)

    run = shown.last_run
    made: dict[str, Any] = OverviewSchema().dump(
        {
            "data": states,
            "num_records": len(shown.states),
            "filtered_records": filtered,
            "counts": shown.counts,
            "at": local(shown.at),
            "prices_known_until": local(shown.prices_known_until),
            "last_run": run and {**vars(run), "at": local(run.at)},
            "workers": shown.workers,
            "waiting": shown.waiting,
        }
    )
    return made


def _known(value: float) -> float | None:
    # not a number is equal to nothing
    return value if value == value else None  # noqa: PLR0124
