"""What households drew, learned once a day from what boilers reported of it."""

import re
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from flexmeasures import Asset
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE, boilers_of
from smart_boiler_plugin.facts.store import store as store_values
from smart_boiler_plugin.learning import daily
from smart_boiler_plugin.learning.daily import learn
from smart_boiler_plugin.learning.habits import habits
from smart_boiler_plugin.stored import ATTRIBUTE
from tests.factories import make_account, make_household_boiler, store
from tests.host.boilers import change_data
from tests.host.days import TIMEZONE, follow_thermostat, moments_of
from tests.host.queries import counted_queries

QUARTER = timedelta(minutes=15)
NOW = pd.Timestamp("2025-10-29 02:00", tz=TIMEZONE)
FALL, SPRING = date(2025, 10, 26), date(2026, 3, 29)
"""Days of 100 and of 92 quarters of an hour."""


def make_customer(name, timezone=TIMEZONE):
    """Make a boiler of a customer."""
    return make_household_boiler(make_account(name, roles=[CUSTOMER_ROLE]), name, timezone=timezone)


def report(boiler, day=FALL, *, silent=(), power=True):
    """Store what a boiler reported of a day under a thermostat, but for some quarters; return what was drawn [kWh]."""
    power_kw, drawn, states = follow_thermostat(boiler, day)
    read_c = boiler.data.tank.temperature_c(states)
    read_c[[quarter + 1 for quarter in silent]] = np.nan
    start, recorded_at = moments_of(day)[0], moments_of(day)[-1] + timedelta(hours=1)
    store(boiler.sensors["temperature"], read_c, start - QUARTER, "gateway", recorded_at)
    if power:
        store(boiler.sensors["fill-rate"], power_kw, start, "gateway", recorded_at)
    return drawn


def inferred(boiler):
    """Return what is stored of inferred draw-offs [kWh], one value per event."""
    sensor = boiler.sensors["demand"]
    found = sensor.search_beliefs(source_types=["inferred"], most_recent_beliefs_only=True)["event_value"]
    return pd.Series(found.to_numpy(), index=found.index.get_level_values("event_start").tz_convert(TIMEZONE))


def outcomes_of(day, now=NOW):
    return {outcome.name: outcome.what for outcome in learn(day, now=now)}


@pytest.mark.parametrize(("day", "quarters"), [(FALL, 100), (SPRING, 92)])
def test_a_day_teaches_what_was_drawn_when_and_stores_no_quarter_without_a_draw_off(app, day, quarters):
    with app.app_context():
        boiler, now = make_customer("A"), pd.Timestamp(day, tz=TIMEZONE) + timedelta(hours=30)
        drawn, moments = report(boiler, day), moments_of(day)
        assert len(moments) == quarters
        assert outcomes_of(day, now) == {"A": "learned"}
        found = inferred(boiler)
        assert found.iloc[0] == 0.0
        assert found.index[0] == moments[0]
        assert (found.iloc[1:] > 0).all()
        # 2.1 kWh; what is less than 1 K of 80 l, or 0.093 kWh, may not have shown yet
        assert found.sum() == pytest.approx(drawn.sum(), abs=0.1)
        # 0.525 kWh at half past nine
        assert found[f"{day} 21:30"] == pytest.approx(0.525, abs=0.14)


