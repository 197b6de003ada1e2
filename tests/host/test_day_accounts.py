"""What a day of a boiler came to: from metered power, plans, readings and prices in the database."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
import timely_beliefs as tb
from flexmeasures import Asset, AssetType, Sensor, Source
from flexmeasures.data import db
from flexmeasures.data.services.scheduling import make_schedule
from flexmeasures.data.utils import save_to_db

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.errors import NoPricesError, SmartBoilerError
from smart_boiler_plugin.money.accounting import read_days
from smart_boiler_plugin.physics.tapping_profiles import drawn_kwh
from smart_boiler_plugin.prices.sensors import get_or_create_consumption_price_sensor
from tests.factories import make_account, make_household_boiler, store
from tests.host.boilers import make_household
from tests.host.days import DAY, LATER, MIDNIGHT, follow_thermostat, measure, moments_of, prices
from tests.host.queries import counted_queries

QUARTER = timedelta(minutes=15)


@pytest.fixture
def boiler(app):
    """A boiler with prices on the day, in an app context."""
    with app.app_context():
        boiler, price = make_household()
        store(price, prices(), MIDNIGHT)
        yield boiler


def account(boiler, day=DAY, **options):
    """Return what the day came to."""
    (found,) = read_days([boiler], day, **options)
    return found.accounts()[0]


def report_thermostat(boiler, *, demand=True, power=True):
    """Store what a boiler under a thermostat reports, and return it. It begins at 57 °C, not heating."""
    power_kw, drawn, states = follow_thermostat(boiler)
    state = boiler.data.tank.temperature_c(np.array([states[0], states[0]]))
    measure(boiler, "temperature", state, MIDNIGHT - QUARTER)
    if power:
        measure(boiler, "fill-rate", power_kw, MIDNIGHT)
    if demand:
        measure(boiler, "demand", drawn, MIDNIGHT)
    return power_kw, drawn, states


def test_a_boiler_that_follows_its_thermostat_saves_nothing(boiler):
    power_kw, _, _ = report_thermostat(boiler)
    found = account(boiler)
    assert found.electricity_kwh == pytest.approx(power_kw.sum() / 4)
    assert found.cost == pytest.approx(prices() @ power_kw / 4)
    assert found.baseline_cost == pytest.approx(found.cost, abs=1e-9)
    assert found.savings == pytest.approx(0, abs=1e-9)
    assert found.coverage == 1.0
    assert found.mean_price == pytest.approx(prices().mean())


def test_draw_offs_are_inferred_from_temperature_and_power_where_they_are_not_measured(boiler):
    power_kw, drawn, states = report_thermostat(boiler, demand=False)
    tank = boiler.data.tank
    # twice the draw-offs of the profile, which the account cannot know but from the temperatures
    states = [states[0]]
    for kw, heat in zip(power_kw, 2 * drawn, strict=True):
        states.append(tank.after(states[-1], 0.25, kw, heat))
    readings = tank.temperature_c((np.array(states)[:-1] + np.array(states)[1:]) / 2)
    measure(boiler, "temperature", readings, MIDNIGHT)
    found = account(boiler)
    assert found.coverage == 1.0
    known = account_with_demand(boiler, 2 * drawn)
    assert found.baseline_kwh == pytest.approx(known.baseline_kwh, abs=0.15)
    assert found.savings == pytest.approx(known.savings, abs=0.02)


def test_a_boiler_that_reports_every_hour_has_its_draw_offs_inferred_too(boiler):
    _, drawn, states = report_thermostat(boiler, demand=False)
    hourly = boiler.data.tank.temperature_c((states[:-1] + states[1:]) / 2)[2::4]
    for number, reading in enumerate([*hourly, hourly[-1]]):
        measure(boiler, "temperature", [reading], MIDNIGHT + (4 * number + 2) * QUARTER)
    found = account(boiler)
    assert found.coverage == 1.0
    assert account_with_demand(boiler, drawn).baseline_kwh == pytest.approx(found.baseline_kwh, abs=0.2)


def account_with_demand(boiler, drawn):
    """Return what the day came to with draw-offs measured as well."""
    measure(boiler, "demand", drawn, MIDNIGHT)
    return account(boiler)


def test_without_measurements_the_tapping_profile_is_drawn_and_the_plan_was_followed(boiler):
    power_kw, _, _ = follow_thermostat(boiler)
    store(boiler.sensors["fill-rate"], power_kw, MIDNIGHT, source_type="scheduler")
    found = account(boiler)
    assert found.cost == pytest.approx(prices() @ power_kw / 4)
    assert found.coverage == 0.0


def test_metered_power_counts_where_there_is_some_and_the_plan_elsewhere(boiler):
    # planned after the fact, which must not make it count more
    planned, metered = np.full(96, 1.0), np.full(40, 0.25)
    store(
        boiler.sensors["fill-rate"], planned, MIDNIGHT, source_type="scheduler", recorded_at=MIDNIGHT + 3 * 96 * QUARTER
    )
    measure(boiler, "fill-rate", metered, MIDNIGHT)
    (day,) = read_days([boiler], DAY)
    assert day.power_kw[:, 0] == pytest.approx([0.25] * 40 + [1.0] * 56)
    # draw-offs are not measured at all
    assert day.accounts()[0].coverage == 0.0


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_meters_at_the_same_moment_the_later_one_to_be_known_counts(boiler, order):
    sources = [Source(name=f"meter {number}", type="gateway") for number in range(2)]
    db.session.add_all(sources)
    db.session.flush()
    for number in order:
        values = pd.Series([0.5 + 0.5 * number] * 96, index=moments_of())
        meter = {"sensor": boiler.sensors["fill-rate"], "source": sources[number]}
        save_to_db(tb.BeliefsDataFrame(values, **meter, belief_time=MIDNIGHT + timedelta(days=2)))
    assert account(boiler).electricity_kwh == pytest.approx(24)


@pytest.mark.parametrize("before", [timedelta(hours=6), timedelta(minutes=1)])
def test_what_was_expected_is_not_taken_for_measured(boiler, before):
    report_thermostat(boiler, demand=False)
    # sent before it could happen: a forecast
    store(boiler.sensors["demand"], [0.5] * 96, MIDNIGHT, source_type="gateway", recorded_at=MIDNIGHT - before)
    # the readings around midnight tell of one quarter
    assert account(boiler).coverage <= 1 / 96


def test_a_forecast_of_power_is_no_plan(boiler):
    store(boiler.sensors["fill-rate"], [1.0] * 96, MIDNIGHT, source_type="forecaster", recorded_at=MIDNIGHT + LATER)
    assert "No power is known" in str(account(boiler))


@pytest.mark.parametrize(("kw_at_midnight", "heated_k"), [(1.5, 3), (0.0, 0)])
def test_a_thermostat_that_heats_at_midnight_goes_on_to_its_set_point(app, kw_at_midnight, heated_k):
    with app.app_context():
        boiler, price = make_household(BoilerData(standing_loss_kwh_per_day=0.0))
        store(price, prices(), MIDNIGHT)
        measure(boiler, "temperature", [57.0, 57.0], MIDNIGHT - QUARTER)
        measure(boiler, "fill-rate", [kw_at_midnight] + [0.0] * 96, MIDNIGHT - QUARTER)
        measure(boiler, "demand", [0.0] * 96, MIDNIGHT)
        # from 57 to 60 °C, or not at all
        assert account(boiler).baseline_kwh == pytest.approx(heated_k * 0.09270, abs=1e-4)


def test_cop_and_ceiling_are_those_of_the_boiler(app):
    data = BoilerData(cop=3.0, temperature_min_c=45.0, temperature_max_c=55.0, standing_loss_kwh_per_day=0.0)
    with app.app_context():
        boiler, price = make_household(data)
        store(price, prices(), MIDNIGHT)
        measure(boiler, "temperature", [50.0, 50.0], MIDNIGHT - QUARTER)
        for role in ("fill-rate", "demand"):
            measure(boiler, role, [0.0] * 96, MIDNIGHT)
        # from 50 to 55 °C, once: 5 K * 0.09270 kWh/K, a third of it electricity
        assert account(boiler).baseline_kwh == pytest.approx(5 * 0.09270 / 3, abs=1e-4)


def test_boilers_on_different_tariffs_each_pay_their_own_price(boiler):
    other = make_household_boiler(make_account("Other"), "Boiler of another")
    dear = get_or_create_consumption_price_sensor("BE")
    store(dear, [0.5] * 96, MIDNIGHT)
    other.asset.flex_context = {"consumption-price": {"sensor": dear.id}}
    for each in (boiler, other):
        measure(each, "fill-rate", [1.0] * 96, MIDNIGHT)
    (day,) = read_days([boiler, Boiler(other.asset)], DAY)
    assert [found.cost for found in day.accounts()] == pytest.approx([prices().sum() / 4, 12.0])


def test_a_boiler_that_reports_to_make_electricity_or_heat_earns_nothing_by_it(boiler):
    dear = prices() > prices().mean()
    measure(boiler, "fill-rate", np.where(dear, -1.5, 0.0), MIDNIGHT)
    measure(boiler, "demand", [-0.2] * 96, MIDNIGHT)
    told = str(account(boiler))
    assert "No power is known" in told
    assert "values up to -1.5 kW from 2025-10-28" in told
    assert "less than nothing: is the sign turned round?" in told
    measure_power_and_demand_again(boiler, [0.0] * 96)
    found = account(boiler)
    assert found.electricity_kwh == found.cost == 0


def measure_power_and_demand_again(boiler, values):
    """Store values that were recorded later than those of the day."""
    for role in ("fill-rate", "demand"):
        store(boiler.sensors[role], values, MIDNIGHT, source_type="gateway", recorded_at=MIDNIGHT + timedelta(days=9))


@pytest.mark.parametrize("reading", [-40.0, 400.0, float("nan")])
def test_readings_that_no_water_has_are_not_believed(boiler, reading):
    report_thermostat(boiler)
    expected = account(boiler)
    measure_again(boiler, [reading, reading])
    assert account(boiler) == expected


def measure_again(boiler, readings):
    """Store readings that were recorded later than those of the day."""
    later = MIDNIGHT + timedelta(days=9)
    store(boiler.sensors["temperature"], readings, MIDNIGHT - QUARTER, source_type="gateway", recorded_at=later)


def test_what_was_recorded_later_is_left_out_when_asked_for_the_state_of_knowledge(boiler):
    report_thermostat(boiler)
    # the prices were known by then, and nothing else
    assert "No power is known" in str(account(boiler, known_at=MIDNIGHT + timedelta(days=1)))
    with pytest.raises(NoPricesError):
        raise account(boiler, known_at=MIDNIGHT - timedelta(days=9))


def test_a_day_without_prices_or_power_is_told_and_not_counted(boiler):
    problem = account(boiler)
    assert isinstance(problem, SmartBoilerError)
    assert "No power is known on 2025-10-28, neither metered nor planned" in str(problem)
    problem = account(boiler, date(2025, 10, 20))
    assert isinstance(problem, NoPricesError)
    assert "update-prices --from-date 2025-10-20 --to-date 2025-10-20" in str(problem)


def test_missing_prices_and_meter_readings_lower_the_coverage(app):
    with app.app_context():
        boiler, price = make_household()
        store(price, prices()[:48], MIDNIGHT)
        power_kw, drawn, _ = follow_thermostat(boiler)
        measure(boiler, "fill-rate", power_kw[:72], MIDNIGHT)
        measure(boiler, "demand", drawn, MIDNIGHT)
        assert account(boiler).coverage == 0.5


@pytest.mark.parametrize(("day", "quarters"), [(date(2025, 10, 26), 100), (date(2025, 3, 30), 92)])
def test_a_day_on_which_the_clock_changes_has_its_own_length(app, day, quarters):
    with app.app_context():
        boiler, price = make_household()
        moments = moments_of(day)
        assert len(moments) == quarters
        store(price, [0.2] * quarters, moments[0])
        measure(boiler, "fill-rate", [1.0] * quarters, moments[0])
        measure(boiler, "demand", [0.0] * quarters, moments[0])
        found = account(boiler, day)
        assert found.electricity_kwh == pytest.approx(quarters / 4)
        assert found.cost == pytest.approx(0.2 * quarters / 4)
        assert found.coverage == 1.0


def test_prices_in_other_units_and_resolutions_are_converted(app):
    with app.app_context():
        boiler, _ = make_household()
        market = Asset(name="market", generic_asset_type=AssetType(name="market"))
        hourly = Sensor(
            "hourly", unit="EUR/MWh", generic_asset=market, event_resolution=timedelta(hours=1), timezone="UTC"
        )
        db.session.add_all([market, hourly])
        db.session.flush()
        boiler.asset.flex_context = {"consumption-price": {"sensor": hourly.id}}
        store(hourly, np.arange(24) * 10.0, MIDNIGHT)
        measure(boiler, "fill-rate", [1.0] * 96, MIDNIGHT)
        found = account(boiler)
        # 0, 10, ... 230 EUR/MWh for an hour at 1 kW each
        assert found.cost == pytest.approx(sum(range(24)) * 10 / 1000)
        assert found.currency == "EUR"


def test_the_number_of_queries_does_not_grow_with_the_number_of_boilers(boiler):
    owner = make_account("Many")
    fleet = [make_household_boiler(owner, f"Boiler {number}") for number in range(12)]
    counts = []
    for size in (2, 12):
        some = fleet[:size]
        _ = [(each.sensors, each.price) for each in some]
        with counted_queries() as queries:
            next(read_days(some, DAY)).accounts()
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_many_days_are_read_at_once_and_come_to_the_same(boiler):
    before = DAY - timedelta(days=2)  # the clock changed in that night
    store(boiler.price, [0.3] * 196, moments_of(before)[0])
    measure(boiler, "fill-rate", np.linspace(0, 1.5, 292), moments_of(before)[0])
    measure(boiler, "temperature", np.linspace(52, 60, 292), moments_of(before)[0])
    alone = [account(boiler, before + timedelta(days=number)) for number in range(3)]
    with counted_queries() as queries:
        together = [day.accounts()[0] for day in read_days([boiler], before, DAY)]
    assert together == alone
    assert [found.day for found in together] == [before, DAY - timedelta(days=1), DAY]
    assert len(queries) < 8


def test_a_plan_of_the_scheduler_is_what_a_boiler_without_a_meter_took(boiler):
    measure(boiler, "temperature", [51.0], MIDNIGHT - QUARTER)
    make_schedule(
        asset_or_sensor={"class": "Sensor", "id": boiler.sensors["fill-rate"].id},
        start=MIDNIGHT,
        end=MIDNIGHT + timedelta(days=1),
        resolution=QUARTER,
        belief_time=MIDNIGHT + timedelta(minutes=1),
    )
    planned = boiler.sensors["fill-rate"].search_beliefs()["event_value"].to_numpy()
    found = account(boiler)
    assert found.electricity_kwh == pytest.approx(planned.sum() / 4)
    assert found.cost == pytest.approx(prices() @ planned / 4)
    assert found.cost > 0.1
    # the cheapest way to serve the same household, in a tank that is kept less hot
    assert found.savings > 0


def run_thermostat(tank, state, drawn, *, heating, kw=1.5, restart_c=55.0, full_c=60.0):
    """Return power [kW] per quarter and states of charge [kWh] at their edges, worked out quarter by quarter."""
    restart, full = tank.state_of_charge_kwh(restart_c), tank.state_of_charge_kwh(full_c)
    power, states = [], [state]
    for heat in drawn:
        heating = heating or states[-1] <= restart
        idle, most = (tank.after(states[-1], 0.25, each, heat) for each in (0.0, kw))
        power.append(kw * min(max(full - idle, 0) / (most - idle), 1) if heating else 0.0)
        states.append(tank.after(states[-1], 0.25, power[-1], heat))
        heating = heating and states[-1] < full - 1e-9
    return np.array(power), np.array(states)


@pytest.mark.parametrize("heating", [True, False])
def test_the_thermostat_runs_from_a_day_before_midnight_with_each_draw_off_and_price_in_its_own_quarter(
    boiler, heating
):
    """No two quarters are alike: whatever is taken from the quarter before or after changes the amounts."""
    tank, warm_up, day = boiler.data.tank, slice(0, 96), slice(96, 192)
    begin = MIDNIGHT - timedelta(days=1)
    # so much before the day that the thermostat is never full: then it would forget from where it came
    number = np.arange(96)
    drawn = np.concatenate([0.36 + 0.0012 * (7 * number % 11), 0.02 + 0.0004 * number + 0.03 * (number % 7 == 3)])
    # a boiler between the limits, and whether it heats just before; then the thermostat goes on with that
    state = tank.state_of_charge_kwh(57.0)
    measure(boiler, "temperature", [56.5, 57.5], begin - QUARTER)
    measure(boiler, "fill-rate", [0.0, 0.0, 1.5 * heating, 1.5 * (not heating)], begin - 3 * QUARTER)
    measure(boiler, "demand", drawn, begin)
    # what the boiler really did: it was colder when the day began
    measure(boiler, "temperature", [47.0, 49.0], MIDNIGHT - QUARTER)
    power = 0.3 + 0.004 * np.arange(96)
    measure(boiler, "fill-rate", power, MIDNIGHT)

    _, states = run_thermostat(tank, state, drawn[warm_up], heating=heating)
    assert tank.temperature_c(states.max()) < 59
    baseline, baseline_states = run_thermostat(tank, states[-1], drawn[day], heating=True)
    own = [tank.state_of_charge_kwh(48.0)]
    for kw, heat in zip(power, drawn[day], strict=True):
        own.append(tank.after(own[-1], 0.25, kw, heat))
    missing = (baseline_states[-1] - own[-1]) - (baseline_states[0] - own[0])
    found = account(boiler)
    assert found.cost == pytest.approx(prices() @ power / 4, abs=1e-9)
    assert found.baseline_kwh == pytest.approx(baseline.sum() / 4, abs=1e-9)
    assert found.baseline_cost == pytest.approx(prices() @ baseline / 4, abs=1e-9)
    assert found.missing_heat_kwh == pytest.approx(missing, abs=1e-9)
    assert found.savings == pytest.approx(found.baseline_cost - found.cost - missing * prices().mean(), abs=1e-9)


def test_the_draw_offs_of_the_tapping_profile_are_taken_in_their_own_quarters(boiler):
    store(boiler.sensors["fill-rate"], [0.5] * 96, MIDNIGHT, source_type="scheduler")
    tank = boiler.data.tank
    middle = tank.state_of_charge_kwh(57.5)
    baseline, _ = run_thermostat(tank, middle, drawn_kwh("S", moments_of(), 0.25), heating=False)
    found = account(boiler)
    assert found.baseline_cost == pytest.approx(prices() @ baseline / 4, abs=1e-9)
    assert found.baseline_kwh == pytest.approx(baseline.sum() / 4, abs=1e-9)


def test_a_boiler_without_a_price_spoils_no_account_of_others(boiler):
    other = make_household_boiler(make_account("Other"), "Boiler of another")
    for each in (boiler, other):
        measure(each, "fill-rate", [1.0] * 96, MIDNIGHT)
    other.asset.flex_context = {}
    (day,) = read_days([Boiler(other.asset), boiler], DAY)
    none, found = day.accounts()
    assert "names no sensor of a price per energy" in str(none)
    assert found.cost == pytest.approx(prices().sum() / 4)
