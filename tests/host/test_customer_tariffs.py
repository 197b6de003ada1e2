"""Which tariff a customer has, what changes with another one, and what each is planned with."""

import numpy as np
import pytest
from flexmeasures import Asset, Sensor
from flexmeasures.data import db

from smart_boiler_plugin.customers.directory import of_account
from tests.factories import store
from tests.host.boilers import START, planned, scheduler_of
from tests.host.tariffs import DAY_AND_NIGHT, add_kronor_tariff, household, make_sensor

PATH = "/smart-boiler-plugin/api/boiler-customer"


def tariff_of(call, made):
    return call("GET", f"/{made['account']}").json["tariff"]


def test_a_customer_has_the_named_tariff_or_that_of_the_country(call, boilers):
    boilers(*DAY_AND_NIGHT)
    named, other = (
        call("POST", **body).json for body in (household("Ash", tariff="BE day and night"), household("Elm"))
    )
    assert (tariff_of(call, named), tariff_of(call, other)) == ("BE day and night", "NL spot tariff")
    assert named["consumption_price"] != other["consumption_price"]


def test_the_default_is_a_setting(app, call, boilers, monkeypatch):
    monkeypatch.setitem(app.config, "SMART_BOILER_DEFAULT_TARIFF", "BE day and night")
    boilers(*DAY_AND_NIGHT)
    made = call("POST", **household()).json
    assert tariff_of(call, made) == "BE day and night"


def test_a_default_that_does_not_exist_is_told_with_the_setting_and_the_command(app, call, contents, monkeypatch):
    monkeypatch.setitem(app.config, "SMART_BOILER_DEFAULT_TARIFF", "Green")
    before = contents()
    answer = call("POST", **household())
    assert answer.status_code == 422
    (told,) = answer.json["message"]["json"]["tariff"]
    assert "SMART_BOILER_DEFAULT_TARIFF names 'Green', which does not exist" in told
    assert "flexmeasures smart-boiler add-tariff 'Green'" in told
    assert contents() == before


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_an_unknown_tariff_is_refused_with_those_that_there_are(call, boilers, contents, method):
    boilers(*DAY_AND_NIGHT)
    known = call("POST", **household("Elm")).json["account"]
    before = contents()
    path, body = ("", household()) if method == "POST" else (f"/{known}", {})
    answer = call(method, path, **body, tariff="Green")
    assert answer.status_code == 422
    (told,) = answer.json["message"]["json"]["tariff"]
    assert "There is no tariff 'Green'. There are: BE day and night, NL spot tariff." in told
    assert "flexmeasures smart-boiler list-tariffs" in told
    assert contents() == before


def test_another_tariff_changes_what_is_planned_with_and_what_is_shown(app, call, boilers):
    boilers(*DAY_AND_NIGHT)
    made = call("POST", **household()).json
    answer = call("PATCH", f"/{made['account']}", tariff="BE day and night")
    assert (answer.status_code, answer.json["tariff"]) == (200, "BE day and night")
    new = answer.json["sensors"]["consumption_price"]
    assert new != made["consumption_price"]
    with app.app_context():
        boiler = db.session.get(Asset, made["boiler"])
        assert boiler.flex_context == {"consumption-price": {"sensor": new}, "production-price": {"sensor": new}}
        shown = [graph["plots"][0]["sensor"] for graph in boiler.sensors_to_show]
        assert shown == [new, made["fill_rate"], made["demand"], made["temperature"]]


def test_graphs_and_prices_that_somebody_has_changed_stay(app, call, boilers):
    boilers(*DAY_AND_NIGHT)
    made = call("POST", **household()).json
    with app.app_context():
        boiler = db.session.get(Asset, made["boiler"])
        boiler.flex_context = {**boiler.flex_context, "production-price": "0.05 EUR/kWh"}
        boiler.sensors_to_show = [{"title": "Mine", "plots": [{"sensor": made["consumption_price"]}]}]
        db.session.commit()
    new = call("PATCH", f"/{made['account']}", tariff="BE day and night").json["sensors"]["consumption_price"]
    with app.app_context():
        boiler = db.session.get(Asset, made["boiler"])
        assert boiler.flex_context == {"consumption-price": {"sensor": new}, "production-price": "0.05 EUR/kWh"}
        assert boiler.sensors_to_show == [{"title": "Mine", "plots": [{"sensor": new}]}]