def test_each_boiler_has_its_outcome_and_none_spoils_that_of_another(app, flexmeasures):
    with app.app_context():
        drawn = report(make_customer("learned"))
        # after a silence, one more reading tells nothing: 89 and 90 of 100 quarters are known
        report(make_customer("few"), silent=range(40, 50))
        report(make_customer("just enough"), silent=range(40, 49))
        report(make_customer("powerless"), power=False)
        make_customer("unseen")
        metered = make_customer("metered")
        report(metered)
        store(metered.sensors["demand"], drawn, moments_of(FALL)[0], "gateway", NOW)
        away = make_customer("away")
        report(away)
        absence = {"away": {"from": "2025-10-26T20:00:00+01:00", "until": "2025-10-28T20:00:00+01:00"}}
        change_data(away, away.data, absence)
        back = make_customer("back")
        report(back)
        absence = {"away": {"from": "2025-10-20T20:00:00+02:00", "until": "2025-10-26T20:00:00+01:00"}}
        change_data(back, back.data, absence)
        broken = make_customer("broken")
        broken.asset.attributes = {**broken.asset.attributes, ATTRIBUTE: {"volume_l": -1}}
        renamed = make_customer("renamed")
        renamed.sensors["demand"].name = "Demand"
        make_customer("far", "America/New_York")
        db.session.commit()
        expected = {
            "learned": "learned",
            "few": "too few readings",
            "just enough": "learned",
            "powerless": "power not known",
            "unseen": "too few readings",
            "metered": "measured by a meter",
            "away": "away",
            "back": "away",
            "broken": "broken",
            "renamed": "broken",
            "far": "too few readings",
        }
        assert outcomes_of(FALL) == expected
        assert inferred(metered).to_dict() == {moments_of(FALL)[0]: 0.0}
        assert inferred(away).empty
        counts = habits([Boiler(asset) for asset in boilers_of() if asset.name in {"learned", "metered", "few"}], NOW)
        assert counts.days.tolist() == [0, 1, 1]
    told = flexmeasures("smart-boiler", "learn", "--date", FALL)
    assert told.exit_code == 1
    for line in ("learned +2 ", "too few readings +3 ", "away +2 ", "broken +2 ", "measured by a meter +1 "):
        assert re.search(line, told.output), told.output
    assert "The day counts for 3 of 11 boilers." in told.output
    assert re.search(r"Boiler \d+ \(renamed\): It has no sensor 'demand'", told.output)


def test_learning_a_day_again_stores_nothing_new_and_what_came_in_since(app):
    with app.app_context():
        boiler = make_customer("A")
        report(boiler)
        rows = db.session.query(TimedBelief)
        outcomes_of(FALL)
        before, count = inferred(boiler), rows.count()
        assert outcomes_of(FALL, NOW + timedelta(hours=1)) == {"A": "learned"}
        assert rows.count() == count
        # the gateway sends a correction: nothing was drawn at half past nine
        power_kw, _, states = follow_thermostat(boiler, FALL)
        evening = int(np.flatnonzero(moments_of(FALL) == pd.Timestamp(f"{FALL} 21:30", tz=TIMEZONE))[0])
        flat_c = boiler.data.tank.temperature_c(np.full(len(states) - evening - 1, states[evening]))
        start = moments_of(FALL)[evening]
        store(boiler.sensors["temperature"], flat_c, start, "gateway", NOW + timedelta(hours=2))
        store(boiler.sensors["fill-rate"], 0 * power_kw[evening:], start, "gateway", NOW + timedelta(hours=2))
        outcomes_of(FALL, NOW + timedelta(hours=3))
        after = inferred(boiler)
        assert before[start] > 0
        assert after[start] == 0.0
        assert after[after.index < start].to_dict() == before[before.index < start].to_dict()
        # they were away, as it turns out
        absence = {"away": {"from": "2025-10-25T20:00:00+02:00", "until": "2025-10-28T20:00:00+01:00"}}
        change_data(boiler, boiler.data, absence)
        assert outcomes_of(FALL, NOW + timedelta(hours=4)) == {"A": "away"}
        assert inferred(boiler).empty


