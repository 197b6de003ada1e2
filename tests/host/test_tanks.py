"""What readings of four weeks tell of tanks, on the command line and through HTTP."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from flexmeasures import Account, Asset
from flexmeasures.data import db
from flexmeasures.data.services.data_sources import get_or_create_source

from smart_boiler_plugin.api import learned as api
from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.cli import learning as cli
from smart_boiler_plugin.facts.store import Values
from smart_boiler_plugin.facts.store import store as store_values
from smart_boiler_plugin.learning.learn import DAYS
from smart_boiler_plugin.learning.side_by_side import boilers_of
from smart_boiler_plugin.learning.tanks import Estimate, TankSeen, tanks_seen
from tests.host.households import API
from tests.host.queries import counted_queries

NOW = pd.Timestamp("2025-11-25 10:05", tz="UTC")


def report_weeks(boiler, data):
    """Store what a boiler of such data reported of the last four weeks, with a draw-off each evening."""
    boilers, chance = boilers_of([data]), np.random.default_rng(3)
    moments = pd.date_range(end=NOW.floor("15min"), periods=96 * DAYS, freq="15min", inclusive="left")
    state, read_c, power_kw = boilers.state_kwh(55.0), [], []
    for step in moments.hour * 4 + moments.minute // 15:
        wished = boilers.state_kwh(60.0 if step < 24 else 48.0)
        heat = np.clip(wished - boilers.idle_kwh(state), 0, boilers.heat_max_kwh)
        state = boilers.idle_kwh(state) + heat - (1.0 if step == 72 else 0.0)
        read_c.append(round(2 * (boilers.temperature_c(state)[0] + chance.normal(0, 0.3))) / 2)
        power_kw.append(heat[0] / boilers.late[0] / 0.25)
    sensors = boiler.sensors
    values = [
        Values(sensors["temperature"], moments, np.array(read_c)),
        Values(sensors["fill-rate"], moments, np.array(power_kw)),
    ]
    store_values(values, get_or_create_source("meter", source_type="gateway"), NOW.to_pydatetime())
    db.session.commit()


@pytest.fixture
def customers(app, call, monkeypatch):
    """Account ids of a customer with a leaking tank, and of one of whom nothing is known."""
    for module in (cli, api):
        monkeypatch.setattr(module, "server_now", lambda: NOW)
    ids = []
    for name in ("leaking", "unseen"):
        body = {"name": name, "user_name": name, "user_email": f"{name}@example.com"}
        ids.append(call("POST", "", **body).json)
    with app.app_context():
        boiler = Boiler(db.session.get(Asset, ids[0]["boiler"]))
        report_weeks(boiler, replace(boiler.data, standing_loss_kwh_per_day=2.4))
    return [each["account"] for each in ids]


def test_a_leak_is_told_to_the_operator(app, call, customers, boilers):
    said = call("GET", f"/{customers[0]}/learned")
    assert said.status_code == 200
    loss, _, within = said.json["standing_loss"].partition(" kWh/day ± ")
    assert abs(float(loss) - 2.4) < float(within) < 0.3
    assert said.json["heat_capacity"].startswith("0.09")
    assert said.json["nights"] > 20
    assert said.json["draw_offs_days"] == 0
    (note,) = said.json["notes"]
    # class C, 80 l: 1.11 kWh/day
    assert note.startswith(f"Loses {loss} kWh/day in place of 1.11 (+1")
    assert call("GET", f"/{customers[1]}/learned").json == {
        "account": customers[1],
        "draw_offs_days": 0,
        "heat_capacity": None,
        "nights": 0,
        "notes": [],
        "standing_loss": None,
    }
    table = boilers("tanks")
    assert table.exit_code == 0, table.output
    assert "leaking" in table.output
    assert "unseen" not in table.output
    assert "1 of 2 tanks should be looked at. Of 1 nothing is known yet" in table.output
    assert "unseen" in boilers("tanks", "--all").output
    with app.app_context():
        found = [
            Boiler(asset)
            for asset in db.session.query(Asset).filter(Asset.account_id.in_(customers)).order_by(Asset.id)
        ]
        with counted_queries() as statements:
            seen = tanks_seen(found, NOW)
        assert len(statements) <= 6
        assert [each.standing_loss is not None for each in seen] == [True, False]


def test_what_is_as_it_was_entered_is_not_told():
    def notes(loss, capacity, within=0.05):
        return TankSeen(Estimate(loss, within, 1.2), Estimate(capacity, within / 20, 0.09), 20).notes

    assert notes(1.2, 0.09) == ()
    assert notes(1.2 * 1.29, 0.09 * 0.71) == ()
    (more,) = notes(1.2 * 1.31, 0.09)
    assert more == "Loses 1.57 kWh/day in place of 1.20 (+31%): a leak, bad insulation, or a colder place than entered?"
    assert "a better tank" in notes(1.2 * 0.69, 0.09)[0]
    assert "lime" in notes(1.2, 0.09 * 0.69)[0]
    assert "a larger tank" in notes(1.2, 0.09 * 1.31)[0]
    assert notes(1.2 * 1.31, 0.09, within=0.5) == ()


def test_only_the_operator_sees_it(app, call, customers):
    with app.app_context():
        user = db.session.get(Account, customers[0]).users[0]
        headers = {"Authorization": user.get_auth_token()}
    assert app.test_client().get(f"{API}/boiler-customer/{customers[0]}/learned", headers=headers).status_code == 404
    assert call("GET", "/999/learned").status_code == 404
