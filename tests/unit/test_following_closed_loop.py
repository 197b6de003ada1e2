"""Weeks in a closed loop: what households that follow set-points pay, and how much of their hot water is not served."""

import pytest


@pytest.mark.long
@pytest.mark.parametrize(("tariff", "least_saved"), [("a", 0.265), ("flat", 0.065)])
def test_from_a_cold_start_set_points_save_and_serve_better_than_a_thermostat(tariff, least_saved):
    # it brings the host's modules along, for the household model of the simulation
    from benchmarks.follow import compared, parsed  # noqa: PLC0415

    thermostat, set_points = compared(parsed(["--tariff", tariff]))
    assert 1 - set_points["EUR/month"] / thermostat["EUR/month"] >= least_saved
    assert set_points["u40"] <= thermostat["u40"]
    assert set_points["starts/day"] <= 6
