"""What believing readings and meters by what a tank can do is worth: boilers with faults, planned with and without.

Each kind of fault is injected into a tenth of the boilers; another tenth is well. "before" believes each temperature
between 0 and 100 °C and whatever a meter says, as the first version did; "after" believes what the plugin believes::

    make benchmark BENCH=believing
    make benchmark BENCH=believing ARGS="--boilers 50 --days 5"

Each boiler is planned every two hours to the end of the known prices, with a floor of 50 °C, and follows its plan in
kW; its tank's own limiter ends heating at the ceiling. Draw-offs are random around profile S, which is all that plans
know.
Costs as of statements: metered power, as far as it is believed, else the planned one, beside what was really taken.
Without a database: facts are made here, and believed, planned and solved by the plugin's own functions.
"""

import argparse
from collections import defaultdict

import numpy as np
import pandas as pd
from tabulate import tabulate
from tqdm import tqdm

from benchmarks.closed_loop import QUARTER_H, Run, follow
from benchmarks.households import PRICES, TIMEZONE, draw_random
from smart_boiler_plugin.boiler.comfort import Comfort
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.facts.believed import METERS, believe_meters, believe_readings
from smart_boiler_plugin.facts.facts import Facts
from smart_boiler_plugin.facts.faults import faults_of
from smart_boiler_plugin.facts.latest import Held
from smart_boiler_plugin.physics.readings import Vessel
from smart_boiler_plugin.plan.device import Device
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.plan.prices import of_facts
from smart_boiler_plugin.plan.problem import make_problem
from smart_boiler_plugin.plan.solve import solve
from smart_boiler_plugin.plan.span import Span
from smart_boiler_plugin.plan.start import start_kwh

DATA = BoilerData(temperature_min_c=50.0)
VESSEL = Vessel(DATA.tank, DATA.power_kw, DATA.cop * DATA.power_kw, DATA.temperature_max_c)
RULES = Policy()
START_C = 55.0
PLANNED_AT, EVERY = 14 * 4, 8
"""Quarter of the day from which on tomorrow's prices are known, and how often a boiler is planned [quarters]."""
RARELY = 0.02
"""How often a fault that comes and goes comes, per quarter."""


def readings_of(kind, chance, read_c, since):
    """Return readings [°C] with a fault of a kind; what begins, begins after quarter ``since``."""
    sometimes, faulty = chance.random(len(read_c)) < RARELY, read_c.copy()
    if kind == "85 °C of a reset, 2 %":
        faulty[sometimes] = 85.0
    elif kind == "0 °C without contact, 2 %":
        faulty[sometimes] = 0.0
    elif kind == "25 K off, 2 %":
        faulty[sometimes] += np.where(chance.random(sometimes.sum()) < 0.5, 25.0, -25.0)
    elif kind == "stuck":
        faulty[since:] = faulty[since - 1 : since]
    elif kind == "°F sent as °C":
        faulty[since:] = faulty[since:] * 1.8 + 32
    return faulty


