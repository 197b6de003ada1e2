"""What is known of households' habits: of what they drew in the last weeks, as measured or inferred."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from flexmeasures import Asset, Source
from flexmeasures.data import db

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.facts.drawn import read_drawn
from smart_boiler_plugin.facts.read import read_facts
from smart_boiler_plugin.facts.store import Values
from smart_boiler_plugin.facts.store import store as store_values
from smart_boiler_plugin.learning.habits import habits
from smart_boiler_plugin.learning.learn import usual
from tests.factories import make_account, make_household_boiler, store
from tests.host.days import TIMEZONE
from tests.host.queries import counted_queries

QUARTER = timedelta(minutes=15)
TODAY = pd.Timestamp("2025-10-29", tz=TIMEZONE)
"""The clock was turned back three days before."""
NOW = TODAY + timedelta(hours=2)


def days_ago(days, clock="00:00"):
    return pd.Timestamp(f"{TODAY.date() - timedelta(days=days)} {clock}", tz=TIMEZONE)


def infer(boiler, drawn, recorded_at=NOW):
    """Store draw-offs [kWh] by the start of their quarter, as learning does."""
    source = db.session.query(Source).filter_by(type="inferred").one_or_none() or Source(name="x", type="inferred")
    db.session.add(source)
    db.session.flush()
    moments = pd.DatetimeIndex(drawn)
    store_values([Values(boiler.sensors["demand"], moments, np.array(list(drawn.values())))], source, recorded_at)
    db.session.commit()


def drawn_by_day(boilers, now=NOW, days=4):
    """Return what was drawn [kWh] on each day, of each boiler; None of days that do not count."""
    found = {}
    for each in read_drawn(boilers, now, days):
        table = pd.DataFrame(each.drawn_kwh, index=each.moments.strftime("%m-%d"))
        for number, column in zip(each.numbers.tolist(), table, strict=True):
            by_day = table[column].groupby(level=0).sum(min_count=1).round(9)
            found[number] = {day: None if np.isnan(kwh) else kwh for day, kwh in by_day.items()}
    return [found[number] for number in range(len(boilers))]


@pytest.fixture
def client(app):
    """An account, in an app context."""
    with app.app_context():
        yield make_account("Client")


@pytest.fixture
def boiler(client):
    """A boiler without any data."""
    return make_household_boiler(client, "Boiler")


# --- reading what was drawn


def test_a_day_counts_where_its_first_quarter_says_what_was_drawn_and_elsewhere_nothing_was(boiler):
    infer(boiler, {days_ago(3): 0.0, days_ago(3, "07:30"): 0.5, days_ago(2, "07:30"): 0.7, days_ago(1): 0.2})
    assert drawn_by_day([boiler]) == [{"10-25": None, "10-26": 0.5, "10-27": None, "10-28": 0.2}]
    (drawn,) = read_drawn([boiler], NOW, 4)
    assert len(drawn.moments) == 4 * 96 + 4
    assert drawn.drawn_kwh[drawn.moments == days_ago(3, "07:30")].tolist() == [[0.5]]


def test_what_was_recorded_later_and_today_do_not_count(boiler):
    infer(boiler, {days_ago(2): 0.0, days_ago(1): 0.0, TODAY: 0.3})
    infer(boiler, {days_ago(2, "07:30"): 0.5}, recorded_at=NOW + timedelta(seconds=1))
    assert drawn_by_day([boiler], days=2) == [{"10-27": 0.0, "10-28": 0.0}]
    assert drawn_by_day([boiler], NOW + timedelta(seconds=1), days=2) == [{"10-27": 0.5, "10-28": 0.0}]


def test_where_a_meter_said_anything_of_a_day_it_alone_counts(boiler):
    infer(boiler, {days_ago(n): 0.0 for n in (1, 2, 3)} | {days_ago(n, "07:45"): 0.4 for n in (1, 2, 3)})
    # one that tells of draw-offs alone; and one that tells each quarter, and was silent from noon on
    store(boiler.sensors["demand"], [0.6], days_ago(2, "07:30"), "gateway", NOW)
    store(boiler.sensors["demand"], [0.0] * 47 + [0.1], days_ago(1), "gateway", NOW)
    assert drawn_by_day([boiler], days=3) == [{"10-26": 0.4, "10-27": 0.6, "10-28": 0.1}]
    (drawn,) = read_drawn([boiler], NOW, 1)
    assert np.isfinite(drawn.drawn_kwh).sum() == 48


def test_a_meter_that_is_not_believed_takes_nothing_away(boiler):
    infer(boiler, {days_ago(1): 0.0, days_ago(1, "07:45"): 0.4})
    # litres in place of kWh: 80 l hold 6.95 kWh at most
    store(boiler.sensors["demand"], [40.0], days_ago(1, "07:30"), "gateway", NOW)
    assert drawn_by_day([boiler], days=1) == [{"10-28": 0.4}]


def test_inferred_draw_offs_are_neither_measured_nor_expected_nor_forecast(boiler):
    infer(boiler, {days_ago(1): 0.0, days_ago(1, "07:45"): 0.4}, recorded_at=days_ago(2))
    store(boiler.sensors["fill-rate"], [1.0], days_ago(1), "inferred", NOW)
    (facts,) = read_facts([boiler], NOW, days_ago(1), TODAY)
    for known in (facts.demand_kwh, facts.expected_kwh, facts.forecast_kwh, facts.metered_kw, facts.planned_kw):
        assert np.isnan(known).all()


# --- habits


def test_habits_are_those_of_each_household_in_its_own_time_zone_and_order(client, boiler):
    far = make_household_boiler(client, "Far away", BoilerData(tapping_profile="M"), "America/New_York")
    # at 02:00 in Amsterdam it is 21:00 of the day before there
    half_past_seven = pd.Timestamp("2025-10-27 07:30", tz="America/New_York")
    infer(far, {half_past_seven.normalize(): 0.0, half_past_seven: 0.9})
    infer(boiler, {days_ago(1): 0.0, days_ago(2): 0.0, days_ago(1, "20:00"): 0.3})
    found = habits([far, boiler], NOW)
    assert found.days.tolist() == [1, 2]
    np.testing.assert_allclose(found.profile_weight, [3 / 4, 3 / 5])
    prior = habits([far, boiler], days_ago(2))
    assert prior.days.tolist() == [0, 0]
    # 0.9 kWh are in the sixth bin, 0.3 in the second; each weighs a third of a day
    more = found.draw_offs.probabilities - prior.draw_offs.probabilities * found.profile_weight[:, None]
    np.testing.assert_allclose(more[[29, 30, 31], 0, 5], 1 / 3 / 4)
    np.testing.assert_allclose(more[[79, 80, 81], 1, 1], 1 / 3 / 5)
    assert more[30, 1, 5] == pytest.approx(0)


def test_each_household_of_a_time_zone_begins_with_its_own_tapping_profile(client, boiler):
    large = make_household_boiler(client, "Large", BoilerData(tapping_profile="M"))
    found, expected = habits([boiler, large], NOW), usual(["S", "M"])
    np.testing.assert_allclose(found.draw_offs.probabilities, expected.probabilities)
    np.testing.assert_allclose(found.draw_offs.sizes_kwh, expected.sizes_kwh)


def test_of_no_boiler_nothing_is_known(app):
    with app.app_context():
        found = habits([], NOW)
        assert found.days.tolist() == []
        assert found.draw_offs.probabilities.shape == (96, 0, 24)


@pytest.mark.parametrize("count", [2, 20])
def test_habits_take_two_statements_however_many_boilers_there_are(client, count):
    ids = [make_household_boiler(client, f"Boiler {number}").asset.id for number in range(count)]
    db.session.expire_all()
    boilers = [Boiler(asset) for asset in db.session.query(Asset).filter(Asset.id.in_(ids))]
    with counted_queries() as statements:
        habits(boilers, NOW)
    assert len(statements) == 2
