"""What makes a first day fail, each on the real thing, and that all is well where it is."""

import json
import logging
import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from flask import Flask
from flexmeasures.data import db
from flexmeasures.data.models.user import AccountRole
from flexmeasures.utils.plugin_utils import register_plugins
from rq import SimpleWorker
from rq.worker_registration import register

import smart_boiler_plugin
from smart_boiler_plugin.doctor import all_of_it, business, packages, report_config, services, written
from smart_boiler_plugin.doctor.__main__ import main
from smart_boiler_plugin.doctor.asking import examine
from smart_boiler_plugin.embedded.processes import free_port
from smart_boiler_plugin.prices.sensors import get_or_create_spot_price_sensor
from smart_boiler_plugin.prices.tariffs import default_tariff
from tests.factories import make_account, make_operator, store
from tests.host.apps import SETTINGS
from tests.host.boilers import make_household
from tests.host.mail_servers import Server
from tests.host.sites import make_building

FOLDER = Path(smart_boiler_plugin.__file__).parent
REPOSITORY = FOLDER.parent


def found(check, app, *arguments):
    """Return what a check finds as (what, fix)."""
    return [(each.told, each.fix) for each in check(app, *arguments)]


def wrong(check, app, *arguments):
    """Return what a check finds wrong, each with its fix."""
    return [each for each in found(check, app, *arguments) if each[1]]


@pytest.fixture
def bare():
    """A function that makes an app with settings and nothing else."""
    return lambda **config: (app := Flask("bare"), app.config.update(config))[0]


# --- plugins: what the host leaves out, and what it says of it -----------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "told", "fix"),
    [
        ("~/smart_boiler_plugin", "knows no '~'", str(Path("~/smart_boiler_plugin").expanduser())),
        (str(REPOSITORY), "the repository's folder", f"'{FOLDER}'"),
        ("/nowhere/smart_boiler_plugin", "is not there", "Correct the path"),
        (str(REPOSITORY / "docs"), "has no __init__.py", "Correct the path"),
        ("smart-boiler-plugin", "no such package", "'smart_boiler_plugin'"),
        ("flexmeasures_nothing", "no such package", "pip install"),
    ],
)
def test_a_form_of_a_plugin_that_the_host_does_not_load_is_told_with_the_right_one(bare, entry, told, fix):
    app = bare(FLEXMEASURES_PLUGINS=[entry])
    app.data_generators = {"forecaster": {}, "reporter": {}, "scheduler": {}}
    register_plugins(app)
    assert app.config["LOADED_PLUGINS"] == {}
    ((said, remedy),) = wrong(written.plugins, app)
    assert told in said
    assert fix in remedy


@pytest.mark.parametrize("entries", [["smart_boiler_plugin"], [str(FOLDER)], "smart_boiler_plugin"])
def test_forms_that_the_host_loads_are_well(bare, entries):
    assert found(written.plugins, bare(FLEXMEASURES_PLUGINS=entries)) == [
        (f"{entries if isinstance(entries, str) else entries[0]} can be loaded.", "")
    ]


def test_a_plugin_that_is_named_twice_is_told_as_the_host_does_not_start(bare, monkeypatch):
    monkeypatch.setitem(sys.modules, "smart_boiler_plugin", smart_boiler_plugin)
    app = bare(FLEXMEASURES_PLUGINS=["smart_boiler_plugin", str(FOLDER)])
    app.data_generators = {"forecaster": {}, "reporter": {}, "scheduler": {}}
    with pytest.raises(ValueError, match="already registered"):
        register_plugins(app)
    ((said, remedy),) = wrong(written.plugins, app)
    assert "2 times" in said
    assert "Name it once" in remedy


