"""How tariffs come, change and go: by command and over the API; and who sees whose."""

import json

import pandas as pd
import pytest
from flexmeasures import Account, Asset, Source
from flexmeasures.data import db
from flexmeasures.data.models.audit_log import AssetAuditLog

from smart_boiler_plugin.clock.days import day_of
from smart_boiler_plugin.prices import tariffs
from smart_boiler_plugin.prices.reporter import ConsumptionPriceReporter
from smart_boiler_plugin.prices.sensors import get_or_create_spot_price_sensor
from smart_boiler_plugin.prices.terms import ATTRIBUTE, OWN
from tests.factories import make_account, make_user, store
from tests.host.households import API, World
from tests.host.tariffs import household, make_sensor, values_of

DAY_AND_NIGHT = {
    "parts": [
        {"rate": "0.30 EUR/kWh", "from": "07:00", "until": "23:00"},
        {"rate": "0.20 EUR/kWh", "from": "23:00", "until": "07:00"},
    ]
}
FLAT = {"parts": [{"rate": "0.25 EUR/kWh"}]}
TARIFFS = f"{API}/tariffs"


@pytest.fixture
def write(tmp_path):
    """A function that writes a contract into a file, and returns its path."""

    def to_file(contract, name="contract.json"):
        file = tmp_path / name
        file.write_text(contract if isinstance(contract, str) else json.dumps(contract))
        return file

    return to_file


@pytest.fixture
def world(app):
    """Two operators with their households."""
    return World(app)


def today_of(app, name):
    with app.app_context():
        return day_of(pd.Timestamp.now("UTC"), tariffs.find(name).sensor.timezone)


def held(app, name, day, days=1):
    """The prices that a tariff's sensor holds of days."""
    with app.app_context():
        return values_of(tariffs.find(name).sensor, day, days)


# by command


@pytest.mark.parametrize(("day", "quarters"), [("2020-02-29", 96), ("2026-03-29", 92), ("2026-10-25", 100)])
def test_a_contract_without_spot_prices_has_prices_for_any_day_without_an_import(app, boilers, write, day, quarters):
    """Field case 14."""
    assert boilers("add-tariff", "Day and night", "--file", write(DAY_AND_NIGHT)).exit_code == 0
    told = boilers("update-prices", "--tariff", "Day and night", "--from-date", day, "--to-date", day)
    assert (told.exit_code, f"{day}  {quarters} of {quarters} quarters" in told.output) == (0, True)
    prices = held(app, "Day and night", day)
    assert (len(prices), prices.count(0.3)) == (quarters, 64)
    with app.app_context():
        # no sensor of spot prices was made
        assert [asset.name for asset in db.session.query(Asset)] == ["Day and night"]


def test_the_former_options_without_spot_price_do_so_too(app, boilers):
    """Field case 14, as it was tried."""
    day = '{"fee": "0.30 EUR/kWh", "from": "07:00", "until": "23:00"}'
    night = '{"fee": "0.20 EUR/kWh", "from": "23:00", "until": "07:00"}'
    assert boilers("add-tariff", "Fixed", "--factor", "0", "--fees", day, "--fees", night).exit_code == 0
    boilers("update-prices", "--tariff", "Fixed", "--from-date", "2025-10-29", "--to-date", "2025-10-29")
    assert held(app, "Fixed", "2025-10-29") == [0.2] * 28 + [0.3] * 64 + [0.2] * 4


def test_a_new_tariff_has_prices_of_today_and_tomorrow_at_once(app, boilers, write):
    told = boilers("add-tariff", "Flat", "--file", write(FLAT))
    assert "Its prices are there until" in told.output
    assert held(app, "Flat", today_of(app, "Flat"), days=2) in ([0.25] * quarters for quarters in (188, 192, 196))


