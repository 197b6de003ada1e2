"""The field "device": how a boiler's device is reached over MQTT; who may say so, and what is refused."""

import pytest
from flexmeasures import Asset
from flexmeasures.data import db

from smart_boiler_plugin.boiler.connecting import ATTRIBUTE, connection_of
from tests.host.households import API, World

SHELLY = {"kind": "shelly-gen2", "topic": "boilers/7"}
GENERIC = {"kind": "generic", "topic": "boilers/8", "temperature_path": "$.water", "power_path": "$.watt"}


@pytest.fixture
def world(app):
    """Ash and Birch of one operator, Cedar of another."""
    return World(app)


def change(world, name, device, who="operator", code=200):
    """Change the device of a household, and return the answer."""
    account = world.households[name].account
    answer = world.call(who, "PATCH", f"{API}/boiler-customer/{account}", {"device": device})
    assert answer.status_code == code, answer.text
    return answer.json


def problems(answer):
    """What is wrong with which field of the device."""
    return answer["message"]["json"]["device"]


def test_a_device_is_shown_exported_logged_and_taken_away(world):
    assert change(world, "Ash", SHELLY)["device"] == SHELLY
    path = f"{API}/boiler-customer/{world.ash.account}"
    assert world.call("Ash", "GET", path).json["device"] == SHELLY
    exported = world.call("operator", "GET", f"{path}/export").json
    assert exported["device"] == SHELLY
    events = [entry["event"] for entry in exported["audit_log"]]
    assert "Changed device of boiler customer 'Ash' to 'shelly-gen2 at boilers/7'" in events
    assert change(world, "Ash", GENERIC)["device"] == GENERIC
    assert change(world, "Ash", None)["device"] is None
    assert world.call("operator", "GET", f"{API}/boiler-customer").json["data"][1]["device"] is None


def test_other_changes_leave_the_device_as_it_is(world):
    change(world, "Ash", SHELLY)
    path = f"{API}/boiler-customer/{world.ash.account}"
    assert world.call("operator", "PATCH", path, {"language": "nl"}).json["device"] == SHELLY


def test_a_household_cannot_say_which_device_it_has(world):
    told = change(world, "Ash", SHELLY, who="Ash", code=403)
    assert problems(told) == ["Only your operator can change this."]
    change(world, "Ash", SHELLY, who="rival", code=404)


@pytest.mark.parametrize(
    ("device", "field", "told"),
    [
        ({**SHELLY, "kind": "toaster"}, "kind", "Must be one of"),
        ({"kind": "tasmota"}, "topic", "Missing"),
        ({**SHELLY, "topic": "boilers/+"}, "topic", "wildcards"),
        ({**SHELLY, "topic": "boilers/#"}, "topic", "wildcards"),
        ({**SHELLY, "topic": "$SYS/broker"}, "topic", "Must not begin with $"),
        ({**SHELLY, "topic": "/boilers/7"}, "topic", "Must not begin or end with /"),
        ({**SHELLY, "topic": 'a", "method": "Shelly.FactoryReset'}, "topic", "Must not contain"),
        ({**SHELLY, "topic": "a\nb"}, "topic", "control characters"),
        ({**SHELLY, "topic": "x" * 201}, "topic", "between 1 and 200"),
        ({**SHELLY, "off": "{seconds}"}, "off", "alone"),
        ({**GENERIC, "temperature_path": "water"}, "temperature_path", "JSON path"),
        ({**GENERIC, "temperature_path": "$.["}, "temperature_path", "JSON path"),
        ({**GENERIC, "off": "OFF"}, "off", "heat again by itself"),
        ({**GENERIC, "command_topic": "boilers/8/temperature"}, "topic", "where it speaks itself"),
        ({**GENERIC, "power_unit": "hp"}, "power_unit", "Must be one of"),
    ],
)
def test_what_is_no_device_is_refused_by_its_field(world, device, field, told):
    assert told in problems(change(world, "Ash", device, code=422))[field][0]


def test_no_two_boilers_share_a_topic_whosever_they_are(world):
    change(world, "Ash", SHELLY)
    change(world, "Ash", SHELLY)
    for name, who in (("Birch", "operator"), ("Cedar", "rival")):
        # the same, another kind's that is told or heard at the same place, and a generic one that listens in
        for device in (
            SHELLY,
            {**GENERIC, "topic": "boilers/7"},
            {**GENERIC, "temperature_topic": "boilers/7/status/temperature:100"},
            {**GENERIC, "command_topic": "boilers/7/rpc"},
        ):
            told = change(world, name, device, who=who, code=409)
            assert problems(told) == {"topic": ["Another boiler has this topic. Each needs its own."]}
    change(world, "Ash", {**SHELLY, "topic": "boilers/9"})
    change(world, "Birch", SHELLY)


def test_what_a_household_has_written_itself_is_no_device_and_takes_no_topic(world):
    change(world, "Ash", SHELLY)
    with world.app.app_context():
        mine = db.session.get(Asset, world.ash.boiler).attributes[ATTRIBUTE]
        birch = db.session.get(Asset, world.birch.boiler)
        for forged in (mine, {**mine, "sealed": "x"}, {"sealed": 5, "topics": "x"}, "x", ["x"]):
            birch.attributes = {**birch.attributes, ATTRIBUTE: forged}
            assert connection_of(birch) is None
        birch.attributes = {**birch.attributes, ATTRIBUTE: {"topics": ["boilers/9/rpc"], "sealed": "x"}}
        db.session.commit()
    change(world, "Ash", {**SHELLY, "topic": "boilers/9"})


def test_customers_are_taken_on_with_their_devices_and_each_row_is_on_its_own(world):
    csv = """name,user_name,user_email,device_kind,device_topic
Elm,elm,elm@example.com,tasmota,boiler1
Fir,fir,fir@example.com,tasmota,boiler1
Oak,oak,oak@example.com,tasmota,#
Yew,yew,yew@example.com,,
"""
    for query, results in (
        ("?dry_run=true", ["Possible", "Rejected", "Rejected", "Possible"]),
        ("", ["Created", "Rejected", "Rejected", "Created"]),
    ):
        answer = world.app.test_client().post(
            f"{API}/boiler-customers{query}",
            data=csv.encode(),
            content_type="text/csv",
            headers={"Authorization": world.tokens["operator"]},
        )
        rows = answer.json["results"]
        assert [row["result"] for row in rows] == results
        assert set(problems(rows[1])) == set(problems(rows[2])) == {"topic"}
    elm = world.call("operator", "GET", f"{API}/boiler-customer/{rows[0]['account']}").json
    assert elm["device"] == {"kind": "tasmota", "topic": "boiler1"}
    body = {"name": "Ivy", "user_name": "ivy", "user_email": "ivy@example.com", "device": SHELLY}
    made = world.call("operator", "POST", f"{API}/boiler-customer", body)
    assert made.status_code == 201
    assert world.call("operator", "GET", f"{API}/boiler-customer/{made.json['account']}").json["device"] == SHELLY