def test_a_relative_path_is_told_as_it_is_found_from_one_folder_alone(bare, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    ((said, fix),) = wrong(written.plugins, bare(FLEXMEASURES_PLUGINS=["./smart_boiler_plugin"]))
    assert "no cron line does" in said
    assert str(FOLDER) in fix


@pytest.mark.parametrize("named", [[], ["flexmeasures"], {"smart_boiler_plugin"}, None])
def test_a_list_that_does_not_name_the_plugin_is_told(bare, named):
    ((_, fix),) = wrong(written.plugins, bare(FLEXMEASURES_PLUGINS=named))
    assert "smart_boiler_plugin" in fix


# --- what else is written -----------------------------------------------------------------------------------------


def test_versions_with_which_it_does_not_run_are_told_with_what_to_install(bare, tmp_path, monkeypatch):
    assert wrong(packages.versions, bare()) == []
    for name, version in [("Flask_Security_Too", "5.9.0"), ("sqlalchemy", "2.1.0"), ("entsoe_py", "0.7.1")]:
        folder = tmp_path / f"{name}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert [fix for _, fix in wrong(packages.versions, bare())] == [
        'pip install "Flask-Security-Too<5.9"',
        'pip install "SQLAlchemy<2.1"',
        'pip install "entsoe-py>=0.7.8"',
    ]


def test_a_python_that_is_too_new_is_told(bare, monkeypatch):
    monkeypatch.setattr("platform.python_version", lambda: "3.13.1")
    assert wrong(packages.versions, bare()) == [("Python 3.13.1 is none of <3.13,>=3.10.", "Use Python 3.11.")]


def test_a_checkout_that_is_not_installed_knows_which_versions_it_needs(bare, monkeypatch):
    known = packages._needed()
    monkeypatch.setattr(packages, "PACKAGE", "no such package")
    assert {str(each) for each in packages._needed()[1]} == {str(each) for each in known[1]}
    assert packages._needed()[0] == known[0]


def test_what_the_example_leaves_to_be_filled_in_is_told(bare):
    objects = {"FACTORY": lambda: "<x>", "KIND": Flask, "OTHER": "a < b"}
    left = bare(SECRET_KEY="<a long random text>", TRUSTED_HOSTS=["<flexmeasures.example.com>"], **objects)
    assert [fix for _, fix in wrong(written.configuration, left)] == ["Set SECRET_KEY.", "Set TRUSTED_HOSTS."]
    assert wrong(written.configuration, bare(SECRET_KEY="x")) == []


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"SMART_BOILER_MAX_READING_AGE": "2 hours"}, "'2 hours' is no timedelta"),
        ({"SMART_BOILER_MAX_READING_AEG": 1}, "Did you mean SMART_BOILER_MAX_READING_AGE?"),
        ({"SMART_BOILER_COMFORT_WEIGHT": 1.0}, "must be from 2 to 1000"),
    ],
)
def test_settings_that_do_not_count_are_told(bare, config, told):
    ((said, _),) = wrong(written.configuration, bare(**config))
    assert told in said


@pytest.mark.parametrize(
    ("zone", "fix"),
    [
        ("Europe/Lisbon", ""),
        ("Asia/Seoul", 'FLEXMEASURES_TIMEZONE = "Europe/Amsterdam"; or set ENTSOE_COUNTRY_CODE'),
        ("Europe/Amsterdm", 'FLEXMEASURES_TIMEZONE = "Europe/Amsterdam"'),
    ],
)
def test_a_time_zone_that_is_not_that_of_the_prices_is_told(bare, zone, fix):
    ((_, told),) = found(written.time_zone, bare(FLEXMEASURES_TIMEZONE=zone))
    assert told.startswith(fix)
    assert bool(told) == bool(fix)


def test_links_that_anybody_can_forge_or_that_the_server_refuses_are_told(bare):
    ours = {"SMART_BOILER_SERVER_URL": "https://boilers.energy"}
    assert wrong(written.links, bare(**ours, TRUSTED_HOSTS=["boilers.energy"])) == []
    assert wrong(written.links, bare(TRUSTED_HOSTS=["boilers.energy"])) == []
    ((said, fix),) = wrong(written.links, bare(**ours))
    assert "TRUSTED_HOSTS is not set" in said
    assert '["boilers.energy"]' in fix
    ((said, _),) = wrong(written.links, bare(**ours, TRUSTED_HOSTS=["other.energy"]))
    assert "refuses with 400" in said


# --- services -------------------------------------------------------------------------------------------------------


