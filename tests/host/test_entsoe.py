"""Beside the real ENTSO-E plugin: its own commands, against a stand-in of the platform, and ours on what they leave.

It is not on PyPI. Where it cannot be imported, these tests are skipped.
"""

import json
import logging
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest
import requests
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief

import smart_boiler_plugin
from smart_boiler_plugin.prices import tariffs
from smart_boiler_plugin.prices.sensors import get_or_create_spot_price_sensor
from tests.host.entsoe_server import Market, serving

pytestmark = pytest.mark.skipif(
    find_spec("flexmeasures_entsoe") is None or find_spec("entsoe") is None,
    reason="flexmeasures-entsoe and entsoe-py cannot be imported; docs/installing.md tells where "
    "they are, and PYTHONPATH is enough",
)

PLATFORM = "https://web-api.tp.entsoe.eu/api"
TOKEN = "a-secret-token-0b5e"
FOLDER = Path(smart_boiler_plugin.__file__).parent
AREAS = {
    "NL": ("10YNL----------L", "Europe/Amsterdam"),
    "BE": ("10YBE----------2", "Europe/Brussels"),
    "FI": ("10YFI-1--------U", "Europe/Helsinki"),
}


@pytest.fixture
def market(monkeypatch):
    """A stand-in of the platform, which gets the requests that the plugin sends there."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    get = requests.Session.get

    def redirected(session, url, **arguments):
        assert url == PLATFORM
        return get(session, market.url, **arguments)

    with serving(Market()) as market:
        monkeypatch.setattr(requests.Session, "get", redirected)
        yield market


@pytest.fixture
def entsoe(app, market, monkeypatch):
    """A function that runs ``flexmeasures entsoe import-day-ahead-prices WORDS`` of the real plugin."""
    from flexmeasures_entsoe import entsoe_data_bp  # noqa: PLC0415 (not installed everywhere)

    monkeypatch.setitem(app.config, "ENTSOE_AUTH_TOKEN", TOKEN)

    def run(country, first, last, *words):
        span = ("--country", country, "--timezone", AREAS[country][1], "--from-date", first, "--to-date", last)
        return app.test_cli_runner().invoke(entsoe_data_bp.cli, ["import-day-ahead-prices", *span, *words])

    return run


@pytest.fixture
def update(flexmeasures):
    """A function that derives the consumption prices of some days."""
    return lambda first, last, *words: flexmeasures(
        "smart-boiler", "update-prices", "--from-date", first, "--to-date", last, *words
    )


def stored(app, country):
    """The consumption prices [EUR/kWh] of a country's spot tariff."""
    with app.app_context():
        found = tariffs.spot_tariff(country).sensor.search_beliefs()["event_value"]
        return pd.Series(found.to_numpy(), index=found.index.get_level_values("event_start"))


