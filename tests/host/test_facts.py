"""What is known of boilers at a moment: which value counts, what is not believed, what is missing."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
import timely_beliefs as tb
from flexmeasures import Asset, Sensor, Source
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief
from flexmeasures.data.utils import save_to_db
from timely_beliefs.sensors.func_store.knowledge_horizons import x_days_ago_at_y_oclock

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.boiler.making import make_boiler
from smart_boiler_plugin.clock.days import midnights
from smart_boiler_plugin.facts.read import read_facts
from smart_boiler_plugin.stored import ATTRIBUTE
from tests.factories import make_account, make_household_boiler, store
from tests.host.days import MIDNIGHT, moments_of
from tests.host.queries import counted_queries
from tests.host.tariffs import make_sensor

QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
NOW = MIDNIGHT + 12 * HOUR
"""When facts are asked for."""

ABLE = BoilerData(volume_l=20, power_kw=12, temperature_max_c=95, cold_water_c=0)

SERIES = ("temperature_c", "metered_kw", "planned_kw", "demand_kwh", "expected_kwh", "forecast_kwh")


@pytest.fixture
def boiler(app):
    """A boiler without any data, in an app context; a quarter is enough for it to boil what was ice."""
    with app.app_context():
        yield make_household_boiler(make_account("Client"), "Boiler", ABLE)


def facts_of(boiler, start=MIDNIGHT, end=MIDNIGHT + 2 * HOUR, now=NOW):
    """Return what is known of a boiler in the first two hours of the day, as it stands in the database."""
    (facts,) = read_facts([Boiler(boiler.asset)], now, start, end)
    return facts


def put(sensor, values, start=MIDNIGHT, *, kind="gateway", at=None):
    """Store values of quarters, by default as recorded when the last of them was over."""
    store(sensor, values, start, source_type=kind, recorded_at=at or start + len(values) * QUARTER)


def known(values):
    """Return the values that are there, by the number of their quarter."""
    return {int(i): float(values[i]) for i in np.flatnonzero(~np.isnan(values))}


def series_of(facts):
    """Return what a boiler's own sensors tell, by field; fields without anything are left out."""
    return {field: known(getattr(facts, field)) for field in SERIES if known(getattr(facts, field))}


# --- which value counts, and as what


def test_each_sensor_tells_its_own_series_by_the_quarter(boiler):
    put(boiler.sensors["temperature"], [55.0, 54.5], MIDNIGHT + QUARTER)
    put(boiler.sensors["fill-rate"], [1.5], MIDNIGHT)
    put(boiler.sensors["fill-rate"], [0.75], MIDNIGHT + 7 * QUARTER, kind="scheduler")
    put(boiler.sensors["demand"], [0.25], MIDNIGHT + 2 * QUARTER)
    facts = facts_of(boiler)
    assert series_of(facts) == {
        "temperature_c": {1: 55.0, 2: 54.5},
        "metered_kw": {0: 1.5},
        "planned_kw": {7: 0.75},
        "demand_kwh": {2: 0.25},
    }
    assert (facts.asset_id, facts.moment, facts.missing, facts.not_believed) == (boiler.asset.id, NOW, (), ())


def test_the_window_is_all_quarters_that_it_touches(boiler):
    put(boiler.sensors["fill-rate"], [0.1, 0.2, 0.3, 0.4], MIDNIGHT - QUARTER)
    facts = facts_of(boiler, MIDNIGHT + timedelta(minutes=14), MIDNIGHT + timedelta(minutes=16))
    assert list(facts.quarters) == [MIDNIGHT, MIDNIGHT + QUARTER]
    assert list(facts.metered_kw) == [0.2, 0.3]


