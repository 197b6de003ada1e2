"""Draw-offs by temperature and power: worked out by hand, and of households whose draw-offs are known."""

import numpy as np
import pytest

from smart_boiler_plugin.learning.observe import LONGEST_GAP, TOLERANCE_K, observe
from smart_boiler_plugin.learning.tank import QUIET_K
from smart_boiler_plugin.physics.boilers import Boilers
from smart_boiler_plugin.physics.tank import Tank
from smart_boiler_plugin.physics.thermostat import thermostat
from tests.unit.set_point_cases import boilers_of

NO = float("nan")
DAYS, IDLE_EVERY = 16, 4


@pytest.fixture(scope="module")
def lossless():
    """A tank of 100 l that keeps its heat: 0.115878 kWh/K."""
    return Boilers.of([Tank(100, 0.0)], power_kw=[2.0], cop=[1.0], temperature_max_c=[65.0], step_h=0.25)


def seen(boilers, temperatures_c, electricity_kwh, start_c=50.0):
    told = observe(
        boilers,
        np.array(temperatures_c, dtype=float)[:, None],
        np.array(electricity_kwh, dtype=float)[:, None],
        boilers.state_kwh(np.array([start_c])),
    )
    return told.drawn_kwh[:, 0], boilers.temperature_c(told.state_kwh)[:, 0]


def test_what_a_tank_is_much_colder_than_predicted_was_drawn(lossless):
    # 5 K are 0.5794 kWh; a quarter at 2 kW is 4.315 K, so that 46.3 °C after 45 °C is 3.0 K or 0.3488 kWh too cold
    drawn, state_c = seen(lossless, [50.0, 45.0, 46.3], [0.0, 0.0, 0.5])
    np.testing.assert_allclose(drawn, [0.0, 0.5794, 0.3494], atol=1e-4)
    np.testing.assert_allclose(state_c, [50.0, 45.0, 46.3])


def test_noise_teaches_nothing_and_small_draw_offs_add_up_until_they_show(lossless):
    drawn, state_c = seen(lossless, [49.1, 50.9, 49.05, 48.9], [0.0] * 4)
    np.testing.assert_allclose(drawn, [0.0, 0.0, 0.0, 1.1 * 0.115878], atol=1e-4)
    np.testing.assert_allclose(state_c, [50.0, 50.0, 50.0, 48.9])


def test_a_tank_that_is_warmer_than_predicted_was_not_drawn_from(lossless):
    drawn, state_c = seen(lossless, [51.1, 53.0], [0.0, 0.0])
    assert drawn.tolist() == [0.0, 0.0]
    np.testing.assert_allclose(state_c, [51.1, 53.0])


def test_what_a_tank_lost_by_itself_was_not_drawn():
    # 80 l of class C lose 0.0822 K in a quarter at 50 °C: 7.5 K in 24 h
    boilers = boilers_of(80)
    drawn, state_c = seen(boilers, [NO] * 3 + [50 - 4 * 0.083], [0.0] * 4)
    assert drawn[3] == 0.0
    assert state_c[3] == pytest.approx(50 - 4 * 0.083, abs=0.01)


def test_a_draw_off_of_heat_is_more_than_what_is_missing_at_the_end_of_the_quarter():
    boilers = boilers_of(80)
    state = boilers.state_kwh(np.array([60.0]))
    after = boilers.idle_kwh(state) - 0.5 * boilers.late
    told = observe(boilers, boilers.temperature_c(after)[None], np.zeros((1, 1)), state)
    assert told.drawn_kwh[0, 0] == pytest.approx(0.5)


def test_heat_that_the_limiter_kept_out_was_not_drawn(lossless):
    drawn, state_c = seen(lossless, [65.0, 65.0], [0.5, 0.5], start_c=64.0)
    assert drawn.tolist() == [0.0, 0.0]
    np.testing.assert_allclose(state_c, [65.0, 65.0])


def test_where_readings_or_power_are_missing_nothing_is_told(lossless):
    # the second is not read; what is missing shows in the third. Then power is not known, and the reading is believed
    drawn, state_c = seen(lossless, [50.0, NO, 45.0, 30.0, 30.0], [0.0, 0.0, 0.0, NO, 0.0])
    np.testing.assert_allclose(drawn, [0.0, NO, 0.5794, NO, 0.0], atol=1e-4)
    np.testing.assert_allclose(state_c, [50.0, 50.0, 45.0, 30.0, 30.0])


@pytest.mark.parametrize(("gap", "told"), [(LONGEST_GAP - 1, True), (LONGEST_GAP, False)])
def test_after_a_long_time_without_readings_it_is_not_told_when_heat_was_drawn(lossless, gap, told):
    drawn, state_c = seen(lossless, [50.0] + [NO] * gap + [40.0], [0.0] * (gap + 2))
    assert np.isfinite(drawn[-1]) == told
    assert state_c[-1] == pytest.approx(40.0)


