"""From spot prices to consumption prices, by the commands."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pandas as pd
import pytest
from flexmeasures import Asset, Sensor, Source
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief

from smart_boiler_plugin.prices import spot as spot_prices
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor, get_or_create_spot_price_sensor
from smart_boiler_plugin.prices.spot import import_spot_prices
from tests.host.tariffs import make_sensor, values_of

TIMEZONE = "Europe/Amsterdam"


@pytest.fixture
def price_file(tmp_path):
    """A function that writes a CSV file with a price [EUR/MWh] of 10 + 0.1 per quarter, and returns its path."""

    def write(day, days=1, skip=()):
        start = pd.Timestamp(day, tz=TIMEZONE)
        moments = pd.date_range(start, start + pd.DateOffset(days=days), freq="15min", inclusive="left")
        rows = [f"{moment.isoformat()},{10 + i / 10}" for i, moment in enumerate(moments) if i not in skip]
        file = tmp_path / "prices.csv"
        file.write_text("start,EUR/MWh\n" + "\n".join(rows) + "\n")
        return file

    return write


def values(app, make_sensor, day, days=1):
    """Return what a sensor holds from a local day on."""
    with app.app_context():
        return values_of(make_sensor(), day, days)


def test_prices_are_stored_where_the_entsoe_plugin_stores_them(app, flexmeasures, price_file):
    assert flexmeasures("smart-boiler", "import-prices", "--country", "BE", price_file("2025-10-29")).exit_code == 0
    with app.app_context():
        zone = db.session.query(Asset).filter_by(name="BE transmission zone", account_id=None).one()
        sensor = db.session.query(Sensor).filter_by(generic_asset_id=zone.id).one()
        assert zone.generic_asset_type.name == "transmission zone"
        assert (sensor.name, sensor.unit, sensor.timezone) == ("Day-ahead prices", "EUR/MWh", TIMEZONE)
        assert sensor.event_resolution == pd.Timedelta("15min")


def test_a_country_has_days_of_its_own_time(app, flexmeasures, price_file, monkeypatch):
    """But where the ENTSO-E plugin's settings say something else of the country that they are about."""
    monkeypatch.setitem(app.config, "ENTSOE_COUNTRY_CODE", "EE")
    for country in ("PT", "FI", "EE"):
        flexmeasures("smart-boiler", "import-prices", "--country", country, price_file("2025-10-29"))
    with app.app_context():
        zones = [get_or_create_spot_price_sensor(country).timezone for country in ("PT", "FI", "EE")]
    assert zones == ["Europe/Lisbon", "Europe/Helsinki", TIMEZONE]


@pytest.mark.parametrize(("day", "quarters"), [("2025-10-29", 96), ("2026-03-29", 92), ("2025-10-26", 100)])
def test_consumption_prices_are_spot_prices_per_kwh_also_when_the_clock_changes(
    app, flexmeasures, price_file, day, quarters
):
    flexmeasures("smart-boiler", "import-prices", price_file(day))
    result = flexmeasures("smart-boiler", "update-prices", "--from-date", day, "--to-date", day)
    assert result.exit_code == 0
    assert f"{day}  {quarters} of {quarters} quarters" in result.output
    expected = [(10 + i / 10) / 1000 for i in range(quarters)]
    assert values(app, lambda: get_or_create_consumption_price_sensor("NL"), day) == pytest.approx(expected)


def test_a_gap_is_told_per_day_and_not_filled(app, flexmeasures, price_file):
    flexmeasures("smart-boiler", "import-prices", price_file("2025-10-29", skip=range(40, 44)))
    result = flexmeasures("smart-boiler", "update-prices", "--from-date", "2025-10-29", "--to-date", "2025-10-30")
    assert "2025-10-29  92 of 96 quarters" in result.output
    assert "2025-10-30  0 of 96 quarters" in result.output
    assert len(values(app, lambda: get_or_create_consumption_price_sensor("NL"), "2025-10-29")) == 92


def test_running_both_again_changes_nothing(flexmeasures, price_file, contents):
    file = price_file("2025-10-29")
    commands = [
        ("smart-boiler", "import-prices", file),
        ("smart-boiler", "update-prices", "--from-date", "2025-10-29", "--to-date", "2025-10-29"),
    ]
    for command in commands:
        assert flexmeasures(*command).exit_code == 0
    before = contents()
    for command in commands:
        assert flexmeasures(*command).exit_code == 0
    assert contents() == before


def test_a_file_imported_again_after_its_day_adds_nothing(flexmeasures, price_file, contents, monkeypatch):
    file = price_file("2025-10-29")
    monkeypatch.setattr(spot_prices, "server_now", lambda: pd.Timestamp("2025-10-28T14:00+01:00"))
    flexmeasures("smart-boiler", "import-prices", file)
    before = contents()
    monkeypatch.setattr(spot_prices, "server_now", lambda: pd.Timestamp("2025-10-30T14:00+01:00"))
    assert flexmeasures("smart-boiler", "import-prices", file).exit_code == 0
    assert contents() == before


