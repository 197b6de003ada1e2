"""Tariffs: adding and listing them, and what may be wrong with one."""

import re

import pandas as pd
import pytest
from flexmeasures import Asset, AssetType, Sensor, Source
from flexmeasures.data import db

from smart_boiler_plugin.prices import tariffs
from smart_boiler_plugin.prices.contract import Contract, Part, Version
from smart_boiler_plugin.prices.sensors import get_or_create_spot_price_sensor
from smart_boiler_plugin.prices.terms import ATTRIBUTE
from tests.host.tariffs import DAY_AND_NIGHT, DAY_AND_NIGHT_CONTRACT, add_kronor_tariff, household


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
        assert source.attributes["data_generator"]["config"] == {"tariff": asset.id}
        assert asset.attributes[ATTRIBUTE] == {
            "country": "BE",
            "price_sensor": get_or_create_spot_price_sensor("BE").id,
            "source": source.id,
            "versions": [{"from": None, "contract": DAY_AND_NIGHT_CONTRACT}],
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
        (("New", "--fees", "0.5 NOK/kWh"), 1, "contract: Is in NOK, but the prices of sensor"),
        (("New", "--vat", "21"), 1, "vat: '21' is no share from 0 to 100 %. Expected, for example, '21 %'."),
        (("New", "--factor", "-1"), 1, "factor: Must be greater than or equal to 0"),
        (("New", "--fees", "{no JSON"), 2, "--fees"),
        (("New", "--fees", "5"), 1, "fees.0.fee: '5' is no money per energy"),
        (("New", "--price-sensor", "999"), 1, "price_sensor:"),
        (("New", "--price-sensor", "0"), 1, "price_sensor:"),
        (("New", "--country", "x" * 81), 1, "is no country code as the ENTSO-E plugin has it, such as NL, DE_LU."),
        (("New", "--country", "N\nL"), 1, r"country: 'N\nL' is no country code as"),
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
        (("New", "--timezone", "Amsterdam"), 1, "timezone: Must be an IANA name, such as Europe/Brussels."),
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
    assert re.split(" {2,}", lines[0]) == [
        "name", "operator", "country", "per kWh", "VAT", "currency", "sensor", "boilers"
    ]  # fmt: skip
    parts = "spot * 1.02 + 0.05 EUR/kWh + 0.03 EUR/kWh mon,tue,wed,thu,fri 07:00-22:00"
    assert re.split(" {2,}", lines[2])[1:6] == ["-", "BE", parts, "21 %", "EUR"]
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
        assert [tariff.name for tariff in tariffs.adopt_former()] == ["NL spot tariff"]
        db.session.commit()
    assert re.split(" {2,}", boilers("list-tariffs").output.splitlines()[2])[:5] == [
        "NL spot tariff", "-", "NL", "spot * 1", "0 %"
    ]  # fmt: skip
    with app.app_context():
        (tariff,) = tariffs.all_tariffs()
        assert tariff.sensor.id == former
        assert tariff.terms.price_sensor.id == get_or_create_spot_price_sensor("NL").id
        assert tariff.terms.versions == (Version(None, Contract((Part(factor=1.0),))),)


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
