"""BoilerScheduler: fields in degrees, and what they mean in kWh."""

from datetime import timedelta

import numpy as np
import pytest
from marshmallow import ValidationError

from tests.factories import store
from tests.host.boilers import (
    START,
    planned,
    scheduler_of,
    start_of,
)


@pytest.mark.parametrize("value", ["57 °C", "134.6 degF", 57])
def test_the_starting_temperature_can_be_given_in_degrees(boiler, value):
    assert start_of(boiler, temperature_at_start=value)[0] == pytest.approx(57.0, abs=1e-3)


def test_degrees_and_kwh_say_the_same(boiler):
    """With 80 l and cold water of 10 °C: 3.7 kWh are 49.914 °C, and so on."""
    tank = boiler.data.tank
    in_kwh = {
        "soc_at_start": "4.2 kWh",
        "soc_min": "3.7 kWh",
        "soc_max": "5.1 kWh",
        "soc_targets": [{"datetime": "2025-10-29T07:00:00+01:00", "value": "4.8 kWh"}],
        "soc_minima": [{"start": "2025-10-29T12:00:00+01:00", "end": "2025-10-29T13:00:00+01:00", "value": "4.5 kWh"}],
    }

    def degrees(text):
        return f"{tank.temperature_c(float(text.split()[0])):.9f} °C"

    in_degrees = {
        "temperature_at_start": degrees("4.2"),
        "temperature_min": degrees("3.7"),
        "soc_max": "5.1 kWh",
        "temperature_targets": [{**event, "value": degrees(event["value"])} for event in in_kwh["soc_targets"]],
        "temperature_minima": [{**event, "value": degrees(event["value"])} for event in in_kwh["soc_minima"]],
    }
    one, other = (planned(scheduler_of(boiler, **fields)) for fields in (in_kwh, in_degrees))
    np.testing.assert_allclose(one[0], other[0], atol=1e-5)
    assert one[1].loc["2025-10-29T07:00+01:00"] == pytest.approx(4.8, abs=1e-5)
    assert one[1].loc["2025-10-29T12:00+01:00":"2025-10-29T13:00+01:00"].min() >= 4.5 - 1e-5


def test_a_sensor_of_temperatures_can_be_the_floor(boiler):
    wish = boiler.sensors["temperature"]
    store(wish, [55.0] * 4, START + timedelta(hours=7), recorded_at=START)
    _, states, _ = planned(scheduler_of(boiler, temperature_minima={"sensor": wish.id}, temperature_at_start=50))
    assert states.loc["2025-10-29T07:00+01:00":"2025-10-29T07:45+01:00"].min() >= 45 * 0.0926988 - 1e-5


@pytest.mark.parametrize(
    ("field", "twin"),
    [
        ("temperature_at_start", "soc_at_start"),
        ("temperature_min", "soc_min"),
        ("temperature_max", "soc_max"),
        ("temperature_minima", "soc_minima"),
        ("temperature_maxima", "soc_maxima"),
        ("temperature_targets", "soc_targets"),
    ],
)
def test_the_same_in_degrees_and_in_kwh_is_a_contradiction_that_names_both(boiler, field, twin):
    with pytest.raises(ValidationError) as error:
        scheduler_of(boiler, **{field: "55 °C", twin: "4 kWh"}).deserialize_config()
    assert field.replace("_", "-") in str(error.value)
    assert twin.replace("_", "-") in str(error.value)


def test_what_is_no_temperature_is_refused_with_the_name_of_its_field(boiler):
    with pytest.raises(ValidationError, match=r"temperature-min.*'warm' is no temperature"):
        scheduler_of(boiler, temperature_min="warm").deserialize_config()


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ({"sensor": "abc"}, "Not a valid integer"),
        ({"sensor": 99999}, "No sensor found"),
        ({"sensor": "price"}, "Cannot convert EUR/kWh to °C"),
        ({}, "`sensor` key not found"),
    ],
)
def test_a_sensor_that_has_no_temperatures_is_refused_with_the_name_of_the_field(household, reference, problem):
    boiler, price = household
    if reference.get("sensor") == "price":
        reference = {"sensor": price.id}
    with pytest.raises(ValidationError) as error:
        scheduler_of(boiler, temperature_minima=reference).deserialize_config()
    assert problem in str(error.value.messages["temperature-minima"])


def test_only_those_sources_of_a_sensor_count_that_the_trigger_names(boiler):
    wish = boiler.sensors["temperature"]
    store(wish, [64.0] * 4, START + timedelta(hours=7), recorded_at=START)
    reference = {"sensor": wish.id, "source-types": ["forecaster"]}
    _, states, _ = planned(scheduler_of(boiler, temperature_minima=reference, temperature_at_start=50))
    assert boiler.data.tank.temperature_c(states["2025-10-29T07:30+01:00"]) < 50


def test_a_wish_that_was_recorded_after_the_moment_of_the_plan_does_not_count(boiler):
    wish = boiler.sensors["temperature"]
    store(wish, [64.0] * 4, START + timedelta(hours=7), recorded_at=START + timedelta(hours=2))
    _, states, _ = planned(scheduler_of(boiler, temperature_minima={"sensor": wish.id}, temperature_at_start=50))
    assert boiler.data.tank.temperature_c(states["2025-10-29T07:30+01:00"]) < 50
