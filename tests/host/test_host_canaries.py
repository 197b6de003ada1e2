"""One canary for each entry of ``host.py``: it fails when a new version of the host has changed what we count on.

To mend one, change the entry in ``host.py``, and nothing else.
"""

import logging
from datetime import timedelta
from unittest.mock import ANY

import pytest
from flask import Flask
from flask_security import login_user
from flexmeasures import Account, Forecaster, Reporter, Sensor, Source, User
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog, AuditLog
from flexmeasures.data.models.planning.storage import StorageScheduler
from flexmeasures.data.models.time_series import TimedBelief
from flexmeasures.data.services.generic_assets import delete_asset
from flexmeasures.data.services.scheduling import make_schedule
from rq.job import Job
from sqlalchemy import inspect

from smart_boiler_plugin import host
from smart_boiler_plugin.embedded.processes import free_port
from smart_boiler_plugin.plan.scheduler import BoilerScheduler
from smart_boiler_plugin.prices.reporter import ConsumptionPriceReporter
from smart_boiler_plugin.prices.sensors import get_or_create_spot_price_sensor
from tests.factories import make_account, make_operator, store
from tests.host.boilers import START, make_household, scheduler_of
from tests.host.test_same_optimum import PlainStorage

NAN = float("nan")


def test_planned(boiler):
    fill_rate = boiler.sensors["fill-rate"]
    start = START.to_pydatetime()
    make_schedule(
        asset_or_sensor={"id": fill_rate.id, "class": "Sensor"},
        start=start,
        end=start + timedelta(hours=2),
        resolution=timedelta(minutes=15),
        belief_time=start,
        flex_model={},
        flex_context={},
    )
    types = db.session.scalars(db.select(Source.type).join(TimedBelief).filter_by(sensor_id=fill_rate.id).distinct())
    assert [*types, Forecaster.__data_generator_base__] == host.PLANNED
    assert Reporter.__data_generator_base__ not in host.PLANNED


def test_config_of(app):
    with app.app_context():
        spot = get_or_create_spot_price_sensor("NL")
        config = host.config_of(ConsumptionPriceReporter(config={"price_sensor": spot.id, "vat": "21 %"}))
        assert (config["price_sensor"], config["vat"][0].share) == (spot, 0.21)


def test_active_user(app):
    with app.test_request_context():
        assert host.active_user() == (None, None)
        make_operator()
        user = db.session.query(User).one()
        login_user(user)
        assert host.active_user() == (user.id, "operator")


@pytest.mark.parametrize("log", [AuditLog, AssetAuditLog])
def test_audit_text(log):
    assert log.event.type.length == host.AUDIT_TEXT_LENGTH
    assert host.audit_text("short") == "short"
    told = host.audit_text("a" * 400 + "b" * 400)
    assert len(told) <= host.AUDIT_TEXT_LENGTH
    assert (told[0], told[-1]) == ("a", "b")


def test_deletion_event(app):
    with app.app_context():
        boiler, _ = make_household()
        expected = host.deletion_event(boiler.asset)
        delete_asset(boiler.asset)
        assert db.session.query(AssetAuditLog).filter_by(event=expected).count() == 1


def test_unique_names(app):
    with app.app_context():
        inspector = inspect(db.engine)
        names = {
            constraint["name"]: constraint["column_names"]
            for table in (Account.__table__.name, User.__table__.name)
            for constraint in inspector.get_unique_constraints(table)
        }
    assert {name: names[name] for name in host.UNIQUE_NAMES} == {
        "account_name_key": ["name"],
        "fm_user_username_key": ["username"],
        "fm_user_email_key": ["email"],
    }


def test_jobs_about(app):
    with app.app_context():
        jobs = [
            app.queues[queue].enqueue_call(print, meta={"of": (kind, queue)})
            for kind, queue in (("asset", "scheduling"), ("sensor", "scheduling"), ("sensor", "forecasting"))
        ]
        for job in jobs:
            kind, queue = job.meta["of"]
            app.job_cache.add(7, job.id, queue, kind)
        assert {job.id for job in host.jobs_about([7], [7])} == {job.id for job in jobs}
        assert [job.id for job in host.jobs_about([7], [])] == [jobs[0].id]
        assert all(isinstance(job, Job) for job in host.jobs_about([7], [7]))
        assert host.jobs_about([8], [8]) == []


def test_delete_jobs(app):
    with app.app_context():
        job = app.queues["scheduling"].enqueue_call(print)
        app.job_cache.add(7, job.id, "scheduling", "sensor")
        host.delete_jobs([job], [], [7])
        assert app.redis_connection.keys("*sensor:7*") == []
        assert not Job.exists(job.id, connection=app.redis_connection)


