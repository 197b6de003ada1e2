"""A day that is over is corrected by a command of its own, with a reason in the audit log."""

from datetime import timedelta

import pytest
from flexmeasures import Asset
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog

from smart_boiler_plugin.boiler.asset import Boiler
from tests.factories import make_operator
from tests.host.days import DAY, stored
from tests.host.tariffs import add_kronor_tariff

ONE = DAY - timedelta(days=1)
WHY = ("--again", "--because", "on the wrong tariff")
BOTH = ("--from", ONE, "--until", DAY)


@pytest.fixture
def report(flexmeasures, ash):
    """A function that reports days of the customer."""
    return lambda *words: flexmeasures("smart-boiler", "report", "--customer", ash["account"], *words)


def costs_of(app, made):
    with app.app_context():
        return stored(made["boiler"], "daily cost").tolist()


def logged(app):
    with app.app_context():
        return [entry.event for entry in db.session.query(AssetAuditLog).order_by(AssetAuditLog.id)]


def test_a_day_is_reported_with_another_tariff_and_both_stored_and_stated_follow(app, ash, report, tariff, statement):
    tariff("Dear", 0.50)
    report(*BOTH)
    before, was = statement(ash).json["days"], costs_of(app, ash)
    result = report("--date", DAY, *WHY, "--tariff", "Dear")
    assert (result.exit_code, "1 of 1 reports" in result.output) == (0, True)
    one, two = statement(ash).json["days"]
    assert one == before[0]
    assert two["cost"] == pytest.approx(2 * before[1]["cost"], abs=1e-4)
    assert costs_of(app, ash) == pytest.approx([was[0], 2 * was[1]])
    assert logged(app)[-1] == (
        "Reported 2025-10-28 to 2025-10-28 again with tariff 'Dear', because 'on the wrong tariff'"
    )
    # now and after it, it is as it was
    with app.app_context():
        boiler = Boiler(db.session.get(Asset, ash["boiler"]))
        assert [boiler.on(DAY + timedelta(days=n)).price.generic_asset.name for n in (-1, 0, 1)] == [
            *("Flat", "Dear", "Flat")
        ]
        # a quarter has one cost
        assert len(boiler.sensors["cost"].search_beliefs()) == 192
    # again is harmless, and back again is possible
    report("--date", DAY, *WHY, "--tariff", "Dear")
    assert costs_of(app, ash) == pytest.approx([was[0], 2 * was[1]])
    report("--date", DAY, *WHY, "--tariff", "Flat")
    assert costs_of(app, ash) == pytest.approx(was)
    assert statement(ash).json["days"] == before


def test_a_tank_that_was_entered_late_is_that_of_the_days_since(app, call, ash, report, statement):
    report(*BOTH)
    before = statement(ash).json["days"]
    call("PATCH", f"/{ash['account']}", boiler={"power": "3 kW"})
    report("--from", ONE, "--until", DAY, *WHY, "--boiler", '{"volume": "150 l", "energy_class": "A"}')
    with app.app_context():
        boiler = Boiler(db.session.get(Asset, ash["boiler"]))
        held = [boiler.on(DAY + timedelta(days=n)).data for n in (-2, -1, 0, 1, 10_000)]
        assert [each.volume_l for each in held] == [80, 150, 150, 80, 80]
        assert [each.energy_class for each in held] == ["C", "A", "A", "C", "C"]
        assert [each.power_kw for each in held] == [1.5, 1.5, 1.5, 1.5, 3]
    after = statement(ash).json["days"]
    assert [day["cost"] for day in after] == [day["cost"] for day in before]
    assert [day["baseline_cost"] for day in after] != [day["baseline_cost"] for day in before]
    with app.app_context():
        assert stored(ash["boiler"], "daily savings").tolist() == pytest.approx(
            [day["savings"] for day in after], abs=1e-4
        )
    assert "again with boiler volume_l 150.0, energy_class A, because" in logged(app)[-1]


def test_a_correction_within_changes_keeps_what_else_held_on_each_day(app, call, ash, report):
    with app.app_context():
        boiler = Boiler(db.session.get(Asset, ash["boiler"]))
        for until, volume in ((ONE, 30.0), (DAY, 50.0)):
            boiler.note(until, boiler=type(boiler.data)(volume_l=volume))
        db.session.commit()
    report("--from", ONE - timedelta(days=1), "--until", DAY, *WHY, "--boiler", '{"power": "2 kW"}')
    with app.app_context():
        boiler = Boiler(db.session.get(Asset, ash["boiler"]))
        held = [boiler.on(DAY + timedelta(days=n)).data for n in (-3, -2, -1, 0, 1)]
        assert [(each.volume_l, each.power_kw) for each in held] == [*((30, 1.5), (30, 2), (50, 2), (80, 2), (80, 1.5))]


