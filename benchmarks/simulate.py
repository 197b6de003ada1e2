"""Boilers in a closed loop over weeks of real prices: thermostats, timers, plans of powers, set-points, and foresight.

Every boiler draws at random around its tapping profile, the same under each control; plans know the profile, the prices
that are known, and what a thermometer with a noise of 0.3 K and steps of 0.5 K says::

    make simulate
    make simulate ARGS="--quick"
    make simulate ARGS="--boilers 60 --days 56 --from-day 15"
    make simulate ARGS="--households late"
    make simulate ARGS="--prices my-prices.csv --start 2025-03-20 --fees '0 EUR/kWh' --vat '0 %' --output my-folder"

The prices are a CSV file with a header, the starts of the hours or quarters (ISO 8601 with offset) and EUR/MWh. The
consumption price is that of a tariff, (spot + fees) * (1 + VAT), with fees as `add-tariff` takes them.

Costs are EUR per boiler at equal heat left; u40 and u45 are the heat [kWh a year] that was drawn and not served at 40
and 45 °C. Plans and set-points are made by the plugin's own functions, from facts to problems to answers. Prints a
table, and writes it with a picture and result.json into the output folder.
"""

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tabulate import tabulate
from tqdm import tqdm

from benchmarks import controls
from benchmarks.households import KINDS, PRICES, QUARTER, TIMEZONE, Households, households, read_prices
from benchmarks.measure import figures
from benchmarks.picture import draw
from benchmarks.set_points_followed import set_points_run
from smart_boiler_plugin.prices.tariff_schema import TermsSchema, contract_of

FEES = '[{"days": "mon-fri", "from": "07:00", "until": "23:00", "fee": "0.05 EUR/kWh"}]'

SWEEP = (2.5, 4.0, 5.0, 6.0, 8.0)
"""What unserved heat may count [mean prices]."""

HOT_CEILING_C = 75.0


@dataclass(frozen=True)
class Control:
    """One way to control boilers: what it is called, and what it is told."""

    name: str
    kind: str
    told: dict
    r: float | None = None
    useful_temperature_c: float | None = None


def set_points_control(r, useful_c, followed="alone", ceiling_c=None):
    """Return the control by set-points."""
    name = f"set-points r={r:g}, {useful_c:g} °C"
    name += {"alone": "", "relay": ", relay", "power": ", any power"}[followed]
    name += f", ceiling {ceiling_c:g} °C" if ceiling_c else ""
    told = {"r": r, "useful_c": useful_c, "followed": followed, "ceiling_c": ceiling_c}
    return Control(name, "set-points", told, r, useful_c)


def controls_of(*, quick=False):
    """Return the controls that are compared, thermostats first."""
    thermostats = [Control(f"thermostat {c:g} °C", "thermostat", {"set_point_c": c}) for c in (60.0, 55.0, 65.0)]
    timers = [Control(f"timer {c:g} °C, 23 to 07", "timer", {"set_point_c": c}) for c in (65.0, HOT_CEILING_C)]
    if quick:
        return [thermostats[0], timers[0], set_points_control(6.0, 40.0)]
    plans = [
        Control("plan at 14:00", "plan", {}),
        Control("plan, again when 2 K colder", "plan", {"colder_k": 2.0}),
    ]
    chosen = [set_points_control(r, 40.0) for r in SWEEP]
    chosen += [set_points_control(*each) for each in ((5.0, 45.0), (6.0, 45.0), (4.0, 50.0), (6.0, 50.0))]
    chosen += [set_points_control(6.0, 40.0, followed) for followed in ("relay", "power")]
    chosen += [set_points_control(6.0, 40.0, ceiling_c=HOT_CEILING_C)]
    return [*thermostats, *timers, *plans, *chosen, Control("perfect foresight", "perfect", {})]


@dataclass(frozen=True)
class World:
    """Households, the quarters of an hour that are known, and what a kWh costs in each [EUR/kWh]."""

    homes: Households
    moments: pd.DatetimeIndex
    price: np.ndarray

    def run(self, control):
        """Return the households as a control has them, and their run under it."""
        told = dict(control.told)
        if control.kind == "thermostat":
            return self.homes, controls.thermostat(self.homes, told["set_point_c"])
        if control.kind == "timer":
            homes = self.homes.with_ceiling(max(65.0, told["set_point_c"]))
            return homes, controls.timer(homes, self.moments, told["set_point_c"])
        if control.kind == "plan":
            return self.homes, controls.plan_of_powers(self.homes, self.moments, self.price, **told)
        if control.kind == "perfect":
            baseline = controls.thermostat(self.homes)
            return self.homes, controls.perfect_foresight(self.homes, self.price, baseline)
        ceiling_c = told.pop("ceiling_c", None)
        homes = self.homes.with_ceiling(ceiling_c) if ceiling_c else self.homes
        return homes, set_points_run(homes, self.moments, self.price, **told)


