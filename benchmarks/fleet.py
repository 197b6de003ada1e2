"""What it takes to plan all boilers of a fleet at once, beside the host's own plan of one in the same run.

Prints CPU time per boiler of this process and of all of PostgreSQL: of reading, solving and saving the first plans, of
finding out that nothing is new, and who deviates; of planning all once more, and a tenth of them::

    make benchmark BENCH=fleet
    make benchmark BENCH=fleet ARGS="--boilers 10000 --processes 2"

The boilers have readings and metered power of 8 days, every quarter of an hour, and draw-offs that were learned from
them. One in ten tells its draw-offs, one in twenty has been silent for 6 hours, a third have another tariff with a gap
in its prices, one in a hundred is due for hygiene at once; one in 400 is in a building, and is planned by itself.
Readings are those of ``benchmarks/households.py`` under a thermostat.
"""

import argparse
import multiprocessing
import os
import resource
import time
from contextlib import contextmanager
from datetime import timedelta

import numpy as np
import pandas as pd
import psutil
from flexmeasures import Source
from flexmeasures.data import db
from flexmeasures.data.models.planning.storage import StorageScheduler
from sqlalchemy import text
from tabulate import tabulate

from benchmarks.app import app_context, quiet
from benchmarks.controls import Sensors, thermostat
from benchmarks.copies import copy_boiler
from benchmarks.households import households
from benchmarks.learning import FILL, KINDS
from benchmarks.planning import QUARTERS, plain_flex_model, stored
from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE, boiler_ids
from smart_boiler_plugin.facts.plans import off_plan_k
from smart_boiler_plugin.garbage import uncollected
from smart_boiler_plugin.jobs import WORK
from smart_boiler_plugin.plan.fleet import Fleet, is_usual, plan_fleet
from smart_boiler_plugin.plan.needed import needed
from smart_boiler_plugin.plan.noted import note
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor
from tests.factories import make_account, make_household_boiler, make_operator, store
from tests.host.boilers import KEPT_WARM
from tests.host.test_same_optimum import PlainStorage

NOW = pd.Timestamp("2025-10-28 14:00", tz="Europe/Amsterdam")
END = pd.Timestamp("2025-10-30", tz="Europe/Amsterdam")
DAYS = 8
CHUNK = WORK["plans"].chunk
HOST_PLANS = 5

INDEXES = text("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'timed_belief'")

CONSTRAINTS = text("""
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = CAST('timed_belief' AS regclass) AND contype IN ('p', 'f') ORDER BY contype DESC
""")

KINDS_OF_BOILERS = (
    # silent for 6 hours
    """DELETE FROM timed_belief USING sensor WHERE sensor.id = sensor_id AND name = 'temperature'
       AND generic_asset_id % 20 = 0 AND event_start >= :silent_since""",
    # with another tariff
    """UPDATE generic_asset SET flex_context = CAST(:context AS jsonb) WHERE id >= 1000000 AND id % 3 = 0""",
    # in a building, of the same account and kind
    """INSERT INTO generic_asset (id, name, account_id, generic_asset_type_id, attributes, secrets, sensors_to_show,
                                  sensors_to_show_as_kpis, flex_context, flex_model)
       SELECT id + 1000000, 'House ' || id, account_id, generic_asset_type_id,
              '{"custom-scheduler": "BoilerScheduler"}', '{}', '[]', '[]', flex_context, '{}'
       FROM generic_asset WHERE id >= 1000000 AND id % 400 = 7""",
    """UPDATE generic_asset SET parent_asset_id = id + 1000000 WHERE id BETWEEN 1000000 AND 1999999
       AND id % 400 = 7""",
    # due for hygiene: it was never hot
    """UPDATE timed_belief SET event_value = least(event_value, 58) FROM sensor WHERE sensor.id = sensor_id
       AND name = 'temperature' AND generic_asset_id % 100 = 1""",
)

DRAWN = text("""
    INSERT INTO timed_belief (event_start, belief_horizon, cumulative_probability, event_value, sensor_id, source_id)
    SELECT :start + number * INTERVAL '15 minutes', INTERVAL '0', 0.5, value, sensor.id,
           CASE WHEN sensor.generic_asset_id % 10 = 3 THEN CAST(:meter AS integer) ELSE :inferred END
    FROM (
        SELECT id, generic_asset_id, row_number() OVER (ORDER BY id) AS nth FROM sensor WHERE name = 'demand'
    ) AS sensor
    JOIN unnest(CAST(:kinds AS int[]), CAST(:numbers AS int[]), CAST(:values AS float8[]))
         AS given (kind, number, value) ON sensor.nth % :many = given.kind
""")


