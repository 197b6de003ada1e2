"""Days that are given to commands."""

from __future__ import annotations

from datetime import datetime

import click

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
