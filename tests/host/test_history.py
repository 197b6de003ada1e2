"""What held on a day stays, whatever changes later; and what is known late comes to be reported."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from flexmeasures import Account, Asset, Sensor
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog
from flexmeasures.data.models.time_series import TimedBelief

from smart_boiler_plugin.boiler import asset as asset_module
from smart_boiler_plugin.boiler import history
from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.changing import change_boiler
from smart_boiler_plugin.facts.drawn import read_drawn
from smart_boiler_plugin.facts.read import read_facts
from smart_boiler_plugin.learning.tanks import _begun, tanks_seen
from smart_boiler_plugin.money import accounting
from smart_boiler_plugin.money.reporter import BoilerSavingsReporter
from smart_boiler_plugin.prices import tariffs
from tests.factories import make_account, make_user, store
from tests.host.boilers import planned, scheduler_of
from tests.host.days import DAY, MIDNIGHT, measure, report_day, stored
from tests.host.households import API
from tests.host.tariffs import household

ONE = DAY - timedelta(days=1)


CHANGES = {
    "tariff": {"tariff": "Dear"},
    "tank": {"boiler": {"volume": "150 l", "energy_class": "A"}},
    "element": {"boiler": {"power": "3 kW"}},
    "ceiling": {"boiler": {"temperature_max": "55 °C"}},
    "profile": {"boiler": {"tapping_profile": "L"}},
    "useful temperature": {"comfort": {"useful_temperature": "50 °C"}},
    "all": {"tariff": "Dear", "boiler": {"volume": "30 l", "power": "0.5 kW"}},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_past_statement_and_what_is_stored_of_it_are_equal_after_any_later_change(
    app, call, flexmeasures, ash, tariff, statement, change
):
    """Field case 16."""
    tariff("Dear", 0.60)
    reported = ("smart-boiler", "report", "--from", ONE, "--until", DAY)
    flexmeasures(*reported)
    before = statement(ash).text
    with app.app_context():
        costs = {role: stored(ash["boiler"], role).tolist() for role in ("cost", "daily cost", "daily savings")}
    for _ in range(2):
        answer = call("PATCH", f"/{ash['account']}", **change)
        assert answer.status_code == 200, answer.text
        assert statement(ash).text == before
    flexmeasures(*reported)
    with app.app_context():
        assert costs == {role: stored(ash["boiler"], role).tolist() for role in costs}
        boiler = Boiler(db.session.get(Asset, ash["boiler"]))
        assert (boiler.on(DAY).data.volume_l, boiler.on(DAY).price.generic_asset.name) == (80, "Flat")


def test_the_savings_reporter_takes_what_held_on_the_day(app, call, ash, tariff):
    tariff("Dear", 0.60)

    def saved():
        with app.app_context():
            sensors = boiler_of(ash).sensors
            parameters = {
                "input": [{"sensor": sensors["fill-rate"].id}],
                "output": [{"sensor": sensors["daily savings"].id}],
                "start": MIDNIGHT.isoformat(),
                "end": (MIDNIGHT + timedelta(days=1)).isoformat(),
            }
            (found,) = BoilerSavingsReporter().compute(parameters=parameters)
            return found["accounts"]

    before = saved()
    call("PATCH", f"/{ash['account']}", tariff="Dear", boiler={"volume": "150 l"})
    assert saved() == before


# --- from a day on


@pytest.fixture
def today(monkeypatch):
    """A function that lets a day be today, for what changes and what is over."""

    def let(day):
        noon = pd.Timestamp(day, tz="Europe/Amsterdam") + timedelta(hours=12)
        for module in (asset_module, accounting):
            monkeypatch.setattr(module, "server_now", lambda: noon)

    return let


def boiler_of(made):
    return Boiler(db.session.get(Asset, made["boiler"]))


def test_a_tariff_holds_from_a_day_on_and_the_history_says_so(app, call, ash, tariff, today, boilers):
    tariff("Dear", 0.60)
    tariff("Cheap", 0.10)
    today(DAY)
    later = DAY + timedelta(days=3)
    path = f"/{ash['account']}"
    assert call("PATCH", path, tariff="Dear", boiler={"volume": "100 l"}).json["tariff"] == "Dear"
    answer = call("PATCH", path, tariff="Cheap", **{"from": later.isoformat()})
    assert (answer.status_code, answer.json["tariff"]) == (200, "Dear")
    shown = call("GET", path).json["history"]
    assert shown == answer.json["history"]
    assert shown["tariff"] == [
        {"from": None, "tariff": "Flat"},
        {"from": "2025-10-28", "tariff": "Dear"},
        {"from": "2025-10-31", "tariff": "Cheap"},
    ]
    assert [(step["from"], step["volume"]) for step in shown["boiler"]] == [(None, "80 l"), ("2025-10-28", "100 l")]
    assert shown["useful_temperature"] == [{"from": None, "useful_temperature": "40 °C"}]
    told = boilers("show-customer", ash["account"]).output
    for line in ("ever        tariff Flat", "2025-10-28  tariff Dear", "2025-10-31  tariff Cheap", "volume 100 l"):
        assert line in told, told
    with app.app_context():
        log = [entry.event for entry in db.session.query(AssetAuditLog)]
        assert any("tariff to 'Cheap' from 2025-10-31" in event for event in log)
        named = [tariffs.find(name).sensor.id for name in ("Flat", "Dear", "Cheap")]
        boiler = boiler_of(ash)
        days = [ONE, DAY, later - timedelta(days=1), later]
        assert [boiler.on(day).price_id for day in days] == [named[0], named[1], named[1], named[2]]
        assert boiler.price_id == boiler.named_price_id == named[1]
    # the day has come: what rests on it has it at once, and the host's flex-context after the next update of prices
    today(later)
    assert call("GET", path).json["tariff"] == "Cheap"
    boilers("update-prices", "--tariff", "Cheap", "--from-date", DAY, "--to-date", DAY)
    with app.app_context():
        boiler = boiler_of(ash)
        assert (boiler.named_price_id, boiler.history.ahead) == (named[2], ())
        assert boiler.asset.flex_context["consumption-price"] == {"sensor": named[2]}
        assert [boiler.on(day).price_id for day in days] == [named[0], named[1], named[1], named[2]]
    assert call("GET", path).json["history"]["tariff"] == shown["tariff"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"tariff": "Flat", "from": "2025-10-27"}, "2025-10-27 is over, and what held on a day stays. Give 2025-10-28"),
        ({"tariff": "Flat", "from": "soon"}, "Must be a day such as 2026-01-31."),
        ({"boiler": {"volume": "90 l"}, "from": "2025-10-29"}, "A boiler is changed from today on: give 2025-10-28"),
        ({"tariff": "Flat", "boiler": {"volume": "90 l"}, "from": "2025-10-29"}, "A boiler is changed from today on"),
        ({"from": "2025-10-29"}, "Says from when on another tariff holds."),
        ({"name": "Oak", "from": "2025-10-28"}, "Says from when on another tariff holds."),
    ],
)
def test_a_day_on_which_nothing_can_begin_is_refused(call, ash, today, contents, body, told):
    today(DAY)
    before = contents()
    answer = call("PATCH", f"/{ash['account']}", **body)
    assert answer.status_code == 422
    assert told in answer.json["message"]["json"]["from"][0]
    assert contents() == before


def test_a_household_changes_no_day(app, call, ash):
    with app.app_context():
        _, token = make_user(db.session.get(Account, ash["account"]), "home", roles=["account-admin"])
    answer = app.test_client().patch(
        f"{API}/boiler-customer/{ash['account']}",
        json={"from": "2099-01-01", "comfort": {"useful_temperature": "45 °C"}},
        headers={"Authorization": token},
    )
    assert (answer.status_code, list(answer.json["message"]["json"])) == (403, ["from"])


def test_plans_take_the_price_that_holds_in_each_quarter(app, ash, tariff):
    """Where tomorrow is dear, it is heated today, by both solvers; where it is not, as late as can be."""
    tariff("Dear", 0.60)
    midnight = MIDNIGHT + timedelta(days=1)
    start, floor = midnight - timedelta(hours=6), {"datetime": (midnight + timedelta(hours=3)).isoformat()}
    with app.app_context():
        for name, rate in (("Flat", 0.25), ("Dear", 0.60)):
            # known at the time
            store(tariffs.find(name).sensor, [rate] * 288, MIDNIGHT - timedelta(days=1))
        store(boiler_of(ash).sensors["temperature"], [55.0] * 8, start - timedelta(hours=2))
        for tomorrow in (0.25, 0.60):
            boiler = boiler_of(ash)
            if tomorrow > 0.25:
                steps = [(DAY + timedelta(days=1), tariffs.find("Dear").sensor.id)]
                boiler.change_history(lambda known, steps=steps: history.with_ahead(known, steps))
                db.session.commit()
            for since in ({}, {"prices_since": start - timedelta(days=9)}):
                (facts,) = read_facts([boiler], start, start, start + timedelta(hours=12), **since)
                assert facts.price.tolist() == [0.25] * 24 + [tomorrow] * 24
            for solver, context in (("exact", {}), ("host", {"site-power-capacity": "10 kW"})):
                scheduler = scheduler_of(
                    boiler,
                    start=start,
                    context=context,
                    temperature_minima=[{**floor, "value": "62 °C"}],
                    soc_usage=["0 kW"],
                )
                power, *_ = planned(scheduler)
                assert scheduler.info["solver"] == solver
                early, late = (power[power.index < midnight].sum(), power[power.index >= midnight].sum())
                assert (early > 0.5) == (tomorrow > 0.25), (solver, early, late)
                assert (late > 0.5) == (tomorrow == 0.25), (solver, early, late)


def test_what_is_said_again_is_no_change(call, ash, today):
    """Somebody may send all that is known of all customers each night."""
    same = {"tariff": "Flat", "boiler": {"volume": "80 l"}, "comfort": {"useful_temperature": "40 °C"}}
    for number in range(3):
        today(DAY + timedelta(days=number))
        assert call("PATCH", f"/{ash['account']}", **same).status_code == 200
    shown = call("GET", f"/{ash['account']}").json["history"]
    assert {kind: len(steps) for kind, steps in shown.items()} == dict.fromkeys(shown, 1)


def test_a_tariff_that_was_to_come_is_called_off(call, ash, tariff):
    tariff("Dear", 0.60)
    for name in ("Dear", "Flat"):
        answer = call("PATCH", f"/{ash['account']}", tariff=name, **{"from": "2099-01-01"})
    assert [step["tariff"] for step in answer.json["history"]["tariff"]] == ["Flat", "Flat"]


def test_each_quarter_is_believed_by_the_element_and_the_tank_of_its_day(app, ash):
    """3 kW and 9.5 kWh are possible until the new boiler of 1.5 kW and 80 l, which holds less than that."""
    hours, known = timedelta(hours=4), [True] * 8
    with app.app_context():
        boiler = boiler_of(ash)
        boiler.note(DAY, boiler=replace(boiler.data, power_kw=3.0, volume_l=150.0))
        start, half, read_c = MIDNIGHT - timedelta(hours=2), [9.5] + [0.01] * 7, [50.0, 50.7] * 8
        for role, values in (("fill-rate", [3.0] * 16), ("demand", half + half), ("temperature", read_c)):
            store(boiler.sensors[role], values, start, "meter", recorded_at=MIDNIGHT + timedelta(days=9))
        now = pd.Timestamp.now("UTC")
        (facts,) = read_facts([boiler], now, start, start + hours)
        assert np.isfinite(facts.metered_kw).tolist() == known + [False] * 8
        assert np.isfinite(facts.demand_kwh).tolist() == [*known, False, *known[1:]]
        assert facts.temperature_c.tolist() == read_c
        assert "fill-rate: 8 values up to 3 kW from 2025-10-28T00:00:00+01:00" in " ".join(facts.not_believed)
        # of a past day, by what was there then
        (then,) = read_facts([boiler.on(ONE)], now, start, start + hours)
        assert np.isfinite(then.metered_kw).all()
        for day in (ONE, DAY):
            begin = pd.Timestamp(day, tz="Europe/Amsterdam")
            store(boiler.sensors["demand"], [0.0], begin, "inferred", recorded_at=begin + timedelta(days=1))
        (drawn,) = read_drawn([boiler], MIDNIGHT + timedelta(days=10), 14)
        of_both = drawn.drawn_kwh[(drawn.moments >= start) & (drawn.moments < start + hours), 0]
        assert np.isfinite(of_both).tolist() == [*known, False, *known[1:]]


def test_a_tank_is_seen_by_what_it_did_itself(app, ash):
    with app.app_context():
        boiler = boiler_of(ash)
        store(boiler.sensors["temperature"], [50.0] * 192, MIDNIGHT - timedelta(days=1))
        boiler.note(ONE, boiler=replace(boiler.data, volume_l=30.0))
        # another way of drawing is no other tank
        boiler.note(DAY, boiler=replace(boiler.data, tapping_profile="L"))
        assert _begun(boiler) == ONE
        boiler.change_history(lambda _: "x")
        assert _begun(boiler) is None
        assert tanks_seen([boiler], MIDNIGHT + timedelta(days=1))[0].nights == 0


def test_a_day_is_learned_from_by_the_boiler_that_was_there(app, ash, boilers):
    """By a tank of 500 l, the same cooling would be draw-offs of six times the heat."""
    with app.app_context():
        boiler = boiler_of(ash)
        db.session.execute(db.delete(TimedBelief).filter_by(sensor_id=boiler.sensors["demand"].id))
        measure(boiler, "temperature", 50 + np.linspace(0, -12, 108), MIDNIGHT - timedelta(hours=2))
        measure(boiler, "fill-rate", [0.0] * 108, MIDNIGHT - timedelta(hours=2))
    sums = []
    for volume_l in (80.0, 500.0):
        with app.app_context():
            change_boiler(boiler_of(ash), {"volume_l": volume_l}, {})
            db.session.commit()
        assert "The day counts for 1 of 1 boilers." in boilers("learn", "--date", DAY).output
        with app.app_context():
            sums.append(float(stored(ash["boiler"], "demand").sum()))
    assert sums[1] == pytest.approx(sums[0])
    assert sums[0] > 0


# --- what others have written


RUBBISH = ["x", [1], {"tariff": 3}, {"boiler": [{"until": "2026-01-01", "value": {"volume_l": 1e9}}]}]


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_a_broken_history_is_told_and_hurts_nobody(app, call, flexmeasures, boilers, ash, statement, rubbish):
    elm = call("POST", **household("Elm", tariff="Flat")).json
    with app.app_context():
        report_day(boiler_of(elm))
        asset = db.session.get(Asset, ash["boiler"])
        asset.attributes = {**asset.attributes, history.ATTRIBUTE: rubbish}
        db.session.commit()
    listed = {each["account"]: each for each in call("GET").json["data"]}
    assert "history" in listed[ash["account"]]["problem"]
    assert (listed[elm["account"]]["problem"], listed[ash["account"]]["tariff"]) == (None, "Flat")
    shown = call("GET", f"/{ash['account']}").json
    assert (shown["history"], shown["boiler"]["volume"]) == (None, "80 l")
    assert "flexmeasures smart-boiler upgrade" in shown["problem"]
    output = flexmeasures("smart-boiler", "report", "--date", DAY).output
    assert "1 of 2 reports" in output
    assert f"Boiler {ash['boiler']} (Boiler Ash), {DAY}: What is stored of boiler" in output
    assert flexmeasures("smart-boiler", "report").output.count("What is stored") == 1
    assert (statement(ash).status_code, statement(elm).status_code) == (422, 200)
    assert "1 of 2 boilers" in boilers("learn", "--date", DAY).output
    with app.app_context():
        # a plan needs no past
        plan, *_ = planned(scheduler_of(boiler_of(ash), temperature_at_start="45 °C"))
        assert plan.sum() > 0
        now = pd.Timestamp.now("UTC")
        facts = read_facts([boiler_of(ash), boiler_of(elm)], now, MIDNIGHT, MIDNIGHT + timedelta(hours=1))
        assert [each.price.tolist() for each in facts] == [[0.25] * 4] * 2
    assert boilers("show-customer", ash["account"]).exit_code == 1
    assert "what cannot be read of its history" in boilers("upgrade").output
    assert call("GET", f"/{ash['account']}").json["problem"] is None
    assert statement(ash).status_code == 200
    assert "Nothing to change" in boilers("upgrade").output


def test_customers_of_an_earlier_version_have_had_what_they_have_ever_since(app, call, ash, tariff, statement, boilers):
    with app.app_context():
        asset = db.session.get(Asset, ash["boiler"])
        asset.attributes = {name: value for name, value in asset.attributes.items() if name != history.ATTRIBUTE}
        db.session.commit()
    before = statement(ash).text
    assert "Nothing to change" in boilers("upgrade").output
    assert call("GET", f"/{ash['account']}").json["history"]["tariff"] == [{"from": None, "tariff": "Flat"}]
    tariff("Dear", 0.60)
    call("PATCH", f"/{ash['account']}", tariff="Dear", boiler={"volume": "120 l"})
    assert statement(ash).text == before


def test_the_price_of_a_household_itself_is_none_of_the_past_either(app, ash, statement):
    with app.app_context():
        boiler = boiler_of(ash)
        own = Sensor("free", unit="EUR/kWh", generic_asset=Asset(
            name="Neighbour's", owner=make_account("Neighbour"), generic_asset_type=boiler.asset.generic_asset_type
        ), event_resolution=timedelta(minutes=15), timezone="Europe/Amsterdam")  # fmt: skip
        db.session.add(own)
        db.session.flush()
        store(own, [0.0] * 96, MIDNIGHT)
        boiler.note(DAY + timedelta(days=1), tariff=own.id)
        db.session.commit()
    told = statement(ash, DAY).json["days"][0]["message"]
    assert "names no sensor of a price per energy" in told


def test_it_is_in_the_export_and_erased_with_the_customer(app, call, ash, tariff):
    tariff("Dear", 0.60)
    call("PATCH", f"/{ash['account']}", tariff="Dear")
    exported = call("GET", f"/{ash['account']}/export").json["assets"][0]["attributes"]
    assert len(exported[history.ATTRIBUTE]["tariff"]) == 1
    assert call("DELETE", f"/{ash['account']}", confirm="Ash").status_code == 200
    with app.app_context():
        assert db.session.query(Asset).filter(Asset.attributes.has_key(history.ATTRIBUTE)).count() == 0
