"""What the plugin adds to a start of the host: CPU and wall time of an app with it and without it, in turns.

Prints the medians and what the plugin adds, which should be at most 5 % or 0.3 s::

    make benchmark BENCH=start
    python -m benchmarks.start --starts 9

A start is a new process that makes the app of ``flexmeasures`` from a configuration. The database is not reached, since
nothing is asked of it. Wall time says little while other programs are busy.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tabulate import tabulate

from tests.host.apps import SETTINGS

START = """
import sys
from flexmeasures.app import create
app = create(env="production", path_to_config=sys.argv[1])
assert len([name for name in app.blueprints if name.startswith("smart-boiler-plugin")]) == int(sys.argv[2])
"""
BLUEPRINTS = {"without": 0, "with": 4}
UNREACHED = {"SQLALCHEMY_DATABASE_URI": "postgresql://nobody@127.0.0.1:1/none", "FLEXMEASURES_REDIS_PORT": 1}


def start(config, blueprints):
    """Start an app, and return how much CPU and wall time that took [s].

    Raises
    ------
    subprocess.CalledProcessError
        If it does not start, or has other blueprints of the plugin than it should.

    """
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    # byte code is there, or is not, for the plugin as for the host: that of a checkout is written by the first start
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", START, str(config), str(blueprints)]
    subprocess.run(command, check=True, capture_output=True, cwd=config.parent, env=environment)  # noqa: S603
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def configured(config, *, with_plugin):
    """Write a configuration, and return its file."""
    plugins = SETTINGS["FLEXMEASURES_PLUGINS"] if with_plugin else []
    settings = {**SETTINGS, **UNREACHED, "FLEXMEASURES_PLUGINS": plugins}
    config.write_text("".join(f"{name} = {value!r}\n" for name, value in settings.items()))
    return config


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--starts", type=int, default=5, help="starts of each kind (default: 5)")
    starts = parser.parse_args().starts
    cpu, wall = {kind: [] for kind in BLUEPRINTS}, {kind: [] for kind in BLUEPRINTS}
    with tempfile.TemporaryDirectory(prefix="smart-boiler-") as folder:
        for number in range(starts + 1):
            for kind, blueprints in BLUEPRINTS.items():
                took = start(configured(Path(folder) / f"{kind}.cfg", with_plugin=kind == "with"), blueprints)
                if number:  # the first ones warm up
                    cpu[kind].append(took[0])
                    wall[kind].append(took[1])
    rows = []
    for name, times in (("CPU", cpu), ("wall", wall)):
        without, with_plugin = (statistics.median(times[kind]) for kind in BLUEPRINTS)
        rows.append([name, without, with_plugin, with_plugin - without, 100 * (with_plugin / without - 1)])
    print(tabulate(rows, headers=["", "without [s]", "with [s]", "added [s]", "added [%]"], floatfmt=".2f"))


if __name__ == "__main__":
    main()
