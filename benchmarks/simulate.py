"""Boilers in a closed loop over weeks of real prices: a thermostat, a night-rate timer and this plugin's plan.

Every boiler draws at random around its tapping profile, the same under each control; plans know the profile alone::

    make simulate
    make simulate ARGS="--boilers 3 --days 7"
    make simulate ARGS="--prices my-prices.csv --fees '0 EUR/kWh' --vat '0 %' --output my-folder"

The prices are a CSV file with a header, the starts of the hours or quarters (ISO 8601 with offset) and EUR/MWh. The
consumption price is that of a tariff, (spot + fees) * (1 + VAT), with fees as `add-tariff` takes them. "saved" compares
the whole runs at equal heat; "as reported" adds up the savings of single days, as `report` tells them to customers.
Prints a table, and writes it with a picture into the output folder.
"""

import argparse
import json
import time
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from tabulate import tabulate
from tqdm import tqdm

from benchmarks.app import app_context, quiet
from benchmarks.closed_loop import draw_random, planned_run, reported_savings, save, thermostat_run
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.physics import hygiene
from smart_boiler_plugin.prices.tariff_schema import TermsSchema, contract_of
from tests.host.boilers import QUARTER, change_data, make_household

TIMEZONE = "Europe/Brussels"
PRICES = Path(__file__).parent / "data" / "day-ahead-prices-BE-2024.csv"
FEES = '[{"days": "mon-fri", "from": "07:00", "until": "23:00", "fee": "0.05 EUR/kWh"}]'
COLDER_K = 2.0
START_C = 55.0
HALF_AN_HOUR = 2 * QUARTER
CONTROLS = ("thermostat", "night-rate timer", "plan at 14:00", f"plan, again when {COLDER_K:g} K colder")
HEADERS = (
    "control",
    "cost [EUR]",
    "cost at equal heat [EUR]",
    "saved",
    "as reported",
    "electricity [kWh]",
    "below the floor while drawing [min/day]",
    "hygiene missed",
    "starts per day",
    "plans per day",
)


def read_prices(file, moments):
    """Return spot prices [EUR/kWh] per quarter; exits with what is missing if the file does not cover them."""
    prices = pd.read_csv(file, index_col=0).iloc[:, 0]
    prices.index = pd.to_datetime(prices.index, utc=True)
    step = prices.index[1] - prices.index[0]
    if prices.index[0] > moments[0] or prices.index[-1] + step <= moments[-1]:
        raise SystemExit(
            f"{file} has prices from {prices.index[0]} until {prices.index[-1] + step}, and "
            f"{moments[0]} until {moments[-1] + QUARTER} is needed. Choose fewer --days or another --start."
        )
    return prices.reindex(moments.tz_convert("UTC"), method="ffill").set_axis(moments) / 1000


def household(seed):
    """Return a boiler and how much of its tapping profile the household draws: two in three are small."""
    chance = np.random.default_rng(seed)
    if seed % 3 == 2:
        return BoilerData(volume_l=120, power_kw=2.0, tapping_profile="M"), chance.uniform(0.8, 1.2)
    return BoilerData(volume_l=80, power_kw=1.5, tapping_profile="S"), chance.uniform(0.7, 1.3)


def runs_of(made, seed, moments):
    """Return the run of each control for one boiler, its data, and what was drawn."""
    data, share = household(seed)
    drawn = draw_random(np.random.default_rng(1000 + seed), data.tapping_profile, share, moments)
    start = data.tank.state_of_charge_kwh(START_C)
    night = np.asarray((moments.hour >= 23) | (moments.hour < 7))
    runs = [
        thermostat_run(data, start, drawn),
        thermostat_run(data, start, drawn, set_point_c=65.0, hysteresis_k=2.0, allowed=night),
    ]
    for colder_k in (np.inf, COLDER_K):
        boiler = change_data(made, data)
        with quiet():
            runs.append(planned_run(boiler, start, moments, drawn, colder_k=colder_k))
        forget_readings(boiler)
    return runs, data, drawn


def forget_readings(boiler):
    """Take away what the boiler measured, for its next life."""
    from flexmeasures.data import db  # noqa: PLC0415
    from flexmeasures.data.models.time_series import TimedBelief  # noqa: PLC0415

    db.session.execute(db.delete(TimedBelief).filter_by(sensor_id=boiler.sensors["temperature"].id))
    db.session.commit()


def figures(run, baseline, data, drawn, price, moments):
    """Return what one run of a boiler comes to, in the order of the table from the cost on."""
    tank = data.tank
    start = tank.state_of_charge_kwh(START_C)
    states = np.array(run.state_kwh)
    temperature_c = tank.temperature_c(states)
    days = len(moments) / 96
    less_kwh = (baseline.state_kwh[-1] - states[-1]) / data.cop
    cost = run.cost(price)
    below = (temperature_c < data.temperature_min_c - 0.1) & (drawn > 0)
    power = np.array(run.power_kw)
    starts = ((power[1:] > 0) & (power[:-1] <= 0)).sum()
    return np.array(
        [
            cost,
            cost + less_kwh * price[-96:].mean(),
            reported_savings(data, start, run, drawn, price),
            power.sum() / 4,
            15 * below.sum() / days,
            missed_hygiene(pd.Series(temperature_c, index=moments)),
            starts / days,
            run.plans / days,
        ]
    )


