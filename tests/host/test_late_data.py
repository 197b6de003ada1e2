"""Data that come late are found by the next report without a date: power, temperatures, draw-offs, prices."""

from datetime import timedelta

import pandas as pd
import pytest
from flexmeasures import Asset
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE, boilers_of
from smart_boiler_plugin.money import accounting
from smart_boiler_plugin.money.late import DAYS, late_days
from smart_boiler_plugin.money.report import report
from smart_boiler_plugin.money.statements import statement_of
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor
from tests.factories import make_account, make_household_boiler, store
from tests.host.days import DAY, MIDNIGHT, follow_thermostat, measure, prices, stored
from tests.host.queries import counted_queries

ROLES = {"daily cost": "cost", "daily savings": "savings"}


@pytest.fixture
def today(monkeypatch):
    """A function that lets it be the morning after a day, and a moment later than all that is recorded now."""

    def let(day):
        morning = pd.Timestamp(day, tz="Europe/Amsterdam") + timedelta(hours=30)
        monkeypatch.setattr(accounting, "server_now", lambda: morning)

    let(DAY)
    return let


@pytest.fixture
def boiler(app, today):
    """A boiler that took half of its thermostat's power on the day, of which half is known, in an app context."""
    with app.app_context():
        owner = make_account("Client", roles=[CUSTOMER_ROLE])
        boiler = make_household_boiler(owner, "Boiler")
        store(boiler.price, prices(), MIDNIGHT)
        power, drawn, states = follow_thermostat(boiler)
        measure(boiler, "fill-rate", power[:48], MIDNIGHT)
        measure(boiler, "demand", drawn, MIDNIGHT)
        start_c = boiler.data.tank.temperature_c(states[0])
        measure(boiler, "temperature", [start_c, start_c], MIDNIGHT - timedelta(minutes=15))
        yield boiler


def now_later(sensor, values, start, source="gateway"):
    """Store what comes in now."""
    store(sensor, values, start, source_type=source, recorded_at=pd.Timestamp.now("UTC"))


def reported(boiler, role, day=DAY):
    """What is stored of a day; None where nothing is."""
    db.session.expire_all()
    values = stored(boiler.asset.id, role)
    starts = pd.DatetimeIndex(values.index.get_level_values("event_start")).tz_convert("Europe/Amsterdam")
    of_day = values[starts.date == day]
    return of_day.iloc[0] if len(of_day) else None


def agrees(boiler, day=DAY):
    """Whether what is stored of a day is what its statement says."""
    (account,) = statement_of(Boiler(db.session.get(Asset, boiler.asset.id)), day, day).days
    # what differs by less is not stored anew
    return all(
        reported(boiler, role, day) == pytest.approx(getattr(account, name), rel=0, abs=1e-9)
        for role, name in ROLES.items()
    )


def ran(today, day, **options):
    """Which days a report without a date reports anew on the morning after a day."""
    today(day)
    return [(outcome.day, outcome.problem) for outcome in report(**options) if outcome.late]


LATER = DAY + timedelta(days=1)


def test_half_of_a_days_power_that_comes_after_the_report_is_in_the_next_one(boiler, today):
    """Field case 17."""
    assert ran(today, DAY) == []
    power, *_ = follow_thermostat(boiler)
    half, whole = (float(prices()[:n] @ power[:n] / 4) for n in (48, 96))
    assert reported(boiler, "daily cost") == pytest.approx(half)
    now_later(boiler.sensors["fill-rate"], power[48:], MIDNIGHT + timedelta(hours=12))
    assert not agrees(boiler)
    assert ran(today, LATER) == [(DAY, "")]
    assert reported(boiler, "daily cost") == pytest.approx(whole)
    assert agrees(boiler)
    assert ran(today, LATER) == []


def late_temperature(boiler):
    now_later(boiler.sensors["temperature"], [40.0] * 96, MIDNIGHT)


def temperature_of_the_day_before(boiler):
    now_later(boiler.sensors["temperature"], [41.0] * 8, MIDNIGHT - timedelta(hours=25))


def temperature_after_the_day(boiler):
    now_later(boiler.sensors["temperature"], [41.0], MIDNIGHT + timedelta(hours=24))


