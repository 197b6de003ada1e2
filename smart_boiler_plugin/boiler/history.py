"""What held of a boiler on a local day: its data, its tariff, its household's useful temperature. No database.

What holds now stands where it always did: with the asset's data, its comfort and its flex-context. Here is what held
before, each until a day, and which tariffs are to come, each from a day on. Where nothing is, what holds now has held
ever since. A day has what held at its end: of several changes on one day, the last one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Generic, TypeAlias, TypeVar

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from smart_boiler_plugin.boiler.comfort_schema import UsefulTemperature
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.boiler.door import data_of
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.stored import as_object, is_id

ATTRIBUTE = "smart-boiler-history"
"""Attribute of a boiler's asset, as JSON: ``{"taken_on": day, kind: [{"until": day, "value": what held}], ...}``."""

BOILER, TARIFF, USEFUL = "boiler", "tariff", "useful_temperature"
"""Kinds of what held: a boiler's data, the id of the sensor of its price (or null), a temperature such as "40 °C"."""

AHEAD, TAKEN_ON = "tariff_ahead", "taken_on"

EARLIEST, LATEST = date(1990, 1, 1), date(2200, 12, 31)

Value = TypeVar("Value")
Dated: TypeAlias = tuple[date, Value]
Steps: TypeAlias = "tuple[tuple[date | None, Value], ...]"
"""What holds from which local day on, ascending; the first one since ever."""


@dataclass(frozen=True)
class Past(Generic[Value]):
    """What held before what holds now.

    Parameters
    ----------
    entries
        Until which local day what held, ascending; on that day it held no more.

    """

    entries: tuple[Dated[Value], ...] = ()

    def on(self, day: date, now: Callable[[], Value]) -> Value:
        """Return what held on a day; ``now`` returns what holds now."""
        held = [value for until, value in self.entries if day < until]
        return held[0] if held else now()

    def steps(self, now: Value) -> Steps[Value]:
        """Return what held from which day on, ascending, up to what holds now; the first one since ever."""
        begins: list[date | None] = [None, *(until for until, _ in self.entries)]
        return tuple(zip(begins, [*(value for _, value in self.entries), now], strict=True))


@dataclass(frozen=True)
class History:
    """What held of one boiler.

    Parameters
    ----------
    boiler, tariff, useful_c
        Its data; the id of the sensor of its price, None where it had none; the useful temperature [°C].
    ahead
        From which day on which tariff is to hold, ascending: ids of sensors.
    taken_on
        On which day the customer was taken on; None where nobody noted it.

    """

    boiler: Past[BoilerData] = Past()
    tariff: Past[int | None] = Past()
    useful_c: Past[float] = Past()
    ahead: tuple[Dated[int], ...] = ()
    taken_on: date | None = None

    @property
    def changes(self) -> set[date]:
        """The days on which anything begins to hold."""
        pasts = (self.boiler.entries, self.tariff.entries, self.useful_c.entries, self.ahead)
        return {day for entries in pasts for day, _ in entries}

    def tariff_on(self, day: date, now: int | None) -> int | None:
        """Return the id of the sensor of the price that held, holds or is to hold on a day; None: there is none."""
        ahead = [value for first, value in self.ahead if first <= day]
        return ahead[-1] if ahead else self.tariff.on(day, lambda: now)

    def tariff_steps(self, now: int | None) -> Steps[int | None]:
        """Return which of these hold from which day on, ascending; the first one since ever."""
        return (*self.tariff.steps(now), *self.ahead)


EMPTY = History()


class EntrySchema(Schema):
    """What held until a day, or is to hold from a day on."""

    until = fields.Date(required=True, validate=validate.Range(EARLIEST, LATEST))
    value = fields.Raw(required=True, allow_none=True)

    class Meta:
        """What else stands there is passed over."""

        unknown = EXCLUDE


class AheadSchema(Schema):
    """What is to hold from a day on."""

    first = fields.Date(data_key="from", required=True, validate=validate.Range(EARLIEST, LATEST))
    value = fields.Raw(required=True)

    class Meta:
        """What else stands there is passed over."""

        unknown = EXCLUDE


class HistorySchema(Schema):
    """What is stored, but for what the values mean."""

    boiler = fields.List(fields.Nested(EntrySchema), load_default=list)
    tariff = fields.List(fields.Nested(EntrySchema), load_default=list)
    useful_temperature = fields.List(fields.Nested(EntrySchema), load_default=list)
    tariff_ahead = fields.List(fields.Nested(AheadSchema), load_default=list)
    taken_on = fields.Date(load_default=None, validate=validate.Range(EARLIEST, LATEST))

    class Meta:
        """What else stands there is passed over."""

        unknown = EXCLUDE


