"""`import-prices --source energy-charts`: from a stand-in of the API into the sensor of the ENTSO-E plugin."""

import pandas as pd
import pytest
import timely_beliefs as tb
from flexmeasures import Asset, Sensor, Source
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from flexmeasures.data.utils import save_to_db

from smart_boiler_plugin.cli import import_prices as module
from smart_boiler_plugin.prices.energy_charts.importing import LICENCE_ATTRIBUTE
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor, get_or_create_spot_price_sensor
from tests.energy_charts import CC_BY, LITTLE_PATIENCE, PRIVATE, answer, energy_charts, hang_up, say
from tests.host.tariffs import values_of

TIMEZONE = "Europe/Amsterdam"
DAY = "2025-10-29"


@pytest.fixture
def service(app, monkeypatch):
    """A stand-in for the API, at the address in the settings."""
    with energy_charts() as server:
        monkeypatch.setitem(app.config, "SMART_BOILER_ENERGY_CHARTS_URL", server.url)
        monkeypatch.setattr(module, "PATIENCE", LITTLE_PATIENCE)
        yield server


@pytest.fixture
def import_day(flexmeasures):
    """A function that imports a day and returns click's result; more words may follow."""

    def run(*words, day=DAY, to=None):
        span = ("--from-date", day, "--to-date", to or day)
        return flexmeasures("smart-boiler", "import-prices", "--source", "energy-charts", *span, *words)

    return run


def values(make_sensor, day=DAY, days=1):
    """Return what a sensor holds of some local days, as prices are read."""
    return values_of(make_sensor(), day, days)


def spot():
    return get_or_create_spot_price_sensor("NL")


def store_as_entsoe_plugin(prices, published):
    """Store prices [EUR/MWh] of DAY as `save_entsoe_series` of flexmeasures-entsoe 0.10 does."""
    source = db.session.query(Source).filter_by(name="ENTSO-E").one_or_none() or Source(name="ENTSO-E", type="market")
    moments = pd.date_range(pd.Timestamp(DAY, tz=TIMEZONE), periods=96, freq="15min")
    eve = (moments.floor("D") - pd.Timedelta("6h")).to_frame(name="known").clip(upper=pd.Timestamp(published))
    save_to_db(
        tb.BeliefsDataFrame(
            pd.Series(prices, index=moments), source=source, sensor=spot(), belief_time=eve.set_index("known").index
        )
    )
    db.session.commit()


