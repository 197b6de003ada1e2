"""A worker is killed: its job is marked as failed and planned all the same, by the next trigger or by hand."""

import time
from datetime import timedelta

import pytest
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from rq.job import Job, JobStatus

from smart_boiler_plugin.plan import abandoned
from tests.factories import make_account, make_household_boiler, make_operator
from tests.host.connections import redis_that_is_away
from tests.host.workers import TTL_S, kill_with_its_job, start_worker, wait_until

V3 = "/api/v3_0"


class Fleet:
    """Boilers of an operator whose plans are queued."""

    def __init__(self, app, count):
        self.app = app
        with app.app_context():
            _, self.token = make_operator()
            operator = db.session.query(type(make_account("Nobody"))).filter_by(name="Warm Water Energy").one()
            role = ["Boiler customer"]
            owners = [make_account(f"H{number}", roles=role, consultancy=operator) for number in range(count)]
            boilers = [make_household_boiler(owner, f"Boiler {owner.name}") for owner in owners]
            self.sensors = [boiler.sensors["fill-rate"].id for boiler in boilers]
        self.start = (pd_now() + timedelta(hours=1)).isoformat()
        self.jobs = [self.trigger(sensor) for sensor in self.sensors]

    def trigger(self, sensor, **more):
        """Ask for a plan, and return the id of its job."""
        body = {"start": self.start, "duration": "PT4H", **more}
        return self.call("POST", f"{V3}/sensors/{sensor}/schedules/trigger", json=body).json["schedule"]

    def call(self, method, path, **arguments):
        """Call the host as the operator's consultant."""
        answer = self.app.test_client().open(path, method=method, headers={"Authorization": self.token}, **arguments)
        assert answer.status_code < 300, answer.text
        return answer

    def status(self, job):
        """What RQ says of a job."""
        return Job.fetch(job, connection=self.app.redis_connection).get_status()

    def planned(self):
        """How many boilers have a plan."""
        with self.app.app_context():
            planned = db.session.query(TimedBelief.sensor_id).filter(TimedBelief.sensor_id.in_(self.sensors)).distinct()
            return planned.count()

    def work(self):
        """Let a new worker do all that waits."""
        worker = start_worker(self.app, burst=True)
        worker.join(120)
        assert worker.exitcode == 0

    def kill_a_worker(self, *, expired=True, wait=False):
        """Let a worker begin, kill it at its first job, and return that; let its heartbeat expire, or wait for that."""
        worker = start_worker(self.app)
        wait_until(lambda: JobStatus.STARTED in map(self.status, self.jobs))
        kill_with_its_job(worker)
        started = self.app.queues["scheduling"].started_job_registry
        if wait:
            time.sleep(TTL_S + 1)
        elif expired:
            for entry in self.app.redis_connection.zrange(started.key, 0, -1):
                self.app.redis_connection.zadd(started.key, {entry: time.time() - 1})
        (begun,) = [job for job in self.jobs if self.status(job) == JobStatus.STARTED]
        return begun


def pd_now():
    """Return the quarter of an hour that it is."""
    import pandas as pd  # noqa: PLC0415

    return pd.Timestamp.now("Europe/Amsterdam").floor("15min")


@pytest.fixture
def fleet_of(app, monkeypatch):
    """A function that makes a fleet whose plans are queued."""
    monkeypatch.setitem(app.config, "FLEXMEASURES_API_TRIGGER_RATE_LIMIT", "1000 per minute")
    return lambda count: Fleet(app, count)


def test_after_a_clean_up_by_hand_all_have_a_plan(app, fleet_of, boilers):
    fleet = fleet_of(3)
    begun = fleet.kill_a_worker(wait=True)
    told = boilers("clean-up")
    assert (told.exit_code, told.output.splitlines()[0]) == (
        0,
        "Jobs of workers that died: 1 marked as failed. Plans queued again: 1.",
    )
    assert "Plans that wait: 3. There is no worker" in told.output
    results = Job.fetch(begun, connection=app.redis_connection).results()
    assert ["AbandonedJobError" in result.exc_string for result in results] == [True]
    fleet.work()
    assert fleet.planned() == 3
    assert {fleet.status(job) for job in fleet.jobs} == {JobStatus.FINISHED}
    assert "0 marked as failed. Plans queued again: 0." in boilers("clean-up").output