def test_what_is_planned_before_a_window_that_is_yet_to_come_is_none_of_it(boiler):
    put(boiler.sensors["fill-rate"], [0.75] * 12, MIDNIGHT, kind="scheduler", at=MIDNIGHT)
    facts = facts_of(boiler, MIDNIGHT + 2 * HOUR, MIDNIGHT + 4 * HOUR, now=MIDNIGHT + QUARTER)
    assert series_of(facts) == {"planned_kw": dict.fromkeys(range(4), 0.75)}


def test_an_empty_window_has_no_quarters(boiler):
    facts = facts_of(boiler, MIDNIGHT, MIDNIGHT)
    assert len(facts.quarters) == len(facts.price) == len(facts.temperature_c) == 0
    assert facts.span(MIDNIGHT, NOW) == slice(0, 0)


@pytest.mark.parametrize("role", ["temperature", "fill-rate", "demand"])
@pytest.mark.parametrize("order", [(1.0, 2.0), (2.0, 1.0)])
def test_of_several_values_the_one_recorded_last_counts(boiler, role, order):
    for value in order:
        put(boiler.sensors[role], [value], kind=f"meter {value}", at=MIDNIGHT + value * HOUR)
    assert list(series_of(facts_of(boiler)).values()) == [{0: 2.0}]


@pytest.mark.parametrize("role", ["temperature", "fill-rate", "demand"])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_values_recorded_at_once_that_of_the_latest_source_counts(boiler, role, order):
    sources = [Source(name=f"meter {number}", type="gateway") for number in range(2)]
    db.session.add_all(sources)
    db.session.flush()
    for number in order:
        series = pd.Series([1.0 + number], index=[MIDNIGHT])
        meter = {"sensor": boiler.sensors[role], "source": sources[number]}
        save_to_db(tb.BeliefsDataFrame(series, **meter, belief_time=MIDNIGHT + HOUR))
    assert list(series_of(facts_of(boiler)).values()) == [{0: 2.0}]


def test_of_a_distribution_the_median_counts(boiler):
    source = Source(name="forecast", type="forecaster")
    for probability, value in ((0.1, 0.0), (0.5, 0.2), (0.9, 0.9)):
        belief = {"event_start": MIDNIGHT, "belief_time": MIDNIGHT, "event_value": value, "cp": probability}
        db.session.add(TimedBelief(boiler.sensors["demand"], source, **belief))
    db.session.commit()
    assert series_of(facts_of(boiler)) == {"forecast_kwh": {0: 0.2}}


@pytest.mark.parametrize("role", ["temperature", "fill-rate", "demand"])
def test_what_was_recorded_after_the_moment_is_left_out(boiler, role):
    put(boiler.sensors[role], [1.0], at=NOW)
    put(boiler.sensors[role], [2.0], at=NOW + timedelta(seconds=1), kind="late")
    assert list(series_of(facts_of(boiler)).values()) == [{0: 1.0}]


def test_what_is_no_number_hides_none_that_was_recorded_before(boiler):
    for role in ("fill-rate", "demand", "temperature"):
        put(boiler.sensors[role], [1.0])
        for number, value in enumerate((float("nan"), float("inf"), float("-inf"))):
            broken = Source(name=f"broken {number}", type="gateway")
            belief = {"event_start": MIDNIGHT, "belief_time": MIDNIGHT + 2 * HOUR, "event_value": value}
            db.session.add(TimedBelief(boiler.sensors[role], broken, **belief))
    db.session.commit()
    assert series_of(facts_of(boiler)) == {
        "temperature_c": {0: 1.0},
        "metered_kw": {0: 1.0},
        "demand_kwh": {0: 1.0},
    }


def test_power_and_heat_below_none_are_none(boiler):
    put(boiler.sensors["fill-rate"], [-0.01])
    put(boiler.sensors["fill-rate"], [-2.0], kind="scheduler")
    put(boiler.sensors["demand"], [-0.01])
    put(boiler.sensors["demand"], [-0.2], kind="forecaster")
    none = {"metered_kw": {0: 0.0}, "planned_kw": {0: 0.0}, "demand_kwh": {0: 0.0}, "forecast_kwh": {0: 0.0}}
    assert series_of(facts_of(boiler)) == none


