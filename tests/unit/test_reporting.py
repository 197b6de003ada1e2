"""Whether a boiler reports at intervals, or changes alone."""

import numpy as np
import pandas as pd
import pytest

from smart_boiler_plugin.boiler.data_schema import BoilerSchema
from smart_boiler_plugin.boiler.door import data_of
from smart_boiler_plugin.customers.rows import BOILER_COLUMNS
from smart_boiler_plugin.physics.reporting import reported_change_k

START = pd.Timestamp("2025-10-28", tz="Europe/Amsterdam")


def reported(temperature_c, change_k):
    """Return what of temperatures by the quarter is reported on change alone."""
    kept, last = {}, None
    for at, value in temperature_c.items():
        step = np.round(value / change_k) * change_k
        if step != last:
            kept[at], last = step, step
    return pd.Series(kept)


def day(seed, cooling_k=0.12):
    """A day by the quarter: it cools, somebody draws now and then, and at night it is heated."""
    random, value, values = np.random.default_rng(seed), 62.0, []
    for quarter in range(96):
        drawn = random.choice([0, 3, 8], p=[0.96, 0.025, 0.015])
        value = min(value + 4.0, 62.0) if quarter > 80 else max(value - cooling_k - drawn, 20)
        values.append(value)
    return pd.Series(values, index=pd.date_range(START, periods=96, freq="15min"))


@pytest.mark.parametrize("seed", range(10))
def test_a_boiler_that_reports_changes_is_found_out(seed):
    assert reported_change_k(reported(day(seed)[:80], 0.5)) == 0.5


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("every", [1, 2, 4])
def test_a_boiler_that_reports_at_intervals_is_not_taken_for_one(seed, every):
    assert reported_change_k(day(seed)[::every]) is None
    assert reported_change_k(day(seed)[::every].round()) is None


def test_few_readings_tell_nothing():
    assert reported_change_k(reported(day(1), 0.5)[:7]) is None


def test_how_it_reports_can_be_said_and_is_shown():
    said = BoilerSchema().load({"reports": {"on_change": "500e-3 K"}})
    assert said == {"reports_change_k": pytest.approx(0.5)}
    assert BoilerSchema().dump({"reports_change_k": 0.5}) == {"reports": {"on_change": "0.5 K"}}
    assert BoilerSchema().load({"reports": None}) == {"reports_change_k": None}


def test_a_cell_of_a_table_has_the_change_alone():
    assert BOILER_COLUMNS["reports"] == "reports"
    assert BoilerSchema().load({"reports": "0.5 K"}) == {"reports_change_k": pytest.approx(0.5)}


@pytest.mark.parametrize(
    "wrong", [{"on_change": "6 K"}, {"on_change": "50 degC"}, {}, "often", "6 K", "", 0.5, {"always": True}]
)
def test_how_it_reports_is_checked(wrong):
    assert list(BoilerSchema().validate({"reports": wrong})) == ["reports"]


def test_a_boiler_of_an_earlier_version_reports_at_intervals():
    stored = {
        "volume_l": 80,
        "power_kw": 1.5,
        "temperature_min_c": 50,
        "temperature_max_c": 65,
        "ambient_c": 20,
        "cold_water_c": 10,
        "energy_class": "C",
        "standing_loss_kwh_per_day": None,
        "cop": 1,
        "tapping_profile": "S",
    }
    assert data_of(stored).reports_change_k is None
    assert data_of({**stored, "reports_change_k": 0.5}).reports_change_k == 0.5
