"""Boilers that follow set-points in a closed loop: measured, learned from, and planned when prices come in.

From facts to problems to answers by the plugin's own functions; what is simulated is the household, the tank and the
thermometer.
"""

import numpy as np

from benchmarks.controls import Run, Sensors, facts_of, is_planned, known_until
from benchmarks.households import QUARTER
from smart_boiler_plugin.boiler.comfort import Comfort
from smart_boiler_plugin.learning.infer import infer
from smart_boiler_plugin.learning.learn import DAYS, ENOUGH, Habits, habits_of, quarter_of_day, usual
from smart_boiler_plugin.learning.observe import observe
from smart_boiler_plugin.learning.side_by_side import boilers_of
from smart_boiler_plugin.physics.following import alone, need, relay
from smart_boiler_plugin.plan.ahead import problem_ahead
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.plan.set_points import solve_by_set_points
from smart_boiler_plugin.plan.span import Span

FOLLOWED = ("alone", "relay", "power")
"""By the device, with its hysteresis; by a relay that is told once a quarter; by any power."""

AROUND = 4 * 4
"""How many quarters before and after a day are looked at to learn from it."""


class Learned:
    """What readings taught of draw-offs, day by day, shape (n, boilers) [kWh]."""

    def __init__(self, homes):
        self.entered, self.believed = homes.entered, boilers_of(homes.entered)
        self.drawn_kwh = np.full(homes.drawn_kwh.shape, np.nan)

    def learn(self, moments, midnight, read_c, electricity_kwh):
        """Learn from the local day before a midnight, as ``learning/daily.py`` does."""
        begin = int(moments.searchsorted(moments[midnight - 1].normalize()))
        first = max(0, begin - AROUND)
        told = infer(
            self.believed, read_c[first:midnight], electricity_kwh[first:midnight], np.full(len(self.believed), np.nan)
        )[begin - first :]
        counts = np.isfinite(told).mean(axis=0) >= ENOUGH
        self.drawn_kwh[begin:midnight] = np.where(counts, np.nan_to_num(told), np.nan)

    def habits(self, moments, midnight):
        """Return what is known at a midnight."""
        profiles = [each.tapping_profile for each in self.entered]
        if not midnight:
            return Habits(usual(profiles), np.zeros(len(profiles), dtype=int))
        some = slice(max(0, midnight - (DAYS + 1) * 96), midnight)
        drawn = self.drawn_kwh[some]
        return habits_of(moments[some], drawn, np.zeros(drawn.shape, dtype=bool), profiles)


def expected_kwh(habits, quarter):
    """Return the mean draw-offs of households in a quarter of the day [kWh]."""
    return (habits.draw_offs.sizes_kwh[quarter] * habits.draw_offs.probabilities[quarter]).sum(axis=1)


def set_points_run(
    homes, moments, price, *, r=6.0, useful_c=40.0, followed="alone", silent=None, no_plan_on=frozenset()
):
    """Return the run of boilers that follow set-points; moments and prices go on for two days after the last.

    Parameters
    ----------
    homes, moments, price
        Households, and what a kWh costs in each quarter [EUR/kWh].
    r, useful_c
        What unserved heat counts [mean prices], and useful temperature [°C].
    followed
        Of ``FOLLOWED``.
    silent
        Where readings do not reach the server, shape (n, boilers).
    no_plan_on
        Numbers of days on which no plan is made.

    """
    n, many = homes.drawn_kwh.shape
    run, sensors, learned = Run.of(homes), Sensors(homes, silent), Learned(homes)
    wishes, planned_kw = np.zeros((len(moments), many)), np.zeros((len(moments), many))
    comfort, policy = Comfort(useful_temperature_c=useful_c), Policy(comfort_weight=r)
    habits = learned.habits(moments, 0)
    heating, seen = np.zeros(many, dtype=bool), homes.start_kwh
    end, quarters = 0, quarter_of_day(moments)
    for i in range(n):
        if i and moments[i] == moments[i].normalize():
            learned.learn(moments, i, sensors.sent_c, run.electricity_kwh)
            habits = learned.habits(moments, i)
        if is_planned(moments, i) and i // 96 not in no_plan_on:
            end = known_until(moments, i)
            answers = solve_by_set_points(
                [
                    problem_ahead(
                        homes.entered[number],
                        comfort,
                        facts_of(number, moments, i, sensors.sent_c, run.electricity_kwh, planned_kw, price),
                        policy,
                        habit=habits.of(number),
                        span=Span(moments[i], moments[end], QUARTER, moments[i]),
                    )
                    for number in range(many)
                ],
                end - i,
            )
            # as a device takes them: degrees in its own tank
            wishes[i:end] = homes.boilers.state_kwh(np.stack([each.set_points_c for each in answers], axis=1))
            planned_kw[i:end] = np.stack([each.power_kw for each in answers], axis=1)
        if i >= end:
            # no new plan: the set-points of the same quarter of the day
            wishes[i] = wishes[i - 96]
        here_kwh = homes.boilers.state_kwh(sensors.here_c)
        if followed == "alone":
            before_kwh = wishes[max(i - 1, 0)]
            share, heating = alone(homes.boilers, here_kwh, wishes[i], before_kwh=before_kwh, heating=heating)
        else:
            # the server tells, by what it has observed
            share = (need if followed == "power" else relay)(homes.boilers, seen, wishes[i])
        run.step(homes, i, share)
        sensors.measure(i, run.state_kwh[i])
        seen = observe(learned.believed, sensors.sent_c[i][None], run.electricity_kwh[i][None], seen).state_kwh[0]
        unseen = np.isnan(sensors.sent_c[i])
        seen[unseen] -= expected_kwh(habits, quarters[i])[unseen]
    return run
