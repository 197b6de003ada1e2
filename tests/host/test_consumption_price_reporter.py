"""ConsumptionPriceReporter, through the host: its command, its units, its resampling, its errors."""

import json

import pandas as pd
import pytest
from flexmeasures import Sensor
from flexmeasures.data import db
from marshmallow import ValidationError

from smart_boiler_plugin.prices.reporter import ConsumptionPriceReporter
from smart_boiler_plugin.prices.sensors import get_or_create_spot_price_sensor
from tests.factories import store
from tests.host.tariffs import make_sensor

TIMEZONE = "Europe/Amsterdam"
DAY = pd.Timestamp("2025-10-29", tz=TIMEZONE)
ONE_DAY = pd.DateOffset(days=1)


def report(output, start=DAY, end=None, *, parameters=None, **config):
    """Return what the reporter calculates for a span, by default a day."""
    config["price_sensor"] = config["price_sensor"].id
    parameters = {
        "start": start.isoformat(),
        "end": (end or start + ONE_DAY).isoformat(),
        "output": [{"sensor": output.id}],
        **(parameters or {}),
    }
    (result,) = ConsumptionPriceReporter(config=config).compute(parameters=parameters)
    data = result["data"]
    return pd.Series(data["event_value"].to_numpy(), index=data.index.get_level_values("event_start"))


@pytest.fixture
def in_app(app):
    """An app context."""
    with app.app_context():
        yield app


@pytest.fixture
def spot(in_app):
    """A country's spot prices, 100 EUR/MWh for a day."""
    sensor = get_or_create_spot_price_sensor("BE")
    store(sensor, [100.0] * 96, DAY)
    return sensor


@pytest.fixture
def paid(in_app):
    """A sensor for what is paid [EUR/kWh]."""
    return make_sensor("paid", "EUR/kWh")


def test_the_hosts_command_takes_it(app, flexmeasures, tmp_path):
    """(0.1 * 1.02 + 0.05) * 1.21 = 0.152 * 1.21 = 0.18392 EUR/kWh."""
    with app.app_context():
        spot = get_or_create_spot_price_sensor("BE")
        store(spot, [100.0] * 96, DAY)
        ids = spot.id, make_sensor("paid", "EUR/kWh").id
    config, parameters = tmp_path / "config.json", tmp_path / "parameters.json"
    config.write_text(json.dumps({"price_sensor": ids[0], "factor": 1.02, "fees": "0.05 EUR/kWh", "vat": "21 %"}))
    parameters.write_text(json.dumps({"input": [{"sensor": ids[0]}], "output": [{"sensor": ids[1]}]}))
    words = ("add", "report", "--reporter", "ConsumptionPriceReporter", "--config", config, "--parameters", parameters)
    result = flexmeasures(*words, "--start", DAY.isoformat(), "--end", (DAY + ONE_DAY).isoformat(), "--save-config")
    assert result.exit_code == 0, result.output
    with app.app_context():
        beliefs = db.session.get(Sensor, ids[1]).search_beliefs()
        assert beliefs["event_value"].tolist() == pytest.approx([0.18392] * 96, rel=1e-12)
        (source,) = beliefs.lineage.sources
        assert (source.type, source.model) == ("reporter", "ConsumptionPriceReporter")
        assert source.attributes["data_generator"]["config"] == {
            "price_sensor": ids[0],
            "factor": 1.02,
            "fees": [{"fee": "0.05 EUR/kWh"}],
            "vat": "21 %",
        }


@pytest.mark.parametrize(
    ("spot_unit", "spot_value", "fee", "paid_unit", "expected"),
    [
        # (0.1 + 0.05) * 1.2 = 0.18
        ("EUR/MWh", 100.0, "0.05 EUR/kWh", "EUR/kWh", 0.18),
        ("EUR/MWh", 100.0, "0.05 EUR/kWh", "EUR/MWh", 180.0),
        ("cEUR/kWh", 10.0, "50 EUR/MWh", "EUR/kWh", 0.18),
        # 27.777... EUR/GJ are 0.1 EUR/kWh
        ("EUR/GJ", 100 / 3.6, "5 cEUR/kWh", "cEUR/kWh", 18.0),
        # (1.2 + 0.3) * 1.2 = 1.8
        ("NOK/kWh", 1.2, "0.3 NOK/kWh", "NOK/kWh", 1.8),
    ],
)
def test_any_money_per_energy_goes_in_and_comes_out(in_app, spot_unit, spot_value, fee, paid_unit, expected):
    spot, paid = make_sensor("spot", spot_unit), make_sensor("paid", paid_unit)
    store(spot, [spot_value] * 96, DAY)
    assert report(paid, price_sensor=spot, fees=fee, vat="20 %").tolist() == pytest.approx([expected] * 96)