SCHEMA = HistorySchema()


def history_of(stored: Any) -> History:
    """Return what is stored of what held; nothing where nothing is. The one door, whoever wrote it.

    Raises
    ------
    SmartBoilerError
        If something is wrong; the message says where.

    """
    if stored is None:
        return EMPTY
    try:
        found = SCHEMA.load(stored)
        return History(
            boiler=Past(_dated(found[BOILER], "until", data_of)),
            tariff=Past(_dated(found[TARIFF], "until", _sensor)),
            useful_c=Past(_dated(found[USEFUL], "until", UsefulTemperature().deserialize)),
            ahead=_dated(found[AHEAD], "first", _named_sensor),
            taken_on=found[TAKEN_ON],
        )
    except ValidationError as error:
        told: Any = error.messages
    except SmartBoilerError as error:
        told = error.message
    except RecursionError:
        told = ["Is nested too deeply."]
    raise SmartBoilerError({"history": told})


def _dated(entries: Sequence[Mapping[str, Any]], key: str, read: Callable[[Any], Value]) -> tuple[Dated[Value], ...]:
    """Return entries with their values read, in order of time."""
    days = [entry[key] for entry in entries]
    if any(later <= earlier for earlier, later in pairwise(days)):
        raise ValidationError("Its days must ascend.")
    return tuple((entry[key], read(entry["value"])) for entry in entries)


def _sensor(value: Any) -> int | None:
    return None if value is None else _named_sensor(value)


def _named_sensor(value: Any) -> int:
    if not is_id(value):
        raise ValidationError("Must be the id of a sensor.")
    return int(value)


def noted(known: Any, day: date, **held: Any) -> dict[str, Any]:
    """Return what is stored with what held until a day and does no more, by kind.

    What was changed on that day already has held on no day: what held before stays.
    """
    kept = dict(as_object(known))
    for kind, value in held.items():
        entries = _entries(kept, kind)
        if not entries or str(entries[-1].get("until")) < day.isoformat():
            kept[kind] = [*entries, {"until": day.isoformat(), "value": as_stored(value)}]
    return kept


def with_ahead(known: Any, steps: Iterable[tuple[date, int]]) -> dict[str, Any]:
    """Return what is stored with other tariffs that are to come: from which day on which sensor."""
    ahead = [{"from": first.isoformat(), "value": sensor} for first, sensor in steps]
    return {**as_object(known), AHEAD: ahead}


def corrected(known: Any, kind: str, past: Past[Value], now: Value, span: tuple[date, date], value: Value) -> Any:
    """Return what is stored with another value of a kind on past days, from the first to the last, both included.

    Parameters
    ----------
    known
        What is stored.
    kind, past, now
        What held of which kind, and what holds now.
    span, value
        On which days what is to have held.

    """
    first, last = span
    after = last + timedelta(days=1)
    before = past.on(first - timedelta(days=1), lambda: now)
    entries = [
        *((until, held) for until, held in past.entries if until < first),
        *((first, before), (after, value)),
        *((until, held) for until, held in past.entries if until > after),
    ]
    document = [{"until": until.isoformat(), "value": as_stored(held)} for until, held in entries]
    return {**as_object(known), kind: document}


def readable(known: Any) -> dict[str, Any]:
    """Return what is stored without what cannot be read: entry by entry."""
    kept: dict[str, Any] = {}
    for kind in (BOILER, TARIFF, USEFUL, AHEAD):
        for entry in _entries(as_object(known), kind):
            with_entry = {**kept, kind: [*kept.get(kind, []), entry]}
            kept = with_entry if is_readable(with_entry) else kept
    taken_on = {TAKEN_ON: as_object(known).get(TAKEN_ON)}
    return {**kept, **taken_on} if taken_on[TAKEN_ON] is not None and is_readable(taken_on) else kept


def is_readable(stored: Any) -> bool:
    """Return whether all that is stored of what held comes through the door."""
    try:
        history_of(stored)
    except SmartBoilerError:
        return False
    return True


def _entries(known: Mapping[str, Any], kind: str) -> list[Any]:
    entries = known.get(kind)
    return [as_object(entry) for entry in entries] if isinstance(entries, list) else []


def as_stored(value: Any) -> Any:
    """Return what held as it is stored: data as an object, no tariff as null."""
    if isinstance(value, BoilerData):
        return asdict(value)
    return f"{value:g} °C" if isinstance(value, float) else value
