"""GET /set-points and /now: what devices are told of the plans that are stored."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from flexmeasures import Account, Asset, User
from flexmeasures.data import db

from smart_boiler_plugin.api import set_points as module
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.plan.handing_out import ATTRIBUTE, HandedOut, read
from tests.factories import make_account, make_household_boiler, make_user, store
from tests.host.boilers import START, change_data, measure, stored_plan, through_the_queue
from tests.host.queries import counted_queries

PREFIX = "/smart-boiler-plugin/api"
QUARTER = pd.Timedelta("15min")
NOW = pd.Timestamp("2026-02-06T12:08:00", tz="UTC")
NOON = NOW.floor("15min")


@pytest.fixture
def world(app, operator, monkeypatch):
    """Boilers A and B of an operator, C of another; ids by name. At noon, all is planned, and nothing was measured."""
    monkeypatch.setattr(module, "server_now", lambda: NOW)
    with app.app_context():
        ours = db.session.get(Account, operator[0])
        rival = make_account("Rival", roles=["Consultancy"])
        accounts = {
            name: make_account(name, consultancy=owner) for name, owner in (("A", ours), ("B", ours), ("C", rival))
        }
        boilers = {name: make_household_boiler(account, f"Boiler {name}") for name, account in accounts.items()}
        world = World(app, {name: account.id for name, account in accounts.items()})
        world.assets = {name: boiler.asset.id for name, boiler in boilers.items()}
        world.tokens = {
            "operator": operator[1],
            "rival": make_user(rival, "rival", roles=["consultant"])[1],
            "household": make_user(accounts["A"], "anna")[1],
        }
        db.session.commit()
    for name in world.ids:
        world.plan(name, [10.0, 55.0, 40.0])
    return world


class World:
    """What tests do with the boilers."""

    def __init__(self, app, ids):
        self.app, self.ids = app, ids

    def plan(self, name, points, start=NOON, **changes):
        """Keep set-points with a boiler, as a plan does."""
        with self.app.app_context():
            asset = db.session.get(Asset, self.assets[name])
            out = HandedOut(NOON - QUARTER, start, np.array(points), 2.0, 4.0, 65.0)
            asset.attributes = {**asset.attributes, ATTRIBUTE: {**out.as_json(), **changes}}
            db.session.commit()

    def wish(self, name, **comfort):
        """Store what a household or its operator wants."""
        with self.app.app_context():
            asset = db.session.get(Asset, self.assets[name])
            asset.attributes = {
                **asset.attributes,
                "smart-boiler": {**asset.attributes["smart-boiler"], "comfort": comfort},
            }
            db.session.commit()

    def measure(self, name, *values, last=NOON):
        """Store readings [°C] of quarters, the last of which begins at a moment."""
        with self.app.app_context():
            (sensor,) = [s for s in db.session.get(Asset, self.assets[name]).sensors if s.name == "temperature"]
            store(sensor, values, last - (len(values) - 1) * QUARTER, recorded_at=last)

    def get(self, path="/set-points", caller="operator", code=200, **headers):
        """Ask; return the answer."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.app.test_client().get(
            PREFIX + path, headers={"Authorization": self.tokens.get(caller, caller), **headers}
        )
        assert answer.status_code == code, answer.text
        return answer

    def now(self, name="A", **options):
        """Return what a boiler is told now."""
        return self.get(f"/boiler-customer/{self.ids[name]}/now", **options).json


def test_all_boilers_of_an_operator_are_told_what_to_follow(world):
    world.measure("A", 50.0)
    answer = world.get().json["data"]
    assert [each["account"] for each in answer] == [world.ids["A"], world.ids["B"]]
    assert answer[0] == {
        "account": world.ids["A"],
        "boiler": world.assets["A"],
        "planned_at": "2026-02-06T11:45:00+00:00",
        "start": "2026-02-06T12:00:00+00:00",
        "resolution": "PT15M",
        "set_points_c": [10.0, 55.0, 40.0],
        "hysteresis_k": 2.0,
        # off now, and on from the next quarter on
        "heat": False,
        "until": "2026-02-06T12:15:00+00:00",
        "why": "plan",
        "fallback": {"on_below_c": 55.0, "off_at_c": 60.0},
    }
    # nothing is known of its temperature
    assert [answer[1][name] for name in ("heat", "until", "why")] == [True, "2026-02-06T12:25:00+00:00", "no reading"]