@pytest.mark.parametrize(
    ("role", "kind", "told"),
    [
        ("temperature", "scheduler", {}),
        ("temperature", "forecaster", {}),
        ("fill-rate", "scheduler", {"planned_kw": {0: 1.0}}),
        ("fill-rate", "forecaster", {}),
        ("demand", "scheduler", {}),
        ("demand", "forecaster", {"forecast_kwh": {0: 1.0}}),
    ],
)
def test_plans_and_forecasts_measure_nothing(boiler, role, kind, told):
    put(boiler.sensors[role], [1.0], kind=kind)
    assert series_of(facts_of(boiler)) == told


def test_a_source_without_a_type_measures(boiler):
    source = Source(name="meter", type="gateway")
    db.session.add(source)
    db.session.flush()
    for role in ("temperature", "fill-rate", "demand"):
        frame = pd.Series([1.0], index=[MIDNIGHT])
        save_to_db(tb.BeliefsDataFrame(frame, sensor=boiler.sensors[role], source=source, belief_time=MIDNIGHT + HOUR))
    db.session.execute(db.update(Source).filter_by(id=source.id).values(type=None))
    db.session.commit()
    assert source.type is None
    facts = facts_of(boiler)
    assert series_of(facts) == {"temperature_c": {0: 1.0}, "metered_kw": {0: 1.0}, "demand_kwh": {0: 1.0}}
    assert facts.first_reading == MIDNIGHT


@pytest.mark.parametrize(
    ("recorded_after", "told"),
    [
        (timedelta(seconds=-1), {"temperature_c": {0: 1.0}, "expected_kwh": {0: 1.0}}),
        (timedelta(0), {"temperature_c": {0: 1.0}, "metered_kw": {0: 1.0}, "demand_kwh": {0: 1.0}}),
    ],
)
def test_what_was_recorded_before_its_quarter_had_begun_is_expected_and_not_metered(boiler, recorded_after, told):
    for role in ("temperature", "fill-rate", "demand"):
        put(boiler.sensors[role], [1.0], at=MIDNIGHT + recorded_after)
    assert series_of(facts_of(boiler)) == told


def test_what_was_expected_and_what_was_measured_stand_side_by_side(boiler):
    put(boiler.sensors["demand"], [0.1, 0.2], at=MIDNIGHT - HOUR)
    put(boiler.sensors["demand"], [0.5])
    put(boiler.sensors["fill-rate"], [1.0, 1.0], kind="scheduler", at=NOW)
    put(boiler.sensors["fill-rate"], [0.5])
    facts = facts_of(boiler)
    assert known(facts.demand_kwh) == {0: 0.5}
    assert known(facts.expected_kwh) == {0: 0.1, 1: 0.2}
    assert known(facts.draw_off_kwh) == {0: 0.5, 1: 0.2}
    assert known(facts.power_kw) == {0: 0.5, 1: 1.0}


# --- what is not believed


@pytest.mark.parametrize(("value", "shown"), [(-0.1, "-0.1"), (100.5, "100.5"), (float("nan"), "nan")])
def test_a_temperature_that_no_water_has_is_told(boiler, value, shown):
    put(boiler.sensors["temperature"], [0.0, 100.0])
    source = Source(name="broken thermometer", type="gateway")
    belief = {"event_start": MIDNIGHT + 2 * QUARTER, "belief_time": MIDNIGHT + HOUR, "event_value": value}
    db.session.add(TimedBelief(boiler.sensors["temperature"], source, **belief))
    db.session.commit()
    facts = facts_of(boiler)
    assert series_of(facts) == {"temperature_c": {0: 0.0, 1: 100.0}}
    assert facts.not_believed == (f"{shown} °C at 2025-10-28T00:30:00+01:00: no temperature of water",)


