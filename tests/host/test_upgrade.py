"""``upgrade``: what version 0.1.0 stored is brought to today's form, once, and serves as before."""

import gzip
import json
import re
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from flexmeasures import Account, Asset, Sensor, User
from flexmeasures.data import db
from flexmeasures.data.services.sensors import delete_sensor
from sqlalchemy import create_engine, make_url, text

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.prices import tariffs
from smart_boiler_plugin.stored import ATTRIBUTE
from tests.host.boilers import planned, scheduler_of
from tests.host.queries import counted_queries

DATA = Path(__file__).parent.parent / "data"
DAY = date(2025, 10, 28)
"""The day of which version 0.1.0 had measured and reported; it planned the next one."""

NAMES = ("Ash", "Birch", "Cedar")
PATH = "/smart-boiler-plugin/api/boiler-customer"


@pytest.fixture
def former(app):
    """The app of all tests, on a database of its own, as version 0.1.0 left it."""
    uri = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    administrator = create_engine(uri, isolation_level="AUTOCOMMIT")
    former = create_engine(uri.set(database="version_0_1_0"))
    with administrator.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS version_0_1_0 WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE version_0_1_0"))
    connection = former.raw_connection()
    # by the driver alone, to which colons and percent signs of the dump mean nothing
    connection.cursor().execute(gzip.decompress((DATA / "database-0.1.0.sql.gz").read_bytes()).decode())
    connection.commit()
    # the dump has set a search path for its session
    connection.invalidate()
    with app.app_context():
        usual, db.engines[None] = db.engines[None], former
    yield app
    with app.app_context():
        db.session.remove()
        db.engines[None] = usual
    former.dispose()
    with administrator.connect() as connection:
        connection.execute(text("DROP DATABASE version_0_1_0 WITH (FORCE)"))
    administrator.dispose()


@pytest.fixture
def run(former):
    """A function that runs ``flexmeasures smart-boiler WORDS`` on it, and returns click's result."""
    return lambda *words: former.test_cli_runner().invoke(args=["smart-boiler", *map(str, words)])


@pytest.fixture
def api(former):
    """A function that calls the customer interface as the operator."""
    with former.app_context():
        token = db.session.query(User).filter_by(username="operator").one().get_auth_token()

    def send(method, path="", **body):
        headers = {"Authorization": token}
        return former.test_client().open(PATH + path, method=method, json=body or None, headers=headers)

    return send


def boiler_of(name):
    """Return a customer's boiler."""
    return Boiler(
        db.session.query(Asset).join(Account, Asset.account_id == Account.id).filter(Account.name == name).one()
    )


def stored_on(name, role):
    """Return what is stored on the sensor of a customer's boiler, one value per event."""
    values = boiler_of(name).sensors[role].search_beliefs(most_recent_beliefs_only=True)["event_value"]
    return pd.Series(values.to_numpy(), index=values.index.get_level_values("event_start"))


def test_a_second_time_there_is_nothing_to_change(run):
    assert run("upgrade").exit_code == 0
    second = run("upgrade")
    assert second.exit_code == 0
    assert second.output.splitlines()[-1] == "Nothing to change."


def test_customers_are_listed_as_before(former, run, api):
    before = json.loads((DATA / "customers-0.1.0.json").read_text())
    run("upgrade")
    after = api("GET").json["data"]
    with former.app_context():
        set_points = [boiler_of(name).sensors["set-point"].id for name in NAMES]
    for customer, set_point in zip(before, set_points, strict=True):
        customer["boiler"] |= {"element": "switched", "hysteresis": "2 K"}
        customer["comfort"] |= {"useful_temperature": "40 °C", "pause": None}
        customer["sensors"]["set_point"] = set_point
    # of their invitations and devices, nothing is known
    added = {"problem": None, "language": "en", "device": None, "invitation": None}
    assert [{**customer, **added} for customer in before] == after
    assert all(f"Boiler {name}" in run("customers").output for name in NAMES)


def test_days_are_reported_as_before(former, run):
    roles = ("cost", "daily cost", "daily savings")
    with former.app_context():
        before = {(name, role): stored_on(name, role) for name in NAMES for role in roles}
    run("upgrade")
    result = run("report", "--date", DAY)
    assert result.exit_code == 0, result.output
    # as version 0.1.0 told
    assert "all                                      3                13.30    2.19" in result.output
    with former.app_context():
        for (name, role), values in before.items():
            pd.testing.assert_series_equal(stored_on(name, role), values, rtol=1e-9, atol=1e-9, obj=f"{name} {role}")
        assert stored_on("Birch", "daily cost").iloc[0] == pytest.approx(0.298543288)