def test_a_database_of_another_revision_is_told_and_one_of_the_newest_is_well(app):
    with app.app_context():
        assert wrong(services.migrations, app)[0][1] == "flexmeasures db upgrade"
        config = Config()
        config.set_main_option("script_location", app.extensions["migrate"].directory)
        (head,) = ScriptDirectory.from_config(config).get_heads()
        db.session.execute(sa.text("CREATE TABLE alembic_version (version_num varchar(32))"))
        db.session.execute(sa.text("INSERT INTO alembic_version VALUES (:head)"), {"head": head})
        db.session.commit()
        try:
            assert wrong(services.migrations, app) == []
        finally:
            db.session.execute(sa.text("DROP TABLE alembic_version"))
            db.session.commit()


def test_redis_and_workers_are_asked(app, monkeypatch):
    with app.app_context():
        assert wrong(services.redis, app) == []
        ((said, fix),) = wrong(services.worker, app)
        assert said == "No worker is alive, and no trigger gets a plan. Jobs that wait: 0."
        assert "flexmeasures jobs run-worker --queue scheduling" in fix
        worker = SimpleWorker([app.queues["scheduling"]], connection=app.redis_connection)
        worker.register_birth()
        register(worker)
        assert found(services.worker, app) == [("Workers alive: 1. Jobs that wait: 0.", "")]
        nowhere = {**app.redis_connection.connection_pool.connection_kwargs, "port": (port := free_port())}
        monkeypatch.setattr(app.redis_connection.connection_pool, "connection_kwargs", nowhere)
        monkeypatch.setattr(app.queues["scheduling"].connection.connection_pool, "connection_kwargs", nowhere)
        ((said, fix),) = wrong(services.redis, app)
        assert f":{port}" in said
        assert "FLEXMEASURES_REDIS_URL" in fix
        assert len(wrong(services.worker, app)) == 1
        # what rests on it is not known, and no traceback
        (clock,) = examine([services.clocks], app)
        assert clock.told.startswith("Not known: Redis gives no answer")
        assert clock.about == "clocks"


def test_clocks_that_are_apart_are_told(app):
    with app.app_context():
        assert wrong(services.clocks, app) == []
        ours = datetime.now(timezone.utc) + timedelta(minutes=2)
        told = [said for said, _ in wrong(services.clocks, app, ours)]
    assert [said.split(" s ")[0] for said in told] == ["The clock of PostgreSQL is 120", "The clock of Redis is 120"]
    assert all("behind this machine's" in said for said in told)


def test_a_mail_server_is_asked_and_nothing_is_sent(app, monkeypatch):
    server, settings = Server(), app.extensions["mail"]
    monkeypatch.setitem(app.config, "SECURITY_EMAIL_SENDER", ("Warm Water Energy", "no-reply@warm-water.energy"))
    with app.app_context():
        assert "MAIL_SUPPRESS_SEND" in wrong(services.mail, app)[0][0]
        monkeypatch.setattr(settings, "suppress", False)
        monkeypatch.setattr(settings, "server", "127.0.0.1")
        monkeypatch.setattr(settings, "port", server.port)
        ((said, fix),) = wrong(services.mail, app)
        assert "ConnectionRefusedError" in said
        assert "MAIL_SERVER" in fix
        server.controller.start()
        try:
            assert wrong(services.mail, app) == []
            monkeypatch.setitem(app.config, "SECURITY_EMAIL_SENDER", "no-reply@example.com")
            ((said, _),) = wrong(services.mail, app)
            assert "no-reply@example.com" in said
        finally:
            server.controller.stop()
    assert server.mails == []


# --- the business --------------------------------------------------------------------------------------------------


def test_who_may_take_on_customers_is_asked(app):
    with app.app_context():
        assert "flexmeasures add account" in wrong(business.operator, app)[0][1]
        # as `add account --roles` of FlexMeasures 1.0.1 leaves it where there is no such role yet
        db.session.add(AccountRole(name="Consultancy"))
        make_account("Warm Water Energy")
        assert "flexmeasures add account" in wrong(business.operator, app)[0][1]
        bare = make_account("Other Energy", roles=["Consultancy"])
        assert f"--account {bare.id} --roles consultant" in wrong(business.operator, app)[0][1]
        make_operator("Third Energy")
        assert found(business.operator, app) == [("Customers are taken on by Third Energy.", "")]