def test_vat_and_the_mean_of_the_hour_go_all_the_way_to_the_sensor(app, boilers, write):
    """Field case 15: 0.10 * 1.21 = 0.121 and 0.10 * 1.09 = 0.109; 80, 40, 120 and 60 EUR/MWh are 75 on average."""
    vat = [{"vat": "21 %"}, {"vat": "9 %", "valid_from": "2026-01-01"}]
    with app.app_context():
        spot = make_sensor("spot", "EUR/MWh")
        store(spot, [100.0] * 192, pd.Timestamp("2025-12-31", tz="Europe/Amsterdam"))
        store(spot, [80.0, 40.0, 120.0, 60.0] * 24, pd.Timestamp("2025-10-29", tz="Europe/Amsterdam"))
        spot_id = spot.id
    for name, contract in [
        ("VAT", {"parts": [{"factor": 1}], "vat": vat}),
        ("Mean", {"parts": [{"factor": 1, "mean_of": "hour"}]}),
    ]:
        assert boilers("add-tariff", name, "--file", write(contract), "--price-sensor", spot_id).exit_code == 0
    boilers("update-prices", "--tariff", "VAT", "--from-date", "2025-12-31", "--to-date", "2026-01-01")
    boilers("update-prices", "--tariff", "Mean", "--from-date", "2025-10-29", "--to-date", "2025-10-29")
    assert held(app, "VAT", "2025-12-31") == pytest.approx([0.121] * 96, rel=1e-12)
    assert held(app, "VAT", "2026-01-01") == pytest.approx([0.109] * 96, rel=1e-12)
    assert held(app, "Mean", "2025-10-29") == pytest.approx([0.075] * 96, rel=1e-12)


def test_half_hours_in_pounds_hold_for_their_quarters(app, boilers, write):
    with app.app_context():
        spot = make_sensor("spot", "GBP/kWh", "30min")
        store(spot, [0.1, 0.2] * 24, pd.Timestamp("2025-10-29", tz="Europe/Amsterdam"))
        spot_id = spot.id
    assert boilers("add-tariff", "Agile", "--file", write({"parts": [{"factor": 2}, {"rate": "0.05 GBP/kWh"}]}),
                   "--price-sensor", spot_id).exit_code == 0  # fmt: skip
    boilers("update-prices", "--tariff", "Agile", "--from-date", "2025-10-29", "--to-date", "2025-10-29")
    assert held(app, "Agile", "2025-10-29") == pytest.approx([0.25, 0.25, 0.45, 0.45] * 24)
    with app.app_context():
        assert tariffs.find("Agile").sensor.unit == "GBP/kWh"


def test_a_later_version_changes_no_price_of_days_before(app, boilers, write, contents):
    boilers("add-tariff", "Flat", "--file", write(FLAT))
    boilers("update-prices", "--tariff", "Flat", "--from-date", "2025-10-29", "--to-date", "2025-10-30")
    tomorrow = today_of(app, "Flat") + pd.Timedelta(days=1)
    result = boilers("change-tariff", "Flat", "--file", write(DAY_AND_NIGHT), "--from", tomorrow)
    assert (result.exit_code, f"'Flat' has this contract from {tomorrow} on." in result.output) == (0, True)
    today = today_of(app, "Flat")
    assert set(held(app, "Flat", today)) == {0.25}
    assert set(held(app, "Flat", tomorrow)) == {0.2, 0.3}
    before = contents()
    again = ("update-prices", "--tariff", "Flat", "--from-date", "2025-10-29", "--to-date", "2025-10-30")
    assert boilers(*again).exit_code == 0
    assert contents() == before
    boilers("update-prices", "--tariff", "Flat", "--from-date", "2025-10-31", "--to-date", "2025-10-31")
    assert held(app, "Flat", "2025-10-29", days=3) == [0.25] * 288


def test_a_day_that_is_over_keeps_its_contract_unless_that_is_said(app, boilers, write, contents):
    boilers("add-tariff", "Flat", "--file", write(FLAT))
    before = contents()
    words = ("change-tariff", "Flat", "--file", write(DAY_AND_NIGHT), "--from", "2025-10-30")
    result = boilers(*words)
    assert result.exit_code == 1
    assert "from: 2025-10-30 is over, and what held on a day stays. Choose " in result.output
    assert contents() == before
    told = boilers(*words, "--in-the-past").output
    assert 'update-prices --tariff "Flat" --from-date 2025-10-30' in told
    boilers("update-prices", "--tariff", "Flat", "--from-date", "2025-10-29", "--to-date", "2025-10-30")
    assert held(app, "Flat", "2025-10-29", days=2) == [0.25] * 96 + [0.2] * 28 + [0.3] * 64 + [0.2] * 4


