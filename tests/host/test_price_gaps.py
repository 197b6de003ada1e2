"""``update-prices`` fills what ENTSO-E left out from Energy-Charts, where the setting allows it."""

import pandas as pd
import pytest
from flexmeasures import Source
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief

from smart_boiler_plugin.cli import tariffs as module
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor, get_or_create_spot_price_sensor
from tests.energy_charts import LITTLE_PATIENCE, answer, energy_charts, hang_up, say
from tests.factories import store
from tests.host.tariffs import values_of

DAY = "2025-10-26"
START = pd.Timestamp(DAY, tz="Europe/Amsterdam")
BEFORE = f"{DAY}  97 of 100 quarters, missing 23:15 CET to 24:00 CET"


@pytest.fixture
def service(app, monkeypatch):
    """A stand-in for Energy-Charts, which may be asked, on the evening before the clock goes back."""
    with energy_charts() as server:
        server.answers = [say(answer(DAY))]
        monkeypatch.setitem(app.config, "SMART_BOILER_ENERGY_CHARTS_URL", server.url)
        monkeypatch.setitem(app.config, "SMART_BOILER_FILL_PRICE_GAPS", value=True)
        monkeypatch.setattr(module, "PATIENCE", LITTLE_PATIENCE)
        monkeypatch.setattr(module, "server_now", lambda: START - pd.Timedelta("6h"))
        yield server


@pytest.fixture
def entsoe(app):
    """97 of the 100 quarters of the day on which the clock goes back, as the ENTSO-E plugin stores them."""
    with app.app_context():
        store(get_or_create_spot_price_sensor("NL"), [77.0] * 97, START, recorded_at=START - pd.Timedelta("13h"))


@pytest.fixture
def update(flexmeasures):
    """A function that derives the prices of the day."""
    return lambda *words: flexmeasures("smart-boiler", "update-prices", "--from-date", DAY, "--to-date", DAY, *words)


def test_what_is_missing_comes_from_energy_charts_and_the_source_is_told(app, entsoe, service, update, contents):
    result = update()
    told = f"3 quarters filled from Energy-Charts, bidding zone NL. Before: {BEFORE}\nData: CC BY 4.0"
    assert (result.exit_code, told in result.output) == (0, True), result.output
    assert f"  {DAY}  100 of 100 quarters\n" in result.output
    expected = [77.0] * 97 + answer(DAY)["price"][97:]
    with app.app_context():
        assert values_of(get_or_create_spot_price_sensor("NL"), DAY) == expected
        stored = values_of(get_or_create_consumption_price_sensor("NL"), DAY)
        assert stored == pytest.approx([price / 1000 for price in expected])
        filled = db.session.query(TimedBelief).join(Source).filter(Source.name == "Energy-Charts")
        assert filled.count() == 3
    before = contents()
    assert "Energy-Charts" not in update().output
    assert (contents() == before, len(service.asked)) == (True, 1)


def test_a_price_of_entsoe_that_comes_later_counts(app, entsoe, service, update):
    update()
    with app.app_context():
        # at the time at which the ENTSO-E plugin says that it was known
        known = START - pd.Timedelta("6h")
        store(get_or_create_spot_price_sensor("NL"), [78.0] * 3, START + 97 * pd.Timedelta("15min"), recorded_at=known)
        assert values_of(get_or_create_spot_price_sensor("NL"), DAY)[96:] == [77.0, 78.0, 78.0, 78.0]


def test_nobody_is_asked_where_the_setting_does_not_allow_it(app, entsoe, service, update, monkeypatch):
    monkeypatch.setitem(app.config, "SMART_BOILER_FILL_PRICE_GAPS", value=False)
    result = update()
    assert (result.exit_code, f"  {BEFORE}\n" in result.output, service.asked) == (1, True, [])


def test_nobody_is_asked_for_what_is_not_due(entsoe, service, update, monkeypatch):
    monkeypatch.setattr(module, "server_now", lambda: START - pd.Timedelta("12h"))
    assert (update().exit_code, service.asked) == (0, [])


@pytest.mark.parametrize("trouble", [say(status=404), hang_up])
def test_where_energy_charts_has_nothing_the_rest_is_there_as_without_it(entsoe, service, update, trouble):
    service.answers = [trouble]
    result = update()
    assert (result.exit_code, f"  {BEFORE}\n" in result.output) == (1, True)
    assert "Gaps cannot be filled from Energy-Charts: Energy-Charts " in result.output


def test_one_country_is_asked_for_once_and_one_that_energy_charts_does_not_have_is_told(
    entsoe, service, update, flexmeasures
):
    service.answers = [say(status=404)]
    for name, country in (("One", "NL"), ("Two", "NL"), ("Albania", "AL")):
        flexmeasures("smart-boiler", "add-tariff", name, "--country", country)
    assert "Energy-Charts has no prices of 'AL'" in update().output
    assert len(service.asked) == 1


def test_a_country_of_which_nothing_is_known_gets_its_prices_and_an_unknown_one_makes_nothing(
    service, update, contents
):
    before = contents()
    service.answers = [say(status=404)]
    assert update("--country", "BE").exit_code == 1
    assert update("--country", "XX").exit_code == 1
    assert contents() == before
    service.answers = [say(answer(DAY))]
    assert "100 quarters filled" in update("--country", "BE").output