def test_prices_that_are_missing_are_told_and_nothing_is_made_by_looking(app, contents):
    before = contents()
    with app.app_context():
        (finding,) = examine([business.prices], app)
    assert contents() == before
    assert finding.told == "No price of NL has come in yet."
    assert "import-prices --source energy-charts --country NL" in finding.fix
    with app.app_context():
        tariff = default_tariff()
        db.session.commit()
        assert "0 of" in wrong(business.prices, app)[0][0]
        midnight = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
        store(tariff.sensor, [0.2] * 96 * 4, midnight)
        assert found(business.prices, app) == [("NL spot tariff: all prices that are due are there.", "")]


def test_entsoe_without_a_token_is_told(bare):
    assert wrong(business.entsoe, bare(LOADED_PLUGINS={})) == []
    loaded = {"LOADED_PLUGINS": {"flexmeasures_entsoe": "0.10"}}
    assert "has no token" in wrong(business.entsoe, bare(**loaded))[0][0]
    assert wrong(business.entsoe, bare(**loaded, ENTSOE_AUTH_TOKEN="secret")) == []


def test_a_building_that_the_hosts_scheduler_plans_is_told(app):
    with app.app_context():
        boiler, price = make_household()
        assert found(business.sites, app) == [("No building has a boiler in it.", "")]
        building = make_building(boiler, price, scheduler=None)
        assert wrong(business.sites, app)[0][1] == "flexmeasures smart-boiler upgrade"
        building.attributes = {"custom-scheduler": "StorageScheduler"}
        db.session.commit()
        assert "in place of StorageScheduler" in wrong(business.sites, app)[0][1]
        building.attributes = {"custom-scheduler": "BoilerScheduler"}
        db.session.commit()
        assert wrong(business.sites, app) == []


# --- cost reports of the host's --------------------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path):
    """A function that writes a configuration of a report and returns its file."""

    def write(content):
        file = tmp_path / "config.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return file

    return write


def test_a_cost_report_of_power_in_kw_with_a_price_per_mwh_is_told_with_the_sensor_to_name(app, config):
    with app.app_context():
        make_household()
        spot, tariff = get_or_create_spot_price_sensor("NL"), default_tariff()
        db.session.commit()
        (finding,) = report_config.check(config({"consumption_price_sensor": spot.id, "loss_is_positive": True}))
        assert f"Sensor {spot.id} ('Day-ahead prices' of NL transmission zone) is in EUR/MWh" in finding.told
        assert finding.fix == f"Name a consumption price in EUR/kWh: sensor {tariff.sensor.id} (NL spot tariff)"
        (finding,) = report_config.check(config(f"consumption_price_sensor: {tariff.sensor.id}"))
        assert finding.well
        both = {"consumption_price_sensor": tariff.sensor.id, "production_price_sensor": spot.id}
        assert [each.well for each in report_config.check(config(both))] == [False]
        for broken, told in [("{", "cannot be read"), ({}, "At least one"), ({"consumption_price_sensor": 99}, "99")]:
            (finding,) = report_config.check(config(broken))
            assert told in finding.told
            assert not finding.well


def test_the_host_ends_such_a_report_in_a_bare_assertion_error(app, flexmeasures, config, tmp_path):
    """What the check is for: when this fails, the host has mended it."""
    with app.app_context():
        boiler, _ = make_household()
        spot = get_or_create_spot_price_sensor("NL")
        midnight = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
        store(spot, [50.0] * 96, midnight)
        store(boiler.sensors["fill-rate"], [1.0] * 96, midnight)
        ids = spot.id, boiler.sensors["fill-rate"].id, boiler.sensors["cost"].id
    parameters = tmp_path / "parameters.json"
    parameters.write_text(json.dumps({"input": [{"sensor": ids[1]}], "output": [{"sensor": ids[2]}]}))
    words = ("add", "report", "--reporter", "ProfitOrLossReporter", "--parameters", parameters)
    span = ("--start", midnight.isoformat(), "--end", (midnight + timedelta(days=1)).isoformat())
    result = flexmeasures(*words, "--config", config({"consumption_price_sensor": ids[0]}), *span)
    assert type(result.exception) is AssertionError
    assert str(result.exception) == ""


