"""Real day-ahead prices of one day, moved to the days of the demo.

Bidding zone BE, delivery day 2025-10-29, as published on the ENTSO-E transparency platform. They stand in for the
prices of any country and day; the demo says so.
"""

from __future__ import annotations

import csv
from datetime import datetime
from importlib import resources
from pathlib import Path

import pandas as pd

ORIGIN = "Belgium, 2025-10-29, ENTSO-E"
FILE = "day-ahead-prices-BE-2025-10-29.csv"


def write_sample_prices(file: Path, start: datetime, end: datetime) -> int:
    """Write a CSV file for ``flexmeasures smart-boiler import-prices`` and return how many prices it has.

    Parameters
    ----------
    file
        Where to.
    start, end
        The days to fill, in local time. Each quarter gets the price of its time of day, so that days with a clock
        change are full, too.

    """
    with (resources.files(__package__) / "data" / FILE).open(encoding="utf-8") as sample:
        price_by_time = {row["local_time"]: row["eur_per_mwh"] for row in csv.DictReader(sample)}
    moments = pd.date_range(start, end, freq="15min", inclusive="left")
    with file.open("w", encoding="utf-8", newline="") as output:
        writer = csv.writer(output)
        writer.writerow(["start", "EUR/MWh"])
        writer.writerows([moment.isoformat(), price_by_time[f"{moment:%H:%M}"]] for moment in moments)
    return len(moments)