def test_a_version_that_begins_on_the_same_day_is_replaced_and_others_stay_in_order(app, boilers, write):
    boilers("add-tariff", "Flat", "--file", write(FLAT))
    for day, rate in [("2100-01-01", "3"), ("2099-01-01", "1"), ("2099-01-01", "2")]:
        contract = write({"parts": [{"rate": f"{rate} EUR/kWh"}]})
        assert boilers("change-tariff", "Flat", "--file", contract, "--from", day).exit_code == 0
    with app.app_context():
        versions = tariffs.find("Flat").asset.attributes[ATTRIBUTE]["versions"]
    assert [(version["from"], version["contract"]["parts"][0]["rate"]) for version in versions] == [
        (None, "0.25 EUR/kWh"), ("2099-01-01", "2 EUR/kWh"), ("2100-01-01", "3 EUR/kWh")
    ]  # fmt: skip


def test_a_tariff_may_get_spot_prices_later_and_keeps_them(app, boilers, write):
    boilers("add-tariff", "Flat", "--file", write(FLAT))
    dynamic = write({"parts": [{"factor": 1}]})
    change = ("change-tariff", "Flat", "--file", dynamic, "--from", "2099-01-01")
    assert boilers(*change, "--country", "BE").exit_code == 0
    with app.app_context():
        tariff = tariffs.find("Flat")
        assert (tariff.country, tariff.terms.price_sensor.id) == ("BE", get_or_create_spot_price_sensor("BE").id)
    refused = boilers(*change, "--country", "NL")
    assert (refused.exit_code, "country: The tariff has its spot prices already" in refused.output) == (1, True)


def test_a_tariff_of_a_former_version_can_be_changed(app, boilers, write):
    """It had its terms in the configuration of its data source alone."""
    boilers("add-tariff", "BE", "--country", "BE")
    with app.app_context():
        tariff, spot = tariffs.find("BE"), get_or_create_spot_price_sensor("BE")
        db.session.query(Source).filter_by(model="ConsumptionPriceReporter").delete()
        config = {"price_sensor": spot.id, "factor": 1.0, "fees": ["0.1 EUR/kWh"], "vat": "10 %"}
        source = ConsumptionPriceReporter(config=config).data_source
        tariff.asset.attributes = {ATTRIBUTE: {"country": "BE", "source": source.id}}
        store(spot, [100.0] * 192, pd.Timestamp("2025-10-29", tz="Europe/Amsterdam"))
    assert "spot * 1 + 0.1 EUR/kWh" in boilers("list-tariffs").output
    update = ("update-prices", "--tariff", "BE", "--from-date", "2025-10-29", "--to-date", "2025-10-30")
    boilers(*update)
    assert held(app, "BE", "2025-10-29", days=2) == pytest.approx([0.22] * 192)
    changed = boilers("change-tariff", "BE", "--file", write(FLAT), "--from", "2025-10-30", "--in-the-past")
    assert changed.exit_code == 0
    boilers(*update)
    assert held(app, "BE", "2025-10-29", days=2) == pytest.approx([0.22] * 96 + [0.25] * 96)


def test_a_tariff_that_customers_have_is_removed_only_if_they_are_moved(app, call, boilers, write, contents):
    for name in ("Old", "New"):
        boilers("add-tariff", name, "--file", write(FLAT))
    accounts = [call("POST", **household(name, tariff="Old")).json["account"] for name in ("Ash", "Elm")]
    before = contents()
    refused = boilers("remove-tariff", "Old")
    assert (refused.exit_code, "tariff: 2 customers have 'Old'." in refused.output) == (1, True)
    for other in ("Old", "Green"):
        assert boilers("remove-tariff", "Old", "--move-to", other).exit_code == 1
    assert contents() == before
    removed = boilers("remove-tariff", "Old", "--move-to", "New")
    assert (removed.exit_code, removed.output) == (0, "Tariff 'Old' was removed. 2 customers have 'New' now.\n")
    assert [call("GET", f"/{account}").json["tariff"] for account in accounts] == ["New", "New"]
    assert "Old" not in boilers("list-tariffs").output
    # its prices are kept, and its name is free
    with app.app_context():
        kept = db.session.query(Asset).filter(Asset.name.like("Old (removed, %)")).one()
        assert set(values_of(kept.sensors[0], today_of(app, "New"))) == {0.25}
    assert boilers("add-tariff", "Old", "--file", write(FLAT)).exit_code == 0
    assert boilers("remove-tariff", "Old").output == "Tariff 'Old' was removed.\n"
    assert boilers("remove-tariff", "Old").exit_code == 1


