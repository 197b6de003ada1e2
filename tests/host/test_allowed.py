"""What a flex-model or flex-context names: a plan is written onto its own site, and reads nobody else's sensors."""

import pytest
from flexmeasures import Asset, Sensor
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from marshmallow import ValidationError

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.errors import BrokenBoilerError
from smart_boiler_plugin.plan.allowed import WRITTEN, not_allowed
from tests.factories import make_account, make_household_boiler, make_user, store
from tests.host.boilers import START, measure, prices, through_the_queue
from tests.host.queries import counted_queries

IN_MODEL = {
    "consumption": "fill-rate",
    "production": "fill-rate",
    "state-of-charge": "state-of-charge",
    "soc-minima": "state-of-charge",
    "soc-targets": "state-of-charge",
    "soc-usage": "demand",
    "power-capacity": "fill-rate",
}
IN_CONTEXT = {
    "aggregate-power": "fill-rate",
    "aggregate-consumption": "fill-rate",
    "aggregate-production": "fill-rate",
    "inflexible-device-sensors": "fill-rate",
    "inflexible-consumption": "fill-rate",
    "consumption-price": "cost",
    "site-power-capacity": "fill-rate",
}
FIELDS = {**IN_MODEL, **IN_CONTEXT}
WHOSE = ["neighbour", "other operator's", "public"]


class Town:
    """A household, its neighbour of the same operator, one of another operator, and the public price."""

    def __init__(self):
        operator, rival = (make_account(name, roles=["Consultancy"]) for name in ("Operator", "Rival"))
        self.operator = operator
        self.boiler = make_household_boiler(make_account("Ash", consultancy=operator), "Boiler Ash")
        neighbour = make_household_boiler(make_account("Birch", consultancy=operator), "Boiler Birch")
        foreign = make_household_boiler(make_account("Cedar", consultancy=rival), "Boiler Cedar")
        self.price = self.boiler.price
        self.others = {"neighbour": neighbour, "other operator's": foreign}
        store(self.price, prices(), START)
        measure(self.boiler, [52.0])

    def sensor(self, whose, role):
        """The sensor that is named."""
        return self.price if whose == "public" else self.others[whose].sensors[role]

    def named(self, field, whose):
        """A field's value that names the sensor."""
        sensor = self.sensor(whose, FIELDS[field]).id
        if field == "inflexible-device-sensors":
            return {field: [sensor]}
        return {field: [{"sensor": sensor}] if field == "inflexible-consumption" else {"sensor": sensor}}


@pytest.fixture
def town(app):
    with app.app_context():
        yield Town()


def of_others(town):
    """All that stands on sensors of others and of the public, and their attributes."""
    own = [sensor.id for sensor in town.boiler.asset.sensors]
    beliefs = db.select(TimedBelief.sensor_id, db.func.count()).filter(TimedBelief.sensor_id.not_in(own))
    attributes = db.select(Sensor.id, Sensor.attributes).filter(Sensor.id.not_in(own)).order_by(Sensor.id)
    counted = sorted(map(tuple, db.session.execute(beliefs.group_by(TimedBelief.sensor_id))))
    return counted, [tuple(row) for row in db.session.execute(attributes)]


@pytest.mark.parametrize("whose", WHOSE)
@pytest.mark.parametrize("field", FIELDS)
def test_whatever_a_household_has_stored_its_plan_is_written_onto_its_own_sensors(town, field, whose):
    asset = town.boiler.asset
    column = "flex_model" if field in IN_MODEL else "flex_context"
    setattr(asset, column, {**getattr(asset, column), **town.named(field, whose)})
    db.session.commit()
    before = of_others(town)
    if whose == "public" and field not in WRITTEN | {"consumption-price"}:
        # everybody may read a public sensor; that a price is no power is the host's to say
        try:
            through_the_queue(town.boiler.sensors["fill-rate"])
        except (ValidationError, ValueError):
            db.session.rollback()
    else:
        job = through_the_queue(town.boiler.sensors["fill-rate"])
        assert job.is_finished, job.exc_info
        told = job.meta["scheduler_info"].get("not_used", {})
        assert told.keys() == (set() if field == "consumption-price" and whose == "public" else {field})
        assert job.return_value()["num-beliefs"] > 0
    assert of_others(town) == before


