"""``update-prices``: what it derives, what it says of each day, and when it fails."""

import pandas as pd
import pytest
from flexmeasures import Sensor
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief

from smart_boiler_plugin.prices import tariffs
from smart_boiler_plugin.prices.sensors import get_or_create_spot_price_sensor
from tests.factories import store
from tests.host.test_consumption_price_reporter import make_sensor

TIMEZONE = "Europe/Amsterdam"
TODAY = pd.Timestamp("2025-10-29", tz=TIMEZONE)
ONE_DAY = pd.DateOffset(days=1)
CLOCK = "smart_boiler_plugin.cli.tariffs.server_now"


@pytest.fixture
def at(monkeypatch):
    """A function that sets the clock to a local time of today, or of another day."""

    def set_clock(clock, day="2025-10-29", timezone=TIMEZONE):
        monkeypatch.setattr(CLOCK, lambda: pd.Timestamp(f"{day} {clock}", tz=timezone))

    return set_clock


@pytest.fixture
def spot(app):
    """A function that stores spot prices of a country: for each quarter from a local day on, one more [EUR/MWh]."""

    def give(days, country="NL", skip=(), start=TODAY):
        quarters = pd.date_range(start, start + pd.DateOffset(days=days), freq="15min", inclusive="left")
        with app.app_context():
            sensor = get_or_create_spot_price_sensor(country)
            values = [float("nan") if i in skip else float(i) for i in range(len(quarters))]
            store(sensor, values, start, recorded_at=start - pd.Timedelta("6h"))

    return give


@pytest.fixture
def update(flexmeasures):
    """A function that runs ``update-prices`` and returns click's result."""
    return lambda *words: flexmeasures("smart-boiler", "update-prices", *words)


def add_tariff(flexmeasures, name, country, *words):
    assert flexmeasures("smart-boiler", "add-tariff", name, "--country", country, *words).exit_code == 0


def prices_of(app, name):
    """What a tariff's sensor holds [currency/kWh], by the start of the quarter."""
    with app.app_context():
        found = tariffs.find(name).sensor.search_beliefs(
            most_recent_beliefs_only=True, one_deterministic_belief_per_event=True
        )["event_value"]
        return pd.Series(found.to_numpy(), index=found.index.get_level_values("event_start"))


@pytest.mark.parametrize(("clock", "code"), [("14:59", 0), ("15:00", 1), ("15:01", 1), ("23:59", 1)])
def test_tomorrow_must_be_complete_from_three_in_the_afternoon_on(at, spot, update, clock, code):
    at(clock)
    spot(days=1)
    result = update()
    assert result.exit_code == code
    assert "2025-10-29  96 of 96 quarters\n" in result.output
    assert "2025-10-30  0 of 96 quarters\n" in result.output
    remedy = "flexmeasures entsoe import-day-ahead-prices --country NL --from-date 2025-10-30 --to-date 2025-10-31"
    assert (remedy in result.output) == bool(code)


def test_what_is_complete_is_right_at_any_time(at, spot, update):
    at("15:01")
    spot(days=2)
    assert update().exit_code == 0


def test_three_in_the_afternoon_is_that_of_the_tariffs_country(app, at, spot, update, flexmeasures):
    """14:30 in Amsterdam is 15:30 in Helsinki."""
    with app.app_context():
        get_or_create_spot_price_sensor("FI").timezone = "Europe/Helsinki"
        db.session.commit()
    add_tariff(flexmeasures, "FI", "FI")
    # days 28 and 29 of the market, which end an hour later than those of Finland
    spot(days=2, country="FI", start=TODAY - ONE_DAY)
    at("14:30")
    result = update()
    assert (result.exit_code, "2025-10-30  4 of 96 quarters" in result.output) == (1, True)
    at("13:59")
    assert update().exit_code == 0


def test_the_last_hour_of_a_portuguese_day_is_due_with_the_next_day_of_the_market(app, at, spot, update, flexmeasures):
    """The market's days end at 24:00 in Brussels, which is 23:00 in Lisbon. Until 14:00 there, they may be late."""
    with app.app_context():
        get_or_create_spot_price_sensor("PT").timezone = "Europe/Lisbon"
        db.session.commit()
    add_tariff(flexmeasures, "PT", "PT")
    # the market's days 29 and 30
    spot(days=2, country="PT", start=pd.Timestamp("2025-10-29", tz="Europe/Brussels"))
    at("16:00", "2025-10-29", "Europe/Lisbon")
    result = update()
    assert "2025-10-30  92 of 96 quarters, missing 23:00 to 24:00\n" in result.output
    assert result.exit_code == 0
    for clock, code in [("12:59", 0), ("13:00", 1)]:
        at(clock, "2025-10-30", "Europe/Lisbon")
        assert update().exit_code == code


