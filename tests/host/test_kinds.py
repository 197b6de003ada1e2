"""What a value of a sensor tells is the same where the database decides it, and where it is read."""

from datetime import timedelta
from itertools import product

from flexmeasures import Sensor, Source
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief

from smart_boiler_plugin.clock.quarter import QUARTER
from smart_boiler_plugin.facts.latest import latest_values
from smart_boiler_plugin.facts.series import INFERRED_KWH, OF_FACTS, kind_told
from tests.host.boilers import START

ROLES = ("temperature", "fill-rate", "demand", "set-point")
TYPES = ("gateway", "market", "scheduler", "forecaster", "reporter", "inferred", None)
HORIZONS = (timedelta(0), QUARTER, QUARTER + timedelta(seconds=1), timedelta(days=-1))
"""Recorded when its quarter was over, as it began, a second before that, and a day after it."""


def test_the_database_and_the_reader_say_the_same_of_each_value(boiler):
    """Each value stands alone in a quarter of its own."""
    start = START - timedelta(days=2)
    for number, (role, kind, horizon) in enumerate(product(ROLES, TYPES, HORIZONS)):
        source = Source(name=f"source {number}", type=kind)
        db.session.add(source)
        db.session.add(
            TimedBelief(
                sensor=boiler.sensors[role],
                source=source,
                event_start=start + number * QUARTER,
                belief_horizon=horizon,
                event_value=40.0,
            )
        )
    db.session.commit()
    ids = {boiler.sensors[role].id: role for role in ROLES}
    query = db.select(TimedBelief.sensor_id, TimedBelief.event_start, kind_told())
    query = query.join(Sensor, Sensor.id == TimedBelief.sensor_id).join(Source, Source.id == TimedBelief.source_id)
    by_database = {
        (sensor_id, int((begin - start) / QUARTER), kind)
        for sensor_id, begin, kind in db.session.execute(query.filter(TimedBelief.sensor_id.in_(ids)))
        if kind is not None
    }
    end = start + len(ROLES) * len(TYPES) * len(HORIZONS) * QUARTER
    held = latest_values(ids, start, end, START + timedelta(days=9), kinds=(*OF_FACTS, INFERRED_KWH))
    by_reader = {(each.sensor_id, int(quarter), each.kind) for each in held for quarter in each.quarters}
    assert by_database == by_reader
    assert {kind for *_, kind in by_reader} == {*OF_FACTS, INFERRED_KWH}
