"""A plan for every physical state, checked by the tank's own physics, step by step.

15 states twice in ``make test``, 1,000 in ``make test-long``: by set-points that are followed, and by powers.
"""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from smart_boiler_plugin.boiler.data import BoilerData
from smart_boiler_plugin.learning.learn import quarter_of_day, usual
from smart_boiler_plugin.learning.side_by_side import boilers_of
from smart_boiler_plugin.physics.following import need
from tests.host.boilers import QUARTER, change_data, make_household, scheduler_of

FIRST_DAY = pd.Timestamp("2025-01-01", tz="Europe/Amsterdam")
QUARTERS = 96
GRID_K = 0.6
"""A state of the programme's grid: what a set-point may be off [K]."""

TOLERANCE_K = 0.02
"""What rounding the plan to 1 mW and the solver's own tolerance come to in the smallest tank [K]."""


def any_boiler(chance):
    lowest = chance.uniform(35, 60)
    return BoilerData(
        volume_l=float(np.exp(chance.uniform(np.log(10), np.log(1000)))),
        power_kw=round(float(chance.uniform(0.5, 6)), 2),
        temperature_min_c=float(lowest),
        temperature_max_c=float(chance.uniform(lowest + 3, 85)),
        ambient_c=float(chance.uniform(5, 30)),
        energy_class=str(chance.choice(list("ABCD"))),
        cop=round(float(chance.choice([1.0, 1.0, chance.uniform(1, 5)])), 2),
        tapping_profile=str(chance.choice(["S", "M"])),
    )


def any_comfort(chance, day):
    comfort = {}

    def clock():
        return f"{chance.integers(24):02d}:{15 * chance.integers(4):02d}"

    if chance.random() < 0.5:
        comfort["programme"] = [
            {"days": "daily", "from": clock(), "until": clock(), "temperature": f"{chance.uniform(40, 80):.1f} °C"}
            for _ in range(chance.integers(1, 4))
        ]
    if chance.random() < 0.3:
        begin = day + timedelta(hours=float(chance.integers(-24, 20)))
        comfort["away"] = {"from": begin.isoformat(), "until": (begin + timedelta(hours=30)).isoformat()}
    if chance.random() < 0.3:
        comfort["boost"] = {"until": (day + timedelta(hours=float(chance.integers(0, 6)))).isoformat()}
    return comfort


def any_prices(chance):
    """Prices of a day [EUR/kWh]: all there, negative ones, gaps, none at all."""
    prices = chance.uniform(-0.3, 0.3) + 0.2 * np.sin(np.arange(QUARTERS) / 8 + chance.uniform(0, 6))
    kind = chance.integers(4)
    if kind == 1:
        prices[chance.random(QUARTERS) < 0.3] = np.nan
    elif kind == 2:
        prices[int(chance.integers(1, QUARTERS)) :] = np.nan
    elif kind == 3:
        prices[:] = np.nan
    return prices


def any_demand(chance, boiler):
    """Heat drawn per quarter [kWh], up to twice what the element gives; nothing known in a third of the cases."""
    if chance.random() < 0.3:
        return np.full(QUARTERS, np.nan)
    most = 2 * boiler.power_kw * boiler.cop / 4
    return np.where(chance.random(QUARTERS) < chance.uniform(0, 1), chance.uniform(0, most, QUARTERS), 0.0)


def run(tank, boiler, start_c, heat_kw, drawn_kwh):
    """Return the temperatures [°C] after each quarter; what is not there cannot be drawn."""
    state, out = tank.state_of_charge_kwh(start_c), []
    for kw, drawn in zip(heat_kw, drawn_kwh, strict=True):
        after = tank.after(state, 0.25, kw, drawn)
        state = max(after, min(0.0, tank.after(state, 0.25, kw, 0.0)))
        out.append(tank.temperature_c(state))
    return np.array(out)


def followed_kw(data, set_points_c, start_c, drawn_kwh):
    """Return the powers [kW] of a boiler that follows set-points, from what is then so warm, whatever is drawn."""
    boilers, tank = boilers_of([data]), data.tank
    state, out = tank.state_of_charge_kwh(np.array([start_c])), []
    for wish, drawn in zip(tank.state_of_charge_kwh(set_points_c), drawn_kwh, strict=True):
        out.append(float(need(boilers, state, np.array([wish]))[0]) * data.power_kw)
        after = boilers.idle_kwh(state) + boilers.heat_kwh(np.array([out[-1] / 4])) - drawn * boilers.late
        state = np.maximum(after, 0.0)
    return np.array(out)


def warmest(tank, boiler, start_c, drawn_kwh):
    """Return the temperatures [°C] of a tank that is heated as much as its power and its ceiling allow."""
    state, out = tank.state_of_charge_kwh(start_c), []
    full = tank.state_of_charge_kwh(boiler.temperature_max_c)
    for drawn in drawn_kwh:
        most_kw = boiler.power_kw * boiler.cop
        idle, most = (tank.after(state, 0.25, kw, drawn) for kw in (0.0, most_kw))
        undrawn = tank.after(state, 0.25, most_kw, 0.0)
        state = max(idle, min(most, full), min(0.0, undrawn))
        out.append(tank.temperature_c(state))
    return np.array(out)


