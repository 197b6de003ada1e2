"""Quarters that add up, of what a meter says at any interval."""

import numpy as np
import pytest

from smart_boiler_plugin.devices.quarters import QUARTER_US, counted, last_of_each, means, metered, sums

MINUTE = 60_000_000
ZERO = 1_761_696_000_000_000 // QUARTER_US * QUARTER_US


def intervals(minutes, count, offset=0.0):
    begins = ZERO + np.round((offset + minutes * np.arange(count)) * MINUTE).astype(np.int64)
    return begins, begins + round(minutes * MINUTE)


def shown(quarters):
    return {
        int((at - ZERO) // QUARTER_US): pytest.approx(value)
        for at, value in zip(quarters.starts_us, quarters.values, strict=True)
    }


def test_three_amounts_of_five_minutes_are_their_sum():
    assert shown(sums(*intervals(5, 3), np.array([0.1, 0.1, 0.1]))) == {0: 0.3}


def test_an_hours_amount_is_spread_over_its_quarters():
    assert shown(sums(*intervals(60, 1), np.array([0.4]))) == {0: 0.1, 1: 0.1, 2: 0.1, 3: 0.1}


def test_three_powers_of_five_minutes_are_their_mean():
    assert shown(means(*intervals(5, 3), np.array([1.5, 1.5, 0.0]))) == {0: 1.0}
    assert shown(means(*intervals(5, 1), np.array([1.5]))) == {0: 1.5}


def test_seconds_off_the_grid_belong_to_the_quarter_in_which_they_are():
    """A quarter's amount from 00:05 on: two thirds of it before 00:15."""
    assert shown(sums(*intervals(15, 1, offset=5), np.array([0.3]))) == {0: 0.2, 1: 0.1}
    assert shown(means(*intervals(15, 2, offset=5), np.array([1.2, 0.6]))) == {0: 1.2, 1: 0.8, 2: 0.6}


@pytest.mark.parametrize("seed", range(30))
def test_whatever_the_interval_nothing_is_lost(seed):
    random = np.random.default_rng(seed)
    begins, ends = intervals(random.uniform(0.5, 90), 40, random.uniform(0, 60))
    amounts = random.uniform(0, 1, 40)
    assert sums(begins, ends, amounts).values.sum() == pytest.approx(amounts.sum())
    assert (np.diff(sums(begins, ends, amounts).starts_us) >= QUARTER_US).all()


def test_of_readings_of_a_quarter_the_last_counts_and_of_events_their_sum():
    at = ZERO + np.array([1, 8, 14, 16]) * MINUTE
    assert shown(last_of_each(at, np.array([50.0, 51.0, 52.0, 60.0]))) == {0: 52.0, 1: 60.0}
    assert shown(counted(at, np.array([0.1, 0.2, 0.3, 1.0]))) == {0: 0.6, 1: 1.0}


def test_a_running_total_tells_what_was_metered_between_and_a_meter_that_begins_anew_its_total():
    at = ZERO + np.array([15, 30, 45]) * MINUTE
    found = metered(at, np.array([100.4, 0.1, 0.3]), (ZERO, 100.0))
    assert found.amounts == pytest.approx([0.4, 0.1, 0.2])
    assert found.begins_us.tolist() == [ZERO, *at[:2]]
    assert found.refused == {}


def test_a_first_total_and_one_that_is_known_already_tell_nothing():
    at = ZERO + np.array([0, 15]) * MINUTE
    assert list(metered(at, np.array([7.0, 7.5]), None).refused) == [0]
    again = metered(at, np.array([7.0, 7.5]), (ZERO, 7.0))
    assert (list(again.refused), again.amounts.tolist()) == ([0], [0.5])