def test_customers_are_not_moved_to_another_currency(app, call, boilers, write, contents):
    boilers("add-tariff", "Old", "--file", write(FLAT))
    boilers("add-tariff", "Pounds", "--file", write({"parts": [{"rate": "0.2 GBP/kWh"}]}))
    call("POST", **household(tariff="Old"))
    before = contents()
    result = boilers("remove-tariff", "Old", "--move-to", "Pounds")
    assert (result.exit_code, "'Pounds' is in GBP, but the boiler's costs are in EUR." in result.output) == (1, True)
    assert contents() == before


def test_the_servers_default_tariff_is_not_removed(app, boilers, write, monkeypatch):
    monkeypatch.setitem(app.config, "SMART_BOILER_DEFAULT_TARIFF", "flat")
    boilers("add-tariff", "Flat", "--file", write(FLAT))
    result = boilers("remove-tariff", "Flat")
    assert (result.exit_code, "SMART_BOILER_DEFAULT_TARIFF names" in result.output) == (1, True)


def test_each_change_is_in_the_audit_log(app, boilers, write):
    boilers("add-tariff", "Flat", "--file", write(FLAT))
    boilers("change-tariff", "Flat", "--file", write(DAY_AND_NIGHT), "--from", "2099-01-01")
    boilers("remove-tariff", "Flat")
    with app.app_context():
        events = [record.event for record in db.session.query(AssetAuditLog).order_by(AssetAuditLog.id)]
    assert [event.partition("; ")[2] for event in events] == ["added", "another contract from 2099-01-01 on", "removed"]


def test_a_day_is_shown_with_its_contract_its_prices_and_a_picture(boilers, write):
    contract = {**DAY_AND_NIGHT, "vat": "10 %", "fixed_fees": [{"fee": "0.5 EUR/day"}]}
    boilers("add-tariff", "Day and night", "--file", write(contract))
    shown = boilers("show-tariff", "Day and night", "--date", "2026-10-25").output
    lines = shown.splitlines()
    assert lines[0] == "Day and night on 2026-10-25 (Europe/Amsterdam), versions from: always"
    assert json.loads("\n".join(lines[1 : lines.index("}") + 1]))["vat"] == "10 %"
    assert "Fixed fees of the day, with VAT: 0.55 EUR" in lines
    table = lines.index("Fixed fees of the day, with VAT: 0.55 EUR") + 1
    assert [line.split() for line in lines[table : table + 5]] == [
        ["from", "until", "EUR/kWh"],
        ["----------", "---------", "---------"],
        ["00:00", "CEST", "07:00", "CET", "0.22"],
        ["07:00", "CET", "23:00", "CET", "0.33"],
        ["23:00", "CET", "24:00", "0.22"],
    ]
    assert "┌" in shown
    assert "25 h" in shown or "20 h" in shown


def test_a_day_without_spot_prices_is_shown_without_a_picture(boilers, write):
    boilers("add-tariff", "Dynamic", "--file", write({"parts": [{"factor": 1}]}))
    shown = boilers("show-tariff", "Dynamic", "--date", "2026-02-04")
    assert (shown.exit_code, "No price is known" in shown.output, "┌" in shown.output) == (0, True, False)


@pytest.mark.parametrize("command", ["change-tariff", "remove-tariff", "show-tariff"])
def test_help_has_an_example_on_a_line_of_its_own(boilers, command):
    lines = boilers(command, "--help").output.splitlines()
    assert any(line.startswith(f"    flexmeasures smart-boiler {command}") for line in lines)


WRONG_FILES = [
    ("no JSON", (), 2, "is no JSON: Expecting value"),
    ("[" * 100_000, (), 2, "is no JSON: maximum recursion depth exceeded"),
    ('{"parts": [{"factor": 1' + "0" * 5000 + "}]}", (), 2, "is no JSON: Exceeds the limit"),
    ('{"parts": [{"factor": NaN}]}', (), 1, "contract.parts.0.factor: Special numeric values"),
    ('{"parts": [{"factor": Infinity}]}', (), 1, "contract.parts.0.factor: Special numeric values"),
    ("[]", (), 1, "contract"),
    ("null", (), 1, "contract: Field may not be null."),
    ("x" * (256 * 1024 + 1), (), 2, "is longer than 256 kB"),
    (json.dumps(FLAT), ("--vat", "21 %"), 2, "Give --file or --vat, not both."),
    (json.dumps(FLAT), ("--operator", "999"), 2, "There is no account 999."),
    (json.dumps(FLAT), ("--country", "NL", "--price-sensor", "1"), 2, "not both"),
    (json.dumps(FLAT), ("--country", "XX"), 1, "country: 'XX' is no country code as the ENTSO-E plugin has it"),
    ('{"parts": [{"factor": 1}, {"rate": "1 GBP/kWh"}]}', (), 1, "contract: Is in GBP, but the prices of sensor"),
]


