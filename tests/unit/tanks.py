"""Tanks in steps of a quarter of an hour, for the tests of the pure modules."""

import numpy as np

from smart_boiler_plugin.envelope import Steps


def steps_of(tank, drawn_kwh, power_kw):
    """Return the steps of a tank, losses worked out as ``Tank.after`` does."""
    n = len(drawn_kwh)
    retention = tank.storage_efficiency(0.25)
    late = (1 - retention) / -np.log(retention) if retention < 1 else 1.0
    inflow = (tank.ambient_gain_kw / 4 - drawn_kwh) * late
    return Steps(np.full(n, retention), inflow, np.zeros(n), np.full(n, power_kw / 4 * late), drawn_kwh * late)