@pytest.mark.parametrize(("caller", "seen"), [("operator", "AB"), ("rival", "C"), ("household", "A")])
def test_everybody_is_told_of_the_own_boilers_alone(world, caller, seen):
    found = [each["account"] for each in world.get(caller=caller).json["data"]]
    assert found == [world.ids[name] for name in seen]
    for name, account in world.ids.items():
        code = 200 if name in seen else 404
        world.get(f"/set-points?customer={account}", caller=caller, code=code)
        world.get(f"/boiler-customer/{account}/now", caller=caller, code=code)


def test_strangers_are_told_nothing(world):
    for path in ("/set-points", "/boiler-customer/1/now"):
        assert "authenticated" in world.get(path, caller="nobody", code=401).json["message"]


REFUSED = [
    ("/set-points?customer=999", 404),
    ("/boiler-customer/999/now", 404),
    (f"/boiler-customer/{2**40}/now", 404),
    ("/set-points?customer=abc", 422),
    (f"/set-points?customer={2**40}", 422),
    ("/set-points?since=yesterday", 422),
    ("/set-points?since=2026-02-06T12:00", 422),
]


def test_what_cannot_be_asked_is_refused(world):
    for path, code in REFUSED:
        world.get(path, code=code)


def test_a_gateway_of_five_lines_is_told_when_to_ask_again(world):
    world.measure("A", 50.0)
    assert world.now() == {"heat": False, "until": "2026-02-06T12:15:00+00:00", "set_point_c": 10.0}
    world.plan("A", [55.0, 55.0])
    assert world.now() == {"heat": True, "until": "2026-02-06T12:25:00+00:00", "set_point_c": 55.0}


@pytest.mark.parametrize(
    ("points", "start"),
    [
        ([], NOON),
        # over, and not begun
        ([40.0] * 4, NOON - 4 * QUARTER),
        ([40.0], NOON + QUARTER),
        ([np.nan, np.nan], NOON),
    ],
)
def test_want_of_a_plan_is_no_error_but_a_thermostat(world, points, start):
    world.plan("A", points, start)
    world.measure("A", 54.0, last=NOON - QUARTER)
    assert world.now() == {"heat": True, "until": "2026-02-06T12:25:00+00:00", "set_point_c": 60.0}
    told = world.get().json["data"][0]
    assert (told["planned_at"], told["set_points_c"], told["hysteresis_k"]) == (None, [], None)
    # below 60, and not rising from 54
    world.measure("A", 55.0, 55.0, last=NOON)
    assert world.now()["heat"] is False


def test_what_a_household_has_written_spoils_nobodys_answer(world):
    with world.app.app_context():
        asset = db.session.get(Asset, world.assets["A"])
        asset.attributes = {"smart-boiler": ["x"], ATTRIBUTE: {"c": "x"}}
        db.session.commit()
    world.wish("B", boost={"until": 5}, pause="x")
    world.measure("A", 70.0)
    world.measure("B", 50.0)
    assert [(each["heat"], each["why"]) for each in world.get().json["data"]] == [(False, "no plan"), (False, "plan")]


@pytest.mark.parametrize(
    ("values", "heat"),
    [
        ([50.0, 50.0], False),
        # what a DS18B20 says after a reset, and a jump as no tank can make one: an ordinary boiler
        ([30.0, 30.0, 85.0], True),
        ([85.0], True),
        ([20.0, 20.0, 20.0, 60.0], True),
        # dead for hours
        ([], True),
    ],
)
def test_heating_is_forbidden_by_readings_that_are_believed(world, values, heat):
    world.plan("A", [40.0, 40.0])
    if values:
        world.measure("A", *values)
    assert world.now()["heat"] == heat