def late_draw_offs(boiler):
    now_later(boiler.sensors["demand"], [0.1] * 96, MIDNIGHT)


def corrected_power(boiler):
    now_later(boiler.sensors["fill-rate"], [0.5] * 96, MIDNIGHT)


def late_prices(boiler):
    now_later(boiler.price, [0.5] * 96, MIDNIGHT, source="market")


def plan_made_afterwards(boiler):
    now_later(boiler.sensors["fill-rate"], [0.7] * 96, MIDNIGHT, source="scheduler")


KINDS = [
    *(late_temperature, temperature_of_the_day_before, temperature_after_the_day, late_draw_offs, corrected_power),
    *(late_prices, plan_made_afterwards),
]


@pytest.mark.parametrize("comes", KINDS, ids=[each.__name__ for each in KINDS])
def test_whatever_comes_late_is_found_and_then_stored_and_stated_agree(boiler, today, comes):
    ran(today, DAY)
    comes(boiler)
    assert (DAY, "") in ran(today, LATER)
    assert agrees(boiler)
    assert ran(today, LATER) == []


def forecast_of_draw_offs(boiler):
    now_later(boiler.sensors["demand"], [0.3] * 96, MIDNIGHT, source="forecaster")


def inferred_draw_offs(boiler):
    now_later(boiler.sensors["demand"], [0.3] * 96, MIDNIGHT, source="inferred")


def forecast_of_prices(boiler):
    now_later(boiler.price, [0.9] * 96, MIDNIGHT, source="forecaster")


def long_before(boiler):
    now_later(boiler.sensors["temperature"], [41.0], MIDNIGHT - timedelta(hours=27))


def long_after(boiler):
    now_later(boiler.sensors["temperature"], [41.0], MIDNIGHT + timedelta(hours=27))


OTHERS = [forecast_of_draw_offs, inferred_draw_offs, forecast_of_prices, long_before, long_after]


@pytest.mark.parametrize("comes", OTHERS, ids=[each.__name__ for each in OTHERS])
def test_what_no_account_rests_on_is_no_reason_to_report_anew(boiler, today, comes):
    ran(today, DAY)
    comes(boiler)
    assert ran(today, LATER) == []


def test_data_that_change_nothing_are_looked_at_once(boiler, today):
    ran(today, DAY)
    power, *_ = follow_thermostat(boiler)
    now_later(boiler.sensors["fill-rate"], power[:48], MIDNIGHT, source="another gateway")
    before = reported(boiler, "daily cost")
    rows = db.session.query(TimedBelief).count()
    assert ran(today, LATER) == [(DAY, "")]
    assert (reported(boiler, "daily cost"), db.session.query(TimedBelief).count()) == (before, rows)
    assert ran(today, LATER) == []


def test_what_was_on_its_way_when_a_day_was_reported_is_looked_for_once_more_after_an_hour(boiler, today):
    ran(today, DAY)
    sensor = boiler.sensors["fill-rate"]
    before = pd.Timestamp.now("UTC") - timedelta(minutes=30)
    # in a queue meanwhile
    store(sensor, [0.4] * 96, MIDNIGHT, source_type="queue", recorded_at=before)
    assert ran(today, LATER) == []
    # two hours later
    db.session.execute(db.update(TimedBelief).values(belief_horizon=TimedBelief.belief_horizon + timedelta(hours=2)))
    db.session.commit()
    assert ran(today, LATER) == [(DAY, "")]
    assert agrees(boiler)
    assert ran(today, LATER) == []


def test_a_day_that_could_not_be_reported_is_as_soon_as_it_can(app, today):
    with app.app_context():
        boiler = make_household_boiler(make_account("Client", roles=[CUSTOMER_ROLE]), "Boiler")
        (outcome,) = report()
        assert "No consumption price is known" in outcome.problem
        now_later(boiler.sensors["fill-rate"], [1.0] * 96, MIDNIGHT)
        # told once, when it was yesterday
        assert ran(today, LATER) == []
        now_later(boiler.price, [0.2] * 96, MIDNIGHT, source="market")
        assert ran(today, LATER) == [(DAY, "")]
        assert reported(boiler, "daily cost") == pytest.approx(4.8)
        assert ran(today, LATER) == []


