import logging
import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from scripts import docs
from smart_boiler_plugin.settings import COMFORT_WEIGHT, MAX_READING_AGE, SETTINGS, warn_about_settings


@pytest.fixture
def bare_app():
    return Flask("app with settings")


def test_an_unset_setting_has_its_default(bare_app):
    with bare_app.app_context():
        assert timedelta(hours=2) == MAX_READING_AGE.value


def test_a_configured_setting_counts(bare_app):
    bare_app.config["SMART_BOILER_MAX_READING_AGE"] = timedelta(minutes=30)
    with bare_app.app_context():
        assert timedelta(minutes=30) == MAX_READING_AGE.value


def test_a_setting_of_a_wrong_type_falls_back_to_the_default(bare_app):
    bare_app.config["SMART_BOILER_MAX_READING_AGE"] = "2 hours"
    with bare_app.app_context():
        assert timedelta(hours=2) == MAX_READING_AGE.value


@pytest.mark.parametrize(("configured", "counts"), [(1.0, 6.0), (1, 6.0), (2, 2.0), (8.5, 8.5), (float("nan"), 6.0)])
def test_a_comfort_weight_by_which_nothing_would_be_heated_is_refused_and_told(bare_app, caplog, configured, counts):
    bare_app.config["SMART_BOILER_COMFORT_WEIGHT"] = configured
    bare_app.config["TRUSTED_HOSTS"] = ["boilers.example.com"]
    with bare_app.app_context(), caplog.at_level(logging.WARNING, logger="app with settings"):
        warn_about_settings(bare_app)
        assert counts == COMFORT_WEIGHT.value
    told = f"SMART_BOILER_COMFORT_WEIGHT = {configured!r} is refused: it must be from 2 to 1000. 6.0 counts."
    assert caplog.messages == ([] if configured == counts else [told])


def test_a_misspelt_setting_is_warned_of_with_the_likely_name(bare_app, caplog):
    bare_app.config["SMART_BOILER_MAX_READING_AEG"] = timedelta(minutes=30)
    bare_app.config["TRUSTED_HOSTS"] = ["boilers.example.com"]
    with caplog.at_level(logging.WARNING, logger="app with settings"):
        warn_about_settings(bare_app)
    assert caplog.messages == [
        "Unknown setting SMART_BOILER_MAX_READING_AEG is ignored. Did you mean SMART_BOILER_MAX_READING_AGE?"
    ]


@pytest.mark.parametrize(
    ("config", "warned"),
    [({}, True), ({"TRUSTED_HOSTS": ["a.example"]}, False), ({"SMART_BOILER_SERVER_URL": "https://a.example"}, False)],
)
def test_the_start_warns_where_nothing_says_what_the_servers_address_is(bare_app, caplog, config, warned):
    bare_app.config.update(config)
    with caplog.at_level(logging.WARNING, logger="app with settings"):
        warn_about_settings(bare_app)
    assert ["TRUSTED_HOSTS" in message for message in caplog.messages] == [True] * warned


def test_each_setting_tells_its_unit_and_stands_in_the_docs_and_the_example():
    page, example = _read("docs/settings.md"), _read(".flexmeasures.cfg.example")
    assert page == docs.settings_page()
    for setting in SETTINGS:
        assert f"# {setting.meaning}\n{setting.name} = {docs.default_as_written(setting)}\n" in example
        assert f"| `{setting.name}` | {docs.unit_of(setting)} | `{docs.default_as_written(setting)}` | " in page
    for text in (page, example):
        # one that is written as a pattern ends with an underscore
        assert set(re.findall(r"SMART_BOILER_[A-Z_]*[A-Z]", text)) == {setting.name for setting in SETTINGS}


def _read(name):
    return (Path(__file__).parents[2] / name).read_text()
