"""What a report stores: the host's own numbers, by as few statements as can be, whatever is wrong with one boiler."""

from datetime import date

import pytest
from flexmeasures import Asset, Source
from flexmeasures.data import db
from flexmeasures.data.models.reporting.profit import ProfitOrLossReporter
from flexmeasures.data.models.time_series import TimedBelief
from sqlalchemy import text

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.clock.days import midnights
from smart_boiler_plugin.money.report import report
from tests.factories import make_account, make_household_boiler, store
from tests.host.days import DAY, MIDNIGHT, TIMEZONE, follow_thermostat, measure, prices, stored
from tests.host.queries import counted_queries


@pytest.fixture
def many(app):
    """A function that makes boilers of which power and price on the day are known; it returns their assets' ids."""

    def make(count):
        owner = make_account(f"Client of {count}", roles=[CUSTOMER_ROLE])
        boilers = [make_household_boiler(owner, f"Boiler {number}") for number in range(count)]
        store(boilers[0].price, prices(), MIDNIGHT)
        for boiler in boilers:
            measure(boiler, "fill-rate", [1.0] * 96, MIDNIGHT)
        return [boiler.asset.id for boiler in boilers]

    with app.app_context():
        yield make


@pytest.mark.parametrize(
    ("day", "quarters"), [(DAY, 96), (date(2025, 3, 30), 92), (date(2025, 10, 26), 100)], ids=["24 h", "23 h", "25 h"]
)
def test_the_hosts_own_reporter_comes_to_the_same_costs(app, day, quarters):
    start, end = midnights(day, TIMEZONE)
    with app.app_context():
        boiler = make_household_boiler(make_account("Client", roles=[CUSTOMER_ROLE]), "Boiler")
        # some prices are less than nothing
        store(boiler.price, prices(day) - 0.2, start)
        measure(boiler, "fill-rate", follow_thermostat(boiler, day)[0], start)
        (outcome,) = report([day])
        assert outcome.problem == ""
        reporter = ProfitOrLossReporter(config={"consumption_price_sensor": boiler.price.id, "loss_is_positive": True})
        by_quarter, by_day = reporter.compute(
            parameters={
                "input": [{"sensor": boiler.sensors["fill-rate"].id}],
                "output": [{"sensor": boiler.sensors[role].id} for role in ("cost", "daily cost")],
                "start": start.isoformat(),
                "end": end.isoformat(),
            }
        )
        for found, role, count in ((by_quarter, "cost", quarters), (by_day, "daily cost", 1)):
            ours, hosts = stored(boiler.asset.id, role), found["data"]["event_value"]
            assert len(ours) == count
            assert ours.index.get_level_values("event_start").equals(hosts.index.get_level_values("event_start"))
            assert ours.tolist() == pytest.approx(hosts.tolist(), rel=0, abs=1e-9)
        assert min(by_quarter["data"]["event_value"]) < -0.01
        # not one belief more: it is the same source
        assert db.session.query(Source).filter_by(model="ProfitOrLossReporter").count() == 1


@pytest.mark.parametrize("again", [False, True])
def test_thirty_boilers_take_as_many_statements_as_eleven(many, again):
    counts = []
    # more than a thousand values each, which go another way than a few
    for number in (11, 30):
        ids = many(number)
        customer = db.session.get(Asset, ids[0]).owner
        if again:
            list(report([DAY], customer=customer))
        before = db.session.query(TimedBelief).count()
        db.session.expire_all()
        with counted_queries() as queries:
            outcomes = list(report([DAY], customer=customer))
        assert [outcome.problem for outcome in outcomes] == [""] * number
        # costs of 96 quarters and of the day, and savings
        assert db.session.query(TimedBelief).count() - before == (0 if again else 98 * number)
        counts.append(len([query for query in queries if "timed_belief" in query]))
    assert counts[0] == counts[1]


def test_who_is_to_blame_is_found_by_halves_and_all_others_are_reported(many):
    ids = many(16)
    refused = Boiler(db.session.get(Asset, ids[5])).sensors["daily savings"].id
    db.session.execute(text(f"ALTER TABLE timed_belief ADD CONSTRAINT refuses CHECK (sensor_id <> {refused})"))
    db.session.commit()
    try:
        with counted_queries() as queries:
            outcomes = list(report([DAY]))
    finally:
        db.session.rollback()
        db.session.execute(text("ALTER TABLE timed_belief DROP CONSTRAINT refuses"))
        db.session.commit()
    assert {outcome.asset_id for outcome in outcomes if outcome.problem} == {ids[5]}
    assert {outcome.asset_id for outcome in outcomes} == set(ids)
    for asset in ids:
        assert [len(stored(asset, role)) for role in ("cost", "daily cost", "daily savings")] == (
            [0, 0, 0] if asset == ids[5] else [96, 1, 1]
        )
    # of 16, 8, 4, 2 and 1 boilers each, and not once for each of 16; and of the one COPY, of 16
    assert sum(query.startswith("SAVEPOINT") for query in queries) == 10
