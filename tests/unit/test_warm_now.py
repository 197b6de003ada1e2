"""What it takes to heat a tank to its ceiling, worked out by hand."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.plan.warm_now import warming

NOW = pd.Timestamp("2026-11-25T14:20", tz="Europe/Amsterdam")
LOSSLESS = BoilerData(volume_l=100.0, power_kw=2.0, standing_loss_kwh_per_day=0.0, ambient_c=10.0)
KWH_PER_K = 100 * 0.997 * 4.184 / 3600  # 0.115874


def prices(*values, begin="2026-11-25T14:15"):
    return pd.Series(values, index=pd.date_range(begin, periods=len(values), freq="15min", tz="Europe/Amsterdam"))


def test_time_and_electricity_are_those_of_the_heat_up_to_the_ceiling():
    """13 K are 1.5064 kWh, and 45.19 minutes at 2 kW."""
    found = warming(LOSSLESS, 52.0, NOW, prices(*[0.2] * 8))
    assert found.electricity_kwh == pytest.approx(13 * KWH_PER_K)
    assert (found.until - NOW) / timedelta(minutes=1) == pytest.approx(13 * KWH_PER_K / 2 * 60, abs=0.001)
    assert found.cost == pytest.approx(0.2 * 13 * KWH_PER_K)


def test_each_quarter_costs_its_own_price_and_the_first_one_what_is_left_of_it():
    """From 14:20 on: 10 minutes of the first quarter, 15 of the second, 15 of the third, the rest of the fourth."""
    found = warming(LOSSLESS, 52.0, NOW, prices(0.1, 0.2, 0.3, 0.4))
    rest = 13 * KWH_PER_K - 2 * 40 / 60
    assert 0 < rest < 0.5
    assert found.cost == pytest.approx(2 / 6 * 0.1 + 0.5 * 0.2 + 0.5 * 0.3 + rest * 0.4)


def test_a_heat_pump_takes_less_and_losses_take_more():
    pump = BoilerData(volume_l=100.0, power_kw=1.0, standing_loss_kwh_per_day=0.0, ambient_c=10.0, cop=2.0)
    assert warming(pump, 52.0, NOW, prices(*[0.2] * 8)).electricity_kwh == pytest.approx(13 * KWH_PER_K / 2)
    leaking = BoilerData(volume_l=100.0, power_kw=2.0, standing_loss_kwh_per_day=5.0, ambient_c=10.0)
    # some 50 K above ambient for 45 minutes: 5 / 24 / 45 * 48.5 * 0.78 = 0.175 kWh
    lost = warming(leaking, 52.0, NOW, prices(*[0.2] * 8)).electricity_kwh - 13 * KWH_PER_K
    assert lost == pytest.approx(0.175, abs=0.02)


def test_a_price_that_is_not_known_makes_the_cost_unknown_and_one_after_it_does_not():
    assert warming(LOSSLESS, 52.0, NOW, prices(0.1, np.nan, 0.3, 0.4)).cost is None
    assert warming(LOSSLESS, 52.0, NOW, prices(0.1, 0.2)).cost is None
    assert warming(LOSSLESS, 64.5, NOW, prices(0.1, np.nan)).cost == pytest.approx(0.1 * 0.5 * KWH_PER_K)


def test_what_more_it_costs_is_against_the_same_electricity_at_another_price():
    found = warming(LOSSLESS, 52.0, NOW, prices(*[0.2] * 8))
    assert found.more_than(0.08) == pytest.approx(0.12 * found.electricity_kwh)
    assert found.more_than(0.25) == pytest.approx(-0.05 * found.electricity_kwh)
    assert found.more_than(np.nan) is None
    assert warming(LOSSLESS, 52.0, NOW, prices(np.nan)).more_than(0.1) is None


def test_a_tank_that_is_full_or_never_gets_full_has_nothing_to_heat():
    assert warming(LOSSLESS, 65.0, NOW, prices(*[0.2] * 8)) is None
    sieve = BoilerData(volume_l=100.0, power_kw=0.1, standing_loss_kwh_per_day=20.0)
    assert warming(sieve, 52.0, NOW, prices(*[0.2] * 8)) is None


def test_the_hour_that_the_clock_repeats_is_heated_through_once_by_instant():
    now = pd.Timestamp("2026-10-25T00:50", tz="UTC").tz_convert("Europe/Amsterdam")
    quarters = pd.date_range("2026-10-25T00:45", periods=4, freq="15min", tz="UTC").tz_convert("Europe/Amsterdam")
    found = warming(LOSSLESS, 52.0, now, pd.Series([0.1, 0.2, 0.3, 0.4], index=quarters))
    rest = 13 * KWH_PER_K - 2 * 40 / 60
    assert found.cost == pytest.approx(2 / 6 * 0.1 + 0.5 * 0.2 + 0.5 * 0.3 + rest * 0.4)
    assert (found.until - now) / timedelta(minutes=1) == pytest.approx(13 * KWH_PER_K / 2 * 60, abs=0.001)