def power_of(kind, chance, power_kw):
    """Return metered power [kW] with a fault of a kind."""
    if kind == "W sent as kW":
        return 1000 * power_kw
    if kind == "sign turned round":
        return -power_kw
    if kind == "spikes of 30 kW, 2 %":
        return np.where(chance.random(len(power_kw)) < RARELY, 30.0, power_kw)
    if kind == "another load of 2 kW, 2 h a day":
        return power_kw + 2.0 * (np.arange(len(power_kw)) % 96 // 8 == 9)
    return power_kw


KINDS = (
    "none",
    *("85 °C of a reset, 2 %", "0 °C without contact, 2 %", "25 K off, 2 %", "stuck", "°F sent as °C"),
    *("W sent as kW", "sign turned round", "spikes of 30 kW, 2 %", "another load of 2 kW, 2 h a day"),
)


class World:
    """One boiler with a fault of a kind, and what is known of it."""

    def __init__(self, number, moments, price, *, believing):
        self.kind = KINDS[number % len(KINDS)]
        self.moments, self.price, self.believing = moments, price, believing
        chance = np.random.default_rng(number)
        self.number, share = number, chance.uniform(0.7, 1.3)
        self.drawn = draw_random(np.random.default_rng(1000 + number), DATA.tapping_profile, share, moments)
        self.since = 96 * 2 + int(chance.integers(96))
        self.run, self.state = Run(), DATA.tank.state_of_charge_kwh(START_C)
        self.planned_kw = np.full(len(moments), np.nan)
        self.told = self.not_believed = 0

    def known(self, now):
        """Return the facts at the start of a quarter."""
        truth_c = DATA.tank.temperature_c(np.array([DATA.tank.state_of_charge_kwh(START_C), *self.run.state_kwh]))
        # noise and faults of a quarter are always the same
        chances = [np.random.default_rng((self.number, each)) for each in range(3)]
        noise = chances[0].normal(0, 0.3, len(self.moments))[:now]
        read_c = np.round(((truth_c[:-1] + truth_c[1:]) / 2 + noise) / 0.5) * 0.5
        read_c = readings_of(self.kind, chances[1], read_c, min(self.since, max(now, 1)))
        power_kw = power_of(self.kind, chances[2], np.array(self.run.power_kw))
        series = {name: np.full(len(self.moments), np.nan) for name in METERS}
        series["metered_kw"][:now] = power_kw
        series["planned_kw"][:] = self.planned_kw
        temperature_c, sensor_faults, told = np.full(len(self.moments), np.nan), {}, []
        begin, moment = self.moments[0], self.moments[now]
        if self.believing:
            told = believe_meters(series, VESSEL, begin)
            held = Held(0, "temperature_c", np.arange(now, dtype=np.int64) * 900, read_c)
            held, doubted, sensor_faults = believe_readings(held, VESSEL, series["metered_kw"], begin, moment)
            self.not_believed = now - len(held.value)
            temperature_c[held.quarters] = held.value
            told += doubted
        else:
            temperature_c[:now] = np.where((read_c >= 0) & (read_c <= 100), read_c, np.nan)
        np.maximum(series["metered_kw"], 0.0, out=series["metered_kw"])
        facts = Facts(
            asset_id=1,
            moment=moment,
            quarters=self.moments,
            temperature_c=temperature_c,
            **series,
            price=self.price,
            first_reading=begin if now else None,
            sensor_faults=sensor_faults,
        )
        self.told = bool(told or faults_of(DATA, facts))
        return facts

    def plan(self, now, end):
        """Plan from a quarter to another."""
        facts, begin = self.known(now), self.moments[now]
        span = Span(begin, self.moments[end], QUARTER, begin)
        device = Device.of(DATA, self.moments[now:end], *start_kwh(DATA, Comfort(), facts, RULES, begin))
        problem = make_problem(DATA, Comfort(), facts, RULES, device, of_facts(facts, span))
        self.planned_kw[now:end] = solve(problem).power_kw

    def live(self, days):
        """Plan, follow and report, for so many days."""
        end_of_known = 96
        for now in range(96 * days):
            if now % 96 == PLANNED_AT:
                end_of_known = 96 * (now // 96 + 2)
            if now % EVERY == 0:
                self.plan(now, end_of_known)
            self.state = follow(DATA, self.state, [self.planned_kw[now]], [self.drawn[now]], self.run)
        return self

    def figures(self, days):
        """Return cold minutes a day (50 and 40 °C), cost [EUR/day] and by how much the statement is wrong of it."""
        n = 96 * days
        facts = self.known(n)
        temperature_c = DATA.tank.temperature_c(np.array(self.run.state_kwh))
        drawing = self.drawn[:n] > 0
        power = np.where(np.isnan(facts.metered_kw), facts.planned_kw, facts.metered_kw)[:n]
        off = [
            self.price[day] @ (power[day] - np.array(self.run.power_kw)[day]) * QUARTER_H
            for day in (slice(96 * i, 96 * (i + 1)) for i in range(days))
        ]
        return np.array(
            [
                15 * ((temperature_c < 49.9) & drawing).sum() / days,
                15 * ((temperature_c < 40.0) & drawing).sum() / days,
                self.run.cost(self.price[:n]) / days,
                np.abs(off).mean(),
                self.not_believed,
                self.told,
            ]
        )


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boilers", type=int, default=100, help="how many (default: 100)")
    parser.add_argument("--days", type=int, default=8, help="how many (default: 8)")
    options = parser.parse_args()
    moments = pd.date_range("2024-01-02", periods=96 * (options.days + 3), freq="15min", tz=TIMEZONE)
    spot = pd.read_csv(PRICES, index_col=0, parse_dates=True)["EUR/MWh"].reindex(moments, method="ffill") / 1000
    price = (spot.to_numpy() + 0.05) * 1.21
    found = defaultdict(list)
    for number in tqdm(range(options.boilers), unit="boiler"):
        for believing in (False, True):
            world = World(number, moments, price, believing=believing).live(options.days)
            found[world.kind, believing].append(world.figures(options.days))
    rows = []
    for kind in KINDS:
        before, after = (np.mean(found[kind, believing], axis=0) for believing in (False, True))
        pairs = [f"{old:.2f} / {new:.2f}" for old, new in zip(before[:4], after[:4], strict=True)]
        rows.append([kind, *pairs, f"{after[4] / (96 * options.days):.2%}", f"{after[5]:.0%}"])
    headers = [
        *("fault", "below 50 °C while drawing [min/day]", "below 40 °C [min/day]", "cost [EUR/day]"),
        *("statement wrong by [EUR/day]", "readings not believed", "boilers told"),
    ]
    print(f"{options.boilers} boilers, {options.days} days; before / after; means per boiler")
    print(tabulate(rows, headers, tablefmt="github"))


if __name__ == "__main__":
    main()
