"""What a household's month came to, in its language. Pure: from a statement to sentences."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from babel.dates import format_date, format_skeleton

from smart_boiler_plugin.money.accounting import DayAccount, Total
from smart_boiler_plugin.money.statements import Statement
from smart_boiler_plugin.physics.showers import shower_minutes_of_heat
from smart_boiler_plugin.ui.household_times import Telling

LEAST_MISSED = 1.0
"""What is missing of a shower is told from here on [min]."""

LEAST_LEFT = 0.05
"""From this on it is told what heat in the tank counts, in the currency."""

CENT = 0.01


@dataclass(frozen=True)
class Month:
    """What is shown of a month: amounts with what they are, and sentences. An amount that is not known is a dash.

    Parameters
    ----------
    name
        "November so far", or "November" where it is over.
    cost, cost_of
        What it cost, and for what.
    saved, saved_of
        What was saved, and that.
    is_good
        Whether something was saved, as far as that is known.
    sentences
        What else is to be said.

    """

    name: str
    cost: str
    cost_of: str
    saved: str
    saved_of: str
    is_good: bool
    sentences: tuple[str, ...]


class Months(Telling):
    """How months are told."""

    def told(self, statement: Statement) -> Month:
        """Return what is shown of a statement of a month so far."""
        total = statement.total
        measured = total is not None and total.coverage > 0
        name = format_date(statement.last, "LLLL", locale=self.reader.locale)
        # not all languages write months large, but a heading begins so
        name = name[:1].upper() + name[1:]
        is_over = statement.last.month != self.reader.local(self.now).month
        kwh = self.reader.number(total.electricity_kwh, "kWh") if total else ""
        saved = total.savings if total and measured and isfinite(total.savings) else None
        return Month(
            name=name if is_over else self._("%(month)s so far", month=name),
            cost=self.money(total.cost if total else None),
            cost_of=self._("for %(energy)s of electricity", energy=kwh) if total else self._("cost: not known"),
            saved=self.money(None if saved is None else abs(saved)),
            saved_of=self._saved_of(total, saved),
            is_good=saved is not None and saved >= CENT / 2,
            sentences=tuple(filter(None, self._sentences(statement, total if measured else None))),
        )

    def _saved_of(self, total: Total | None, saved: float | None) -> str:
        if total is None or saved is None:
            return self._("saved: not known")
        if saved < -CENT / 2:
            return self._("more than with a thermostat")
        if total.baseline_cost <= 0:
            return self._("saved")
        return self._("saved, %(share)s", share=self.reader.number(100 * saved / total.baseline_cost, "%"))

    def _sentences(self, statement: Statement, total: Total | None) -> list[str]:
        if total is None:
            return [self._("Nothing was measured yet that tells what was saved.")]
        return [
            self._(
                "A boiler that simply holds its temperature would have cost %(cost)s.",
                cost=self.money(total.baseline_cost),
            ),
            self._left(total),
            self._fees(total),
            self._missed(statement),
            self._coverage(statement),
        ]

    def _left(self, total: Total) -> str:
        """Return what heat counts that is in the tank besides, or is not: it is part of what was saved."""
        cost = total.missing_heat_cost
        if not abs(cost) >= LEAST_LEFT:
            return ""
        if cost > 0:
            return self._("Its tank would be warmer now, which counts as %(cost)s.", cost=self.money(cost))
        return self._("Its tank would be colder now, which counts as %(cost)s.", cost=self.money(-cost))

    def _fees(self, total: Total) -> str:
        if not total.fixed_fees:
            return ""
        return self._("Fixed fees of %(fees)s come on top.", fees=self.money(total.fixed_fees))

    def _missed(self, statement: Statement) -> str:
        """Return how much of a shower was not warm enough, and on which days."""
        cold_c = statement.boiler.data.cold_water_c
        days = [day for day in statement.days if isinstance(day, DayAccount)]
        missed = {day.day: shower_minutes_of_heat(day.unserved_kwh, cold_c) for day in days}
        felt = {day: minutes for day, minutes in missed.items() if minutes >= LEAST_MISSED}
        if not felt:
            return self._("The water was always warm enough.")
        minutes = self.duration(sum(felt.values()))
        if len(felt) == 1:
            (day,) = felt
            shown = str(format_skeleton("MMMMd", day, locale=self.reader.locale))
            return self._("The water was too cold once, for %(minutes)s, on %(day)s.", minutes=minutes, day=shown)
        return self._(
            "The water was too cold on %(count)s days, for %(minutes)s in all.", count=str(len(felt)), minutes=minutes
        )

    def _coverage(self, statement: Statement) -> str:
        share = round(100 * statement.coverage)
        if share >= 100:  # noqa: PLR2004 (per cent)
            return ""
        return self._(
            "%(share)s of the time was measured; the rest is estimated, or left out.",
            share=self.reader.number(share, "%"),
        )