# 4 quarters an hour, of 24, 23 and 25 hours
@pytest.mark.parametrize(("day", "quarters"), [(DAY, 96), ("2026-03-29", 92), ("2025-10-26", 100)])
@pytest.mark.parametrize(("freq", "repeat"), [("15min", 1), ("1h", 4)])
def test_all_quarters_of_a_day_are_stored_also_when_the_clock_changes(
    app, service, import_day, day, quarters, freq, repeat
):
    service.answers = [say(answer(day, freq=freq))]
    result = import_day(day=day)
    assert result.exit_code == 0, result.output
    assert f"{day}  {quarters} of {quarters} quarters" in result.output
    with app.app_context():
        stored = values(spot, day)
    assert stored == [round(10 + i / 10, 1) for i in range(quarters // repeat) for _ in range(repeat)]


def test_prices_are_stored_where_the_entsoe_plugin_stores_them_with_a_source_of_their_own(app, service, import_day):
    service.answers = [say(answer())]
    assert import_day("--country", "DE_LU").exit_code == 0
    assert service.asked[0][1]["bzn"] == "DE-LU"
    with app.app_context():
        zone = db.session.query(Asset).filter_by(name="DE_LU transmission zone", account_id=None).one()
        sensor = db.session.query(Sensor).filter_by(generic_asset_id=zone.id).one()
        assert (sensor.name, sensor.unit) == ("Day-ahead prices", "EUR/MWh")
        source = db.session.query(Source).one()
        assert (source.name, source.type) == ("Energy-Charts", "market")


def test_consumption_prices_are_derived_from_them(app, service, import_day, flexmeasures):
    service.answers = [say(answer())]
    import_day()
    result = flexmeasures("smart-boiler", "update-prices", "--from-date", DAY, "--to-date", DAY)
    assert "96 of 96 quarters" in result.output
    with app.app_context():
        stored = values(lambda: get_or_create_consumption_price_sensor("NL"))
    assert stored == pytest.approx([(10 + i / 10) / 1000 for i in range(96)])


def test_running_it_again_adds_nothing(app, service, flexmeasures, contents):
    # today: some quarters have passed and some are to come
    today = pd.Timestamp.now(TIMEZONE).normalize()
    service.answers = [say(answer(f"{today:%Y-%m-%d}", days=2))]
    command = ("smart-boiler", "import-prices", "--source", "energy-charts")
    first = flexmeasures(*command)
    assert first.exit_code == 0, first.output
    before = contents()
    assert flexmeasures(*command).exit_code == 0
    assert contents() == before
    with app.app_context():
        expected = (today + pd.DateOffset(days=2) - today) / pd.Timedelta("15min")
        assert db.session.query(TimedBelief).count() == expected


def test_a_corrected_price_counts_and_the_old_one_is_kept(app, service, import_day):
    corrected = answer()
    corrected["price"][7] = 99.9
    service.answers = [say(answer()), say(corrected), say(corrected)]
    for _ in range(3):
        assert import_day().exit_code == 0
    with app.app_context():
        assert values(spot) == corrected["price"]
        assert db.session.query(TimedBelief).count() == 97


@pytest.mark.parametrize("entsoe_first", [True, False])
@pytest.mark.parametrize("published", ["2025-10-28T13:00+01:00", "2026-01-01T00:00+01:00"])
def test_entsoe_prices_count_over_those_of_energy_charts_whichever_came_first(
    app, service, import_day, entsoe_first, published
):
    service.answers = [say(answer())]
    if not entsoe_first:
        import_day()
    with app.app_context():
        # the last hour is missing
        store_as_entsoe_plugin([77.0] * 92 + [float("nan")] * 4, published)
    if entsoe_first:
        import_day()
    with app.app_context():
        assert values(spot) == [77.0] * 92 + answer()["price"][92:]


@pytest.mark.parametrize("file_first", [True, False])
def test_prices_of_a_file_count_over_those_of_energy_charts(
    app, service, import_day, flexmeasures, tmp_path, file_first
):
    service.answers = [say(answer())]
    file = tmp_path / "prices.csv"
    file.write_text("start,EUR/MWh\n2025-10-29T00:00+01:00,55.5\n")
    runs = [lambda: flexmeasures("smart-boiler", "import-prices", "--source", "csv", file), import_day]
    for run in runs if file_first else reversed(runs):
        assert run().exit_code == 0
    with app.app_context():
        assert values(spot) == [55.5, *answer()["price"][1:]]


def test_a_sensor_that_is_still_hourly_gets_means(app, service, import_day):
    with app.app_context():
        spot().event_resolution = pd.Timedelta("1h").to_pytimedelta()
        db.session.commit()
    service.answers = [say(answer())]
    assert import_day().exit_code == 0
    with app.app_context():
        # the mean of 10 + 0.4 h and the three that follow at 0.1 each
        assert values(spot) == pytest.approx([10 + 0.4 * hour + 0.15 for hour in range(24)])


@pytest.mark.parametrize(
    ("licence", "told"),
    [
        (CC_BY, f"Data: {CC_BY}"),
        (PRIVATE, f"Check that you may use these data: {PRIVATE}"),
        ("", "no licence is named"),
    ],
)
def test_the_licence_is_shown_and_kept(app, service, import_day, licence, told):
    service.answers = [say(answer(license_info=licence))]
    assert told in import_day().output
    with app.app_context():
        assert spot().attributes[LICENCE_ATTRIBUTE] == licence


def test_a_reworded_licence_makes_no_second_source_and_no_second_price(app, service, import_day):
    service.answers = [say(answer()), say(answer(license_info="CC BY 5.0"))]
    import_day()
    assert "CC BY 5.0" in import_day().output
    with app.app_context():
        assert spot().attributes[LICENCE_ATTRIBUTE] == "CC BY 5.0"
        assert db.session.query(Source).count() == 1
        assert db.session.query(TimedBelief).count() == 96


def test_an_announced_end_of_the_interface_is_told(service, import_day):
    service.answers = [say(answer(deprecated=True))]
    result = import_day()
    assert result.exit_code == 0
    assert "announces the end" in result.output


def test_days_without_prices_are_told_and_the_others_stored(app, service, import_day):
    content = answer(days=2)
    content["price"][96:] = [None] * 96
    service.answers = [say(content)]
    result = import_day(to="2025-10-30")
    assert result.exit_code == 1
    assert "2025-10-29  96 of 96 quarters" in result.output
    assert "2025-10-30  0 of 96 quarters" in result.output
    assert "no price on 2025-10-30" in result.output
    with app.app_context():
        assert db.session.query(TimedBelief).count() == 96


def test_the_day_after_tomorrow_is_no_error(service, import_day):
    today = pd.Timestamp.now(TIMEZONE).normalize()
    service.answers = [say(answer(f"{today:%Y-%m-%d}", days=2))]
    later = f"{today + pd.DateOffset(days=2):%Y-%m-%d}"
    result = import_day(day=f"{today:%Y-%m-%d}", to=later)
    assert result.exit_code == 0
    assert f"Not published yet: {later}. Prices usually appear between 13:00 and 15:00" in result.output


def test_zeros_of_a_day_whose_auction_has_not_closed_are_left_out_and_told(app, service, import_day, monkeypatch):
    content = answer(days=2)
    content["price"][96:] = [0.0] * 96
    service.answers = [say(content)]
    for clock, code, stored in (("11:59", 0, 96), ("12:01", 0, 192)):
        monkeypatch.setattr(module, "server_now", lambda: pd.Timestamp(f"{DAY} {clock}", tz=TIMEZONE))  # noqa: B023
        result = import_day(to="2025-10-30")
        assert (result.exit_code, "96 quarters were said to cost exactly 0" in result.output) == (code, stored == 96)
        assert ("From 2025-10-30 00:00 to 2025-10-31 00:00 each price is exactly 0." in result.output) == (stored > 96)
        with app.app_context():
            assert db.session.query(TimedBelief).count() == stored


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (say(status=404), "no price of the bidding zone NL from 2025-10-29"),
        (say(answer(unix_seconds=[], price=[])), "no price of the bidding zone NL"),
        (say(answer(prices=[None] * 96)), "no price of the bidding zone NL"),
        (say(status=503), "answered 503"),
        (say(b"<html>"), "not answer with JSON"),
        (say(answer(unit="MW")), "prices in 'MW'"),
        (hang_up, "cannot be reached"),
    ],
)
def test_trouble_is_told_in_one_line_and_changes_nothing(service, import_day, contents, trouble, told):
    service.answers = [trouble]
    before = contents()
    result = import_day()
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert told in result.output
    assert contents() == before


