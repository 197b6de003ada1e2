"""Households in all states that their page knows, around now. Call inside an app context."""

from datetime import timedelta

import numpy as np
from flexmeasures import Account
from flexmeasures.data import db

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.customers.languages import keep_language
from smart_boiler_plugin.fleet.planning import plan_anew
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor
from tests.factories import make_account, make_operator, make_user, store
from tests.host.watched import make_member

DATA = BoilerData(volume_l=120.0, power_kw=2.0, tapping_profile="M")
PROGRAMME = [
    {"days": "mon-fri", "from": "06:30", "until": "08:30", "temperature": "50 °C"},
    {"days": "mon-fri", "from": "18:00", "until": "22:00", "temperature": "50 °C"},
    {"days": "sat,sun", "from": "08:00", "until": "10:30", "temperature": "50 °C"},
    {"days": "sat,sun", "from": "17:00", "until": "22:30", "temperature": "50 °C"},
]
QUARTER = timedelta(minutes=15)


def make_prices(now, days=32):
    """Store prices of some days and of tomorrow, cheap at night and at noon, dear in the evening."""
    begin = now.normalize() - timedelta(days=days)
    end = now.normalize() + timedelta(days=2)
    hour = np.arange(round((end - begin) / QUARTER)) / 4 % 24
    price = 0.2 - 0.08 * np.cos((hour - 3) / 24 * 2 * np.pi) - 0.06 * np.exp(-((hour - 13) ** 2) / 4)
    price += 0.18 * np.exp(-((hour - 18.5) ** 2) / 5) + 0.08 * np.exp(-((hour - 8) ** 2) / 3)
    store(get_or_create_consumption_price_sensor("NL"), price - 0.02, begin)


def tank_of(now, days, *, low_c=45.0, high_c=62.0):
    """Temperatures [°C] and power [kW] of the quarters of some days that are over, heated from 02:15 on each night."""
    count = days * 96
    moments = [now.floor("15min") - (count - number) * QUARTER for number in range(count)]
    hour = np.array([moment.hour + moment.minute / 60 for moment in moments])
    since = (hour - 2.25) % 24
    heats = since < 1.75
    cooled = high_c - (high_c - low_c) * ((since - 1.75) / 22.25) ** 0.8 if count else np.empty(0)
    return np.where(heats, low_c + (high_c - low_c) * since / 1.75, cooled), np.where(heats, DATA.power_kw, 0.0)


def make_home(operator, name, now, *, days=1, ago=timedelta(0), shift_k=0.0, language=None, customer=None):
    """Make a household that can log in as its name, with readings of some days up to a while ago."""
    temperature_c, power_kw = tank_of(now - ago, days)
    boiler = make_member(operator, customer or f"Fam. {name.title()}", now, data=DATA, hours=0)
    make_user(boiler.asset.owner, name)
    made = {"source_type": "gateway", "recorded_at": now}
    begin = now.floor("15min") - ago - days * 96 * QUARTER
    if days:
        store(boiler.sensors["temperature"], temperature_c + shift_k, begin, **made)
        store(boiler.sensors["fill-rate"], power_kw, begin, **made)
    if language:
        keep_language(boiler.asset, language)
    return Boiler(boiler.asset)


def make_homes(now):
    """Make an operator's households, and a stranger's; all but two are planned. Return ids of accounts by name."""
    operator_id, _ = make_operator("Noorderwarmte")
    operator = db.session.get(Account, operator_id)
    make_prices(now)
    made = {
        "mulder": make_home(operator, "mulder", now, days=29),
        "cold": make_home(operator, "cold", now, shift_k=-22.0),
        "silent": make_home(operator, "silent", now, ago=timedelta(hours=20)),
        "new": make_home(operator, "new", now, days=0),
        "priceless": make_home(operator, "priceless", now),
        "evil": make_home(operator, "evil", now, customer="<script>window.ran = 1</script>"),
        "schmidt": make_home(operator, "schmidt", now, days=3, language="de"),
        "jansen": make_home(operator, "jansen", now, days=3, language="nl"),
    }
    for name in ("mulder", "schmidt"):
        made[name].change_comfort({"programme": PROGRAMME})
    db.session.commit()
    plan_anew([boiler.asset.id for name, boiler in made.items() if name != "priceless"])
    make_user(make_account("Rival", roles=["Consultancy"]), "rival", roles=["consultant"])
    return {name: boiler.asset.account_id for name, boiler in made.items()}
