"""The six steps of a boiler business, each through the interface that a business uses for it."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.util import find_spec
from itertools import takewhile
from typing import Any
from urllib.parse import urlencode

import pandas as pd

from smart_boiler_plugin.clock.quarter import QUARTER, QUARTER_H
from smart_boiler_plugin.demo import household, show, yesterday
from smart_boiler_plugin.demo.business import credentials
from smart_boiler_plugin.demo.http import Api, Login, accept_invitation, invitation_link
from smart_boiler_plugin.demo.paths import Paths
from smart_boiler_plugin.demo.sample_prices import ORIGIN, write_sample_prices
from smart_boiler_plugin.embedded.processes import StackError
from smart_boiler_plugin.embedded.stack import Stack

TIMEZONE = "Europe/Amsterdam"
COUNTRY = "NL"
PLAN = timedelta(hours=24)
LOCAL_DAY = pd.DateOffset(days=1)

HOUSEHOLDS = [
    {"name": "Fam. de Boer", "user_name": "deboer", "user_email": "deboer@example.com"},
    {"name": "Fam. Jansen", "user_name": "jansen", "user_email": "jansen@example.com"},
    {"name": "The Smiths", "user_name": "smith", "user_email": "smith@example.com"},
]


@dataclass
class Household:
    """A customer of the demo: what was sent, what was answered, and what came of it."""

    body: dict[str, str]
    ids: dict[str, int] = field(default_factory=dict)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    plan_kw: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Name of the account."""
        return self.body["name"]


