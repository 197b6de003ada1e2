"""A household's own page over HTTP: what it shows in which state, what its forms do, and who may."""

import re
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from flexmeasures import Account, Asset
from flexmeasures.data import db
from flexmeasures.utils.time_utils import server_now

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.devices.pausing import pause
from smart_boiler_plugin.fleet.planning import plan_anew
from smart_boiler_plugin.stored import ATTRIBUTE
from smart_boiler_plugin.ui.household_door import ROOT, _come_first
from smart_boiler_plugin.ui.reader import UNKNOWN
from tests.factories import PASSWORD, make_account, make_user
from tests.host.boilers import stored_plan
from tests.host.queries import counted_queries
from tests.host.watched import course, make_member, now, priced, read

PAGE, HOME = "/smart-boiler-plugin/", "/smart-boiler-plugin/home"
LATER = timedelta(days=3)


class Town:
    """Operator "Noorderwarmte" with Ash, who is planned and warm, and Birch; operator "Rival"; an admin."""

    def __init__(self, app):
        self.app, self.now = app, now()
        with app.app_context():
            operator = make_account("Noorderwarmte", roles=["Consultancy"])
            make_user(operator, "operator", roles=["consultant"])
            make_user(make_account("Rival", roles=["Consultancy"]), "rival", roles=["consultant"])
            make_user(make_account("Administration"), "admin", roles=["admin"])
            priced(self.now, hours=48)
            self.operator_id = operator.id
        self.ash = self.household("Ash", temperature_c=course())
        self.clients, self.tokens = {}, {}

    def household(self, name, *, planned=True, **options):
        """Make a household of the operator's with a user of its name, and return the id of its account."""
        with self.app.app_context():
            operator = db.session.get(Account, self.operator_id)
            boiler = make_member(operator, name, self.now, hours=0, **options)
            make_user(boiler.asset.owner, name.lower())
            if planned:
                plan_anew([boiler.asset.id])
            return boiler.asset.account_id

    def client(self, who):
        """Return a client that is logged in as somebody; each logs in once."""
        if who not in self.clients:
            client = self.app.test_client()
            form = {"email": f"{who}@example.com", "password": PASSWORD, "csrf_token": token(client.get("/login"))}
            assert client.post("/login", data=form).status_code == 302
            self.clients[who] = client
        return self.clients[who]

    def get(self, who="ash", path=PAGE):
        """Return the answer to somebody who asks for a page."""
        return self.client(who).get(path)

    def send(self, form, who="ash", **fields):
        """Return the answer to somebody who sends a form of the page that they see."""
        client = self.client(who)
        if who not in self.tokens:
            self.tokens[who] = token(client.get(PAGE))
        return client.post(f"{HOME}/{form}", data={"csrf_token": self.tokens[who], **fields})

    def boiler(self, account_id=None):
        """Return a household's boiler, in an app context."""
        return Boiler(db.session.query(Asset).filter_by(account_id=account_id or self.ash).one())

    def local(self, ahead):
        """Return a time of the field, some time ahead."""
        return f"{self.now + ahead:%Y-%m-%dT%H:%M}"