def make_fleet(count):
    """Make boilers, and what is known of them; indexes and keys are made anew at the end, as that is quick."""
    operator, _ = make_operator()
    boiler = make_household_boiler(make_account("Client", roles=[CUSTOMER_ROLE]), "Boiler")
    copy_boiler(boiler, operator, count - 1)
    price, other = (get_or_create_consumption_price_sensor(country) for country in ("NL", "BE"))
    begin = NOW.normalize() - timedelta(days=28)
    quarter = np.arange(round((END - begin) / timedelta(minutes=15)))
    prices = 0.2 + 0.1 * np.sin(quarter / 8) + 0.0001 * (quarter % 97)
    store(price, prices, begin)
    store(other, prices[:-40] + 0.01, begin)
    store(other, prices[-30:] + 0.01, END - 30 * timedelta(minutes=15))
    meter, inferred = Source(name="meter", type="gateway"), Source(name="learned", type="inferred")
    db.session.add_all([meter, inferred])
    db.session.commit()
    indexes = [made for _, made in db.session.execute(INDEXES)]
    constraints = list(db.session.execute(CONSTRAINTS))
    for name, _ in reversed(constraints):
        db.session.execute(text(f"ALTER TABLE timed_belief DROP CONSTRAINT {name}"))
    for name, _ in list(db.session.execute(INDEXES)):
        db.session.execute(text(f"DROP INDEX {name}"))
    moments = pd.date_range(NOW.normalize() - timedelta(days=DAYS), NOW, freq="15min", inclusive="left")
    homes = households(KINDS, moments)
    run, sensors = thermostat(homes), Sensors(homes)
    for number, states in enumerate(run.state_kwh):
        sensors.measure(number, states)
    # the others have larger boilers
    small = np.flatnonzero([each.tapping_profile == "S" for each in homes.entered])
    about = {"start": moments[0].to_pydatetime(), "many": len(small)}
    for role, values in (("temperature", sensors.sent_c[:, small]), ("fill-rate", 4 * run.electricity_kwh[:, small])):
        db.session.execute(FILL, {**about, **given(values), "role": role, "source": meter.id})
    drawn = homes.drawn_kwh[:, small]
    first = (np.arange(len(moments)) % QUARTERS == 0)[:, None]
    told = given(np.where((drawn > 0) | first, drawn, np.nan))
    db.session.execute(DRAWN, {**about, **told, "meter": meter.id, "inferred": inferred.id})
    context = f'{{"consumption-price": {{"sensor": {other.id}}}, "production-price": {{"sensor": {other.id}}}}}'
    options = {"silent_since": (NOW - timedelta(hours=6)).to_pydatetime(), "context": context}
    for statement in KINDS_OF_BOILERS:
        db.session.execute(text(statement), {name: each for name, each in options.items() if f":{name}" in statement})
    for name, made in constraints:
        db.session.execute(text(f"ALTER TABLE timed_belief ADD CONSTRAINT {name} {made}"))
    for made in indexes:
        db.session.execute(text(made.replace("INDEX", "INDEX IF NOT EXISTS", 1)))
    db.session.commit()
    # else it is done while the rest is measured
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        connection.execute(text("CHECKPOINT"))


CHANGE_A_TENTH = text("""
    UPDATE generic_asset
    SET attributes = jsonb_set(attributes, '{smart-boiler,comfort}', '{"useful_temperature": "45 °C"}')
    WHERE id % 10 = 5 AND attributes ? 'smart-boiler'
""")


def given(values):
    """Return values of shape (n, kinds) as arrays of one statement; what is no number is left out."""
    number, kind = (each[np.isfinite(values)] for each in np.indices(values.shape))
    return {"kinds": kind.tolist(), "numbers": number.tolist(), "values": values[np.isfinite(values)].tolist()}


def postgres_cpu_s():
    """Return the CPU time [s] of all processes of PostgreSQL, those that have ended included."""
    pid = db.session.execute(text("SELECT pg_backend_pid()")).scalar_one()
    server = psutil.Process(pid).parent()
    own = server.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    return total + sum(sum(child.cpu_times()[:2]) for child in server.children())


class Meter:
    """CPU times [s] by part: of this process and those that it has waited for, of PostgreSQL, and by the clock."""

    def __init__(self):
        self.parts = {}

    @contextmanager
    def part(self, what):
        """Add what is done to a part."""
        server, begin, clock = postgres_cpu_s(), own_cpu_s(), time.perf_counter()
        yield
        found = (own_cpu_s() - begin, postgres_cpu_s() - server, time.perf_counter() - clock)
        self.parts[what] = tuple(np.add(self.parts.get(what, (0.0, 0.0, 0.0)), found))

    def rows(self, count):
        """Return rows of a table: part, ms per boiler of both and together, s of all together, s by the clock."""
        return [
            [what, 1000 * own / count, 1000 * server / count, 1000 * (own + server) / count, own + server, clock]
            for what, (own, server, clock) in self.parts.items()
        ]