@pytest.mark.parametrize("whose", WHOSE)
@pytest.mark.parametrize("field", FIELDS)
def test_a_trigger_that_names_such_a_sensor_is_refused_with_the_field(app, town, field, whose):
    _, token = make_user(make_account("Administration"), "admin", roles=["admin"])
    kind = "flex-model" if field in IN_MODEL else "flex-context"
    body = {"start": START.isoformat(), "duration": "PT24H", kind: town.named(field, whose)}
    path = f"/api/v3_0/sensors/{town.boiler.sensors['fill-rate'].id}/schedules/trigger"
    before = of_others(town)
    answer = app.test_client().post(path, json=body, headers={"Authorization": token})
    if whose == "public" and field not in WRITTEN:
        # everybody may read a public sensor; that a price is no power is the host's to say
        assert answer.status_code in {202, 422}
    else:
        assert answer.status_code == 422, answer.text
        assert "cannot be used here" in answer.json["message"]["json"][field][0]
    assert of_others(town) == before


def test_a_sensor_of_the_operator_may_be_read_and_not_written(town):
    kind = town.boiler.asset.generic_asset_type
    roof = Asset(name="Roof", generic_asset_type=kind, owner=town.operator)
    sun = Sensor(name="sun", unit="kW", generic_asset=roof, event_resolution="PT15M")
    db.session.add_all([roof, sun])
    db.session.commit()
    named = {"sensor": sun.id}
    assert not_allowed([{"inflexible-production": [named]}], town.boiler.asset) == {}
    assert not_allowed([{"production": named}], town.boiler.asset).keys() == {(0, "production")}


def test_the_site_is_the_tree_as_far_as_it_is_the_same_accounts(town):
    boiler, kind = town.boiler.asset, town.boiler.asset.generic_asset_type
    house, shed, street = (
        Asset(name=name, generic_asset_type=kind, owner=owner)
        for name, owner in (("House", boiler.owner), ("Shed", boiler.owner), ("Street", town.operator))
    )
    boiler.parent_asset, house.parent_asset = house, street
    db.session.add_all([house, shed, street])
    meters = [
        Sensor(name="grid", unit="kW", generic_asset=one, event_resolution="PT15M") for one in (house, shed, street)
    ]
    db.session.add_all(meters)
    db.session.commit()
    refused = [bool(not_allowed([{"aggregate-power": {"sensor": meter.id}}], boiler)) for meter in meters]
    assert refused == [False, True, True]


@pytest.mark.parametrize("spelt", [str, float, lambda one: [[{"sensor": one}]], lambda one: {"x": {"sensors": [one]}}])
def test_an_id_is_found_however_it_is_spelt(town, spelt):
    sensor = town.others["neighbour"].sensors["fill-rate"].id
    assert not_allowed([{"inflexible-device-sensors": spelt(sensor)}], town.boiler.asset)


@pytest.mark.parametrize("junk", [None, "x", -1, 10**30, float("nan"), float("inf"), {}, [[]], True])
def test_what_is_no_id_is_left_to_the_host(town, junk):
    assert not_allowed([{"inflexible-device-sensors": junk}], town.boiler.asset) == {} or junk is True


def test_looking_at_all_of_them_takes_one_statement(town):
    fields = [town.named(field, "public") for field in FIELDS]
    asset = town.boiler.asset
    assert asset.owner.consultancy_account_id == town.operator.id
    with counted_queries() as queries:
        not_allowed(fields, asset)
    assert len(queries) == 1


def test_a_private_price_of_somebody_elses_is_none_for_plan_and_statement(town):
    """Neither a plan nor a statement counts with it: a household could name one that is free of charge."""
    foreign = town.others["other operator's"].asset
    free = Sensor(name="free", unit="EUR/kWh", generic_asset=foreign, event_resolution="PT15M")
    db.session.add(free)
    db.session.commit()
    store(free, [0.0] * 96, START)
    asset = town.boiler.asset
    asset.flex_context = {"consumption-price": {"sensor": free.id}, "production-price": {"sensor": free.id}}
    db.session.commit()
    job = through_the_queue(Boiler(asset).sensors["fill-rate"])
    assert job.is_finished, job.exc_info
    assert job.meta["scheduler_info"]["not_used"].keys() == {"consumption-price", "production-price"}
    assert job.meta["scheduler_info"]["plan"] == "thermostat, as no price is known"
    with pytest.raises(BrokenBoilerError, match="names no sensor of a price"):
        Boiler(asset).price  # noqa: B018
