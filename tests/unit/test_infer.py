"""Draw-offs of boilers that report at whatever moment and interval, or only what changed."""

import numpy as np
import pytest

from smart_boiler_plugin.learning.infer import infer
from smart_boiler_plugin.learning.observe import TOLERANCE_K
from smart_boiler_plugin.learning.tank import QUIET_K
from smart_boiler_plugin.physics.boilers import Boilers
from smart_boiler_plugin.physics.tank import Tank
from smart_boiler_plugin.physics.thermostat import thermostat
from tests.unit.set_point_cases import boilers_of

NO = float("nan")
MANY = 12


@pytest.fixture(scope="module")
def lossless():
    """A tank of 100 l that keeps its heat: 0.115878 kWh/K; a quarter at 2 kW is 4.315 K."""
    return Boilers.of([Tank(100, 0.0)], power_kw=[2.0], cop=[1.0], temperature_max_c=[65.0], step_h=0.25)


@pytest.fixture(scope="module")
def day():
    """Boilers of 80 l under a thermostat for two days: states at begin and end of each quarter, power, draw-offs."""
    chance, boilers = np.random.default_rng(7), boilers_of(*[80] * MANY)
    drawn = (chance.random((192, MANY)) < 0.06) * chance.uniform(0.2, 0.6, (192, MANY))
    heat, end = thermostat(
        boilers.state_kwh(57.0),
        retention=boilers.retention,
        inflow_kwh=boilers.gain_kwh - drawn * boilers.late,
        heat_max_kwh=boilers.heat_max_kwh,
        restart_kwh=boilers.state_kwh(55.0),
        full_kwh=boilers.state_kwh(60.0),
    )
    begin = np.vstack([boilers.state_kwh(57.0)[None], end[:-1]])
    return boilers, boilers.temperature_c(begin), boilers.temperature_c(end), heat / boilers.late / boilers.cop, drawn


def found(boilers, temperatures_c, electricity_kwh, change_k=NO):
    read_c, electricity = (np.array(each, dtype=float)[:, None] for each in (temperatures_c, electricity_kwh))
    return infer(boilers, read_c, electricity, np.array([change_k]))[:, 0]


@pytest.mark.parametrize("over", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_when_in_the_quarter_a_boiler_reads_makes_no_draw_off_and_takes_none_away(day, over):
    boilers, begin_c, end_c, electricity, drawn = day
    chance = np.random.default_rng(8)
    read_c = begin_c + over * (end_c - begin_c) + chance.normal(0, 0.3, begin_c.shape)
    usual, told = (
        infer(boilers, np.round(2 * read_c) / 2, electricity, np.full(MANY, NO), tolerance_k=each)[1:-1]
        for each in (TOLERANCE_K, QUIET_K)
    )
    assert np.isfinite(told).all()
    # taken for readings of the end, those of the begin would show half as much again
    assert told.sum() == pytest.approx(drawn[1:-1].sum(), rel=0.03)
    # with less tolerance, noise shows
    assert drawn[1:-1].sum() < usual.sum() < 1.14 * drawn[1:-1].sum()
    # mostly in the quarter that it was drawn in, or next to it: small ones show later
    near = np.maximum(np.maximum(drawn[:-2], drawn[1:-1]), drawn[2:]) > 0
    assert told[near].sum() > 0.8 * told.sum()


def test_a_reading_as_the_quarter_begins_tells_of_the_quarter_before(lossless):
    # heated in the third quarter; 5 K drawn in the fifth
    told = found(lossless, [50.0, 50.0, 50.0, 54.315, 54.315, 49.315, 49.315], [0, 0, 0.5, 0, 0, 0, 0])
    np.testing.assert_allclose(told, [0, 0, 0, 0, 0.5794, 0, NO], atol=1e-4)


def test_a_reading_as_the_quarter_ends_tells_of_it_and_so_it_is_where_nothing_shows_another(lossless):
    told = found(lossless, [50.0, 50.0, 54.315, 54.315, 49.315, 49.315], [0, 0, 0.5, 0, 0, 0])
    np.testing.assert_allclose(told, [NO, 0, 0, 0, 0.5794, 0], atol=1e-4)
    told = found(lossless, [50.0, 50.0, 45.0, 45.0], [0] * 4)
    np.testing.assert_allclose(told, [NO, 0, 0.5794, 0], atol=1e-4)


def test_where_it_reads_once_an_hour_what_was_drawn_is_in_the_middle_and_the_rest_is_known(lossless):
    read = [50.0, NO, NO, NO, 50.0, NO, NO, NO, 45.0, NO]
    told = found(lossless, read, [0] * 10)
    np.testing.assert_allclose(told, [NO, 0, 0, 0, 0, 0, 0, 0.5794, 0, NO], atol=1e-4)
    read = [50.0, NO, 45.0, NO, NO, 40.0]
    np.testing.assert_allclose(found(lossless, read, [0] * 6), [NO, 0, 0.5794, 0, 0.5794, 0], atol=1e-4)


def test_a_silence_of_more_than_an_hour_is_not_known_and_what_follows_is(lossless):
    read = [50.0, 50.0, NO, NO, NO, NO, 45.0, 40.0]
    np.testing.assert_allclose(found(lossless, read, [0] * 8), [NO, 0, NO, NO, NO, NO, NO, 0.5794], atol=1e-4)


def test_where_power_is_not_known_nothing_is(lossless):
    told = found(lossless, [50.0, 50.0, 50.0, 45.0], [0, 0, NO, 0])
    np.testing.assert_allclose(told, [NO, 0, NO, 0.5794], atol=1e-4)


def test_who_reports_changes_alone_has_what_was_last_said_until_then(lossless):
    read = [50.0] + [NO] * 9 + [45.0, NO]
    told = found(lossless, read, [0] * 12, change_k=1.0)
    np.testing.assert_allclose(told, [NO] + [0] * 9 + [0.5794, 0], atol=1e-4)
    # silent for more than twelve hours, it is not known what it had said
    read = [50.0] + [NO] * 60 + [45.0]
    told = found(lossless, read, [0] * 62, change_k=1.0)
    assert np.flatnonzero(np.isnan(told)).tolist() == [0, *range(49, 62)]


def test_what_a_boiler_does_not_report_yet_was_not_drawn(lossless):
    # 2 K are reported; heated by 1.7 K, and not a word
    told = found(lossless, [50.0, NO, NO], [0, 0.197, 0], change_k=2.0)
    np.testing.assert_allclose(told, [NO, 0, 0], atol=1e-4)
    told = found(lossless, [50.0, 50.0, 50.0], [0, 0.197, 0])
    assert told[1] > 0.15


def test_boilers_of_both_kinds_are_told_apart_side_by_side():
    boilers = boilers_of(80, 80)
    read = np.array([[50.0] * 8, [50.0] + [NO] * 7]).T
    told = infer(boilers, read, np.zeros((8, 2)), np.array([NO, 0.5]))
    assert np.isfinite(told[1:]).all()
    told = infer(boilers, read, np.zeros((8, 2)), np.array([NO, NO]))
    assert np.isnan(told[1:, 1]).all()
