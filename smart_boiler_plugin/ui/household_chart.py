"""The chart of a household's two days as JSON for its script, the same as a table, and its gist in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from smart_boiler_plugin.clock.quarter import HOUR, QUARTER, QUARTER_H
from smart_boiler_plugin.clock.runs import runs
from smart_boiler_plugin.fleet.at_home import Home
from smart_boiler_plugin.fleet.told import Span
from smart_boiler_plugin.physics.thermostat import Floats
from smart_boiler_plugin.ui.charting import numbers
from smart_boiler_plugin.ui.household_times import CENTS, AboutHome

CHEAP, DEAR = 0.25, 0.75
"""Up to and from which share of the quarters that are shown a price is cheap, and dear [-]."""

PER_HOUR = HOUR // QUARTER

LABELLED_H = 6
"""Hours between the labels of the axis."""

TENTHS, HUNDREDTHS = 1, 2


@dataclass(frozen=True)
class Hour:
    """An hour of the table, in words: when, how warm, for how many minutes it heats, and the mean price."""

    when: str
    water: str
    heating: str
    price: str


class Charts(AboutHome):
    """The chart of one household."""

    def data(self) -> dict[str, Any]:
        """Return what the script draws: a value per quarter of an hour, null where none is known."""
        home = self.home
        quarters = home.facts.quarters[home.shown]
        cents = self.currency in CENTS
        price = home.facts.price[home.shown] * (100 if cents else 1)
        return {
            "labels": [
                f"{quarter:%H:%M}" if quarter.hour % LABELLED_H == 0 and not quarter.minute else ""
                for quarter in quarters
            ],
            "times": [f"{quarter:%H:%M}" for quarter in quarters],
            "now": home.quarters_over - 1,
            "tomorrow": int((quarters.date == quarters[0].date()).sum()),
            "measured": numbers(_connected(home), TENTHS),
            "expected": numbers(self._expected_c(), TENTHS),
            "heats": [int(each) for each in home.heats],
            "price": numbers(price, HUNDREDTHS),
            "level": _levels(price),
            "useful": home.useful_c,
            "unit": f"{CENTS[self.currency] if cents and self.currency else self.currency or ''}/kWh",
            "language": self.reader.locale.replace("_", "-"),
            "words": {
                "now": self._("now"),
                "today": self._("today"),
                "tomorrow": self._("tomorrow"),
                "cold": self._("below %(temperature)s: too cold", temperature=self.reader.degrees(home.useful_c)),
                "measured": self._("measured"),
                "expected": self._("expected"),
                "heats": self._("heats"),
                "price": self._("price"),
            },
        }

    def _expected_c(self) -> Floats:
        """Return what the plan expects from now on [°C]; it begins with what is measured or estimated now."""
        home = self.home
        expected: Floats = home.facts.planned_c[home.shown].copy()
        expected[: home.quarters_over - 1] = np.nan
        if home.water is not None and home.quarters_over >= 1:
            expected[home.quarters_over - 1] = home.water.temperature_c
        if not home.has_plan:
            expected[:] = np.nan
        return expected

    def gist(self) -> str:
        """Return what the chart shows in a sentence or two, for who does not see it."""
        home = self.home
        told = [self._("Water temperature, heating and price, today and tomorrow.")]
        if home.water is not None:
            told.append(self._("Now %(temperature)s.", temperature=self.reader.degrees(home.water.temperature_c)))
        coldest = home.state.seen
        if home.has_plan and coldest.coldest_planned_c is not None and coldest.coldest_planned_at is not None:
            told.append(
                self._(
                    "Coldest by plan: %(temperature)s, %(when)s.",
                    temperature=self.reader.degrees(coldest.coldest_planned_c),
                    when=self.at(coldest.coldest_planned_at),
                )
            )
        spans = self.heating()
        if spans:
            told.append(self._("Heats: %(spans)s.", spans="; ".join(self.span(span) for span in spans)))
        return " ".join(told)

    def heating(self) -> list[Span]:
        """Return when it heats from now on, of what is shown."""
        home = self.home
        ahead = slice(home.quarters_over - 1, None)
        quarters, heats = home.facts.quarters[home.shown][ahead], home.heats[ahead]
        return [
            Span(quarters[run.start].to_pydatetime(), (quarters[run.stop - 1] + QUARTER).to_pydatetime())
            for run in runs(heats)
        ]

    def hours(self) -> list[Hour]:
        """Return the chart as a table: hour by hour by instant, what was measured, and from now on what is expected."""
        home = self.home
        quarters, shown = home.facts.quarters[home.shown], home.shown
        water = np.where(
            np.arange(len(quarters)) < home.quarters_over - 1, home.facts.temperature_c[shown], self._expected_c()
        )
        price, heats = home.facts.price[shown], home.heats
        found = []
        for begin in range(0, len(quarters), PER_HOUR):
            hour = slice(begin, begin + PER_HOUR)
            known = water[hour][~np.isnan(water[hour])]
            minutes = int(heats[hour].sum() * QUARTER_H * 60)
            found.append(
                Hour(
                    when=self._when(quarters[begin].to_pydatetime()),
                    water=self.reader.degrees(float(known[-1]) if len(known) else None),
                    heating=self.reader.number(minutes, "min") if minutes else "",
                    price=self.price(float(price[hour].mean())),
                )
            )
        return found

    def _when(self, begin: Any) -> str:
        day = self._("today") if self.days_ahead(begin) == 0 else self._("tomorrow")
        return f"{day} {self.reader.time(begin)}"


def _connected(home: Home) -> Floats:
    """Return the measured temperatures [°C], with those between two readings that are near each other in line.

    A gap in measuring is a gap in the line: from ``SMART_BOILER_SILENT_AFTER`` on; of a boiler that reports changes
    alone, what it reported last holds as long as that.
    """
    values: Floats = home.facts.temperature_c[home.shown].copy()
    values[home.quarters_over :] = np.nan
    known = np.flatnonzero(~np.isnan(values))
    longest = home.rules.silent_after // QUARTER
    for before, after in zip(known[:-1].tolist(), known[1:].tolist(), strict=True):
        if 1 < after - before <= longest:
            values[before : after + 1] = np.linspace(values[before], values[after], after - before + 1)
    return values


def _levels(price: Floats) -> list[int]:
    """Return whether each price is cheap (-1), usual (0) or dear (1) among those that are known."""
    known = price[~np.isnan(price)]
    if not len(known) or known.max() == known.min():
        return [0] * len(price)
    cheap, dear = np.quantile(known, [CHEAP, DEAR])
    with np.errstate(invalid="ignore"):
        return [int(each) for each in (price >= dear).astype(int) - (price <= cheap).astype(int)]
