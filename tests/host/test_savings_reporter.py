"""BoilerSavingsReporter as the host calls it, and prices in another currency than the sensors of costs."""

import json
from datetime import timedelta

import pandas as pd
import pytest
from flexmeasures import Asset, Sensor
from flexmeasures.data import db
from flexmeasures.data.models.time_series import TimedBelief

from smart_boiler_plugin.boiler.asset import Boiler
from smart_boiler_plugin.errors import SmartBoilerError
from smart_boiler_plugin.money.reporter import BoilerSavingsReporter
from tests.factories import store
from tests.host.days import DAY, MIDNIGHT, prices, stored

YESTERDAY = ("--date", DAY)


def test_the_host_finds_the_savings_reporter_by_name(app, flexmeasures, fleet, tmp_path):
    with app.app_context():
        boiler = Boiler(db.session.get(Asset, fleet["B"]))
        fill_rate, savings = (boiler.sensors[role].id for role in ("fill-rate", "daily savings"))
    parameters = tmp_path / "parameters.json"
    parameters.write_text(json.dumps({"input": [{"sensor": fill_rate}], "output": [{"sensor": savings}]}))
    result = flexmeasures(
        *("add", "report", "--reporter", "BoilerSavingsReporter", "--parameters", parameters),
        *("--start", MIDNIGHT.isoformat(), "--end", (MIDNIGHT + timedelta(days=1)).isoformat()),
    )
    assert result.exit_code == 0, result.output
    with app.app_context():
        (by_host,) = stored(fleet["B"], "daily savings")
        db.session.query(TimedBelief).filter_by(sensor_id=savings).delete()
        db.session.commit()
    flexmeasures("smart-boiler", "report", *YESTERDAY)
    with app.app_context():
        assert stored(fleet["B"], "daily savings").tolist() == pytest.approx([by_host])
        assert by_host != 0


@pytest.fixture
def in_pounds(app, fleet):
    """Ids of the sensors of boiler B by role, whose price is now in another currency than they are."""
    with app.app_context():
        boiler = Boiler(db.session.get(Asset, fleet["B"]))
        price = Sensor(
            "price", unit="GBP/kWh", generic_asset=boiler.price.generic_asset, event_resolution=timedelta(minutes=15)
        )
        db.session.add(price)
        db.session.flush()
        boiler.asset.flex_context = {"consumption-price": {"sensor": price.id}}
        store(price, prices(), MIDNIGHT)
        return {role: sensor.id for role, sensor in boiler.sensors.items()}


def test_a_price_in_another_currency_than_the_sensors_of_costs_is_told(app, flexmeasures, fleet, in_pounds):
    output = flexmeasures("smart-boiler", "report", *YESTERDAY).output
    assert f"(Boiler B), {DAY}: Sensor {in_pounds['cost']} (cost) is in EUR, but the consumption price" in output
    assert "in GBP. Choose a price in EUR, or rename the sensor" in output
    with app.app_context():
        for role in ("cost", "daily cost", "daily savings"):
            db.session.get(Sensor, in_pounds[role]).name += " in EUR"
        db.session.commit()
    flexmeasures("smart-boiler", "report", *YESTERDAY)
    with app.app_context():
        assert Boiler(db.session.get(Asset, fleet["B"])).sensors["daily cost"].unit == "GBP"
        assert len(stored(fleet["B"], "daily cost")) == 1


@pytest.mark.parametrize(
    ("role", "said"), [("daily savings", "is in EUR, but the consumption price"), ("cost", "has no daily values")]
)
def test_the_savings_reporter_refuses_sensors_that_cannot_hold_savings(app, fleet, in_pounds, role, said):
    with app.app_context():
        parameters = {
            "input": [{"sensor": in_pounds["fill-rate"]}],
            "output": [{"sensor": in_pounds[role]}],
            "start": MIDNIGHT.isoformat(),
            "end": (MIDNIGHT + timedelta(days=1)).isoformat(),
        }
        with pytest.raises(SmartBoilerError, match=said):
            BoilerSavingsReporter().compute(parameters=parameters)


@pytest.mark.parametrize(
    ("start", "hours"), [(MIDNIGHT, 23), (pd.Timestamp.now(MIDNIGHT.tz).normalize(), 30)], ids=["23 hours", "today"]
)
def test_a_report_without_a_whole_day_that_is_over_says_so(app, fleet, start, hours):
    with app.app_context():
        sensors = Boiler(db.session.get(Asset, fleet["B"])).sensors
        parameters = {
            "input": [{"sensor": sensors["fill-rate"].id}],
            "output": [{"sensor": sensors["daily savings"].id}],
            "start": start.isoformat(),
            "end": (start + timedelta(hours=hours)).isoformat(),
        }
        with pytest.raises(SmartBoilerError, match="No whole day of Europe/Amsterdam that is over lies between"):
            BoilerSavingsReporter().compute(parameters=parameters)
