"""What needs no FlexMeasures starts without it: it takes seconds to import, and each process of a demo would wait."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module",
    ["physics.set_points", "clock.days", "plan.problem", "learning.learn", "embedded.stack", "demo.__main__"],
)
def test_it_is_imported_without_flexmeasures(module):
    command = f"import sys, smart_boiler_plugin.{module}; sys.exit('flexmeasures' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0
