"""The six steps with the literal bodies, in their order: each test stands on the ones before it."""

import asyncio
import json
from datetime import timedelta

import httpx
import numpy as np
import pandas as pd
import pytest
from flexmeasures_client import FlexMeasuresClient

from smart_boiler_plugin.demo.http import Api, Login, accept_invitation, invitation_link
from tests.oracle import lowest_cost

TIMEZONE = "Europe/Amsterdam"
PATH = "/smart-boiler-plugin/api/boiler-customer"
CLIENT_1 = {"name": "Client 1", "user_name": "client1", "user_email": "client1@example.com"}
CLIENT_2 = {"name": "Client 2", "user_name": "client2", "user_email": "client2@example.com"}
PLAN_DAY = pd.Timestamp("2024-02-04T00:00:00+01:00")
YESTERDAY = pd.Timestamp.now(TIMEZONE).normalize() - pd.DateOffset(days=1)


@pytest.fixture(scope="module")
def client_1(operator_api):
    """Ids of a first customer."""
    return operator_api.post(PATH, CLIENT_1)


@pytest.fixture(scope="module")
def client_2(operator_api):
    """Ids of a second customer of the same operator."""
    return operator_api.post(PATH, CLIENT_2)


@pytest.fixture(scope="module")
def users(stack, client_1, client_2):
    """Logins of the two customers, who chose a password by the link in their invitation."""
    for body in (CLIENT_1, CLIENT_2):
        accept_invitation(invitation_link(stack.mailbox, body["user_email"]), "a password of my own")
    return [Login(stack.url, body["user_email"], "a password of my own") for body in (CLIENT_1, CLIENT_2)]


@pytest.fixture(scope="module")
def prices(stack, tmp_path_factory, client_1):
    """Consumption prices [EUR/kWh] of the day that is planned and of yesterday: a cosine, and no two alike."""
    folder = tmp_path_factory.mktemp("prices")
    for day in (PLAN_DAY.tz_convert(TIMEZONE), YESTERDAY):
        moments = pd.date_range(day, day + pd.DateOffset(days=1), freq="15min", inclusive="left")
        spot = spot_prices(len(moments))
        file = folder / f"{day:%Y-%m-%d}.csv"
        rows = [f"{moment.isoformat()},{price:.6f}" for moment, price in zip(moments, spot, strict=True)]
        file.write_text("\n".join(["start,EUR/MWh", *rows]))
        stack.shell.run("smart-boiler", "import-prices", str(file))
        stack.shell.run(
            "smart-boiler", "update-prices", "--from-date", f"{day:%Y-%m-%d}", "--to-date", f"{day:%Y-%m-%d}"
        )


def spot_prices(quarters):
    """Return spot prices [EUR/MWh] of a day: expensive at midnight, cheap at noon."""
    quarter = np.arange(quarters)
    return np.round(80 + 50 * np.cos(2 * np.pi * quarter / quarters) + 0.01 * quarter, 6)


def data(api, sensor, start, hours, unit):
    """Return what a sensor has from a moment on, by the host's API."""
    return api.get(f"/api/v3_0/sensors/{sensor}/data", start=start.isoformat(), duration=f"PT{hours}H", unit=unit)[
        "values"
    ]


def test_step_1_the_invitation_lets_the_customer_choose_a_password(stack, client_1, users):
    assert client_1["invitation"] == "due"
    assert Api(users[0]).get(f"/api/v3_0/users/{client_1['user']}")["email"] == "client1@example.com"


def test_step_1_a_link_works_once(stack, users):
    answer = httpx.get(invitation_link(stack.mailbox, "client1@example.com"), timeout=30)
    assert answer.status_code == 302
    assert "/reset/" not in answer.headers["Location"]


def test_step_2_a_reading_in_fahrenheit_is_stored_in_celsius(users, client_1, operator_api):
    start = pd.Timestamp.now("UTC").floor("15min") - timedelta(hours=1)

    async def report():
        client = FlexMeasuresClient(
            email=users[0].email, password=users[0].password, host=users[0].url.partition("://")[2], ssl=False
        )
        await client.post_measurements(
            sensor_id=client_1["temperature"], start=start.isoformat(), duration="PT15M", values=[152.6], unit="degF"
        )
        await client.close()

    with pytest.warns(DeprecationWarning, match="post_sensor_data"):
        asyncio.run(report())
    stored = data(operator_api, client_1["temperature"], start, 1, "°C")
    assert stored[0] == pytest.approx(67.0)


def test_step_3_prices_are_there_in_eur_per_kwh(operator_api, client_1, prices):
    stored = data(operator_api, client_1["consumption_price"], PLAN_DAY, 24, "EUR/kWh")
    np.testing.assert_allclose(stored, spot_prices(96) / 1000, atol=1e-9)


