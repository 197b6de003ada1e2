"""The statement of a year over two tariff changes and a new tank: equal to the last digit, whatever comes after."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from flexmeasures import Asset, Source
from flexmeasures.data import db

from smart_boiler_plugin.boiler import asset as asset_module
from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.facts.store import Values, store
from smart_boiler_plugin.money import accounting
from smart_boiler_plugin.prices import tariffs
from tests.host.tariffs import household

CHANGES = [{"tariff": "Dear"}, {"boiler": {"volume": "120 l", "power": "2 kW"}}, {"tariff": "Cheap"}]
AFTERWARDS = [{"tariff": "Flat", "boiler": {"volume": "30 l", "tapping_profile": "M"}}, {"boiler": {"cop": 3}}]
RATES = {"Flat": 0.25, "Dear": 0.60, "Cheap": 0.10}


def fill(made, first, last):
    """Store power, draw-offs, temperatures and prices of days: no two quarters alike, no zeros in prices."""
    moments = pd.date_range(
        pd.Timestamp(first - timedelta(days=2), tz="Europe/Amsterdam"),
        pd.Timestamp(last + timedelta(days=2), tz="Europe/Amsterdam"),
        freq="15min",
        inclusive="left",
    ).tz_convert("UTC")
    sensors, quarter = Boiler(db.session.get(Asset, made["boiler"])).sensors, np.arange(len(moments))
    chance = np.random.default_rng(7)
    power = np.where(quarter % 8 < 2, chance.uniform(0.1, 1.4, len(moments)), 0.0)
    power[quarter % 50 == 0] = np.nan
    gateway, market = Source(name="gateway", type="gateway"), Source(name="market", type="market")
    db.session.add_all([gateway, market])
    db.session.flush()
    own = {
        "fill-rate": power,
        "demand": np.where(quarter % 16 == 7, chance.uniform(0.05, 0.3, len(moments)), 0.0),
        "temperature": 52 + 4 * np.sin(quarter / 40) + chance.uniform(0, 0.1, len(moments)),
    }
    recorded = moments[-1] + timedelta(days=1)
    store([Values(sensors[role], moments, values) for role, values in own.items()], gateway, recorded)
    rates = [(tariffs.find(name).sensor, rate) for name, rate in RATES.items()]
    some = [Values(sensor, moments, rate + 0.05 * np.sin(quarter / 30)) for sensor, rate in rates]
    store(some, market, recorded)
    db.session.commit()


@pytest.mark.parametrize(
    ("first", "days", "at"),
    [
        (date(2025, 10, 20), 16, (3, 7, 11)),
        pytest.param(date(2024, 1, 1), 366, (59, 120, 200), marks=pytest.mark.long),
    ],
    ids=["16 days", "a year"],
)
def test_a_statement_over_changes_is_equal_before_and_after_more_of_them(
    app, call, tariff, statement, monkeypatch, first, days, at
):
    def let_it_be(day):
        noon = pd.Timestamp(day, tz="Europe/Amsterdam") + timedelta(hours=12)
        for module in (asset_module, accounting):
            monkeypatch.setattr(module, "server_now", lambda: noon)

    for name, rate in RATES.items():
        tariff(name, rate, f"{rate} EUR/day")
    last = first + timedelta(days=days - 1)
    let_it_be(first)
    made = call("POST", **household("Ash", tariff="Flat")).json
    with app.app_context():
        fill(made, first, last)
    until_then = []
    for number, change in zip(at, CHANGES, strict=True):
        day = first + timedelta(days=number)
        let_it_be(day)
        until_then.append(statement(made, first, day - timedelta(days=1)).json["days"])
        assert call("PATCH", f"/{made['account']}", **change).status_code == 200
    let_it_be(last + timedelta(days=1))
    asked = (made, first, last)
    whole = statement(*asked)
    assert whole.status_code == 200, whole.text
    known = whole.json["days"]
    assert not any("message" in day for day in known)
    # what was said of days before a change was made is what is said after all of them
    for before in until_then:
        assert before == known[: len(before)]
    # each day has what held on it: 0.25, then 0.60, then 0.10 EUR
    fees = [0.25] * at[0] + [0.60] * (at[2] - at[0]) + [0.10] * (days - at[2])
    assert [day["fixed_fees"] for day in known] == fees
    assert all(day["mean_price"] == pytest.approx(fee, abs=0.06) for day, fee in zip(known, fees, strict=True))
    for change in AFTERWARDS:
        assert call("PATCH", f"/{made['account']}", **change).status_code == 200
        assert statement(*asked).text == whole.text
    # and the tank of each day is told from those of others
    with app.app_context():
        boiler = Boiler(db.session.get(Asset, made["boiler"]))
        volumes = [boiler.on(first + timedelta(days=n)).data.volume_l for n in range(days)]
        assert volumes == [80] * at[1] + [120] * (days - at[1])
