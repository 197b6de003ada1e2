"""Several boilers behind one limit, at random: one plan of all, within the limit, as warm as a fair share allows.

8 sites in ``make test``, 300 in ``make test-long``.
"""

from datetime import timedelta

import numpy as np
import pytest
from flexmeasures.data import db

from smart_boiler_plugin.plan.scheduler import BoilerScheduler
from tests.host.boilers import QUARTER, QUARTERS, START, change_data, make_household
from tests.host.sites import add_boiler, events_of, make_building
from tests.host.test_random_households import any_boiler, drawn_kwh, temperatures, warmest

TOLERANCE_K = 0.05
MOST = 4


@pytest.mark.parametrize("cases", [pytest.param(8, id="8"), pytest.param(300, id="300", marks=pytest.mark.long)])
def test_boilers_behind_one_limit_always_have_a_plan_together(app, cases):
    with app.app_context():
        first, price = make_household()
        building = make_building(first, price)
        boilers = [first, *(add_boiler(building, f"Boiler {number}") for number in range(2, MOST + 1))]
        for case in range(cases):
            chance = np.random.default_rng(case)
            count = int(chance.integers(2, MOST + 1))
            here = [change_data(boiler, any_boiler(chance), {"hygiene": {"off": "test"}}) for boiler in boilers]
            for number, boiler in enumerate(here):
                boiler.asset.parent_asset = building if number < count else None
            limit = round(float(chance.uniform(0.2, 1.0) * sum(boiler.data.power_kw for boiler in here[:count])), 2)
            building.flex_context = {**building.flex_context, "site-power-capacity": f"{limit} kW"}
            db.session.commit()
            starts = chance.uniform(11, 75, count)
            plan_and_check(case, building, here[:count], starts, limit, chance)


def plan_and_check(case, building, boilers, starts, limit, chance):
    hourly = np.round(chance.uniform(0.02, 0.4, 24), 3)
    events = events_of(hourly)
    scheduler = BoilerScheduler(
        asset_or_sensor=building,
        start=START,
        end=START + timedelta(hours=24),
        resolution=QUARTER,
        belief_time=START + timedelta(hours=1),
        flex_model=[
            {
                "sensor": boiler.sensors["fill-rate"].id,
                "temperature-at-start": float(start),
                "temperature-min": boiler.data.temperature_min_c,
            }
            for boiler, start in zip(boilers, starts, strict=True)
        ],
        flex_context={"consumption-price": events},
        return_multiple=True,
    )
    results = scheduler.compute()
    assert "other_devices_not_planned" not in scheduler.info, (case, scheduler.info)
    power = {each["asset"]: each["data"].to_numpy() for each in results if each["name"] == "storage_schedule"}
    assert power.keys() == {boiler.asset.id for boiler in boilers}, case
    assert sum(power.values()).max() <= limit + 1e-4, case
    installed = sum(boiler.data.power_kw for boiler in boilers)
    for boiler, start in zip(boilers, starts, strict=True):
        data, mine = boiler.data, power[boiler.asset.id]
        drawn = drawn_kwh(data)
        assert not np.isnan(mine).any(), case
        is_c = temperatures(data, start, mine, drawn)
        idle_c = temperatures(data, start, np.zeros(QUARTERS), drawn)
        assert (is_c <= np.maximum(data.temperature_max_c, idle_c) + TOLERANCE_K).all(), case
        share_kw = min(data.power_kw, limit * data.power_kw / installed)
        fair_c = np.minimum(data.temperature_min_c, warmest(data, start, drawn, share_kw))
        assert (is_c >= fair_c - TOLERANCE_K).all(), (case, (fair_c - is_c).max())
