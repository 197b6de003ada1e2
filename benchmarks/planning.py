"""What a plan costs: BoilerScheduler and the host's StorageScheduler with its default settings, on the same problem.

Prints the median CPU time of one plan of 96 quarters, and the ratio of the two, measured in one run, in turns::

    make benchmark
    python -m benchmarks.planning --plans 50

The boiler has been measured for 8 days, prices and draw-offs are on their sensors. StorageScheduler gets the same tank
as a plain storage in kWh, with its starting state of charge. "computed" is reading, preparing and solving; "stored" is
the whole job of a worker but for the queue; "planned again" is that job once more an hour later, when nothing is new.
BoilerScheduler stores three series (power, state of charge, temperature), StorageScheduler one.
"""

import argparse
import itertools
import statistics
import time
from datetime import timedelta

import numpy as np
from flexmeasures.data import db
from flexmeasures.data.models.planning.storage import StorageScheduler
from flexmeasures.data.services.scheduling import make_schedule
from tabulate import tabulate

from benchmarks.app import app_context, quiet
from smart_boiler_plugin.plan.scheduler import BoilerScheduler
from tests.factories import store
from tests.host.boilers import KEPT_WARM, QUARTER, START, make_household
from tests.host.test_same_optimum import PlainStorage

QUARTERS = 96
WARM_UP = 2
"""Plans that are made first and not counted."""


def plain_flex_model(boiler):
    """The boiler as a storage, as somebody would write it who knows the host alone."""
    own = boiler.data.flex_model
    keep = (
        "soc-minima",
        "soc-min",
        "soc-max",
        "soc-gain",
        "storage-efficiency",
        "power-capacity",
        "production-capacity",
    )
    return {
        **{name: own[name] for name in keep},
        "soc-at-start": f"{boiler.data.tank.state_of_charge_kwh(57.0)} kWh",
        "soc-usage": [{"sensor": boiler.sensors["demand"].id}],
    }


def computed(scheduler, sensor, start, **config):
    """Compute a plan and keep nothing."""
    scheduler(
        asset_or_sensor=sensor,
        start=start,
        end=start + timedelta(days=1),
        resolution=QUARTER,
        belief_time=start,
        return_multiple=True,
        **config,
    ).compute()
    db.session.rollback()


def stored(_, sensor, start, *, asked_after=timedelta(0), **config):
    """Compute a plan and store it, as a worker does."""
    make_schedule(
        asset_or_sensor={"class": "Sensor", "id": sensor.id},
        start=start,
        end=start + timedelta(days=1),
        resolution=QUARTER,
        belief_time=start + asked_after,
        **config,
    )


def planned_again(scheduler, sensor, start, **config):
    """Compute and store a plan of a window that holds the same plan, as a worker does an hour later."""
    stored(scheduler, sensor, start, asked_after=timedelta(hours=1), **config)


def cpu_ms(job, *arguments, **config):
    """Return the CPU time of a job [ms]."""
    begin = time.process_time()
    with quiet():
        job(*arguments, **config)
    return 1000 * (time.process_time() - begin)


def measure(plans):
    """Return rows: what, ms of the host's scheduler, ms of ours, ratio."""
    boiler, price = make_household(KEPT_WARM)
    plain = PlainStorage()
    count = plans + WARM_UP
    days = 6 * count
    quarter = np.arange(QUARTERS * (days + 1))
    store(price, 0.2 + 0.1 * np.sin(quarter / 8), START)
    store(boiler.sensors["demand"], np.where(quarter % 12 == 0, 0.2, 0.0), START)
    store(boiler.sensors["temperature"], np.full(QUARTERS * (8 + days), 57.0), START - timedelta(days=8))
    context = {"consumption-price": {"sensor": price.id}, "production-price": {"sensor": price.id}}
    model = plain_flex_model(boiler)
    rows = []
    # 56 °C was always reached, 60 °C never
    cases = itertools.product((computed, stored, planned_again), (("not due", "56 °C"), ("due", "60 °C")))
    for case, (job, (hygiene, temperature)) in enumerate(cases):
        boiler.change_comfort({"hygiene": {"temperature": temperature}})
        db.session.commit()
        theirs, ours = [], []
        for day in range(case * count, (case + 1) * count):
            start = START + timedelta(days=day, hours=1)
            sensor = plain.sensors["fill-rate"]
            their_config = {"flex_model": dict(model), "flex_context": context}
            our_config = {"flex_model": {}, "flex_context": {}}
            if job is planned_again:
                cpu_ms(stored, StorageScheduler, sensor, start, **their_config)
                cpu_ms(stored, BoilerScheduler, boiler.sensors["fill-rate"], start, **our_config)
            theirs.append(cpu_ms(job, StorageScheduler, sensor, start, **their_config))
            ours.append(cpu_ms(job, BoilerScheduler, boiler.sensors["fill-rate"], start, **our_config))
        medians = [statistics.median(times[WARM_UP:]) for times in (theirs, ours)]
        rows.append([f"{job.__name__.replace('_', ' ')}, hygiene {hygiene}", *medians, medians[1] / medians[0]])
    return rows


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plans", type=int, default=20, help="how many plans each (default: 20)")
    plans = parser.parse_args().plans
    with app_context():
        rows = measure(plans)
    headers = ["one plan of 96 quarters", "StorageScheduler [ms CPU]", "BoilerScheduler [ms CPU]", "ratio"]
    print(tabulate(rows, headers, floatfmt=("", ".0f", ".0f", ".2f")))


if __name__ == "__main__":
    main()
