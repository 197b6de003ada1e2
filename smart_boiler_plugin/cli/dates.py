"""Days and moments that are given to commands."""

from __future__ import annotations

from datetime import datetime

import click
import pandas as pd
from flexmeasures.utils.time_utils import get_timezone

from smart_boiler_plugin.prices.files import FIRST_YEAR, LAST_YEAR


class Day(click.DateTime):
    """A day such as 2025-10-29, of years of which there are prices; as its midnight, without a time zone."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the day, or say which ones there may be."""
        day: datetime = super().convert(value, param, ctx)
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            self.fail(f"{value} is not between {FIRST_YEAR} and {LAST_YEAR}.", param, ctx)
        return day


DATE = Day()


class Moment(click.ParamType):  # type: ignore[type-arg]  # older clicks take no arguments
    """A moment such as 2025-10-29T14:00, in the server's time zone where it names none."""

    name = "moment"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment, as it is written (``aware``)."""
        if isinstance(value, datetime):
            return value
        try:
            moment = pd.Timestamp(str(value))
        except ValueError:
            moment = pd.NaT
        if pd.isna(moment):
            self.fail(f"{value!r} is no moment such as 2025-10-29T14:00 or 2025-10-29T14:00+01:00.", param, ctx)
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            self.fail(f"{value} is not between {FIRST_YEAR} and {LAST_YEAR}.", param, ctx)
        found: datetime = moment.to_pydatetime()
        return found


def aware(moment: datetime | None) -> datetime | None:
    """Return a moment in the server's time zone where it names none; within an app context."""
    if moment is None or moment.tzinfo is not None:
        return moment
    local: datetime = pd.Timestamp(moment).tz_localize(str(get_timezone()), ambiguous=True, nonexistent="shift_forward")
    return local


MOMENT = Moment()
