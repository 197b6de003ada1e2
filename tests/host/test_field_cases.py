"""What went wrong in the field, with what is right, by the numbers of the cases that were collected there.

A usual boiler: 80 l, 1.5 kW, 50 to 65 °C, class C, profile S; plans with a floor of 50 °C.
"""

from datetime import timedelta

import pytest

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.money.accounting import read_days
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor
from tests.factories import store
from tests.host.boilers import QUARTER, START, measure, planned, scheduler_of
from tests.host.days import DAY, MIDNIGHT, follow_thermostat, moments_of, prices
from tests.host.days import measure as report

EIGHT_DAYS = timedelta(days=8)


def plan_of(boiler, **options):
    """Return where a plan starts [°C], how much it heats [kWh], and what it says of itself."""
    scheduler = scheduler_of(boiler, temperature_min="50 °C", **options)
    power, states, _ = planned(scheduler)
    return boiler.data.tank.temperature_c(states.iloc[0]), power.sum() / 4, scheduler.info


@pytest.mark.parametrize(
    ("number", "last", "reason"),
    [(1, 85.0, "what a DS18B20 says after a reset"), (2, 0.0, "colder than cold water")],
)
def test_a_last_reading_that_no_tank_has_is_told_and_planned_without(in_service, number, last, reason):
    measure(in_service, [last], source_type="gateway", recorded_at=START)
    start_c, heated_kwh, said = plan_of(in_service)
    assert start_c == pytest.approx(52.0)
    assert heated_kwh == pytest.approx(2.83, abs=0.01)
    assert said["readings_not_believed"] == [f"{last:g} °C at 2025-10-28T23:45:00+01:00: {reason}"]


@pytest.mark.parametrize("last", [10.0, 25.0])
def test_a_bath_is_real_case_2(in_service, last):
    measure(in_service, [last], source_type="gateway", recorded_at=START)
    start_c, _, said = plan_of(in_service)
    assert start_c == pytest.approx(last)
    assert "readings_not_believed" not in said


@pytest.fixture
def thermostat_day(boiler):
    """A boiler of which all is known of a day, but for its power; and that power."""
    power_kw, drawn, states = follow_thermostat(boiler)
    store(get_or_create_consumption_price_sensor("NL"), prices(), MIDNIGHT)
    report(boiler, "demand", drawn, MIDNIGHT)
    report(boiler, "temperature", boiler.data.tank.temperature_c(states[:-1]), MIDNIGHT)
    return boiler, power_kw


def account_of(boiler):
    (day,) = read_days([Boiler(boiler.asset)], DAY)
    return day.accounts()[0], day.not_believed[0]


@pytest.mark.parametrize(("number", "times"), [(7, 1000.0), (8, -1.0)])
def test_power_in_another_unit_or_with_its_sign_turned_is_told_and_not_covered(thermostat_day, number, times):
    boiler, power_kw = thermostat_day
    store(boiler.sensors["fill-rate"], power_kw, MIDNIGHT, source_type="scheduler", recorded_at=MIDNIGHT)
    report(boiler, "fill-rate", times * power_kw, MIDNIGHT)
    account, told = account_of(boiler)
    # it is worked out from the plan, and rests on no measurement
    assert account.electricity_kwh == pytest.approx(power_kw.sum() / 4)
    assert account.coverage < 0.25
    assert any(each.startswith("fill-rate: ") for each in told)


def test_power_that_was_believed_is_covered_cases_7_and_8(thermostat_day):
    boiler, power_kw = thermostat_day
    report(boiler, "fill-rate", power_kw, MIDNIGHT)
    account, told = account_of(boiler)
    assert (account.coverage, told) == (1.0, ())


@pytest.mark.parametrize("times", [1.0, 1.05, 1.2, 2.0, 60.0, 1000.0, -1.0])
@pytest.mark.parametrize("spikes", [0, 3])
def test_no_statement_charges_more_than_the_element_can_take(thermostat_day, times, spikes):
    boiler, power_kw = thermostat_day
    metered = times * power_kw
    metered[10 : 10 + spikes] = 900.0
    report(boiler, "fill-rate", metered, MIDNIGHT)
    account, _ = account_of(boiler)
    most = 1.1 * 1.5 * len(moments_of()) / 4
    assert not hasattr(account, "electricity_kwh") or account.electricity_kwh <= most


def test_a_reading_is_carried_forward_without_power_that_cannot_be_case_7(boiler):
    """60 °C at 20:00 is 16 quarters old: the wrong power would have it at its ceiling."""
    measure(boiler, [60.0], before=timedelta(hours=4))
    unknown_power_c = plan_of(boiler)[0]
    store(
        boiler.sensors["fill-rate"], [1500.0] * 16, START - timedelta(hours=4), source_type="gateway", recorded_at=START
    )
    start_c, _, said = plan_of(boiler)
    assert start_c == pytest.approx(unknown_power_c)
    assert said["readings_not_believed"][0].startswith("fill-rate: 16 values up to 1500 kW")


def test_draw_offs_in_another_unit_are_told_and_not_planned_for_case_9(boiler):
    measure(boiler, [52.0] * 8, before=timedelta(hours=2))
    usual = plan_of(boiler)
    store(boiler.sensors["demand"], [50.0] * 96, START, source_type="gateway", recorded_at=START - QUARTER)
    wrong = plan_of(boiler)
    assert wrong[1] == pytest.approx(usual[1])
    assert wrong[2]["readings_not_believed"][0].startswith("expected demand: 96 values up to 50 kWh")
