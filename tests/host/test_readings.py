"""POST /readings: many boilers in one call, at any interval, stored as quarters that add up."""

import pandas as pd
import pytest
from flexmeasures import Asset
from flexmeasures.data import db

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.devices.unfinished import ATTRIBUTE
from smart_boiler_plugin.facts.read import read_facts
from tests.factories import make_account, make_household_boiler, make_user
from tests.host.queries import counted_queries

PATH = "/smart-boiler-plugin/api/readings"
START = pd.Timestamp("2025-10-28T00:00:00+01:00")
LONG_AGO = {"start": START.isoformat()}


@pytest.fixture
def world(app, operator):
    """Two boilers of an operator, one of another; ids by account name, and a function that sends rows as somebody."""
    with app.app_context():
        from flexmeasures import Account  # noqa: PLC0415

        ours = db.session.get(Account, operator[0])
        rival = make_account("Rival", roles=["Consultancy"])
        accounts = {
            name: make_account(name, consultancy=owner) for name, owner in (("A", ours), ("B", ours), ("C", rival))
        }
        ids = {name: account.id for name, account in accounts.items()}
        assets = {name: make_household_boiler(account, f"Boiler {name}").asset.id for name, account in accounts.items()}
        tokens = {"operator": operator[1], "household": make_user(accounts["A"], "anna")[1]}
        db.session.commit()

    def send(*rows, caller="operator", code=200):
        answer = app.test_client().post(PATH, json={"readings": rows}, headers={"Authorization": tokens[caller]})
        assert answer.status_code == code, answer.get_json()
        return answer.get_json()

    def held(name="A", hours=2):
        with app.app_context():
            boiler = Boiler(db.session.get(Asset, assets[name]))
            (facts,) = read_facts([boiler], pd.Timestamp.now("UTC"), START, START + pd.Timedelta(hours=hours))
            found = {}
            for field in ("temperature_c", "metered_kw", "demand_kwh"):
                values = pd.Series(getattr(facts, field)).dropna()
                if len(values):
                    found[field] = {int(i): pytest.approx(value) for i, value in values.items()}
            return found

    return ids, assets, send, held


def row(account, kind, unit, values, resolution="PT15M", **changes):
    return {
        "account": account,
        "kind": kind,
        "unit": unit,
        "values": values,
        "resolution": resolution,
        **LONG_AGO,
        **changes,
    }


@pytest.mark.parametrize(
    ("kind", "unit", "values", "resolution", "stored"),
    [
        ("demand", "kWh", [0.1, 0.1, 0.1], "PT5M", {"demand_kwh": {0: 0.3}}),
        ("demand", "kWh", [0.4], "PT1H", {"demand_kwh": {0: 0.1, 1: 0.1, 2: 0.1, 3: 0.1}}),
        ("demand", "Wh", [105, None, 210.0], "PT15M", {"demand_kwh": {0: 0.105, 2: 0.21}}),
        ("power", "W", [1500, 1500, 0], "PT5M", {"metered_kw": {0: 1.0}}),
        ("power", "kW", [1.2], "PT30M", {"metered_kw": {0: 1.2, 1: 1.2}}),
        ("energy", "kWh", [0.3, 0.0], "PT15M", {"metered_kw": {0: 1.2, 1: 0.0}}),
        ("energy", "Wh", [600], "PT1H", {"metered_kw": {0: 0.6, 1: 0.6, 2: 0.6, 3: 0.6}}),
        ("meter", "kWh", [100.0, 100.3, 100.4], "PT15M", {"metered_kw": {0: 1.2, 1: 0.4}}),
        ("meter", "kWh", [100.0, 100.3, 0.1], "PT15M", {"metered_kw": {0: 1.2, 1: 0.4}}),
        ("temperature", "°F", [131.0], "PT15M", {"temperature_c": {0: 55.0}}),
        ("temperature", "°C", [55.0, 55.2, 55.4, 55.6], "PT5M", {"temperature_c": {0: 55.4, 1: 55.6}}),
        ("temperature", "°C", [55.0, 54.0], "PT1H", {"temperature_c": {0: 55.0, 4: 54.0}}),
    ],
)
def test_whatever_the_interval_quarters_add_up_case_10(world, kind, unit, values, resolution, stored):
    ids, _, send, held = world
    answer = send(row(ids["A"], kind, unit, values, resolution))
    assert answer["results"][0]["result"] == "Stored"
    assert held() == stored


@pytest.mark.parametrize("kind", ["power", "demand", "energy"])
def test_posts_of_five_minutes_one_after_the_other_add_up_case_10(world, kind):
    ids, _, send, held = world
    for number, value in enumerate([1.5, 1.5, 0.0, 0.3]):
        at = (START + number * pd.Timedelta(minutes=5)).isoformat()
        posted = value / {"energy": 12, "demand": 10, "power": 1}[kind]
        unit = "kW" if kind == "power" else "kWh"
        for _ in range(2):  # sent again, it is the same
            send(row(ids["A"], kind, unit, [posted], "PT5M", start=at))
    assert held() == ({"demand_kwh": {0: 0.3, 1: 0.03}} if kind == "demand" else {"metered_kw": {0: 1.0, 1: 0.3}})


