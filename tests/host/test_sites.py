"""Boilers in households with other devices: one trigger on the building, through the real queue."""

from datetime import timedelta

import numpy as np
import pytest
from flexmeasures import AccountRole
from flexmeasures.data import db

from smart_boiler_plugin.boiler.owners import CUSTOMER_ROLE
from tests.factories import store
from tests.host.boilers import (
    KEPT_WARM,
    START,
    make_household,
    measure,
    prices,
    stored_plan,
    through_the_queue,
)
from tests.host.sites import add_battery, add_boiler, add_car, add_roof, make_asset, make_building, make_power_sensor
from tests.oracle import lowest_cost

MORNING = START + timedelta(hours=7)


@pytest.fixture
def household(app):
    """A household that has asked for 50 °C always, and its price sensor with prices for a day."""
    with app.app_context():
        boiler, price = make_household(KEPT_WARM)
        store(price, prices(), START)
        yield boiler, price


def plan_of(boiler, role="fill-rate"):
    return stored_plan(boiler.sensors[role])


def finished(job):
    assert job.is_finished, job.latest_result().exc_string
    return job.meta["scheduler_info"]


# --- a start and a duration alone


def test_a_trigger_on_the_building_plans_the_boiler_as_one_on_the_boiler_does(household):
    """By its own comfort and draw-offs: what is stored is not taken for what the trigger said."""
    boiler, price = household
    measure(boiler, [52.0])
    building = make_building(boiler, price)
    told = finished(through_the_queue(building))
    expected = plan_of(boiler)
    # of the boiler itself, in steps for which there are no set-points: the same problem, solved here
    alone = finished(through_the_queue(boiler.sensors["fill-rate"], flex_model={"power-capacity": "1.5 kW"}))
    assert told["draw_offs"] == alone["draw_offs"]
    assert told["draw_offs"]["weight_of_tapping_profile"] == 1.0
    assert prices() @ plan_of(boiler) == pytest.approx(prices() @ expected, rel=1e-5)
    # 2.1 kWh are drawn and some 0.7 lost; the tank may end 2 K colder
    assert 2.5 < plan_of(boiler).sum() / 4 < 3.2


def test_the_comfort_of_the_household_holds_in_a_building_too(household):
    boiler, price = household
    boiler.change_comfort({"programme": [{"from": "06:00", "until": "09:00", "temperature": "60 °C"}]})
    measure(boiler, [52.0])
    finished(through_the_queue(make_building(boiler, price)))
    warm = plan_of(boiler, "temperature")
    assert warm[START + timedelta(hours=6, minutes=15) : START + timedelta(hours=8, minutes=45)].min() >= 59.9


# --- other devices


def test_a_car_that_cannot_be_charged_in_time_spoils_no_other_plan(household):
    """25 kWh by 07:00 need 3.6 kW; the connection has 2 kW."""
    boiler, price = household
    measure(boiler, [40.0])
    building = make_building(boiler, price, limit="2 kW")
    car = add_car(building, at=MORNING)
    job = through_the_queue(building)
    finished(job)
    np.testing.assert_allclose(plan_of(boiler)[:2], 1.5, atol=1e-6)
    assert plan_of(boiler, "temperature").iloc[8] >= 49.5
    charged = stored_plan(car)
    assert 5 + charged[:28].sum() / 4 < 30
    assert (charged + plan_of(boiler)).max() <= 2 + 1e-5


def test_the_boilers_of_one_limit_share_its_headroom(household):
    """Two tanks at 12 °C behind 2 kW: the limit is used up until both are warm, and then both are warm."""
    boiler, price = household
    building = make_building(boiler, price, limit="2 kW")
    second = add_boiler(building)
    measure(boiler, [12.0])
    measure(second, [12.0])
    told = finished(through_the_queue(building))["boilers"]
    both = plan_of(boiler) + plan_of(second)
    # 2 x 38 K are 7.05 kWh and the losses: 14 quarters of 0.5 kWh
    np.testing.assert_allclose(both[:14], 2.0, atol=1e-5)
    assert both.max() <= 2 + 1e-5
    for each in (boiler, second):
        assert told[str(each.asset.id)]["floors_not_met"]
        assert plan_of(each, "temperature").iloc[16:28].min() >= 49.5