def test_host_limit_and_caller_key_and_rate_limit(app, monkeypatch):
    """Calls count by account, within the limit that a view names; nobody is limited in play mode."""
    with app.app_context():
        make_operator()
        make_account("Neighbour")
    monkeypatch.setitem(app.config, "FLEXMEASURES_API_DEFAULT_RATE_LIMIT", "2 per minute")
    limited = host.rate_limit(host.host_limit, "canary")(lambda: "done")

    def call():
        with app.test_request_context("/smart-boiler-plugin/api/openapi.json"):
            login_user(db.session.query(User).one())
            assert host.host_limit() == "2 per minute"
            assert host.caller_key() == f"user:{db.session.query(User).one().id}"
            return limited()

    assert [call(), call()] == ["done", "done"]
    with pytest.raises(Exception, match="429"):
        call()
    monkeypatch.setitem(app.config, "FLEXMEASURES_MODE", "play")
    assert call() == "done"


def test_forbidden_json_and_forbidden_page(app):
    """The host's own answers to who may not."""
    with app.test_request_context("/assets/1"):
        body, code = host.forbidden_json()
        assert (code, body["status"]) == (403, "INVALID_SENDER")
        page, code = host.forbidden_page()
        assert (code, "<html" in page) == (403, True)


def test_pagination_schema_and_search_filter_field():
    assert {"page", "per_page", "sort_by", "sort_dir"} <= host.PaginationSchema().fields.keys()
    assert host.SearchFilterField().deserialize('ash "van den berg"') == ["ash", "van den berg"]


@pytest.fixture
def storage(household):
    """The host's own scheduler for a storage of 4 kWh that may be charged with 2 kW, and holds 1 kWh."""
    return scheduler_of(
        PlainStorage(),
        StorageScheduler,
        hours=2,
        soc_at_start="1 kWh",
        soc_min="0 kWh",
        soc_max="4 kWh",
        power_capacity="2 kW",
        production_capacity="0 kW",
        soc_usage=["0.4 kW"],
        storage_efficiency="99 %",
        charging_efficiency="80 %",
        context={"consumption-price": "0.30 EUR/kWh", "relax-soc-constraints": False},
    )


def test_prepared_and_energy(storage):
    """In MW, MWh and steps of a quarter: 4 kWh at most are 3 kWh more than at the start, by 0.25 h are 0.012."""
    prepared = host.Prepared(*storage._prepare(skip_validation=True))
    assert prepared.resolution == timedelta(minutes=15)
    assert prepared.soc_at_start == [pytest.approx(0.001)]
    (table,) = prepared.devices
    assert list(table.columns) == StorageScheduler.COLUMNS
    assert table["max"].to_list() == pytest.approx([0.012] * 8)
    assert table["derivative max"].to_list() == pytest.approx([0.002] * 8)
    assert table["stock delta"].to_list() == pytest.approx([-0.0004] * 8)
    assert table["efficiency"].to_list() == pytest.approx([0.99] * 8)
    assert table["derivative up efficiency"].to_list() == pytest.approx([0.8] * 8)
    assert len(prepared.sites) == len(storage.ems_constraint_groups)
    (energy,) = [each for each in prepared.commitments if each.name == host.ENERGY]
    # 0.30 EUR/kWh for 1 MW throughout a quarter
    assert energy.upwards_deviation_price.to_list() == pytest.approx([75.0] * 8)


def test_result_and_job_result(storage):
    results = {result["name"]: result["data"] for result in storage.compute()}
    assert isinstance(results[host.RESULT], host.JobResult)
    assert results[host.RESULT].to_dict() == {"unresolved": [], "resolved": ANY, "num-beliefs": 0}


def test_a_job_result_is_completed_by_the_host_and_kept_until_the_plan_is_stored(boiler):
    """``make_schedule`` sets "num-beliefs" in it, calls ``persist_flex_model``, and returns it."""
    found = make_schedule(
        asset_or_sensor={"id": boiler.sensors["fill-rate"].id, "class": "Sensor"},
        start=START,
        end=START + timedelta(hours=2),
        resolution=timedelta(minutes=15),
        belief_time=START,
        flex_model={},
        flex_context={},
    )
    # 8 each of power, temperature and set-points, 9 of the state of charge
    assert found["num-beliefs"] == 33