@pytest.mark.parametrize(("day", "quarters"), [("2026-03-29", 92), ("2025-10-26", 100)])
@pytest.mark.parametrize(("resolution", "per_hour"), [("15min", 4), ("1h", 1)])
def test_on_days_on_which_the_clock_changes_each_quarter_has_its_price(
    in_app, paid, day, quarters, resolution, per_hour
):
    """The n-th quarter of the day costs its n-th price, or the price of its hour; 07:00 to 08:00 a fee more."""
    spot, start = make_sensor("spot", "EUR/kWh", resolution), pd.Timestamp(day, tz=TIMEZONE)
    store(spot, [float(i) for i in range(quarters * per_hour // 4)], start)
    found = report(paid, start, price_sensor=spot, fees=[{"from": "07:00", "until": "08:00", "fee": "1000 EUR/kWh"}])
    plain = [float(i * per_hour // 4) for i in range(quarters)]
    with_fee = [i for i, price in enumerate(found) if price >= 1000]
    assert [price % 1000 for price in found] == plain
    # 28 quarters from midnight to 07:00, four less in spring and four more in autumn
    first = 28 + (quarters - 96)
    assert with_fee == [first, first + 1, first + 2, first + 3]


def test_fees_hold_in_the_local_time_of_the_output(spot, paid):
    """2025-10-29 is a Wednesday."""
    fees = ["0.01 EUR/kWh", {"days": "mon-fri", "from": "07:00", "until": "23:00", "fee": "0.02 EUR/kWh"}]
    found = report(paid, price_sensor=spot, fees=fees).tz_convert(TIMEZONE)
    by_price = found.groupby(found.round(9)).apply(lambda held: sorted(set(held.index.hour))).to_dict()
    assert by_price == {0.11: [0, 1, 2, 3, 4, 5, 6, 23], 0.13: list(range(7, 23))}


def test_a_gap_stays_a_gap_also_where_prices_are_hourly_and_of_several_sources(in_app, paid):
    spot = make_sensor("spot", "EUR/kWh", "1h")
    store(spot, [1.0, 2.0], DAY)
    store(spot, [4.0], DAY + pd.Timedelta("3h"), source_type="CLI script")
    found = report(paid, price_sensor=spot, fees="1 EUR/kWh")
    assert found.tolist() == [2.0] * 4 + [3.0] * 4 + [5.0] * 4
    assert found.index[8] == DAY + pd.Timedelta("3h")


def test_a_span_that_begins_and_ends_within_an_hour_has_its_quarters_alone(in_app, paid):
    spot = make_sensor("spot", "EUR/kWh", "1h")
    store(spot, [1.0, 2.0], DAY)
    start = DAY + pd.Timedelta("45min")
    found = report(paid, start, start + pd.Timedelta("45min"), price_sensor=spot)
    assert found.tolist() == [1.0, 2.0, 2.0]
    assert found.index[0] == start


def test_forecasts_are_no_prices_and_the_newest_price_counts(spot, paid):
    store(spot, [999.0] * 96, DAY, source_type="forecaster", recorded_at=DAY + pd.Timedelta("2h"))
    store(spot, [200.0], DAY, source_type="CLI script", recorded_at=DAY + pd.Timedelta("1h"))
    assert report(paid, price_sensor=spot).tolist() == pytest.approx([0.2] + [0.1] * 95)


def test_the_input_may_choose_among_the_prices(spot, paid):
    store(spot, [200.0] * 96, DAY, source_type="CLI script", recorded_at=DAY + pd.Timedelta("1h"))
    parameters = {"input": [{"sensor": spot.id, "exclude_source_types": ["CLI script"]}]}
    assert report(paid, price_sensor=spot, parameters=parameters).tolist() == pytest.approx([0.1] * 96)


def test_what_was_not_known_at_a_time_does_not_count_then(spot, paid):
    store(spot, [200.0] * 96, DAY, source_type="CLI script", recorded_at=DAY + pd.Timedelta("1h"))
    parameters = {"belief_time": (DAY + pd.Timedelta("30min")).isoformat()}
    assert report(paid, price_sensor=spot, parameters=parameters).tolist() == pytest.approx([0.1] * 96)


def test_without_any_price_the_report_is_empty(in_app, paid):
    assert report(paid, price_sensor=make_sensor("spot", "EUR/MWh")).empty


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"fees": "0.5 NOK/kWh"}, {"fees": {0: {"fee": ["Is in NOK, but the prices of sensor {id} are in EUR."]}}}),
        ({"fees": ["1 EUR/kWh", {"fee": "5 EUR"}]}, "'5 EUR' is no money per energy. Expected, for example,"),
        ({"fees": 0.05}, "Invalid input type"),
        ({"fees": "0.05"}, "'0.05' is no money per energy"),
        ({"fees": [{"days": "mo-fr", "fee": "1 EUR/kWh"}]}, "names no days. Expected, for example, 'mon-fri'"),
        ({"fees": [{"from": "07:00", "fee": "1 EUR/kWh"}]}, "Give both 'from' and 'until', or none of them."),
        ({"fees": [{"from": "7", "until": "08:00", "fee": "1 EUR/kWh"}]}, "Must be a time such as 06:30"),
        ({"fees": [{"from": "07:00", "until": "08:00"}]}, "Missing data for required field."),
        ({"vat": 21}, "'21' is no share from 0 to 100 %. Expected, for example, '21 %'."),
        ({"vat": "0.21"}, "is no share"),
        ({"vat": "121 %"}, "is no share"),
        ({"factor": -1}, "Must be greater than or equal to 0"),
        ({"factor": float("nan")}, "Special numeric values"),
        ({"surcharge": 1}, "Unknown field."),
    ],
)
def test_a_wrong_configuration_is_refused_with_the_name_of_its_field(spot, wrong, told):
    with pytest.raises(ValidationError) as refused:
        ConsumptionPriceReporter(config={"price_sensor": spot.id, **wrong})
    messages = refused.value.messages
    assert list(messages) == list(wrong)
    if isinstance(told, dict):
        assert str(messages) == str(told).replace("{id}", str(spot.id))
    else:
        assert told in str(messages)


@pytest.mark.parametrize(
    ("unit", "resolution", "told"),
    [("kWh", "15min", "is in kWh, which is no money per energy"), ("EUR/MW", "15min", "no money per energy"),
     ("EUR/MWh", "24h", "hold for 1 day, 0:00:00. Expected, for example, 1:00:00"),
     ("EUR/MWh", "0h", "hold for 0:00:00. Expected, for example, 1:00:00 or 0:15:00.")],
)  # fmt: skip
def test_a_sensor_without_spot_prices_is_refused(in_app, unit, resolution, told):
    with pytest.raises(ValidationError, match=told) as refused:
        ConsumptionPriceReporter(config={"price_sensor": make_sensor("spot", unit, resolution).id})
    assert list(refused.value.messages) == ["price_sensor"]


def test_parameters_that_do_not_fit_are_refused_with_the_name_of_their_field(spot, paid):
    kronor, hourly = make_sensor("kronor", "NOK/kWh"), make_sensor("hourly", "EUR/kWh", "1h")
    for output, parameters, field in [
        (kronor, {}, "output"),
        (hourly, {}, "output"),
        (paid, {"input": [{"sensor": paid.id}]}, "input"),
    ]:
        with pytest.raises(ValidationError) as refused:
            report(output, price_sensor=spot, parameters=parameters)
        assert list(refused.value.messages) == [field]


def test_a_configuration_survives_being_stored_and_is_written_in_one_way_only(spot):
    written = [
        {"fees": "50 EUR/MWh", "vat": "21%"},
        {"fees": ["0.05 EUR/kWh"], "vat": "21.0 %", "factor": 1},
        {"fees": [{"days": "mon-sun", "from": "00:00", "until": "00:00", "fee": "5 cEUR/kWh"}], "vat": "21 %"},
    ]
    sources = {
        ConsumptionPriceReporter(config={"price_sensor": spot.id, **config}).data_source.id for config in written
    }
    assert len(sources) == 1