def test_two_imports_at_once_store_each_price_once(app):
    day = pd.Timestamp("2025-10-29", tz=TIMEZONE)
    prices = pd.Series(1.0, index=pd.date_range(day, periods=96, freq="15min"))
    with app.app_context():
        get_or_create_spot_price_sensor("NL")
        db.session.commit()
    together = Barrier(2)

    def import_them(_):
        with app.app_context():
            together.wait()
            import_spot_prices("NL", prices, "test")

    with ThreadPoolExecutor() as both:
        list(both.map(import_them, range(2)))
    with app.app_context():
        assert db.session.query(Source).count() == 1
        assert db.session.query(TimedBelief).count() == 96


def test_a_file_that_is_imported_once_more_counts_over_another_one(app, flexmeasures):
    day = pd.Timestamp("2025-10-29", tz=TIMEZONE)
    one, other = (pd.Series(price, index=pd.date_range(day, periods=96, freq="15min")) for price in (1.0, 2.0))
    counted = []
    with app.app_context():
        for prices, name in ((one, "one"), (other, "other"), (one, "one"), (one, "one")):
            import_spot_prices("NL", prices, name)
            counted.append(db.session.query(TimedBelief).count())
    assert counted == [96, 192, 288, 288]
    flexmeasures("smart-boiler", "update-prices", "--from-date", "2025-10-29", "--to-date", "2025-10-29")
    stored = values(app, lambda: get_or_create_consumption_price_sensor("NL"), "2025-10-29")
    assert stored == pytest.approx([0.001] * 96)


def test_countries_do_not_mix(flexmeasures, price_file):
    flexmeasures("smart-boiler", "import-prices", "--country", "BE", price_file("2025-10-29"))
    result = flexmeasures("smart-boiler", "update-prices", "--country", "NL", "--from-date", "2025-10-29")
    assert result.exit_code == 1
    assert "flexmeasures entsoe import-day-ahead-prices --country NL" in result.output