# --- all of it -------------------------------------------------------------------------------------------------------


def test_the_command_tells_what_is_wrong_and_exits_with_1(boilers, app, config, monkeypatch):
    result = boilers("doctor", "--report-config", config("{}"))
    assert result.exit_code == 1, result.output
    lines = result.output.splitlines()
    wrong_ones = [line.split()[1] for line in lines if line.startswith("WRONG")]
    assert {"migrations:", "worker:", "mail:", "links:", "operator:", "prices:"} <= set(wrong_ones)
    assert lines[-1].endswith(
        f"{len(wrong_ones)} of {sum(line.startswith(('well', 'WRONG')) for line in lines)} things are wrong."
    )
    told = json.loads(boilers("doctor", "--json").output)
    assert told["wrong"] == len(wrong_ones) - 1
    assert {each["about"] for each in told["findings"]} == {
        check.__name__.replace("_", " ") for check in all_of_it.CHECKS
    }


@pytest.fixture
def doctor(tmp_path, monkeypatch):
    """A function that runs ``python -m smart_boiler_plugin.doctor`` for a server with a configuration."""

    def run(config, *words):
        (tmp_path / ".flexmeasures.cfg").write_text(config)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.chdir(tmp_path)
        try:
            return CliRunner().invoke(main, words)
        finally:
            logging.disable(logging.NOTSET)

    return run


def written_as(settings):
    return "".join(f"{name} = {value!r}\n" for name, value in settings.items())


def test_where_the_plugin_would_not_load_the_module_says_so(doctor):
    settings = {**SETTINGS, "FLEXMEASURES_ENV": "production", "FLEXMEASURES_PLUGINS": [str(REPOSITORY)]}
    answer = doctor(written_as({**settings, "SQLALCHEMY_DATABASE_URI": "postgresql:///x"}))
    assert answer.exit_code == 1, answer.output
    assert f"-> Name the folder in it: '{FOLDER}'" in answer.output
    assert "Traceback" not in answer.output


def test_a_package_that_is_missing_is_told_by_the_module_though_all_else_needs_it(tmp_path):
    program = """
import sys, importlib_metadata
sys.modules["holidays"] = None
found = importlib_metadata.version
def version(name):
    if name == "holidays":
        raise importlib_metadata.PackageNotFoundError(name)
    return found(name)
importlib_metadata.version = version
from smart_boiler_plugin.doctor.__main__ import main
main()
"""
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert '-> pip install "holidays"' in answer.stdout, answer.stderr
    assert answer.returncode == 1


def test_a_configuration_that_cannot_be_read_is_told(doctor):
    answer = doctor('FLEXMEASURES_ENV = "production"\nSECRET_KEY = = 1\n', "--json")
    (finding,) = json.loads(answer.stdout)["findings"]
    assert "SyntaxError" in finding["told"]
    assert answer.exit_code == 1


@pytest.mark.long
def test_where_neither_database_nor_redis_nor_mail_answers_the_module_says_so_without_a_traceback(tmp_path):
    settings = {
        **SETTINGS,
        "FLEXMEASURES_ENV": "production",
        "SQLALCHEMY_DATABASE_URI": f"postgresql://postgres:secret@127.0.0.1:{free_port()}/boilers",
        "FLEXMEASURES_REDIS_URL": "127.0.0.1",
        "FLEXMEASURES_REDIS_PORT": free_port(),
        "MAIL_SUPPRESS_SEND": False,
        "MAIL_PORT": free_port(),
    }
    (tmp_path / ".flexmeasures.cfg").write_text(written_as(settings))
    # in a process of its own: FlexMeasures starts once in each
    answer = subprocess.run(
        [sys.executable, "-m", "smart_boiler_plugin.doctor"],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert answer.returncode == 1, answer.stderr
    wrong_ones = {line.split()[1] for line in answer.stdout.splitlines() if line.startswith("WRONG")}
    assert "well   configuration:" in answer.stdout
    assert {"database:", "redis:", "worker:", "mail:", "migrations:"} <= wrong_ones, answer.stdout
    assert "Traceback" not in answer.stdout + answer.stderr
    assert "secret" not in answer.stdout
