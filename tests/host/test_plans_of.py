"""Until when boilers are planned, by what is stored; and what came of the last run."""

from datetime import timedelta

import pandas as pd
import pytest
from flexmeasures import Account
from flexmeasures.data import db

from smart_boiler_plugin.facts.plans import Planned, plans_of
from smart_boiler_plugin.fleet import runs
from smart_boiler_plugin.fleet.runs import Run
from tests.factories import make_account, make_household_boiler, store
from tests.host.queries import counted_queries

NOW = pd.Timestamp("2025-10-29T10:07+01:00")
QUARTER = pd.Timedelta("15min")
BEGUN = NOW.floor("15min")


def plan(boiler, role, quarters, begin=BEGUN, made_at=NOW, source_type="scheduler"):
    store(boiler.sensors[role], [50.0] * quarters, begin, source_type=source_type, recorded_at=made_at)


def plan_of(boiler, moment=NOW):
    return plans_of([boiler.asset.id], moment).get(boiler.asset.id)


def test_a_boiler_is_planned_until_its_last_quarter_of_set_points_ends(boiler):
    plan(boiler, "set-point", 8)
    assert plan_of(boiler) == Planned(BEGUN + 8 * QUARTER, NOW, in_set_points=True)
    assert plan_of(boiler).until.isoformat() == "2025-10-29T11:00:00+00:00"
    # the last quarter that it has a plan for, and one too late
    assert plan_of(boiler, BEGUN + 7.99 * QUARTER) is not None
    assert plan_of(boiler, BEGUN + 8 * QUARTER) is None


def test_without_set_points_its_planned_power_tells(boiler):
    plan(boiler, "fill-rate", 4)
    assert plan_of(boiler) == Planned(BEGUN + 4 * QUARTER, NOW, in_set_points=False)
    plan(boiler, "set-point", 4)
    assert plan_of(boiler).in_set_points
    plan(boiler, "set-point", 2, BEGUN - 8 * QUARTER)
    plan(boiler, "fill-rate", 12)
    assert plan_of(boiler) == Planned(BEGUN + 12 * QUARTER, NOW, in_set_points=False)


@pytest.mark.parametrize("source_type", ["market", "forecaster", None])
def test_what_was_metered_or_foretold_is_no_plan(boiler, source_type):
    plan(boiler, "fill-rate", 8, source_type=source_type)
    plan(boiler, "set-point", 8, source_type=source_type)
    assert plan_of(boiler) is None


def test_a_plan_that_begins_later_is_none_yet(boiler):
    plan(boiler, "set-point", 8, BEGUN + QUARTER)
    assert plan_of(boiler) is None
    assert plan_of(boiler, NOW + QUARTER) is not None


def test_what_was_planned_after_the_moment_does_not_count(boiler):
    plan(boiler, "set-point", 4, made_at=NOW - timedelta(hours=1))
    plan(boiler, "set-point", 8, made_at=NOW + timedelta(minutes=1))
    assert plan_of(boiler) == Planned(BEGUN + 4 * QUARTER, NOW - timedelta(hours=1), in_set_points=True)
    assert plan_of(boiler, NOW + timedelta(minutes=2)).until == BEGUN + 8 * QUARTER


def test_of_many_boilers_one_statement_tells(app):
    with app.app_context():
        boilers = [make_household_boiler(make_account(f"Client {n}"), f"Boiler {n}") for n in range(3)]
        for boiler in boilers[1:]:
            plan(boiler, "set-point", 2)
        ids = [boiler.asset.id for boiler in boilers]
        with counted_queries() as queries:
            found = plans_of(ids, NOW)
        assert (len(queries), sorted(found)) == (1, ids[1:])
        assert plans_of([], NOW) == {}


# --- runs


def test_the_last_run_of_an_operator_is_known_and_nobody_can_make_one_up(app):
    with app.app_context():
        one, other = (make_account(name, roles=["Consultancy"]) for name in ("One", "Other"))
        assert runs.last_run(one.id) is None
        for planned in (3, 118):
            runs.note_run(one, Run(NOW.to_pydatetime(), planned, told=2, failed=1))
            db.session.commit()
        assert runs.last_run(one.id) == Run(NOW.to_pydatetime(), 118, told=2, failed=1)
        assert runs.last_run(other.id) is None
        assert runs.last_run(10**6) is None
        # what stands with another account, or was never sealed here, is no run
        sealed = db.session.get(Account, one.id).attributes[runs.ATTRIBUTE]
        for forged in (sealed, {"at": "now", "planned": 1}, None, 7):
            other.attributes = {**(other.attributes or {}), runs.ATTRIBUTE: forged}
            db.session.commit()
            assert runs.last_run(other.id) is None