@pytest.mark.parametrize("end", [MIDNIGHT + 2 * HOUR, NOW + timedelta(days=2)])
def test_readings_from_the_future_are_told_for_a_day_whatever_the_window(boiler, end):
    for hours in (10, 12, 12.25, 35.75, 37):
        put(boiler.sensors["temperature"], [60.0 + hours], MIDNIGHT + hours * HOUR, at=NOW, kind=f"meter {hours}")
    put(boiler.sensors["fill-rate"], [1.5], NOW + HOUR, at=NOW)
    facts = facts_of(boiler, end=end)
    future = {"2025-10-28T12:15:00": "72.25", "2025-10-29T11:45:00": "95.75", "2025-10-29T13:00:00": "97"}
    if end < NOW:
        del future["2025-10-29T13:00:00"]
    told = tuple(f"{value} °C at {at}+01:00: from the future" for at, value in future.items())
    assert facts.not_believed == told
    within = {40: 70.0, 48: 72.0}
    assert known(facts.temperature_c) == ({} if end < NOW else within)


def test_a_reading_of_the_quarter_that_has_begun_is_none_of_the_future(boiler):
    put(boiler.sensors["temperature"], [57.0], MIDNIGHT, at=MIDNIGHT + timedelta(minutes=1))
    facts = facts_of(boiler, MIDNIGHT - HOUR, MIDNIGHT, now=MIDNIGHT + timedelta(minutes=7))
    assert (series_of(facts), facts.not_believed) == ({}, ())


USUAL = BoilerData()


@pytest.mark.parametrize(
    ("last", "reason"), [(85.0, "what a DS18B20 says after a reset"), (0.0, "colder than cold water")]
)
def test_a_reading_that_this_tank_cannot_have_is_told(app, last, reason):
    with app.app_context():
        boiler = make_household_boiler(make_account("Client"), "Boiler", USUAL)
        put(boiler.sensors["temperature"], [52.0] * 7 + [last])
        facts = facts_of(boiler)
        assert known(facts.temperature_c) == dict.fromkeys(range(7), 52.0)
        assert facts.not_believed == (f"{last:g} °C at 2025-10-28T01:45:00+01:00: {reason}",)


@pytest.mark.parametrize(
    ("role", "values", "believed", "told"),
    [
        (
            "fill-rate",
            [0.0, 1500.0, 1500.0, 0.0],
            {0: 0.0, 3: 0.0},
            [
                (
                    "fill-rate: 2 values up to 1500 kW from 2025-10-28T00:15:00+01:00 to 2025-10-28T00:30:00+01:00: "
                    "more than its element can take (1.65 kW)"
                )
            ],
        ),
        ("fill-rate", [1.5, 1.65, 0.75, 1.8], {0: 1.5, 1: 1.65, 2: 0.75}, None),
        ("fill-rate", [0.0, -1.5, -1.5, -0.3], {}, None),
        ("fill-rate", [0.0, 1500.0, 1500.0, 1500.0, 1.2, 0.0], {}, None),
        ("demand", [50.0] * 8, {}, None),
        ("demand", [0.0, 0.105, 12.0, 0.105], {0: 0.0, 1: 0.105, 3: 0.105}, None),
        ("demand", [0.0, -0.105, -0.105, -0.2], {}, None),
    ],
)
def test_power_and_draw_offs_that_the_boiler_cannot_do_are_not_believed_and_told(app, role, values, believed, told):
    with app.app_context():
        boiler = make_household_boiler(make_account("Client"), "Boiler", USUAL)
        put(boiler.sensors[role], values)
        facts = facts_of(boiler)
        field = "metered_kw" if role == "fill-rate" else "demand_kwh"
        assert known(getattr(facts, field)) == believed
        assert facts.not_believed
        assert all(each.startswith(role) for each in facts.not_believed)
        assert told is None or list(facts.not_believed) == told


# --- first reading


