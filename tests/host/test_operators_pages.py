"""The operator's pages behind what a browser shows: forms, numbers, what a boiler's page says, and what they cost."""

import re
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from flexmeasures import Account, Asset
from flexmeasures.data import db
from itsdangerous import URLSafeTimedSerializer

from smart_boiler_plugin import jobs, stored
from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.fleet.runs import Run, note_run
from smart_boiler_plugin.money.totals import Money, totals_of
from smart_boiler_plugin.plan.noted import Note, note
from tests.factories import make_account, make_household_boiler, make_user, store
from tests.host.queries import counted_queries
from tests.host.watched import course, make_member, now, priced

PAGES = "/smart-boiler-plugin/"
TIMEZONE = "Europe/Amsterdam"


@pytest.fixture
def world(app):
    """Tokens by who it is, and ids of accounts by name. Operator A has Ash (well) and Birch (no plan), B has Cedar."""
    with app.app_context():
        moment = now()
        priced(moment)
        one, two = (make_account(f"Operator {letter}", roles=["Consultancy"]) for letter in "AB")
        found = {
            "A": make_user(one, "consultanta", roles=["consultant"])[1],
            "B": make_user(two, "consultantb", roles=["consultant"])[1],
            "reader": make_user(make_account("Readers"), "reader", roles=["admin-reader"])[1],
        }
        for operator, name, hours in ((one, "Ash", 30), (one, "Birch", 0), (two, "Cedar", 30)):
            boiler = make_member(operator, name, moment, temperature_c=course(), hours=hours)
            found[name] = boiler.asset.account_id
        db.session.commit()
    return found


class Visitor:
    """A browser of a user: keeps cookies, and knows the token of the forms of the last page."""

    def __init__(self, app, token):
        self.client, self.headers = app.test_client(), {"Authorization": token, "Accept": "text/html"}
        self.token = ""

    def get(self, path="", **query):
        """Return a page."""
        answer = self.client.get(PAGES + path, headers=self.headers, query_string=query)
        self.token = next(iter(re.findall(r'name="csrf_token" value="([^"]+)"', answer.text)), self.token)
        return answer

    def post(self, path, **form):
        """Return the answer to a form."""
        return self.client.post(PAGES + path, headers=self.headers, data=form)


def test_a_button_asks_for_plans_as_the_api_does_and_leads_back_to_what_was_shown(app, world, work):
    visitor = Visitor(app, world["A"])
    visitor.get()
    answer = visitor.post("plans", csrf_token=visitor.token, customer=world["Ash"], back="?state=well&page=1&job=old")
    assert answer.status_code == 303
    job = re.fullmatch(rf"{PAGES}\?state=well&job=(.+)", answer.location)[1]
    assert "of 1 boiler: 1 waiting for a worker" in visitor.get(state="well", job=job).text
    work()
    assert "Planned anew: 1 boiler." in visitor.get(job=job).text
    # nobody else is told of it
    assert "Planned anew" not in Visitor(app, world["B"]).get(job=job).text
    with app.app_context():
        ash = db.session.query(Asset).filter_by(account_id=world["Ash"]).one()
        assert stored.read(ash, "smart-boiler-plan")["why"] == "it was asked for"


def test_one_button_plans_all_that_have_no_plan(app, world, work):
    visitor = Visitor(app, world["A"])
    assert "Plan anew: 1 without plan or off it" in visitor.get().text
    job = visitor.post("plans", csrf_token=visitor.token, back="").location.partition("job=")[2]
    with app.app_context():
        birch = db.session.query(Asset).filter_by(account_id=world["Birch"]).one().id
        assert birch in [asset_id for _, asset_id in jobs.find(job).waiting]
    work()
    assert "Plan anew what needs it" in visitor.get().text


def test_a_form_without_the_token_of_the_page_is_refused(app, world):
    visitor, other = Visitor(app, world["A"]), Visitor(app, world["A"])
    visitor.get()
    other.get()
    for token in ({}, {"csrf_token": ""}, {"csrf_token": "x"}, {"csrf_token": other.token}):
        answer = visitor.post("plans", customer=world["Ash"], **token)
        assert answer.status_code == 400
        assert "Go back, load it again" in answer.text
    with app.app_context():
        assert jobs.all_jobs() == []


def test_who_may_not_plan_has_no_button_and_is_refused(app, world):
    reader = Visitor(app, world["reader"])
    text = reader.get().text
    assert "Ash" in text
    assert "Plan anew" not in text
    with reader.client.session_transaction() as session:
        # as the host's other forms would give it
        token = URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token").dumps(session["csrf_token"])
    assert reader.post("plans", csrf_token=token, customer=world["Ash"]).status_code == 403
    operator = Visitor(app, world["A"])
    operator.get()
    for customer in (world["Cedar"], 999_999, "1 OR 1", "-1", "9" * 30):
        assert operator.post("plans", csrf_token=operator.token, customer=customer).status_code == 404
    with app.app_context():
        assert jobs.all_jobs() == []