@pytest.mark.parametrize(
    ("day", "quarters", "missing", "told"),
    [
        ("2025-10-29", 96, [40, 41], "94 of 96 quarters, missing 10:00 to 10:30"),
        # as flexmeasures-entsoe leaves it
        ("2025-10-26", 100, [97, 98, 99], "97 of 100 quarters, missing 23:15 CET to 24:00 CET"),
        # quarter 8 is the first that the clock does not skip
        ("2026-03-29", 92, [8], "91 of 92 quarters, missing 03:00 CEST to 03:15 CEST"),
    ],
)
def test_a_gap_is_found_and_told_with_its_times_and_never_filled(app, at, spot, update, day, quarters, missing, told):
    at("12:00", day)
    start = pd.Timestamp(day, tz=TIMEZONE)
    spot(days=1, skip=missing, start=start)
    result = update()
    assert result.exit_code == 1
    assert f"{day}  {told}\n" in result.output
    until = (start + ONE_DAY).date()
    assert f"import-day-ahead-prices --country NL --from-date {day} --to-date {until}" in result.output
    stored = prices_of(app, "NL spot tariff")
    assert stored.tolist() == pytest.approx([i / 1000 for i in range(quarters) if i not in missing])
    # once it is filled, all is well
    spot(days=1, start=start)
    assert update().exit_code == 0
    assert len(prices_of(app, "NL spot tariff")) == quarters


def test_all_that_is_known_is_derived_from_today_on(app, at, spot, update):
    at("12:00")
    spot(days=4, start=TODAY - ONE_DAY)
    result = update()
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.output.splitlines()[1:]] == ["2025-10-29", "2025-10-30", "2025-10-31"]
    stored = prices_of(app, "NL spot tariff")
    assert (stored.index[0], len(stored)) == (TODAY, 3 * 96)
    # the 97th quarter since yesterday
    assert stored.iloc[0] == pytest.approx(0.096)


def test_forecasts_of_spot_prices_are_not_known_prices(app, at, spot, update):
    at("12:00")
    spot(days=1)
    with app.app_context():
        sensor = get_or_create_spot_price_sensor("NL")
        store(sensor, [1.0] * 960, TODAY, source_type="forecaster", recorded_at=TODAY - ONE_DAY)
    lines = update().output.splitlines()
    assert lines[1:] == ["  2025-10-29  96 of 96 quarters", "  2025-10-30  0 of 96 quarters"]


def test_all_tariffs_of_all_countries_are_updated_each_with_its_own_terms(app, at, spot, update, flexmeasures):
    """The second quarter costs 1 EUR/MWh: on "BE" 0.001, on "BE plus" (0.001 * 2 + 0.1) * 1.1 = 0.1122."""
    at("12:00")
    add_tariff(flexmeasures, "BE", "BE")
    add_tariff(flexmeasures, "BE plus", "BE", "--factor", "2", "--fees", "0.1 EUR/kWh", "--vat", "10 %")
    add_tariff(flexmeasures, "NL", "NL", "--factor", "3")
    spot(days=1, country="BE")
    spot(days=1, country="NL")
    assert update().exit_code == 0
    assert [prices_of(app, name).iloc[1] for name in ("BE", "BE plus", "NL")] == pytest.approx([0.001, 0.1122, 0.003])


def test_one_country_or_one_tariff_may_be_chosen(app, at, spot, update, flexmeasures):
    at("12:00")
    for name, country in [("BE", "BE"), ("BE plus", "BE"), ("NL", "NL")]:
        add_tariff(flexmeasures, name, country)
        spot(days=1, country=country)
    assert "plus" not in update("--tariff", "BE").output
    assert [len(prices_of(app, name)) for name in ("BE", "BE plus", "NL")] == [96, 0, 0]
    assert "of NL" not in update("--country", "BE").output
    assert [len(prices_of(app, name)) for name in ("BE", "BE plus", "NL")] == [96, 96, 0]


def test_one_tariffs_trouble_stops_no_other_and_is_told(app, at, spot, update, flexmeasures):
    at("12:00")
    with app.app_context():
        gone = make_sensor("spot", "NOK/kWh").id
    flexmeasures("smart-boiler", "add-tariff", "A broken one", "--price-sensor", gone)
    add_tariff(flexmeasures, "Another broken one", "NL")
    add_tariff(flexmeasures, "BE without prices", "BE")
    add_tariff(flexmeasures, "NL", "NL")
    with app.app_context():
        db.session.delete(db.session.get(Sensor, gone))
        tariffs.find("Another broken one").sensor.unit = "NOK/kWh"
        db.session.commit()
    spot(days=1, country="NL")
    result = update()
    assert result.exit_code == 1
    # to import prices would be no remedy
    assert f"No sensor found with ID {gone}.\n" in result.output
    assert "is in NOK/kWh, but the prices are in EUR.\n" in result.output
    assert "No day-ahead price is known from 2025-10-29 to 2025-10-30" in result.output
    assert "import-day-ahead-prices --country BE" in result.output
    assert len(prices_of(app, "NL")) == 96