def test_the_first_reading_is_the_first_believable_one_that_was_recorded_by_the_moment(boiler):
    sensor = boiler.sensors["temperature"]
    assert facts_of(boiler).first_reading is None
    put(sensor, [50.0], MIDNIGHT - timedelta(days=300), kind="scheduler")
    put(sensor, [150.0], MIDNIGHT - timedelta(days=200))
    put(sensor, [50.0], MIDNIGHT - timedelta(days=100), at=NOW + QUARTER)
    put(sensor, [50.0], NOW + QUARTER, at=NOW)
    assert facts_of(boiler).first_reading is None
    put(sensor, [50.0] * 3, MIDNIGHT - timedelta(days=50))
    first = facts_of(boiler).first_reading
    assert first == MIDNIGHT - timedelta(days=50)
    assert first.isoformat() == "2025-09-08T01:00:00+02:00"


# --- sensors that are not there, or not as they were made


def delete(*sensors):
    """Delete sensors with their data, as the host does."""
    for sensor in sensors:
        db.session.execute(db.delete(Sensor).filter_by(id=sensor.id))
    db.session.commit()


@pytest.mark.parametrize("role", ["temperature", "fill-rate", "demand"])
def test_a_deleted_sensor_is_missing(boiler, role):
    for each in ("temperature", "fill-rate", "demand"):
        put(boiler.sensors[each], [1.0])
    delete(boiler.sensors[role])
    facts = facts_of(boiler)
    assert facts.missing == (role,)
    assert len(series_of(facts)) == 2
    assert (facts.first_reading is None) == (role == "temperature")


def test_a_sensor_that_was_deleted_since_the_boiler_was_loaded_is_missing(boiler):
    loaded = Boiler(boiler.asset)
    delete(loaded.sensors["demand"])
    assert "sensors" in vars(loaded)
    (facts,) = read_facts([loaded], NOW, MIDNIGHT, MIDNIGHT + HOUR)
    assert facts.missing == ("demand",)


def test_a_boiler_without_sensors_has_facts_without_any(boiler):
    delete(*boiler.sensors.values())
    facts = facts_of(boiler)
    assert facts.missing == ("temperature", "fill-rate", "demand")
    assert (series_of(facts), len(facts.quarters)) == ({}, 8)


@pytest.mark.parametrize(
    ("role", "change", "told"),
    [
        ("temperature", {"unit": "°F"}, "°F per 0:15:00 in place of °C per 0:15:00"),
        ("fill-rate", {"unit": "W"}, "W per 0:15:00 in place of kW per 0:15:00"),
        ("demand", {"event_resolution": HOUR}, "kWh per 1:00:00 in place of kWh per 0:15:00"),
    ],
)
def test_a_sensor_in_another_unit_or_resolution_is_told_and_not_read(boiler, role, change, told):
    for each in ("temperature", "fill-rate", "demand"):
        put(boiler.sensors[each], [1.0])
    sensor = boiler.sensors[role]
    for name, value in change.items():
        setattr(sensor, name, value)
    db.session.commit()
    facts = facts_of(boiler)
    assert facts.missing == (role,)
    assert facts.not_believed == (f"sensor {sensor.id} ({role}): {told}",)
    assert len(series_of(facts)) == 2


def test_attributes_that_cannot_be_read_leave_the_facts_of_all(boiler):
    other = make_household_boiler(make_account("Other"), "Boiler of another")
    for each in (boiler, other):
        put(each.sensors["fill-rate"], [1.0])
    other.asset.attributes = {ATTRIBUTE: "nonsense"}
    db.session.commit()
    for facts in read_facts([Boiler(boiler.asset), Boiler(other.asset)], NOW, MIDNIGHT, MIDNIGHT + HOUR):
        assert series_of(facts) == {"metered_kw": {0: 1.0}}


# --- prices


def set_price(boiler, named):
    """Write something into the boiler's flex-context as its consumption price."""
    boiler.asset.flex_context = {"consumption-price": named}
    db.session.commit()


