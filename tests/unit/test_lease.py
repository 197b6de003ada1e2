"""Whether a boiler may heat now, and until when: a lost connection costs savings, and never comfort."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_boiler_plugin.devices.lease import FALLBACK, LEFT_ALONE, LONGEST, NO_READING, PLAN, lease_of

NAN = float("nan")


def at(clock):
    return datetime.fromisoformat(f"2026-02-06T{clock}+00:00")


# the element warms the tank by 4 K in a quarter: it is needed for more than half of one from 2 K on
@pytest.mark.parametrize(
    ("points", "temperature", "heat", "until", "why"),
    [
        ([55.0, 55.0], 52.9, True, "12:25", PLAN),
        ([55.0, 55.0], 53.0, False, "12:25", PLAN),
        ([10.0, 10.0], 30.0, False, "12:25", PLAN),
        # it is to heat in the next quarter: no lease beyond its begin
        ([10.0, 55.0], 52.9, False, "12:15", PLAN),
        ([10.0, 55.0], 53.0, False, "12:25", PLAN),
        # nothing is planned of the next quarter
        ([10.0, NAN], 53.0, False, "12:15", PLAN),
        ([10.0], 53.0, False, "12:15", PLAN),
        # an ordinary boiler
        ([10.0, 10.0], None, True, "12:25", NO_READING),
        ([], None, True, "12:25", FALLBACK),
        ([], 54.9, True, "12:25", FALLBACK),
        ([], 55.0, False, "12:25", FALLBACK),
        ([NAN, 10.0], 54.9, True, "12:25", FALLBACK),
    ],
)
def test_what_a_device_is_told(points, temperature, heat, until, why):
    lease = lease_of(at("12:08:30"), points, temperature, rise_k=4.0)
    assert (lease.heat, lease.until, lease.why) == (heat, at(until), why)


def test_without_a_plan_a_tank_that_heats_goes_on_to_60():
    found = [lease_of(at("12:08"), [], temperature, rising=True).heat for temperature in (54.0, 59.9, 60.0)]
    assert found == [True, True, False]


def test_who_boosts_or_has_paused_it_leaves_the_boiler_alone_until_then():
    told = [
        lease_of(at("12:08"), [10.0, 10.0], 60.0, left_alone_until=at(until)) for until in ("12:08", "12:10", "14:00")
    ]
    assert [(lease.heat, lease.until, lease.why) for lease in told] == [
        (False, at("12:25"), PLAN),
        (True, at("12:10"), LEFT_ALONE),
        (True, at("12:25"), LEFT_ALONE),
    ]


@given(
    second=st.integers(0, 86399),
    points=st.lists(st.one_of(st.floats(5, 95), st.just(NAN)), max_size=3),
    temperature=st.one_of(st.none(), st.floats(0, 95)),
    rising=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_heating_is_never_forbidden_for_more_than_20_minutes_nor_without_knowing_the_temperature(
    second, points, temperature, rising
):
    now = at("00:00") + timedelta(seconds=second)
    lease = lease_of(now, points, temperature, rise_k=4.0, rising=rising)
    assert now < lease.until <= now + LONGEST == now + timedelta(minutes=20)
    if temperature is None:
        assert lease.heat
    if not lease.heat and (not points or points[0] != points[0]):
        assert temperature >= 55.0
    # whoever asks again within the same five minutes is told the same
    later = now + timedelta(seconds=299 - second % 300)
    assert lease_of(later, points, temperature, rise_k=4.0, rising=rising) == lease


def test_a_day_without_a_connection_is_that_of_an_ordinary_boiler():
    """The last lease is over within 20 minutes, whatever it said."""
    lost = datetime(2026, 2, 6, 17, 59, 59, tzinfo=timezone.utc)
    assert lease_of(lost, [10.0, 10.0], 70.0, rise_k=4.0).until == datetime(2026, 2, 6, 18, 15, tzinfo=timezone.utc)