@pytest.mark.parametrize(("steps", "finds"), [(4, True), (6, False)])
def test_state_lookup_steps(household, steps, finds):
    """A value four steps before the start is found (1 kWh), one six steps before is not: that fails the whole plan."""
    plain = PlainStorage()
    asset = plain.sensors["fill-rate"].generic_asset
    states = Sensor(
        name="state", unit="kWh", generic_asset=asset, timezone="Europe/Amsterdam", event_resolution=timedelta(0)
    )
    db.session.add(states)
    db.session.commit()
    source = Source(name="test", type="market")
    known = START - steps * timedelta(minutes=15)
    db.session.add(TimedBelief(states, source, event_value=1.0, event_start=known, belief_time=known))
    db.session.commit()
    scheduler = scheduler_of(
        plain,
        StorageScheduler,
        hours=2,
        soc_max="4 kWh",
        power_capacity="2 kW",
        state_of_charge={"sensor": states.id},
        context={"consumption-price": "0.30 EUR/kWh"},
    )
    assert host.STATE_LOOKUP_STEPS == 4
    if finds:
        scheduler.deserialize_config()
        assert scheduler.flex_model["soc_at_start"] == pytest.approx(0.001)
    else:
        with pytest.raises(ValueError, match="No recent state-of-charge"):
            scheduler.deserialize_config()


def test_storage_schema(boiler):
    read = host.storage_schema(START, boiler.sensors["fill-rate"]).load(
        {"soc-max": "4 kWh", "soc-at-start": "1 kWh", "power-capacity": "2 kW", "soc-minima": "3 kWh"}
    )
    assert (read["soc_max"], read["soc_at_start"]) == (0.004, 0.001)
    assert read["power_capacity_in_mw"].to("kW").magnitude == pytest.approx(2)
    assert read["soc_minima"].to("kWh").magnitude == pytest.approx(3)


@pytest.mark.parametrize(("minute", "between"), [("15", False), ("07", True)])
def test_has_points_between_steps(minute, between):
    model = {"soc-targets": [{"datetime": f"2025-10-29T07:{minute}:00+01:00", "value": "3 kWh"}]}
    assert host.has_points_between_steps(model, timedelta(minutes=15)) is between


def test_series(boiler):
    """0.1 kWh per quarter are 0.0004 MW; where two events meet, at 06:15, the stricter one counts that is asked for."""
    store(boiler.sensors["demand"], [0.1, 0.1], START)
    window = {"query_window": (START, START + timedelta(minutes=45)), "resolution": timedelta(minutes=15)}
    assert host.series(boiler.sensors["demand"], "MW", **window).to_list() == pytest.approx(
        [4e-4, 4e-4, NAN], nan_ok=True
    )
    met = [
        {"start": START, "end": START + timedelta(minutes=15), "value": 1.0},
        {"start": START + timedelta(minutes=15), "end": START + timedelta(minutes=30), "value": 2.0},
    ]
    found = host.series(met, "MWh", **window, as_instantaneous_events=True, resolve_overlaps="max")
    assert found.to_list() == pytest.approx([1.0, 2.0, 2.0])


def test_scheduler_source(boiler):
    """The source of our plans is the one under which the host would store them."""
    info = BoilerScheduler.get_data_source_info()
    source = host.scheduler_source(info)
    assert (source.name, source.model, source.version, source.type) == (
        info["name"],
        "BoilerScheduler",
        info["version"],
        "scheduler",
    )
    assert host.scheduler_source(info) is source


def test_every_entry_has_its_canary():
    canaries = " ".join(name for name in globals() if name.startswith("test_"))
    for entry in host.__all__:
        spelt = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in entry).lstrip("_")
        assert (entry.lower() if entry.isupper() else spelt) in canaries, f"{entry} has no canary"


@pytest.fixture
def _levels_of_logging():
    """What is logged from then on, as it was: reading a configuration sets it."""
    loggers = [logging.getLogger(), logging.getLogger("flexmeasures")]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.mark.usefixtures("_levels_of_logging")
def test_read_configuration(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FLEXMEASURES_ENV", "production")
    file = tmp_path / ".flexmeasures.cfg"
    file.write_text('SQLALCHEMY_DATABASE_URI = "postgresql:///x"\nFLEXMEASURES_PLUGINS = ["a", "b"]\n')
    bare = Flask("flexmeasures")
    host.read_configuration(bare)
    assert bare.config["FLEXMEASURES_PLUGINS"] == ["a", "b"]
    file.write_text("")
    with pytest.raises(SystemExit):
        host.read_configuration(Flask("flexmeasures"))
    assert "Missing the required configuration settings: SQLALCHEMY_DATABASE_URI" in capsys.readouterr().out


def test_schema_heads(app):
    current, expected = host.schema_heads(app)
    # the tests' tables are made without migrations
    assert current == ()
    assert [len(head) for head in expected] == [12]
    other = Flask("other")
    other.config["SQLALCHEMY_DATABASE_URI"] = f"postgresql://127.0.0.1:{free_port()}/none"
    db.init_app(other)
    other.extensions["migrate"] = app.extensions["migrate"]
    assert host.schema_heads(other) == (None, expected)
