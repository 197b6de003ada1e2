"""The pure modules against figures that a plain linear programme outside this project worked out.

``tests/data/closed-loop-reference.json`` states all assumptions; the prices are those of the Belgian bidding zone, as
published on the ENTSO-E transparency platform.
"""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smart_boiler_plugin.physics.cheapest import cheapest_heat
from smart_boiler_plugin.physics.envelope import Steps, envelope
from smart_boiler_plugin.physics.tank import Tank, standing_loss_kwh_per_day
from smart_boiler_plugin.physics.tapping_profiles import drawn_kwh
from smart_boiler_plugin.physics.thermostat import HYSTERESIS_K, SET_POINT_C, thermostat

ROOT = Path(__file__).parents[2]
REFERENCE = json.loads((ROOT / "tests" / "data" / "closed-loop-reference.json").read_text())
QUARTERS = 56 * 96
MOMENTS = pd.date_range("2024-01-02", periods=QUARTERS, freq="15min", tz="Europe/Brussels")
TANK = Tank(volume_l=80, standing_loss_kwh_per_day=standing_loss_kwh_per_day("C", 80))
POWER_KWH = 1.5 / 4


@pytest.fixture(scope="module")
def spot():
    """Spot price per quarter [EUR/kWh]."""
    file = ROOT / "benchmarks" / "data" / "day-ahead-prices-BE-2024.csv"
    prices = pd.read_csv(file, index_col=0, parse_dates=True)["EUR/MWh"]
    return prices.reindex(MOMENTS, method="ffill").to_numpy() / 1000


def price_of(case, spot):
    return {"spot": spot, "(spot + 0.14 EUR/kWh) * 1.06": (spot + 0.14) * 1.06}[case["price"]]


@cache
def reference_steps(profile):
    """The steps as the reference has them: heat and draw-offs count whole at the end of the quarter."""
    retention = TANK.storage_efficiency(0.25)
    ambient = TANK.state_of_charge_kwh(TANK.ambient_c)
    drawn = drawn_kwh(profile, MOMENTS, 0.25)
    full = np.full(QUARTERS, POWER_KWH)
    return Steps(np.full(QUARTERS, retention), ambient * (1 - retention) - drawn, 0 * full, full, drawn)


@cache
def thermostat_of(profile):
    steps = reference_steps(profile)
    return thermostat(
        TANK.state_of_charge_kwh(55.0),
        retention=steps.retention[0],
        inflow_kwh=steps.inflow_kwh,
        heat_max_kwh=POWER_KWH,
        restart_kwh=TANK.state_of_charge_kwh(SET_POINT_C - HYSTERESIS_K),
        full_kwh=TANK.state_of_charge_kwh(SET_POINT_C),
    )


@pytest.mark.parametrize("case", REFERENCE["results"], ids=lambda c: f"{c['tapping_profile']}-{c['price']}")
def test_a_thermostat_and_perfect_knowledge_cost_what_the_reference_says_to_the_cent(case, spot):
    steps, price = reference_steps(case["tapping_profile"]), price_of(case, spot)
    heat, states = thermostat_of(case["tapping_profile"])
    assert heat.sum() == pytest.approx(case["thermostat_kwh"], abs=5e-4)
    assert price @ heat == pytest.approx(case["thermostat_cost_eur"], abs=5e-5)
    assert states[-1] == pytest.approx(case["end_state_of_charge_kwh"], abs=5e-5)

    lowest = np.full(QUARTERS, TANK.state_of_charge_kwh(float(case["floor_celsius"])))
    highest = np.full(QUARTERS, TANK.state_of_charge_kwh(65.0))
    lowest[-1] = highest[-1] = states[-1]
    bounds = envelope(steps, TANK.state_of_charge_kwh(55.0), lowest, highest)
    planned = cheapest_heat(bounds, price, TANK.state_of_charge_kwh(55.0))
    assert price @ planned == pytest.approx(case["perfect_knowledge_cost_eur"], abs=5e-5)
