"""Plans of many boilers at once: the same as those of one by one, stored once, and nobody stops others."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from flexmeasures import Account, Asset
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.facts.plans import plans_of
from smart_boiler_plugin.fleet.planning import Asked, plan_here
from smart_boiler_plugin.fleet.runs import last_run
from smart_boiler_plugin.plan import fleet as fleet_plans
from smart_boiler_plugin.plan.fleet import is_usual, plan_fleet
from smart_boiler_plugin.plan.needed import needed
from smart_boiler_plugin.plan.noted import history_of
from smart_boiler_plugin.plan.scheduler import BoilerScheduler
from smart_boiler_plugin.stored import ATTRIBUTE
from tests.factories import make_account, store
from tests.host.boilers import stored_plan
from tests.host.fleets import BEGIN, DAY, END, NOW, QUARTER, make_boilers, make_prices, random_boiler
from tests.host.queries import counted_queries

ALL = Asked(NOW.to_pydatetime(), ("all",))
BY_CRON = Asked(NOW.to_pydatetime())


def plan(boilers, asked=BY_CRON):
    """Plan boilers here; return what came of it by name."""
    ids = asked.needing([boiler.asset.id for boiler in boilers])
    return {outcome.name: outcome for outcomes in plan_here(ids, asked) for outcome in outcomes}


def later(after, only=("missing", "deviating")):
    return Asked((NOW + after).to_pydatetime(), only)


def whys(boilers, asked):
    ids = [boiler.asset.id for boiler in boilers]
    return [need.why for need in needed(ids, asked.moment, asked.only).values()]


def rows():
    return db.session.query(TimedBelief).count()


@pytest.fixture
def priced(app):
    """The price sensor of all boilers, in an app context."""
    with app.app_context():
        yield make_prices()


# --- the same as one by one


@pytest.mark.parametrize("count", [15, pytest.param(500, marks=pytest.mark.long)])
def test_it_is_the_optimum_of_a_trigger_for_each(priced, count):
    chance = np.random.default_rng(7)
    boilers = [random_boiler(chance, number) for number in range(count)]
    needs = needed([boiler.asset.id for boiler in boilers], NOW, ["all"])
    fleet = fleet_plans.Fleet(needs, BEGIN.tz_convert("UTC"), NOW)
    loaded, broken = fleet.load()
    assert (broken, len(loaded)) == ([], count)
    assert all(is_usual(boiler) for boiler in loaded)
    solved, failing = fleet.solve(fleet.read(loaded))
    assert failing == []
    kinds = set()
    for each in solved:
        scheduler = BoilerScheduler(
            asset_or_sensor=each.boiler.sensors["fill-rate"],
            start=BEGIN,
            end=END,
            resolution=QUARTER,
            belief_time=NOW,
            flex_model={},
            flex_context={},
            return_multiple=True,
        )
        results = {result["name"]: result["data"] for result in scheduler.compute()}
        assert each.answer.account["expected_cost"] == pytest.approx(
            scheduler.info["expected_cost"], rel=1e-6, abs=1e-9
        )
        np.testing.assert_allclose(each.answer.set_points_c, results["set_point"], atol=1e-6)
        np.testing.assert_allclose(each.answer.power_kw, results["storage_schedule"], atol=1e-6)
        kinds |= {scheduler.info["start"]["from"], *scheduler.info.get("hygiene", {})}
    # of all kinds
    assert kinds >= {"reading", "reading carried forward", "useful temperature", "floor", "off", "planned_from"}


# --- what is stored


def test_all_boilers_are_planned_to_the_end_of_the_known_prices(priced):
    boilers = make_boilers(3)
    outcomes = plan(boilers)
    assert {outcome.result for outcome in outcomes.values()} == {"Told"}
    assert set(outcomes["Boiler None 0"].reasons) == {"NO_READING"}
    plans = plans_of([boiler.asset.id for boiler in boilers], NOW)
    assert {each.until for each in plans.values()} == {END}
    for role in ("set-point", "fill-rate", "temperature"):
        stored = stored_plan(boilers[0].sensors[role], start=BEGIN, hours=48)
        assert (stored.index[0], len(stored)) == (BEGIN, 136)
    # what the temperature says is not said twice
    assert stored_plan(boilers[0].sensors["state-of-charge"], start=BEGIN, hours=48).empty


def test_boilers_of_one_tariff_can_be_planned_until_different_moments_together(priced):
    ids = [boiler.asset.id for boiler in make_boilers(2)]
    needs = needed(ids, NOW, ["all"])
    needs[ids[1]] = replace(needs[ids[1]], until=END.tz_convert("UTC") - 4 * QUARTER)
    outcomes = plan_fleet(needs, BEGIN.tz_convert("UTC"), NOW)
    assert [outcome.singly for outcome in outcomes] == [False, False]
    plans = plans_of(ids, NOW)
    assert [plans[asset_id].until for asset_id in ids] == [END, END - 4 * QUARTER]


def test_a_second_time_nothing_is_written(priced):
    boilers = make_boilers(2)
    plan(boilers)
    before = rows()
    assert plan(boilers) == {}
    assert len(plan(boilers, ALL)) == 2
    assert rows() == before
    # an hour later a plan has nothing new to say, but of the hour that it sees less of
    assert len(plan(boilers, later(timedelta(minutes=5), ["all"]))) == 2
    assert rows() == before


def test_a_plan_has_the_data_source_of_a_trigger(priced):
    (boiler,) = make_boilers(1)
    plan([boiler])
    sources = {belief.source for belief in db.session.query(TimedBelief).filter_by(sensor=boiler.sensors["set-point"])}
    assert {(source.type, source.model, source.name) for source in sources} == {
        ("scheduler", "BoilerScheduler", "smart-boiler-plugin")
    }


def test_it_takes_as_many_statements_for_40_boilers_as_for_10(priced):
    ids = [boiler.asset.id for boiler in make_boilers(51)]
    for some in (ids[:1], ids[1:11], ids[11:]):
        db.session.commit()
        db.session.expunge_all()
        with counted_queries() as queries:
            needs = needed(some, NOW, ["missing"])
            outcomes = plan_fleet(needs, BEGIN.tz_convert("UTC"), NOW)
        assert len(outcomes) == len(some)
        if len(some) == 10:
            of_ten = len(queries)
        db.session.commit()
    assert len(queries) == of_ten
    assert len(queries) < 25


# --- who needs a plan, and why


def test_nobody_is_planned_again_while_nothing_changes(priced):
    boilers = make_boilers(2)
    assert whys(boilers, BY_CRON) == ["it had none"] * 2
    plan(boilers)
    for after in (QUARTER, timedelta(hours=9), timedelta(hours=9, minutes=45)):
        assert whys(boilers, later(after)) == []


def test_when_prices_of_another_day_come_in_all_are_planned_on(priced, app):
    boilers = make_boilers(2)
    plan(boilers)
    store(priced, np.full(96, 0.3), END, recorded_at=NOW + timedelta(hours=23))
    # the day after tomorrow is of no interest yet
    assert whys(boilers, later(timedelta(hours=9))) == []
    assert whys(boilers, later(timedelta(hours=24))) == ["prices are known for longer"] * 2
    plan(boilers, later(timedelta(hours=24)))
    assert plans_of([boilers[0].asset.id], NOW + DAY)[boilers[0].asset.id].until == END + DAY
    assert history_of(db.session.get(Asset, boilers[0].asset.id)) == [
        ("2025-10-30T13:07:00.000000+00:00", "prices are known for longer"),
        ("2025-10-29T13:07:00.000000+00:00", "it had none"),
    ]


def test_a_price_that_changes_makes_a_plan_anew(priced):
    boilers = make_boilers(1)
    plan(boilers)
    store(priced, [0.9], BEGIN + 8 * QUARTER, recorded_at=NOW + timedelta(minutes=1))
    assert whys(boilers, later(QUARTER)) == ["prices changed"]
    plan(boilers, later(QUARTER))
    assert whys(boilers, later(2 * QUARTER)) == []


def test_boiler_comfort_and_tariff_that_change_make_a_plan_anew(priced, app, monkeypatch):
    boilers = make_boilers(3)
    plan(boilers)
    boilers[0].change_comfort({"useful_temperature": "45 °C"})
    changed = boilers[1].asset
    changed.attributes = {**changed.attributes, ATTRIBUTE: {**changed.attributes[ATTRIBUTE], "volume_l": 120.0}}
    other = make_prices(price=make_household_price())
    boilers[2].asset.flex_context = {"consumption-price": {"sensor": other.id}}
    db.session.commit()
    told = ["the comfort was changed", "the boiler was changed", "the tariff was changed"]
    assert whys(boilers, later(QUARTER)) == told
    # what has nothing to do with a plan
    plan(boilers, later(QUARTER))
    changed.attributes = {**changed.attributes, "anything": 1}
    db.session.commit()
    assert whys(boilers, later(2 * QUARTER)) == []
    monkeypatch.setitem(app.config, "SMART_BOILER_COMFORT_WEIGHT", 4.0)
    assert whys(boilers, later(2 * QUARTER)) == ["the server's settings changed"] * 3


def make_household_price():
    from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor  # noqa: PLC0415

    return get_or_create_consumption_price_sensor("BE")


def test_without_prices_it_is_planned_for_a_day_as_a_thermostat_and_again_before_that_ends(app):
    with app.app_context():
        boilers = make_boilers(1)
        asset_id = boilers[0].asset.id
        (outcome,) = plan(boilers).values()
        assert (outcome.result, set(outcome.reasons)) == ("Told", {"NO_PRICES", "NO_READING"})
        assert plans_of([asset_id], NOW)[asset_id].until == BEGIN + DAY
        assert whys(boilers, later(timedelta(hours=22))) == []
        assert whys(boilers, later(timedelta(hours=23, minutes=20))) == ["it was about to end"]
        store(make_prices(), [0.2], END)


def test_where_prices_end_soon_it_goes_on_with_typical_ones(app):
    with app.app_context():
        make_prices(BEGIN + 3 * QUARTER)
        boilers = make_boilers(1)
        (outcome,) = plan(boilers).values()
        assert "ASSUMED_PRICES" in outcome.reasons
        assert plans_of([boilers[0].asset.id], NOW)[boilers[0].asset.id].until == BEGIN + DAY


@pytest.mark.parametrize("noted", [None, 7, [], {}, {"rests_on": 3}, {"rests_on": {}, "start": [], "until": "never"}])
def test_whatever_a_household_notes_it_is_its_own_boiler_that_is_planned(priced, noted):
    boilers = make_boilers(2)
    plan(boilers)
    asset = boilers[0].asset
    asset.attributes = {**asset.attributes, "smart-boiler-plan": noted}
    db.session.commit()
    assert len(whys(boilers, later(QUARTER))) <= 1
    plan(boilers, later(QUARTER, ["all"]))
    db.session.expire_all()
    assert history_of(asset)[0][1] == "it was asked for"


# --- off the plan


def test_a_boiler_that_is_told_powers_is_planned_anew_when_it_is_off_by_more_than_the_setting(priced, app, monkeypatch):
    boilers = make_boilers(4)
    for boiler, read_c in zip(boilers, (52.1, 48.1, 47.0, 40.0), strict=True):
        # a plan in kW; the last one can follow set-points
        role = "set-point" if read_c == 40.0 else "fill-rate"
        made_at = NOW - timedelta(hours=1)
        store(boiler.sensors[role], [0.0] * 200, BEGIN - 4 * QUARTER, "scheduler", made_at)
        store(boiler.sensors["temperature"], [50.0] * 200, BEGIN - 4 * QUARTER, "scheduler", made_at)
        store(boiler.sensors["temperature"], [read_c], BEGIN - QUARTER, "gateway", BEGIN)
    assert whys(boilers, BY_CRON) == ["its temperature left the plan"] * 2
    ids = [boiler.asset.id for boiler in boilers]
    assert list(needed(ids, NOW, ["deviating"])) == [ids[0], ids[2]]
    assert list(needed(ids, NOW, ["missing"])) == []
    monkeypatch.setitem(app.config, "SMART_BOILER_DEVIATION", 2.9)
    assert list(needed(ids, NOW, ["deviating"])) == [ids[2]]


def test_it_is_planned_anew_once_a_quarter_at_most(priced):
    (boiler,) = make_boilers(1)
    store(boiler.sensors["fill-rate"], [0.0] * 200, BEGIN - 4 * QUARTER, "scheduler", BEGIN + timedelta(minutes=1))
    store(boiler.sensors["temperature"], [50.0] * 200, BEGIN - 4 * QUARTER, "scheduler", BEGIN - DAY)
    store(boiler.sensors["temperature"], [40.0], BEGIN - QUARTER, "gateway", BEGIN)
    assert whys([boiler], BY_CRON) == []
    assert whys([boiler], later(QUARTER)) == ["its temperature left the plan"]


# --- one stops no other


def test_a_broken_boiler_stops_nobody(priced):
    boilers = make_boilers(3)
    asset = boilers[1].asset
    asset.attributes = {**asset.attributes, ATTRIBUTE: {"volume_l": "much"}}
    db.session.commit()
    outcomes = list(plan(boilers).values())
    assert [outcome.result for outcome in sorted(outcomes, key=lambda each: each.asset_id)] == [
        "Told",
        "Failed",
        "Told",
    ]
    (failed,) = (outcome for outcome in outcomes if outcome.failed)
    assert "BROKEN_BOILER" in failed.reasons
    assert "volume" in failed.reasons["BROKEN_BOILER"]
    assert plans_of([boiler.asset.id for boiler in boilers], NOW).keys() == {
        boilers[0].asset.id,
        boilers[2].asset.id,
    }


def test_one_that_is_in_a_building_is_planned_by_itself_in_the_same_run(priced):
    boilers = make_boilers(3)
    building = Asset(
        name="House",
        generic_asset_type=boilers[1].asset.generic_asset_type,
        account_id=boilers[1].asset.account_id,
        attributes={"custom-scheduler": "BoilerScheduler"},
    )
    building.flex_context = dict(boilers[1].asset.flex_context)
    db.session.add(building)
    db.session.flush()
    boilers[1].asset.parent_asset_id = building.id
    db.session.commit()
    outcomes = plan(boilers)
    assert [outcomes[boiler.asset.name].singly for boiler in boilers] == [False, True, False]
    assert {outcome.failed for outcome in outcomes.values()} == {False}
    assert len(plans_of([boiler.asset.id for boiler in boilers], NOW)) == 3


def test_what_nobody_foresaw_in_one_is_told_and_stops_nobody(priced, monkeypatch):
    boilers = make_boilers(4)
    bad = boilers[2].asset.id
    usual = fleet_plans.Solved.to_store.func

    def failing(solved):
        if solved.boiler.asset.id == bad:
            raise RuntimeError("a bug")
        return usual(solved)

    def no_plan(*_, **__):
        raise RuntimeError("another bug")

    monkeypatch.setattr(fleet_plans.Solved, "to_store", property(failing))
    monkeypatch.setattr(BoilerScheduler, "compute", no_plan)
    outcomes = plan(boilers)
    assert [outcomes[boiler.asset.name].result for boiler in boilers] == ["Told", "Told", "Failed", "Told"]
    assert outcomes[boilers[2].asset.name].reasons == {"UNFORESEEN": "RuntimeError: another bug"}
    assert bad not in plans_of([boiler.asset.id for boiler in boilers], NOW)
    assert history_of(db.session.get(Asset, bad)) == []
    # of the others, it is noted what their plans rest on
    assert whys(boilers, later(QUARTER)) == ["it had none"]


def test_many_with_something_unusual_are_planned_some_at_a_time(priced, monkeypatch):
    boilers = make_boilers(5)
    monkeypatch.setattr(fleet_plans, "is_usual", lambda boiler: boiler.asset.id == boilers[0].asset.id)
    for module in (fleet_plans, __import__("smart_boiler_plugin.fleet.planning", fromlist=["x"])):
        monkeypatch.setattr(module, "SINGLY", 2)
    ids = [boiler.asset.id for boiler in boilers]
    chunks = [len(outcomes) for outcomes in plan_here(BY_CRON.needing(ids), BY_CRON)]
    assert chunks == [3, 2]
    assert len(plans_of(ids, NOW)) == 5


# --- runs


def test_of_each_operator_it_is_noted_what_came_of_it(priced):
    one, other = (make_account(name, roles=["Consultancy"]) for name in ("One", "Other"))
    boilers = [*make_boilers(2, one.id), *make_boilers(1, other.id)]
    asset = boilers[0].asset
    asset.attributes = {**asset.attributes, ATTRIBUTE: None}
    db.session.commit()
    plan(boilers)
    runs = [last_run(account.id) for account in (one, other)]
    assert [(run.planned, run.told, run.failed) for run in runs] == [(0, 1, 1), (0, 1, 0)]
    assert db.session.get(Account, one.id).attributes.keys() == {"smart-boiler-run"}


def test_a_plan_of_the_past_knows_nothing_later(priced):
    (boiler,) = make_boilers(1)
    begin = pd.Timestamp("2025-10-28T10:00+01:00")
    asked = Asked.now(["all"], begin.to_pydatetime())
    assert asked.moment == begin
    plan([boiler], asked)
    stored = boiler.sensors["set-point"].search_beliefs(beliefs_before=begin)
    assert len(stored) == 38 * 4
    assert plans_of([boiler.asset.id], begin)[boiler.asset.id].made_at == begin


def test_a_boiler_without_a_sensor_of_set_points_gets_powers(priced):
    (boiler,) = make_boilers(1)
    db.session.delete(boiler.sensors["set-point"])
    db.session.commit()
    plan([Boiler(boiler.asset)])
    assert not plans_of([boiler.asset.id], NOW)[boiler.asset.id].in_set_points