def test_who_reports_changes_alone_teaches_too_though_nobody_said_so(app):
    with app.app_context():
        boiler = make_customer("A")
        power_kw, drawn, states = follow_thermostat(boiler, FALL)
        read_c, said_c = [], np.inf
        # twelve hours of cooling before
        for temperature_c in [*np.linspace(61, 57, 48), *boiler.data.tank.temperature_c(states)]:
            changed = abs(temperature_c - said_c) >= 0.5
            said_c = temperature_c if changed else said_c
            read_c.append(said_c if changed else np.nan)
        start, recorded_at = moments_of(FALL)[0], moments_of(FALL)[-1] + timedelta(hours=1)
        store(boiler.sensors["temperature"], read_c, start - 49 * QUARTER, "gateway", recorded_at)
        store(boiler.sensors["fill-rate"], [*[0.0] * 48, *power_kw], start - 48 * QUARTER, "gateway", recorded_at)
        assert outcomes_of(FALL) == {"A": "learned"}
        assert inferred(boiler).sum() == pytest.approx(drawn.sum(), abs=0.3)


def test_what_was_drawn_at_the_end_of_a_day_shows_in_the_first_reading_of_the_next(app):
    """Read once an hour, the last time at 23:00: 5 K of 80 l, or 0.4635 kWh, are missing at midnight."""
    with app.app_context():
        boiler, moments = make_customer("A"), moments_of(FALL)
        hours = pd.date_range(moments[0] - 4 * QUARTER, moments[-1] + QUARTER, freq="1h")
        read_c = np.full(4 * len(hours) - 3, np.nan)
        read_c[::4], read_c[-1] = 50.0, 45.0
        store(boiler.sensors["temperature"], read_c, hours[0], "gateway", NOW)
        # what is lost at 50 °C: 1.027 W/K * 30 K
        store(boiler.sensors["fill-rate"], np.full(len(read_c), 0.0308), hours[0], "gateway", NOW)
        assert outcomes_of(FALL) == {"A": "learned"}
        found = inferred(boiler)
        assert found[found > 0].index.tolist() == [pd.Timestamp(f"{FALL} 23:45", tz=TIMEZONE)]
        assert found.max() == pytest.approx(0.4635, abs=0.01)


def test_a_day_that_is_not_over_where_a_boiler_is_waits_and_yesterday_is_each_ones_own(app):
    with app.app_context():
        boiler, far = make_customer("A"), make_customer("far", "America/New_York")
        now = pd.Timestamp("2025-10-27 00:30", tz=TIMEZONE)
        report(boiler)
        assert outcomes_of(FALL, now) == {"A": "too few readings", "far": "the day is not over"}
        db.session.query(TimedBelief).update({"belief_horizon": timedelta(0)})
        db.session.commit()
        assert outcomes_of(FALL, now) == {"A": "learned", "far": "the day is not over"}
        assert outcomes_of(None, now)["A"] == "learned"
        assert outcomes_of(None, now)["far"] == "too few readings"
        assert far.timezone != boiler.timezone


def test_what_fails_for_one_boiler_stops_no_other(app, monkeypatch):
    with app.app_context():
        boiler = make_customer("A")
        report(boiler)
        ids = [make_customer(name).sensors["demand"].id for name in ("B", "C")]

        def picky(values, *arguments):
            if any(each.sensor.id in ids for each in values):
                raise RuntimeError("not this one\nand the whole statement")
            return store_values(values, *arguments)

        for name in ("B", "C"):
            report(Boiler(db.session.query(Asset).filter_by(name=name).one()))
        monkeypatch.setattr(daily, "store", picky)
        found = {outcome.name: outcome for outcome in learn(FALL, now=NOW)}
        assert {name: outcome.what for name, outcome in found.items()} == {"A": "learned", "B": "broken", "C": "broken"}
        assert found["B"].problem == "RuntimeError: not this one (the server's log has the details)"
        assert not inferred(boiler).empty


@pytest.mark.parametrize("count", [2, 20])
def test_learning_takes_as_many_statements_for_twenty_boilers_as_for_two(app, count):
    with app.app_context():
        owner = make_account("Client", roles=[CUSTOMER_ROLE])
        boilers = [make_household_boiler(owner, f"Boiler {number}") for number in range(count)]
        report(boilers[0])
        outcomes_of(FALL)
        db.session.expire_all()
        with counted_queries() as statements:
            outcomes_of(FALL)
        assert len(statements) == 14