@pytest.mark.parametrize(
    "named",
    [
        *(None, 5, [], "0.30 EUR/kWh", {}),
        *({"sensor": each} for each in (None, "x", [1], {}, -1, 2**40, True, 987654)),
    ],
)
def test_a_price_that_cannot_be_found_is_missing(boiler, named):
    put(boiler.sensors["fill-rate"], [1.0])
    set_price(boiler, named)
    facts = facts_of(boiler)
    assert facts.missing == ("price",)
    assert np.isnan(facts.price).all()
    assert series_of(facts) == {"metered_kw": {0: 1.0}}


def test_a_boiler_without_a_flex_context_has_no_price(boiler):
    boiler.asset.flex_context = {}
    db.session.commit()
    assert facts_of(boiler).missing == ("price",)


def test_a_sensor_of_no_price_per_energy_is_no_price(boiler):
    set_price(boiler, {"sensor": boiler.sensors["demand"].id})
    assert facts_of(boiler).missing == ("price",)


@pytest.mark.parametrize("resolution", ["0min", "20min", "7min"])
def test_prices_that_cannot_be_put_in_quarters_are_told(boiler, resolution):
    sensor = make_sensor("odd", "EUR/kWh", resolution)
    set_price(boiler, {"sensor": sensor.id})
    facts = facts_of(boiler)
    assert facts.missing == ("price",)
    assert facts.not_believed == (
        f"sensor {sensor.id} (odd): EUR/kWh per {sensor.event_resolution} cannot be put in quarters of an hour and kWh",
    )


def test_a_unit_that_the_host_takes_for_a_price_per_energy_and_is_none_is_told(boiler):
    sensor = make_sensor("odd", "EUR/MW*h")
    assert sensor.measures_energy_price
    set_price(boiler, {"sensor": sensor.id})
    facts = facts_of(boiler)
    assert facts.missing == ("price",)
    assert facts.not_believed[0].startswith(f"sensor {sensor.id} (odd): EUR/MW*h per 0:15:00 cannot be put")


@pytest.mark.parametrize(
    ("unit", "resolution", "start", "values", "expected"),
    [
        ("EUR/kWh", "15min", MIDNIGHT, [0.1, -0.2, 0.3], [0.1, -0.2, 0.3, None, None, None, None, None]),
        ("EUR/MWh", "15min", MIDNIGHT + QUARTER, [100.0, 200.0], [None, 0.1, 0.2, None, None, None, None, None]),
        ("cEUR/MWh", "15min", MIDNIGHT, [12345.0], [0.12345, *[None] * 7]),
        ("cEUR/kWh", "60min", MIDNIGHT, [25.0], [0.25] * 4 + [None] * 4),
        # one that began before the window
        ("EUR/MWh", "60min", MIDNIGHT - 2 * QUARTER, [80.0, 90.0], [0.08] * 2 + [0.09] * 4 + [None] * 2),
        ("EUR/MWh", "1440min", MIDNIGHT - 23 * HOUR, [50.0], [0.05] * 4 + [None] * 4),
        # thirds of a quarter: their mean, and none where one is missing
        ("EUR/kWh", "5min", MIDNIGHT, [0.1, 0.2, 0.6, 0.4, 0.4], [0.3, *[None] * 7]),
    ],
)
def test_prices_of_any_unit_and_resolution_come_per_kwh_and_quarter(boiler, unit, resolution, start, values, expected):
    sensor = make_sensor("price", unit, resolution)
    set_price(boiler, {"sensor": sensor.id})
    store(sensor, values, start, recorded_at=MIDNIGHT - timedelta(days=2))
    facts = facts_of(boiler)
    assert facts.missing == ()
    assert facts.price == pytest.approx([np.nan if each is None else each for each in expected], nan_ok=True)


