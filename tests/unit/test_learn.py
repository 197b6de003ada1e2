"""What draw-offs teach, with weights worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from smart_boiler_plugin.learning.learn import BIN_KWH, BINS, DrawOffsOfDay, habits_of, learned, quarter_of_day, usual
from smart_boiler_plugin.physics.tapping_profiles import TAPPING_PROFILES

NO = float("nan")
ZONE = "Europe/Brussels"


def moments_of(first, days):
    start = pd.Timestamp(first, tz=ZONE)
    return pd.date_range(start, start + pd.DateOffset(days=days), freq="15min", inclusive="left")


@pytest.fixture
def nothing():
    """A prior of one boiler that draws nothing."""
    sizes, probabilities = np.zeros((96, 1, BINS)), np.zeros((96, 1, BINS))
    sizes[:, :, 1:] = (np.arange(1, BINS) + 0.5) * BIN_KWH
    probabilities[:, :, 0] = 1
    return DrawOffsOfDay(sizes, probabilities)


def drawn_at(moments, drawn):
    """Return heat drawn per quarter, shape (n, 1): by the start of the quarter, local time."""
    values = pd.Series(0.0, index=moments)
    for moment, heat in drawn.items():
        values[pd.Timestamp(moment, tz=ZONE)] = heat
    return values.to_numpy()[:, None]


def home(drawn):
    return np.zeros(drawn.shape, dtype=bool)


def test_a_draw_off_weighs_a_third_in_its_quarter_and_in_both_neighbours(nothing):
    # five days, and three of the prior: 1/3 of 8 each; 0.5 kWh are in the fourth bin, 3/6 to 4/6 kWh
    moments = moments_of("2025-11-03", 5)
    drawn = drawn_at(moments, {"2025-11-04 07:30": 0.55})
    found = learned(moments, drawn, home(drawn), nothing)
    for quarter in (29, 30, 31):
        assert found.probabilities[quarter, 0, 3] == pytest.approx(1 / 24)
        assert found.probabilities[quarter, 0, 0] == pytest.approx(23 / 24)
        assert found.sizes_kwh[quarter, 0, 3] == pytest.approx(0.55)
    assert found.probabilities[[28, 32], 0, 3].tolist() == [0, 0]
    np.testing.assert_allclose(found.probabilities.sum(axis=2), 1)


def test_the_size_of_a_bin_is_the_mean_of_its_draw_offs_and_the_last_bin_has_all_large_ones(nothing):
    moments = moments_of("2025-11-03", 5)
    drawn = drawn_at(moments, {"2025-11-03 20:00": 0.36, "2025-11-04 20:00": 0.42, "2025-11-05 20:00": 7.0})
    found = learned(moments, drawn, home(drawn), nothing)
    assert found.sizes_kwh[80, 0, [2, BINS - 1]] == pytest.approx([0.39, 7.0])
    assert found.probabilities[80, 0, [2, BINS - 1]] == pytest.approx([2 / 24, 1 / 24])


def test_around_midnight_the_neighbour_is_the_other_end_of_the_day(nothing):
    moments = moments_of("2025-11-03", 5)
    drawn = drawn_at(moments, {"2025-11-04 00:00": 0.55})
    found = learned(moments, drawn, home(drawn), nothing)
    assert found.probabilities[[95, 0, 1], 0, 3] == pytest.approx([1 / 24] * 3)


@pytest.mark.parametrize(("unknown", "teaches"), [(9, True), (10, False)])
def test_a_day_that_is_known_too_little_teaches_nothing(nothing, unknown, teaches):
    moments = moments_of("2025-11-03", 2)
    drawn = drawn_at(moments, {"2025-11-04 07:30": 0.55})
    # the night of the second day
    drawn[96 : 96 + unknown] = NO
    found = learned(moments, drawn, home(drawn), nothing)
    assert found.probabilities[30, 0, 3] == pytest.approx(1 / 3 / 5 if teaches else 0)


def test_absences_teach_nothing_and_do_not_make_a_day_unknown(nothing):
    moments = moments_of("2025-11-03", 2)
    drawn = drawn_at(moments, {"2025-11-04 07:30": 0.55})
    away = home(drawn)
    away[:96] = True
    found = learned(moments, drawn, away, nothing)
    # one day at home, and three of the prior
    assert found.probabilities[30, 0, 3] == pytest.approx(1 / 12)


def test_only_the_last_four_weeks_teach(nothing):
    moments = moments_of("2025-11-01", 29)
    drawn = drawn_at(moments, {"2025-11-01 07:30": 0.55, "2025-11-02 20:00": 0.55})
    found = learned(moments, drawn, home(drawn), nothing)
    assert found.probabilities[30, 0, 3] == 0
    assert found.probabilities[80, 0, 3] == pytest.approx(1 / 3 / 31)


@pytest.mark.parametrize(("day", "nights"), [("2026-03-29", 0), ("2026-10-25", 2)])
def test_quarters_are_those_of_the_local_clock_on_the_days_it_changes(nothing, day, nights):
    moments = moments_of(day, 1)
    drawn = drawn_at(moments, {f"{day} 07:30": 0.55})
    found = learned(moments, drawn, home(drawn), nothing)
    assert found.probabilities[30, 0, 3] == pytest.approx(1 / 3 / 4)
    # half past two is not there in spring, and there twice in autumn
    assert (quarter_of_day(moments) == 10).sum() == nights
    drawn = np.where((quarter_of_day(moments) == 10)[:, None], 0.55, 0.0)
    found = learned(moments, drawn, home(drawn), nothing)
    assert found.probabilities[10, 0, 3] == pytest.approx(nights / 3 / (3 + nights))


def test_a_boiler_without_any_reading_has_its_prior():
    moments = moments_of("2025-11-03", 7)
    drawn = np.full((len(moments), 2), NO)
    drawn[:, 1] = 0.0
    prior = usual(["M", "S"])
    found = learned(moments, drawn, home(drawn), prior)
    np.testing.assert_allclose(found.probabilities[:, 0], prior.probabilities[:, 0])
    np.testing.assert_allclose(found.sizes_kwh[:, 0], prior.sizes_kwh[:, 0])
    # of the other, who drew nothing for seven days, 3/10
    mean = (found.sizes_kwh * found.probabilities).sum(axis=(0, 2))
    assert mean[1] == pytest.approx(0.3 * 0.954 * 2.1, rel=1e-6)


def test_before_there_is_any_day_the_prior_is_what_is_known():
    prior = usual(["S"])
    found = learned(moments_of("2025-11-03", 1)[:0], np.zeros((0, 1)), np.zeros((0, 1), dtype=bool), prior)
    np.testing.assert_allclose(found.probabilities, prior.probabilities)


@pytest.mark.parametrize("profile", list(TAPPING_PROFILES))
def test_the_prior_draws_what_the_profile_does_but_for_absent_draw_offs(profile):
    found = usual([profile])
    np.testing.assert_allclose(found.probabilities.sum(axis=2), 1)
    # 0.9 * (0.6 * 0.3 + 1 * 0.4 + 1.6 * 0.3) = 0.954
    mean = (found.sizes_kwh * found.probabilities).sum()
    assert mean == pytest.approx(0.954 * sum(TAPPING_PROFILES[profile].values()), rel=1e-6)


def test_the_prior_spreads_a_draw_off_over_the_quarters_around_its_time():
    # XS draws 0.525 kWh at 07:30, and nothing near: between 07:30 and 07:45, half a standard deviation, 19.146 %
    found = usual(["XS"])
    happens = 1 - found.probabilities[:, 0, 0]
    assert happens[30] == pytest.approx(0.9 * 0.19146, abs=1e-4)
    assert happens[[29, 31]] == pytest.approx(0.9 * np.array([0.19146, 0.14988]), abs=1e-4)
    # 0.315, 0.525 and 0.84 kWh: bins 1, 3 and 5
    assert found.probabilities[30, 0, [1, 3, 5]] == pytest.approx(0.9 * 0.19146 * np.array([0.3, 0.4, 0.3]), abs=1e-4)
    assert found.sizes_kwh[30, 0, [1, 3, 5]] == pytest.approx([0.315, 0.525, 0.84])


def test_draw_offs_ahead_are_those_of_their_quarters_and_none_where_nobody_is_at_home():
    known = usual(["S", "M"])
    away = np.array([[False, False], [True, False]])
    sizes, probabilities = known.ahead(np.array([30, 82]), away)
    np.testing.assert_allclose(sizes[0], known.sizes_kwh[30])
    np.testing.assert_allclose(probabilities[1], known.probabilities[82])
    assert (sizes[1, 0] == 0).all()
    assert (sizes[1, 1] > 0).any()


def test_habits_say_how_many_days_taught_and_what_the_profile_weighs():
    moments = moments_of("2025-11-03", 30)
    drawn = np.full((len(moments), 3), NO)
    drawn[:, 1] = 0.1
    drawn[-96:-10, 2] = 0.1
    drawn[-2 * 96 : -96, 2] = 0.1
    found = habits_of(moments, drawn, home(drawn), ["S", "S", "M"])
    # 86 of 96 quarters of the last day are too few
    assert found.days.tolist() == [0, 28, 1]
    np.testing.assert_allclose(found.profile_weight, [1, 3 / 31, 3 / 4])
    expected = learned(moments, drawn, home(drawn), usual(["S", "S", "M"]))
    np.testing.assert_allclose(found.draw_offs.probabilities, expected.probabilities)


def test_habits_without_any_moment_are_those_of_the_profiles():
    found = habits_of(moments_of("2025-11-03", 1)[:0], np.zeros((0, 2)), np.zeros((0, 2), dtype=bool), ["S", "M"])
    assert found.days.tolist() == [0, 0]
    np.testing.assert_allclose(found.draw_offs.probabilities, usual(["S", "M"]).probabilities)
