"""Two simulated days of fifty boilers that follow their set-points, planned by workers as the cron lines do.

Plans begin in the past and know what was known then; what boilers do between them, and what is drawn, is simulated.
"""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from flexmeasures import Account, Asset, Source
from flexmeasures.data import db

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.owners import boiler_ids
from smart_boiler_plugin.facts.plans import plans_of
from smart_boiler_plugin.facts.store import Values
from smart_boiler_plugin.facts.store import store as store_values
from smart_boiler_plugin.fleet.digest import tell
from smart_boiler_plugin.fleet.members import of_operator
from smart_boiler_plugin.fleet.overview import overview
from smart_boiler_plugin.learning.learn import quarter_of_day, usual
from smart_boiler_plugin.learning.side_by_side import boilers_of
from smart_boiler_plugin.physics.following import after, need
from smart_boiler_plugin.plan import handing_out
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor
from tests.factories import store
from tests.host.boilers import stored_plan
from tests.host.workers import kill_with_its_job, start_worker, wait_until

TIMEZONE = "Europe/Amsterdam"
BEGIN, END = (pd.Timestamp(f"2025-10-{day}T19:00", tz=TIMEZONE) for day in (27, 29))
RUNS = [pd.Timestamp(f"2025-10-{each}", tz=TIMEZONE) for each in ("27T19:00", "28T06:00", "28T13:15", "28T19:00")]
RUNS += [pd.Timestamp(f"2025-10-{each}", tz=TIMEZONE) for each in ("29T06:00", "29T13:15")]
"""When all are planned that need it: in the evening, in the morning, and when the next day's prices are known."""

MANY = 50
COLD, SILENT, DEAD = 3, 7, 11
DIES = pd.Timestamp("2025-10-28T22:00", tz=TIMEZONE)
FALLS_SILENT = pd.Timestamp("2025-10-29T09:00", tz=TIMEZONE)
BATH = pd.Timestamp("2025-10-29T18:15", tz=TIMEZONE)


class Homes:
    """Fifty boilers and who draws of them; call inside an app context."""

    def __init__(self, ids):
        self.chance = np.random.default_rng(2)
        known = [Boiler(db.session.get(Asset, asset_id)) for asset_id in ids]
        self.ids = [boiler.asset.id for boiler in known]
        self.boilers = boilers_of([boiler.data for boiler in known])
        self.state_kwh = self.boilers.state_kwh(np.full(MANY, 52.0))
        self.usual = usual(["S"])
        self.metered_kw = pd.DataFrame(index=pd.DatetimeIndex([], tz="UTC"), columns=range(MANY), dtype=float)

    def until(self, begin, end):
        """Let boilers follow what was handed out to them, and report it."""
        moments = pd.date_range(begin, end, freq="15min", inclusive="left")
        sensors = [Boiler(db.session.get(Asset, asset_id)).sensors for asset_id in self.ids]
        points_c = np.stack([handed_out(asset_id, moments) for asset_id in self.ids], axis=1)
        read_c, power_kw = (np.empty((len(moments), MANY)) for _ in range(2))
        for step, moment in enumerate(moments):
            share = need(self.boilers, self.state_kwh, self.boilers.state_kwh(points_c[step]))
            if moment >= DIES:
                share[DEAD] = 0.0
            electricity, after_kwh = after(self.boilers, self.state_kwh, share, self._drawn_kwh(moment))
            read_c[step] = self.boilers.temperature_c((self.state_kwh + after_kwh) / 2)
            self.state_kwh, power_kw[step] = after_kwh, 4 * electricity
        told = np.ones((len(moments), MANY), dtype=bool)
        told[moments >= FALLS_SILENT, SILENT] = False
        source = db.session.query(Source).filter_by(name="gateway").one()
        rows = [
            Values(sensors[number][role], moments, np.where(told[:, number], values[:, number], np.nan))
            for role, values in (("temperature", read_c), ("fill-rate", power_kw))
            for number in range(MANY)
        ]
        store_values(rows, source, end)
        db.session.commit()
        self.metered_kw = pd.concat([self.metered_kw, pd.DataFrame(np.where(told, power_kw, np.nan), moments)])

    def _drawn_kwh(self, moment):
        quarter = quarter_of_day(pd.DatetimeIndex([moment]))[0]
        sizes, probabilities = self.usual.sizes_kwh[quarter, 0], self.usual.probabilities[quarter, 0]
        drawn = np.minimum(self.chance.choice(sizes, MANY, p=probabilities), 0.3)
        # who notices that nothing heats, draws nothing; and one takes a bath
        drawn[DEAD] *= moment < DIES
        drawn[COLD] += 1.5 * (moment >= BATH)
        return drawn


def handed_out(asset_id, moments):
    """Return the set-points that a device was told for some quarters [°C]; 20 °C where none is known."""
    kept = handing_out.read(db.session.get(Asset, asset_id).attributes.get(handing_out.ATTRIBUTE))
    points = pd.Series(dtype=float)
    if kept is not None:
        points = pd.Series(kept.set_points_c, pd.date_range(kept.start, periods=len(kept.set_points_c), freq="15min"))
    return points.reindex(moments.tz_convert("UTC")).fillna(20.0).to_numpy()


