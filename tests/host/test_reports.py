"""Reports of costs and savings: the fleet's command, and the reporters that the host finds."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from flexmeasures import Account, Asset, Source
from flexmeasures.data import db
from flexmeasures.data.models.reporting.profit import ProfitOrLossReporter
from flexmeasures.data.services.sensors import delete_sensor
from sqlalchemy import text

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.money import report as fleet_reports
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor
from tests.factories import make_account, make_household_boiler, make_user, store
from tests.host.days import DAY, MIDNIGHT, follow_thermostat, measure, prices, stored

YESTERDAY = ("--date", DAY)


def test_costs_and_savings_of_all_boilers_are_stored(app, flexmeasures, fleet):
    result = flexmeasures("smart-boiler", "report", *YESTERDAY)
    with app.app_context():
        boiler = Boiler(db.session.get(Asset, fleet["A"]))
        power_kw, _, _ = follow_thermostat(boiler)
        cost = prices() @ power_kw / 4
        assert stored(fleet["A"], "daily cost").tolist() == pytest.approx([cost])
        assert stored(fleet["A"], "cost").to_numpy() == pytest.approx(prices() * power_kw / 4)
        assert stored(fleet["A"], "daily savings").tolist() == pytest.approx([0], abs=1e-9)
        assert stored(fleet["B"], "daily cost").tolist() == pytest.approx([cost / 2])
        (event,) = stored(fleet["A"], "daily cost").index.get_level_values("event_start")
        assert event == MIDNIGHT
    assert result.exit_code == 1
    assert f"Boiler {fleet['C']} (Boiler C), {DAY}: No power is known" in result.output
    assert "2 of 3 reports (3 boilers, 1 days) are stored." in result.output
    assert f"{cost:.2f}" in result.output
    assert "100%" in result.output


def test_the_cost_of_a_day_counts_quarters_without_a_price_at_the_mean_as_its_account_does(app, flexmeasures):
    with app.app_context():
        boiler = make_household_boiler(make_account("Client", roles=[CUSTOMER_ROLE]), "Boiler")
        store(boiler.price, [0.2] * 24 + [0.3] * 24, MIDNIGHT)
        measure(boiler, "fill-rate", [1.0] * 96, MIDNIGHT)
        asset = boiler.asset.id
    result = flexmeasures("smart-boiler", "report", *YESTERDAY)
    with app.app_context():
        # 6 h at 0.20, 6 h at 0.30 and 12 h at their mean, 1 kW throughout
        assert stored(asset, "daily cost").tolist() == pytest.approx([1.2 + 1.8 + 3.0])
        assert stored(asset, "cost").tolist() == pytest.approx([0.05] * 24 + [0.075] * 24)
    assert " 6.00 " in result.output


def test_running_it_again_stores_nothing_and_counts_nothing_twice(app, flexmeasures, fleet, contents):
    flexmeasures("smart-boiler", "report", *YESTERDAY)
    before = contents()
    again = flexmeasures("smart-boiler", "report", *YESTERDAY)
    assert "2 of 3 reports" in again.output
    assert contents() == before


def test_a_correction_replaces_what_was_reported(app, flexmeasures, fleet):
    flexmeasures("smart-boiler", "report", *YESTERDAY, "--customer", customer_of(app, fleet["B"]))
    with app.app_context():
        boiler = Boiler(db.session.get(Asset, fleet["B"]))
        store(
            boiler.sensors["fill-rate"],
            [1.0] * 96,
            MIDNIGHT,
            source_type="gateway",
            recorded_at=MIDNIGHT + timedelta(9),
        )
    flexmeasures("smart-boiler", "report", *YESTERDAY, "--customer", customer_of(app, fleet["B"]))
    with app.app_context():
        assert stored(fleet["B"], "daily cost").tolist() == pytest.approx([prices().sum() / 4])


def customer_of(app, boiler_id):
    """Return the account id of a boiler's owner."""
    with app.app_context():
        return db.session.get(Asset, boiler_id).account_id


def test_the_reporter_is_the_hosts_and_its_source_that_of_a_report_from_the_command_line(app, flexmeasures, fleet):
    flexmeasures("smart-boiler", "report", *YESTERDAY)
    with app.app_context():
        sources = stored(fleet["A"], "daily cost").index.get_level_values("source")
        price = get_or_create_consumption_price_sensor("NL")
        config = {"consumption_price_sensor": price.id, "loss_is_positive": True}
        assert list(sources) == [ProfitOrLossReporter(config=config).data_source]
        assert sources[0].model == "ProfitOrLossReporter"
        assert db.session.query(Source).filter_by(model="ProfitOrLossReporter").count() == 1


