from datetime import timedelta

import pandas as pd
import pytest

from smart_boiler_plugin.demo.household import simulate
from smart_boiler_plugin.demo.sample_prices import write_sample_prices

TIMEZONE = "Europe/Amsterdam"


@pytest.mark.parametrize(("day", "quarters"), [("2025-10-29", 96), ("2026-03-29", 92), ("2026-10-25", 100)])
def test_sample_prices_fill_every_day_also_when_the_clock_changes(tmp_path, day, quarters):
    start = pd.Timestamp(day, tz=TIMEZONE)
    file = tmp_path / "prices.csv"
    assert write_sample_prices(file, start, start + pd.DateOffset(days=1)) == quarters
    moments = pd.to_datetime(pd.read_csv(file)["start"], utc=True)
    assert moments.is_unique
    assert set(moments.diff().dropna()) == {timedelta(minutes=15)}


def test_sample_prices_are_the_published_ones(tmp_path):
    """The first and the last price of the day, as ENTSO-E published them."""
    start = pd.Timestamp("2025-10-29", tz=TIMEZONE)
    file = tmp_path / "prices.csv"
    write_sample_prices(file, start, start + pd.DateOffset(days=1))
    rows = file.read_text().splitlines()
    assert rows[1] == "2025-10-29T00:00:00+01:00,65.45"
    assert rows[-1] == "2025-10-29T23:45:00+01:00,77.25"


def test_a_simulated_household_keeps_its_thermostat_and_its_energy_balance():
    start = pd.Timestamp("2025-10-28", tz=TIMEZONE)
    history = simulate(start, start + pd.DateOffset(days=1), seed=1)
    assert len(history.temperature_c) == len(history.power_kw) == 96
    assert len(history.demand_kwh) == 96 + 96
    assert min(history.temperature_c) > 45  # the largest draw-off, 0.68 kWh, cools the tank by 7 K
    assert max(history.temperature_c) <= 60
    # in = out: heat put in, less drawn, less lost (some 0.9 kWh a day at 57 °C), is what the tank has more
    stored = 0.0927 * (history.temperature_c[-1] - history.temperature_c[0])
    lost = sum(history.power_kw) / 4 - sum(history.demand_kwh[:96]) - stored
    assert lost == pytest.approx(1.1093 / 24 / 45 * (sum(history.temperature_c) / 96 - 20) * 24, abs=0.1)