def test_a_day_whose_data_are_not_believed_any_more_is_told(boiler, today):
    ran(today, DAY)
    now_later(boiler.sensors["fill-rate"], [1000.0] * 96, MIDNIGHT)
    ((day, problem),) = ran(today, LATER)
    assert day == DAY
    assert "more than its element can take" in problem


@pytest.mark.parametrize(("after", "found"), [(DAYS - 1, True), (DAYS, False)])
def test_it_looks_back_thirty_five_days(boiler, today, after, found):
    ran(today, DAY)
    late_prices(boiler)
    assert [day for day, _ in ran(today, DAY + timedelta(days=after))] == ([DAY] if found else [])


def test_of_others_nothing_is_reported(boiler, today):
    ran(today, DAY)
    late_prices(boiler)
    other = make_account("Other", roles=[CUSTOMER_ROLE])
    make_household_boiler(other, "Boiler of another")
    assert ran(today, LATER, customer=other) == []
    assert ran(today, LATER) == [(DAY, "")]


def test_the_price_of_another_tariff_is_no_reason_but_that_of_the_day_is(boiler, today):
    ran(today, DAY)
    former = boiler.price
    new = get_or_create_consumption_price_sensor("BE")
    boiler.note(LATER, tariff=former.id)
    boiler.asset.flex_context = {"consumption-price": {"sensor": new.id}}
    db.session.commit()
    now_later(new, [0.9] * 96, MIDNIGHT, source="market")
    assert ran(today, LATER) == []
    now_later(former, [0.3] * 96, MIDNIGHT, source="market")
    assert ran(today, LATER) == [(DAY, "")]
    assert agrees(boiler)


def test_a_household_that_writes_on_its_daily_cost_hides_nothing(boiler, today):
    ran(today, DAY)
    late_prices(boiler)
    for role in ROLES:
        store(boiler.sensors[role], [0.0], MIDNIGHT, "gateway", recorded_at=pd.Timestamp.now("UTC") + timedelta(days=1))
    assert ran(today, LATER) == [(DAY, "")]


def test_a_change_of_the_clock_moves_no_day(app, today):
    """The last Sunday of October has 25 hours; both days are reported, and what comes late is of one of them."""
    long = DAY - timedelta(days=2)
    begin = pd.Timestamp(long, tz="Europe/Amsterdam")
    with app.app_context():
        boiler = make_household_boiler(make_account("Client", roles=[CUSTOMER_ROLE]), "Boiler")
        store(boiler.price, [0.2] * 196, begin)
        measure(boiler, "fill-rate", [1.0] * 196, begin)
        today(long + timedelta(days=1))
        assert sorted(outcome.day for outcome in report()) == [long, long + timedelta(days=1)]
        now_later(boiler.sensors["fill-rate"], [0.5] * 4, begin + timedelta(hours=24))
        # with the last hour of the one the thermostat of the other warms up
        assert ran(today, DAY) == [(long, ""), (long + timedelta(days=1), "")]
        assert reported(boiler, "daily cost", long) == pytest.approx(0.2 * 24.5)


def test_they_are_found_by_as_many_statements_for_forty_boilers_as_for_three(app, today):
    with app.app_context():
        counts = []
        for number in (3, 40):
            owner = make_account(f"Client of {number}", roles=[CUSTOMER_ROLE])
            boilers = [make_household_boiler(owner, f"Boiler {i} of {number}") for i in range(number)]
            store(boilers[0].price, prices(), MIDNIGHT)
            for boiler in boilers:
                measure(boiler, "fill-rate", [1.0] * 4, MIDNIGHT)
            boilers = [Boiler(asset) for asset in boilers_of(customer=owner)]
            _ = [(boiler.price, boiler.sensors) for boiler in boilers]
            with counted_queries() as queries:
                found = late_days(boilers, LATER)
            assert len(found) == number
            counts.append(len(queries))
        assert counts == [4, 4], queries


def test_the_command_lists_them_apart(boiler, flexmeasures, today):
    flexmeasures("smart-boiler", "report")
    late_prices(boiler)
    today(LATER)
    output = flexmeasures("smart-boiler", "report").output
    assert "Reported anew, as data of these days came late:" in output
    assert "0 of 1 reports (1 boilers, 1 days) are stored." in output
