"""Households at random, each planned by one trigger on the building: none without a plan for its boiler.

A boiler, and any of: a battery of which somebody knows the state or nobody does, a car that comes late and wants too
much, a roof without a forecast, a connection that is too small. 20 in ``make test``, 1,000 in ``make test-long``.
"""

from datetime import timedelta

import numpy as np
import pytest
from flexmeasures import Sensor
from flexmeasures.data import db
from scipy.optimize import linprog
from scipy.sparse import block_diag, csr_matrix, hstack, vstack

from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.plan.scheduler import BoilerScheduler
from tests.host.boilers import QUARTER, QUARTERS, START, change_data, make_household
from tests.host.sites import events_of, make_asset, make_building, make_power_sensor

TOLERANCE_K = 0.05


def any_boiler(chance):
    lowest = chance.uniform(40, 58)
    return BoilerData(
        volume_l=float(chance.choice([30, 80, 150, 300])),
        power_kw=round(float(chance.uniform(0.8, 4)), 2),
        temperature_min_c=float(lowest),
        temperature_max_c=float(chance.uniform(lowest + 4, 80)),
        cop=float(chance.choice([1.0, 1.0, 2.5])),
        tapping_profile=str(chance.choice(["S", "M"])),
    )


def storage(start, highest, power, *, target=None, feeds_in):
    """A storage as a flex-model has it: battery or car."""
    model = {
        "soc-min": "0 kWh",
        "soc-max": f"{highest} kWh",
        "power-capacity": f"{power} kW",
        "consumption-capacity": f"{power} kW",
        "production-capacity": f"{power if feeds_in else 0} kW",
        "prefer-charging-sooner": False,
    }
    if start is not None:
        model["soc-at-start"] = f"{start} kWh"
    if target is not None:
        at = START + target[0] * QUARTER
        model["soc-targets"] = [{"datetime": at.isoformat(), "value": f"{target[1]} kWh"}]
    return model


class Household:
    """One building whose contents change from case to case."""

    def __init__(self):
        self.boiler, price = make_household()
        self.building = make_building(self.boiler, price)
        self.sensors = {}
        for name, kind in (("Battery", "battery"), ("Car", "one-way_evse"), ("Roof", "solar")):
            self.sensors[name] = make_power_sensor(make_asset(name, self.building.owner, kind, self.building))
        self.unknown = Sensor(
            name="state",
            unit="kWh",
            generic_asset=self.sensors["Battery"].generic_asset,
            timezone="Europe/Amsterdam",
            event_resolution=timedelta(0),
        )
        db.session.add(self.unknown)
        db.session.commit()

    def fill(self, chance):
        """Put things in at random; return what an independent programme needs to know of them."""
        self.boiler = change_data(self.boiler, any_boiler(chance), {"hygiene": {"off": "for comparison"}})
        others = []
        kind = chance.integers(4)
        battery = None
        if kind:
            start = round(float(chance.uniform(0, 5)), 2)
            battery = storage(None if kind == 1 else start, 6, 3, feeds_in=True)
            if kind == 1:
                battery["state-of-charge"] = {"sensor": self.unknown.id}
            else:
                others.append({"start": start, "highest": 6, "power": 3, "least": -3, "target": None})
        car = None
        if chance.random() < 0.6:
            target = (int(chance.integers(4, 96)), round(float(chance.uniform(6, 38)), 1))
            car = storage(5.0, 40, 7, target=target, feeds_in=False)
            others.append({"start": 5.0, "highest": 40, "power": 7, "least": 0, "target": target})
        for name, model in (("Battery", battery), ("Car", car)):
            self.sensors[name].generic_asset.flex_model = model or {}
        self.others = [self.sensors[name].id for name, model in (("Battery", battery), ("Car", car)) if model]
        limit = round(float(chance.uniform(1, 12)), 1) if chance.random() < 0.6 else None
        context = {"production-price": None, "consumption-price": None}
        context = dict.fromkeys(context, self.boiler.asset.flex_context["consumption-price"])
        if limit:
            context["site-power-capacity"] = f"{limit} kW"
        if chance.random() < 0.4:
            context["inflexible-device-sensors"] = [self.sensors["Roof"].id]
        self.building.flex_context = context
        db.session.commit()
        return limit, others

    def plan(self, start_c, price):
        """Return the scheduler, and what it plans for each device, by the name of its asset [kW]."""
        scheduler = BoilerScheduler(
            asset_or_sensor=self.building,
            start=START,
            end=START + timedelta(hours=24),
            resolution=QUARTER,
            belief_time=START + timedelta(hours=1),
            flex_model=[
                {
                    "sensor": self.boiler.sensors["fill-rate"].id,
                    "temperature-at-start": start_c,
                    "temperature-min": self.boiler.data.temperature_min_c,
                },
                *({"sensor": sensor_id} for sensor_id in self.others),
            ],
            flex_context={"consumption-price": price, "production-price": price},
            return_multiple=True,
        )
        results = scheduler.compute()
        power = {}
        for result in results:
            if result["name"] == "storage_schedule" and "asset" in result:
                power["Boiler"] = result["data"].to_numpy()
            elif result["name"] == "storage_schedule":
                power[result["sensor"].generic_asset.name] = result["data"].to_numpy()
        return scheduler, power


