"""Boilers that follow set-points in a closed loop, without a host: measured, observed, learned from, planned each day.

Every boiler draws at random around its tapping profile (``closed_loop.draw_random``); the sensors have a noise of 0.3 K
and steps of 0.5 K. The plan knows the known prices, the readings, and the tapping profile at first::

    make benchmark BENCH=follow
    make benchmark BENCH=follow ARGS="--boilers 60 --days 56 --from-day 15 --r 5"

Tariff a is (spot + 5 ct Mon-Fri 07-23) * 1.21, flat is (spot + 14 ct) * 1.06. Costs are at equal heat left, per month
of 30 days; unserved heat (u40, u45) is per year; all are means over the boilers, but for hygiene.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tabulate import tabulate

from benchmarks.closed_loop import draw_random
from smart_boiler_plugin.learning.learn import DAYS, learned, quarter_of_day, usual
from smart_boiler_plugin.learning.observe import TOLERANCE_K, observe
from smart_boiler_plugin.physics.boilers import Boilers
from smart_boiler_plugin.physics.following import alone, need, relay
from smart_boiler_plugin.physics.set_points import Ahead, price_of_unserved, set_points
from smart_boiler_plugin.physics.tank import Tank, standing_loss_kwh_per_day
from smart_boiler_plugin.physics.thermostat import thermostat

TIMEZONE = "Europe/Brussels"
PRICES = Path(__file__).parent / "data" / "day-ahead-prices-BE-2024.csv"
PLANNED_AT = 14 * 4
START_C = 55.0
HYGIENE_C, HYGIENE_DAYS = 60.5, 7
HOT_C = 59.9
"""What counts as 60 °C [°C]."""
FOLLOWED = ("alone", "power", "relay")


def tariff(spot, moments, name):
    """Return consumption prices [EUR/kWh] at spot prices [EUR/kWh]."""
    if name == "flat":
        return (spot + 0.14) * 1.06
    day = (moments.dayofweek < 5) & (moments.hour >= 7) & (moments.hour < 23)
    return (spot + 0.05 * day) * 1.21


@dataclass
class Households:
    """Boilers, their tapping profiles, and what is really drawn, shape (n, boilers) [kWh]."""

    boilers: Boilers
    profiles: list
    drawn_kwh: np.ndarray

    @classmethod
    def of(cls, count, moments):
        """Return the households of ``simulate``: two in three are small."""
        profiles, volumes, powers, drawn = [], [], [], []
        for seed in range(count):
            chance, large = np.random.default_rng(seed), seed % 3 == 2
            profiles.append("M" if large else "S")
            volumes.append(120 if large else 80)
            powers.append(2.0 if large else 1.5)
            share = chance.uniform(0.8, 1.2) if large else chance.uniform(0.7, 1.3)
            drawn.append(draw_random(np.random.default_rng(1000 + seed), profiles[-1], share, moments))
        boilers = Boilers.of(
            [Tank(volume, standing_loss_kwh_per_day("C", volume)) for volume in volumes],
            power_kw=powers,
            cop=[1.0] * count,
            temperature_max_c=[65.0] * count,
            step_h=0.25,
        )
        return cls(boilers, profiles, np.stack(drawn, axis=1))


@dataclass
class Run:
    """What boilers did in each quarter, and their state of charge at its end, each of shape (n, boilers) [kWh]."""

    electricity_kwh: np.ndarray
    state_kwh: np.ndarray
    drawn_kwh: np.ndarray

    def figures(self, boilers, price, baseline, begin):
        """Return what the run comes to from a quarter on, at equal heat with a baseline; means over the boilers."""
        months, days = (len(price) - begin) / 2880, (len(price) - begin) / 96
        ahead_kwh = self.state_kwh - baseline.state_kwh
        gained_kwh = ahead_kwh[-1] - (ahead_kwh[begin - 1] if begin else 0)
        cost = (price[begin:, None] * self.electricity_kwh[begin:]).sum(axis=0)
        cost -= gained_kwh / boilers.cop * price[-96:].mean()
        temperature_c = boilers.temperature_c(self.state_kwh[begin:])
        on = self.electricity_kwh[begin:] > 1e-9
        return {
            "EUR/month": cost.mean() / months,
            "u40": self.unserved(boilers, 40.0)[begin:].sum(axis=0).mean() * 365 / days,
            "u45": self.unserved(boilers, 45.0)[begin:].sum(axis=0).mean() * 365 / days,
            "below 50 °C [min/day]": 15 * ((temperature_c < 49.9) & (self.drawn_kwh[begin:] > 0)).mean() * 96,
            "starts/day": (on[1:] & ~on[:-1]).sum(axis=0).mean() / days,
            "hygiene missed": sum(hygiene_missed(of_boiler) for of_boiler in temperature_c.T),
        }

    def unserved(self, boilers, useful_c):
        """Return the heat that was drawn and not served at a temperature [°C], shape (n, boilers) [kWh]."""
        return np.clip(boilers.state_kwh(useful_c) - self.state_kwh, 0, self.drawn_kwh)


def hygiene_missed(temperature_c):
    """Return how often seven days went by without half an hour at 60 °C."""
    hot = temperature_c >= HOT_C
    done = np.flatnonzero(hot[1:] & hot[:-1]) + 1
    edges = np.concatenate([[0], done, [len(temperature_c)]])
    return int((np.diff(edges) // (HYGIENE_DAYS * 96)).sum())


def thermostat_run(homes):
    """Return the run of thermostats at 60 °C."""
    b = homes.boilers
    heat, states = thermostat(
        b.state_kwh(START_C),
        retention=b.retention,
        inflow_kwh=b.gain_kwh - homes.drawn_kwh * b.late,
        heat_max_kwh=b.heat_max_kwh,
        restart_kwh=b.state_kwh(55.0),
        full_kwh=b.state_kwh(60.0),
    )
    return Run(heat / b.late / b.cop, states, homes.drawn_kwh)


def set_point_run(homes, moments, price, options):
    """Return the run of boilers that follow set-points; moments and prices go on for two days after the last."""
    boilers, chance = homes.boilers, np.random.default_rng(99)
    n, many = homes.drawn_kwh.shape
    quarters, prior = quarter_of_day(moments), usual(homes.profiles)
    run = Run(np.zeros((n, many)), np.zeros((n, many)), homes.drawn_kwh)
    seen_drawn, wishes = np.full((n, many), np.nan), np.zeros((len(moments), many))
    state, seen = boilers.state_kwh(START_C), np.full(many, np.nan)
    heating, last_hot, before_c = np.zeros(many, dtype=bool), np.zeros(many, dtype=int), np.zeros(many)
    for i in range(n):
        if i == 0 or quarters[i] == PLANNED_AT:
            # to the end of today, and from 14:00 on to that of tomorrow
            ahead = slice(i, i + 96 - quarters[i] + (96 if quarters[i] >= PLANNED_AT else 0))
            known = learned(moments[:i], seen_drawn[:i], np.zeros((i, many), dtype=bool), prior)
            floors = hygiene_floors(boilers, price, ahead, last_hot)
            wishes[ahead] = planned(boilers, known, quarters, price, ahead, floors, options)
        thermometer_kwh = boilers.state_kwh(read(boilers, state, chance))
        if options.followed == "alone":
            share, heating = alone(
                boilers, thermometer_kwh, wishes[i], before_kwh=wishes[max(i - 1, 0)], heating=heating
            )
        else:
            # the server knows what it observed
            at = np.where(np.isfinite(seen), seen, thermometer_kwh)
            share = (need if options.followed == "power" else relay)(boilers, at, wishes[i])
        idle = boilers.idle_kwh(state)
        heat = np.minimum(share * boilers.heat_max_kwh, np.maximum(boilers.ceiling_kwh - idle, 0))
        state = np.maximum(idle + heat - homes.drawn_kwh[i] * boilers.late, 0)
        run.electricity_kwh[i], run.state_kwh[i] = heat / boilers.late / boilers.cop, state
        read_c = read(boilers, state, chance)
        told = observe(boilers, read_c[None], run.electricity_kwh[i][None], seen, tolerance_k=options.tolerance)
        seen_drawn[i], seen = told.drawn_kwh[0], told.state_kwh[0]
        last_hot = np.where((read_c >= HOT_C) & (before_c >= HOT_C), i, last_hot)
        before_c = read_c
    return run


def read(boilers, state_kwh, chance):
    """Return temperatures by sensors with a noise of 0.3 K and steps of 0.5 K [°C]."""
    return np.round((boilers.temperature_c(state_kwh) + chance.normal(0, 0.3, len(state_kwh))) / 0.5) * 0.5


def planned(boilers, known, quarters, price, ahead, floors, options):
    """Return the set-points of the steps ahead, shape (n, boilers) [kWh]."""
    many, n = len(boilers), ahead.stop - ahead.start
    sizes, probabilities = known.ahead(quarters[ahead], np.zeros((n, many), dtype=bool))
    mean_price = price[max(0, ahead.start - DAYS * 96) : ahead.stop].mean()
    problem = Ahead(
        price=np.repeat(price[ahead, None], many, axis=1),
        sizes_kwh=sizes,
        probabilities=probabilities,
        useful_kwh=boilers.state_kwh(options.useful),
        unserved_price=price_of_unserved(options.r, np.full(many, mean_price)),
        floor_kwh=floors,
    )
    return set_points(boilers, problem).states_kwh


def hygiene_floors(boilers, price, ahead, last_hot):
    """Return hard floors [kWh] of boilers that are due in a plan: in the two quarters that end its cheapest hour."""
    floors = np.zeros((ahead.stop - ahead.start, len(boilers)))
    for number, due in enumerate(last_hot + HYGIENE_DAYS * 96):
        if due <= ahead.stop:
            hours = np.convolve(price[ahead.start : max(due, ahead.start + 4)], np.ones(4), "valid")
            first = int(hours.argmin()) + 2
            floors[first : first + 2, number] = boilers.state_kwh(HYGIENE_C)[number]
    return floors


def parsed(words=None):
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boilers", type=int, default=20)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--from-day", type=int, default=1, help="the first day that counts (default: 1)")
    parser.add_argument("--tariff", choices=["a", "flat"], default="a")
    parser.add_argument("--r", type=float, default=6.0, help="price of unserved heat, in mean prices (default: 6)")
    parser.add_argument("--useful", type=float, default=40.0, help="useful temperature [°C] (default: 40)")
    parser.add_argument("--tolerance", type=float, default=TOLERANCE_K, help="of a reading, to teach nothing [K]")
    parser.add_argument("--followed", choices=FOLLOWED, default="alone")
    return parser.parse_args(words)


def compared(options):
    """Return the figures of thermostats and of set-points."""
    moments = pd.date_range("2024-01-02", periods=96 * (options.days + 2), freq="15min", tz=TIMEZONE)
    spot = pd.read_csv(PRICES, index_col=0, parse_dates=True)["EUR/MWh"].reindex(moments, method="ffill") / 1000
    price = np.asarray(tariff(spot.to_numpy(), moments, options.tariff))
    homes = Households.of(options.boilers, moments[: 96 * options.days])
    baseline = thermostat_run(homes)
    run = set_point_run(homes, moments, price, options)
    begin = 96 * (options.from_day - 1)
    return [made.figures(homes.boilers, price[: 96 * options.days], baseline, begin) for made in (baseline, run)]


def main():
    """Print the table."""
    options = parsed()
    found = compared(options)
    saved = 1 - found[1]["EUR/month"] / found[0]["EUR/month"]
    print(f"{vars(options)}: saved {saved:.1%}")
    rows = [{"control": name, **values} for name, values in zip(("thermostat", "set-points"), found, strict=True)]
    print(tabulate(rows, headers="keys", floatfmt=".2f"))


if __name__ == "__main__":
    main()
