"""Reports of days of other time zones, and of days on which the clock changes."""

from datetime import date, timedelta

import pandas as pd
import pytest
from flexmeasures import Asset
from flexmeasures.data import db

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.changing import change_boiler
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.clock.days import midnights
from smart_boiler_plugin.money import accounting
from smart_boiler_plugin.money.reporter import BoilerSavingsReporter
from tests.factories import make_account, make_household_boiler, make_user, store, taken_on_long_ago
from tests.host.days import DAY, MIDNIGHT, measure, stored
from tests.host.queries import counted_queries

YESTERDAY = ("--date", DAY)


@pytest.fixture
def far_away(app, fleet):
    """A function that makes boilers in a time zone; their power on the day is known."""

    def make(count, timezone="America/Los_Angeles"):
        with app.app_context():
            owner = make_account(f"Far away {count}", roles=[CUSTOMER_ROLE])
            start = midnights(DAY, timezone)[0]
            for number in range(count):
                boiler = make_household_boiler(owner, f"Boiler far away {number}")
                taken_on_long_ago(boiler.asset)
                for sensor in boiler.sensors.values():
                    sensor.timezone = timezone
                measure(boiler, "fill-rate", [1.0] * 96, start)
            return owner.id, boiler.asset.id

    return make


def test_a_day_that_is_not_over_yet_where_a_boiler_is_waits(app, flexmeasures, far_away, fleet, monkeypatch):
    _, asset = far_away(1)
    # 22:15 of the day in Los Angeles
    monkeypatch.setattr(accounting, "server_now", lambda: pd.Timestamp("2025-10-29T06:15+01:00"))
    result = flexmeasures("smart-boiler", "report", *YESTERDAY)
    assert f"(Boiler far away 0), {DAY}: {DAY} is not over yet in America/Los_Angeles." in result.output
    with app.app_context():
        assert len(stored(asset, "daily cost")) == 0
        assert len(stored(fleet["A"], "daily cost")) == 1


def test_without_a_date_it_is_the_last_day_that_is_over_where_each_boiler_is(
    app, flexmeasures, far_away, fleet, monkeypatch
):
    customer, asset = far_away(1)
    monkeypatch.setattr(accounting, "server_now", lambda: pd.Timestamp("2025-10-29T06:15+01:00"))
    assert "2 of 4 reports (4 boilers, 1 days)" in flexmeasures("smart-boiler", "report").output
    result = flexmeasures("smart-boiler", "report", "--customer", customer)
    assert f"(Boiler far away 0), {DAY - timedelta(days=1)}: No" in result.output
    with app.app_context():
        assert len(stored(fleet["A"], "daily cost")) == 1
    monkeypatch.setattr(accounting, "server_now", lambda: pd.Timestamp("2025-10-29T08:15+01:00"))
    flexmeasures("smart-boiler", "report", "--customer", customer)
    with app.app_context():
        assert len(stored(asset, "daily cost")) == 1


def test_boilers_in_several_time_zones_are_read_at_once_as_well(app, flexmeasures, far_away, fleet):
    selects = []
    for count in (2, 5):
        far_away(count, "Europe/Lisbon")
        flexmeasures("smart-boiler", "report", *YESTERDAY)
        with app.app_context(), counted_queries() as queries:
            flexmeasures("smart-boiler", "report", *YESTERDAY)
        selects.append(sum(query.lstrip().startswith("SELECT") for query in queries))
    # three more boilers, whose sensors would be read one by one
    assert selects[1] - selects[0] < 3


@pytest.mark.parametrize("timezone", ["Europe/Lisbon", "Europe/Helsinki"])
def test_the_pages_key_figures_count_each_day_once_also_after_a_change_of_time_zone(app, flexmeasures, fleet, timezone):
    with app.app_context():
        boiler = Boiler(db.session.get(Asset, fleet["C"]))
        customer, _, token = boiler.asset.account_id, *make_user(boiler.asset.owner, "client")
        begin = MIDNIGHT - timedelta(days=2)
        store(boiler.price, [0.2] * 500, begin, recorded_at=MIDNIGHT + timedelta(days=1))
        measure(boiler, "fill-rate", [1.0] * 500, begin)
    days = ("--from", DAY - timedelta(days=1), "--until", DAY + timedelta(days=1), "--customer", customer)
    assert "3 of 3 reports" in flexmeasures("smart-boiler", "report", *days).output
    with app.app_context():
        change_boiler(Boiler(db.session.get(Asset, fleet["C"])), {}, {"timezone": timezone})
        db.session.commit()
    for reported in (DAY, DAY - timedelta(days=1), DAY + timedelta(days=1)):
        flexmeasures("smart-boiler", "report", "--date", reported, "--customer", customer)
        span = {"start": begin.isoformat(), "end": (begin + timedelta(days=6)).isoformat()}
        url = f"/api/v3_0/assets/{fleet['C']}/kpis"
        cost, _ = app.test_client().get(url, query_string=span, headers={"Authorization": token}).json["data"]
        # three days of 24 kWh at 0.20 EUR/kWh
        assert cost["downsample_value"] == pytest.approx(14.4)


@pytest.mark.parametrize(
    ("timezone", "day", "hours"),
    [
        ("Europe/Amsterdam", date(2025, 3, 30), 23),
        ("Europe/Amsterdam", date(2025, 10, 26), 25),
        # where the clock changes at midnight: one day begins at 01:00, the other has two midnights
        ("Atlantic/Azores", date(2025, 3, 30), 23),
        ("Atlantic/Azores", date(2025, 10, 26), 25),
    ],
)
def test_days_around_a_change_of_the_clock_are_reported_in_their_own_length(app, flexmeasures, timezone, day, hours):
    first, last = day - timedelta(days=1), day + timedelta(days=1)
    begin = midnights(first, timezone)[0]
    with app.app_context():
        boiler = make_household_boiler(make_account("Client", roles=[CUSTOMER_ROLE]), "Boiler")
        for sensor in boiler.sensors.values():
            sensor.timezone = timezone
        store(boiler.price, [0.2] * (48 + hours) * 4, begin)
        measure(boiler, "fill-rate", [1.0] * (48 + hours) * 4, begin)
        _, token = make_user(boiler.asset.owner, "client")
        asset = boiler.asset.id
    result = flexmeasures("smart-boiler", "report", "--from", first, "--until", last)
    assert "3 of 3 reports (1 boilers, 3 days) are stored." in result.output
    for each, length in ((first, 24), (day, hours), (last, 24)):
        start, end = midnights(each, timezone)
        assert end - start == timedelta(hours=length)
        url, span = f"/api/v3_0/assets/{asset}/kpis", {"start": start.isoformat(), "end": end.isoformat()}
        cost, _ = app.test_client().get(url, query_string=span, headers={"Authorization": token}).json["data"]
        # 1 kW at 0.20 EUR/kWh
        assert cost["downsample_value"] == pytest.approx(0.2 * length)
    with app.app_context():
        sensors = Boiler(db.session.get(Asset, asset)).sensors
        parameters = {
            "input": [{"sensor": sensors["fill-rate"].id}],
            "output": [{"sensor": sensors["daily savings"].id}],
            "start": begin.isoformat(),
            "end": midnights(last, timezone)[1].isoformat(),
        }
        (found,) = BoilerSavingsReporter().compute(parameters=parameters)
        assert [account.electricity_kwh for account in found["accounts"]] == pytest.approx([24, hours, 24])
