"""Public holidays of countries and regions, as the ``holidays`` package knows them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache

import holidays
import numpy as np
import pandas as pd
from numpy.typing import NDArray

MONTH_AND_DAY = re.compile(r"(\d\d)-(\d\d)")
"""A holiday that is named by its date, such as 12-25."""


def check_region(region: str) -> None:
    """Refuse what has no holidays: a country (ES), a region of one (ES-MD, DE-BY), or a month and day (12-25).

    Raises
    ------
    ValueError
        If it is none of these; the message says which regions there are.

    """
    shown = region[:20]
    found = MONTH_AND_DAY.fullmatch(region)
    if found:
        try:
            # a leap year
            datetime(2000, int(found[1]), int(found[2]))  # noqa: DTZ001 (a date alone)
        except ValueError:
            raise ValueError(f"'{shown}' is no month and day, such as 12-25.") from None
        return
    country, _, subdivision = region.partition("-")
    known = holidays.list_supported_countries()
    if country not in known:
        raise ValueError(f"Nothing is known of holidays of '{shown}'. Expected, for example, ES, DE-BY or 12-25.")
    if "-" in region and subdivision not in known[country]:
        there_are = ", ".join(known[country]) or "none"
        raise ValueError(f"Nothing is known of holidays of '{shown}'. Regions of {country}: {there_are}.")


def are_holidays(moments: pd.DatetimeIndex, regions: Iterable[str]) -> NDArray[np.bool_]:
    """Return which moments (local time) are on a public holiday of any of the regions, shape (n,)."""
    days = moments.tz_localize(None).to_numpy().astype("datetime64[D]")
    years = range(moments[0].year, moments[-1].year + 1) if len(moments) else ()
    found = [day for region in regions for year in years for day in _holidays(region, year)]
    return np.isin(days, np.array(found, dtype="datetime64[D]"))


@lru_cache(maxsize=1024)
def _holidays(region: str, year: int) -> tuple[date, ...]:
    """Return the holidays of a year."""
    if MONTH_AND_DAY.fullmatch(region):
        try:
            return (date.fromisoformat(f"{year}-{region}"),)
        except ValueError:  # 29 February
            return ()
    country, _, subdivision = region.partition("-")
    return tuple(holidays.country_holidays(country, subdiv=subdivision or None, years=year))