def make_prices():
    """Store the prices of each day as of 13:00 on the day before: cheap by night and at noon."""
    price = get_or_create_consumption_price_sensor("NL")
    for day in pd.date_range("2025-10-20", "2025-10-30", tz=TIMEZONE):
        quarters = pd.date_range(day, day + pd.DateOffset(days=1), freq="15min", inclusive="left")
        hour = np.arange(len(quarters)) / 4
        known_at = day - pd.DateOffset(days=1) + timedelta(hours=13)
        store(price, 0.25 + 0.1 * np.cos(hour / 12 * 2 * np.pi * 2 - np.pi), day, recorded_at=known_at)


def planned_until(ids, moment):
    """Return until when plans are, by what is stored: each of these moments once."""
    return {plan.until for plan in plans_of(ids, moment).values()}


def planned_at(boilers, work, moment):
    """What the cron line does at a moment, with a worker; return what it says."""
    said = boilers("plan", "--from", moment.isoformat())
    assert said.exit_code == 0, said.output
    work()
    return said.output


def test_two_days_of_fifty_boilers_go_by_themselves_and_three_need_a_person(
    app, operator, boilers, work, mails, tmp_path
):
    file = tmp_path / "customers.csv"
    rows = [f"Household {n:02};home{n};home{n}@example.com;80 l;1,5 kW" for n in range(MANY)]
    file.write_text("\n".join(["name;user_name;user_email;volume;power", *rows]))
    taken_on = boilers("add-customers", file, "--operator", operator[0], "--server-url", "https://example.com")
    assert taken_on.exit_code == 0, taken_on.output
    with app.app_context():
        db.session.add(Source(name="gateway", type="gateway"))
        make_prices()
        ids = boiler_ids()
        homes = Homes(ids)
        homes.until(BEGIN - 2 * timedelta(hours=1), BEGIN)
    assert len(ids) == MANY
    for number, (run, next_run) in enumerate(zip(RUNS, [*RUNS[1:], END], strict=True)):
        if number == 2:
            killed_at(app, boilers, run)
        said = planned_at(boilers, work, run)
        # mornings and evenings, all have plans to the end of the known prices
        assert said.startswith("Nothing to do: 50 boilers" if number in {1, 3, 4} else "50 boilers to be planned")
        with app.app_context():
            tomorrow = run.normalize() + pd.DateOffset(days=2 if run.hour >= 13 else 1)
            assert planned_until(ids, run) == {max(tomorrow, RUNS[2].normalize() + pd.DateOffset(days=1))}
            homes.until(run, next_run)
    with app.app_context():
        look_at_the_end(app, operator[0], homes, mails)


def killed_at(app, boilers, moment):
    """A worker is killed with what it works on, and Redis loses what waits: whoever looks asks again."""
    process = start_worker(app)
    said = boilers("plan", "--from", moment.isoformat())
    assert said.output.startswith("50 boilers to be planned")
    wait_until(lambda: app.queues["scheduling"].started_job_registry.count > 0)
    kill_with_its_job(process)
    app.redis_connection.flushdb()
    assert "asked again" in boilers("jobs").output or "50 of 50" in boilers("jobs").output


def look_at_the_end(app, operator_id, homes, mails):
    operator = db.session.get(Account, operator_id)
    seen = overview(of_operator(operator), END)
    told = {each.member.customer: each.state for each in seen.states if each.state != "well"}
    names = {number: f"Household {number:02}" for number in (COLD, SILENT, DEAD)}
    assert told == {names[COLD]: "cold", names[SILENT]: "silent", names[DEAD]: "fault"}
    assert next(each for each in seen.states if each.state == "fault").message.startswith("It was planned to heat for")
    assert seen.counts["well"] == MANY - 3
    assert pd.Timestamp(seen.prices_known_until) == pd.Timestamp("2025-10-31", tz=TIMEZONE)
    # the fourth: no worker is left
    before = len(mails)
    assert tell(operator, seen, "night@example.com").startswith("4 problems begun")
    (mail,) = mails[before:]
    assert all(name in mail.body for name in names.values())
    assert "Household 04" not in mail.body
    assert "nothing has begun" in tell(operator, seen, "night@example.com")
    # what a supplier buys of the next day, and what was metered of this one
    tomorrow = END.normalize() + pd.DateOffset(days=1)
    sensors = [Boiler(db.session.get(Asset, asset_id)).sensors["fill-rate"] for asset_id in homes.ids]
    planned = sum(stored_plan(sensor, start=tomorrow, hours=24).to_numpy() for sensor in sensors)
    load = ask_load(app, operator_id, "2025-10-30", "2025-10-31")
    np.testing.assert_allclose(load["planned_kw"], planned, atol=1e-3)
    assert max(load["planned_kw"]) > 5
    metered = ask_load(app, operator_id, "2025-10-28", "2025-10-29")["metered_kw"]
    today = homes.metered_kw[pd.Timestamp("2025-10-28", tz=TIMEZONE) : pd.Timestamp("2025-10-28T23:45", tz=TIMEZONE)]
    np.testing.assert_allclose(metered, today.sum(axis=1), atol=1e-3)
    assert sum(metered) == pytest.approx(today.to_numpy().sum(), abs=0.1)


def ask_load(app, operator_id, first, last):
    user = next(user for user in db.session.get(Account, operator_id).users)
    answer = app.test_client().get(
        "/smart-boiler-plugin/api/fleet/load",
        query_string={"from": first, "until": last},
        headers={"Authorization": user.get_auth_token()},
    )
    assert answer.status_code == 200, answer.text
    return answer.json