def usual_kwh(boiler, moments):
    """Heat that is drawn on average in each quarter, where nothing is known but the tapping profile."""
    draw_offs = usual([boiler.tapping_profile])
    return (draw_offs.sizes_kwh * draw_offs.probabilities).sum(axis=2)[quarter_of_day(moments), 0]


@pytest.mark.parametrize("told", ["set-points", "powers"])
@pytest.mark.parametrize("cases", [pytest.param(15, id="15"), pytest.param(1000, id="1000", marks=pytest.mark.long)])
def test_every_state_gets_a_plan_that_keeps_ceiling_and_floor(app, cases, told):
    with app.app_context():
        made, price = make_household()
        chances = [np.random.default_rng(case) for case in range(cases)]
        days = [FIRST_DAY + pd.DateOffset(days=2 * case) for case in range(cases)]
        boilers = [any_boiler(chance) for chance in chances]
        # readings that this tank can have: others are not believed
        starts_c = [
            float(np.clip(chance.uniform(5, 95), 10, boiler.temperature_max_c + 19))
            for chance, boiler in zip(chances, boilers, strict=True)
        ]
        demands = [any_demand(chance, boiler) for chance, boiler in zip(chances, boilers, strict=True)]
        all_prices = [any_prices(chance) for chance in chances]
        for sensor, values in (
            (price, all_prices),
            (made.sensors["demand"], demands),
            (made.sensors["temperature"], [[c] for c in starts_c]),
        ):
            offset = QUARTER if sensor.name == "temperature" else timedelta(0)
            series = pd.concat(
                [
                    pd.Series(list(v), index=pd.date_range(day - offset, periods=len(v), freq=QUARTER))
                    for v, day in zip(values, days, strict=True)
                ]
            ).dropna()
            store_series(sensor, series)
        for case, (chance, day, data) in enumerate(zip(chances, days, boilers, strict=True)):
            boiler = change_data(made, data, any_comfort(chance, day))
            # a trigger that says what the element can do is told powers
            how = {"power_capacity": f"{data.power_kw} kW"} if told == "powers" else {}
            scheduler = scheduler_of(boiler, start=day, **how)
            results = {result["name"]: result["data"] for result in scheduler.compute()}
            plan = [results[name].to_numpy() if name in results else None for name in ("storage_schedule", "set_point")]
            check(case, boiler, scheduler, plan, day, starts_c[case], demands[case], all_prices[case])


def store_series(sensor, series):
    """Store values as measured, each known when it began."""
    import timely_beliefs as tb  # noqa: PLC0415
    from flexmeasures import Source  # noqa: PLC0415
    from flexmeasures.data import db  # noqa: PLC0415
    from flexmeasures.data.utils import save_to_db  # noqa: PLC0415

    source = db.session.query(Source).filter_by(name="test").one_or_none() or Source(name="test", type="market")
    db.session.add(source)
    known = series.index[0] - timedelta(days=1)
    save_to_db(tb.BeliefsDataFrame(series.rename("event_value"), sensor=sensor, source=source, belief_time=known))
    db.session.commit()


def check(case, boiler, scheduler, plan, day, start_c, demand_kwh, prices):
    data, tank, (power_kw, set_points_c) = boiler.data, boiler.data.tank, plan
    moments = pd.date_range(day, periods=QUARTERS, freq=QUARTER)
    assert len(power_kw) == QUARTERS, case
    assert not np.isnan(power_kw).any(), case
    assert power_kw.min() >= -1e-6, case
    assert power_kw.max() <= data.power_kw + 1e-6, case
    drawn = np.where(np.isnan(demand_kwh), usual_kwh(data, moments), demand_kwh)
    if away := boiler.comfort.away:
        # nobody draws, whatever was expected
        drawn[(moments >= away.begin) & (moments < away.until)] = 0.0
    said = scheduler.info
    by_set_points = said["plan"] == "set-points"
    if by_set_points:
        power_kw = followed_kw(data, set_points_c, start_c, drawn)
    is_c = run(tank, data, start_c, power_kw * data.cop, drawn)

    idle_c = run(tank, data, start_c, np.zeros(QUARTERS), drawn)
    assert (is_c <= np.maximum(data.temperature_max_c, idle_c) + TOLERANCE_K).all(), case

    wished_c = boiler.comfort.lowest_allowed_c(
        moments + QUARTER, temperature_min_c=data.temperature_min_c, temperature_max_c=data.temperature_max_c
    )
    if by_set_points:
        # no set-point is above the ceiling: what is drawn within a quarter is heated again in the next one
        hottest = np.full(QUARTERS, data.temperature_max_c)
        warmest_c = run(tank, data, start_c, followed_kw(data, hottest, start_c, drawn) * data.cop, drawn)
    else:
        warmest_c = warmest(tank, data, start_c, drawn)
    possible_c = np.minimum(wished_c, warmest_c)
    tolerance_k = GRID_K if by_set_points else TOLERANCE_K
    assert (is_c >= possible_c - tolerance_k).all(), (case, (possible_c - is_c).max())

    known = ~np.isnan(prices)
    assert said["plan"].startswith(("cheapest", "set-points") if known.any() else "thermostat"), case
    assumed = sum(span["minutes"] for span in said["assumed_prices"]) / 15
    assert assumed == ((~known).sum() if known.any() else 0), case
    if by_set_points:
        return
    missed = wished_c > is_c + 2 * TOLERANCE_K
    assert sum(span["minutes"] for span in said["floors_not_met"]) / 15 >= missed.sum(), case