@pytest.mark.parametrize(("name", "power_kw"), [("Ash", 1.5), ("Birch", 2.0), ("Cedar", 3.0)])
def test_boilers_are_planned_as_before(former, run, name, power_kw):
    run("upgrade")
    start = pd.Timestamp(DAY + timedelta(days=1), tz="Europe/Amsterdam")
    with former.app_context():
        power, _, temperature = planned(scheduler_of(boiler_of(name), start=start))
        assert len(power) == 96
        assert power.min() > -1e-6
        assert power.max() == pytest.approx(power_kw, abs=1e-5)
        assert temperature.iloc[0] == pytest.approx(58.0, abs=power_kw)


# --- what builds before 0.1.0 left out, and what somebody broke


@pytest.fixture
def older(former):
    """The app, with what earlier builds did not have yet taken out of the database."""
    with former.app_context():
        for role in ("daily cost", "daily savings"):
            delete_sensor(boiler_of("Ash").sensors[role])
            db.session.commit()
        ash, birch = boiler_of("Ash"), boiler_of("Birch")
        ash.asset.sensors_to_show_as_kpis = []
        kept = {name: value for name, value in birch.asset.flex_model.items() if name != "soc-gain"}
        birch.asset.flex_model = {**kept, "soc-max": "1 kWh", "soc-usage": ["0.1 kW"]}
        birch.asset.attributes = {name: value for name, value in birch.asset.attributes.items() if name == ATTRIBUTE}
        birch.sensors["fill-rate"].attributes = {}
        birch.asset.sensors_to_show = []
        tariff = tariffs.find("BE spot tariff").asset
        tariff.attributes = {}
        db.session.commit()
    return former


CHANGES = [
    ("BE spot tariff", "data source of the tariff"),
    ("Boiler Ash", "sensors: daily cost, daily savings, set-point"),
    ("Boiler Ash", "graph of set-points"),
    ("Boiler Birch", "sensors: set-point"),
    ("Boiler Birch", "flex-model: soc-gain, soc-max"),
    (
        "Boiler Birch",
        "attributes: custom-scheduler of asset, consumption_is_positive of fill-rate, custom-scheduler of fill-rate",
    ),
    ("Boiler Birch", "graphs"),
    ("Boiler Cedar", "sensors: set-point"),
    ("Boiler Cedar", "graph of set-points"),
]


def changed(result):
    """Return names and changes of the table that was printed."""
    rows = (re.fullmatch(r" *\d+  (\S.*?) {2,}(\S.*?) *", line) for line in result.output.splitlines())
    return [row.groups() for row in rows if row]


def contents(app):
    """Return all rows of all tables."""
    with app.app_context():
        return {
            name: sorted(map(repr, db.session.execute(table.select()))) for name, table in db.metadata.tables.items()
        }


def test_what_is_missing_is_made_and_told_and_what_others_stored_stays(older, run):
    first = run("upgrade")
    assert first.exit_code == 0, first.output
    assert changed(first) == CHANGES
    assert first.output.splitlines()[-1] == "Changed: 4 of 4 boilers and tariffs."
    assert run("upgrade").output.splitlines()[-1] == "Nothing to change."
    with older.app_context():
        ash, birch = boiler_of("Ash"), boiler_of("Birch")
        assert [figure["title"] for figure in ash.asset.sensors_to_show_as_kpis] == ["Cost", "Savings"]
        assert ash.asset.sensors_to_show_as_kpis[0]["sensor"] == ash.sensors["daily cost"].id
        # 150 l from 10 to 70 °C: 150 * 0.997 * 4.184 / 3600 * 60 kWh
        assert birch.asset.flex_model["soc-max"] == "10.428620 kWh"
        assert birch.asset.flex_model["soc-usage"] == ["0.1 kW"]
        assert birch.sensors["fill-rate"].attributes["custom-scheduler"] == "BoilerScheduler"
        assert tariffs.find("BE spot tariff").country == "BE"
        assert db.session.get(Sensor, birch.asset.sensors_to_show[0]["plots"][0]["sensor"]) == birch.price


def test_a_dry_run_tells_the_same_and_changes_nothing(older, run):
    before = contents(older)
    result = run("upgrade", "--dry-run")
    assert changed(result) == CHANGES
    assert result.output.splitlines()[-1] == "Would be changed: 4 of 4 boilers and tariffs."
    assert contents(older) == before