def own_cpu_s():
    """Return the CPU time [s] of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def plan_chunks(ids, moment, meter):
    """Plan boilers as a worker does; return how many were planned by themselves, and how many values were written."""
    singly = written = 0
    for begin in range(0, len(ids), CHUNK):
        with uncollected(), meter.part("read"):
            needs = needed(ids[begin : begin + CHUNK], moment, ["all"], start=NOW)
            fleet = Fleet(needs, NOW.tz_convert("UTC"), moment)
            boilers, _ = fleet.load()
            usual = [boiler for boiler in boilers if is_usual(boiler)]
            known = fleet.read(usual)
        with uncollected(), meter.part("solve"):
            solved, _ = fleet.solve(known)
        with uncollected(), meter.part("save"):
            written += fleet.save(solved)
            fleet.hand_out(solved)
            note({asset_id: need.note for asset_id, need in needs.items()}, NOW, moment)
            db.session.commit()
        unusual = [boiler for boiler in boilers if not is_usual(boiler)]
        with uncollected(), meter.part("by themselves"), quiet():
            singly += len([fleet.plan_singly(boiler) for boiler in unusual])
            db.session.commit()
        db.session.expunge_all()
    return singly, written


def plan_in_processes(app, ids, processes):
    """Plan boilers by so many processes at once."""

    def work(some):
        with app.app_context(), quiet():
            db.engine.dispose(close=False)
            for begin in range(0, len(some), CHUNK):
                plan_fleet(needed(some[begin : begin + CHUNK], NOW, ["all"]), NOW.tz_convert("UTC"), NOW)
                db.session.commit()
                db.session.expunge_all()
        os._exit(0)

    fork = multiprocessing.get_context("fork")
    started = [fork.Process(target=work, args=(some.tolist(),)) for some in np.array_split(ids, processes)]
    for process in started:
        process.start()
    for process in started:
        process.join()
    if any(process.exitcode for process in started):
        raise SystemExit("A process that planned has failed.")


def plan_by_host(meter):
    """Plan as the host does, some times; return how many."""
    plain = PlainStorage()
    boiler = make_household_boiler(make_account("Another"), "Another", KEPT_WARM)
    model = plain_flex_model(boiler)
    price = {"sensor": boiler.price.id}
    context = {"consumption-price": price, "production-price": price}
    begin = NOW - timedelta(days=5)
    for number in range(HOST_PLANS + 1):
        options = {"flex_model": dict(model), "flex_context": context}
        with meter.part("the host's single plan" if number else "warm-up"), quiet():
            stored(StorageScheduler, plain.sensors["fill-rate"], begin + timedelta(days=number), **options)


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boilers", type=int, default=1000, help="how many (default: 1000)")
    parser.add_argument("--processes", type=int, default=1, help="by how many the first plans are made (default: 1)")
    asked = parser.parse_args()
    count = asked.boilers
    with app_context() as app:
        make_fleet(count)
        ids = boiler_ids()
        warm = Meter()
        plan_chunks(ids[:2], NOW - timedelta(days=1), warm)
        first, again, tenth, looks, host = (Meter() for _ in range(5))
        plan_by_host(host)
        if asked.processes > 1:
            with first.part("first plans"):
                plan_in_processes(app, ids, asked.processes)
            tell(f"{count} boilers, planned for the first time by {asked.processes} processes", first, count)
        else:
            singly, written = plan_chunks(ids, NOW, first)
            tell(f"{count} boilers, {singly} of them by themselves; {written} values written", first, count)
        ours_ms = sum(row[3] for row in first.rows(count))
        host_ms = 1000 * sum(host.parts["the host's single plan"][:2]) / HOST_PLANS
        print(f"\nThe host's single plan: {host_ms:.0f} ms CPU with PostgreSQL, {host_ms / ours_ms:.0f} times as much")
        with looks.part("who needs a plan"):
            nobody = needed(ids, NOW + timedelta(minutes=5), ["missing", "deviating"])
        with looks.part("who deviates"):
            off = off_plan_k(ids, NOW + timedelta(minutes=15), 2.0, timedelta(hours=2))
        tell(f"Looking: {len(nobody)} need a plan when nothing is new, {len(off)} are off theirs", looks, count)
        _, written = plan_chunks(ids, NOW + timedelta(minutes=5), again)
        tell(f"All planned again, nothing new: {written} values written", again, count)
        db.session.execute(CHANGE_A_TENTH)
        db.session.commit()
        some = list(needed(ids, NOW + timedelta(minutes=6), ["missing", "deviating"]))
        _, written = plan_chunks(some, NOW + timedelta(minutes=6), tenth)
        tell(f"{len(some)} whose comfort was changed: {written} values written", tenth, len(some))


def tell(what, meter, count):
    """Print what was measured."""
    headers = ["ms CPU per boiler", "process", "PostgreSQL", "together", "all [s]", "clock [s]"]
    print(f"\n{what}\n{tabulate(meter.rows(count), headers, floatfmt='.3f')}", flush=True)


if __name__ == "__main__":
    main()