def test_the_pages_key_figures_count_each_day_once_also_after_a_change_of_tariff(app, flexmeasures, fleet):
    customer = customer_of(app, fleet["A"])
    flexmeasures("smart-boiler", "report", *YESTERDAY, "--customer", customer)
    with app.app_context():
        boiler = Boiler(db.session.get(Asset, fleet["A"]))
        other = get_or_create_consumption_price_sensor("BE")
        store(other, [0.5] * 96, MIDNIGHT)
        boiler.asset.flex_context = {"consumption-price": {"sensor": other.id}}
        db.session.commit()
        _, token = make_user(boiler.asset.owner, "client")
        kwh = follow_thermostat(boiler)[0].sum() / 4
    result = flexmeasures("smart-boiler", "report", *YESTERDAY, "--customer", customer)
    assert result.exit_code == 0
    span = {"start": MIDNIGHT.isoformat(), "end": (MIDNIGHT + timedelta(days=1)).isoformat()}
    url = f"/api/v3_0/assets/{fleet['A']}/kpis"
    figures = app.test_client().get(url, query_string=span, headers={"Authorization": token}).json["data"]
    assert [figure["title"] for figure in figures] == ["Cost", "Savings"]
    assert figures[0]["unit"] == "EUR"
    assert figures[0]["downsample_value"] == pytest.approx(0.5 * kwh, abs=0.006)


def test_gaps_in_the_power_are_no_quarters_that_cost_nothing(app, flexmeasures, fleet):
    with app.app_context():
        boiler = Boiler(db.session.get(Asset, fleet["C"]))
        measure(boiler, "fill-rate", [1.0] * 8, MIDNIGHT)
        measure(boiler, "fill-rate", [1.0] * 8, MIDNIGHT + timedelta(hours=20))
    flexmeasures("smart-boiler", "report", *YESTERDAY)
    with app.app_context():
        assert len(stored(fleet["C"], "cost")) == 16
        assert stored(fleet["C"], "daily cost").iloc[0] == pytest.approx(
            (prices()[:8].sum() + prices()[80:88].sum()) / 4
        )


@pytest.mark.parametrize("broken", ["no price", "unknown price", "wrong data", "no daily savings", "no demand"])
def test_one_boilers_failure_stops_no_other(app, flexmeasures, fleet, broken):
    with app.app_context():
        asset = db.session.get(Asset, fleet["A"])
        if broken == "no price":
            asset.flex_context = {"consumption-price": "0.30 EUR/kWh"}
        elif broken == "unknown price":
            asset.flex_context = {"consumption-price": {"sensor": 999_999}}
        elif broken == "wrong data":
            asset.attributes = {**asset.attributes, "smart-boiler": {"volume_l": "much"}}
        else:
            delete_sensor(Boiler(asset).sensors[broken.removeprefix("no ")])
        db.session.commit()
    result = flexmeasures("smart-boiler", "report", *YESTERDAY)
    with app.app_context():
        assert len(stored(fleet["B"], "daily cost")) == 1
        if broken not in {"no daily savings", "no demand"}:
            assert len(stored(fleet["A"], "daily cost")) == 0
            assert f"Boiler {fleet['A']} (Boiler A), {DAY}: " in result.output
            assert result.exit_code == 1
        else:
            # it is made again, as after an update of the plugin
            assert len(stored(fleet["A"], "daily cost")) == 1
    assert "Traceback" not in result.output


def test_a_boiler_whose_report_the_database_refuses_stops_no_other_and_keeps_nothing(app, flexmeasures, fleet):
    with app.app_context():
        refused = Boiler(db.session.get(Asset, fleet["A"])).sensors["daily savings"].id
        db.session.execute(text(f"ALTER TABLE timed_belief ADD CONSTRAINT refuses CHECK (sensor_id <> {refused})"))
        db.session.commit()
        try:
            output = flexmeasures("smart-boiler", "report", *YESTERDAY).output
        finally:
            db.session.execute(text("ALTER TABLE timed_belief DROP CONSTRAINT refuses"))
            db.session.commit()
        assert f"(Boiler A), {DAY}: IntegrityError" in output
        assert "1 of 3 reports" in output
        assert "INSERT INTO" not in output
        for role in ("cost", "daily cost"):
            assert len(stored(fleet["A"], role)) == 0
            assert len(stored(fleet["B"], role)) > 0


def test_a_fill_rate_that_somebody_deleted_is_made_again_as_it_was(app, flexmeasures, fleet):
    with app.app_context():
        sensor = Boiler(db.session.get(Asset, fleet["A"])).sensors["fill-rate"]
        was = (sensor.timezone, sensor.unit, sensor.attributes)
        delete_sensor(sensor)
        db.session.commit()
    output = flexmeasures("smart-boiler", "report", *YESTERDAY).output
    assert f"(Boiler A), {DAY}: No power is known on {DAY}" in output
    with app.app_context():
        sensor = Boiler(db.session.get(Asset, fleet["A"])).sensors["fill-rate"]
        assert (sensor.timezone, sensor.unit, sensor.attributes) == was