def test_without_more_it_reports_what_is_known_now_and_says_why(app, ash, report, boilers, tmp_path):
    report(*BOTH)
    was = costs_of(app, ash)
    right = tmp_path / "right.json"
    right.write_text('{"parts": [{"rate": "0.125 EUR/kWh"}]}')
    boilers("change-tariff", "Flat", "--file", right, "--from", ONE, "--in-the-past")
    boilers("update-prices", "--tariff", "Flat", "--from-date", ONE, "--to-date", DAY)
    assert report(*BOTH, "--again", "--because", "a wrong rate").exit_code == 0
    assert costs_of(app, ash) == pytest.approx([cost / 2 for cost in was])
    assert logged(app)[-1] == "Reported 2025-10-27 to 2025-10-28 again, because 'a wrong rate'"


REFUSED = {
    "no reason": (("--again", *BOTH), 2, "Say why, for the audit log: --because"),
    "an empty reason": (("--again", "--because", " ", *BOTH), 2, "Say why, for the audit log: --because"),
    "a long reason": (("--again", "--because", "x" * 301, *BOTH), 2, "300 characters at most"),
    "two lines": (("--again", "--because", "x\ny", *BOTH), 2, "no line breaks"),
    "no days": (WHY, 2, "Say which days are to be reported again"),
    "no correction": (("--because", "x", *BOTH), 2, "--because is for corrections: give --again, too."),
    "a tariff alone": (("--tariff", "Flat", *BOTH), 2, "--tariff is for corrections: give --again, too."),
    "an unknown tariff": ((*WHY, *BOTH, "--tariff", "Green"), 1, "There is no tariff 'Green'"),
    "another currency": ((*WHY, *BOTH, "--tariff", "Oslo"), 1, "is in EUR, but the consumption price"),
    "no JSON": ((*WHY, *BOTH, "--boiler", "80 l"), 2, "--boiler is no JSON"),
    "no boiler": ((*WHY, *BOTH, "--boiler", '{"volume": "80 kW"}'), 1, "--boiler.volume: '80 kW' cannot be given in l"),
    "a list": ((*WHY, *BOTH, "--boiler", "[]"), 1, "--boiler"),
    "a contradiction": ((*WHY, *BOTH, "--boiler", '{"temperature_min": "70 °C"}'), 1, "must be below the ceiling"),
}


@pytest.mark.parametrize(("words", "code", "told"), REFUSED.values(), ids=REFUSED)
def test_a_correction_that_is_none_changes_nothing(app, ash, report, boilers, contents, words, code, told):
    if "Oslo" in words:
        add_kronor_tariff(app, boilers)
    before = contents()
    result = report(*words)
    assert (result.exit_code, told in result.output) == (code, True), result.output
    assert contents() == before


def test_a_correction_of_a_tariff_is_of_one_customer(ash, flexmeasures, contents):
    before = contents()
    result = flexmeasures("smart-boiler", "report", *WHY, *BOTH, "--tariff", "Flat")
    assert "--tariff is of one customer: give --customer, too." in result.output
    assert contents() == before


def test_the_tariff_of_another_operator_is_none(app, call, ash, report, tariff, contents):
    with app.app_context():
        rival, _ = make_operator("Rival", "rival")
    tariff("Theirs", 0.01, operator=rival)
    before = contents()
    assert "There is no tariff 'Theirs'" in report(*WHY, *BOTH, "--tariff", "Theirs").output
    assert contents() == before


def test_the_reason_is_erased_with_the_customer(app, call, report, ash):
    report("--date", DAY, "--again", "--because", "Mrs Ash has moved")
    assert call("GET", f"/{ash['account']}/export").text.count("Mrs Ash has moved") == 1
    call("DELETE", f"/{ash['account']}", confirm="Ash")
    assert not any("Mrs Ash" in event for event in logged(app))


def test_it_is_explained_with_examples(report):
    told = report("--help").output
    for words in ("--again", "--because", "35 days back", "on the wrong tariff since 1 February"):
        assert words in told