@pytest.mark.parametrize("how", ["trigger", "the same trigger", "ask for the plan", "ask for the job"])
def test_whoever_asks_for_a_plan_sees_to_it(fleet_of, how):
    fleet = fleet_of(2)
    begun = fleet.kill_a_worker()
    sensor = fleet.sensors[fleet.jobs.index(begun)]
    if how == "trigger":
        another = fleet.trigger(sensor, **{"force-new-job-creation": True})
        assert another != begun
        assert fleet.status(another) == JobStatus.QUEUED
    elif how == "the same trigger":
        assert fleet.trigger(sensor) == begun
    elif how == "ask for the plan":
        fleet.app.test_client().get(f"{V3}/sensors/{sensor}/schedules/{begun}", headers={"Authorization": fleet.token})
    else:
        fleet.app.test_client().get(f"{V3}/jobs/{begun}", headers={"Authorization": fleet.token})
    assert fleet.status(begun) == JobStatus.QUEUED
    fleet.work()
    assert fleet.planned() == 2


def test_a_job_that_has_had_a_heartbeat_is_left_alone(fleet_of, boilers):
    fleet = fleet_of(1)
    begun = fleet.kill_a_worker(expired=False)
    assert "0 marked as failed. Plans queued again: 0." in boilers("clean-up").output
    assert fleet.status(begun) == JobStatus.STARTED


def test_a_job_that_rq_has_marked_before_is_queued_again(app, fleet_of, boilers):
    fleet = fleet_of(1)
    begun = fleet.kill_a_worker()
    app.queues["scheduling"].started_job_registry.cleanup()
    assert fleet.status(begun) == JobStatus.FAILED
    assert "0 marked as failed. Plans queued again: 1." in boilers("clean-up").output


def test_a_job_that_kills_every_worker_is_queued_again_once(fleet_of, boilers):
    fleet = fleet_of(1)
    for expected in ("1 marked as failed. Plans queued again: 1.", "1 marked as failed. Plans queued again: 0."):
        begun = fleet.kill_a_worker()
        assert expected in boilers("clean-up").output
    assert fleet.status(begun) == JobStatus.FAILED


def test_a_plan_whose_time_is_over_stays_failed(app, fleet_of, boilers):
    fleet = fleet_of(1)
    begun = Job.fetch(fleet.kill_a_worker(), connection=app.redis_connection)
    begun.meta["scheduler_kwargs"]["end"] = "2025-01-01T00:00+01:00"
    begun.save_meta()
    assert "1 marked as failed. Plans queued again: 0." in boilers("clean-up").output


def test_a_plan_that_failed_for_another_reason_stays_failed(app, fleet_of, boilers):
    fleet = fleet_of(1)
    job = Job.fetch(fleet.jobs[0], connection=app.redis_connection)
    job.kwargs = {**job.kwargs, "asset_or_sensor": {"id": 10**6, "class": "Sensor"}}
    job.save()
    fleet.work()
    assert fleet.status(job.id) == JobStatus.FAILED
    assert "0 marked as failed. Plans queued again: 0." in boilers("clean-up").output


def test_what_was_taken_and_not_begun_is_put_back_after_a_minute(app, fleet_of, boilers):
    queue, fleet = app.queues["scheduling"], fleet_of(2)
    app.redis_connection.lmove(queue.key, queue.intermediate_queue_key)
    assert "queued again: 0." in boilers("clean-up").output
    first_seen = queue.intermediate_queue.get_first_seen_key(fleet.jobs[0])
    app.redis_connection.set(first_seen, time.time() - 61)
    assert "queued again: 1." in boilers("clean-up").output
    assert queue.job_ids == fleet.jobs
    assert queue.intermediate_queue.get_job_ids() == []


def test_without_redis_a_clean_up_says_so_in_one_line(app, boilers, monkeypatch):
    monkeypatch.setattr(app.queues["scheduling"], "connection", redis_that_is_away())
    monkeypatch.setattr(app, "queues", {"scheduling": app.queues["scheduling"]})
    told = boilers("clean-up")
    assert told.exit_code == 1
    assert "Redis gives no answer" in told.output
    assert abandoned.PLANS in app.queues