@pytest.mark.parametrize(
    ("age", "reports", "heat"),
    [("2h", None, False), ("2h15min", None, True), ("11h", 0.5, False), ("12h15min", 0.5, True)],
)
def test_an_old_reading_forbids_nothing_but_of_a_boiler_that_reports_changes_alone(world, age, reports, heat):
    """A reading is of some moment of its quarter: the end of that counts."""
    with world.app.app_context():
        from smart_boiler_plugin.boiler.asset import Boiler  # noqa: PLC0415

        change_data(Boiler(db.session.get(Asset, world.assets["A"])), BoilerData(reports_change_k=reports))
    world.measure("A", 58.0, last=NOON - pd.Timedelta(age))
    assert world.now()["heat"] == heat


def test_a_boost_lets_it_heat_and_a_pause_leaves_it_alone(world):
    world.measure("A", 58.0)
    world.wish("A", boost={"until": "2026-02-06T13:30:00+01:00"})
    told = world.get().json["data"][0]
    # until 12:30 UTC to the ceiling, and then as planned
    assert (told["set_points_c"], told["heat"], told["why"]) == ([65.0, 65.0, 40.0], True, "left alone")
    world.wish("A", pause={"until": "2026-02-06T12:12:00+00:00"})
    told = world.get().json["data"][0]
    assert (told["set_points_c"], told["planned_at"], told["heat"]) == ([], None, True)
    assert told["until"] == "2026-02-06T12:12:00+00:00"
    world.wish("A", pause={"until": "2026-02-06T12:08:00+00:00"}, boost={"until": "2026-02-06T12:08:00"})
    assert not world.now()["heat"]


def test_who_has_the_answer_already_is_told_so(world, monkeypatch):
    for path in ("/set-points", f"/boiler-customer/{world.ids['A']}/now"):
        first = world.get(path)
        same = world.get(path, If_None_Match=first.headers["ETag"], code=304)
        assert (same.data, same.headers["ETag"]) == (b"", first.headers["ETag"])
    # the lease is renewed at full five minutes
    monkeypatch.setattr(module, "server_now", lambda: NOW + pd.Timedelta("90s"))
    world.get(path, If_None_Match=first.headers["ETag"], code=304)
    monkeypatch.setattr(module, "server_now", lambda: NOW + pd.Timedelta("2min"))
    world.get(path, If_None_Match=first.headers["ETag"], code=200)


def test_only_what_was_planned_since_is_told(world):
    world.plan("B", [50.0], at="2026-02-06T12:01:00+00:00")
    told = world.get("/set-points?since=2026-02-06T12:45:00%2B01:00").json["data"]
    assert [each["account"] for each in told] == [world.ids["B"]]
    assert world.get("/set-points?since=2026-02-06T12:01:00Z").json["data"] == []


def test_spreadsheets_get_a_line_for_each_boiler(world):
    world.measure("A", 50.0)
    world.plan("B", [40.5, np.nan])
    answer = world.get(Accept="text/csv")
    assert answer.mimetype == "text/csv"
    first, second = csv.DictReader(io.StringIO(answer.text))
    assert (first["account"], first["set_points_c"], first["heat"]) == (str(world.ids["A"]), "10.0 55.0 40.0", "0")
    assert (second["set_points_c"], second["heat"], second["until"]) == ("40.5 -", "1", "2026-02-06T12:25:00+00:00")
    assert (first["on_below_c"], first["off_at_c"], first["hysteresis_k"]) == ("55", "60", "2")


def test_it_takes_as_many_statements_however_many_boilers_there_are(world):
    def count():
        with world.app.app_context(), counted_queries() as statements:
            told = module.told_to(db.session.get(User, user), NOW.to_pydatetime())
        return len(told), len(statements)

    with world.app.app_context():
        user = db.session.query(User.id).filter_by(username="operator").scalar()
    few = count()
    with world.app.app_context():
        ours = db.session.query(Account).filter_by(name="Warm Water Energy").one()
        for number in range(10):
            make_household_boiler(make_account(f"More {number}", consultancy=ours), f"Boiler more {number}")
        db.session.commit()
    many = count()
    assert (few[0], many[0]) == (2, 12)
    assert few[1] == many[1] <= 6


def test_a_sensor_that_stands_still_forbids_nothing(world):
    """At 58 °C, the usual tank cools by 0.4 K in an hour: in five hours, by more than any sensor's step."""
    world.plan("A", [40.0, 40.0])
    world.measure("A", *[58.0] * 8)
    # two hours tell nothing
    assert world.now()["heat"] is False
    world.measure("A", *[58.0] * 20)
    assert world.now()["heat"] is True
    assert world.get().json["data"][0]["why"] == "no reading"
    # a colder tank may well stand still for as long
    world.measure("B", *[26.0] * 40)
    world.plan("B", [20.0, 20.0])
    assert world.now("B")["heat"] is False