def test_the_first_reading_of_a_boiler_is_believed_and_tells_of_no_draw_off(lossless):
    drawn, state_c = seen(lossless, [NO, 40.0, 40.0], [0.0] * 3, start_c=NO)
    np.testing.assert_allclose(drawn, [NO, NO, 0.0])
    np.testing.assert_allclose(state_c, [NO, 40.0, 40.0])


@pytest.fixture(scope="module")
def households():
    """Thirty boilers under a thermostat: what was drawn [kWh], and what was observed, by day, quarter and boiler.

    Observed with the usual tolerance, and with that of nights that tell of tanks.
    """
    chance = np.random.default_rng(5)
    boilers = boilers_of(*chance.choice([80, 100, 120], 30).tolist())
    often = np.zeros(96)
    often[[28, 29, 30, 34, 50, 51, 72, 76, 82, 83, 86, 88]] = 0.5
    happens = chance.random((DAYS, 96, 30)) < often[:, None]
    happens[::IDLE_EVERY] = False
    drawn = (happens * chance.lognormal(-1.2, 0.7, happens.shape)).reshape(DAYS * 96, 30)
    heat, states = thermostat(
        boilers.state_kwh(60.0),
        retention=boilers.retention,
        inflow_kwh=boilers.gain_kwh - drawn * boilers.late,
        heat_max_kwh=boilers.heat_max_kwh,
        restart_kwh=boilers.state_kwh(55.0),
        full_kwh=boilers.state_kwh(60.0),
    )
    read_c = np.round((boilers.temperature_c(states) + chance.normal(0, 0.3, states.shape)) / 0.5) * 0.5
    electricity, start = heat / boilers.late / boilers.cop, boilers.state_kwh(60.0)
    told = [observe(boilers, read_c, electricity, start, tolerance_k=each) for each in (TOLERANCE_K, QUIET_K)]
    return [each.reshape(happens.shape) for each in (drawn, *(each.drawn_kwh for each in told))]


def busy_days(households):
    """Return what was drawn, and what was observed with both tolerances, on days with draw-offs, (days, boilers)."""
    return [values.sum(axis=1)[np.arange(DAYS) % IDLE_EVERY != 0] for values in households]


def test_daily_draw_offs_are_found_in_spite_of_noise(households):
    drawn, found, _ = busy_days(households)
    # a hot tank that is heated by hysteresis: noise adds a tenth, and is never much of one day
    assert drawn.sum() < found.sum() < 1.11 * drawn.sum()
    np.testing.assert_allclose(found.sum(axis=0), 1.1 * drawn.sum(axis=0), rtol=0.12)
    assert np.mean(np.abs(found - drawn) < 0.5) > 0.9


def test_with_more_tolerance_a_day_is_known_to_some_tenths_of_a_kwh(households):
    drawn, _, found = busy_days(households)
    assert found.sum() == pytest.approx(drawn.sum(), rel=0.01)
    # of each boiler over all days, and of each single day: within 0.15 kWh, or 1.6 K of 80 l, nine times in ten
    np.testing.assert_allclose(found.sum(axis=0), drawn.sum(axis=0), rtol=0.03)
    assert np.mean(np.abs(found - drawn) < 0.15) > 0.9


def test_days_without_draw_offs_show_few_and_with_more_tolerance_none(households):
    drawn, *found = households
    usual = drawn.sum() / (DAYS * (1 - 1 / IDLE_EVERY) * 30)
    of_day = [each[::IDLE_EVERY].sum(axis=1) for each in found]
    # shares of what is drawn on other days
    assert of_day[0].mean() < 0.08 * usual
    assert of_day[1].mean() < 0.01 * usual
    assert (of_day[1] == 0).mean() > 0.9


def test_a_household_that_is_away_draws_nothing():
    chance, boilers = np.random.default_rng(6), boilers_of(*[80, 120] * 15)
    state, read_c, heat = boilers.state_kwh(60.0), [], []
    for quarter in range(14 * 96):
        # heated for an hour at midnight
        heat.append(np.full(30, 0.2 if quarter % 96 < 4 else 0.0))
        state = np.minimum(boilers.idle_kwh(state) + boilers.heat_kwh(heat[-1]), boilers.ceiling_kwh)
        read_c.append(np.round((boilers.temperature_c(state) + chance.normal(0, 0.3, 30)) / 0.5) * 0.5)
    few, none = (
        observe(boilers, np.array(read_c), np.array(heat), boilers.state_kwh(60.0), tolerance_k=each).drawn_kwh
        for each in (TOLERANCE_K, QUIET_K)
    )
    # 420 days, 40,320 readings with a noise of 0.33 K, of which some per hundred thousand are 1.5 K off
    assert (none > 0).sum() <= 8
    assert none.sum() / 420 < 0.005
    # two of the least that shows, of 80 or 120 l
    assert few.sum() / 420 < 2 * 0.12
