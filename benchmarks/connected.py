"""Weeks of boilers with simulated devices on MQTT, minute by minute, while parts of the way to them are gone.

Plan, lease, relay and messages are the plugin's own functions, the devices are those of the tests, and their timers
theirs. Between them is no network: what is sent while a part is gone is lost. Power is metered without a gap.

python -m benchmarks.connected --boilers 9 --days 14
"""

import argparse
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from tabulate import tabulate

from benchmarks.controls import Run, facts_of, is_planned, known_until, thermostat
from benchmarks.households import QUARTER
from benchmarks.measure import figures
from benchmarks.set_points_followed import Learned
from benchmarks.simulate import world_of
from smart_boiler_plugin.boiler.comfort import Comfort
from smart_boiler_plugin.boiler.connection import Connection
from smart_boiler_plugin.boiler.profiles import TEMPERATURE
from smart_boiler_plugin.devices.lease import lease_of
from smart_boiler_plugin.devices.messages import Reader
from smart_boiler_plugin.devices.relay import Relay
from smart_boiler_plugin.plan.ahead import problem_ahead
from smart_boiler_plugin.plan.handing_out import HandedOut
from smart_boiler_plugin.plan.policy import Policy
from smart_boiler_plugin.plan.set_points import solve_by_set_points
from smart_boiler_plugin.plan.span import Span
from tests.mqtt_devices import KINDS

PARTS = ("broker", "bridge", "database", "worker")
"""The database stands for the server, too: the bridge has no other."""

THERMOSTAT_K = 5.0
"""How far below its limiter a boiler's own thermostat lets the temperature fall [K]."""

FRESH_QUARTERS = 8
"""How old a reading may be that forbids heating."""

SAID_EVERY = 5
"""How often devices say how they are [min]."""

RISING_K = 0.2


def nothing_gone(_part, _minute):
    """Return that no part is ever gone."""
    return False