def test_of_prices_the_one_recorded_last_by_the_moment_counts_and_no_forecast(boiler):
    sensor = boiler.price
    store(sensor, [0.1] * 3, MIDNIGHT, recorded_at=MIDNIGHT - 2 * HOUR)
    store(sensor, [0.2] * 2, MIDNIGHT, recorded_at=MIDNIGHT - HOUR, source_type="correction")
    store(sensor, [0.3], MIDNIGHT, recorded_at=NOW + timedelta(seconds=1), source_type="too late")
    for planned in ("forecaster", "scheduler"):
        store(sensor, [0.9] * 4, MIDNIGHT, recorded_at=NOW - HOUR, source_type=planned)
    assert known(facts_of(boiler).price) == {0: 0.2, 1: 0.2, 2: 0.1}


def test_when_a_price_was_known_is_what_its_sensor_says(boiler):
    """As those of the ENTSO-E plugin: horizons count from noon of the day before."""
    noon = (x_days_ago_at_y_oclock, {"x": 1, "y": 12, "z": "Europe/Amsterdam"})
    sensor = Sensor(
        "day-ahead",
        unit="EUR/kWh",
        timezone="Europe/Amsterdam",
        event_resolution=QUARTER,
        knowledge_horizon=noon,
        generic_asset=boiler.price.generic_asset,
    )
    db.session.add(sensor)
    db.session.flush()
    set_price(boiler, {"sensor": sensor.id})
    recorded_at = MIDNIGHT - 11 * HOUR
    store(sensor, [0.25], MIDNIGHT, recorded_at=recorded_at)
    assert known(facts_of(boiler, now=recorded_at).price) == {0: 0.25}
    assert known(facts_of(boiler, now=recorded_at - timedelta(seconds=1)).price) == {}