def test_step_4_the_literal_trigger_gives_the_cheapest_plan(operator_api, client_1, prices):
    price = client_1["consumption_price"]
    body = {
        "start": "2024-02-04T00:00:00+01:00",
        "duration": "P1D",
        "flex-model": {
            "soc-at-start": 3.75,
            "soc-unit": "kWh",
            "soc-min": 3.7,
            "soc-max": 5.1,
            "soc-targets": [{"datetime": "2024-02-04T07:00:00+01:00", "value": 4.8}],
            "consumption-capacity": "1.5kW",
            "production-capacity": "0kW",
            "storage-efficiency": "99.95%",
        },
        "flex-context": {"consumption-price-sensor": price, "production-price-sensor": price},
    }
    job = operator_api.trigger_schedule(client_1["fill_rate"], body)
    schedule = operator_api.wait_for_schedule(client_1["fill_rate"], job, "P1D")
    fill_rate = np.array(schedule["values"])
    assert schedule["unit"] == "kW"
    assert len(fill_rate) == 96
    assert fill_rate.min() >= 0
    assert fill_rate.max() <= 1.5
    lowest, highest = np.full(96, 3.7), np.full(96, 5.1)
    lowest[27] = highest[27] = 4.8  # at 07:00, the end of the 28th quarter
    expected = lowest_cost(
        spot_prices(96) / 1000, 3.75, lowest=lowest, highest=highest, power_kw=1.5, efficiency=0.9995
    )
    assert spot_prices(96) / 1000 @ fill_rate / 4 == pytest.approx(expected, rel=1e-5)


def test_step_4_a_start_and_a_duration_suffice(operator_api, client_1, prices):
    job = operator_api.trigger_schedule(
        client_1["fill_rate"], {"start": "2024-02-04T00:00:00+01:00", "duration": "P1D"}
    )
    schedule = operator_api.wait_for_schedule(client_1["fill_rate"], job, "P1D")
    fill_rate, said = np.array(schedule["values"]), schedule["scheduler_info"]
    assert (said["plan"], said["draw_offs"]["steps_expected"]) == ("set-points", 96)
    assert spot_prices(96) / 1000 @ fill_rate / 4 == pytest.approx(said["expected_cost"], rel=1e-3)
    assert float(said["expected_unserved"].split()[0]) < 0.1
    assert len(fill_rate) == 96
    assert 0 <= fill_rate.min() <= fill_rate.max() <= 1.5
    set_points = data(operator_api, client_1["set_point"], PLAN_DAY, 24, "°C")
    assert len(set_points) == 96
    assert 10 <= min(set_points) <= max(set_points) <= 65


def test_step_4_a_tank_that_has_gone_cold_gets_heat_now(operator_api, client_2, users, prices):
    Api(users[1]).post(
        f"/api/v3_0/sensors/{client_2['temperature']}/data",
        {"start": "2024-02-03T23:45:00+01:00", "duration": "PT15M", "values": [30], "unit": "°C"},
    )
    job = operator_api.trigger_schedule(
        client_2["fill_rate"],
        {
            "start": "2024-02-04T00:00:00+01:00",
            "duration": "P1D",
            "flex-model": {"temperature-min": "50 °C"},
        },
    )
    schedule = operator_api.wait_for_schedule(client_2["fill_rate"], job, "P1D")
    values = schedule["values"]
    # 20 K below the floor, 1.85 kWh: just under five quarters at 1.5 kW, though midnight is the dearest time
    assert values[:4] == pytest.approx([1.5] * 4, abs=1e-3)
    assert sum(values[:5]) / 4 == pytest.approx(1.854, rel=0.03)
    # and the answer says why
    said = schedule["scheduler_info"]
    assert said["start"]["temperature"] == "30.00 °C"
    assert said["start"]["measured_at"] == "2024-02-03T23:45:00+01:00"
    assert said["floors_not_met"][0]["from"] == "2024-02-04T00:00:00+01:00"
    assert said["hygiene"]["added"] is False
    # the planned temperature is stored, with the scheduler as its source
    stored = data(operator_api, client_2["temperature"], PLAN_DAY, 24, "°C")
    assert stored[0] == pytest.approx(32, abs=0.5)
    assert stored[8] == pytest.approx(50, abs=0.5)


def test_step_5_the_chart_can_be_embedded(operator_api, client_1):
    chart = operator_api.get(f"/api/v3_0/assets/{client_1['boiler']}/chart")
    titles = [title for title in ("Price", "Fill rate", "Demand", "Temperature") if f'"{title}"' in json.dumps(chart)]
    assert titles == ["Price", "Fill rate", "Demand", "Temperature"]
    assert len(chart["vconcat"]) == 4


def test_step_5_the_page_shows_price_fill_rate_demand_and_temperature(stack, operator, client_1):
    page = browser(operator).get(f"{stack.url}/assets/{client_1['boiler']}/graphs", timeout=30)
    assert page.status_code == 200
    assert "Boiler Client 1" in page.text
    assert "smart_boiler_plugin (v" in page.text