def test_pages_are_not_kept_and_run_no_script_but_the_hosts(app, world):
    for path in ("", f"boilers/{world['Ash']}"):
        headers = Visitor(app, world["A"]).get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        policy = dict(each.split(" ", 1) for each in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in policy["script-src"]
        # files, and no whole hosts that hold everybody's
        assert not re.search(r"https://[^/ ]+/?( |$)", policy["script-src"])


def test_an_address_shows_what_it_says(app, world):
    visitor = Visitor(app, world["A"])

    def shown(**query):
        return re.findall(r'<th role="rowheader"[^>]*><a [^>]*>([^<]*)</a>', visitor.get(**query).text)

    assert shown() == ["Birch", "Ash"]
    assert shown(**{"sort-by": "name"}) == ["Ash", "Birch"]
    assert shown(**{"sort-by": "name", "sort-dir": "desc"}) == ["Birch", "Ash"]
    assert shown(**{"sort-by": "coldest"}) == ["Ash", "Birch"]
    assert shown(state="well") == ["Ash"]
    assert shown(filter="irc") == ["Birch"]
    assert shown(filter="Boiler ash", page=7) == ["Ash"]
    assert shown(filter="cedar") == []
    assert "No boiler matches “nobody else”" in visitor.get(filter="nobody else").text
    assert "No boiler is in this state" in visitor.get(state="cold").text


def test_what_is_drawn_is_the_same_as_csv(app, world):
    text = Visitor(app, world["A"]).get("load.csv").text
    rows = [line.split(",") for line in text.splitlines()]
    assert rows[0] == ["start", "planned_kw", "metered_kw"]
    assert len(rows) == 1 + 36 * 4
    # of Ash alone: it is planned from now on, to heat after a day
    assert [float(planned) for _, planned, _ in rows[1:] if planned][:96] == [0.0] * 96


def test_statements_do_not_grow_with_the_boilers(app, world):
    def statements():
        with counted_queries(app) as queries:
            assert Visitor(app, world["A"]).get().status_code == 200
        return len(queries)

    statements()  # what is read once
    before = statements()
    with app.app_context():
        operator = db.session.query(Account).filter_by(name="Operator A").one()
        for number in range(12):
            make_member(operator, f"More {number}", now(), temperature_c=course())
    assert statements() == before < 60


def test_money_is_that_of_the_day_and_of_its_month_as_reported_last(app):
    with app.app_context():
        operator = make_account("Operator", roles=["Consultancy"])
        boilers = [make_member(operator, name, now(), hours=0) for name in ("Ash", "Birch", "Cedar")]
        day = date(2026, 3, 3)
        for boiler, costs, savings in zip(
            boilers, ([1.0, 2.0, 4.0], [8.0], []), ([0.5, 0.25, 1.0], [2.0], []), strict=True
        ):
            begin = pd.Timestamp("2026-03-04", tz=TIMEZONE) - timedelta(days=len(costs))
            for role, values in (("daily cost", costs), ("daily savings", savings)):
                if values:
                    store(boiler.sensors[role], values, begin, "reporter", recorded_at=begin + timedelta(days=9))
        # reported once more; and days before and after
        store(
            boilers[0].sensors["daily cost"],
            [3.0],
            pd.Timestamp("2026-03-03", tz=TIMEZONE),
            "reporter",
            pd.Timestamp("2026-03-20", tz=TIMEZONE),
        )
        for other in ("2026-02-28", "2026-03-04"):
            for role in ("daily cost", "daily savings"):
                store(boilers[1].sensors[role], [100.0], pd.Timestamp(other, tz=TIMEZONE), "reporter")
        ids = [boiler.asset.id for boiler in boilers]
        with counted_queries() as queries:
            totals = totals_of(ids, day, TIMEZONE)
        assert len(queries) == 1
        assert (totals.currency, totals.first, totals.elsewhere) == ("EUR", date(2026, 3, 1), 0)
        assert totals.of_last == Money(11.0, 3.0, 2, 2)
        assert totals.of_month == Money(14.0, 3.75, 4, 2)
        assert totals.of_last.baseline_cost == 14.0
        assert totals.of_last.saved_share == pytest.approx(3 / 14)
        assert totals.last_costs == {ids[0]: 3.0, ids[1]: 8.0}
        nothing = totals_of(ids, date(2025, 3, 3), TIMEZONE)
        assert (nothing.currency, nothing.of_last, nothing.of_last.saved_share) == (None, Money(), None)


def test_money_of_a_household_elsewhere_is_that_of_its_own_day_and_other_currencies_are_left_out(app):
    with app.app_context():
        operator = make_account("Operator", roles=["Consultancy"])
        lisbon = make_household_boiler(make_account("L", consultancy=operator), "L", timezone="Europe/Lisbon")
        pounds = [make_household_boiler(make_account("P", consultancy=operator), "P")]
        home = [make_household_boiler(make_account(name, consultancy=operator), name) for name in "AB"]
        for sensor in pounds[0].sensors.values():
            sensor.unit = "GBP" if sensor.unit == "EUR" else sensor.unit
        db.session.commit()
        for boiler, timezone in ((lisbon, "Europe/Lisbon"), *((each, TIMEZONE) for each in (*pounds, *home))):
            for role in ("daily cost", "daily savings"):
                store(boiler.sensors[role], [1.0, 10.0, 100.0], pd.Timestamp("2026-03-01", tz=timezone), "reporter")
        totals = totals_of([boiler.asset.id for boiler in (lisbon, *pounds, *home)], date(2026, 3, 2), TIMEZONE)
        assert (totals.currency, totals.elsewhere) == ("EUR", 1)
        assert totals.of_last == Money(30.0, 30.0, 3, 3)
        assert totals.of_month == Money(33.0, 33.0, 6, 3)


def test_money_names_what_it_is_from(app, world):
    with app.app_context():
        boiler = Boiler(db.session.query(Asset).filter_by(account_id=world["Ash"]).one())
        midnight = pd.Timestamp(pd.Timestamp.now(TIMEZONE).date() - timedelta(days=1), tz=TIMEZONE)
        for role, value in (("daily cost", 0.75), ("daily savings", 0.25)):
            store(boiler.sensors[role], [value], midnight, "reporter", recorded_at=midnight)
    text = Visitor(app, world["A"]).get().text
    assert re.findall(r"<td>([^<]*)<span>([^<]*)</span>", text) == 2 * [("€0.25", "25\N{NO-BREAK SPACE}%")]
    days = midnight.day
    assert f"From 1 of 2 boilers yesterday, and 1 of {2 * days} boiler-days" in " ".join(text.split())
    assert re.findall(r'sb-num">([^<]*)</td>\s*<td role="cell" class="sb-act', text) == ["\N{EN DASH}", "€0.75"]


def test_a_boilers_page_says_what_its_plans_rest_on_and_who_changed_what(app, world):
    moment = now()
    with app.app_context():
        asset = db.session.query(Asset).filter_by(account_id=world["Ash"]).one()
        asset_id = asset.id
        at = (moment - timedelta(minutes=1)).to_pydatetime()
        note({asset.id: Note(at + timedelta(days=1), "its <i>prices</i> are known further ahead", {})}, at, at)
        Boiler(asset).change_comfort({"hygiene": {"off": "it is a test"}})
        db.session.commit()
    text = Visitor(app, world["A"]).get(f"boilers/{world['Ash']}").text
    for told in (
        "A plan starts from the reading of",
        "What is drawn is",
        "NL spot tariff",
        "Switched off: it is a test",
        "its &lt;i&gt;prices&lt;/i&gt; are known further ahead",
        "Changed comfort: hygiene",
        "the server",
    ):
        assert told in text, told
    today = pd.Timestamp.now(TIMEZONE).normalize()
    window = re.search(rf'href="/assets/{asset_id}/graphs\?start_time=([^&]*)&amp;end_time=([^"]*)"', text).groups()
    assert [pd.Timestamp(each.replace("%2B", "+")) for each in window] == [
        today,
        (today + timedelta(days=2, hours=3)).normalize(),
    ]
    chart = re.search(r'<script type="application/json" id="boiler">(.*?)</script>', text)[1]
    # of what nothing is known there is no box
    assert ('"price"' in chart, '"measured"' in chart, '"metered"' in chart) == (True, True, False)


def test_the_page_of_a_broken_boiler_says_what_is_wrong(app, world):
    with app.app_context():
        asset = db.session.query(Asset).filter_by(account_id=world["Ash"]).one()
        asset.attributes = {
            **asset.attributes,
            "smart-boiler": {"volume_l": "a lot"},
            "smart-boiler-plan": {"history": [["x", "y"], 5]},
        }
        db.session.commit()
    answer = Visitor(app, world["A"]).get(f"boilers/{world['Ash']}")
    assert answer.status_code == 200
    assert "is wrong" in answer.text
    assert "<td>y</td>" in answer.text


def test_the_service_is_told_in_words(app, world):
    with app.app_context():
        operator = db.session.query(Account).filter_by(name="Operator A").one()
        note_run(operator, Run(now().to_pydatetime(), 5, 1, 2))
        db.session.commit()
    text = " ".join(Visitor(app, world["A"]).get().text.split())
    assert "Prices known until" in text
    assert re.search(
        r"Last run [^:]*:\d\d: 6 planned, <a href=\"\?state=no_plan#list\">2 failed</a>",
        text.replace("\N{NO-BREAK SPACE}", " "),
    )
    assert "No worker is alive" in text
    assert np.all([word in text for word in ("Cold", "Fault", "No plan", "Silent", "Off plan", "Well")])