def test_hourly_spot_prices_count_for_each_of_their_quarters(app, flexmeasures):
    day = pd.Timestamp("2025-10-29", tz=TIMEZONE)
    with app.app_context():
        sensor = get_or_create_spot_price_sensor("NL")
        sensor.event_resolution = pd.Timedelta("1h").to_pytimedelta()
        db.session.commit()
        hours = pd.date_range(day, periods=24, freq="1h")
        import_spot_prices("NL", pd.Series([float(hour) for hour in range(24)], index=hours), "test")
    result = flexmeasures("smart-boiler", "update-prices", "--from-date", "2025-10-29", "--to-date", "2025-10-29")
    assert "96 of 96 quarters" in result.output
    stored = values(app, lambda: get_or_create_consumption_price_sensor("NL"), "2025-10-29")
    assert stored == pytest.approx([hour / 1000 for hour in range(24) for _ in range(4)])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("2025-10-29T00:15:00+01:00,abc", "line 3"),
        ("\n2025-10-29T00:15:00+01:00,inf", "line 4: 2025-10-29T00:15:00+01:00,inf: the price is no number"),
        ("2025-10-29T00:15:00,10", "the UTC offset is missing"),
        ("2025-10-29T00:07:00+01:00,10", "no quarter of an hour starts then"),
        ("2025-10-28T23:00Z,10", "this quarter stands in the file before"),
        ("2025-10-29T00:15:00+01:00,10,1", "3 columns in place of two"),
        ("yesterday,10", "line 3"),
        ("0001-01-01T00:00Z,10", "no day-ahead prices are from the year 1"),
        ("9999-12-31T23:45-10:00,10", "no day-ahead prices are from the year 9999"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_stored(flexmeasures, contents, tmp_path, line, told):
    file = tmp_path / "prices.csv"
    file.write_text(f"start,EUR/MWh\n2025-10-29T00:00:00+01:00,65.45\n{line}\n")
    before = contents()
    result = flexmeasures("smart-boiler", "import-prices", file)
    assert result.exit_code == 1
    assert told in result.output
    assert contents() == before


def test_a_file_with_other_columns_is_refused(flexmeasures, tmp_path):
    file = tmp_path / "prices.csv"
    file.write_text("start\n2025-10-29T00:00:00+01:00\n")
    result = flexmeasures("smart-boiler", "import-prices", file)
    assert result.exit_code == 1
    assert "must name two columns" in result.output


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no header"),
        (b"start,EUR/MWh\n", "has no prices"),
        (b"2025-10-29T00:00+01:00,65.45\n2025-10-29T00:15+01:00,65.45\n", "is no header"),
        (b"start,\xff/MWh\n", "is no CSV file in UTF-8"),
        ("start,öre/kWh\n2025-10-29T00:00+01:00,6.5\n".encode(), "the prices are in öre/kWh. Expected: EUR/MWh"),
        (b"start,price\n2025-10-29T00:00+01:00,0.05\n", "price names no unit"),
        (b"start;EUR/MWh\n2025-10-29T00:00+01:00;1.234,5\n", "line 2"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_words(flexmeasures, tmp_path, content, told):
    file = tmp_path / "prices.csv"
    file.write_bytes(content)
    result = flexmeasures("smart-boiler", "import-prices", file)
    assert result.exit_code == 1
    assert told in result.output


def test_times_may_be_written_in_several_ways(flexmeasures, tmp_path):
    file = tmp_path / "prices.csv"
    file.write_text("start,EUR/MWh\n2025-10-29T00:00+01:00,1\n2025-10-29 00:15:00+01:00,2\n2025-10-28T23:30Z,3\n")
    assert "3 prices" in flexmeasures("smart-boiler", "import-prices", file).output


@pytest.mark.parametrize("header", ["MTU, EUR/MWh", "MTU,Day-ahead Price (EUR/MWh)"])
def test_the_columns_of_a_file_may_have_other_names(flexmeasures, tmp_path, header):
    file = tmp_path / "prices.csv"
    file.write_text(f"{header}\n2025-10-29T00:00+01:00,1\n")
    assert "1 prices" in flexmeasures("smart-boiler", "import-prices", file).output


def test_hourly_prices_are_spread_and_told(flexmeasures, tmp_path):
    file = tmp_path / "prices.csv"
    file.write_text("start;ct/kWh\n" + "".join(f"2025-10-29T{h:02}:00+01:00;{h},5\n" for h in range(24)))
    result = flexmeasures("smart-boiler", "import-prices", file)
    assert "24 rows are spread over 96 quarters" in result.output
    assert "96 prices" in result.output


@pytest.mark.parametrize(
    ("unit", "resolution", "header", "expected"),
    [
        ("SEK/kWh", "15min", "öre/kWh", [0.5, 1.0, 1.5, 2.0]),
        # per half-hour, and per MWh: 50 p/kWh are 500 GBP/MWh
        ("GBP/MWh", "30min", "p/kWh", [750.0, 1750.0]),
    ],
)
def test_prices_in_another_currency_go_to_a_sensor_of_that_currency(
    app, flexmeasures, tmp_path, unit, resolution, header, expected
):
    with app.app_context():
        sensor = make_sensor("spot", unit, resolution).id
    file = tmp_path / "prices.csv"
    rows = "".join(f"2025-10-29T00:{15 * i:02}+01:00;{50 * (i + 1)},0\n" for i in range(4))
    file.write_bytes(f"start;{header}\n{rows}".encode("windows-1252"))
    result = flexmeasures("smart-boiler", "import-prices", "--price-sensor", sensor, file)
    assert (result.exit_code, f"(sensor {sensor})" in result.output) == (0, True)
    assert values(app, lambda: db.session.get(Sensor, sensor), "2025-10-29") == pytest.approx(expected)
    assert "the prices are in" in flexmeasures("smart-boiler", "import-prices", "--country", "NL", file).output


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--price-sensor", "999", "FILE"), 1, "price_sensor"),
        (("--price-sensor", "1", "--country", "NL", "FILE"), 2, "not both"),
        (("--price-sensor", "1", "--source", "energy-charts"), 2, "goes with a FILE"),
        (("--country", "XX", "FILE"), 1, "'XX' is no country code"),
        (("--country", "XX", "--source", "energy-charts"), 1, "no prices of 'XX'"),
    ],
)
def test_where_prices_cannot_go_nothing_is_made(flexmeasures, price_file, contents, words, code, told):
    file = price_file("2025-10-29")
    before = contents()
    result = flexmeasures("smart-boiler", "import-prices", *(file if word == "FILE" else word for word in words))
    assert (result.exit_code, told in result.output) == (code, True), result.output
    assert contents() == before


def test_zeros_until_the_end_of_a_day_are_told_when_they_are_imported_and_when_they_are_used(flexmeasures, tmp_path):
    file = tmp_path / "prices.csv"
    file.write_text("start,EUR/MWh\n" + "".join(f"2025-10-29T{h:02}:00+01:00,{max(18 - h, 0)}\n" for h in range(24)))
    told = "From 2025-10-29 18:00 to 2025-10-30 00:00 each price is exactly 0."
    assert told in flexmeasures("smart-boiler", "import-prices", file).output
    result = flexmeasures("smart-boiler", "update-prices", "--from-date", "2025-10-29", "--to-date", "2025-10-29")
    assert (result.exit_code, told in result.output) == (0, True)


def test_days_in_the_wrong_order_are_refused(flexmeasures):
    result = flexmeasures("smart-boiler", "update-prices", "--from-date", "2025-10-29", "--to-date", "2025-10-28")
    assert result.exit_code == 2
    assert "Invalid value for --until" in result.output


@pytest.mark.parametrize("command", ["import-prices", "update-prices"])
def test_help_has_an_example(flexmeasures, command):
    assert f"flexmeasures smart-boiler {command}" in flexmeasures("smart-boiler", command, "--help").output
