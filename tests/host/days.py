"""Makes days of boilers for host tests: measured, planned, priced. Call inside an app context."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
from flexmeasures import Asset
from flexmeasures.data import db

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.clock.days import midnights
from smart_boiler_plugin.physics.tapping_profiles import drawn_kwh
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor
from tests.factories import make_account, make_household_boiler, store, taken_on_long_ago

DAY = date(2025, 10, 28)
LATER = timedelta(days=5)
TIMEZONE = "Europe/Amsterdam"


def moments_of(day=DAY):
    """Return the quarters of a local day."""
    start, end = midnights(day, TIMEZONE)
    return pd.date_range(start, end, freq="15min", inclusive="left")


MIDNIGHT = moments_of()[0]


def measure(boiler, role, values, start, *, source="gateway"):
    """Store what was measured, recorded a while later."""
    store(boiler.sensors[role], values, start, source_type=source, recorded_at=start + LATER)


def follow_thermostat(boiler, day=DAY, *, start_c=57.0, other_kw=None):
    """Return what a boiler does in a day under a thermostat (60 °C, 5 K below), from a temperature in between.

    Another source may heat the tank, too: ``other_kw`` per quarter [kW].

    Returns
    -------
    Power [kW], heat drawn [kWh] and state of charge [kWh] at the start of each quarter and the end of the last; the
    state is worked out step by step with ``Tank.after``.

    """
    tank, data = boiler.data.tank, boiler.data
    drawn = drawn_kwh(data.tapping_profile, moments_of(day), 0.25)
    restart, full = tank.state_of_charge_kwh(55.0), tank.state_of_charge_kwh(60.0)
    states, power, on = [tank.state_of_charge_kwh(start_c)], [], False
    for drawn_kwh_now, other in zip(drawn, np.zeros(len(drawn)) if other_kw is None else other_kw, strict=True):
        heat = drawn_kwh_now - other / 4
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


def stored(boiler_id, role):
    """Return what is stored on a boiler's sensor, one value per event."""
    sensor = Boiler(db.session.get(Asset, boiler_id)).sensors[role]
    return sensor.search_beliefs(most_recent_beliefs_only=True)["event_value"]


def make_fleet():
    """Make boilers A and B of one operator and C of another, and return their ids by letter.

    Of the day it is known that A followed its thermostat, and that B took half of that power.
    """
    one, two = (make_account(name, roles=["Consultancy"]) for name in ("One", "Two"))
    ids = {}
    for name, operator in (("A", one), ("B", one), ("C", two)):
        owner = make_account(f"Client {name}", roles=[CUSTOMER_ROLE], consultancy=operator)
        asset = make_household_boiler(owner, f"Boiler {name}").asset
        taken_on_long_ago(asset)
        ids[name] = asset.id
    store(get_or_create_consumption_price_sensor("NL"), prices(), MIDNIGHT)
    for name, share in (("A", 1.0), ("B", 0.5)):
        report_day(Boiler(db.session.get(Asset, ids[name])), share)
    return ids


def report_day(boiler, share=1.0):
    """Store a share of the power that a thermostat would have taken, its draw-offs, and where the temperature began."""
    power_kw, drawn, states = follow_thermostat(boiler)
    measure(boiler, "fill-rate", share * power_kw, MIDNIGHT)
    measure(boiler, "demand", drawn, MIDNIGHT)
    start_c = boiler.data.tank.temperature_c(states[0])
    measure(boiler, "temperature", [start_c, start_c], MIDNIGHT - timedelta(minutes=15))