def test_only_the_boilers_of_the_operator_or_customer_are_reported(app, flexmeasures, fleet):
    with app.app_context():
        operator = db.session.get(Asset, fleet["A"]).owner.consultancy_account_id
    result = flexmeasures("smart-boiler", "report", *YESTERDAY, "--operator", operator)
    assert "2 of 2 reports (2 boilers, 1 days)" in result.output
    assert result.exit_code == 0
    result = flexmeasures("smart-boiler", "report", *YESTERDAY, "--customer", customer_of(app, fleet["B"]))
    assert "1 of 1 reports" in result.output
    assert "Boiler A" not in result.output


def test_names_that_look_like_numbers_stay_as_they_are(app, flexmeasures, fleet):
    with app.app_context():
        boiler = Boiler(db.session.get(Asset, fleet["B"]))
        boiler.asset.name, boiler.asset.owner.name = "007", "1e3"
        db.session.commit()
    output = flexmeasures("smart-boiler", "report", *YESTERDAY, "--customer", customer_of(app, fleet["B"])).output
    assert f"{fleet['B']}         007     1e3 " in output


def test_reports_of_two_operators_at_once_make_one_source_each(app, flexmeasures, fleet):
    with app.app_context():
        operators = [db.session.get(Asset, fleet[name]).owner.consultancy_account_id for name in ("A", "C")]
        boiler = Boiler(db.session.get(Asset, fleet["C"]))
        measure(boiler, "fill-rate", [1.0] * 96, MIDNIGHT)
    together = Barrier(2)

    def report(operator):
        with app.app_context():
            db.session.execute(text("SELECT 1"))
            together.wait()
            try:
                return list(fleet_reports.report([DAY], operator=db.session.get(Account, operator)))
            finally:
                db.session.remove()

    with ThreadPoolExecutor() as pool:
        outcomes = [outcome for found in pool.map(report, operators) for outcome in found]
    assert [outcome.problem for outcome in outcomes] == ["", "", ""]
    with app.app_context():
        for model in ("ProfitOrLossReporter", "BoilerSavingsReporter"):
            assert db.session.query(Source).filter_by(model=model).count() == 1
    assert "3 of 3 reports" in flexmeasures("smart-boiler", "report", *YESTERDAY).output


def test_several_days_are_summed_up_per_boiler(app, flexmeasures, fleet):
    result = flexmeasures("smart-boiler", "report", "--from", DAY - timedelta(days=1), "--until", DAY)
    assert f"(Boiler A), {DAY - timedelta(days=1)}: No consumption price is known" in result.output
    assert "2 of 6 reports (3 boilers, 2 days)" in result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--date", "2199-01-01"], "2199-01-01 is not over yet"),
        (["--date", "2025-10-28", "--from", "2025-10-01"], "Give either --date, or --from and --until."),
        (["--from", "2025-10-28", "--until", "2025-10-01"], "--until (2025-10-01) is before --from (2025-10-28)"),
        (["--date", "1995-01-01"], "1995-01-01 is too early; 2000-01-01 is the first day that can be reported."),
        (["--customer", "99"], "There is no account 99."),
        (["--customer", "0"], "There is no account 0."),
        (["--operator", "0"], "There is no account 0."),
        (["--date", "tomorrow"], "does not match"),
    ],
)
def test_what_is_asked_for_wrongly_is_told(flexmeasures, fleet, words, said):
    result = flexmeasures("smart-boiler", "report", *words)
    assert result.exit_code == 2
    assert said in result.output


def test_without_boilers_it_says_so(flexmeasures):
    result = flexmeasures("smart-boiler", "report")
    assert result.exit_code == 1
    assert "There is no boiler" in result.output


def test_an_account_that_is_no_customer_is_refused(app, flexmeasures, fleet):
    with app.app_context():
        operator = db.session.get(Asset, fleet["A"]).owner.consultancy_account_id
    result = flexmeasures("smart-boiler", "report", "--customer", operator)
    assert f"Account {operator} is no boiler customer." in result.output


def test_it_tells_how_it_goes_and_how_to_call_it(flexmeasures, fleet):
    told = flexmeasures("smart-boiler", "report", *YESTERDAY).output
    assert "2 of 3 reports (3 boilers, 1 days) are stored." in told
    text = flexmeasures("smart-boiler", "report", "--help").output
    assert "flexmeasures smart-boiler report --date 2026-02-04" in text
