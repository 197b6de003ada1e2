"""CPU time of the stochastic programme of set-points: all boilers at once, every step with all sizes of draw-offs.

Prints seconds of CPU per 1,000 boilers, the least of some counts::

    make benchmark BENCH=set_points
    make benchmark BENCH=set_points ARGS="--boilers 10000"
"""

import argparse
import time

import numpy as np

from smart_boiler_plugin.physics.boilers import Boilers
from smart_boiler_plugin.physics.set_points import STATES, Ahead, price_of_unserved, set_points
from smart_boiler_plugin.physics.tank import Tank, standing_loss_kwh_per_day

QUARTERS = 136
SIZES = 24


def problem(count):
    """Return boilers of many sizes, with random prices and draw-offs of all sizes up to 4 kWh in every quarter."""
    chance = np.random.default_rng(1)
    volumes = chance.uniform(50, 200, count)
    boilers = Boilers.of(
        [Tank(volume, standing_loss_kwh_per_day("C", volume)) for volume in volumes.tolist()],
        power_kw=chance.uniform(1.2, 2.5, count),
        cop=np.ones(count),
        temperature_max_c=chance.uniform(60, 75, count),
        step_h=0.25,
    )
    price = chance.uniform(0.0, 0.3, (QUARTERS, count))
    sizes = (np.arange(SIZES) + chance.uniform(0, 1, (QUARTERS, count, SIZES))) * 4 / SIZES
    probabilities = np.full(sizes.shape, 0.05 / (SIZES - 1))
    probabilities[:, :, 0] = 0.95
    return boilers, Ahead(
        price, sizes, probabilities, boilers.state_kwh(40.0), price_of_unserved(6.0, price.mean(axis=0))
    )


def cpu_s(boilers, ahead):
    """Return the CPU time [s] of one count."""
    begin = time.process_time()
    set_points(boilers, ahead)
    return time.process_time() - begin


def main():
    """Print the time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boilers", type=int, default=1000, help="how many (default: 1000)")
    parser.add_argument("--times", type=int, default=5, help="the least of so many counts (default: 5)")
    options = parser.parse_args()
    boilers, ahead = problem(options.boilers)
    seconds = min(cpu_s(boilers, ahead) for _ in range(options.times)) * 1000 / options.boilers
    print(
        f"{options.boilers} boilers, {QUARTERS} quarters, {STATES} states, {SIZES} sizes: "
        f"{seconds:.2f} s of CPU per 1,000 boilers"
    )


if __name__ == "__main__":
    main()
