"""Makes days of boilers for host tests: measured, planned, priced. Call inside an app context."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from smart_boiler_plugin.local_days import midnights
from smart_boiler_plugin.thermal import drawn_kwh
from tests.factories import store

DAY = date(2025, 10, 28)
LATER = timedelta(days=5)
TIMEZONE = "Europe/Amsterdam"


def moments_of(day=DAY):
    """Return the quarters of a local day."""
    start, end = midnights(day, TIMEZONE)
    return pd.date_range(start, end, freq="15min", inclusive="left")


def measure(boiler, role, values, start, *, source="gateway"):
    """Store what was measured, recorded a while later."""
    store(boiler.sensors[role], values, start, source_type=source, recorded_at=start + LATER)


def follow_thermostat(boiler, day=DAY, *, start_c=57.0):
    """Return what a boiler does in a day under a thermostat (60 °C, 5 K below), from a temperature in between.

    Returns
    -------
    Power [kW], heat drawn [kWh] and state of charge [kWh] at the start of each quarter and the end of the last; the
    state is worked out step by step with ``Tank.after``.

    """
    tank, data = boiler.data.tank, boiler.data
    drawn = drawn_kwh(data.tapping_profile, moments_of(day), 0.25)
    restart, full = tank.state_of_charge_kwh(55.0), tank.state_of_charge_kwh(60.0)
    states, power, on = [tank.state_of_charge_kwh(start_c)], [], False
    for heat in drawn:
        on = on or states[-1] <= restart
        idle = tank.after(states[-1], 0.25, 0.0, heat)
        most = tank.after(states[-1], 0.25, data.power_kw, heat)
        kw = data.power_kw * min(max(full - idle, 0) / (most - idle), 1) if on else 0.0
        power.append(kw)
        states.append(tank.after(states[-1], 0.25, kw, heat))
        on = on and states[-1] < full - 1e-9
    return np.array(power), drawn, np.array(states)


def prices(day=DAY):
    """Return a price per quarter of a day [EUR/kWh], no two alike."""
    quarter = np.arange(len(moments_of(day)))
    return 0.20 + 0.08 * np.sin(quarter / 9) + 0.0001 * quarter
