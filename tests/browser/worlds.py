"""What pages are shown with: boilers in every state, and hundreds that are well. Call inside an app context."""

from datetime import timedelta

import numpy as np
from flexmeasures import Account, Source
from flexmeasures.data import db
from sqlalchemy import text

from benchmarks.filled import fill
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.clock.days import DAY, days_between, midnight
from smart_boiler_plugin.fleet.runs import Run, note_run
from smart_boiler_plugin.plan.noted import Note, note
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor
from tests.factories import make_account, make_user, store
from tests.host.watched import QUARTER, course, make_member, now

SCRIPT = "<script>alert(1)</script>"
"""Name of a customer who tries."""

HOT = BoilerData(volume_l=120, power_kw=2.0, temperature_min_c=45.0)
"""A boiler with a floor: below it, it is cold at any hour."""


def make_operators_world(count):
    """Make an operator with some hundred boilers, most of them well, another operator, and an admin."""
    moment = now()
    operator_id, _ = fill(count, moment, days=1, plans=1)
    operator = db.session.get(Account, operator_id)
    _rename(operator)
    _shape_prices(moment)
    made = [
        make_member(
            operator, "Fam. Van der Meulen", moment, temperature_c=np.linspace(58, 43.1, 96), heats=(1, 6), data=HOT
        ),
        make_member(operator, SCRIPT, moment, temperature_c=np.linspace(57, 36.8, 96), heats=(0, 5), data=HOT),
        make_member(
            operator, "Fam. Mulder", moment, temperature_c=course(), planned_c=[50.0] * 56 + [39.0] * 64, data=HOT
        ),
        make_member(operator, "Pension Zeezicht an der langen Dorfstraße, Zimmer 4", moment, temperature_c=course()),
        make_member(operator, "Hassan", moment),
        _off_plan(operator, "Fam. de Boer", moment),
        _faulty(operator, "De Wit", moment),
        make_member(operator, "Peeters", moment, temperature_c=course(), hours=0),
    ]
    _report(operator, moment)
    run = Run(moment.to_pydatetime() - timedelta(minutes=9), count + 3, 2, 2)
    note_run(operator, run)
    why = ("it had no plan", "its prices are known further ahead", "it was off its plan", "its comfort was changed")
    for number, reason in enumerate(why):
        at = (moment - timedelta(hours=26 - 8 * number)).to_pydatetime()
        note({made[0].asset.id: Note(at + DAY, reason, {})}, at, at)
    other = make_account("Other Energy", roles=["Consultancy"])
    make_user(other, "other", roles=["consultant"])
    make_member(other, "Dogwood", moment, temperature_c=course())
    make_user(made[0].asset.owner, "household", roles=["account-admin"])
    make_user(make_account("Administration"), "admin", roles=["admin"])
    make_user(make_account("Nobody's"), "stranger")
    make_user(make_account("Beginner", roles=["Consultancy"]), "beginner", roles=["consultant"])
    db.session.commit()


def _rename(operator):
    """Give the hundreds names of households."""
    for account in db.session.scalars(db.select(Account).filter_by(consultancy_account_id=operator.id)):
        account.name = account.name.replace("Client ", "Household ")
    db.session.commit()


def _shape_prices(moment):
    """Store prices as they are: dear in the evening, cheap at night and at noon."""
    begin = moment.normalize() - DAY
    hour = np.arange(0, 72, 0.25) % 24
    price = 0.26 + 0.08 * np.cos((hour - 19) / 24 * 2 * np.pi) - 0.07 * np.exp(-((hour - 13) ** 2) / 6)
    sensor = get_or_create_consumption_price_sensor("NL")
    store(
        sensor,
        np.round(price + 0.004 * np.sin(np.arange(288) * 2.3), 4),
        begin,
        recorded_at=moment - timedelta(hours=1),
    )


def _off_plan(operator, name, moment):
    """Make a boiler that follows powers, and is colder than it was to be."""
    boiler = make_member(operator, name, moment, temperature_c=[*course()[:-1], 48.7], set_points=False)
    quarter = moment.floor("15min")
    made = {"source_type": "scheduler", "recorded_at": moment - timedelta(hours=5)}
    store(boiler.sensors["temperature"], [52.8], quarter - QUARTER, **made)
    return boiler


def _faulty(operator, name, moment):
    """Make a boiler of which somebody has changed a sensor."""
    boiler = make_member(operator, name, moment, temperature_c=course())
    boiler.sensors["demand"].unit = "MWh"
    return boiler


REPORT = """
    INSERT INTO timed_belief (event_start, belief_horizon, cumulative_probability, event_value, sensor_id, source_id)
    SELECT midnight, INTERVAL '-8 hours', 0.5,
           CASE sensor.name WHEN 'daily cost' THEN 0.6 ELSE 0.2 END, sensor.id, :source
    FROM sensor JOIN generic_asset ON generic_asset.id = generic_asset_id JOIN account ON account.id = account_id,
         unnest(CAST(:midnights AS timestamptz[])) AS midnight
    WHERE consultancy_account_id = :operator AND sensor.name IN ('daily cost', 'daily savings')
          AND generic_asset_id % 50 <> 3
"""


def _report(operator, moment):
    """Store what each day of the month until yesterday cost and saved: of all boilers but a fiftieth."""
    source = Source(name="of reports", type="reporter")
    db.session.add(source)
    db.session.flush()
    yesterday = (moment - DAY).date()
    midnights = [midnight(day, "Europe/Amsterdam") for day in days_between(yesterday.replace(day=1), yesterday)]
    given = {"source": source.id, "operator": operator.id, "midnights": midnights}
    db.session.execute(text(REPORT), given)
    db.session.commit()