def test_facts_cannot_be_changed(boiler):
    facts = facts_of(boiler)
    for field in (*SERIES, "price"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(facts, field)[0] = 1.0


# --- many boilers


def make_boilers(count, tariffs=5):
    """Make boilers of one owner on several tariffs, each with a power and a reading of its own; return their ids."""
    owner = make_household_boiler(make_account("Many"), "Another").asset.account_id
    prices = [make_sensor(f"price {number}", "EUR/kWh") for number in range(tariffs)]
    for number, price in enumerate(prices):
        store(price, [0.1 * (number + 1)] * 8, MIDNIGHT)
    source = Source(name="meter", type="gateway")
    db.session.add(source)
    db.session.flush()
    # loaded now: the host flushes half-made sensors when it loads anything later
    assert {price.unit for price in prices} == {"EUR/kWh"}
    ids = []
    for i in range(count):
        asset = Asset(name=f"Boiler {i}", account_id=owner)
        boiler = make_boiler(asset, "Europe/Amsterdam", prices[i % tariffs], BoilerData())
        ids.append(boiler.asset.id)
        for role, value in (("fill-rate", 0.001 * i), ("temperature", 50 + 0.01 * i)):
            belief = {"event_start": MIDNIGHT, "belief_time": MIDNIGHT + QUARTER, "event_value": value}
            db.session.add(TimedBelief(boiler.sensors[role], source, **belief))
    db.session.commit()
    return ids


def test_it_takes_as_many_statements_for_200_boilers_of_several_tariffs_as_for_one(app):
    with app.app_context():
        ids = make_boilers(200)
        counts = []
        for some in (ids[:1], ids):
            db.session.expunge_all()
            boilers = [Boiler(asset) for asset in db.session.scalars(db.select(Asset).filter(Asset.id.in_(some)))]
            with counted_queries() as queries:
                found = read_facts(boilers, NOW, MIDNIGHT, MIDNIGHT + 2 * HOUR)
                counts.append(len(queries))
                # what was loaded for that is there for whoever works with the boilers next
                assert {boiler.price.unit for boiler in boilers} == {"EUR/kWh"}
                assert all("daily cost" in boiler.sensors for boiler in boilers)
            assert len(queries) == counts[-1]
        # sensors, sensors of prices, doubled ones, what boilers hold, prices, first readings
        assert counts == [6, 6]
        # and each has its own
        number = {asset_id: i for i, asset_id in enumerate(ids)}
        for facts in found:
            i = number[facts.asset_id]
            assert facts.metered_kw[0] == pytest.approx(0.001 * i)
            assert facts.temperature_c[0] == pytest.approx(50 + 0.01 * i)
            assert facts.price[0] == pytest.approx(0.1 * (i % 5 + 1))
            assert facts.first_reading == MIDNIGHT


def test_no_boilers_have_no_facts(app):
    with app.app_context():
        assert read_facts([], NOW, MIDNIGHT, MIDNIGHT + HOUR) == []


def test_each_household_has_its_own_time_zone(boiler):
    far = make_household_boiler(make_account("Far"), "Far")
    for sensor in far.sensors.values():
        sensor.timezone = "Atlantic/Azores"
    put(far.sensors["temperature"], [400.0])
    put(boiler.sensors["temperature"], [400.0])
    db.session.commit()
    facts = read_facts([Boiler(far.asset), Boiler(boiler.asset)], NOW, MIDNIGHT, MIDNIGHT + HOUR)
    assert [str(each.quarters[0]) for each in facts] == ["2025-10-27 22:00:00-01:00", "2025-10-28 00:00:00+01:00"]
    assert [each.not_believed[0].split(": ")[0] for each in facts] == [
        "400 °C at 2025-10-27T22:00:00-01:00",
        "400 °C at 2025-10-28T00:00:00+01:00",
    ]


@pytest.mark.parametrize(("day", "quarters"), [("2025-10-26", 100), ("2025-03-30", 92)])
def test_a_day_on_which_the_clock_changes_has_its_own_quarters(boiler, day, quarters):
    day = pd.Timestamp(day).date()
    start, end = midnights(day, "Europe/Amsterdam")
    put(boiler.sensors["fill-rate"], np.arange(quarters) / 100, start)
    store(boiler.price, np.arange(quarters) / 1000, start)
    facts = facts_of(boiler, start, end)
    assert list(facts.quarters) == list(moments_of(day))
    assert facts.metered_kw == pytest.approx(np.arange(quarters) / 100)
    assert facts.price == pytest.approx(np.arange(quarters) / 1000)


# --- what facts answer


def test_a_span_of_facts_is_what_begins_in_it(boiler):
    facts = facts_of(boiler)
    minute = timedelta(minutes=1)
    assert facts.span(MIDNIGHT, MIDNIGHT + HOUR) == slice(0, 4)
    assert facts.span(MIDNIGHT + minute, MIDNIGHT + HOUR + minute) == slice(1, 5)
    assert facts.span(MIDNIGHT - HOUR, NOW) == slice(0, 8)
    assert facts.span(NOW, NOW + HOUR) == slice(8, 8)


def test_readings_are_those_of_quarters_that_are_over(boiler):
    put(boiler.sensors["temperature"], [50.0, 51.0, 52.0])
    facts = facts_of(boiler)
    assert list(facts.readings_c(MIDNIGHT + 2 * QUARTER)) == [50.0, 51.0]
    assert list(facts.readings_c(MIDNIGHT + 2 * QUARTER - timedelta(seconds=1))) == [50.0]
    assert list(facts.readings_c(MIDNIGHT).index) == []


@pytest.mark.parametrize("kind", ["gateway", "forecaster"])
def test_a_draw_off_that_no_tank_holds_is_not_believed_whoever_foresees_it(boiler, kind):
    """50 kWh in a quarter: watt-hours for kilowatt-hours. A tank of 80 l holds 7.9 kWh at 95 °C."""
    put(boiler.sensors["demand"], [50.0] * 8, at=MIDNIGHT - HOUR, kind=kind)
    facts = facts_of(boiler)
    assert np.isnan(facts.expected_kwh).all()
    assert np.isnan(facts.forecast_kwh).all()
    assert any("50 kWh" in told for told in facts.not_believed)