def missed_hygiene(temperature_c):
    """Return how often seven days went by without half an hour at 60 °C."""
    missed, since = 0, temperature_c.index[0]
    while since + pd.Timedelta(days=7) <= temperature_c.index[-1]:
        week = temperature_c[since : since + pd.Timedelta(days=7)]
        done = hygiene.last_done(week, 60.0, HALF_AN_HOUR, QUARTER)
        missed += done is None
        since = done if done is not None and done > since else since + pd.Timedelta(days=7)
    return missed


def simulate(boilers, moments, spot, price):
    """Return the mean figures per boiler and control, and the runs of the first boiler."""
    found, first = [], None
    with app_context():
        made, sensor = make_household()
        save(sensor, pd.Series(price, index=spot.index), moments[0] - pd.Timedelta(days=2))
        shown = price[: len(moments)]
        for seed in tqdm(range(boilers), unit="boiler"):
            runs, data, drawn = runs_of(made, seed, moments)
            found.append([figures(run, runs[0], data, drawn, shown, moments) for run in runs])
            first = first or (runs, data, drawn)
    return np.array(found), first


def table_of(found):
    """Return the rows of the table: means over boilers; hygiene and comfort as they add up."""
    mean, total = found.mean(axis=0), found.sum(axis=0)
    rows = []
    for name, values, sums in zip(CONTROLS, mean, total, strict=True):
        saved = f"{100 * (1 - values[1] / mean[0][1]):.1f} %"
        reported = f"{100 * values[2] / mean[0][1]:.1f} %"
        rows.append([name, values[0], values[1], saved, reported, *values[3:5], int(sums[5]), *values[6:]])
    return rows


def draw(found, first, price, moments, file):
    """Draw costs and comfort per control, and three days of the first boiler."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    mean = found.mean(axis=0)
    figure, axes = plt.subplots(2, 2, figsize=(13, 8))
    for axis, column, title in (
        (axes[0][0], 1, "cost at equal heat [EUR/boiler]"),
        (axes[0][1], 4, "below the floor while drawing [min/day]"),
    ):
        axis.barh(CONTROLS[::-1], mean[::-1, column])
        axis.set_title(title)
    begin = max(0, min(96 * 3, len(moments) - 96 * 3))
    part = slice(begin, min(begin + 96 * 3, len(moments)))
    runs, data, _ = first
    for name, run in zip(CONTROLS, runs, strict=True):
        axes[1][0].plot(moments[part], data.tank.temperature_c(np.array(run.state_kwh[part])), label=name)
    axes[1][0].axhline(data.temperature_min_c, color="grey", linestyle=":")
    axes[1][0].set_title("first boiler, three days: temperature [°C]")
    axes[1][0].legend(fontsize="small")
    axes[1][1].step(moments[part], price[part], where="post", color="black")
    axes[1][1].set_title("consumption price [EUR/kWh]")
    for axis in axes[1]:
        axis.tick_params(axis="x", labelrotation=30)
    figure.tight_layout()
    figure.savefig(file, dpi=90)


def main():
    """Parse, simulate, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boilers", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--days", type=int, default=28, help="how many (default: 28)")
    parser.add_argument("--start", default="2024-01-02", help="first day, local time (default: 2024-01-02)")
    parser.add_argument("--prices", type=Path, default=PRICES, help="CSV file (default: Belgium, early 2024)")
    parser.add_argument("--fees", default=FEES, help=f"as add-tariff takes them, or a JSON list (default: {FEES})")
    parser.add_argument("--vat", default="21 %", help="value added tax (default: 21 %%)")
    parser.add_argument("--output", type=Path, default=Path("simulation"), help="folder (default: simulation)")
    options = parser.parse_args()
    output = options.output.resolve()
    output.mkdir(parents=True, exist_ok=True)

    begin = time.monotonic()
    moments = pd.date_range(pd.Timestamp(options.start, tz=TIMEZONE), periods=96 * options.days, freq=QUARTER)
    known = pd.date_range(moments[0], periods=96 * (options.days + 2), freq=QUARTER)
    spot = read_prices(options.prices.resolve(), known)
    fees = json.loads(options.fees) if options.fees.startswith("[") else options.fees
    price = contract_of(TermsSchema().load({"fees": fees, "vat": options.vat})).price(spot)
    found, first = simulate(options.boilers, moments, spot, price)
    table = tabulate(table_of(found), HEADERS, tablefmt="github", floatfmt=".2f")
    said = (
        f"{options.boilers} boilers, {options.days} days from {options.start}, {options.prices.name}, "
        f"fees {options.fees}, VAT {options.vat}; means per boiler, hygiene over all; "
        f"{(time.monotonic() - begin) / 60:.1f} min"
    )
    (output / "simulation.md").write_text(f"{said}\n\n{table}\n")
    print(f"{said}\n\n{table}\n")
    draw(found, first, price, moments, output / "simulation.png")
    print(f"The picture is in {output / 'simulation.png'}")


if __name__ == "__main__":
    main()
