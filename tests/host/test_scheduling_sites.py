"""BoilerScheduler: more than one boiler at a time, and whose boilers a trigger may name."""

from datetime import timedelta

import numpy as np
import pytest
from flexmeasures import Asset
from flexmeasures.data import db
from marshmallow import ValidationError

from smart_boiler_plugin.plan.scheduler import BoilerScheduler
from tests.factories import make_account, make_household_boiler, store
from tests.host.boilers import KEPT_WARM, QUARTER, START, make_household, measure, prices, scheduler_of


@pytest.fixture
def household(app):
    """A household that has asked for 50 °C always, and its price sensor with prices for a day."""
    with app.app_context():
        boiler, price = make_household(KEPT_WARM)
        store(price, prices(), START)
        yield boiler, price


@pytest.fixture
def house(boiler):
    """A house with two boilers, of which one is cold; the house as an asset, and its boilers."""
    second = make_household_boiler(boiler.asset.owner, "Boiler in the attic", KEPT_WARM)
    house = Asset(name="house", generic_asset_type=boiler.asset.generic_asset_type, owner=boiler.asset.owner)
    boiler.asset.parent_asset = second.asset.parent_asset = house
    db.session.add(house)
    db.session.commit()
    measure(boiler, [30.0])
    measure(second, [57.0])
    return house, boiler, second


def planned_house(house, price, flex_model):
    scheduler = BoilerScheduler(
        asset_or_sensor=house,
        start=START,
        end=START + timedelta(hours=24),
        resolution=QUARTER,
        belief_time=START + timedelta(hours=1),
        flex_model=flex_model,
        flex_context={"consumption-price": {"sensor": price.id}},
        return_multiple=True,
    )
    results = scheduler.compute()
    return scheduler.info, {r["asset"]: r["data"] for r in results if r["name"] == "storage_schedule"}


@pytest.mark.parametrize("named", [0, 1, 2])
def test_all_boilers_of_a_house_are_planned_whichever_the_trigger_names(house, household, named):
    asset, first, second = house
    sensors = [boiler.sensors["fill-rate"].id for boiler in (first, second)]
    _, power = planned_house(asset, household[1], [{"sensor": sensor} for sensor in sensors[:named]])
    assert power.keys() == {first.asset.id, second.asset.id}
    np.testing.assert_allclose(power[first.asset.id][:4], 1.5)
    assert power[second.asset.id].iloc[0] < 1.5


def test_what_a_plan_for_several_boilers_rests_on_is_told_for_each(house, household):
    asset, first, second = house
    said, _ = planned_house(asset, household[1], [{"sensor": b.sensors["fill-rate"].id} for b in (first, second)])
    told = said["boilers"]
    assert told[str(first.asset.id)]["start"]["temperature"] == "30.00 °C"
    assert told[str(second.asset.id)]["start"]["temperature"] == "57.00 °C"
    assert [bool(told[str(b.asset.id)]["floors_not_met"]) for b in (first, second)] == [True, False]


@pytest.mark.parametrize("by", ["sensor", "asset"])
def test_a_trigger_cannot_name_a_boiler_that_is_no_part_of_what_it_plans(boiler, by):
    """Else its temperature would be told in the result, to whoever may plan any boiler at all."""
    others = make_household_boiler(make_account("Client 2"), "Boiler Client 2")
    measure(others, [63.0])
    ids = {"sensor": others.sensors["fill-rate"].id, "asset": others.asset.id}
    with pytest.raises(ValidationError, match="is no part of asset"):
        scheduler_of(boiler, **{by: ids[by]}).deserialize_config()
