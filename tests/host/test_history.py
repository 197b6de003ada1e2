"""What held on a day stays, whatever changes later; and what is known late comes to be reported."""

import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from flexmeasures import Account, Asset
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog

from smart_boiler_plugin.boiler import history
from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.money import accounting
from smart_boiler_plugin.prices import tariffs
from tests.factories import store
from tests.host.days import DAY, MIDNIGHT, measure, report_day, stored
from tests.host.households import API
from tests.host.tariffs import household

ONE = DAY - timedelta(days=1)


@pytest.fixture
def tariff(app, boilers, tmp_path):
    """A function that makes a tariff of a flat rate [EUR/kWh] and fixed fees, with prices from two days before on."""

    def make(name, rate, *fees, vat="0 %", operator=None):
        file = tmp_path / "contract.json"
        contract = {"parts": [{"rate": f"{rate} EUR/kWh"}], "vat": vat, "fixed_fees": [{"fee": fee} for fee in fees]}
        file.write_text(json.dumps(contract))
        whose = ("--operator", operator) if operator else ()
        assert boilers("add-tariff", name, "--file", file, *whose).exit_code == 0
        span = ("--from-date", ONE - timedelta(days=40), "--to-date", DAY + timedelta(days=2))
        assert boilers("update-prices", "--tariff", name, *span).exit_code == 0

    return make


@pytest.fixture
def ash(app, call, tariff):
    """Ids of a customer on a tariff of 0.25 EUR/kWh, of whom two days are known."""
    tariff("Flat", 0.25)
    made = call("POST", **household("Ash", tariff="Flat")).json
    with app.app_context():
        boiler = Boiler(db.session.get(Asset, made["boiler"]))
        report_day(boiler, 0.5)
        measure(boiler, "fill-rate", [1.0] * 96, MIDNIGHT - timedelta(days=1))
    return made


@pytest.fixture
def statement(app, operator):
    """A function that returns the statement of the two days, as text and as JSON."""

    def ask(made, first=ONE, last=DAY, accept="application/json"):
        return app.test_client().get(
            f"{API}/boiler-customer/{made['account']}/statement",
            query_string={"from": first, "until": last},
            headers={"Authorization": operator[1], "Accept": accept},
        )

    return ask


CHANGES = {
    "tariff": {"tariff": "Dear"},
    "tank": {"boiler": {"volume": "150 l", "energy_class": "A"}},
    "element": {"boiler": {"power": "3 kW"}},
    "ceiling": {"boiler": {"temperature_max": "55 °C"}},
    "profile": {"boiler": {"tapping_profile": "L"}},
    "useful temperature": {"comfort": {"useful_temperature": "50 °C"}},
    "all": {"tariff": "Dear", "boiler": {"volume": "30 l", "power": "0.5 kW"}},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_past_statement_and_what_is_stored_of_it_are_equal_after_any_later_change(
    app, call, flexmeasures, ash, tariff, statement, change
):
    """Field case 16."""
    tariff("Dear", 0.60)
    reported = ("smart-boiler", "report", "--from", ONE, "--until", DAY)
    flexmeasures(*reported)
    before = statement(ash).text
    with app.app_context():
        costs = {role: stored(ash["boiler"], role).tolist() for role in ("cost", "daily cost", "daily savings")}
    for _ in range(2):
        answer = call("PATCH", f"/{ash['account']}", **change)
        assert answer.status_code == 200, answer.text
        assert statement(ash).text == before
    flexmeasures(*reported)
    with app.app_context():
        assert costs == {role: stored(ash["boiler"], role).tolist() for role in costs}
        boiler = Boiler(db.session.get(Asset, ash["boiler"]))
        assert (boiler.on(DAY).data.volume_l, boiler.on(DAY).price.generic_asset.name) == (80, "Flat")