@pytest.mark.parametrize("plot", [{"sensor": None}, {"sensors": [None, 999]}])
def test_graphs_follow_in_both_ways_in_which_the_host_writes_them(app, call, boilers, plot):
    boilers(*DAY_AND_NIGHT)
    made = call("POST", **household()).json

    def shown(price):
        filled = {key: [price, 999] if key == "sensors" else price for key in plot}
        return [{"title": "Mine", "plots": [filled]}]

    with app.app_context():
        db.session.get(Asset, made["boiler"]).sensors_to_show = shown(made["consumption_price"])
        db.session.commit()
    new = call("PATCH", f"/{made['account']}", tariff="BE day and night").json["sensors"]["consumption_price"]
    with app.app_context():
        assert db.session.get(Asset, made["boiler"]).sensors_to_show == shown(new)


NO_TARIFF = {
    "a fixed price": {"consumption-price": "0.3 EUR/kWh", "production-price": "0.1 EUR/kWh"},
    "no price": {},
    "prices of its own": {
        "consumption-price": [{"start": "2025-10-29T00:00+01:00", "duration": "PT1H", "value": "0.3 EUR/kWh"}]
    },
    "a sensor that is gone": {"consumption-price": {"sensor": 999}, "production-price": {"sensor": 999}},
}


@pytest.mark.parametrize("context", NO_TARIFF.values(), ids=NO_TARIFF)
def test_a_customer_whose_boiler_has_no_tariff_any_more_is_shown_and_gets_another(app, call, boilers, context):
    """Somebody may delete a tariff on the host's pages, or give a boiler a price of its own."""
    boilers(*DAY_AND_NIGHT)
    made, other = (call("POST", **household(name)).json for name in ("Ash", "Elm"))
    with app.app_context():
        db.session.get(Asset, made["boiler"]).flex_context = context
        db.session.commit()
    listed = call("GET").json["data"]
    assert [customer["tariff"] for customer in listed] == [None, "NL spot tariff"]
    assert [customer["sensors"]["consumption_price"] for customer in listed] == [None, other["consumption_price"]]
    path = f"/{made['account']}"
    assert call("PATCH", path, boiler={"volume": "100 l"}).status_code == 200
    answer = call("PATCH", path, tariff="BE day and night")
    assert (answer.status_code, answer.json["tariff"]) == (200, "BE day and night")
    price = {"sensor": answer.json["sensors"]["consumption_price"]}
    # a production price of somebody's own stays
    kept = {name: value if value == "0.1 EUR/kWh" else price for name, value in context.items()}
    with app.app_context():
        assert db.session.get(Asset, made["boiler"]).flex_context == {**kept, "consumption-price": price}


def test_costs_are_in_the_currency_of_the_tariff_and_no_other_currency_can_follow(app, call, boilers, contents):
    add_kronor_tariff(app, boilers)
    in_kronor = call("POST", **household("Ash", tariff="Oslo")).json
    in_euro = call("POST", **household("Elm")).json
    with app.app_context():
        units = [db.session.get(Sensor, made["cost"]).unit for made in (in_kronor, in_euro)]
    assert units == ["NOK", "EUR"]
    before = contents()
    answer = call("PATCH", f"/{in_euro['account']}", tariff="Oslo")
    assert answer.status_code == 409
    assert "'Oslo' is in NOK, but the boiler's costs are in EUR." in answer.json["message"]["json"]["tariff"][0]
    assert contents() == before