def world_of(count, days, *, start="2024-01-02", prices=PRICES, fees=FEES, vat="21 %", kind="usual"):
    """Return households and prices; plans know those of two days more than the households live."""
    first = pd.Timestamp(start, tz=TIMEZONE)
    # days may have 23 or 25 hours
    moments = pd.date_range(first, first + pd.DateOffset(days=days + 3), freq=QUARTER, inclusive="left")
    lived, known = (int(moments.searchsorted(first + pd.DateOffset(days=each))) for each in (days, days + 2))
    spot = read_prices(prices, moments[:known]).reindex(moments, method="ffill")
    told = json.loads(fees) if fees.startswith("[") else fees
    price = contract_of(TermsSchema().load({"fees": told, "vat": vat})).price(spot)
    return World(households(count, moments[:lived], kind), moments, price)


def compared(world, some, *, from_day=1, workers=2):
    """Return a result for each control, in the form of result.json."""
    begin = int(world.moments.searchsorted(world.moments[0] + pd.DateOffset(days=from_day - 1)))
    with ProcessPoolExecutor(workers) as pool:
        runs = list(tqdm(pool.map(world.run, some), total=len(some), unit="control", disable=workers == 1))
    baseline = next(run for control, (_, run) in zip(some, runs, strict=True) if control.kind == "thermostat")
    found = [figures(homes, run, baseline, world.price, begin) for homes, run in runs]
    return [
        {
            "control": control.name,
            "r": control.r,
            "useful_temperature_c": control.useful_temperature_c,
            "cost": float(each["cost"]),
            "saved": float(1 - each["cost"] / found[0]["cost"]),
            **{name: float(value) for name, value in each.items() if name != "cost"},
        }
        for control, each in zip(some, found, strict=True)
    ]


COLUMNS = {
    "control": ("control", ""),
    "cost": ("cost [EUR/boiler]", ".2f"),
    "saved": ("saved", ".1%"),
    "u40": ("u40 [kWh/a]", ".1f"),
    "u40_p90": ("worst tenth", ".1f"),
    "u45": ("u45 [kWh/a]", ".1f"),
    "events": ("events [1/a]", ".0f"),
    "minutes_below_50": ("below 50 °C [min/day]", ".1f"),
    "starts_per_day": ("starts a day", ".1f"),
    "hygiene_missed": ("hygiene missed", ".0f"),
    "electricity_kwh": ("electricity [kWh]", ".1f"),
}
"""What the table shows of a result, its heading and format."""


def table_of(results):
    """Return the table for people."""
    rows = [[format(each[name], how) for name, (_, how) in COLUMNS.items()] for each in results]
    return tabulate(rows, [title for title, _ in COLUMNS.values()], tablefmt="github", disable_numparse=True)


def parsed(words=None):
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boilers", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--days", type=int, default=28, help="how many (default: 28)")
    parser.add_argument("--from-day", type=int, default=1, help="the first day that counts (default: 1)")
    parser.add_argument("--start", default="2024-01-02", help="first day, local time (default: 2024-01-02)")
    parser.add_argument("--households", choices=KINDS, default="usual", help="how they draw (default: usual)")
    parser.add_argument("--prices", type=Path, default=PRICES, help="CSV file (default: Belgium, early 2024)")
    parser.add_argument("--fees", default=FEES, help=f"as add-tariff takes them, or a JSON list (default: {FEES})")
    parser.add_argument("--vat", default="21 %", help="value added tax (default: 21 %%)")
    parser.add_argument("--quick", action="store_true", help="thermostat, timer and set-points of r = 6 alone")
    parser.add_argument("--output", type=Path, default=Path("simulation"), help="folder (default: simulation)")
    return parser.parse_args(words)


def main():
    """Simulate, print, draw."""
    options = parsed()
    output = options.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    world = world_of(
        options.boilers,
        options.days,
        start=options.start,
        prices=options.prices.resolve(),
        fees=options.fees,
        vat=options.vat,
        kind=options.households,
    )
    results = compared(world, controls_of(quick=options.quick), from_day=options.from_day)
    said = (
        f"{options.boilers} boilers ({options.households}), {options.days} days from {options.start}, counted from day "
        f"{options.from_day}, {options.prices.name}, fees {options.fees}, VAT {options.vat}; means per boiler, hygiene "
        f"over all; {(time.monotonic() - begin) / 60:.1f} min"
    )
    table = table_of(results)
    (output / "simulation.md").write_text(f"{said}\n\n{table}\n")
    (output / "result.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    print(f"{said}\n\n{table}\n")
    draw(results, output / "simulation.png")
    print(f"Table, picture and result.json are in {output}")


if __name__ == "__main__":
    main()
