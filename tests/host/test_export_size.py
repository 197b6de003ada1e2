"""Years of readings are exported piece by piece: what it takes of memory does not grow with them."""

import json
import tracemalloc

import pytest
from flexmeasures import Account
from flexmeasures.data import db
from sqlalchemy import text

from smart_boiler_plugin.customers.directory import of_account
from smart_boiler_plugin.customers.exporting import export
from tests.factories import make_account, make_household_boiler

FILL = """
    INSERT INTO timed_belief (sensor_id, source_id, event_start, belief_horizon, cumulative_probability, event_value)
    SELECT :sensor, (SELECT min(id) FROM data_source), TIMESTAMPTZ '2023-01-01' + n * INTERVAL '15 minutes',
           INTERVAL '0', 0.5, n FROM generate_series(1, :count) AS n
"""
THREE_YEARS = 3 * 366 * 96


def exported(app, count):
    """The export of a household with as many readings, and how much memory that took at most [bytes]."""
    with app.app_context():
        account = make_account("Household", roles=["Boiler customer"])
        boiler = make_household_boiler(account, "Boiler")
        db.session.execute(text("INSERT INTO data_source (name, type, attributes) VALUES ('meter', 'user', '{}')"))
        db.session.execute(text(FILL), {"sensor": boiler.sensors["temperature"].id, "count": count})
        db.session.commit()
        db.session.expire_all()
        customer = of_account(db.session.get(Account, account.id))
        length, pieces = 0, []
        tracemalloc.start()
        for piece in export(customer):
            length += len(piece)
            if count < THREE_YEARS:
                pieces.append(piece)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return "".join(pieces), length, peak


def test_it_is_one_json_document_however_many_pieces_it_has(app):
    whole, _, _ = exported(app, 12_000)
    (temperature,) = [one for one in json.loads(whole)["assets"][0]["sensors"] if one["name"] == "temperature"]
    assert [row["value"] for row in temperature["data"]] == list(range(1, 12_001))


def test_many_readings_take_little_memory(app):
    _, length, peak = exported(app, THREE_YEARS // 3)
    assert length > 4_000_000
    # pieces are kept here, too
    assert peak - length < 15 * 2**20, peak


@pytest.mark.long
def test_three_years_take_less_than_50_mb(app):
    _, length, peak = exported(app, THREE_YEARS)
    assert length > 12_000_000
    assert peak < 50 * 2**20, peak
    print(f"{length / 1e6:.0f} MB of text, at most {peak / 2**20:.1f} MB of memory")  # noqa: T201
