"""Makes buildings with boilers, batteries, cars and roofs. Call inside an app context."""

from datetime import timedelta

from flexmeasures import Asset, AssetType, Sensor
from flexmeasures.data import db

from tests.factories import make_household_boiler, store
from tests.host.boilers import KEPT_WARM, QUARTER, START

SCHEDULER = "BoilerScheduler"


def make_asset(name, owner, kind="battery", parent=None):
    """Make an asset of a type, made if missing."""
    found = db.session.query(AssetType).filter_by(name=kind).one_or_none() or AssetType(name=kind)
    asset = Asset(name=name, generic_asset_type=found, owner=owner, parent_asset=parent)
    db.session.add(asset)
    db.session.commit()
    return asset


def make_power_sensor(asset, name="power"):
    """Make a sensor of power [kW] for an asset; consumption counts positive."""
    sensor = Sensor(name=name, unit="kW", generic_asset=asset, timezone="Europe/Amsterdam", event_resolution=QUARTER)
    sensor.attributes = {"consumption_is_positive": True}
    db.session.add(sensor)
    db.session.commit()
    return sensor


def make_building(boiler, price, *, limit=None, scheduler=SCHEDULER, production_price=None):
    """Make the building of a boiler, with the prices of its connection and its limit."""
    building = make_asset("Building", boiler.asset.owner, "building")
    context = {"consumption-price": {"sensor": price.id}, "production-price": production_price or {"sensor": price.id}}
    building.flex_context = {**context, **({"site-power-capacity": limit} if limit else {})}
    building.attributes = {"custom-scheduler": scheduler} if scheduler else {}
    boiler.asset.parent_asset = building
    db.session.commit()
    return building


def add_boiler(building, name="Second boiler", data=KEPT_WARM):
    """Put another boiler into a building."""
    boiler = make_household_boiler(building.owner, name, data)
    boiler.asset.parent_asset = building
    db.session.commit()
    return boiler


def add_car(building, *, target_kwh=30.0, at, power="7 kW", capacity="40 kWh", start="5 kWh"):
    """Put a car into a building that is to be charged by a time; return its power sensor."""
    car = make_asset("Car", building.owner, "one-way_evse", building)
    sensor = make_power_sensor(car)
    car.flex_model = {
        "consumption": {"sensor": sensor.id},
        "soc-max": capacity,
        "soc-at-start": start,
        "soc-targets": [{"datetime": at.isoformat(), "value": f"{target_kwh} kWh"}],
        "power-capacity": power,
        "production-capacity": "0 kW",
    }
    db.session.commit()
    return sensor


def add_roof(building, power_kw):
    """Put a roof onto a building that will feed in so much, and cannot be planned [kW, negative]."""
    sun = make_power_sensor(make_asset("Roof", building.owner, "solar", building))
    store(sun, power_kw, START, source_type="forecaster")
    building.flex_context = {**building.flex_context, "inflexible-device-sensors": [sun.id]}
    db.session.commit()


def events_of(hourly):
    """Return prices [EUR/kWh] of the hours of a day as a flex-context has them."""
    hour = timedelta(hours=1)
    return [
        {
            "start": (START + i * hour).isoformat(),
            "end": (START + (i + 1) * hour).isoformat(),
            "value": f"{value} EUR/kWh",
        }
        for i, value in enumerate(hourly)
    ]


def add_battery(building, *, known=True):
    """Put a battery into a building, whose state of charge is known or is not; return its power sensor."""
    battery = make_asset("Battery", building.owner, "battery", building)
    sensor = make_power_sensor(battery)
    states = Sensor(
        name="state", unit="kWh", generic_asset=battery, timezone="Europe/Amsterdam", event_resolution=timedelta(0)
    )
    db.session.add(states)
    db.session.commit()
    start = {"soc-at-start": "2 kWh"} if known else {"state-of-charge": {"sensor": states.id}}
    battery.flex_model = {"soc-min": "0 kWh", "soc-max": "5 kWh", "power-capacity": "3 kW", **start}
    battery.flex_model |= {"consumption": {"sensor": sensor.id}}
    db.session.commit()
    return sensor
