"""Storing what was worked out: what has changed is written, and nothing else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import numpy as np
import pandas as pd
import pytest
import timely_beliefs as tb
from flexmeasures import Sensor, Source
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from flexmeasures.data.utils import save_to_db
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from timely_beliefs.sensors.func_store.knowledge_horizons import x_days_ago_at_y_oclock

from smart_boiler_plugin.clock.days import midnights
from smart_boiler_plugin.facts import store as module
from smart_boiler_plugin.facts.copying import copy
from smart_boiler_plugin.facts.store import Values, store
from smart_boiler_plugin.transactions import is_away
from tests.host.boilers import START, make_household
from tests.host.queries import counted_queries

LATER = timedelta(hours=1)
QUARTERS = pd.date_range(START, periods=96, freq="15min")
HALF_PAST = START + timedelta(minutes=30)


@pytest.fixture
def source(household):
    """Whose values are stored."""
    return make_source("BoilerScheduler")


def make_source(name):
    source = Source(name=name, type="scheduler")
    db.session.add(source)
    db.session.flush()
    return source


def rows(sensor, source):
    """Return all that is stored of a sensor: start, horizon, probability and value."""
    columns = (TimedBelief.event_start, TimedBelief.belief_horizon, TimedBelief.cumulative_probability)
    query = db.select(*columns, TimedBelief.event_value).filter_by(sensor_id=sensor.id, source_id=source.id)
    return sorted(map(tuple, db.session.execute(query)))


def values_of(sensor, source):
    return [row[-1] for row in rows(sensor, source)]


def of(boiler, values, role="fill-rate"):
    return [Values(boiler.sensors[role], QUARTERS[: len(values)], np.array(values))]


def plan_of(boiler, rng):
    """Return a plan: power, temperature and state of charge of a day."""
    return [of(boiler, rng.random(96), role)[0] for role in ("fill-rate", "temperature", "state-of-charge")]


def test_what_is_stored_is_what_was_given(boiler, source):
    assert store(of(boiler, [0.1, 1.5, 1 / 3]), source, HALF_PAST) == 3
    assert rows(boiler.sensors["fill-rate"], source) == [
        # known at the end of the quarter, 00:15, and recorded at 00:30
        (QUARTERS[0], timedelta(minutes=-15), 0.5, 0.1),
        (QUARTERS[1], timedelta(0), 0.5, 1.5),
        (QUARTERS[2], timedelta(minutes=15), 0.5, 1 / 3),
    ]


def test_nothing_to_store_asks_the_database_nothing(boiler, source):
    nothing = of(boiler, [np.nan])
    with counted_queries() as queries:
        assert store([], source, START) == 0
        assert store(nothing, source, START) == 0
    assert queries == []


def test_what_is_unchanged_is_not_written_again(boiler, source):
    store(of(boiler, [1.0, 2.0]), source, START)
    before = rows(boiler.sensors["fill-rate"], source)
    assert store(of(boiler, [1.0, 2.0]), source, START) == 0
    assert store(of(boiler, [1.0 + 9e-10, 2.0 - 9e-10]), source, START + LATER) == 0
    assert rows(boiler.sensors["fill-rate"], source) == before


def test_of_what_has_changed_nothing_else_is_written(boiler, source):
    store(of(boiler, [1.0, 2.0, 3.0]), source, START)
    assert store(of(boiler, [1.0, 2.0 + 2e-9, 3.0]), source, START + LATER) == 1
    quarter = timedelta(minutes=15)
    assert rows(boiler.sensors["fill-rate"], source) == [
        (QUARTERS[0], quarter, 0.5, 1.0),
        (QUARTERS[1], 2 * quarter - LATER, 0.5, 2.0 + 2e-9),
        (QUARTERS[1], 2 * quarter, 0.5, 2.0),
        (QUARTERS[2], 3 * quarter, 0.5, 3.0),
    ]


def test_a_value_that_comes_back_is_written(boiler, source):
    for number, value in enumerate([1.0, 2.0, 1.0]):
        assert store(of(boiler, [value]), source, START + number * LATER) == 1
    assert values_of(boiler.sensors["fill-rate"], source) == [1.0, 2.0, 1.0]


def test_where_there_is_no_number_nothing_is_written(boiler, source):
    assert store(of(boiler, [np.nan, np.inf, -np.inf, 4.0]), source, START) == 1
    assert store(of(boiler, [np.nan] * 4), source, START + LATER) == 0
    assert values_of(boiler.sensors["fill-rate"], source) == [4.0]


def test_a_value_of_the_same_moment_takes_the_others_place(boiler, source):
    store(of(boiler, [1.0, 2.0]), source, START)
    assert store(of(boiler, [1.0, 5.0]), source, START) == 1
    assert values_of(boiler.sensors["fill-rate"], source) == [1.0, 5.0]


def test_what_was_recorded_before_another_value_is_stored_once(boiler, source):
    store(of(boiler, [1.0]), source, START)
    store(of(boiler, [3.0]), source, START + 2 * LATER)
    assert store(of(boiler, [3.0]), source, START + LATER) == 1
    assert store(of(boiler, [3.0]), source, START + LATER) == 0
    # in the order of their horizons: the last one first
    assert values_of(boiler.sensors["fill-rate"], source) == [3.0, 3.0, 1.0]


def test_values_of_other_sources_and_sensors_are_left_alone(boiler, source):
    other = make_source("gateway")
    store(of(boiler, [7.0]), other, START)
    store(of(boiler, [8.0], "temperature"), source, START)
    assert store(of(boiler, [7.0]), source, START + LATER) == 1
    assert store(of(boiler, [9.0]), source, START + LATER) == 1
    assert values_of(boiler.sensors["fill-rate"], other) == [7.0]
    assert values_of(boiler.sensors["temperature"], source) == [8.0]


def test_nothing_is_committed(boiler, source):
    db.session.commit()
    store(of(boiler, [1.0]), source, START)
    db.session.rollback()
    assert rows(boiler.sensors["fill-rate"], source) == []


def test_a_value_that_was_stored_as_no_number_is_replaced(boiler, source):
    store(of(boiler, [1.0]), source, START)
    db.session.execute(db.update(TimedBelief).filter_by(source_id=source.id).values(event_value=float("nan")))
    assert store(of(boiler, [1.0]), source, START + LATER) == 1


def test_an_event_given_twice_is_refused(boiler, source):
    twice = of(boiler, [1.0]) + of(boiler, [2.0])
    with pytest.raises(DBAPIError, match="a second time"), db.session.begin_nested():
        store(twice, source, START)
    assert rows(boiler.sensors["fill-rate"], source) == []


@pytest.mark.parametrize("day", [date(2025, 10, 28), date(2025, 3, 30), date(2025, 10, 26)])
@pytest.mark.parametrize("timezone", ["Europe/Amsterdam", "America/Los_Angeles", "Atlantic/Azores", "Asia/Kolkata"])
@pytest.mark.parametrize("kind", ["15 minutes", "instantaneous", "daily", "a tariff of the day before", "known before"])
def test_it_stores_what_the_host_itself_would(boiler, source, day, timezone, kind):
    start, end = midnights(day, timezone)
    resolution = {"instantaneous": timedelta(0), "daily": timedelta(days=1)}.get(kind, timedelta(minutes=15))
    known = {
        "a tariff of the day before": (x_days_ago_at_y_oclock, {"x": 1, "y": 12, "z": timezone}),
        "known before": timedelta(hours=36),
    }
    sensor = Sensor(
        name="any",
        generic_asset=boiler.asset,
        unit="kW",
        timezone=timezone,
        event_resolution=resolution,
        knowledge_horizon=known.get(kind),
    )
    db.session.add(sensor)
    db.session.flush()
    starts = pd.date_range(start, end, freq="15min", inclusive="left")[:: 200 if kind == "daily" else 1]
    numbers = np.random.default_rng(1).random(len(starts))
    # in the midst of the day; microseconds count
    recorded_at = start + timedelta(hours=12, seconds=7, microseconds=654_321)
    host = make_source("host")
    save_to_db(
        tb.BeliefsDataFrame(pd.Series(numbers, starts), sensor=sensor, source=host, belief_time=recorded_at),
        save_changed_beliefs_only=False,
    )
    assert store([Values(sensor, starts, numbers)], source, recorded_at) == len(starts)
    assert rows(sensor, source) == rows(sensor, host)
    assert len(rows(sensor, host)) == len(starts)


def test_a_plan_is_one_statement_and_a_fleet_s_are_three(boiler, source, monkeypatch):
    monkeypatch.setattr(module, "FEW_ROWS", 288)
    plan, another = plan_of(boiler, np.random.default_rng(0)), make_source("another")
    with counted_queries() as queries:
        assert store(plan, another, START) == 288
    assert len(queries) == 1
    monkeypatch.setattr(module, "FEW_ROWS", 287)
    rng = np.random.default_rng(1)
    plan = plan_of(boiler, rng)
    with counted_queries() as queries:
        assert store(plan, source, START) == 288
    # what was said last, and a savepoint about the COPY
    assert len(queries) == 3
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 100)
    changed = plan_of(boiler, rng)
    with counted_queries() as queries:
        assert store(changed, source, START + LATER) == 288
    assert len(queries) == 1 + 3
    assert store(changed, source, START + 2 * LATER) == 0


@pytest.mark.parametrize("few_rows", [0, 1000])
def test_what_is_new_and_what_is_compared_are_stored_alike(boiler, source, monkeypatch, few_rows):
    monkeypatch.setattr(module, "FEW_ROWS", few_rows)
    store(of(boiler, [1.0, 2.0, 3.0]), source, START)
    store([Values(boiler.sensors["temperature"], QUARTERS[3:4], np.array([50.0]))], source, START)
    # backwards, as nobody says that moments come in their order
    powers = Values(boiler.sensors["fill-rate"], QUARTERS[:6][::-1], np.array([-0.0, np.nan, 1 / 3, 3.0, 5.0, 1.0]))
    longer = [powers, *of(boiler, [50.0] * 6, "temperature")]
    recorded_at = START + timedelta(minutes=29, microseconds=7)
    assert store(longer, source, recorded_at) == 3 + 5
    quarter = timedelta(minutes=15)
    old = [(QUARTERS[n], (n + 1) * quarter, 0.5, n + 1.0) for n in range(3)]
    new = [
        (QUARTERS[n], QUARTERS[n] + quarter - recorded_at, 0.5, each) for n, each in ((1, 5.0), (3, 1 / 3), (5, 0.0))
    ]
    assert rows(boiler.sensors["fill-rate"], source) == sorted(old + new)
    assert len(rows(boiler.sensors["temperature"], source)) == 6
    assert store(longer, source, recorded_at) == 0


def test_what_the_database_refuses_is_told_as_by_any_statement(boiler, source, monkeypatch):
    monkeypatch.setattr(module, "FEW_ROWS", 0)
    sensor = Sensor("gone", generic_asset=boiler.asset, unit="kW", event_resolution=timedelta(minutes=15))
    db.session.add(sensor)
    gone = [Values(sensor, QUARTERS, np.arange(96.0))]
    db.session.flush()
    db.session.execute(text("DELETE FROM sensor WHERE id = :id"), {"id": gone[0].sensor.id})
    with pytest.raises(IntegrityError, match="foreign key"), db.session.begin_nested():
        store(gone, source, START)
    assert store(of(boiler, [1.0]), source, START) == 1


def test_a_database_that_goes_away_meanwhile_is_away(app, monkeypatch):
    monkeypatch.setattr(module, "FEW_ROWS", 0)
    with app.app_context():
        boiler, source = make_household()[0], make_source("BoilerScheduler")
        db.session.commit()
        plan = of(boiler, [1.0])
        monkeypatch.setattr(module, "copy", lambda *rows: end_own_connection() or copy(*rows))
        with pytest.raises(DBAPIError) as told:
            store(plan, source, START)
        db.session.rollback()
        assert is_away(told.value)
        assert rows(boiler.sensors["fill-rate"], source) == []


def end_own_connection():
    pid = db.session.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with db.engine.connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})


def test_two_who_store_at_once_neither_fail_nor_wait_for_each_other_for_ever(app):
    with app.app_context():
        asset, source_id = make_household()[0].asset, make_source("BoilerScheduler").id
        quarter = timedelta(minutes=15)
        sensors = [Sensor(f"Sensor {n}", generic_asset=asset, unit="kW", event_resolution=quarter) for n in range(20)]
        db.session.add_all(sensors)
        db.session.flush()
        ids = [sensor.id for sensor in sensors]
        db.session.commit()
    together = Barrier(2)

    def write(order, values):
        with app.app_context():
            sensors = [db.session.get(Sensor, sensor) for sensor in ids[::order]]
            source = db.session.get(Source, source_id)
            db.session.execute(text("SET LOCAL deadlock_timeout = '100ms'"))
            together.wait()
            try:
                count = store([Values(sensor, QUARTERS[::order], values[::order]) for sensor in sensors], source, START)
                db.session.commit()
            finally:
                db.session.remove()
            return count

    for number in range(5):
        values = np.arange(96.0) + number
        with ThreadPoolExecutor() as pool:
            counts = list(pool.map(write, (1, -1), (values, values)))
        # the second one finds what the first one has stored
        assert sorted(counts) == [0, 20 * 96]
    with app.app_context():
        assert db.session.query(TimedBelief).filter_by(source_id=source_id).count() == 20 * 96
