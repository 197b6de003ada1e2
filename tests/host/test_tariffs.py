"""Tariffs: how they are made, listed and found, and whose customers have which."""

import re

import numpy as np
import pandas as pd
import pytest
from flexmeasures import Asset, AssetType, Sensor, Source
from flexmeasures.data import db

from smart_boiler_plugin import tariffs
from smart_boiler_plugin.customers import of_account
from smart_boiler_plugin.prices import get_or_create_spot_price_sensor
from smart_boiler_plugin.tariffs import ATTRIBUTE
from tests.factories import store
from tests.host.boilers import START, planned, scheduler_of
from tests.host.test_consumption_price_reporter import make_sensor

PATH = "/smart-boiler-plugin/api/boiler-customer"
DAY_AND_NIGHT = (
    *("add-tariff", "BE day and night", "--country", "BE", "--factor", "1.02", "--vat", "21 %"),
    *("--fees", "0.05 EUR/kWh"),
    *("--fees", '{"fee": "0.03 EUR/kWh", "days": "mon-fri", "from": "07:00", "until": "22:00"}'),
)


@pytest.fixture
def boilers(flexmeasures):
    """A function that runs ``flexmeasures smart-boiler WORDS`` and returns click's result."""
    return lambda *words: flexmeasures("smart-boiler", *words)


@pytest.fixture
def call(app, operator):
    """A function that calls the customer interface as the operator's consultant."""

    def send(method, path="", **body):
        return app.test_client().open(
            PATH + path, method=method, json=body or None, headers={"Authorization": operator[1]}
        )

    return send


def household(name="Ash", **fields):
    return {"name": name, "user_name": name.lower(), "user_email": f"{name.lower()}@example.com", **fields}


def add_kronor_tariff(app, boilers, name="Oslo"):
    """Make a tariff in kronor; return the id of its spot price sensor."""
    with app.app_context():
        spot = make_sensor("spot", "NOK/kWh").id
    assert boilers("add-tariff", name, "--price-sensor", spot, "--fees", "0.5 NOK/kWh").exit_code == 0
    return spot


def test_a_tariff_is_a_public_asset_with_a_sensor_and_a_source_that_knows_how_it_is_made(app, boilers):
    result = boilers(*DAY_AND_NIGHT)
    told = "Tariff 'BE day and night' is there: EUR/kWh on sensor 2, its days and fees by the time of Europe/Amsterdam."
    assert (result.exit_code, told in result.output) == (0, True)
    with app.app_context():
        asset = db.session.query(Asset).filter_by(name="BE day and night", account_id=None).one()
        (sensor,) = asset.sensors
        assert asset.generic_asset_type.name == "tariff"
        assert (sensor.name, sensor.unit, sensor.timezone) == ("consumption price", "EUR/kWh", "Europe/Amsterdam")
        assert sensor.event_resolution == pd.Timedelta("15min")
        source = db.session.get(Source, asset.attributes[ATTRIBUTE]["source"])
        assert (source.type, source.model) == ("reporter", "ConsumptionPriceReporter")
        assert source.attributes["data_generator"]["config"] == {
            "price_sensor": get_or_create_spot_price_sensor("BE").id,
            "factor": 1.02,
            "fees": [
                {"fee": "0.05 EUR/kWh"},
                {"days": "mon,tue,wed,thu,fri", "from": "07:00", "until": "22:00", "fee": "0.03 EUR/kWh"},
            ],
            "vat": "21 %",
        }


def test_a_tariff_keeps_to_the_time_zone_of_its_prices_or_to_its_own(app, boilers):
    with app.app_context():
        get_or_create_spot_price_sensor("FI").timezone = "Europe/Helsinki"
        db.session.commit()
    boilers("add-tariff", "FI", "--country", "FI")
    boilers("add-tariff", "FI by Swedish time", "--country", "FI", "--timezone", "Europe/Stockholm")
    with app.app_context():
        assert [tariff.sensor.timezone for tariff in tariffs.all_tariffs("FI")] == [
            "Europe/Helsinki", "Europe/Stockholm"
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("BE Day And Night",), 1, "name: 'BE Day And Night' exists already"),
        (("BE transmission zone",), 1, "name: 'BE transmission zone' exists already"),
        (("New", "--fees", "0.5 NOK/kWh"), 1, "fees.0.fee: Is in NOK, but the prices of sensor"),
        (("New", "--vat", "21"), 1, "vat: '21' is no share from 0 to 100 %. Right is a text such as '21 %'."),
        (("New", "--factor", "-1"), 1, "factor: Must be greater than or equal to 0"),
        (("New", "--fees", "{no JSON"), 2, "--fees"),
        (("New", "--fees", "5"), 1, "fees.0.fee: '5' is no money per energy"),
        (("New", "--price-sensor", "999"), 1, "price_sensor:"),
        (("New", "--price-sensor", "0"), 1, "price_sensor:"),
        (("New", "--country", "x" * 81), 1, "is no country code. Right is one of the ENTSO-E plugin's, such as NL"),
        (("New", "--country", "N\nL"), 1, r"country: 'N\nL' is no country code."),
        (("FR spot tariff", "--country", "BE"), 1, "name: 'FR spot tariff' is kept for the bare spot price of FR."),
        (
            ("New", "--fees", '{"fee": "1 EUR/kWh", "from": "07:10", "until": "08:00"}'),
            1,
            "fees.0.from: Must be a full quarter of an hour, as prices are: 07:00 or 07:15.",
        ),
        (
            ("New", "--fees", '{"fee": "1 EUR/kWh", "from": "07:00", "until": "24:00"}'),
            1,
            "fees.0.until: Must be a time such as 06:30; the end of a day is 00:00.",
        ),
        (("New", "--price-sensor", "1", "--country", "BE"), 2, "not both"),
        (("New", "--timezone", "Amsterdam"), 2, "--timezone"),
        (("x" * 81,), 1, "name: Must have 1 to 80 characters"),
        ((" ",), 1, "name: Must have 1 to 80 characters"),
        (("two\nlines",), 1, "name: Must have 1 to 80 characters, and no line breaks."),
    ],
)
def test_a_wrong_tariff_is_refused_in_words_and_nothing_is_made(boilers, contents, words, code, told):
    boilers(*DAY_AND_NIGHT)
    before = contents()
    result = boilers("add-tariff", *words)
    assert result.exit_code == code
    assert told in result.output
    assert contents() == before