def test_running_it_again_stores_nothing_also_when_quarters_have_passed_in_between(at, spot, update, contents):
    spot(days=2)
    at("14:00")
    assert update().exit_code == 0
    before = contents()
    for clock in ("14:00", "15:30", "23:00"):
        at(clock)
        assert update().exit_code == 0
    assert contents() == before


def test_a_price_that_was_corrected_is_corrected_and_the_others_stay(app, at, spot, update):
    at("14:00")
    spot(days=2)
    update()
    with app.app_context():
        store(get_or_create_spot_price_sensor("NL"), [77.0], TODAY, recorded_at=TODAY + pd.Timedelta("1h"))
        before = db.session.query(TimedBelief).count()
    at("14:30")
    update()
    assert prices_of(app, "NL spot tariff").iloc[:2].tolist() == pytest.approx([0.077, 0.001])
    with app.app_context():
        assert db.session.query(TimedBelief).count() == before + 1


def test_prices_of_a_former_version_stay_and_newer_ones_count(app, at, spot, update):
    """Those of the former version came from another data source."""
    spot(days=1)
    with app.app_context():
        sensor = tariffs.spot_tariff("NL").sensor
        store(sensor, [0.0, 0.5], TODAY, source_type="reporter", recorded_at=TODAY)
    at("12:00")
    update()
    assert prices_of(app, "NL spot tariff").tolist() == pytest.approx([i / 1000 for i in range(96)])


def test_what_somebody_else_stored_in_between_is_put_right_once(app, at, spot, update, contents):
    at("14:00")
    spot(days=2)
    update()
    with app.app_context():
        sensor = tariffs.spot_tariff("NL").sensor
        store(sensor, [9.0], TODAY, source_type="reporter", recorded_at=TODAY + pd.Timedelta("14h10min"))
    at("14:20")
    assert update().exit_code == 0
    assert prices_of(app, "NL spot tariff").iloc[0] == 0.0
    before = contents()
    at("14:30")
    assert update().exit_code == 0
    assert contents() == before


def test_forecasts_of_consumption_prices_do_not_hide_what_is_missing(app, at, spot, update):
    at("15:01")
    spot(days=1)
    with app.app_context():
        sensor = tariffs.spot_tariff("NL").sensor
        store(sensor, [1.0] * 96, TODAY + ONE_DAY, source_type="forecaster", recorded_at=TODAY)
    result = update()
    assert (result.exit_code, "2025-10-30  0 of 96 quarters" in result.output) == (1, True)


def test_nothing_at_all_is_told_and_makes_nothing(at, update, contents):
    at("12:00")
    before = contents()
    result = update("--country", "FI")
    assert result.exit_code == 1
    assert "flexmeasures entsoe import-day-ahead-prices --country FI" in result.output
    assert contents() == before


def test_a_country_that_does_not_exist_is_told_and_makes_nothing(at, update, flexmeasures, contents):
    at("12:00")
    before = contents()
    told = "country: 'NL_2' is no country code as the ENTSO-E plugin has it, such as "
    for result in (update("--country", "NL_2"), flexmeasures("smart-boiler", "add-tariff", "New", "--country", "NL_2")):
        assert (result.exit_code, told in result.output) == (1, True)
    assert contents() == before


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--tariff", "Green"), 1, "There is no tariff 'Green'"),
        (("--tariff", "NL", "--country", "NL"), 2, "not both"),
        (("--to-date", "2025-10-28"), 2, "2025-10-28 is before the first day, 2025-10-29"),
        (("--to-date", "9999-12-31"), 2, "'--to-date': 9999-12-31 is not between 1990 and 2200."),
    ],
)
def test_what_cannot_be_is_refused_in_words(at, update, words, code, told):
    at("12:00")
    result = update(*words)
    assert result.exit_code == code
    assert told in result.output


@pytest.mark.parametrize("command", ["add-tariff", "list-tariffs", "update-prices"])
def test_help_has_an_example_on_a_line_of_its_own(flexmeasures, command):
    lines = flexmeasures("smart-boiler", command, "--help").output.splitlines()
    assert any(line.startswith(f"    flexmeasures smart-boiler {command}") for line in lines)
