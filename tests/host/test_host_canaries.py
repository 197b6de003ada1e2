"""One canary for each entry of ``host.py``: it fails when a new version of the host has changed what we count on.

To mend one, change the entry in ``host.py``, and nothing else.
"""

from datetime import timedelta

import pytest
from flask_security import login_user
from flexmeasures import Account, Forecaster, Reporter, Source, User
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog, AuditLog
from flexmeasures.data.models.time_series import TimedBelief
from flexmeasures.data.services.generic_assets import delete_asset
from flexmeasures.data.services.scheduling import make_schedule
from rq.job import Job
from sqlalchemy import inspect

from smart_boiler_plugin import host
from smart_boiler_plugin.prices.reporter import ConsumptionPriceReporter
from smart_boiler_plugin.prices.sensors import get_or_create_spot_price_sensor
from tests.factories import make_account, make_operator
from tests.host.boilers import START, make_household


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
        assert (config["price_sensor"], config["vat"]) == (spot, 0.21)


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


def test_jobs_of(app):
    with app.app_context():
        jobs = [
            app.queues[queue].enqueue_call(print, meta={"of": (kind, queue)})
            for kind, queue in (("asset", "scheduling"), ("sensor", "scheduling"), ("sensor", "forecasting"))
        ]
        for job in jobs:
            kind, queue = job.meta["of"]
            app.job_cache.add(7, job.id, queue, kind)
        assert {job.id for job in host.jobs_of([7], [7])} == {job.id for job in jobs}
        assert [job.id for job in host.jobs_of([7], [])] == [jobs[0].id]
        assert all(isinstance(job, Job) for job in host.jobs_of([7], [7]))
        assert host.jobs_of([8], [8]) == []


def test_host_limit_and_rate_limit(app, monkeypatch):
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


def test_every_entry_has_its_canary():
    canaries = " ".join(name for name in globals() if name.startswith("test_"))
    for entry in host.__all__:
        spelt = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in entry).lstrip("_")
        assert (entry.lower() if entry.isupper() else spelt) in canaries, f"{entry} has no canary"