@pytest.mark.parametrize(("resolution", "spans"), [("PT15M", 1), ("PT60M", 4)])
def test_what_it_imports_becomes_consumption_prices(app, market, entsoe, update, resolution, spans):
    """For each quarter of an hour, or each hour, one EUR/MWh more."""
    market.publish(AREAS["NL"][0], "2025-10-29", "2025-10-29", AREAS["NL"][1], resolution)
    assert entsoe("NL", "2025-10-29", "2025-10-29").exit_code == 0
    result = update("2025-10-29", "2025-10-29")
    assert (result.exit_code, "96 of 96 quarters\n" in result.output) == (0, True)
    assert stored(app, "NL").tolist() == pytest.approx([i // spans / 1000 for i in range(96)])


def test_countries_do_not_mix_and_have_their_own_time_zones(app, market, entsoe, update):
    """Finland's day begins an hour before the others'; Belgium's prices are negative."""
    for country, (area, timezone) in AREAS.items():
        prices = market.publish(area, "2025-10-29", "2025-10-29", timezone)
        market.prices[area] = prices * {"NL": 1, "BE": -1, "FI": 10}[country]
    for country in AREAS:
        assert entsoe(country, "2025-10-29", "2025-10-29").exit_code == 0
        assert update("2025-10-29", "2025-10-29", "--country", country).exit_code == 0
    for country, (_, timezone) in AREAS.items():
        found = stored(app, country)
        assert found.index[0] == pd.Timestamp("2025-10-29", tz=timezone)
        assert found.iloc[:3].tolist() == pytest.approx(
            {"NL": [0, 0.001, 0.002], "BE": [0, -0.001, -0.002], "FI": [0, 0.01, 0.02]}[country]
        )


def test_it_takes_the_sensor_that_was_made_when_a_customer_was_taken_on_before(app, market, entsoe, update):
    with app.app_context():
        spot = get_or_create_spot_price_sensor("NL").id
        tariffs.spot_tariff("NL")
        db.session.commit()
    market.publish(AREAS["NL"][0], "2025-10-29", "2025-10-29", AREAS["NL"][1])
    entsoe("NL", "2025-10-29", "2025-10-29")
    with app.app_context():
        assert db.session.query(TimedBelief).filter_by(sensor_id=spot).count() == 96
    assert update("2025-10-29", "2025-10-29").exit_code == 0


@pytest.mark.parametrize(
    ("day", "quarters", "told"),
    [
        ("2026-03-29", 92, "92 of 92 quarters\n"),
        # it asks for 24 hours of the day, which has 25, and gets the first quarter of the last hour as well
        ("2025-10-26", 100, "97 of 100 quarters, missing 23:15 CET to 24:00 CET\n"),
    ],
)
def test_what_it_leaves_out_when_the_clock_changes_is_found_and_what_we_then_say_helps(
    app, market, entsoe, update, day, quarters, told
):
    until = (pd.Timestamp(day) + pd.DateOffset(days=1)).date().isoformat()
    market.publish(AREAS["NL"][0], day, until, AREAS["NL"][1])
    entsoe("NL", day, day)
    result = update(day, day)
    assert f"{day}  {told}" in result.output
    assert result.exit_code == ("missing" in told)
    if result.exit_code:
        command = f"flexmeasures entsoe import-day-ahead-prices --country NL --from-date {day} --to-date {until}"
        assert command in result.output
        entsoe("NL", day, until)
        assert f"{quarters} of {quarters} quarters\n" in update(day, day).output
    found = stored(app, "NL")
    assert found.tolist() == pytest.approx([i / 1000 for i in range(quarters)])


def test_a_gap_that_the_platform_leaves_is_told_and_not_filled(app, market, entsoe, update):
    prices = market.publish(AREAS["NL"][0], "2025-10-29", "2025-10-29", AREAS["NL"][1])
    prices.iloc[40:44] = float("nan")
    assert entsoe("NL", "2025-10-29", "2025-10-29").exit_code == 0
    result = update("2025-10-29", "2025-10-29")
    assert result.exit_code == 1
    assert "92 of 96 quarters, missing 10:00 to 11:00\n" in result.output
    assert len(stored(app, "NL")) == 92


@pytest.mark.parametrize("failure", [401, 429, 503, None])
def test_its_failures_are_seen_in_the_data_and_nothing_of_ours_tells_the_token(
    app, market, entsoe, update, caplog, failure
):
    """It exits with 0 whatever happens; without a failure, the platform has no such data."""
    market.failure = failure
    assert entsoe("NL", "2025-10-29", "2025-10-29").exit_code == 0
    assert market.asked[0]["securityToken"] == TOKEN
    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        result = update("2025-10-29", "2025-10-29")
    assert result.exit_code == 1
    assert "flexmeasures entsoe import-day-ahead-prices --country NL" in result.output
    assert TOKEN not in result.output + caplog.text


def test_running_both_again_stores_nothing(market, entsoe, update, contents):
    market.publish(AREAS["NL"][0], "2025-10-29", "2025-10-29", AREAS["NL"][1])
    entsoe("NL", "2025-10-29", "2025-10-29")
    update("2025-10-29", "2025-10-29")
    before = contents()
    entsoe("NL", "2025-10-29", "2025-10-29")
    update("2025-10-29", "2025-10-29")
    after = contents()
    assert {name for name in after if after[name] != before[name]} <= {"latest_task_run"}


def test_they_load_together_by_name_and_by_path_in_both_orders(tmp_path):
    """Each in a fork of one process that has loaded neither. It puts its folder at the head of the path of imports."""
    program = f"""
import json, os, sys
from importlib.util import find_spec
from flask import Flask
import flexmeasures.app
from flexmeasures.utils.plugin_utils import register_plugins
sys.path.insert(0, {str(FOLDER.parent)!r})
ours, theirs = {str(FOLDER)!r}, find_spec("flexmeasures_entsoe").submodule_search_locations[0]
for first in (ours, "smart_boiler_plugin"):
    for second in (theirs, "flexmeasures_entsoe"):
        for plugins in ([first, second], [second, first]):
            sys.stdout.flush()
            if os.fork():
                os.wait()
                continue
            app = Flask("bare")
            app.config.update(FLEXMEASURES_PLUGINS=plugins, ENTSOE_AUTH_TOKEN="x")
            app.data_generators = {{"forecaster": {{}}, "reporter": {{}}, "scheduler": {{}}}}
            register_plugins(app)
            files = [m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == "smart_boiler_plugin"]
            print(json.dumps({{
                "plugins": sorted(app.config["LOADED_PLUGINS"]),
                "commands": sorted(app.cli.commands["smart-boiler"].commands),
                "theirs": "import-day-ahead-prices" in app.cli.commands["entsoe"].commands,
                "generators": sorted(app.data_generators["reporter"]) + sorted(app.data_generators["scheduler"]),
                "first on the path": sys.path[0] == theirs,
                "from elsewhere": [f for f in files if not f.startswith(ours + os.sep)],
                "shadowed": sorted({{"utils", "prices", "generation", "tests"}} & set(sys.modules)),
            }}), flush=True)
            os._exit(0)
"""
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=240
    )
    loaded = [json.loads(line) for line in answer.stdout.splitlines() if line.startswith("{")]
    assert len(loaded) == 8, answer.stderr
    for found in loaded:
        assert found["plugins"] == ["flexmeasures_entsoe", "smart_boiler_plugin"]
        assert {"add-tariff", "update-prices", "customers"} <= set(found["commands"])
        assert found["theirs"]
        assert {"BoilerScheduler", "ConsumptionPriceReporter"} <= set(found["generators"])
        assert found["first on the path"]
        assert found["from elsewhere"] == found["shadowed"] == []
