"""Makes tariffs, and what customers with one are taken on with, for host tests."""

import pandas as pd
from flexmeasures import Asset, AssetType, Sensor
from flexmeasures.data import db

DAY_AND_NIGHT = (
    *("add-tariff", "BE day and night", "--country", "BE", "--factor", "1.02", "--vat", "21 %"),
    *("--fees", "0.05 EUR/kWh"),
    *("--fees", '{"fee": "0.03 EUR/kWh", "days": "mon-fri", "from": "07:00", "until": "22:00"}'),
)
"""The command for a tariff with two fees."""

DAY_AND_NIGHT_CONTRACT = {
    "parts": [
        {"factor": 1.02},
        {"rate": "0.05 EUR/kWh"},
        {"rate": "0.03 EUR/kWh", "days": "mon,tue,wed,thu,fri", "from": "07:00", "until": "22:00"},
    ],
    "vat": "21 %",
}
"""The contract that it says."""


def make_sensor(name, unit, resolution="15min"):
    """Make a public sensor."""
    kind = db.session.query(AssetType).filter_by(name="market").one_or_none() or AssetType(name="market")
    resolution = pd.Timedelta(resolution).to_pytimedelta()
    asset = Asset(name=f"Market of {name}", generic_asset_type=kind)
    sensor = Sensor(name=name, unit=unit, timezone="Europe/Amsterdam", event_resolution=resolution, generic_asset=asset)
    db.session.add(sensor)
    db.session.commit()
    return sensor


def household(name="Ash", **fields):
    """Return the body with which a customer is taken on."""
    return {"name": name, "user_name": name.lower(), "user_email": f"{name.lower()}@example.com", **fields}


def add_kronor_tariff(app, boilers, name="Oslo"):
    """Make a tariff in kronor; return the id of its spot price sensor."""
    with app.app_context():
        spot = make_sensor("spot", "NOK/kWh").id
    assert boilers("add-tariff", name, "--price-sensor", spot, "--fees", "0.5 NOK/kWh").exit_code == 0
    return spot


def values_of(sensor, day, days=1):
    """Return what a sensor holds from a local day in Amsterdam on, as prices are read."""
    start = pd.Timestamp(day, tz="Europe/Amsterdam")
    beliefs = sensor.search_beliefs(
        event_starts_after=start,
        event_ends_before=start + pd.DateOffset(days=days),
        most_recent_beliefs_only=True,
        one_deterministic_belief_per_event=True,
    )
    return beliefs["event_value"].tolist()
