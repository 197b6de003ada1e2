"""A simulated household: a boiler under an ordinary thermostat, hot water drawn by a tapping profile, and its reports.

The boiler reports as a real one would: with flexmeasures-client, as the customer's own user.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from smart_boiler_plugin.clock.quarter import QUARTER, QUARTER_H
from smart_boiler_plugin.demo.http import Login
from smart_boiler_plugin.physics.tank import Tank, standing_loss_kwh_per_day
from smart_boiler_plugin.physics.tapping_profiles import TAPPING_PROFILES

EXPECTED = timedelta(hours=24)
POWER_KW = 1.5
HEAT_BELOW_C, HEAT_UNTIL_C = 55.0, 60.0


@dataclass
class History:
    """What happened per quarter of an hour: mean temperature [°C], power [kW], heat drawn [kWh].

    The heat drawn goes on for ``EXPECTED``: what the household expects to draw.
    """

    temperature_c: list[float] = field(default_factory=list)
    power_kw: list[float] = field(default_factory=list)
    demand_kwh: list[float] = field(default_factory=list)


def simulate(
    start: datetime, end: datetime, *, seed: int, set_points_c: Mapping[datetime, float] = MappingProxyType({})
) -> History:
    """Return what a household's boiler does from start to end under a thermostat (60 °C, heats below 55 °C).

    Parameters
    ----------
    start, end
        Local time, on quarters of an hour.
    seed
        Makes this household differ from others: it draws 0.7 to 1.3 times profile S of Regulation (EU) 814/2013.
    set_points_c
        By the start of quarters of an hour: up to where it heats then, in place of the thermostat [°C].

    """
    chance = random.Random(seed)  # noqa: S311 (no secret)
    tank = Tank(volume_l=80, standing_loss_kwh_per_day=standing_loss_kwh_per_day("C", 80))
    share = chance.uniform(0.7, 1.3)
    history = History()
    state = tank.state_of_charge_kwh(chance.uniform(HEAT_BELOW_C, HEAT_UNTIL_C))
    heating = False
    moment = start
    while moment < end:
        temperature = tank.temperature_c(state)
        set_point = set_points_c.get(moment)
        heating = heating or temperature < HEAT_BELOW_C if set_point is None else temperature < set_point
        until_c = HEAT_UNTIL_C if set_point is None else set_point
        demand = share * _profile_kwh(moment)
        missing = tank.state_of_charge_kwh(until_c) - tank.after(state, QUARTER_H, 0.0, demand)
        power = min(POWER_KW, max(0.0, missing) / QUARTER_H) if heating else 0.0
        heating = power == POWER_KW
        after = tank.after(state, QUARTER_H, power, demand)
        history.temperature_c.append(round(tank.temperature_c((state + after) / 2), 2))
        history.power_kw.append(round(power, 3))
        history.demand_kwh.append(round(demand, 3))
        state = after
        moment += QUARTER
    expected = [end + i * QUARTER for i in range(EXPECTED // QUARTER)]
    history.demand_kwh += [round(share * _profile_kwh(moment), 3) for moment in expected]
    return history


def _profile_kwh(moment: datetime) -> float:
    """Return the heat [kWh] that profile S draws in the quarter of an hour that begins at a moment."""
    return sum(
        heat
        for at, heat in TAPPING_PROFILES["S"].items()
        if (at.hour, at.minute // 15) == (moment.hour, moment.minute // 15)
    )


def report(login: Login, sensors: dict[str, int], start: datetime, history: History, *, fahrenheit: bool) -> None:
    """Send temperature, power and heat drawn, with flexmeasures-client.

    Parameters
    ----------
    login
        Of the customer's user.
    sensors
        Ids of the sensors, as the answer to taking on has them.
    start
        Of the first quarter.
    history
        What to send.
    fahrenheit
        Whether this boiler measures in °F.

    """
    temperatures = [round(t * 9 / 5 + 32, 2) for t in history.temperature_c] if fahrenheit else history.temperature_c
    series = [
        (sensors["temperature"], temperatures, "degF" if fahrenheit else "°C"),
        (sensors["fill_rate"], history.power_kw, "kW"),
        (sensors["demand"], history.demand_kwh, "kWh"),
    ]
    asyncio.run(_send(login, start, series))


async def _send(login: Login, start: datetime, series: list[tuple[int, list[float], str]]) -> None:
    from flexmeasures_client import FlexMeasuresClient  # noqa: PLC0415 (see embedded/__init__.py)

    host = login.url.partition("://")[2]
    client = FlexMeasuresClient(email=login.email, password=login.password, host=host, ssl=False)
    try:
        for sensor, values, unit in series:
            await client.post_sensor_data(
                sensor_id=sensor,
                start=start.isoformat(),
                duration=len(values) * QUARTER,
                values=values,
                unit=unit,
            )
    finally:
        await client.close()
