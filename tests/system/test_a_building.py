"""A household with a boiler, a battery, a roof and a car: one trigger on the building, over HTTP and a worker."""

import time

import numpy as np
import pandas as pd
import pytest

from smart_boiler_plugin.demo.business import credentials
from smart_boiler_plugin.demo.http import Api, Login

PATH = "/smart-boiler-plugin/api/boiler-customer"
START = pd.Timestamp("2025-03-04T00:00:00+01:00")
MORNING = START + pd.Timedelta(hours=7)


@pytest.fixture(scope="module")
def boiler(operator_api):
    """Ids of a customer with a boiler."""
    new = {"name": "House", "user_name": "house", "user_email": "house@example.com"}
    return operator_api.post(PATH, new)


@pytest.fixture(scope="module")
def devices(stack, boiler, tmp_path_factory):
    """Ids of the building and of its devices' power sensors, made by an admin through the host's API."""
    known = credentials(stack)["admin"]
    api = Api(Login(stack.url, known["email"], known["password"]))
    file = tmp_path_factory.mktemp("prices") / "prices.csv"
    moments = pd.date_range(START, periods=96, freq="15min")
    spot = 100 - 60 * np.sin(np.arange(96) / 96 * 2 * np.pi)
    rows = [f"{moment.isoformat()},{price:.3f}" for moment, price in zip(moments, spot, strict=True)]
    file.write_text("\n".join(["start,EUR/MWh", *rows]))
    stack.shell.run("smart-boiler", "import-prices", str(file))
    day = f"{START:%Y-%m-%d}"
    stack.shell.run("smart-boiler", "update-prices", "--from-date", day, "--to-date", day)
    types = {kind["name"]: kind["id"] for kind in api.get("/api/v3_0/assets/types")}

    def asset(name, kind, **more):
        body = {"name": name, "generic_asset_type_id": types[kind], "account_id": boiler["account"], **more}
        return api.post("/api/v3_0/assets", body)["id"]

    def sensor(asset_id, name):
        body = {"name": name, "unit": "kW", "generic_asset_id": asset_id, "event_resolution": "PT15M"}
        body |= {"timezone": "Europe/Amsterdam", "attributes": '{"consumption_is_positive": true}'}
        return api.post("/api/v3_0/sensors", body)["id"]

    price = {"sensor": boiler["consumption_price"]}
    building = asset("Building", "building", attributes='{"custom-scheduler": "BoilerScheduler"}')
    roof = sensor(asset("Roof", "solar", parent_asset_id=building), "power")
    api.patch(
        f"/api/v3_0/assets/{building}",
        {
            "flex_context": (
                f'{{"consumption-price": {{"sensor": {price["sensor"]}}}, '
                f'"production-price": {{"sensor": {price["sensor"]}}}, '
                f'"site-power-capacity": "4 kW", "inflexible-device-sensors": [{roof}]}}'
            )
        },
    )
    api.patch(f"/api/v3_0/assets/{boiler['boiler']}", {"parent_asset_id": building})
    power = {
        "battery": sensor(asset("Battery", "battery", parent_asset_id=building), "power"),
        "car": sensor(asset("Car", "one-way_evse", parent_asset_id=building), "power"),
    }
    sun = np.where((np.arange(96) >= 40) & (np.arange(96) < 64), -2.0, 0.0)
    api.post(
        f"/api/v3_0/sensors/{roof}/data",
        {"start": START.isoformat(), "duration": "PT24H", "values": sun.tolist(), "unit": "kW"},
    )
    return {"building": building, "roof": roof, **power}


def test_one_trigger_on_the_building_plans_the_boiler_the_battery_and_the_car_around_the_roof(
    operator_api, boiler, devices
):
    body = {
        "start": START.isoformat(),
        "duration": "PT24H",
        "force-new-job-creation": True,
        "flex-model": [
            {"sensor": boiler["fill_rate"], "temperature-at-start": "12 °C", "temperature-min": "50 °C"},
            {
                "sensor": devices["battery"],
                "soc-at-start": "2 kWh",
                "soc-max": "5 kWh",
                "soc-min": "0 kWh",
                "power-capacity": "3 kW",
            },
            {
                "sensor": devices["car"],
                "soc-at-start": "5 kWh",
                "soc-max": "40 kWh",
                "soc-targets": [{"datetime": MORNING.isoformat(), "value": "15 kWh"}],
                "power-capacity": "7 kW",
                "production-capacity": "0 kW",
            },
        ],
    }
    job = operator_api.post(f"/api/v3_0/assets/{devices['building']}/schedules/trigger", body)["schedule"]
    operator_api.wait_for_schedule(boiler["fill_rate"], job, "PT24H")
    planned = {
        name: np.array(stored(operator_api, sensor))
        for name, sensor in (("boiler", boiler["fill_rate"]), *((name, devices[name]) for name in ("battery", "car")))
    }
    # 38 K are 3.5 kWh: the boiler heats at full power for ten quarters and more, whatever the others want
    np.testing.assert_allclose(planned["boiler"][:9], 1.5, atol=1e-4)
    # 10 kWh for the car by 07:00, beside the boiler within 4 kW
    assert 5 + planned["car"][:28].sum() / 4 == pytest.approx(15, abs=0.01)
    together = sum(planned.values())
    assert together[:40].max() <= 4 + 1e-3
    assert np.abs(planned["battery"]).max() > 0.5


def stored(api, sensor):
    """Return what is stored of the day on a sensor [kW], once it is there."""
    deadline = time.monotonic() + 60
    while True:
        answer = api.get(
            f"/api/v3_0/sensors/{sensor}/data", start=START.isoformat(), duration="PT24H", unit="kW", resolution="PT15M"
        )
        if None not in answer["values"] or time.monotonic() > deadline:
            return answer["values"]
        time.sleep(0.5)