def test_a_sensor_that_reports_changes_alone_may_stand_still(world):
    with world.app.app_context():
        from smart_boiler_plugin.boiler.asset import Boiler  # noqa: PLC0415

        change_data(Boiler(db.session.get(Asset, world.assets["A"])), BoilerData(reports_change_k=0.5))
    world.plan("A", [40.0, 40.0])
    world.measure("A", *[58.0] * 20)
    assert world.now()["heat"] is False


def test_without_a_new_plan_the_last_day_of_the_old_one_is_followed_for_two_days(world):
    points = [float(20 + quarter // 4) for quarter in range(136)]
    for ended, expected in (
        # 34 h from noon on; its last day begins at 22:00
        (QUARTER * 0, points[40:]),
        (QUARTER * 5, points[45:]),
        (QUARTER * 95, points[135:]),
        (QUARTER * 96, points[40:]),
        (QUARTER * 191, points[135:]),
        (QUARTER * 192, []),
    ):
        world.plan("A", points, start=NOON - 136 * QUARTER - ended)
        assert world.get().json["data"][0]["set_points_c"] == expected
    # a plan of less than a day says nothing of other hours
    world.plan("A", points[:90], start=NOON - 90 * QUARTER)
    assert world.get().json["data"][0]["set_points_c"] == []
    world.plan("A", points[:90], start=NOON - 96 * QUARTER)
    assert world.get().json["data"][0]["set_points_c"] == points[:90]


# --- what plans hand out


def test_a_plan_hands_out_its_set_points_and_a_later_one_replaces_them(app, household):
    boiler, _ = household
    measure(boiler, [48.0])
    asset_id = boiler.asset.id
    assert through_the_queue(boiler.sensors["fill-rate"]).is_finished
    db.session.expire_all()
    first = read(db.session.get(Asset, asset_id).attributes[ATTRIBUTE])
    planned = stored_plan(boiler.sensors["set-point"])
    assert (first.start, len(first.set_points_c)) == (START, 96)
    np.testing.assert_allclose(first.set_points_c, planned, atol=0.051)
    # 1.5 kW for a quarter in 80 l
    assert (first.hysteresis_k, first.ceiling_c) == (2.0, 65.0)
    assert first.rise_k == pytest.approx(1.5 / 4 / 0.0927, abs=0.01)
    assert through_the_queue(boiler.sensors["fill-rate"], start=START + 12 * QUARTER, hours=24).is_finished
    db.session.expire_all()
    second = read(db.session.get(Asset, asset_id).attributes[ATTRIBUTE])
    planned = stored_plan(boiler.sensors["set-point"], hours=27)
    np.testing.assert_allclose(second.set_points_c[-96:], planned[-96:], atol=0.051)
    assert db.session.get(Asset, asset_id).attributes["smart-boiler"]["volume_l"] == 80.0


def test_a_plan_by_powers_hands_out_what_makes_a_device_do_the_same(app, household):
    """It heats up to the planned temperature of the quarter's end, and else up to the floor that was asked for."""
    boiler, _ = household
    measure(boiler, [52.0])
    asset_id = boiler.asset.id
    job = through_the_queue(boiler.sensors["fill-rate"], flex_model={"temperature-min": "50 °C"})
    assert job.is_finished
    db.session.expire_all()
    out = read(db.session.get(Asset, asset_id).attributes[ATTRIBUTE])
    power = stored_plan(boiler.sensors["fill-rate"]).to_numpy()
    states = stored_plan(boiler.sensors["state-of-charge"], hours=24.01)
    ends_c = boiler.data.tank.temperature_c(states.to_numpy()[1:])
    assert 0 < (power > 0.001).sum() < 96
    expected = np.where(power > 0.001, np.maximum(ends_c, 50.0), 50.0)
    np.testing.assert_allclose(out.set_points_c, expected, atol=0.06)
    assert stored_plan(boiler.sensors["set-point"]).empty