def test_a_failure_while_storing_leaves_nothing_behind(app, service, import_day, contents, monkeypatch):
    service.answers = [say(answer())]
    before = contents()
    with monkeypatch.context() as broken:
        broken.setattr(db.session, "commit", lambda: 1 / 0)
        assert isinstance(import_day().exception, ZeroDivisionError)
    assert contents() == before
    assert import_day().exit_code == 0
    with app.app_context():
        assert db.session.query(TimedBelief).count() == 96


def test_an_unknown_country_is_told_with_the_known_ones(service, import_day):
    service.answers = [say(answer())]
    result = import_day("--country", "DK")
    assert result.exit_code == 1
    assert "no prices of 'DK'" in result.output
    assert "DK_1, DK_2" in result.output
    assert not service.asked


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "Name a FILE"),
        (["--source", "csv"], "Name a FILE"),
        (["--source", "energy-charts", "FILE"], "Leave it out, or say --source csv"),
        (["--from-date", DAY, "FILE"], "a FILE is read whole"),
        (["--source", "energy-charts", "--from-date", DAY, "--to-date", "2025-10-28"], "2025-10-28 is before"),
        (["--source", "energy-charts", "--from-date", "0001-01-01"], "0001-01-01 is not between 1990 and 2200"),
        (["--source", "elsewhere"], "'elsewhere' is not one of"),
    ],
)
def test_options_that_do_not_fit_are_refused_with_what_to_do(flexmeasures, service, tmp_path, words, told):
    file = tmp_path / "prices.csv"
    file.write_text("start,EUR/MWh\n2025-10-29T00:00+01:00,55.5\n")
    result = flexmeasures("smart-boiler", "import-prices", *(file if word == "FILE" else word for word in words))
    assert result.exit_code == 2
    assert told in result.output
    assert not service.asked