def test_tariffs_are_listed_with_their_terms_and_how_many_boilers_they_have(app, boilers, call):
    boilers(*DAY_AND_NIGHT)
    add_kronor_tariff(app, boilers)
    for name, tariff in [("Ash", "BE day and night"), ("Birch", "be DAY and night"), ("Elm", "Oslo")]:
        assert call("POST", **household(name, tariff=tariff)).status_code == 201
    lines = boilers("list-tariffs").output.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["BE", "Oslo"]
    assert lines[0].split() == ["name", "country", "factor", "fees", "VAT", "currency", "sensor", "boilers"]
    fees = "0.05 EUR/kWh + 0.03 EUR/kWh mon,tue,wed,thu,fri 07:00-22:00"
    assert re.split(" {2,}", lines[2])[1:6] == ["BE", "1.02", fees, "21 %", "EUR"]
    assert [line.split()[-1] for line in lines[2:]] == ["2", "1"]


def test_a_name_that_looks_like_a_number_is_listed_as_it_is(boilers):
    boilers("add-tariff", "1e3")
    assert boilers("list-tariffs").output.splitlines()[2].split()[0] == "1e3"


def test_what_lies_under_a_tariff_may_be_gone_and_the_others_are_listed_all_the_same(app, boilers):
    boilers(*DAY_AND_NIGHT)
    spot = add_kronor_tariff(app, boilers)
    with app.app_context():
        db.session.delete(db.session.get(Sensor, spot))
        db.session.commit()
    result = boilers("list-tariffs")
    assert result.exit_code == 0
    assert f"No sensor found with ID {spot}" in result.output
    assert "21 %" in result.output


def test_a_spot_tariff_of_a_former_version_keeps_its_sensor_and_gets_a_source(app, boilers):
    with app.app_context():
        made = tariffs.spot_tariff("NL")
        former = made.sensor.id
        del made.asset.attributes[ATTRIBUTE]
        db.session.query(Source).filter_by(model="ConsumptionPriceReporter").delete()
        db.session.commit()
    assert "NL spot tariff  NL" in boilers("list-tariffs").output
    with app.app_context():
        (tariff,) = tariffs.all_tariffs()
        assert tariff.sensor.id == former
        assert tariff.config == {
            "price_sensor": get_or_create_spot_price_sensor("NL").id, "factor": 1.0, "fees": [], "vat": "0 %"
        }  # fmt: skip


def test_public_assets_of_others_are_no_tariffs(app, boilers):
    boilers(*DAY_AND_NIGHT)
    with app.app_context():
        kind = tariffs.find("BE day and night").asset.generic_asset_type
        for name, unit in [
            ("Somebody's", "EUR/kWh"),
            # nearly as a former version made its own
            ("Cheap spot tariff", "EUR/kWh"),
            ("FR spot tariff", "EUR/MWh"),
        ]:
            asset = Asset(name=name, generic_asset_type=kind)
            db.session.add(Sensor(name="consumption price", unit=unit, generic_asset=asset))
        db.session.commit()
        assert [tariff.name for tariff in tariffs.all_tariffs()] == ["BE day and night"]


def test_where_somebody_elses_sensor_is_in_the_way_it_is_named(app, boilers, contents):
    with app.app_context():
        asset = Asset(name="GB transmission zone", generic_asset_type=AssetType(name="transmission zone"))
        db.session.add(Sensor(name="Day-ahead prices", unit="GBP/MWh", generic_asset=asset))
        db.session.commit()
    before = contents()
    for command in (("add-tariff", "GB"), ("update-prices",)):
        result = boilers(*command, "--country", "GB")
        assert result.exit_code == 1
        assert (
            "Sensor 1 ('Day-ahead prices' of 'GB transmission zone') is in GBP/MWh in place of EUR/MWh" in result.output
        )
    assert contents() == before


def test_names_that_differ_in_case_only_by_pythons_rules_are_two_tariffs(app, boilers):
    """PostgreSQL leaves the dotted capital I alone, Python makes it an i and a dot."""
    names = ["i\u0307", "\u0130"]
    for name in names:
        assert boilers("add-tariff", name).exit_code == 0
    with app.app_context():
        assert [tariffs.find(name).name for name in names] == names


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
    listed = call("GET").json
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
