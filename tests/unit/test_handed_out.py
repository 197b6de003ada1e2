"""What is kept of set-points with a boiler: of two plans, what the later one says counts."""

import json
from base64 import b64encode
from datetime import datetime, timedelta

import numpy as np
import pytest

from smart_boiler_plugin.plan.handing_out import MOST_QUARTERS, HandedOut, read

NAN = float("nan")
NOON = datetime.fromisoformat("2026-02-06T12:00+00:00")


def plan(start, *points):
    return HandedOut(NOON, NOON + start * timedelta(minutes=15), np.array(points), 2.0, 4.0, 65.0)


@pytest.mark.parametrize(
    ("earlier", "later", "since", "start", "points"),
    [
        # the same span
        (plan(0, 1.0, 2.0), plan(0, 3.0, 4.0), 0, 0, [3.0, 4.0]),
        # what is over is left out
        (plan(-4, 1.0, 2.0, 3.0, 4.0, 5.0), plan(1, 6.0), 0, 0, [5.0, 6.0]),
        # a plan for later: until then, the one that holds is followed
        (plan(0, 1.0, 2.0, 3.0, 4.0), plan(2, 5.0), 0, 0, [1.0, 2.0, 5.0, 4.0]),
        # nobody knows what holds between them
        (plan(0, 1.0), plan(3, 5.0), 0, 0, [1.0, NAN, NAN, 5.0]),
        (plan(0, 1.0, 2.0), plan(0, NAN, 4.0), 0, 0, [1.0, 4.0]),
        (plan(-8, 1.0, 2.0), plan(0, 3.0), 0, 0, [3.0]),
        (None, plan(1, 3.0), 0, 1, [3.0]),
        # both of the past, as somebody tries out who plans days that are over
        (plan(-8, 1.0, 2.0), plan(-8, 3.0), 0, -8, [3.0, 2.0]),
    ],
)
def test_a_later_plan_counts_and_an_earlier_one_where_it_says_nothing(earlier, later, since, start, points):
    found = later.with_earlier(earlier, NOON + since * timedelta(minutes=15))
    assert found.start == NOON + start * timedelta(minutes=15)
    np.testing.assert_array_equal(found.set_points_c, points)


def test_what_is_stored_is_read_again():
    found = read(json.loads(json.dumps(plan(0, 10.0, 52.34, NAN, -5.0, 1000.0).as_json())))
    np.testing.assert_array_equal(found.set_points_c, [10.0, 52.3, NAN, 0.0, 100.0])
    assert (found.planned_at, found.start) == (NOON, NOON)
    assert (found.hysteresis_k, found.rise_k, found.ceiling_c) == (2.0, 4.0, 65.0)


@pytest.mark.parametrize(
    "changed",
    [
        {"c": None},
        {"c": [10.0]},
        {"c": "warm, please"},
        # no whole number of 16 bits
        {"c": "QUJD"},
        {"c": "ü"},
        # 3200 °C
        {"c": b64encode(np.array([32_000], dtype="<i2").tobytes()).decode()},
        {"c": plan(0, *[10.0] * (MOST_QUARTERS + 1)).as_json()["c"]},
        {"start": "2026-02-06T12:00"},
        {"start": "2026-02-06T12:07+00:00"},
        {"start": "soon"},
        {"start": 5},
        {"at": None},
        {"k": [2.0, 4.0]},
        {"k": [0.0, 4.0, 65.0]},
        {"k": "abc"},
        {"k": [2.0, 4.0, 1e9]},
        {"k": [float("inf"), 4.0, 65.0]},
        {"k": [2.0, float("nan"), 65.0]},
        {"k": [2.0, 10**400, 65.0]},
    ],
)
def test_what_a_household_has_written_there_is_no_plan(changed):
    assert read({**plan(0, 10.0).as_json(), **changed}) is None


@pytest.mark.parametrize("stored", [None, [], "x", 5, {}])
def test_nothing_is_no_plan(stored):
    assert read(stored) is None