@pytest.mark.parametrize("limit", ["0 kW", "0.0 MW"])
def test_a_connection_without_any_power_is_a_plan_of_nothing_that_is_told(household, limit):
    boiler, price = household
    measure(boiler, [52.0])
    told = finished(through_the_queue(make_building(boiler, price, limit=limit)))
    assert plan_of(boiler).abs().max() == pytest.approx(0, abs=1e-9)
    assert told["floors_not_met"]


def test_a_battery_whose_state_nobody_knows_is_left_out_and_told(household):
    boiler, price = household
    measure(boiler, [40.0])
    building = make_building(boiler, price)
    battery = add_battery(building, known=False)
    told = finished(through_the_queue(building))
    assert told["left_out"] == [f"asset {battery.generic_asset.id}: its state of charge is not known"]
    np.testing.assert_allclose(plan_of(boiler)[:2], 1.5, atol=1e-6)


def test_a_battery_and_a_roof_are_planned_with_the_boiler(household):
    """3 kW from the roof at noon are free, and 0.20 EUR/kWh are paid else: the boiler waits for noon."""
    boiler, price = household
    store(boiler.sensors["demand"], [0.0] * 96, START)
    measure(boiler, [50.5])
    building = make_building(boiler, price, production_price="0 EUR/kWh")
    noon = np.zeros(96)
    noon[44:52] = -3.0
    add_roof(building, noon)
    battery = add_battery(building)
    finished(through_the_queue(building))
    assert stored_plan(battery).abs().max() > 0.1
    assert plan_of(boiler)[48:52].sum() > 0


def test_where_the_host_fails_altogether_each_boiler_has_a_plan_within_the_limit(household):
    """Another device's flex-model is nonsense that the host only finds out when it plans."""
    boiler, price = household
    building = make_building(boiler, price, limit="2 kW")
    second = add_boiler(building)
    measure(boiler, [12.0])
    measure(second, [12.0])
    odd = make_asset("Odd", building.owner, "battery", building)
    power = make_power_sensor(odd)
    odd.flex_model = {
        "consumption": {"sensor": power.id},
        "soc-max": "5 kWh",
        "soc-at-start": "9 kWh",
        "soc-min": "8 kWh",
        "power-capacity": "1 kW",
    }
    db.session.commit()
    told = finished(through_the_queue(building, flex_context={"relax-constraints": False}))
    assert told["other_devices_not_planned"]
    both = plan_of(boiler) + plan_of(second)
    np.testing.assert_allclose(both[:10], 2.0, atol=1e-5)
    assert both.max() <= 2 + 1e-5


# --- prices


def test_a_boiler_in_a_site_has_no_prices_of_its_own(household):
    """The roof's surplus would be sold for nothing, and its own price says that each kWh costs: it heats at noon."""
    boiler, price = household
    store(boiler.sensors["demand"], [0.0] * 96, START)
    measure(boiler, [51.0])
    building = make_building(boiler, price, production_price="0 EUR/kWh")
    noon = np.zeros(96)
    noon[40:56] = -3.0
    add_roof(building, noon)
    finished(through_the_queue(boiler.sensors["fill-rate"]))
    power = plan_of(boiler)
    before_noon = power[:40].sum() / 4
    # 1 K and the losses of ten hours are some 0.4 kWh that cannot wait
    assert before_noon < 0.45
    assert power[40:56].sum() / 4 > 0


def test_a_price_that_the_trigger_names_counts_in_a_site_too(household):
    boiler, price = household
    measure(boiler, [50.5])
    building = make_building(boiler, price)
    cheap_late = [
        {"start": START.isoformat(), "end": (START + timedelta(hours=12)).isoformat(), "value": "0.50 EUR/kWh"},
        {
            "start": (START + timedelta(hours=12)).isoformat(),
            "end": (START + timedelta(hours=24)).isoformat(),
            "value": "0.05 EUR/kWh",
        },
    ]
    # the trigger says how warm, so that the draw-offs are those of the profile
    wish = [{"sensor": boiler.sensors["fill-rate"].id, "temperature-min": "50 °C"}]
    finished(through_the_queue(building, flex_model=wish, flex_context={"consumption-price": cheap_late}))
    power = plan_of(boiler)
    tank = boiler.data.tank
    floor = tank.state_of_charge_kwh(50.0)
    drawn = np.zeros(96)
    for hour, kwh in ((28, 0.105), (30, 0.105), (34, 0.105), (38, 0.105), (46, 0.105), (47, 0.105), (51, 0.315),
                      (72, 0.105), (73, 0.105), (82, 0.42), (86, 0.525)):  # fmt: skip
        drawn[hour] = kwh
    expected = lowest_cost(
        np.repeat([0.5, 0.05], 48),
        tank.state_of_charge_kwh(50.5),
        lowest=floor,
        highest=tank.state_of_charge_kwh(65.0),
        power_kw=1.5,
        efficiency=tank.storage_efficiency(0.25),
        inflow_kwh=tank.ambient_gain_kw / 4 - drawn,
    )
    assert np.repeat([0.5, 0.05], 48) @ power / 4 == pytest.approx(expected, rel=1e-4)


