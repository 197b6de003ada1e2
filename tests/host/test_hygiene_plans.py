"""Plans that make the tank hot against legionella: when, where, and what they say of it."""

from datetime import timedelta

import pandas as pd
import pytest

from tests.factories import store
from tests.host.boilers import START, measure, planned, scheduler_of


def hygiene_of(boiler, **options):
    scheduler = scheduler_of(boiler, **options)
    _, states, _ = planned(scheduler)
    hot = boiler.data.tank.temperature_c(states.to_numpy()) >= 60 - 1e-3
    return scheduler.info["hygiene"], states.index[hot]


def test_hygiene_is_not_due_before_a_boiler_was_in_service_for_the_interval(boiler):
    measure(boiler, [52.0] * 4, before=timedelta(hours=1))
    said, _ = hygiene_of(boiler)
    assert said == {"added": False, "due": "2025-11-04T23:00:00+01:00"}


def test_overdue_hygiene_is_done_as_soon_as_possible_and_told(in_service):
    said, hot = hygiene_of(in_service)
    assert said["added"] is True
    # 8 K and the losses are 0.76 kWh, just over two quarters at 1.5 kW; half an hour is three moments
    assert len(hot) >= 3
    assert said["planned_from"] == "2025-10-29T00:45:00+01:00" == hot[0].tz_convert("Europe/Amsterdam").isoformat()
    assert said["planned_until"] == "2025-10-29T01:15:00+01:00"


def test_hygiene_that_is_due_in_the_window_is_done_before_and_where_it_costs_least(boiler):
    """First measured 6.5 days ago: due at noon. Prices are lowest at the end of the first valley, about 10:00."""
    measure(boiler, [52.0] * 624, before=timedelta(days=6.5))
    said, hot = hygiene_of(boiler)
    assert said["due"] == "2025-10-29T12:00:00+01:00"
    assert said["added"] is True
    assert pd.Timestamp(said["planned_until"]) <= pd.Timestamp(said["due"])
    assert len(hot) >= 3
    assert 7 <= hot[0].tz_convert("Europe/Amsterdam").hour < 12


def test_hygiene_that_happened_anyway_is_not_done_again(in_service):
    # 1.5 kW are 4 K in a quarter
    measure(in_service, [56.5, 61.0, 61.0], before=timedelta(days=2, minutes=15))
    said, _ = hygiene_of(in_service)
    assert said == {"added": False, "due": "2025-11-03T00:30:00+01:00", "last_done": "2025-10-27T00:30:00+01:00"}


def test_hygiene_can_be_switched_off_with_a_reason_that_is_told(in_service):
    in_service.change_comfort({"hygiene": {"off": "fresh water station"}})
    assert hygiene_of(in_service)[0] == {"off": "fresh water station"}


def test_hygiene_is_as_hot_and_as_often_as_the_boiler_or_the_server_says(app, in_service, monkeypatch):
    in_service.change_comfort({"hygiene": {"days": 14}})
    assert hygiene_of(in_service)[0]["added"] is False
    in_service.change_comfort({"hygiene": None})
    monkeypatch.setitem(app.config, "SMART_BOILER_HYGIENE_INTERVAL", timedelta(days=14))
    assert hygiene_of(in_service)[0]["added"] is False


def test_hygiene_waits_for_the_return_of_who_is_away(in_service):
    back = START + timedelta(days=5)
    begin = START - timedelta(days=3)
    in_service.change_comfort({"away": {"from": begin.isoformat(), "until": back.isoformat()}})
    assert hygiene_of(in_service)[0] == {"added": False, "due": back.isoformat()}


def test_a_ceiling_below_the_temperature_of_hygiene_is_told(in_service):
    said, hot = hygiene_of(in_service, temperature_max="58 °C")
    assert said["added"] is False
    assert said["problem"] == "the ceiling is below 60 °C"
    assert len(hot) == 0


def test_hygiene_that_cannot_be_reached_in_a_short_plan_is_begun_and_told(in_service):
    scheduler = scheduler_of(in_service, hours=0.5, temperature_min="50 °C")
    power, _, _ = planned(scheduler)
    assert scheduler.info["hygiene"]["added"] is True
    assert "cannot be reached within this plan" in scheduler.info["hygiene"]["problem"]
    assert power.to_numpy() == pytest.approx(1.5)


def test_a_short_plan_of_set_points_begins_hygiene_in_time_for_what_comes_after_it(in_service):
    """Overdue for a day: at full power at once, and done when the plan is long over."""
    scheduler = scheduler_of(in_service, hours=0.5)
    power, _, _ = planned(scheduler)
    assert scheduler.info["hygiene"]["planned_from"] == (START + timedelta(minutes=45)).isoformat()
    assert power.to_numpy() == pytest.approx(1.5)


def test_a_sensor_that_reads_somewhat_low_still_sees_the_hygiene_that_was_planned(in_service):
    scheduler = scheduler_of(in_service)
    _, _, temperature = planned(scheduler)
    store(in_service.sensors["temperature"], temperature.to_numpy() - 0.4, START, recorded_at=START + timedelta(days=1))
    tomorrow = scheduler_of(in_service, start=START + timedelta(days=1))
    planned(tomorrow)
    assert tomorrow.info["hygiene"]["added"] is False
    assert "last_done" in tomorrow.info["hygiene"]
