"""A database filled by set-based SQL: many boilers, their readings of the last days, and their plans."""

from datetime import timedelta

from flexmeasures import Source
from flexmeasures.data import db
from sqlalchemy import text

from benchmarks.copies import FIRST, copy_boiler
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor
from tests.factories import make_account, make_household_boiler, make_operator, store

INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'timed_belief_search%'"

READ = """
    INSERT INTO timed_belief (event_start, belief_horizon, cumulative_probability, event_value, sensor_id, source_id)
    SELECT moment, INTERVAL '0', 0.5, {value}, sensor.id, :source
    FROM generate_series(CAST(:start AS timestamptz), CAST(:end AS timestamptz), INTERVAL '15 minutes') AS moment,
         sensor,
         LATERAL (SELECT (CAST(date_part('epoch', moment) AS bigint) / 900 + generic_asset_id) % 96 AS step,
                         generic_asset_id % 100 AS kind) AS quarter
    WHERE sensor.name = :role AND sensor.generic_asset_id > :first {but}
    ORDER BY moment
"""
"""Readings arrive by time: those of one boiler lie far from each other."""

PLAN = """
    INSERT INTO timed_belief (event_start, belief_horizon, cumulative_probability, event_value, sensor_id, source_id)
    SELECT moment, moment + INTERVAL '15 minutes' - CAST(:made AS timestamptz), 0.5, {value}, sensor.id, :source
    FROM sensor,
         generate_series(CAST(:start AS timestamptz), CAST(:end AS timestamptz), INTERVAL '15 minutes') AS moment,
         LATERAL (SELECT (CAST(date_part('epoch', moment) AS bigint) / 900 + generic_asset_id) % 96 AS step,
                         generic_asset_id % 100 AS kind) AS quarter
    WHERE sensor.name = :role AND sensor.generic_asset_id > :first {but}
    ORDER BY sensor.id, moment
"""
"""Plans are stored by boiler."""

HEATS = "CASE WHEN step < 8 THEN 1.5 ELSE 0 END"
"""Each boiler heats for two hours a day [kW]; few at a time."""

COURSE = "46 + 12.0 * CASE WHEN step < 8 THEN (step + 0.5) / 8 ELSE (96 - step) / 88.0 END"
"""The temperature of a tank that is heated and drawn from [°C]."""

MEASURED = f"""
    CASE kind WHEN 1 THEN 58 - 0.2 * (extract(epoch FROM moment - CAST(:start AS timestamptz)) / 3600)
              WHEN 2 THEN {COURSE} - 12 ELSE {COURSE} END"""
"""What a thermometer says [°C]: that of a hundredth of the boilers that their element is dead, and of a hundredth that
they are colder than any plan."""

METERED = f"CASE kind WHEN 1 THEN 0 ELSE {HEATS} END"

NOT_SILENT = "AND (kind <> 3 OR moment < CAST(:end AS timestamptz) - INTERVAL '5 hours')"
NOT_UNPLANNED = "AND kind <> 4"
"""A hundredth of the boilers is silent for five hours, and a hundredth has no plan."""


def fill(count, now, days=2, plans=2):
    """Make boilers with readings and meter of some days, a plan of today and of days before; return the operator."""
    operator, token = make_operator()
    account = make_account("Client", roles=[CUSTOMER_ROLE])
    boiler = make_household_boiler(account, "Boiler")
    # no two alike: what is worked out for one is of no use for another
    copy_boiler(boiler, operator, count, larger_l=0.01)
    price = get_or_create_consumption_price_sensor("NL")
    begin = now.floor("15min")
    store(price, [0.2, 0.3] * 48 * (days + 2), begin.normalize() - timedelta(days=days))
    sources = {kind: Source(name=f"of copies, {kind}", type=kind) for kind in ("gateway", "scheduler")}
    db.session.add_all(sources.values())
    db.session.flush()
    indexes = db.session.execute(text(INDEXES)).all()
    for name, _ in indexes:
        db.session.execute(text(f"DROP INDEX {name}"))
    # neither are foreign keys looked up, nor indexes brought up to date row by row: minutes
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    quarter = timedelta(minutes=15)
    measured = {"start": begin - timedelta(days=days), "end": begin - quarter, "source": sources["gateway"].id}
    for role, value in (("temperature", MEASURED), ("fill-rate", METERED)):
        db.session.execute(text(READ.format(value=value, but=NOT_SILENT)), {**measured, "role": role, "first": FIRST})
    for role, value in (("set-point", COURSE), ("temperature", COURSE), ("fill-rate", HEATS)):
        for ago in range(plans)[::-1]:
            made = begin - timedelta(days=ago, hours=1)
            span = {"made": made, "start": made + quarter, "end": made + timedelta(hours=36)}
            plan = {**span, "source": sources["scheduler"].id, "role": role, "first": FIRST}
            db.session.execute(text(PLAN.format(value=value, but=NOT_UNPLANNED)), plan)
    for _, definition in indexes:
        db.session.execute(text(definition))
    db.session.commit()
    db.session.execute(text("ANALYZE"))
    db.session.commit()
    return operator, token