class Demo:
    """One run of the six steps on a stack whose business is open and whose server runs."""

    def __init__(self, stack: Stack, broker_port: int) -> None:
        self.stack = stack
        self.households = [Household(body) for body in HOUSEHOLDS]
        now = pd.Timestamp.now("UTC")
        today = now.tz_convert(TIMEZONE).normalize()
        self.days = [today + days * LOCAL_DAY for days in (-1, 0, 1)]
        self.yesterday, self.today, _ = self.days
        self.begin = self.yesterday - LOCAL_DAY
        self.measured_until = now.floor(QUARTER).tz_convert(TIMEZONE)
        self.plan_start = now.ceil(QUARTER).tz_convert(TIMEZONE)
        self.plan_duration = PLAN
        operator = credentials(stack)["operator"]
        self.operator = Api(Login(stack.url, operator["email"], operator["password"]))
        self.paths = Paths(stack, self.operator, broker_port)

    @property
    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """The steps in their order, each with its heading."""
        return [
            ("Take on customers: POST /smart-boiler-plugin/api/boiler-customer", self.take_on),
            ("Boilers report their temperature: flexmeasures-client, a gateway, MQTT", self.report_readings),
            ("Day-ahead prices come in", self.import_prices),
            ("Plan the heating: POST /api/v3_0/sensors/<fill rate>/schedules/trigger", self.plan),
            ("Look at it: the host's pages", self.look),
            ("Report the costs: flexmeasures add report", self.report_costs),
        ]

    def take_on(self) -> None:
        """Step 1: three customers, who then accept their invitations."""
        for customer in self.households:
            with show.timed(customer.name) as say:
                answer = self.operator.post("/smart-boiler-plugin/api/boiler-customer", customer.body)
                customer.ids = {name: value for name, value in answer.items() if name not in {"invitation", "status"}}
                say(", ".join(f"{name} {value}" for name, value in customer.ids.items()))
        with show.timed("All three choose a password, by the link in their mail") as say:
            for customer in self.households:
                link = invitation_link(self.stack.mailbox, customer.body["user_email"])
                accept_invitation(link, customer.password)
            say(str(self.stack.mailbox.folder))

    def _login(self, customer: Household) -> Login:
        return Login(self.stack.url, customer.body["user_email"], customer.password)

    def report_readings(self) -> None:
        """Step 2: each boiler sends what it measured on the day before yesterday, under its ordinary thermostat."""
        for seed, customer in enumerate(self.households):
            with show.timed(customer.name) as say:
                history = household.simulate(self.begin, self.yesterday, seed=seed)
                # nobody says beforehand what will be drawn
                del history.demand_kwh[len(history.power_kw) :]
                fahrenheit = self._report(customer, self.begin, history)
                last = history.temperature_c[-1]
                shown = f"{last * 9 / 5 + 32:.1f} °F, stored as {last:.1f} °C" if fahrenheit else f"{last:.1f} °C"
                say(f"{len(history.temperature_c)} readings of the day before yesterday, the last {shown}")

    def _report(self, customer: Household, start: datetime, history: household.History) -> bool:
        """Send what a boiler measured, by its gateway or as its customer; return whether it measures in °F."""
        if customer is self.households[1]:
            self.paths.report_by_gateway(customer.ids["account"], start, history)
            return False
        fahrenheit = customer is self.households[-1]
        household.report(self._login(customer), customer.ids, start, history, fahrenheit=fahrenheit)
        return fahrenheit

    def import_prices(self) -> None:
        """Step 3: from ENTSO-E where the plugin and a token are there, else the bundled ones."""
        if entsoe_settings():
            with show.timed(f"flexmeasures entsoe import-day-ahead-prices --country {COUNTRY}"):
                self.stack.shell.run(
                    *("entsoe", "import-day-ahead-prices", "--country", COUNTRY, "--timezone", TIMEZONE),
                    *("--from-date", f"{self.days[0]:%Y-%m-%d}"),
                )
            # it exits with 0 whatever happened: what came of it is in the data
            try:
                self._update_prices()
            except StackError as error:
                if self._some_price_is_known():
                    show.note(str(error))
                else:
                    show.note(f"ENTSO-E gave no prices: why is in {self.stack.folder / 'logs' / 'commands.log'}")
                    self._import_sample_prices()
        else:
            show.note("No ENTSO-E plugin with an ENTSOE_AUTH_TOKEN is here; the README tells how to add it.")
            self._import_sample_prices()

    def _some_price_is_known(self) -> bool:
        """Return whether there is a price to plan with, as it may be where a day is incomplete."""
        price = self.households[0].ids["consumption_price"]
        return any(value is not None for value in self._read(price, PLAN))

    def _import_sample_prices(self) -> None:
        file = self.stack.folder / "sample-prices.csv"
        with show.timed(f"flexmeasures smart-boiler import-prices {file.name}") as say:
            count = write_sample_prices(file, self.days[0], self.days[-1] + LOCAL_DAY)
            self.stack.shell.run("smart-boiler", "import-prices", "--country", COUNTRY, str(file))
            say(f"{count} quarters")
        show.note(f"These are real prices of another day ({ORIGIN}), moved to yesterday, today and tomorrow.")
        self._update_prices()

    def _update_prices(self) -> None:
        with show.timed("flexmeasures smart-boiler update-prices"):
            output = self.stack.shell.run(
                *("smart-boiler", "update-prices", "--country", COUNTRY),
                *("--from-date", f"{self.days[0]:%Y-%m-%d}", "--to-date", f"{self.days[-1]:%Y-%m-%d}"),
            )
        for line in output.splitlines()[1:]:
            show.note(line)

    def plan(self) -> None:
        """Step 4: yesterday, had it been planned; then a plan for each boiler, as far as prices are known."""
        self._live_yesterday()
        first = self.households[0]
        read = self._read(first.ids["consumption_price"], PLAN)
        price = [value for value in takewhile(lambda value: value is not None, read) if value is not None]
        if not price:
            raise StackError("No price is known from now on. The prices of step 3 end too early.")
        self.plan_duration = len(price) * QUARTER
        duration = pd.Timedelta(self.plan_duration).isoformat()
        trigger = {"start": self.plan_start.isoformat(), "duration": duration, "force-new-job-creation": True}
        what = f"{len(self.households)} plans from {self.plan_start:%H:%M} on, for {len(price) * QUARTER_H:g} hours"
        with show.progress(what, len(self.households)) as step:
            jobs = [self.operator.trigger_schedule(c.ids["fill_rate"], trigger) for c in self.households]
            for customer, job in zip(self.households, jobs, strict=True):
                customer.plan_kw = self.operator.wait_for_schedule(customer.ids["fill_rate"], job, duration)["values"]
                step(1)
        moments = pd.date_range(self.plan_start, periods=len(price), freq=QUARTER)
        show.picture("Consumption price", moments, price, "EUR/kWh")
        set_points = [value for value in self._read(first.ids["set_point"], PLAN)[: len(price)] if value is not None]
        show.picture(f"Set-points of {first.name}", moments[: len(set_points)], set_points, "°C")
        show.picture(f"Fill rate that is expected of {first.name}", moments, first.plan_kw, "kW")
        self._plan_all()
        _, by_gateway, by_mqtt = self.households
        with show.timed(f"{by_gateway.name}'s gateway asks") as say:
            say(self.paths.asked_by_gateway(by_gateway.ids["account"], TIMEZONE))
        with show.timed(f"{by_mqtt.name}'s board is told") as say:
            say(self.paths.told_by_mqtt())

    def _live_yesterday(self) -> None:
        """Plan from yesterday on; each boiler follows, and reports what it measured until now."""
        what = f"Yesterday, had it been planned: {len(self.households)} boilers follow set-points"
        with show.progress(what, len(self.households)) as step:
            for seed, customer in enumerate(self.households):
                planned = yesterday.set_points(self.operator, customer.ids, self.yesterday, self.measured_until)
                history = yesterday.lived(self.begin, self.yesterday, self.measured_until, planned, seed)
                self._report(customer, self.yesterday, history)
                step(1)
        show.note(yesterday.LABEL)
        with show.timed(f"{customer.name}, from now on by MQTT") as say:
            say(self.paths.say_by_mqtt(customer.ids["account"], history.temperature_c[-1]))

    def _plan_all(self) -> None:
        """Let workers plan all to the end of the known prices, as a cron line does each quarter of an hour."""
        self._run_and_show("plan", "--wait")

    def look(self) -> None:
        """Step 5: the page of each boiler, and what a customer may see."""
        for customer in self.households:
            with show.timed(customer.name) as say:
                # left to itself, the host's page opens on the two days before the last one that has data
                span = urlencode(
                    {"start_time": self.today.isoformat(), "end_time": (self.days[-1] + LOCAL_DAY).isoformat()}
                )
                page = f"/assets/{customer.ids['boiler']}/graphs?{span}"
                self.operator.open_page(page)
                self.operator.get(f"/api/v3_0/assets/{customer.ids['boiler']}/chart")
                say(f"{self.stack.url}{page}")
        first = self.households[0]
        with show.timed(f"{first.name} logs in and sees") as say:
            seen = [asset["name"] for asset in Api(self._login(first)).get("/api/v3_0/assets")]
            if seen != [f"Boiler {first.name}"]:
                raise StackError(f"{first.name} should see one boiler, but sees: {seen}")
            say(", ".join(seen))

    def report_costs(self) -> None:
        """Step 6: costs of yesterday (as metered) and of the plan, by the host's ProfitOrLossReporter; and savings."""
        for customer in self.households:
            with show.timed(customer.name) as say:
                folder = self.stack.folder / "reports"
                folder.mkdir(exist_ok=True)
                config, parameters = folder / "reporter-costs-config.json", folder / "costs-parameters.json"
                price = customer.ids["consumption_price"]
                config.write_text(json.dumps({"consumption_price_sensor": price, "loss_is_positive": True}))
                fill_rate, cost = customer.ids["fill_rate"], customer.ids["cost"]
                parameters.write_text(json.dumps({"input": [{"sensor": fill_rate}], "output": [{"sensor": cost}]}))
                report = ("add", "report", "--reporter", "ProfitOrLossReporter")
                files = ("--config", str(config), "--parameters", str(parameters))
                self.stack.shell.run(*report, *files, "--start-offset", "DB,-1D", "--end-offset", "DB")
                plan_end = self.plan_start + self.plan_duration
                self.stack.shell.run(
                    *report, *files, "--start", self.plan_start.isoformat(), "--end", plan_end.isoformat()
                )
                say(f"costs of yesterday and of the plan are on sensor {cost}")
        with show.timed("flexmeasures smart-boiler report"):
            said = self.stack.shell.run("smart-boiler", "report", "--date", f"{self.yesterday:%Y-%m-%d}")
        for line in said.splitlines():
            show.note(line)
        show.heading("The fleet at one look")
        self._run_and_show("status")
        show.heading("What came of it")
        show.table(
            [self._result(customer) for customer in self.households],
            [
                *("customer", "cost yesterday [EUR]", "saved yesterday [EUR]"),
                *("heat planned [kWh]", "planned cost [EUR]", "next heating"),
            ],
        )
        show.note(f"Yesterday is simulated{'' if entsoe_settings() else ', at real prices of another day'}.")

    def _run_and_show(self, *words: str) -> None:
        """Run a command of the plugin, and show what it prints."""
        with show.timed(f"flexmeasures smart-boiler {' '.join(words)}"):
            said = self.stack.shell.run("smart-boiler", *words)
        for line in said.splitlines():
            show.note(line)

    def _result(self, customer: Household) -> list[Any]:
        cost = customer.ids["cost"]
        heating = [i for i, power in enumerate(customer.plan_kw) if power > 0]
        next_heating = self.plan_start + heating[0] * QUARTER if heating else None
        return [
            customer.name,
            self._sum(cost, self.yesterday, self.today - self.yesterday),
            self._sum(customer.ids["daily_savings"], self.yesterday, self.today - self.yesterday),
            sum(customer.plan_kw) * QUARTER_H,
            self._sum(cost, self.plan_start, self.plan_duration),
            f"{next_heating:%a %H:%M}" if next_heating is not None else "none",
        ]

    def _sum(self, sensor: int, start: datetime, duration: timedelta) -> float:
        """Return the sum of what a sensor has in a span."""
        return sum(value for value in self._read(sensor, duration, start) if value is not None)

    def _read(self, sensor: int, duration: timedelta, start: datetime | None = None) -> list[float | None]:
        """Return what a sensor has per step of a span (by default, from the start of the plan), by the host's API."""
        start = start or self.plan_start
        answer = self.operator.get(
            f"/api/v3_0/sensors/{sensor}/data",
            start=start.isoformat(),
            duration=pd.Timedelta(duration).isoformat(),
            unit=self.operator.get(f"/api/v3_0/sensors/{sensor}")["unit"],
        )
        return list(answer["values"])


def entsoe_settings() -> dict[str, Any]:
    """Return the settings with which the ENTSO-E plugin works, or none where it is not installed or has no token."""
    token = os.environ.get("ENTSOE_AUTH_TOKEN")
    if not token or find_spec("flexmeasures_entsoe") is None:
        return {}
    return {"FLEXMEASURES_PLUGINS": ["smart_boiler_plugin", "flexmeasures_entsoe"], "ENTSOE_AUTH_TOKEN": token}