def each_once_a_day(hours=4, seed=7):
    """Return when parts are gone: each once a day, for some hours, at any time of the day."""
    begins = {part: np.random.default_rng([seed, number]).integers(0, 1440, 366) for number, part in enumerate(PARTS)}

    def gone(part, minute):
        days = (minute // 1440, max(minute // 1440 - 1, 0))
        return any(0 <= minute - 1440 * day - begins[part][day] < 60 * hours for day in days)

    return gone


@dataclass
class Home:
    """A boiler with its own thermostat, its device, and what bridge and database know of it."""

    tank: object
    power_kw: float
    ceiling_c: float
    device: object
    connection: Connection
    state_kwh: float
    heating: bool = False
    relay: Relay | None = None
    out: HandedOut | None = None

    def heat(self, hours, drawn_kwh):
        """Let it heat by its own thermostat, where the relay lets it; return the electricity [kWh]."""
        temperature_c = self.tank.temperature_c(self.state_kwh)
        self.heating = (
            self.heating or temperature_c < self.ceiling_c - THERMOSTAT_K
        ) and temperature_c < self.ceiling_c
        power = self.power_kw if self.heating and self.device.heats else 0.0
        self.state_kwh = max(self.tank.after(self.state_kwh, hours, power, drawn_kwh), 0.0)
        return power * hours


class Connected:
    """Homes in one world, and what is on the way between them and their plans."""

    def __init__(self, made, gone, step=1):
        self.made, self.gone, self.step = made, gone, step
        self.run, self.learned = Run.of(made.homes), Learned(made.homes)
        self.read_c = np.full(made.homes.drawn_kwh.shape, np.nan)
        self.planned_kw = np.zeros((len(made.moments), self.read_c.shape[1]))
        self.begin = made.moments[0].tz_convert("UTC").to_pydatetime()
        self.noise = np.random.default_rng(99)
        kinds = [list(KINDS)[number % len(KINDS)] for number in range(self.read_c.shape[1])]
        self.homes = [
            Home(
                *(each.tank, each.power_kw, each.temperature_max_c, KINDS[kind](f"b{number}")),
                *(Connection(kind, f"b{number}"), made.homes.start_kwh[number]),
            )
            for number, (kind, each) in enumerate(zip(kinds, made.homes.entered, strict=True))
        ]
        self.reader = Reader({number: home.connection for number, home in enumerate(self.homes)})
        self.waiting, self.is_due, self.was_there = {}, False, False
        self.habits = self.learned.habits(made.moments, 0)

    def live(self):
        """Live all minutes, by the step; return the run."""
        drawn = self.made.homes.drawn_kwh
        for minute in range(0, 15 * len(drawn), self.step):
            i = minute // 15
            there = {part for part in PARTS if not self.gone(part, minute)}
            now = self.begin + timedelta(minutes=minute)
            if minute % 15 == 0:
                self.plan(i, there)
            self.talk(minute, i, now, there)
            for number, home in enumerate(self.homes):
                self.run.electricity_kwh[i, number] += home.heat(self.step / 60, drawn[i, number] * self.step / 15)
                self.run.state_kwh[i, number] = home.state_kwh
        return self.run

    def plan(self, i, there):
        """Learn at midnight, and plan when prices have come in: what could not be done then is done once it can."""
        moments, price = self.made.moments, self.made.price
        if i and moments[i] == moments[i].normalize():
            self.learned.learn(moments, i, self.read_c, self.run.electricity_kwh)
            self.habits = self.learned.habits(moments, i)
        self.is_due |= is_planned(moments, i)
        if not self.is_due or not {"worker", "database"} <= there:
            return
        self.is_due, end = False, known_until(moments, i)
        entered, comfort, policy = self.made.homes.entered, Comfort(), Policy()
        problems = [
            problem_ahead(
                *(entered[number], comfort),
                facts_of(number, moments, i, self.read_c, self.run.electricity_kwh, self.planned_kw, price),
                policy,
                habit=self.habits.of(number),
                span=Span(moments[i], moments[end], QUARTER, moments[i]),
            )
            for number in range(len(self.homes))
        ]
        now = self.begin + i * QUARTER.to_pytimedelta()
        for number, answer in enumerate(solve_by_set_points(problems, end - i)):
            data, points = entered[number], np.asarray(answer.set_points_c)
            rise_k = data.power_kw / 4 / data.tank.heat_capacity_kwh_per_k
            out = HandedOut(now, now, points, data.hysteresis_k, rise_k, data.temperature_max_c)
            self.homes[number].out = out.with_earlier(self.homes[number].out, now)
            self.planned_kw[i:end, number] = answer.power_kw

    def talk(self, minute, i, now, there):
        """Let devices and bridge speak, and the bridge with the database."""
        heard = {"broker", "bridge"} <= there
        if "bridge" not in there:
            # killed: it remembers nothing
            self.waiting = {}
            for home in self.homes:
                home.relay = None
        for number, home in enumerate(self.homes):
            said = home.device.advance(now.timestamp())
            if self.step == SAID_EVERY or minute % SAID_EVERY == number % SAID_EVERY:
                home.device.temperature_c = home.tank.temperature_c(home.state_kwh) + self.noise.normal(0, 0.3)
                said = [*said, *home.device.says()]
            if heard:
                self.hear(number, said, i, now)
        if "database" in there:
            for (quarter, number), value in self.waiting.items():
                self.read_c[quarter, number] = value
            self.waiting = {}
        if heard and "database" in there:
            self.tell(i, now)
        self.was_there = heard

    def hear(self, number, messages, i, now):
        """Let the bridge hear what a device says."""
        home = self.homes[number]
        for said in (each for message in messages for each in self.reader.read(*message)):
            if home.relay is not None:
                home.relay.hear(said.what, said.value, now)
            if said.what == TEMPERATURE:
                self.waiting[i, number] = said.value

    def tell(self, i, now):
        """Let the bridge tell all devices what there is to tell."""
        start = self.begin + i * QUARTER.to_pytimedelta()
        for number, home in enumerate(self.homes):
            home.relay = home.relay or Relay(home.connection.profile)
            if not self.was_there:
                home.relay.forget()
            latest = np.flatnonzero(np.isfinite(self.read_c[max(i - FRESH_QUARTERS, 0) : i + 1, number]))
            read = self.read_c[max(i - FRESH_QUARTERS, 0) : i + 1, number][latest]
            lease = lease_of(
                now,
                home.out.ahead(start)[:2].tolist() if home.out else [],
                float(read[-1]) if len(read) else None,
                rise_k=home.out.rise_k if home.out else 0.0,
                rising=len(read) > 1 and bool(read[-1] - read[-2] > RISING_K),
            )
            sends = home.relay.tell(lease, now)
            if sends is not None:
                self.hear(number, home.device.hear(sends.topic, sends.payload, now.timestamp()), i, now)


def compared(boilers, days, hours=4, seed=7):
    """Return what weeks come to with nothing gone, with each part gone for hours once a day, and by thermostats."""
    made = world_of(boilers, days)
    baseline = thermostat(made.homes)
    runs = {"thermostat": baseline}
    for name, gone in (("nothing gone", nothing_gone), ("each part gone", each_once_a_day(hours, seed))):
        runs[name] = Connected(made, gone).live()
    return {name: figures(made.homes, run, baseline, made.price) for name, run in runs.items()}


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boilers", type=int, default=9, help="how many (default: 9)")
    parser.add_argument("--days", type=int, default=14, help="how long (default: 14)")
    parser.add_argument("--hours", type=int, default=4, help="for how long each part is gone each day (default: 4)")
    asked = parser.parse_args()
    found = compared(asked.boilers, asked.days, asked.hours)
    names = ["cost", "u40", "u45", "minutes_below_50", "starts_per_day", "hygiene_missed"]
    rows = [[name, *(each[column] for column in names)] for name, each in found.items()]
    print(tabulate(rows, headers=["", *names], floatfmt=".2f"))


if __name__ == "__main__":
    main()