# --- what is missing


@pytest.mark.parametrize("role", ["demand", "temperature"])
@pytest.mark.parametrize("how", ["deleted", "renamed"])
def test_a_boiler_without_one_of_its_sensors_is_planned_by_profile_and_floor_and_says_so(household, role, how, caplog):
    boiler, _ = household
    sensor = boiler.sensors[role]
    if how == "deleted":
        db.session.delete(sensor)
    else:
        sensor.name = "something else"
    db.session.commit()
    told = finished(through_the_queue(boiler.sensors["fill-rate"]))
    assert told["missing"] == [role]
    assert told["draw_offs"]["weight_of_tapping_profile"] == 1.0
    assert told["start"]["from"] == "floor"
    # 2.1 kWh are drawn and some 0.7 lost; above its floor, the tank keeps some K for what nobody foresees
    assert 2.3 < plan_of(boiler).sum() / 4 < 4.5


def test_the_upgrade_lets_our_scheduler_plan_the_site_of_a_boiler_that_somebody_moved_there(household, flexmeasures):
    boiler, price = household
    boiler.asset.owner.account_roles.append(AccountRole(name=CUSTOMER_ROLE))
    measure(boiler, [40.0])
    building = make_building(boiler, price, scheduler=None)
    told = flexmeasures("smart-boiler", "upgrade").output
    assert f"scheduler of the site: Building (asset {building.id})" in " ".join(told.split())
    db.session.expire_all()
    assert "nothing" in flexmeasures("smart-boiler", "upgrade").output.lower()
    finished(through_the_queue(building))
    np.testing.assert_allclose(plan_of(boiler)[:2], 1.5, atol=1e-6)


def test_the_upgrade_leaves_a_site_alone_that_names_another_scheduler(household, flexmeasures):
    boiler, price = household
    boiler.asset.owner.account_roles.append(AccountRole(name=CUSTOMER_ROLE))
    building = make_building(boiler, price, scheduler="StorageScheduler")
    flexmeasures("smart-boiler", "upgrade")
    db.session.expire_all()
    assert building.attributes["custom-scheduler"] == "StorageScheduler"


def test_a_forecast_of_the_host_that_foresees_nothing_is_not_believed(household):
    """Its median is 0: a plan that believes it heats 0.06 kWh in place of what is drawn and lost."""
    boiler, _ = household
    measure(boiler, [52.0])
    store(boiler.sensors["demand"], [0.001] * 96, START, source_type="forecaster")
    flex_model = {"temperature-min": "50 °C"}
    told = finished(through_the_queue(boiler.sensors["fill-rate"], flex_model=flex_model))["draw_offs"]
    assert told["forecasts_not_believed"] == ["2025-10-29: a forecast of 0.10 kWh, where 2.10 kWh are usual"]
    assert plan_of(boiler).sum() / 4 > 2


def test_a_temperature_of_hygiene_may_be_set_as_a_whole_number(app, in_service, monkeypatch):
    monkeypatch.setitem(app.config, "SMART_BOILER_HYGIENE_TEMPERATURE", 63)
    finished(through_the_queue(in_service.sensors["fill-rate"]))
    assert plan_of(in_service, "temperature").max() >= 63


def test_with_an_age_of_nothing_a_reading_is_carried_forward_by_nothing(app, boiler, monkeypatch):
    monkeypatch.setitem(app.config, "SMART_BOILER_MAX_READING_AGE", timedelta(0))
    measure(boiler, [57.0])
    told = finished(through_the_queue(boiler.sensors["fill-rate"]))
    assert told["start"]["from"] == "reading carried forward"
    assert told["start"]["temperature"] == "57.00 °C"