def test_rows_of_json_and_csv_name_their_tariffs(app, call, boilers, operator, flexmeasures, tmp_path):
    boilers(*DAY_AND_NIGHT)
    post = {"headers": {"Authorization": operator[1]}}
    rows = [household("Ash", tariff="BE day and night"), household("Birch", tariff="Green")]
    by_json = app.test_client().post(f"{PATH}s", json=rows, **post).json["results"]
    table = "name,user_name,user_email,tariff\nElm,elm,elm@example.com,BE day and night\nFir,fir,fir@example.com,\n"
    by_csv = app.test_client().post(f"{PATH}s", data=table, content_type="text/csv", **post).json["results"]
    assert [result["result"] for result in by_json + by_csv] == ["Created", "Rejected", "Created", "Created"]
    assert list(by_json[1]["message"]["json"]) == ["tariff"]
    assert [tariff_of(call, made) for made in by_csv] == ["BE day and night", "NL spot tariff"]
    file = tmp_path / "customers.csv"
    file.write_text(
        "name,user_name,user_email,tariff\nOak,oak,oak@example.com,BE day and night\nYew,yew,y@example.com,Green\n"
    )
    words = ("add-customers", file, "--operator", operator[0], "--server-url", "https://boilers.example")
    told = boilers(*words).output
    assert "1 of 2 customers were taken on" in told
    assert "Row 2: tariff: There is no tariff 'Green'" in told


def test_it_is_described(app):
    described = app.test_client().get("/smart-boiler-plugin/api/openapi.json").json["components"]["schemas"]
    for name in ("NewCustomer", "Change"):
        assert "what the customer pays" in described[name]["properties"]["tariff"]["description"]
    assert "tariff" in described["Customer"]["properties"]


def test_letting_a_customer_go_leaves_the_tariff(call, boilers, contents):
    boilers(*DAY_AND_NIGHT)
    made = call("POST", **household(tariff="BE day and night")).json
    assert "BE day and night" in boilers("list-tariffs").output
    assert call("GET", f"/{made['account']}/export").status_code == 200
    assert call("DELETE", f"/{made['account']}", confirm="Ash").status_code == 200
    line = boilers("list-tariffs").output.splitlines()[2]
    assert ("BE day and night" in line, line.split()[-1]) == (True, "0")
    assert len(contents()["sensor"]) == 2  # the tariff's and its spot price


def plan(app, made):
    """Plan a boiler with the real scheduler; return its power [kW] at each quarter of an hour of the day."""
    with app.app_context():
        boiler = of_account(db.session.get(Asset, made["boiler"]).owner).boiler
        power, *_ = planned(scheduler_of(boiler, temperature_at_start="60 °C"))
        return power.to_numpy()


def test_customers_on_different_tariffs_are_planned_with_their_own_prices(app, call, boilers, monkeypatch):
    """The spot price is nearly flat; 00:00 to 14:00 is dear on the one, 14:00 to 24:00 on the other.

    Both boilers are alike and could follow either plan. So each plan is the cheaper one at its own prices, and with the
    prices mixed up it would be the dearer one.
    """
    monkeypatch.setattr("smart_boiler_plugin.cli.tariffs.server_now", lambda: START)
    fee = '{{"fee": "0.5 NOK/kWh", "from": "{}", "until": "{}"}}'
    with app.app_context():
        sensor = make_sensor("spot", "NOK/kWh")
        spot = 1.0 + np.arange(96) / 1000
        store(sensor, spot, START)
        spot_id = sensor.id
    for name, hours in [("Dear mornings", ("00:00", "14:00")), ("Dear evenings", ("14:00", "00:00"))]:
        boilers("add-tariff", name, "--price-sensor", spot_id, "--fees", fee.format(*hours))
    day = f"{START.date()}"
    assert boilers("update-prices", "--from-date", day, "--to-date", day).exit_code == 0
    plans = [
        plan(app, call("POST", **household(user, tariff=name)).json)
        for user, name in [("Ash", "Dear mornings"), ("Elm", "Dear evenings")]
    ]
    is_morning = np.arange(96) < 56
    for own, other, dear in [(*plans, is_morning), (*plans[::-1], ~is_morning)]:
        prices = spot + 0.5 * dear
        assert own @ prices / 4 < other @ prices / 4 - 0.1  # NOK