def test_one_broken_boiler_stops_no_other_and_none_of_its_own_steps(older, run, api):
    with older.app_context():
        ash = boiler_of("Ash").asset
        ash.attributes = {**ash.attributes, ATTRIBUTE: {**ash.attributes[ATTRIBUTE], "volume_l": "80"}}
        account = ash.account_id
        db.session.commit()
    result = run("upgrade")
    assert result.exit_code == 1
    assert changed(result) == CHANGES
    assert "(Boiler Ash): What is stored of boiler" in result.output
    assert result.output.count("boiler.volume: ") == 1
    assert "Traceback" not in result.output
    again = run("upgrade")
    assert (again.exit_code, again.output.splitlines()[-1]) == (1, "Nothing to change.")
    assert api("PATCH", f"/{account}", boiler={"volume": "80 l"}).status_code == 200
    assert run("upgrade").exit_code == 0


def test_where_nothing_is_to_be_done_no_row_is_locked_or_written(former, run):
    run("upgrade")
    with former.app_context(), counted_queries() as statements:
        run("upgrade")
    assert not [s for s in statements if s.startswith(("UPDATE", "INSERT", "DELETE")) or "FOR NO KEY" in s]


def test_set_points_are_shown_beside_the_temperature_but_in_graphs_that_somebody_made(former, run):
    with former.app_context():
        ash, birch, cedar = (boiler_of(name) for name in NAMES)
        mine = [{"title": "Mine", "plots": [{"sensors": [birch.sensors["temperature"].id, birch.price.id]}]}]
        birch.asset.sensors_to_show = mine
        cedar.asset.sensors_to_show = [*mine, *reversed(cedar.asset.sensors_to_show)]
        before = ash.asset.sensors_to_show
        db.session.commit()
    assert [row for row in changed(run("upgrade")) if "graph" in row[1]] == [
        ("Boiler Ash", "graph of set-points"),
        ("Boiler Cedar", "graph of set-points"),
    ]
    with former.app_context():
        ash, birch, cedar = (boiler_of(name) for name in NAMES)
        temperatures = [{"sensor": ash.sensors[role].id} for role in ("temperature", "set-point")]
        assert ash.asset.sensors_to_show == [*before[:-1], {**before[-1], "plots": temperatures}]
        assert birch.asset.sensors_to_show == mine
        assert [len(graph["plots"]) for graph in cedar.asset.sensors_to_show] == [1, 2, 1, 1, 1]
        assert ash.asset.chart(
            event_starts_after=pd.Timestamp(DAY, tz="UTC"), event_ends_before=pd.Timestamp(DAY, tz="UTC")
        )


# --- a floor that nobody asked for


def floors(app):
    """Return the floors [°C] of all boilers, and those of their flex-models [kWh]."""
    with app.app_context():
        boilers = [boiler_of(name) for name in NAMES]
        return [(boiler.data.temperature_min_c, boiler.asset.flex_model.get("soc-minima")) for boiler in boilers]


def test_a_customer_keeps_its_floor_unless_it_is_moved_over(former, run):
    before = floors(former)
    assert [floor for floor, _ in before] == [50.0, 45.0, 48.0]
    run("upgrade")
    assert floors(former) == before


def test_set_points_take_the_floor_away_that_nobody_asked_for_and_say_so(former, run):
    before = floors(former)
    run("upgrade")
    told = "floor of 50 °C taken away: set-points serve water of 40 °C"
    moved = [("Boiler Ash", told)]
    checked = run("upgrade", "--set-points", "--check")
    assert (changed(checked), floors(former)) == (moved, before)
    assert checked.output.splitlines()[-1] == "Would be changed: 1 of 3 boilers and tariffs."
    done = run("upgrade", "--set-points")
    assert (done.exit_code, changed(done)) == (0, moved)
    assert floors(former) == [(None, None), *before[1:]]
    assert run("upgrade", "--set-points").output.splitlines()[-1] == "Nothing to change."


def test_a_floor_that_was_asked_for_since_stays(former, run, api):
    run("upgrade", "--set-points")
    with former.app_context():
        account = boiler_of("Ash").asset.account_id
    assert api("PATCH", f"/{account}", boiler={"temperature_min": "50 °C"}).status_code == 200
    assert run("upgrade", "--set-points").output.splitlines()[-1] == "Nothing to change."
    assert floors(former)[0] == (50.0, "3.707954 kWh")
    assert api("PATCH", f"/{account}", boiler={"temperature_min": None}).status_code == 200
    assert floors(former)[0] == (None, None)


def test_it_is_told_what_it_is_for(run):
    told = run("upgrade", "--help").output
    assert "--dry-run" in told
    assert "flexmeasures smart-boiler upgrade --dry-run" in told