def test_totals_of_a_meter_add_up_from_call_to_call(world):
    ids, _, send, held = world
    for number, total in enumerate([100.0, 100.1, 100.3, 100.3]):
        at = (START + number * pd.Timedelta(minutes=10)).isoformat()
        answer = send(row(ids["A"], "meter", "kWh", [total], times=[at], resolution=None))
        assert answer["results"][0]["values"] == (1 if number else 0)
    # 0.1 kWh till 00:10, 0.2 kWh till 00:20
    assert held() == {"metered_kw": {0: 0.8, 1: pytest.approx(0.4)}}


def test_readings_with_times_count_in_the_quarter_in_which_they_were_read(world):
    ids, _, send, held = world
    times = ["2025-10-28T00:01:07+01:00", "2025-10-28T00:14:59+01:00", "2025-10-27T23:20:30Z"]
    send(
        row(ids["A"], "temperature", "°C", [55.0, 54.0, 53.5], times=times),
        row(ids["A"], "demand", "kWh", [0.1, 0.2, 0.3], times=times),
    )
    assert held() == {"temperature_c": {0: 54.0, 1: 53.5}, "demand_kwh": {0: 0.3, 1: 0.3}}


def test_each_row_is_told_what_was_not_taken(world):
    ids, _, send, _ = world
    ahead = (pd.Timestamp.now("UTC") + pd.Timedelta(hours=1)).isoformat()
    good = row(ids["B"], "temperature", "°C", [55.0, "warm", None, True, 1e300, 56])
    answer = send(
        row(ids["C"], "temperature", "°C", [55.0]),
        good,
        row(ids["A"], "colour", "°C", [55.0]),
        row(ids["A"], "power", "°C", [55.0]),
        row(ids["A"], "power", "kW", []),
        row(ids["A"], "power", "kW", [1.0], "PT0S"),
        row(ids["A"], "power", "kW", [1.0], start="2025-10-28T00:00:00"),
        row(ids["A"], "temperature", "°C", [55.0], start=ahead),
        "nonsense",
        row("A", "power", "kW", [1.0]),
    )
    results = answer["results"]
    assert [each["result"] for each in results] == [
        "Rejected",
        "Stored",
        *["Rejected"] * 5,
        "Stored",
        "Rejected",
        "Rejected",
    ]
    assert results[0]["status"] == "NOT_FOUND"
    assert results[1]["values"] == answer["stored"] == 2
    assert [each["index"] for each in results[1]["rejected"]] == [1, 3, 4]
    assert results[7]["rejected"] == [{"index": 0, "message": "From the future."}]
    assert [each["message"].split(":")[0] for each in results[2:7]] == ["kind", "unit", "values", "resolution", "start"]


def test_a_household_sends_its_own_and_nobody_elses(world):
    ids, _, send, held = world
    answer = send(*(row(ids[name], "temperature", "°C", [55.0]) for name in "ABC"), caller="household")
    assert [each["result"] for each in answer["results"]] == ["Stored", "Rejected", "Rejected"]
    assert (held("A"), held("B"), held("C")) == ({"temperature_c": {0: 55.0}}, {}, {})


def test_what_a_household_writes_where_unfinished_quarters_are_kept_breaks_nothing(app, world):
    ids, assets, send, held = world
    with app.app_context():
        asset = db.session.get(Asset, assets["A"])
        nonsense = {"parts": {"fill-rate": [[1], "x", [1, 2, None]], "demand": 3}, "meter": ["a", "b"]}
        asset.attributes = {**asset.attributes, ATTRIBUTE: nonsense}
        db.session.commit()
    for kind, unit in (("power", "kW"), ("meter", "kWh"), ("demand", "kWh")):
        send(row(ids["A"], kind, unit, [1.0], "PT5M"))
    assert held() == {"metered_kw": {0: 1.0}, "demand_kwh": {0: 1.0}}


def test_as_many_statements_for_ten_rows_as_for_one(app, world):
    ids, _, send, _ = world
    send(row(ids["A"], "temperature", "°C", [50.0]))
    with app.app_context(), counted_queries() as one:
        send(row(ids["A"], "temperature", "°C", [51.0]))
    with app.app_context(), counted_queries() as many:
        send(*(row(ids[name], kind, "kWh", [0.1] * 96) for name in "AB" for kind in ("demand", "energy")))
    assert len(many) <= len(one) + 1


@pytest.mark.parametrize("body", [[], {}, {"readings": []}, {"readings": "x"}, "x"])
def test_a_body_without_rows_is_refused(app, operator, body):
    answer = app.test_client().post(PATH, json=body, headers={"Authorization": operator[1]})
    assert answer.status_code == 422


def test_nobody_sends_without_a_token(app):
    assert app.test_client().post(PATH, json={"readings": [1]}).status_code == 401