def drawn_kwh(data):
    from smart_boiler_plugin.physics.tapping_profiles import TAPPING_PROFILES  # noqa: PLC0415

    drawn = np.zeros(QUARTERS)
    for at, kwh in TAPPING_PROFILES[data.tapping_profile].items():
        drawn[4 * at.hour + at.minute // 15] += kwh
    return drawn


def temperatures(data, start_c, power_kw, drawn):
    """What the tank does with some power: what is not there cannot be drawn."""
    tank, out = data.tank, []
    state = tank.state_of_charge_kwh(start_c)
    for kw, kwh in zip(power_kw, drawn, strict=True):
        undrawn = tank.after(state, 0.25, data.cop * kw, 0.0)
        state = max(tank.after(state, 0.25, data.cop * kw, kwh), min(0.0, undrawn))
        out.append(tank.temperature_c(state))
    return np.array(out)


def warmest(data, start_c, drawn, power_kw):
    """The temperatures that most heating below the ceiling reaches."""
    tank, full, out = data.tank, data.tank.state_of_charge_kwh(data.temperature_max_c), []
    state = tank.state_of_charge_kwh(start_c)
    for kwh in drawn:
        idle, most = (tank.after(state, 0.25, data.cop * kw, kwh) for kw in (0.0, power_kw))
        undrawn = tank.after(state, 0.25, data.cop * power_kw, 0.0)
        state = max(idle, min(most, full), min(0.0, undrawn))
        out.append(tank.temperature_c(state))
    return np.array(out)


def least_cost(data, start_c, drawn, others, limit, price):
    """The cheapest plan of all devices by an own linear programme; None where not all wishes can be met."""
    n, tank = QUARTERS, data.tank
    steps = np.arange(n)
    keeps = tank.storage_efficiency(0.25)
    late = (1 - keeps) / -np.log(keeps)
    decay = np.where(steps[:, None] >= steps, keeps ** np.maximum(steps[:, None] - steps, 0), 0.0) * late
    idle = tank.state_of_charge_kwh(start_c) * keeps ** (steps + 1) + decay @ (tank.ambient_gain_kw / 4 - drawn)
    floor, ceiling = (tank.state_of_charge_kwh(c) for c in (data.temperature_min_c, data.temperature_max_c))
    heat = csr_matrix(decay * 0.25 * data.cop)
    above, below = [ceiling - idle], [idle - floor]
    matrices, bounds = [heat], [(0, data.power_kw)] * n
    for other in others:
        matrices.append(csr_matrix(np.tril(np.full((n, n), 0.25))))
        bounds += [(other["least"], other["power"])] * n
        lowest, highest = np.zeros(n), np.full(n, float(other["highest"]))
        if other["target"]:
            at, kwh = other["target"]
            lowest[at - 1] = highest[at - 1] = kwh
        above.append(highest - other["start"])
        below.append(other["start"] - lowest)
    stock = block_diag(matrices)
    rows, sides = [stock, -stock], [np.concatenate(above), np.concatenate(below)]
    if limit:
        together = hstack([csr_matrix(np.eye(n))] * len(matrices))
        rows += [together, -together]
        sides += [np.full(n, limit), np.full(n, limit)]
    solved = linprog(
        np.tile(price, len(matrices)) / 4, A_ub=vstack(rows), b_ub=np.concatenate(sides) + 1e-9, bounds=bounds
    )
    return solved.fun if solved.success else None


@pytest.mark.parametrize("cases", [pytest.param(8, id="8"), pytest.param(1000, id="1000", marks=pytest.mark.long)])
def test_every_household_gets_a_plan_for_its_boiler(app, cases):
    compared = 0
    with app.app_context():
        household = Household()
        for case in range(cases):
            chance = np.random.default_rng(case)
            limit, others = household.fill(chance)
            data, start_c = household.boiler.data, float(chance.uniform(11, 75))
            hourly = np.round(chance.uniform(0.02, 0.4, 24), 3)
            events = events_of(hourly)
            scheduler, power = household.plan(start_c, events)
            assert "other_devices_not_planned" not in scheduler.info, (case, scheduler.info)
            assert ("left_out" in scheduler.info) == (
                "state-of-charge" in str(household.sensors["Battery"].asset.flex_model)
            )
            check(case, data, start_c, power, limit)
            expected = least_cost(data, start_c, drawn_kwh(data), others, limit, np.repeat(hourly, 4))
            if expected is not None and start_c <= data.temperature_max_c:
                cost = np.repeat(hourly, 4) @ sum(power.values()) / 4
                assert cost == pytest.approx(expected, rel=1e-4, abs=1e-4), case
                compared += 1
    assert compared >= cases / 4


def check(case, data, start_c, power, limit):
    boiler, drawn = power["Boiler"], drawn_kwh(data)
    assert len(boiler) == QUARTERS, case
    assert not np.isnan(boiler).any(), case
    assert boiler.min() >= -1e-6, case
    if limit:
        assert sum(power.values()).max() <= limit + 1e-4, case
    is_c = temperatures(data, start_c, boiler, drawn)
    idle_c = temperatures(data, start_c, np.zeros(QUARTERS), drawn)
    assert (is_c <= np.maximum(data.temperature_max_c, idle_c) + TOLERANCE_K).all(), case
    possible_c = warmest(data, start_c, drawn, min(data.power_kw, limit or np.inf))
    assert (is_c >= np.minimum(data.temperature_min_c, possible_c) - TOLERANCE_K).all(), case


def test_the_linear_programme_agrees_with_a_case_worked_out_by_hand():
    """A lossless tank of 0.1 kWh/K at its floor, 1 kWh drawn at noon, and a battery of 1 kWh that is sold dear."""
    data = BoilerData(volume_l=0.1 * 3600 / 0.997 / 4.184, standing_loss_kwh_per_day=1e-9, temperature_min_c=50.0)
    drawn = np.zeros(QUARTERS)
    drawn[48] = 1.0
    price = np.full(QUARTERS, 0.2)
    price[8:12], price[72:76] = 0.1, 0.5
    battery = {"start": 1.0, "highest": 1.0, "power": 1.0, "least": -1.0, "target": None}
    found = least_cost(data, 50.0, drawn, [battery], None, price)
    # 1 kWh of heat at 0.10; the battery empties before at 0.20, fills at 0.10 and empties at 0.50
    assert found == pytest.approx(1 * 0.1 - 0.2 + 0.1 - 0.5, abs=1e-6)