def token(page):
    """Return the token of a page's forms; none where it has no form."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    return found[1] if found else ""


def main(page):
    """Return what stands on a page, as text."""
    shown = re.search(r"<main.*?</main>", page.text, re.DOTALL)[0]
    shown = re.sub(r"<script.*?</script>", " ", shown, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown)).replace("\xa0", " ").replace("&#39;", "'")


@pytest.fixture
def town(app):
    """The town."""
    return Town(app)


# --- where it is


def test_a_household_begins_on_its_page_and_its_menu_holds_what_it_can_use(town):
    begin = town.get("ash", "/")
    assert (begin.status_code, begin.location.rstrip("/")) == (302, PAGE.rstrip("/"))
    for path in (PAGE, "/logged-in-user"):
        menu = re.search(r"<nav.*?</nav>", town.get("ash", path).text, re.DOTALL)[0]
        assert "My boiler" in menu
        assert "/dashboard" not in menu
    operators = re.search(r"<nav.*?</nav>", town.get("operator", PAGE).text, re.DOTALL)[0]
    assert "Boilers" in operators
    assert "/dashboard" in operators
    assert town.get("operator", "/").location == "/dashboard"


@pytest.mark.parametrize("said", ["dashboard", [("assets", ["Consultancy"]), ("dashboard", [CUSTOMER_ROLE])]])
def test_who_says_where_people_begin_is_not_overruled(said):
    server = SimpleNamespace(config={ROOT: said})
    _come_first(server)
    first, *_, last = server.config[ROOT]
    assert first == (said if isinstance(said, str) else said[0])
    assert last == ("smart-boiler-plugin", [CUSTOMER_ROLE])


def test_the_page_tells_how_warm_what_next_and_what_it_costs(town):
    shown = main(town.get())
    # 80 l at the last of course(): 58.86 °C; 80 * 48.86 / 30 / 6
    assert "22 minutes of warm shower in the tank 59 °C, measured" in shown
    assert "Heats next " in shown
    assert re.search(r"at \d+ ct per kWh", shown)
    assert re.search(r"24 minutes of shower by .* Costs about €0\.\d\d", shown)
    page = town.get()
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"


def test_states_are_told_and_the_page_opens_in_all_of_them(town):
    town.household("Cold", temperature_c=np.full(96, 31.0))
    town.household("Never")
    town.household("Unplanned", temperature_c=course(), planned=False)
    town.household("Paused", temperature_c=course())
    with town.app.app_context():
        paused = db.session.query(Asset).filter_by(name="Boiler Paused").one()
        pause([paused.id], server_now() + timedelta(hours=2))
    shown = {name: main(town.get(name)) for name in ("cold", "never", "unplanned", "paused")}
    assert "0 minutes of warm shower, for now" in shown["cold"]
    assert f"{UNKNOWN} no reading yet We have not heard from your boiler yet." in shown["never"]
    assert "No plan for now. Your boiler's own thermostat keeps the water warm, at up to 60 °C" in shown["unplanned"]
    assert "Heats next" not in shown["unplanned"]
    assert "Paused until" in shown["paused"]
    assert "Warm now" not in shown["paused"]


def test_a_reading_of_hours_ago_is_an_estimate(town):
    with town.app.app_context():
        operator = db.session.get(Account, town.operator_id)
        boiler = make_member(operator, "Old", town.now - timedelta(hours=6), temperature_c=course(), hours=0)
        make_user(boiler.asset.owner, "old")
        plan_anew([boiler.asset.id])
    shown = main(town.get("old"))
    assert "≈ " in shown
    assert "of warm shower, estimated" in shown
    assert "Your boiler has not reported since" in shown
    assert "It still heats by plan." in shown
    assert "Noorderwarmte sees this, too." in shown


# --- what it does


def set_points(town, account_id=None):
    """Set-points that are planned from now on [°C]."""
    with town.app.app_context():
        begin = pd.Timestamp(server_now()).floor("15min")
        return stored_plan(town.boiler(account_id).sensors["set-point"], start=begin, hours=24)


def test_warm_now_reaches_the_plan_and_can_be_stopped(town):
    before = set_points(town)
    answer = town.send("warm")
    assert (answer.status_code, answer.location) == (302, f"{PAGE}?done=warm")
    with town.app.app_context():
        boost_until = town.boiler().comfort.boost_until
        assert timedelta(0) < boost_until - pd.Timestamp(server_now()) < timedelta(hours=1)
    during = set_points(town)[: boost_until - timedelta(minutes=1)]
    assert len(during)
    assert during.min() == pytest.approx(65.0, abs=1.0)
    assert before[: boost_until - timedelta(minutes=1)].max() < 64
    shown = main(town.get())
    assert "Heating now, warm at about" in shown
    assert "Need more soon?" not in shown
    stopped = town.send("stop")
    assert main(town.get(path=stopped.location)).startswith(" Hot water at home Your boiler heats by its plan again.")
    with town.app.app_context():
        assert town.boiler().comfort.boost_until is None
    assert set_points(town).iloc[0] == pytest.approx(before.iloc[0], abs=1.0)


def test_an_absence_reaches_the_plan_and_can_be_ended(town):
    with town.app.app_context():
        town.boiler().change_comfort(
            {"programme": [{"days": "daily", "from": "00:00", "until": "00:00", "temperature": "57 °C"}]}
        )
        db.session.commit()
        plan_anew([town.boiler().asset.id])
    assert set_points(town).min() > 50
    until = town.local(timedelta(hours=20))
    assert town.send("leave", until=until).status_code == 302
    with town.app.app_context():
        away = town.boiler().comfort.away
        assert f"{away.until:%Y-%m-%dT%H:%M}" == until
        assert away.begin <= pd.Timestamp(server_now()) < away.begin + timedelta(minutes=16)
    planned = set_points(town)
    assert planned[: away.until - timedelta(hours=4)].max() < 50
    assert planned[away.until - timedelta(minutes=15) :].max() >= 57
    assert "Away until" in main(town.get())
    assert town.send("back").status_code == 302
    assert set_points(town).min() > 50
    with town.app.app_context():
        assert town.boiler().comfort.away is None


def test_a_change_by_the_page_stands_in_the_audit_log_and_says_why_the_plan_is_new(town):
    town.send("warm")
    with town.app.app_context():
        asset = town.boiler().asset
        log = [entry.event for entry in db.session.execute(db.text("SELECT event FROM asset_audit_log"))]
        assert "Changed comfort: boost" in log
        assert asset.attributes["smart-boiler-plan"]["why"] == "the comfort was changed"


def week(*periods, useful="40", **more):
    """The fields of the form of the programme."""
    form = {"useful": useful, **more}
    for number, (days, begin, until, temperature) in enumerate(periods):
        form |= {f"days-{number}": days, f"from-{number}": begin, f"until-{number}": until}
        form[f"temperature-{number}"] = temperature
    return form


MORNING = (["mon", "tue"], "06:30", "08:30", "55")


def test_a_programme_is_shown_changed_and_taken_away(town):
    assert "Another time" in main(town.get(path=f"{HOME}/programme"))
    saved = town.send("programme", **week(MORNING, ([], "", "", "55"), useful="45"))
    assert (saved.status_code, saved.location) == (302, f"{PAGE}?done=week#week")
    with town.app.app_context():
        comfort = town.boiler().comfort
        (period,) = comfort.programme
        assert (period.days, period.temperature_c, comfort.useful_temperature_c) == ({0, 1}, 55.0, 45.0)
    shown = main(town.get(path=f"{PAGE}?done=week"))
    assert "Your programme was saved" in shown
    assert "Mon, Tue: 06:30 to 08:30, 55 °C" in shown
    form = town.get(path=f"{HOME}/programme").text
    assert 'value="06:30"' in form
    assert form.count("checked") == 2
    town.send("programme", **week(MORNING, useful="45", remove="0"))
    with town.app.app_context():
        assert town.boiler().comfort.programme == ()


WRONG = [
    (week(([], "06:30", "08:30", "55")), "Choose days"),
    (week(MORNING, (["mon"], "25:00", "08:30", "55")), "Choose days"),
    (week((["mon"], "", "08:30", "55")), "Choose days"),
    (week((["mon"], "06:30", "08:30", "hot")), "Choose days"),
    (week((["mon"], "06:30", "08:30", "1e9")), "Choose days"),
    (week((["mon", "<script>"], "06:30", "08:30", "55")), "Choose days"),
    (week(MORNING, useful="99"), "Choose a temperature from 35 to 55 °C"),
    (week(MORNING, useful="nan"), "Choose a temperature from 35 to 55 °C"),
    (week(MORNING, useful=""), "Choose a temperature from 35 to 55 °C"),
]


def test_a_programme_that_is_none_is_shown_again_with_what_is_wrong(town):
    for form, said in WRONG:
        answer = town.send("programme", **form)
        assert answer.status_code == 422, form
        assert "Not saved yet" in main(answer)
        assert said in main(answer), form
        assert "<script>" not in re.search(r"<main.*</main>", answer.text, re.DOTALL)[0]
    with town.app.app_context():
        assert town.boiler().comfort.programme == ()


def test_the_language_is_chosen_kept_and_spoken(town):
    for language, title in (("nl", "Warm water thuis"), ("de", "Warmes Wasser zu Hause"), ("en", "Hot water at home")):
        answer = town.send("speak", language=language)
        assert answer.status_code == 302
        page = town.get()
        assert title in main(page)
        assert f'lang="{language}"' in re.search(r"<main[^>]*>", page.text)[0]
        assert "%(" not in main(page)
        assert "%(" not in main(town.get(path=f"{HOME}/programme"))
    menu = re.search(r"<nav.*?</nav>", town.get().text, re.DOTALL)[0]
    assert "My boiler" in menu
    by_api = town.client("ash").patch(f"/smart-boiler-plugin/api/boiler-customer/{town.ash}", json={"language": "nl"})
    assert (by_api.status_code, by_api.json["language"]) == (200, "nl")
    assert town.send("speak", language="fr").status_code == 422
    assert town.send("speak").status_code == 422


def test_statement_and_data_are_links_that_work(town):
    page = town.get().text
    links = [link.replace("&amp;", "&") for link in re.findall(r'download[^>]*href="([^"]+)"', page)]
    statement, data = (town.get(path=link) for link in links)
    assert (statement.status_code, statement.mimetype) == (200, "text/csv")
    assert statement.text.startswith("day,electricity_kwh,cost")
    assert data.json["account"]["name"] == "Ash"


# --- who may


def test_another_households_page_is_nobodys_and_the_operators_is_read_only(town):
    town.household("Birch", temperature_c=course())
    path = f"{HOME}/{town.ash}"
    for who in ("operator", "admin", "ash"):
        assert "22 minutes" in main(town.get(who, path))
    assert "<form" not in re.search(r"<main.*</main>", town.get("operator", path).text, re.DOTALL)[0]
    assert [town.get(who, path).status_code for who in ("birch", "rival")] == [404, 404]
    assert town.app.test_client().get(path).status_code in (302, 401)
    assert town.app.test_client().get(PAGE).status_code in (302, 401)
    assert town.get("ash", f"{HOME}/99999999999").status_code == 404
    assert town.get("operator", f"{HOME}/programme").status_code == 404


FORMS = ("warm", "stop", "leave", "back", "speak", "programme")


def test_only_the_household_itself_sends_its_forms(town, contents):
    for who in ("operator", "rival", "admin"):
        town.client(who)
    before = contents()
    for who in ("operator", "rival", "admin"):
        # a token of their own, from another form
        own = token(town.get(who, "/reset")) or token(town.get(who, "/change")) or "none"
        for form in FORMS:
            answer = town.client(who).post(f"{HOME}/{form}", data={"csrf_token": own, "until": town.local(LATER)})
            assert answer.status_code in (400, 404), (who, form)
    assert contents() == before


def test_a_form_without_the_pages_own_token_does_nothing(town, contents):
    town.household("Birch", temperature_c=course())
    client, others = town.client("ash"), token(town.get("birch"))
    before = contents()
    for form in FORMS:
        for sent in ({}, {"csrf_token": ""}, {"csrf_token": "wrong"}, {"csrf_token": others}):
            fields = {**sent, "until": town.local(LATER), "language": "nl", "useful": "40"}
            assert client.post(f"{HOME}/{form}", data=fields).status_code == 400, (form, sent)
        assert client.get(f"{HOME}/{form}").status_code in (404, 405) or form == "programme"
    assert contents() == before


ABSURD = [
    "",
    "tomorrow",
    "2026-13-45T99:99",
    "0001-01-01T00:00",
    "1999-12-31T23:59",
    "9999-12-31T23:59",
    "2199-01-01T00:00",
    "2026-11-29T18:00+02:00",
    "x" * 10_000,
    "\x00",
    '"><script>alert(1)</script>',
]


def test_an_absurd_time_is_refused_in_words_and_changes_nothing(town):
    for until in ABSURD:
        answer = town.send("leave", until=until)
        assert answer.status_code == 422, until
        assert "Choose a day and a time that are to come, within a year." in main(answer)
        assert "<script>alert" not in answer.text
    with town.app.app_context():
        assert town.boiler().comfort.away is None


def test_an_account_or_a_boiler_that_is_named_beside_a_form_is_passed_over(town):
    birch = town.household("Birch", temperature_c=course())
    town.send("warm", account_id=birch, account=birch, asset=birch)
    with town.app.app_context():
        assert town.boiler(birch).comfort.boost_until is None
        assert town.boiler().comfort.boost_until is not None


RUBBISH = [
    {},
    {ATTRIBUTE: None},
    {ATTRIBUTE: []},
    {ATTRIBUTE: {"volume_l": "eighty"}},
    {ATTRIBUTE: {"comfort": {"boost": {"until": "9999-99-99"}}}},
    {"smart-boiler-history": {"boiler": "x", "tariff": 7}},
    {"smart-boiler-plan": "x"},
]
CONTEXTS = [{}, {"consumption-price": {"sensor": 10**12}}, {"consumption-price": "x"}]


def test_whatever_stands_with_the_asset_the_page_and_its_forms_give_no_500(town):
    with town.app.app_context():
        known = dict(town.boiler().asset.attributes)
    for rubbish in RUBBISH:
        stored = {**known, **rubbish} if rubbish else {}
        if isinstance(rubbish.get(ATTRIBUTE), dict):
            stored[ATTRIBUTE] = {**known[ATTRIBUTE], **rubbish[ATTRIBUTE]}
        with town.app.app_context():
            db.session.query(Asset).filter_by(account_id=town.ash).one().attributes = stored
            db.session.commit()
        opens(town, rubbish)
    for context in CONTEXTS:
        with town.app.app_context():
            asset = db.session.query(Asset).filter_by(account_id=town.ash).one()
            asset.attributes, asset.flex_context = known, context
            db.session.commit()
        opens(town, context)


def opens(town, stored):
    """Assert that a page opens, and that its forms do something or refuse."""
    page = town.get()
    assert page.status_code == 200, stored
    assert "Hot water at home" in main(page)
    assert town.get(path=f"{HOME}/programme").status_code in (200, 404), stored
    for form in ("leave", "warm"):
        answer = town.send(form, until=town.local(LATER), language="en")
        assert answer.status_code in (302, 422), (stored, form)


def test_without_a_boiler_the_page_says_so(town):
    with town.app.app_context():
        db.session.delete(town.boiler().asset)
        db.session.commit()
    shown = main(town.get())
    assert "No boiler yet" in shown
    assert "Noorderwarmte can help." in shown
    assert "Warm now" not in shown


def test_sensors_that_are_gone_or_changed_leave_a_page(town):
    with town.app.app_context():
        for sensor in town.boiler().asset.sensors:
            sensor.unit = "%"
        db.session.commit()
    assert town.get().status_code == 200


def test_names_are_text(town):
    evil = "<script>window.ran = 1</script>"
    with town.app.app_context():
        for account_id in (town.operator_id, town.ash):
            db.session.get(Account, account_id).name = f"{evil} {account_id}"
        db.session.commit()
    page = town.get()
    assert "&lt;script&gt;" in page.text
    assert evil not in page.text


def test_the_number_of_statements_grows_with_nothing(town):
    town.get()
    with counted_queries(town.app) as few:
        town.get()
    with town.app.app_context():
        operator = db.session.get(Account, town.operator_id)
        for number in range(2):
            make_member(operator, f"More {number}", town.now, temperature_c=course())
        read(town.boiler(), course(96 * 7), town.now)
    with counted_queries(town.app) as many:
        town.get()
    assert len(many) == len(few) <= 40
