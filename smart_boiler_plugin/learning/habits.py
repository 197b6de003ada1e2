"""What is known of households' habits at a moment, from what is stored: for plans of many boilers at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.facts.drawn import read_drawn
from smart_boiler_plugin.learning.learn import BINS, DAYS, QUARTERS, DrawOffsOfDay, Habits, habits_of


def habits(boilers: Sequence[Boiler], moment: datetime) -> Habits:
    """Return what is known of when the households of boilers draw, and how much, in their order. It stores nothing.

    It rests on the last ``DAYS`` local days that were over at the moment, and on the tapping profiles; one or two SQL
    statements, however many boilers there are. It takes some 40 kB a boiler: give it a thousand at a time.

    Parameters
    ----------
    boilers
        Which, each of them once; in any time zones.
    moment
        What was recorded later is left out.

    Raises
    ------
    BrokenBoilerError
        If what is stored of one of them is wrong; ask for those alone whose ``data`` can be read.

    """
    profiles = [boiler.data.tapping_profile for boiler in boilers]
    shape = (QUARTERS, len(boilers), BINS)
    found = Habits(DrawOffsOfDay(np.empty(shape), np.empty(shape)), np.zeros(len(boilers), dtype=int))
    for drawn in read_drawn(boilers, moment, DAYS):
        home = np.zeros(drawn.drawn_kwh.shape, dtype=bool)
        some = habits_of(drawn.moments, drawn.drawn_kwh, home, [profiles[number] for number in drawn.numbers])
        found.draw_offs.sizes_kwh[:, drawn.numbers] = some.draw_offs.sizes_kwh
        found.draw_offs.probabilities[:, drawn.numbers] = some.draw_offs.probabilities
        found.days[drawn.numbers] = some.days
    return found