def test_a_wrong_file_is_refused_in_words_and_nothing_is_made(boilers, write, contents):
    before = contents()
    for file, words, code, told in WRONG_FILES:
        result = boilers("add-tariff", "New", "--file", write(file), *words)
        assert (result.exit_code, told in result.output) == (code, True), (file[:40], words, result.output)
    assert contents() == before


def test_a_name_with_markup_is_refused(boilers, write):
    """It stands unescaped in scripts of the host's pages."""
    result = boilers("add-tariff", "<script>", "--file", write(FLAT))
    assert (result.exit_code, "name: Must not contain < or >." in result.output) == (1, True)


# over the API


def make(world, who, name="Day and night", contract=DAY_AND_NIGHT, **fields):
    """Make a tariff as somebody, and return it as answered."""
    answer = world.call(who, "POST", TARIFFS, {"name": name, "contract": contract, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json


def listed(world, who, query=""):
    return {one["name"]: one["own"] for one in world.call(who, "GET", f"{TARIFFS}{query}").json["data"]}


def test_an_operator_makes_shows_changes_and_removes_its_own_tariff(app, world):
    answer = world.call(
        "operator", "POST", TARIFFS, {"name": "Day and night", "contract": {**DAY_AND_NIGHT, "vat": "9 %"}}
    )
    made = answer.json
    path = f"{TARIFFS}/{made['id']}"
    assert (answer.status_code, answer.headers["Location"]) == (201, path)
    assert {name: made[name] for name in ("name", "own", "country", "currency", "timezone", "problem")} == {
        "name": "Day and night", "own": True, "country": None, "currency": "EUR", "timezone": "Europe/Amsterdam",
        "problem": None,
    }  # fmt: skip
    assert made["versions"] == [{
        "from": None,
        "contract": {
            "parts": [{"rate": "0.3 EUR/kWh", "from": "07:00", "until": "23:00"},
                      {"rate": "0.2 EUR/kWh", "from": "23:00", "until": "07:00"}],
            "vat": "9 %",
        },
    }]  # fmt: skip
    assert world.call("operator", "GET", path).json == made
    changed = world.call("operator", "PATCH", path, {"contract": FLAT, "from": "2099-01-01"})
    assert changed.status_code == 200, changed.text
    assert [version["from"] for version in changed.json["versions"]] == [None, "2099-01-01"]
    prices = world.call("operator", "GET", f"{path}/prices?date=2026-03-29").json
    # from 00:00 to 07:00 there are 24 quarters, as the clock skips an hour
    assert prices["prices_per_kwh"] == pytest.approx([0.218] * 24 + [0.327] * 64 + [0.218] * 4)
    assert (prices["start"], prices["date"], prices["resolution"]) == (
        "2026-03-29T00:00:00+01:00",
        "2026-03-29",
        "PT15M",
    )
    later = world.call("operator", "GET", f"{path}/prices?date=2099-01-01").json
    assert set(later["prices_per_kwh"]) == {0.25}
    removed = world.call("operator", "DELETE", path)
    assert (removed.status_code, removed.json) == (200, {"moved": 0})
    assert world.call("operator", "GET", path).status_code == 404
    with app.app_context():
        operator = db.session.query(Account).filter_by(name="Warm Water Energy").one()
        # what was paid with it can still be accounted
        assert list(operator.attributes[OWN]) == [str(made["id"])]


def test_prices_of_a_day_that_are_not_known_are_null_and_fixed_fees_are_told(world):
    contract = {"parts": [{"factor": 1}], "vat": "10 %", "fixed_fees": [{"fee": "0.5 EUR/day"}]}
    made = make(world, "operator", contract=contract, country="BE")
    assert made["country"] == "BE"
    answer = world.call("operator", "GET", f"{TARIFFS}/{made['id']}/prices?date=2026-02-04").json
    assert (answer["prices_per_kwh"], answer["fixed_fees"]) == ([None] * 96, pytest.approx(0.55))


def test_operators_see_their_own_and_public_tariffs_and_nobody_elses(app, world, boilers, write):
    boilers("add-tariff", "Public", "--file", write(FLAT))
    own = make(world, "operator")
    assert listed(world, "operator") == {"NL spot tariff": False, "Public": False, "Day and night": True}
    assert listed(world, "rival") == {"NL spot tariff": False, "Public": False}
    path = f"{TARIFFS}/{own['id']}"
    for method, body in [
        ("GET", None), ("PATCH", {"contract": FLAT, "from": "2099-01-01"}), ("DELETE", None)
    ]:  # fmt: skip
        answer = world.call("rival", method, path, body)
        assert (answer.status_code, answer.json["message"]) == (404, f"You have no tariff with id {own['id']}.")
    assert world.call("rival", "GET", f"{path}/prices").status_code == 404
    assert (
        world.call("rival", "DELETE", f"{TARIFFS}/{make(world, 'rival', 'X')['id']}?move-to={own['id']}").status_code
        == 404
    )


def test_an_operators_contract_stands_nowhere_where_others_can_read_it(app, world):
    """Its prices do: customers' users see public assets and their own alone."""
    own = make(world, "operator", "Day and night", {"parts": [{"rate": "0.3141 EUR/kWh"}]})
    with app.app_context():
        operator = db.session.query(Account).filter_by(name="Warm Water Energy").one().id
    host = "/api/v3_0"
    for who in ("rival", "Cedar", "Ash"):
        answers = [
            world.call(who, "GET", path)
            for path in (f"{host}/assets/{own['id']}", f"{host}/sensors/{own['sensor']}", f"{host}/sources")
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        assert not any("0.3141" in answer.text for answer in answers)
        assert world.call(who, "GET", f"{host}/accounts/{operator}").status_code == 403


def test_a_public_tariff_is_an_administrators_to_change(app, world, boilers, write, contents):
    boilers("add-tariff", "Public", "--file", write(FLAT))
    with app.app_context():
        public = tariffs.find("Public").asset.id
        administration = make_account("Administration")
        world.tokens["admin"] = make_user(administration, "admin", roles=["admin"])[1]
        world.tokens["reader"] = make_user(administration, "reader", roles=["admin-reader"])[1]
    before = contents()
    path, body = f"{TARIFFS}/{public}", {"contract": DAY_AND_NIGHT, "from": "2099-01-01"}
    assert world.call("operator", "GET", path).json["own"] is False
    for who, method, sent in [("operator", "PATCH", body), ("operator", "DELETE", None), ("reader", "PATCH", body)]:
        assert world.call(who, method, path, sent).status_code == 403
    assert contents() == before
    own = make(world, "operator", "Own")
    assert listed(world, "admin") == {"NL spot tariff": True, "Public": True, "Own": True}
    assert listed(world, "reader") == {"NL spot tariff": False, "Public": False, "Own": False}
    assert world.call("admin", "PATCH", path, body).status_code == 200
    assert world.call("admin", "PATCH", f"{TARIFFS}/{own['id']}", body).status_code == 200
    make(world, "admin", "Everybody's")
    assert listed(world, "rival") == {"NL spot tariff": False, "Public": False, "Everybody's": False}


def test_households_and_strangers_reach_no_tariff(app, world, contents):
    own = make(world, "operator")
    path = f"{TARIFFS}/{own['id']}"
    before = contents()
    body = {"contract": FLAT, "from": "2099-01-01"}
    for method, where, sent in [
        ("GET", TARIFFS, None), ("POST", TARIFFS, {"name": "Mine", "contract": FLAT}), ("GET", path, None),
        ("PATCH", path, body), ("DELETE", path, None), ("GET", f"{path}/prices", None),
    ]:  # fmt: skip
        assert world.call("Ash", method, where, sent).status_code == 403
        assert app.test_client().open(where, method=method, json=sent).status_code == 401
    assert contents() == before


def test_two_operators_may_use_the_same_name_and_each_has_its_own(app, world, boilers):
    ours, theirs = make(world, "operator", contract=FLAT), make(world, "rival")
    assert ours["id"] != theirs["id"]
    for who, made, household_of in [("operator", ours, world.ash), ("rival", theirs, world.cedar)]:
        answer = world.call(who, "PATCH", f"{API}/boiler-customer/{household_of.account}", {"tariff": "day and NIGHT"})
        assert answer.json["sensors"]["consumption_price"] == made["sensor"]
        assert answer.json["tariff"] == "Day and night"
    # on the command line, --operator says whose
    assert boilers("show-tariff", "Day and night").exit_code == 1
    with app.app_context():
        rival = db.session.query(Account).filter_by(name="Rival").one().id
    assert '"0.2 EUR/kWh"' in boilers("show-tariff", "Day and night", "--operator", rival).output
    updated = boilers("update-prices", "--tariff", "Day and night").output
    assert updated.count("Consumption prices of Day and night") == 2
    assert boilers("list-tariffs").output.count("Day and night") == 2


def test_an_operators_own_name_comes_first_and_must_not_be_that_of_a_public_one_it_sees(world, boilers, write):
    own = make(world, "operator", "Green")
    assert boilers("add-tariff", "Green", "--file", write(FLAT)).exit_code == 0
    answer = world.call("operator", "PATCH", f"{API}/boiler-customer/{world.ash.account}", {"tariff": "Green"})
    assert answer.json["sensors"]["consumption_price"] == own["sensor"]
    for name in ("Green", "gReen"):
        taken = world.call("rival", "POST", TARIFFS, {"name": name, "contract": FLAT})
        assert (taken.status_code, "exists already" in taken.text) == (409, True)


def test_customers_cannot_have_another_operators_tariff(world, boilers, write, contents):
    boilers("add-tariff", "Public", "--file", write(FLAT))
    make(world, "operator", "Ours")
    make(world, "rival", "Theirs")
    before = contents()
    patched = world.call("operator", "PATCH", f"{API}/boiler-customer/{world.ash.account}", {"tariff": "Theirs"})
    new = household("Elm", tariff="Theirs")
    made = world.call("operator", "POST", f"{API}/boiler-customer", new)
    for answer in (patched, made):
        assert answer.status_code == 422
        (told,) = answer.json["message"]["json"]["tariff"]
        assert told.startswith("There is no tariff 'Theirs'. There are: Ours, NL spot tariff, Public. ")
    assert contents() == before
    assert world.call("operator", "POST", f"{API}/boiler-customer", {**new, "tariff": "Ours"}).status_code == 201


def test_customers_move_when_a_tariff_goes_and_only_to_one_that_they_can_have(app, world, boilers, write):
    old, new = make(world, "operator", "Old"), make(world, "operator", "New")
    path = f"{TARIFFS}/{old['id']}"
    for one in (world.ash, world.birch):
        world.call("operator", "PATCH", f"{API}/boiler-customer/{one.account}", {"tariff": "Old"})
    refused = world.call("operator", "DELETE", path)
    assert (refused.status_code, "2 customers have 'Old'" in refused.text) == (409, True)
    assert world.call("operator", "DELETE", f"{path}?move-to=999999").status_code == 404
    moved = world.call("operator", "DELETE", f"{path}?move-to={new['id']}")
    assert (moved.status_code, moved.json) == (200, {"moved": 2})
    assert world.call("Ash", "GET", f"{API}/boiler-customer/{world.ash.account}").json["tariff"] == "New"
    # a public one's customers may be of several operators
    boilers("add-tariff", "Public", "--file", write(FLAT))
    with app.app_context():
        operator = db.session.query(Account).filter_by(name="Warm Water Energy").one().id
    result = boilers("remove-tariff", "Public", "--operator", operator, "--move-to", "New")
    assert (result.exit_code, "move_to: Not all customers of 'Public' can have 'New'." in result.output) == (1, True)


def test_an_operator_rests_on_no_sensor_that_it_cannot_read(app, world, contents):
    own = make(world, "operator")
    before = contents()
    private = world.cedar.ids["cost"]
    for method, path, body in [
        ("POST", TARIFFS, {"name": "Spy", "contract": {"parts": [{"factor": 1}]}}),
        ("PATCH", f"{TARIFFS}/{own['id']}", {"contract": {"parts": [{"factor": 1}]}, "from": "2099-01-01"}),
    ]:
        told = [world.call("operator", method, path, {**body, "price_sensor": sensor}) for sensor in (private, 999_999)]
        assert [answer.status_code for answer in told] == [422, 422]
        assert told[0].text.replace(str(private), "ID") == told[1].text.replace("999999", "ID")
    assert contents() == before


WRONG_BODIES = [
    ({"contract": FLAT}, 422, ["name"]),
    ({"name": "New"}, 422, ["contract"]),
    ({"name": "New", "contract": {"parts": []}}, 422, ["contract", "parts"]),
    ({"name": "New", "contract": {"parts": [{"rate": "0.3 EUR/kWh"}] * 201}}, 422, ["contract", "parts"]),
    ({"name": "New", "contract": {"parts": [{"rate": "0.3 EUR/kWh"}] * 10_000}}, 413, []),
    ({"name": "x" * 1_000_000, "contract": FLAT}, 413, []),
    ({"name": "<b>", "contract": FLAT}, 422, ["name"]),
    ({"name": "New", "contract": FLAT, "timezone": "Mars/Base"}, 422, ["timezone"]),
    ({"name": "New", "contract": FLAT, "country": "XX"}, 422, ["country"]),
    ({"name": "New", "contract": FLAT, "country": "NL", "price_sensor": 1}, 422, ["price_sensor"]),
    ({"name": "New", "contract": FLAT, "operator": 1}, 422, ["operator"]),
    ({"name": "NL spot tariff", "contract": FLAT}, 422, ["name"]),
]


def test_a_wrong_tariff_is_refused_by_field_and_nothing_is_made(world, contents):
    before = contents()
    for body, status, field in WRONG_BODIES:
        answer = world.call("operator", "POST", TARIFFS, body)
        assert answer.status_code == status, answer.text
        messages = answer.json["message"]
        for name in ["json", *field] if field else []:
            messages = messages[name]
        assert messages
    assert contents() == before


ALWAYS = {"from": None, "contract": FLAT}
BROKEN = [
    {},
    {"versions": []},
    {"versions": "x"},
    {"versions": [{"from": None, "contract": {}}]},
    {"versions": [ALWAYS, ALWAYS]},
    {"versions": [ALWAYS], "price_sensor": 999},
]


def test_a_tariff_with_broken_terms_is_told_and_spoils_no_other(app, world, boilers, write):
    for name in ("Broken", "Well"):
        boilers("add-tariff", name, "--file", write(FLAT))
    for broken in BROKEN:
        with app.app_context():
            asset = tariffs.find("Broken").asset
            kept = {"country": None, "price_sensor": None, "source": asset.attributes[ATTRIBUTE]["source"]}
            asset.attributes = {ATTRIBUTE: {**kept, **broken}}
            db.session.commit()
        rows = {one["name"]: one for one in world.call("operator", "GET", TARIFFS).json["data"]}
        assert "tariff 'Broken'" in rows["Broken"]["problem"]
        assert rows["Well"]["problem"] is None
    assert "Well" in boilers("list-tariffs").output
    updated = boilers("update-prices")
    assert (updated.exit_code, "96 of 96 quarters" in updated.output) == (1, True)
    assert world.call("operator", "GET", f"{TARIFFS}/{rows['Broken']['id']}/prices").status_code == 422


def test_tariffs_are_listed_by_page_and_name(world):
    for name in ("B", "a", "C"):
        make(world, "operator", name, FLAT)
    answer = world.call("operator", "GET", f"{TARIFFS}?page=2&per-page=2&sort-by=name").json
    assert ([one["name"] for one in answer["data"]], answer["num-records"]) == (["C", "NL spot tariff"], 4)
    answer = world.call("operator", "GET", f"{TARIFFS}?filter=spot&sort-by=name&sort-dir=desc").json
    assert ([one["name"] for one in answer["data"]], answer["filtered-records"]) == (["NL spot tariff"], 1)


def test_the_prices_of_a_tariff_are_for_everybody_to_see_and_for_no_household_to_change(world):
    made = make(world, "operator")
    shown = world.call("Ash", "GET", f"/api/v3_0/sensors/{made['sensor']}")
    assert shown.status_code == 200
    body = {"start": "2026-02-04T00:00+01:00", "duration": "PT15M", "values": [0.0], "unit": "EUR/kWh"}
    for who in ("Ash", "operator", "rival"):
        assert world.call(who, "POST", f"/api/v3_0/sensors/{made['sensor']}/data", body).status_code == 403


def test_a_tariff_of_an_operator_that_is_gone_is_told(app, boilers, world):
    make(world, "operator")
    with app.app_context():
        asset = db.session.query(Asset).filter_by(name="Day and night").one()
        asset.attributes = {ATTRIBUTE: {**asset.attributes[ATTRIBUTE], "operator": 999}}
        db.session.commit()
    assert "Its operator's account was deleted." in boilers("list-tariffs").output