def test_step_5_a_customer_sees_their_boiler_and_the_price_and_nobody_elses(stack, users, client_1, client_2):
    api = Api(users[0])
    assert [asset["id"] for asset in api.get("/api/v3_0/assets")] == [client_1["boiler"]]
    assert api.get(f"/api/v3_0/sensors/{client_1['consumption_price']}")["unit"] == "EUR/kWh"
    session = browser(users[0])
    assert session.get(f"{stack.url}/assets/{client_1['boiler']}/graphs", timeout=30).status_code == 200
    for other in (
        f"/api/v3_0/assets/{client_2['boiler']}",
        f"/api/v3_0/sensors/{client_2['temperature']}/data?start=2024-02-04T00:00:00Z&duration=PT1H&unit=degC",
        f"/api/v3_0/accounts/{client_2['account']}",
        f"/api/v3_0/users/{client_2['user']}",
        f"/assets/{client_2['boiler']}/graphs",
    ):
        assert session.get(stack.url + other, timeout=30).status_code == 403, other


def browser(login):
    """Return a session that has logged in by the form."""
    session = httpx.Client(follow_redirects=True, timeout=30)
    form = session.get(f"{login.url}/login", timeout=30).text
    csrf_token = form.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
    credentials = {"email": login.email, "password": login.password, "csrf_token": csrf_token}
    assert session.post(f"{login.url}/login", data=credentials, timeout=30).status_code == 200
    return session


def test_step_6_the_literal_report_fills_the_cost_sensor_with_the_right_sum(
    stack, operator_api, users, client_1, prices, tmp_path
):
    quarters = len(pd.date_range(YESTERDAY, YESTERDAY + pd.DateOffset(days=1), freq="15min", inclusive="left"))
    # 1.5 kW in the first hour, 0.6 kW in the quarter at noon
    power = [1.5] * 4 + [0.0] * 44 + [0.6] + [0.0] * (quarters - 49)
    Api(users[0]).post(
        f"/api/v3_0/sensors/{client_1['fill_rate']}/data",
        {
            "start": YESTERDAY.isoformat(),
            "duration": f"PT{quarters * 15}M",
            "values": power,
            "unit": "kW",
        },
    )
    config, parameters = tmp_path / "reporter-costs-config.json", tmp_path / "costs-parameters.json"
    config.write_text(json.dumps({"consumption_price_sensor": client_1["consumption_price"], "loss_is_positive": True}))
    parameters.write_text(
        json.dumps({"input": [{"sensor": client_1["fill_rate"]}], "output": [{"sensor": client_1["cost"]}]})
    )
    command = (
        "add report --reporter ProfitOrLossReporter "
        f"--config {config} --parameters {parameters} --start-offset DB,-1D --end-offset DB"
    )
    stack.shell.run(*command.split())
    costs = data(operator_api, client_1["cost"], YESTERDAY, quarters // 4, "EUR")
    # by hand: 0.375 kWh a quarter at 130, 129.90, 129.59 and 129.07 EUR/MWh, then 0.15 kWh at 30.48 EUR/MWh
    spot = spot_prices(quarters)
    expected = 0.375 * sum(spot[:4]) / 1000 + 0.15 * spot[48] / 1000
    assert sum(costs) == pytest.approx(expected, abs=1e-6)
    if quarters == 96:
        assert sum(costs) == pytest.approx(0.375 * 0.51856 + 0.15 * 0.03048, abs=2e-4)
    # once more changes nothing
    stack.shell.run(*command.split())
    assert sum(data(operator_api, client_1["cost"], YESTERDAY, quarters // 4, "EUR")) == pytest.approx(expected)


def test_a_household_that_has_logged_in_cannot_delete_its_neighbour_or_leave_its_operator(
    stack, users, client_1, client_2
):
    """Over the network, as a browser and as a program would."""
    who = {"email": users[0].email, "password": users[0].password}
    token = httpx.post(f"{stack.url}/api/requestAuthToken", json=who).json()["auth_token"]
    with httpx.Client(base_url=stack.url, headers={"Authorization": token}, timeout=60) as household:
        answers = [
            household.get(f"/assets/delete_with_data/{client_2['boiler']}"),
            household.get(f"/sensors/{client_2['temperature']}"),
            household.patch(f"/api/v3_0/accounts/{client_1['account']}", json={"account_roles": []}),
            household.patch(f"/api/v3_0/assets/{client_1['boiler']}", json={"name": "</script>"}),
            household.get(f"{PATH}/{client_2['account']}"),
            household.get(f"{PATH}/{client_1['account']}"),
        ]
    assert [answer.status_code for answer in answers] == [404, 404, 403, 403, 404, 200]
