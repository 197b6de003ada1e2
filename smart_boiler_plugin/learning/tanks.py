"""What four weeks of readings tell of tanks, beside what was entered: for the operator, not for plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.clock.days import midnight
from smart_boiler_plugin.clock.quarter import QUARTER_H, whole_quarters
from smart_boiler_plugin.errors import BrokenBoilerError
from smart_boiler_plugin.facts.read import read_facts
from smart_boiler_plugin.learning.learn import DAYS
from smart_boiler_plugin.learning.tank import see, standing_loss_of

DIFFERS = 0.3
"""What differs by more than this from what was entered is told [-]."""


@dataclass(frozen=True)
class Estimate:
    """A number, and within what it is, nineteen times in twenty; and what was entered."""

    value: float
    within: float
    entered: float

    @property
    def differs(self) -> float:
        """By which share it differs from what was entered [-]; 0 where it may be no more than ``DIFFERS``."""
        share = self.value / self.entered - 1 if self.entered else 0.0
        sure = abs(self.value - self.entered) > self.within
        return share if sure and abs(share) > DIFFERS else 0.0

    def told(self, unit: str, decimals: int) -> str:
        """Return it for people."""
        return f"{self.value:.{decimals}f} {unit} ± {self.within:.{decimals}f}"


@dataclass(frozen=True)
class TankSeen:
    """What readings tell of a tank; None where they tell too little.

    Parameters
    ----------
    standing_loss
        Heat lost in 24 h at 45 K above ambient [kWh/day].
    heat_capacity
        [kWh/K].
    nights
        How many nights tell of the loss.

    """

    standing_loss: Estimate | None
    heat_capacity: Estimate | None
    nights: int

    @property
    def notes(self) -> tuple[str, ...]:
        """What differs from what was entered, for the operator."""
        told = []
        loss, capacity = self.standing_loss, self.heat_capacity
        if loss and loss.differs:
            why = (
                "a leak, bad insulation, or a colder place than entered?"
                if loss.differs > 0
                else "a better tank, or a warmer place than entered?"
            )
            told.append(f"Loses {loss.value:.2f} kWh/day in place of {loss.entered:.2f} ({loss.differs:+.0%}): {why}")
        if capacity and capacity.differs:
            why = "lime, or a smaller tank than entered?" if capacity.differs < 0 else "a larger tank than entered?"
            told.append(
                f"Holds {capacity.value:.4f} kWh/K in place of {capacity.entered:.4f} ({capacity.differs:+.0%}): {why}"
            )
        return tuple(told)


def tanks_seen(boilers: Sequence[Boiler], moment: datetime) -> list[TankSeen]:
    """Return what readings and metered power of the last ``DAYS`` days tell of tanks, in the order of the boilers.

    Five SQL statements, however many boilers there are; it takes some 1.5 MB a boiler: give it a hundred at a time.

    Parameters
    ----------
    boilers
        Which, each of them once.
    moment
        What was recorded later is left out.

    Raises
    ------
    BrokenBoilerError
        If what is stored of one of them is wrong; ask for those alone whose ``data`` can be read.

    """
    data = [boiler.data for boiler in boilers]
    end = whole_quarters(moment, moment)[0]
    facts = read_facts(boilers, moment, end - timedelta(days=DAYS), end) if boilers else []
    if not facts:
        return []
    read_c, metered_kw = (
        np.column_stack([getattr(each, name) for each in facts]) for name in ("temperature_c", "metered_kw")
    )
    for column, (boiler, each) in enumerate(zip(boilers, facts, strict=True)):
        # of another tank than that of now nothing is to be seen
        begun = _begun(boiler)
        if begun is not None:
            read_c[: int(each.quarters.searchsorted(midnight(begun, boiler.timezone))), column] = np.nan
    seen = see(data, read_c, metered_kw * QUARTER_H)
    return [
        TankSeen(
            standing_loss=_estimate(
                standing_loss_of(float(seen.loss_kw_per_k[number])),
                float(seen.loss_error[number]),
                each.tank.standing_loss_kwh_per_day,
            ),
            heat_capacity=_estimate(
                float(seen.heat_capacity_kwh_per_k[number]),
                float(seen.heat_capacity_error[number]),
                each.tank.heat_capacity_kwh_per_k,
            ),
            nights=int(seen.nights[number]),
        )
        for number, each in enumerate(data)
    ]


def _begun(boiler: Boiler) -> date | None:
    """Return from which day on a boiler has had its tank; None where that is since ever, or not known."""
    try:
        steps = boiler.data_steps
    except BrokenBoilerError:
        return None
    now = steps[-1][1]
    others = [day for (day, _), (_, before) in zip(steps[1:], steps, strict=False) if before.tank != now.tank]
    return others[-1] if others else None


def _estimate(value: float, error: float, entered: float) -> Estimate | None:
    return None if np.isnan(value) else Estimate(value, value * error, entered)
