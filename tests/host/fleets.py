"""Fleets of boilers of all kinds, to be planned at once. Call inside an app context."""

from datetime import timedelta

import numpy as np
import pandas as pd
from flexmeasures.data import db

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor
from tests.factories import make_account, make_household_boiler, store

NOW = pd.Timestamp("2025-10-29T14:07", tz="Europe/Amsterdam")
BEGIN = NOW.floor("15min")
END = pd.Timestamp("2025-10-31", tz="Europe/Amsterdam")
"""Of the known prices."""

QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)


def make_prices(end=END, price=None):
    """Store prices of a week, from before now until an end."""
    begin = BEGIN.normalize() - 7 * DAY
    quarter = np.arange(round((end - begin) / QUARTER))
    price = price or get_or_create_consumption_price_sensor("NL")
    store(price, 0.2 + 0.1 * np.sin(quarter / 8) + 0.0003 * (quarter % 17), begin)
    return price


def make_boilers(count, operator_id=None, data=None):
    """Make boilers of customers of an operator, without readings."""
    made = []
    for number in range(count):
        owner = make_account(f"Client {operator_id} {number}", roles=[CUSTOMER_ROLE])
        owner.consultancy_account_id = operator_id
        made.append(make_household_boiler(owner, f"Boiler {operator_id} {number}", data))
    db.session.commit()
    return made


def random_boiler(chance, number, operator_id=None):
    """Make a boiler of any kind, with readings of any kind, comfort of any kind, and what is known of draw-offs."""
    volume = float(chance.choice([30, 80, 120, 200]))
    data = BoilerData(
        volume_l=volume,
        power_kw=round(volume / 60 * chance.uniform(0.7, 1.5), 2),
        temperature_min_c=chance.choice([None, 45.0]),
        temperature_max_c=float(chance.choice([60, 65, 75])),
        cop=float(chance.choice([1.0, 1.0, 2.5])),
        tapping_profile=str(chance.choice(["XS", "S", "M"])),
    )
    owner = make_account(f"Client {number}", roles=[CUSTOMER_ROLE])
    owner.consultancy_account_id = operator_id
    timezone = str(chance.choice(["Europe/Amsterdam", "Europe/Amsterdam", "Europe/Lisbon"]))
    boiler = make_household_boiler(owner, f"Boiler {number}", data, timezone)
    comfort = [
        {},
        {"useful_temperature": "45 °C"},
        {"away": {"from": (NOW + 6 * QUARTER).isoformat(), "until": (NOW + DAY).isoformat()}},
        {"boost": {"until": (NOW + 5 * QUARTER).isoformat()}},
        {"programme": [{"days": "Mon-Fri", "from": "17:00", "until": "19:00", "temperature": "50 °C"}]},
        {"hygiene": {"off": "a test"}},
        {"hygiene": {"days": 1}},
    ][number % 7]
    if comfort:
        boiler.change_comfort(comfort)
    kind = number % 6
    if kind:  # the others were never seen
        old = [0, 0, 0, 5, 30, 60][kind] * timedelta(hours=1)
        count = int(chance.integers(10, 300))
        read_c = np.clip(50 + 8 * np.sin(np.arange(count) / 9) + chance.normal(0, 0.2, count), 15, 72)
        store(boiler.sensors["temperature"], read_c, BEGIN - old - count * QUARTER, "gateway", BEGIN - old)
    if chance.random() < 0.4:
        drawn = np.where(chance.random(96) < 0.06, 0.3, 0.0)
        store(boiler.sensors["demand"], drawn, BEGIN - 96 * QUARTER, "gateway", BEGIN)
    if chance.random() < 0.3:
        store(boiler.sensors["fill-rate"], [data.power_kw] * 4, BEGIN - 8 * QUARTER, "gateway", BEGIN)
    if chance.random() < 0.2:
        store(boiler.sensors["demand"], [0.4, 0.4], BEGIN + 20 * QUARTER, "gateway", NOW - DAY)
    db.session.commit()
    return Boiler(boiler.asset)
